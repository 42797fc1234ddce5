"""What is read off a tree: variables that begin anew, and those that rounds of a loop set by one way or by another."""

from __future__ import annotations

from purebpf.errors import Span
from purebpf.tree import nodes as n
from purebpf.tree.kinds import BOOL, I64, Int
from purebpf.tree.hiding import forked
from purebpf.tree.walk import begins

HERE = Span("a.py", 1)
X, Y = n.Local("x", ("i64",)), n.Local("y", ("i64",))
NUMBER = Int.of(I64)


def get(local: n.Local) -> n.Get:
    return n.Get(HERE, NUMBER, local)


def put(local: n.Local, value: n.Expr | None = None) -> n.Set:
    return n.Set(HERE, local, value or n.Number(HERE, 0))


def more(local: n.Local) -> n.Set:
    return put(local, n.Arith(HERE, NUMBER, "+", get(local), n.Number(HERE, 1)))


def branch(yes: list[n.Stmt], no: list[n.Stmt] | None = None) -> n.If:
    return n.If(HERE, n.Compare(HERE, Int(BOOL, 0, 1, True), "eq", get(Y), n.Number(HERE, 0)), yes, no or [])


def loop(*body: n.Stmt) -> n.Loop:
    made = n.Loop(HERE)
    made.body = list(body)
    return made


def changed(made: n.Loop) -> set[n.Local]:
    return {one.local for one in forked(made)}


def test_what_begins_anew() -> None:
    assert begins([put(X), more(X)], X)
    assert begins([put(Y)], X)
    assert begins([branch([put(X), more(X)])], X)
    assert not begins([more(X)], X)
    assert not begins([more(X), put(X)], X)
    assert not begins([branch([put(X)], [more(X)])], X)
    assert not begins([branch([put(X)]), put(Y, get(X))], X)


def test_what_rounds_set_by_one_way_or_by_another() -> None:
    assert changed(loop(more(X))) == set()
    assert changed(loop(branch([more(X)]), more(Y))) == {X}
    again = loop()
    again.body = [branch([n.Continue(HERE, again)]), more(X)]
    assert changed(again) == {X}
    block = n.Block(HERE)
    block.body = [branch([n.Break(HERE, block)]), more(X)]
    assert changed(loop(block, more(Y))) == {X}
    assert changed(loop(put(X, n.IfElse(HERE, NUMBER, get(Y), get(X), get(Y))))) == {X}
