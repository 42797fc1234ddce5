"""`match`: numbers, constants, text, tuples and fields of structs; each pattern is a condition and what it binds."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl.layout import StructType
from ..tree.kinds import NONE, POISON, Const, Kind, Ptr, is_maybe, narrowed
from ..tree.nodes import Block, Break, Cast, Eval, Expr, Get, If, Lit, Stmt
from . import compare, conds, keeping, memory, stmts, truths
from .context import Checker, Path, Target

Bind = Callable[[], None]


def _match(c: Checker, node: ast.Match) -> None:
    """Cases one after another in a block, which the one that fits leaves; what does not fit, or whose guard fails, goes
    on with the next."""
    subject = c.expr(node.subject)
    if not isinstance(subject, Lit | Get):
        subject = c.hold(keeping.settle(c, subject, node.subject), "$subject")
    whole = Block(c.span(node))
    done = Target(whole)
    outer, c.out = c.out, whole.body
    for case in node.cases:
        if c.env is None:
            break
        _case(c, case, subject, node, done)
    rest = c.path()
    c.out = outer
    c.emit(whole)
    c.at(node)
    c.merge([rest, *done.breaks])


def _case(c: Checker, case: ast.match_case, subject: Expr, node: ast.Match, done: Target) -> None:
    binds: list[Bind] = []
    c.at(case.pattern)
    test = _pattern(c, subject, case.pattern, binds, node)
    is_none = isinstance(case.pattern, ast.MatchSingleton) and case.pattern.value is None
    fork = conds.decide(c, test, conds.none_facts(c, node.subject) if is_none else None)
    then, missed = c.fork(*fork.yes, lambda: _matched(c, case, binds, done)) if fork.yes is not None else ([], None)
    orelse: list[Stmt] = []
    other = Path(fork.no[0], fork.no[1], orelse) if fork.no is not None else None
    if isinstance(fork.test.kind, Const):
        if not isinstance(fork.test, Lit):
            c.emit(Eval(c.span(node), fork.test))
        if fork.yes is not None:
            once = Block(c.span(node))
            once.body = then
            c.emit(once)
    else:
        c.emit(If(c.span(node), fork.test, then, orelse))
    c.merge([missed, other])


def _matched(c: Checker, case: ast.match_case, binds: list[Bind], done: Target) -> None:
    """The pattern fits: the names it binds, the guard, the body; what the guard refuses falls out at the end."""
    for bind in binds:
        bind()
    if case.guard is None:
        stmts.body(c, case.body)
        if c.env is not None:
            c.leave(done, Break(c.span(), done.loop))
        return
    fork = conds.test(c, case.guard)

    def hit() -> None:
        stmts.body(c, case.body)
        if c.env is not None:
            c.leave(done, Break(c.span(), done.loop))

    then = c.fork(*fork.yes, hit)[0] if fork.yes is not None else []
    orelse: list[Stmt] = []
    c.emit(If(c.span(), truths.as_number(fork.test), then, orelse))
    c.merge([Path(fork.no[0], fork.no[1], orelse) if fork.no is not None else None])


# --- patterns --------------------------------------------------------------------------------------------------------


def _pattern(c: Checker, subject: Expr, pattern: ast.pattern, binds: list[Bind], node: ast.AST) -> Expr:
    """The pattern as a condition; `binds` are what it names."""
    match pattern:
        case ast.MatchValue(value=wanted):
            return compare.compare(c, ast.Eq(), subject, c.expr(wanted), pattern)
        case ast.MatchSingleton(value=None):
            return compare.compare(c, ast.Is(), subject, c.lit(None, pattern), pattern)
        case ast.MatchSingleton(value=value):
            return compare.compare(c, ast.Eq(), subject, c.lit(value, pattern), pattern)
        case ast.MatchOr(patterns=patterns):
            none: list[Bind] = []
            result = truths.any_of(c, patterns, lambda p: _pattern(c, subject, p, none, node), pattern)
            if none:
                c.unsupported("a name inside 'a | b'", pattern)
            return result
        case ast.MatchAs(pattern=inner, name=name):
            test = _pattern(c, subject, inner, binds, node) if inner is not None else c.lit(True, pattern)
            if name is not None:
                binds.append(_binder(c, name, subject, pattern))
            return test
        case ast.MatchSequence(patterns=patterns):
            return _sequence(c, subject, patterns, pattern, binds, node)
        case ast.MatchClass():
            return _class(c, subject, pattern, binds, node)
        case _:
            c.unsupported("this pattern", pattern, "numbers, constants, tuples, 'Struct(field=…)', 'a | b' and '_' are")


def _binder(c: Checker, name: str, subject: Expr, pattern: ast.AST) -> Bind:
    target = ast.copy_location(ast.Name(name, ast.Store()), pattern)
    return lambda: stmts.assign_name(c, target, subject)


def _there(c: Checker, subject: Expr) -> tuple[Expr, Expr | None]:
    """The subject without None, and the test that it is not."""
    if is_maybe(subject.kind) and subject.kind != NONE:
        subject = c.hold(subject, "$subject")
        return Cast(subject.span, narrowed(subject.kind), subject), memory.present(c, subject)
    return subject, None


def _sequence(c: Checker, subject: Expr, patterns: list[ast.pattern], pattern: ast.AST, binds: list[Bind], node: ast.AST) -> Expr:
    subject, there = _there(c, subject)
    if any(isinstance(p, ast.MatchStar) for p in patterns):
        c.unsupported("'*' in a pattern", pattern)
    items = compare.items_of(c, subject) if subject.kind != POISON else None
    if items is None:
        return c.lit(False, pattern)
    if len(items) != len(patterns):
        return c.lit(False, pattern)
    tests = [_pattern(c, item, p, binds, node) for item, p in zip(items, patterns)]
    return truths.all_of(c, [there, *tests] if there is not None else tests, pattern)


def _class(c: Checker, subject: Expr, pattern: ast.MatchClass, binds: list[Bind], node: ast.AST) -> Expr:
    """`Event(pid=1, kind=k)`: fields of a struct."""
    subject, there = _there(c, subject)
    word = c.expr(pattern.cls)
    layout = getattr(word.kind.value, "__bpf_layout__", None) if isinstance(word.kind, Const) else None
    if not isinstance(layout, StructType):
        raise c.mismatch("a pattern with fields names a struct", word.kind, pattern.cls)
    kind: Kind = subject.kind
    if not isinstance(kind, Ptr) or kind.target != layout:
        return c.lit(False, pattern)
    place = memory.deref(c, subject, node)
    names = layout.names()[: len(pattern.patterns)] + list(pattern.kwd_attrs)
    tests = [] if there is None else [there]
    for name, inner in zip(names, (*pattern.patterns, *pattern.kwd_patterns)):
        path = layout.path(name)
        if not path:
            raise memory.no_field(c, layout, name, inner)
        tests.append(_pattern(c, memory.load(c, memory.members(c, place, path, inner), inner), inner, binds, node))
    return truths.all_of(c, tests, pattern)


PATTERNS: dict[type[ast.stmt], Callable[[Checker, Any], None]] = {ast.Match: _match}
