"""Who calls whom in a module.

    entry ──► f ──► g            order: g f entry
      └───────────► g            sites: g 2, f 1, entry 0
"""

from __future__ import annotations

from .function import Function, Module, Op
from .ops import TABLE, Symbol

_CALL, _ADDRESS, _ABORT = TABLE["call"], TABLE["funcaddr"], TABLE["abort"]


def callee(op: Op) -> str:
    """The name of the function that a call is of, or `funcaddr` takes the address of."""
    assert isinstance(op.attr, Symbol)
    return op.attr.name


class Calls:
    """A snapshot. `order`: callees before callers; `recursive`: functions on a cycle of calls; `sites`: function -> how
    many calls of it there are; `addressed`: functions whose address is taken; `aborting`: functions that may abort, by
    themselves or by calls that are not caught."""

    __slots__ = ("order", "recursive", "sites", "addressed", "aborting", "callees")

    def __init__(self, module: Module) -> None:
        self.sites = dict.fromkeys(module.functions, 0)
        self.addressed: set[str] = set()
        self.callees: dict[str, list[str]] = {}
        self.aborting: dict[str, None] = {}  # in a fixed order
        uncaught: dict[str, dict[str, None]] = {}  # callee -> callers that do not catch
        for fn in module.functions.values():
            callees: dict[str, None] = {}
            for op in fn.ops():
                if op.row is _CALL and callee(op) in module.functions:
                    name = callee(op)
                    self.sites[name] += 1
                    callees[name] = None
                    if not (isinstance(op.attr, Symbol) and op.attr.caught):
                        uncaught.setdefault(name, {})[fn.name] = None
                elif op.row is _ADDRESS:
                    self.addressed.add(callee(op))
                elif op.row is _ABORT:
                    self.aborting[fn.name] = None
            self.callees[fn.name] = list(callees)
        work = list(self.aborting)
        while work:
            for caller in uncaught.get(work.pop(), {}):
                if caller not in self.aborting:
                    self.aborting[caller] = None
                    work.append(caller)
        self.order: list[Function] = []
        self.recursive: set[str] = set()
        self._sort(module)

    def _sort(self, module: Module) -> None:
        active: dict[str, int] = {}  # on the path at hand -> its depth
        done: set[str] = set()
        for root in module.functions:
            if root in done:
                continue
            path, stack = [root], [iter(self.callees[root])]
            active[root] = 0
            while stack:
                name = next(stack[-1], None)
                if name is None:
                    stack.pop()
                    done.add(path[-1])
                    self.order.append(module.functions[path[-1]])
                    del active[path.pop()]
                elif name in active:
                    self.recursive.update(path[active[name]:])
                elif name not in done:
                    active[name] = len(path)
                    path.append(name)
                    stack.append(iter(self.callees[name]))
