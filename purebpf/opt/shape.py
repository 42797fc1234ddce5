"""What the kernel's verifier has to recognise, so that rules leave it alone.

The verifier follows values, not equations. After `if t < 64` it knows the register that was compared (and its copies),
not what t was computed from; nor does `x < 59` bound a `t = x + 5` that was computed before. So:

* a value that is compared with < or > is not looked through when an address is computed from it: `t + 4` stays a step
  from t even where t is `x + 5` itself (`compared`);
* a comparison is not moved from a value to what it was computed from while the value is used elsewhere (`only_use`);
* `x > 0` is not turned into `x != 0`, nor `x < 7` into `x != 7`: from != old kernels learn no bound;
* a constant step moves from an index into the offset only when the rest cannot be negative (packet pointers);
* a comparison falls to another one's knowledge only if that is about the very same value (`implied`).

    t = x + 5                     t = x + 5
    if t < 64:            =/=>    if t < 64:
        p[t + 4]                      p[x + 9]        # "unbounded memory access"

And what indexes are made of is `below` a limit (see ir/ops). Of the values that such a number is computed from (`guarded`)
a comparison is decided, and a mask dropped, only by what the verifier knows as well: `Rewriter.sure`, `implied`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..ir.function import Const, Function, Op, Value
from .rows import R

_ORDER: Final = frozenset(getattr(R, n + w) for n in ("ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge") for w in ("", "32"))


class Shape:
    """A snapshot of a function: who is compared, who is used how often."""

    __slots__ = ("_compared", "_uses", "_guarded")

    def __init__(self, fn: Function) -> None:
        self._compared: set[Value] = set()
        self._uses: dict[Value, int] = {}
        self._guarded = guarded(fn)
        uses = self._uses
        for block in fn.blocks:
            for op in block.ops:
                for arg in op.args:
                    uses[arg] = uses.get(arg, 0) + 1
                for edge in op.edges:
                    for arg in edge.args:
                        uses[arg] = uses.get(arg, 0) + 1
                if op.row in _ORDER:
                    self._compared.update(a for a in op.args if not isinstance(a, Const))

    def compared(self, v: Value) -> bool:
        """Whether some comparison may have told the verifier about `v`."""
        return v in self._compared

    def guarded(self, v: Value) -> bool:
        """Whether a `below` is computed from `v`."""
        return v in self._guarded

    def stands_for(self, new: Value, old: Value) -> None:
        """`new` has taken the place of `old`."""
        if old in self._guarded:
            _reach([new], self._guarded)

    def only_use(self, v: Value) -> bool:
        """Whether `v` is used once (values made since the snapshot count as such)."""
        return self._uses.get(v, 0) < 2


def guarded(fn: Function) -> set[Value]:
    """The values that a `below` is computed from."""
    found: set[Value] = set()
    work = [op.args[0] for op in fn.ops() if op.row is R.below]
    if work:
        brought: dict[Value, list[Value]] = {}  # parameter -> what comes along the edges
        for block in fn.blocks:
            for edge in block.edges:
                for param, arg in zip(edge.block.params, edge.args):
                    brought.setdefault(param, []).append(arg)
        _reach(work, found, brought)
    return found


def _reach(work: list[Value], found: set[Value], brought: Mapping[Value, list[Value]] = MappingProxyType({})) -> None:
    """Add `work` and what it is computed from to `found`."""
    while work:
        v = work.pop()
        if v not in found and not isinstance(v, Const):
            found.add(v)
            if isinstance(v, Op) and v.row.pure:
                work += v.args
            else:
                work += brought.get(v, ())
