"""Appending ops to blocks. Types come from the op table; pure ops on constants are folded at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import Span
from .function import Block, Const, Edge, Function, Op, Param, Value
from .ops import TABLE, Index, Mem, Symbol
from .types import I64, VOID, Type


class Builder:
    """Appends to `block` of `fn`; `span` is given to every op made. After a terminator, `block` must be set anew:
    until then `reachable` is False and appended ops are dropped."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.block: Block | None = None
        self.span: Span | None = None
        self._names: dict[str, int] = {}

    @property
    def reachable(self) -> bool:
        return self.block is not None

    def new_block(self, name: str, params: Iterable[Param] = ()) -> Block:
        """A block with a unique name, not yet placed: `place` appends it to the function."""
        n = self._names.get(name, 0)
        self._names[name] = n + 1
        return Block(f"{name}.{n}" if n else name, params)

    def place(self, block: Block) -> Block:
        """Append `block` to the function and continue there."""
        self.fn.blocks.append(block)
        self.block = block
        return block

    def op(self, name: str, *args: Value | int, type: Type | None = None, attr: tuple[object, ...] | None = None,
           hint: str = "") -> Value:
        """Append the op of that name; an int operand becomes a Const. `type` only where the table says "any"."""
        row = TABLE[name]
        values = [Const(a) if isinstance(a, int) else a for a in args]
        if row.evaluate is not None and all(isinstance(v, Const) for v in values):
            return Const(row.evaluate(*(v.value for v in values if isinstance(v, Const))))
        if type is None:
            type = I64 if row.result == "i64" else VOID if row.result == "void" else values[0].type
        op = Op(row, values, type, attr, span=self.span, name=hint)
        if self.block is not None:
            self.block.ops.append(op)
        return op

    def load(self, ptr: Value, size: int, off: int = 0, *, sext: bool = False, type: Type = I64, hint: str = "") -> Value:
        return self.op("load", ptr, type=type, attr=Mem(size, off, sext), hint=hint)

    def store(self, ptr: Value, value: Value | int, size: int, off: int = 0) -> None:
        self.op("store", ptr, value, attr=Mem(size, off))

    def _end(self, name: str, args: Sequence[Value], edges: Sequence[Edge]) -> None:
        if self.block is not None:
            self.block.ops.append(Op(TABLE[name], args, VOID, None, edges, self.span))
        self.block = None

    def jump(self, target: Block, args: Iterable[Value] = ()) -> None:
        self._end("jump", (), (Edge(target, args),))

    def br(self, cond: Value, then: Block, other: Block, then_args: Iterable[Value] = (),
           other_args: Iterable[Value] = ()) -> None:
        self._end("br", (cond,), (Edge(then, then_args), Edge(other, other_args)))

    def call(self, fn: Function, args: Iterable[Value], *, caught: bool = False, hint: str = "") -> list[Value]:
        """Call `fn`: its results, in front of them the flag of a caught call."""
        types = (I64, *fn.results) if caught else fn.results
        first = self.op("call", *args, type=types[0] if types else VOID, attr=Symbol(fn.name, caught), hint=hint)
        return [first, *(self.op("result", first, type=t, attr=Index(i)) for i, t in enumerate(types[1:], 1))][:len(types)]

    def may(self, again: Block, over: Block) -> None:
        """Go to `again` while the kernel grants another round, else to `over`."""
        self._end("may", (), (Edge(again), Edge(over)))

    def ret(self, *values: Value | int) -> None:
        self._end("ret", [Const(v) if isinstance(v, int) else v for v in values], ())

    def abort(self) -> None:
        """End the program with its default answer."""
        self._end("abort", (), ())

    def unreachable(self) -> None:
        self._end("unreachable", (), ())
