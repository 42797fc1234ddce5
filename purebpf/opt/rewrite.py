"""One walk over a function that puts simpler values in place of ops. What `simplify` and `narrow` are built on.

The walk goes in reverse postorder, so operands are final when an op is looked at. A rule gets the op and says what value
stands for it: an older value, a new op made by `Rewriter.op` (placed just before), or None to leave it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..errors import Span
from ..ir.cfg import reverse_postorder
from ..ir.function import Const, Function, Op, Value
from ..ir.ops import SWAPPED, OpRow
from ..ir.types import I64, Type
from .bits import Bits
from .shape import Shape

Rules = dict[OpRow, "Rule"]
_COMPARES: Final = frozenset(SWAPPED)


class Rewriter:
    """`rules` by row; `bits` is what is known of values, `shape` what the verifier must see; `changed` whether anything was."""

    def __init__(self, rules: Rules, bits: Bits | None = None) -> None:
        self.rules, self.bits = rules, bits or Bits()
        self._kernel = Bits(kernel=True)
        self.changed = False
        self.shape: Shape
        self._out: list[Op] = []
        self._span: Span | None = None

    def run(self, fn: Function) -> bool:
        self.shape = Shape(fn)
        mapping: dict[Value, Value] = {}
        order = reverse_postorder(fn)
        for block in order:
            self._out = out = []
            for op in block.ops:
                if mapping:
                    op.args = [mapping.get(a, a) for a in op.args]
                self._span = op.span
                value = self.visit(op)
                if value is op:
                    out.append(op)
                else:
                    mapping[op] = value
                    self.shape.stands_for(value, op)
                    if isinstance(value, Op) and not value.name:
                        value.name = op.name
            block.ops = out
        if mapping:
            self.changed = True
            for block in order:
                for edge in block.edges:
                    edge.args = [mapping.get(a, a) for a in edge.args]
        return self.changed

    def visit(self, op: Op) -> Value:
        """The value for `op`, whose operands are final: a constant, another value, or `op` itself."""
        row, args = op.row, op.args
        if row.evaluate is not None:
            if len(args) == 1:
                if isinstance(args[0], Const):
                    return Const(row.evaluate(args[0].value))
            elif isinstance(args[0], Const):
                if isinstance(args[1], Const):
                    return Const(row.evaluate(args[0].value, args[1].value))
                if row.commutative or row in _COMPARES:
                    args.reverse()
                    op.row = row = SWAPPED.get(row, row)
                    self.changed = True
        rule = self.rules.get(row)
        value = rule(self, op, *args) if rule is not None else None
        if value is None and row.evaluate is not None and not self.bits.may(op):
            return Const(0)  # whatever else: the verifier could not know it
        return value or op

    def sure(self, v: Value) -> int:
        """`bits.may(v)`, for deciding whether a comparison or mask of `v` is needed: by what the verifier knows, if an
        index is made of it."""
        return self._kernel.may(v) if self.shape.guarded(v) else self.bits.may(v)

    def op(self, row: OpRow, *args: Value | int, type: Type | None = None, attr: tuple[object, ...] | None = None) -> Value:
        """A value computed by `row`, simplified itself, placed at the current spot."""
        values = [Const(a) if isinstance(a, int) else a for a in args]
        if type is None:
            type = I64 if row.result == "i64" else values[0].type
        new = Op(row, values, type, attr, span=self._span)
        value = self.visit(new)
        if value is new:
            self._out.append(new)
        return value


Rule = Callable[..., "Value | None"]
