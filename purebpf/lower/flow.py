"""Variables to SSA, on the fly: what each variable is on every path, and what happens to it where paths meet.

The tree's control flow is structured, so all forward edges into a join are known before it is entered: a variable that
is the same on all of them stays what it is, else it becomes a block parameter. A loop head is entered before its back
edges are known: every variable that the loop sets becomes a parameter there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..ir.builder import Builder
from ..ir.function import Block, Const, Edge, Op, Param, Value
from ..ir.ops import TABLE
from ..ir.types import I64, MAYBE, PTR, VOID, Type
from .env import Env, Version, Words


class Arrival(NamedTuple):
    """One edge into a join, with what the variables were there."""

    edge: Edge
    env: Version
    extra: Words


class Join:
    """A place where paths meet; `enter` it once all of them are known. `types`: of further values that each path brings."""

    __slots__ = ("block", "arrivals")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.arrivals: list[Arrival] = []


class Flow:
    """Where the lowering of a function stands: the builder, and what the variables are on the current path."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self.env = Env()

    @property
    def reachable(self) -> bool:
        return self.b.block is not None

    def join(self, name: str) -> Join:
        return Join(self.b.new_block(name))

    def goto(self, join: Join, extra: Words = ()) -> None:
        """End this path with a jump to `join`."""
        if self.b.block is None:
            return
        edge = Edge(join.block)
        join.arrivals.append(Arrival(edge, self.env.version(), extra))
        self.b.block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), self.b.span))
        self.b.block = None

    def branch(self, cond: Value, yes: Join, no: Join) -> None:
        """End this path: to `yes` if `cond` is not 0."""
        if isinstance(cond, Const):
            self.goto(yes if cond.value else no)
            return
        if self.b.block is None:
            return
        then, other = Edge(yes.block), Edge(no.block)
        env = self.env.version()
        yes.arrivals.append(Arrival(then, env, ()))
        no.arrivals.append(Arrival(other, env, ()))
        self.b.block.ops.append(Op(TABLE["br"], (cond,), VOID, None, (then, other), self.b.span))
        self.b.block = None

    def may(self, again: Join, over: Join) -> None:
        """End this path: to `again` while the kernel grants another round."""
        if self.b.block is None:
            return
        then, other = Edge(again.block), Edge(over.block)
        env = self.env.version()
        again.arrivals.append(Arrival(then, env, ()))
        over.arrivals.append(Arrival(other, env, ()))
        self.b.block.ops.append(Op(TABLE["may"], (), VOID, None, (then, other), self.b.span))
        self.b.block = None

    def enter(self, join: Join, rep: tuple[str, ...] = (), forget: bool = False) -> Words:
        """Continue at `join` with the variables merged, and give what the paths brought, words as `rep` says; what nobody
        reaches is dropped. `forget`: no variable is read from here on."""
        if not join.arrivals:
            self.b.block = None
            return tuple(Const(0) for _ in rep)
        arrivals = join.arrivals
        self.b.place(join.block)
        if len(arrivals) == 1 or forget:
            self.env.go(arrivals[0].env)
        else:
            for local, words in self.env.meet([a.env for a in arrivals]).items():
                first = words[0]
                self.env[local] = first if all(w is first for w in words) else tuple(
                    self._merge(join, local.name, column, word) for column, word in zip(zip(*words), local.rep))
        if len(arrivals) == 1:
            return arrivals[0].extra
        return tuple(self._merge(join, "", column, word) for column, word in zip(zip(*(a.extra for a in arrivals)), rep))

    def _merge(self, join: Join, name: str, column: tuple[Value, ...], word: str) -> Value:
        first = column[0]
        if all(v is first for v in column):
            return first
        if isinstance(first, Const) and all(isinstance(v, Const) and v.value == first.value for v in column):
            return first
        param = Param(common_type(column) if word != "i64" and any(v.type.is_ptr for v in column) else word_type(word), name)
        join.block.params.append(param)
        for arrival, value in zip(join.arrivals, column):
            arrival.edge.args.append(value)
        return param


def word_type(word: str) -> Type:
    return I64 if word == "i64" else MAYBE[word]


def common_type(values: Iterable[Value]) -> Type:
    """The type that holds all of the values; a constant stands for a null pointer where there are pointers."""
    values = list(values)
    pointers = [v.type for v in values if v.type.is_ptr]
    if not pointers:
        return I64
    region = pointers[0].region
    return MAYBE[region] if any(t.null for t in pointers) or len(pointers) < len(values) else PTR[region]
