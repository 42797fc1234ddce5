"""What is checked between passes under `verify`: that the IR is legal, that the kernel can still follow all that it could
follow before, and that a pass which says that it changed nothing did not. What no pass touched is not looked at again."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import InternalError
from ..ir import provable, verify
from ..ir.function import Function, Module
from ..ir.ops import Symbol
from ..ir.text import print_function

Shape = list[object]


def shape(fn: Function, module: Module) -> Shape:
    """All of a function that legality depends on, and the types of what it calls: equal if nothing changed. Blocks and values
    are themselves in it, so they are alive and nothing else can be taken for them."""
    out: Shape = [fn.results, fn.static, fn.default]
    for block in fn.blocks:
        out += (block, block.name, *block.params)
        for op in block.ops:
            out += (op, op.row, op.type, op.attr, *op.args)
            for edge in op.edges:
                out += (edge.block, *edge.args)
            if isinstance(op.attr, Symbol) and (callee := module.functions.get(op.attr.name)) is not None:
                out += (callee, callee.results, *[p.type for p in callee.params])
    return out


class Proofs:
    """The shapes of the module's functions when they were checked last, and what the kernel could not follow in them then."""

    def __init__(self, module: Module) -> None:
        self.shapes: dict[str, Shape] = {}
        self.open: dict[str, list[provable.Finding]] = {}
        self.check(module, "lowering", module.functions, local=False)

    def check(self, module: Module, where: str, said: Collection[str], local: bool = True) -> None:
        """`where`: the pass that ran, on single functions if `local`; `said`: the functions that it says it changed."""
        shapes = {fn.name: shape(fn, module) for fn in module.functions.values()}
        changed = {name: module.functions[name] for name, now in shapes.items() if now != self.shapes.get(name)}
        gone = self.shapes.keys() - shapes.keys()
        self.shapes = shapes
        for name, fn in changed.items():
            if name not in said:
                raise InternalError(where, f"changed @{name} and did not say so", print_function(fn))
        if not changed and not gone:
            return
        verify.check(module, where, changed)
        known = {finding for findings in self.open.values() for finding in findings}
        self.open = {name: findings for name, findings in self.open.items() if name in shapes}
        for name, fn in changed.items():
            self.open[name] = provable.unproved(fn)
            lost = [finding for finding in self.open[name] if finding not in known]
            if lost and local:  # from a caller's point of view, and with it inlined, a function is another one
                raise InternalError(where, f"lost the proof that the kernel needs: {lost[0]}", print_function(fn))
