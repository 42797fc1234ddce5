"""Long chains of comparisons of one value with constants become a search tree.

    next:                                   next:
      %c = eq %x, 1                           %c = ult %x, 4
      br %c, one, next2                       br %c, low, high
    next2:                                  low:
      %d = eq %x, 2                 ==>       %d = eq %x, 1
      br %d, two, next3                       br %d, one, low2
    ...                                     ...

Where the constants fill all that the value can be, the last test is saved too.
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Block, Const, Edge, Function, Op, Value
from ..ir.ops import M64, OpRow
from ..ir.types import I64, VOID
from .bits import Bits
from .cfgclean import incoming
from .rows import R

LONG: Final = 6  # cases; below, the order in which they were written is worth more
_LINEAR: Final = 3

Case = tuple[int, Edge]


def switch(fn: Function) -> bool:
    into = incoming(fn)
    bits = Bits()
    uses = fn.uses()
    used: set[Block] = set()
    changed = False
    for block in list(fn.blocks):
        if block in used:
            continue
        tested = _test(block)
        if tested is None:
            continue
        value = tested[0]
        cases, default, chain = _chain(block, value, into, uses)
        used.update(chain)
        if len(cases) >= LONG:
            _Tree(fn, block, value, default).grow(sorted(cases.items()), bits.may(value))
            gone = chain.keys() - {block}
            fn.blocks = [b for b in fn.blocks if b not in gone]
            changed = True
    return changed


def _test(block: Block) -> tuple[Value, int, Edge, Edge] | None:
    """(value, constant, edge if equal, edge if not) of a block that ends with such a test."""
    end = block.terminator
    if end.row is not R.br:
        return None
    match end.args[0]:
        case Op(R.eq, [x, Const(c)]) if x.type is I64:
            return x, c & M64, end.edges[0], end.edges[1]
        case Op(R.ne, [x, Const(c)]) if x.type is I64:
            return x, c & M64, end.edges[1], end.edges[0]
        case x if not isinstance(x, Const):
            return x, 0, end.edges[1], end.edges[0]
    return None


def _chain(block: Block, value: Value, into: dict[Block, list[tuple[Block, Edge]]],
           uses: dict[Value, list[Op]]) -> tuple[dict[int, Edge], Edge, dict[Block, None]]:
    """The cases from `block` on, the edge to what is none of them, and the blocks that test: those after the first go, so
    they have nothing that others use."""
    cases: dict[int, Edge] = {}
    chain: dict[Block, None] = {}
    while True:
        test = _test(block)
        assert test is not None
        _, constant, equal, other = test
        cases.setdefault(constant, equal)
        chain[block] = None
        after = other.block
        more = _test(after)
        if after in chain or after.params or len(into[after]) != 1 or more is None or more[0] is not value:
            return cases, other, chain
        if any(op is not after.terminator.args[0] or len(uses[op]) > 1 for op in after.ops[:-1]):
            return cases, other, chain
        block = after


class _Tree:
    def __init__(self, fn: Function, head: Block, value: Value, default: Edge) -> None:
        self.fn, self.head, self.value, self.default = fn, head, value, default
        self.names = {b.name for b in fn.blocks}
        self.made: list[Block] = []
        self.span = head.terminator.span

    def grow(self, cases: list[Case], top: int) -> None:
        """Replace the end of the head. `top`: the largest that the value can be."""
        self.head.ops.pop()
        self.fill(self.head, [c for c in cases if c[0] <= top] or cases[:1], 0, top)
        where = self.fn.blocks.index(self.head) + 1
        self.fn.blocks[where:where] = self.made

    def fill(self, block: Block, cases: list[Case], low: int, high: int) -> None:
        """End `block` with the choice among `cases`, for values from `low` to `high`."""
        (constant, edge), full = cases[0], len(cases) == high - low + 1
        if len(cases) == 1 and full:
            block.ops.append(Op(R.jump, (), VOID, None, [edge], self.span))
        elif len(cases) <= _LINEAR:
            rest, nothing_else = cases[1:], Edge(self.default.block, self.default.args)
            other = self.target(rest, low + (constant == low), high) if rest else nothing_else
            self.branch(block, R.eq, constant, edge, other)
        else:
            middle = len(cases) // 2
            pivot = cases[middle][0]
            self.branch(block, R.ult, pivot, self.target(cases[:middle], low, pivot - 1), self.target(cases[middle:], pivot, high))

    def target(self, cases: list[Case], low: int, high: int) -> Edge:
        """An edge to where the choice among `cases` is made."""
        if len(cases) == 1 and low == high:
            return Edge(cases[0][1].block, cases[0][1].args)
        n = len(self.made)
        while (name := f"{self.head.name}.case.{n}") in self.names:
            n += 1
        self.names.add(name)
        block = Block(name)
        self.made.append(block)
        self.fill(block, cases, low, high)
        return Edge(block)

    def branch(self, block: Block, row: OpRow, constant: int, then: Edge, other: Edge) -> None:
        test = Op(row, [self.value, Const(constant)], I64, span=self.span)
        block.ops += [test, Op(R.br, [test], VOID, None, [then, other], self.span)]
