"""Dominators and loops against their definitions, on random graphs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.ir.builder import Builder
from purebpf.ir.cfg import Cfg
from purebpf.ir.function import Block, Const, Edge, Function, Op
from purebpf.ir.ops import TABLE
from purebpf.ir.types import VOID


@st.composite
def graphs(draw: st.DrawFn) -> Function:
    n = draw(st.integers(1, 9))
    fn = Function("f")
    fn.blocks = [Block(f"b{i}") for i in range(n)]
    for block in fn.blocks:
        targets = draw(st.lists(st.integers(1, n - 1), max_size=2)) if n > 1 else []
        name = ("ret", "jump", "br")[len(targets)]
        args = [Const(0)] if name != "jump" else []
        block.ops.append(Op(TABLE[name], args, VOID, None, [Edge(fn.blocks[t]) for t in targets]))
    return fn


def reached(fn: Function, without: Block | None) -> set[Block]:
    seen: set[Block] = set()
    work = [fn.entry] if fn.entry is not without else []
    while work:
        block = work.pop()
        if block not in seen:
            seen.add(block)
            work += [e.block for e in block.edges if e.block is not without]
    return seen


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_dominators(fn: Function) -> None:
    cfg = Cfg(fn)
    everything = reached(fn, None)
    assert set(cfg.order) == everything and cfg.order[0] is fn.entry
    for a in everything:
        lost = everything - reached(fn, a)
        for b in everything:
            assert cfg.dominates(a, b) == (b in lost)
    for b in everything - {fn.entry}:
        assert cfg.idom[b] is not b and cfg.dominates(cfg.idom[b], b)


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_loops(fn: Function) -> None:
    cfg = Cfg(fn)
    for loop in cfg.loops:
        assert all(cfg.dominates(loop.header, b) for b in loop.blocks)
        assert all(any(e.block is loop.header for e in b.edges) for b in loop.latches)
        if loop.parent:
            assert loop.blocks < loop.parent.blocks
    headers = {e.block for b in cfg.order for e in b.edges if cfg.dominates(e.block, b)}
    assert headers == {l.header for l in cfg.loops}


def test_builder_folds_and_drops_after_the_end() -> None:
    fn = Function("f")
    b = Builder(fn)
    b.place(b.new_block("entry"))
    assert isinstance(b.op("add", 1, 2), Const)
    b.ret(0)
    assert not b.reachable
    b.ret(1)
    assert len(fn.entry.ops) == 1
