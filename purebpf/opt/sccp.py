"""Sparse conditional constant propagation (Wegman, Zadeck 1991): constants along the paths that can run.

    entry:                            entry:
      jump test(0)                      jump test
    test(%x: i64):             ==>    test:
      %c = eq %x, 0                     jump then
      br %c, then, other              ...
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Block, Const, Edge, Function, Op, Value
from .dce import drop_unreachable
from .rows import R

_MANY: Final = Value.__new__(Value)  # not a constant


class _Lattice:
    """`value[v]`: a Const, or _MANY; absent while no path reaches v."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.value: dict[Value, Value] = {p: _MANY for p in fn.params}
        self.uses = fn.uses()
        self.home = {op: block for block in fn.blocks for op in block.ops}
        self.edges: set[Edge] = set()
        self.blocks: set[Block] = set()
        self.flow: list[Block] = []
        self.ops: list[Op] = []

    def of(self, v: Value) -> Value | None:
        return v if isinstance(v, Const) else self.value.get(v)

    def lower(self, v: Value, to: Value) -> None:
        old = self.value.get(v)
        if old is _MANY or (isinstance(old, Const) and isinstance(to, Const) and old.value == to.value):
            return
        self.value[v] = to if old is None else _MANY
        self.ops += self.uses.get(v, ())

    def take(self, edge: Edge) -> None:
        """Control can go along `edge`: its arguments reach the parameters."""
        for param, arg in zip(edge.block.params, edge.args):
            value = self.of(arg)
            if value is not None:
                self.lower(param, value)
        if edge not in self.edges:
            self.edges.add(edge)
            if edge.block not in self.blocks:
                self.blocks.add(edge.block)
                self.flow.append(edge.block)

    def solve(self) -> None:
        self.blocks.add(self.fn.entry)
        self.flow.append(self.fn.entry)
        while self.flow or self.ops:
            if self.ops:
                op = self.ops.pop()
                if self.home[op] in self.blocks:
                    self.visit(op)
            else:
                for op in self.flow.pop().ops:
                    self.visit(op)

    def visit(self, op: Op) -> None:
        if op.edges:
            self.branch(op)
        elif op.row.evaluate is not None:
            args = [self.of(a) for a in op.args]
            if any(a is _MANY for a in args):
                self.lower(op, self.absorbed(op, args))
            elif all(a is not None for a in args):
                self.lower(op, Const(op.row.evaluate(*(a.value for a in args if isinstance(a, Const)))))
        elif op.row is R.select and isinstance(cond := self.of(op.args[0]), Const):
            chosen = self.of(op.args[1 if cond.value else 2])
            if chosen is not None:
                self.lower(op, chosen)
        else:
            self.lower(op, _MANY)

    def absorbed(self, op: Op, args: list[Value | None]) -> Value:
        """x * 0, x & 0 and x | -1 are constants whatever x is."""
        for a in args:
            if isinstance(a, Const):
                if (a.value == 0 and op.row in (R.mul, R.and_, R.mul32, R.and32)) or (a.value == -1 and op.row is R.or_):
                    return a
        return _MANY

    def branch(self, op: Op) -> None:
        cond = self.of(op.args[0]) if op.args else _MANY
        if cond is None:
            return
        if isinstance(cond, Const) and op.row is R.br:
            self.take(op.edges[0 if cond.value else 1])
        else:
            for edge in op.edges:
                self.take(edge)


def sccp(fn: Function) -> bool:
    """Replace constant values, make decided branches jumps, drop blocks that cannot be reached."""
    lattice = _Lattice(fn)
    lattice.solve()
    constants = {v: c for v, c in lattice.value.items() if isinstance(c, Const)}
    changed = bool(constants)
    fn.replace(constants)
    for block in lattice.blocks:
        end = block.terminator
        if end.row is R.br and isinstance(end.args[0], Const):
            end.edges = [end.edges[0 if end.args[0].value else 1]]
            end.args, end.row = [], R.jump
            changed = True
        if constants:
            block.ops = [op for op in block.ops if op not in constants or not op.row.pure]
    return drop_unreachable(fn) or changed
