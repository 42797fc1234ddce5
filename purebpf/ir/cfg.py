"""The shape of a function: predecessors, reverse postorder, dominators, natural loops.

A `Cfg` is a snapshot: it is right until an edge changes. Only blocks reachable from the entry are in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import graph
from .function import Block, Edge, Function


def reverse_postorder(fn: Function) -> list[Block]:
    """The reachable blocks, each before those it dominates."""
    return graph.reverse_postorder(fn.entry, lambda block: [edge.block for edge in block.edges])


class Loop:
    """A natural loop: `header` dominates `blocks`, `latches` jump back to it. `parent` is the next loop outside."""

    __slots__ = ("header", "blocks", "latches", "parent")

    def __init__(self, header: Block) -> None:
        self.header = header
        self.blocks: set[Block] = {header}
        self.latches: list[Block] = []
        self.parent: Loop | None = None

    @property
    def depth(self) -> int:
        return 1 + (self.parent.depth if self.parent else 0)

    def exits(self) -> list[tuple[Block, Edge]]:
        """The edges out of the loop, with the blocks they leave from."""
        return [(b, e) for b in self.blocks for e in b.edges if e.block not in self.blocks]


class Cfg:
    """`order`: reverse postorder; `index`: a block's place in it; `preds`: predecessors, one entry per edge;
    `idom`: immediate dominators (the entry's is itself); `children`: the dominator tree."""

    __slots__ = ("fn", "order", "index", "preds", "_idom", "_children", "_span", "_loops")

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.order = reverse_postorder(fn)
        self.index = {b: i for i, b in enumerate(self.order)}
        self.preds: dict[Block, list[Block]] = {b: [] for b in self.order}
        for block in self.order:
            for edge in block.edges:
                self.preds[edge.block].append(block)
        self._idom: dict[Block, Block] | None = None
        self._children: dict[Block, list[Block]] | None = None
        self._span: dict[Block, tuple[int, int]] | None = None
        self._loops: list[Loop] | None = None

    def reachable(self, block: Block) -> bool:
        return block in self.index

    @property
    def idom(self) -> dict[Block, Block]:
        if self._idom is None:
            self._idom = self._dominators()
        return self._idom

    def _dominators(self) -> dict[Block, Block]:
        index = self.index
        preds = [[index[p] for p in self.preds[b]] for b in self.order]
        doms = graph.dominators(preds)
        return {b: self.order[doms[i]] for i, b in enumerate(self.order)}

    @property
    def children(self) -> dict[Block, list[Block]]:
        if self._children is None:
            self._children = {b: [] for b in self.order}
            idom = self.idom
            for b in self.order[1:]:
                self._children[idom[b]].append(b)
        return self._children

    def tree(self) -> Iterator[Block]:
        """The dominator tree in preorder."""
        stack = [self.order[0]]
        children = self.children
        while stack:
            block = stack.pop()
            yield block
            stack.extend(reversed(children[block]))

    def dominates(self, a: Block, b: Block) -> bool:
        """Whether every way to `b` passes `a` (a block dominates itself)."""
        if self._span is None:
            self._span = self._number()
        (start, stop), (at, _) = self._span[a], self._span[b]
        return start <= at < stop

    def _number(self) -> dict[Block, tuple[int, int]]:
        span: dict[Block, tuple[int, int]] = {}
        children, n = self.children, 0
        stack = [(self.order[0], False)]
        while stack:
            block, done = stack.pop()
            if done:
                span[block] = (span[block][0], n)
                continue
            span[block] = (n, n + 1)
            n += 1
            stack.append((block, True))
            stack.extend((c, False) for c in reversed(children[block]))
        return span

    @property
    def loops(self) -> list[Loop]:
        """Natural loops, inner ones before those around them. Edges into the middle of a cycle make no loop."""
        if self._loops is None:
            self._loops = self._find_loops()
        return self._loops

    def _find_loops(self) -> list[Loop]:
        by_header: dict[Block, Loop] = {}
        for block in self.order:
            for edge in block.edges:
                head = edge.block
                if self.index[head] <= self.index[block] and self.dominates(head, block):
                    loop = by_header.setdefault(head, Loop(head))
                    if block not in loop.latches:
                        loop.latches.append(block)
        loops = sorted(by_header.values(), key=lambda l: -self.index[l.header])
        for loop in loops:
            work = [b for b in loop.latches if b not in loop.blocks]
            loop.blocks.update(work)
            while work:
                for p in self.preds[work.pop()]:
                    if p not in loop.blocks:
                        loop.blocks.add(p)
                        work.append(p)
        inner: dict[Block, Loop] = {}
        for loop in reversed(loops):  # outer ones first
            loop.parent = inner.get(loop.header)
            inner.update(dict.fromkeys(loop.blocks, loop))
        return loops
