"""A program as data: Module > Function > Block > Op; SSA with block parameters instead of phi nodes.

A `Const` is an operand, never an op in a block. Every Op is the value it computes. Edges carry the arguments for the
target's parameters. Nothing here keeps use lists: a pass that needs uses asks `Function.uses()` once, and rewrites with
`Function.replace(mapping)`, one walk each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Mapping

from ..errors import Span
from ..order import HOST, Order
from .ops import OpRow, signed
from .types import I64, VOID, Type


class Value:
    """Anything an op may take: Const, Param or Op. Identity is what counts."""

    __slots__ = ("type",)

    def __init__(self, type: Type) -> None:
        self.type = type


class Const(Value):
    """An integer constant in [-2**63, 2**63); equal numbers may be different objects: compare `.value`.
    The null pointer is the Const 0."""

    __slots__ = ("value",)
    __match_args__ = ("value",)

    def __init__(self, value: int) -> None:
        super().__init__(I64)
        self.value = signed(value)

    def __repr__(self) -> str:
        return f"Const({self.value})"


class Param(Value):
    """A parameter of a block (the entry block's are the function's). `name` is a hint for readers."""

    __slots__ = ("name",)

    def __init__(self, type: Type, name: str = "") -> None:
        super().__init__(type)
        self.name = name


class Edge:
    """One way out of a block: the target, and the values of its parameters."""

    __slots__ = ("block", "args")

    def __init__(self, block: Block, args: Iterable[Value] = ()) -> None:
        self.block, self.args = block, list(args)


class Op(Value):
    """One operation. `attr` is of the class its row names; `edges` is empty unless it is a terminator; `name` a hint."""

    __slots__ = ("row", "args", "attr", "edges", "span", "name")
    __match_args__ = ("row", "args")

    def __init__(self, row: OpRow, args: Iterable[Value], type: Type, attr: tuple[object, ...] | None = None,
                 edges: Iterable[Edge] = (), span: Span | None = None, name: str = "") -> None:
        super().__init__(type)
        self.row, self.args, self.attr, self.edges = row, list(args), attr, list(edges)
        self.span, self.name = span, name

    def __repr__(self) -> str:
        return f"<{self.row.name} {self.name}>"


class Block:
    """`ops` ends with exactly one terminator once built. `name` is unique in its function."""

    __slots__ = ("name", "params", "ops")

    def __init__(self, name: str, params: Iterable[Param] = ()) -> None:
        self.name, self.params = name, list(params)
        self.ops: list[Op] = []

    @property
    def terminator(self) -> Op:
        return self.ops[-1]

    @property
    def edges(self) -> list[Edge]:
        return self.ops[-1].edges

    def __repr__(self) -> str:
        return f"<block {self.name}>"


class Function:
    """`blocks[0]` is the entry; its params are the function's. `results`: the types of what it returns. `inline`: "never"
    (an entry or a BPF subprogram), "auto" (as the optimiser sees fit), "must" (a parameter or result cannot cross a
    BPF call: a stack address as result). `default`: what it answers where it aborts, of entries and of what the kernel calls when they have
    ended; None for what is called. `static`: False for a global BPF function. `btf_id`: its FUNC, which every function that may stay a subprogram
    has if any has. `order`: of bytes, in the memory that it works on. `span`: the def line."""

    __slots__ = ("name", "blocks", "results", "inline", "static", "default", "btf_id", "order", "span")

    def __init__(self, name: str, results: Type | Iterable[Type] = I64, *, inline: str = "never", static: bool = True,
                 default: int | None = None, btf_id: int = 0, order: Order = HOST, span: Span | None = None) -> None:
        self.name, self.inline, self.static, self.default = name, inline, static, default
        self.results = (results,) if isinstance(results, Type) else tuple(results)
        self.btf_id, self.order, self.span = btf_id, order, span
        self.blocks: list[Block] = []

    @property
    def result(self) -> Type:
        """The type of a call of it: the first result's, or void."""
        return self.results[0] if self.results else VOID

    @property
    def entry(self) -> Block:
        return self.blocks[0]

    @property
    def params(self) -> list[Param]:
        return self.blocks[0].params

    def ops(self) -> Iterator[Op]:
        for block in self.blocks:
            yield from block.ops

    def uses(self) -> dict[Value, list[Op]]:
        """Every Op and Param used -> the ops that use it (an op twice if it uses it twice), edge arguments included."""
        uses: dict[Value, list[Op]] = {}
        for op in self.ops():
            for arg in op.args:
                uses.setdefault(arg, []).append(op)
            for edge in op.edges:
                for arg in edge.args:
                    uses.setdefault(arg, []).append(op)
        return uses

    def replace(self, mapping: Mapping[Value, Value]) -> None:
        """Put `mapping[v]` wherever `v` is used; chains are followed. One walk."""
        if not mapping:
            return

        def new(value: Value) -> Value:
            while value in mapping:
                value = mapping[value]
            return value

        for op in self.ops():
            op.args = [new(a) for a in op.args]
            for edge in op.edges:
                edge.args = [new(a) for a in edge.args]


class Module:
    """The functions compiled together: entry programs and the subprograms they call, by name."""

    __slots__ = ("functions",)

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self.functions: dict[str, Function] = {f.name: f for f in functions}
