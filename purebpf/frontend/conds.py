"""Conditions: `and`, `or`, `not`, tests for None; and what each shows about variables where it leads."""

from __future__ import annotations

import ast
from typing import NamedTuple

from ..tree.convert import coerce
from ..tree.kinds import Broken, Const, Kind, NONE, Optional, Ptr, Resource, describe, is_maybe, join, narrowed, rep
from ..tree.nodes import Expr, Lit, Number, Seq
from . import keeping
from .compare import compare
from .context import Binding, Checker, Env
from .members import _contains
from .truths import _joined, boolean, negated, truth


State = tuple[Env, frozenset[Resource]]


class Fork(NamedTuple):
    """A condition: its node (a number), and what is known where it holds and where not (None: never comes there)."""

    test: Expr
    yes: State | None
    no: State | None


def test(c: Checker, node: ast.expr) -> Fork:
    """Check a condition. Afterwards the checker stands nowhere: go on with one of the two states."""
    if any(isinstance(n, ast.NamedExpr) for n in ast.walk(node)):
        _prepare(c, node)
    return _test(c, node)


def _prepare(c: Checker, node: ast.expr) -> None:
    """Variables that the condition assigns on the way (`:=`) get, before it, the shape that they have after it, so that
    all ways out of it agree."""
    names = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
    env, held, mark = dict(c.env or {}), c.held, c.unit.mark()
    outer, c.out = c.out, []
    fork = _test(c, node)
    c.out = outer
    c.unit.reset(mark)
    c.env, c.held = env, held
    for name in names:
        key = c.find(name)
        old = env.get(key) if key is not None else None
        if key is None or old is None or isinstance(old.kind, Broken):
            continue
        kind: Kind = old.kind
        for state in (fork.yes, fork.no):
            if state is not None and key in state[0]:
                kind = join(kind, state[0][key].kind, name)
        if isinstance(kind, Broken) or kind == old.kind:
            continue
        if old.local is not None and rep(kind) == rep(old.kind) == old.local.rep:
            c.env[key] = Binding(old.local, kind)
        else:
            c.bind(key, coerce(keeping.held_node(c, old, node), kind), name)


def _test(c: Checker, node: ast.expr) -> Fork:
    outer, c.out = c.out, []
    before, c.node = c.node, node
    try:
        fork = _dispatch(c, node)
        return fork._replace(test=Seq(c.span(node), c.out, fork.test)) if c.out else fork
    finally:
        c.out, c.node = outer, before


def _dispatch(c: Checker, node: ast.expr) -> Fork:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return _chain(c, values, True, node)
        case ast.BoolOp(op=ast.Or(), values=values):
            return _chain(c, values, False, node)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _test(c, operand)
            return Fork(negated(inner.test), inner.no, inner.yes)
        case ast.Compare():
            return _comparison(c, node)
        case _:
            value = c.expr(node)
            return decide(c, truth(c, value, node), _facts(c, value, node))


def _chain(c: Checker, values: list[ast.expr], is_and: bool, node: ast.AST) -> Fork:
    first = _test(c, values[0])
    for operand in values[1:]:
        go_on = first.yes if is_and else first.no
        if go_on is None:
            return first
        c.env, c.held = dict(go_on[0]), go_on[1]
        rest = _test(c, operand)
        yes, no = (rest.yes, _meet(c, first.no, rest.no)) if is_and else (_meet(c, first.yes, rest.yes), rest.no)
        first = Fork(_joined(c, is_and, first.test, rest.test, node), yes, no)
    return first


def _meet(c: Checker, a: State | None, b: State | None) -> State | None:
    """Two ways that lead on as one, without moves: what is represented differently cannot be used."""
    if a is None or b is None:
        return a or b
    env: Env = {}
    for name in dict.fromkeys((*a[0], *b[0])):
        x, y = a[0].get(name), b[0].get(name)
        if x is y and x is not None:
            env[name] = x
            continue
        met = _met(name.split("@")[0], x, y)
        if met is not None and not (name.startswith("$") and isinstance(met.kind, Broken)):
            env[name] = met
    return env, a[1] | b[1]


def _met(name: str, x: Binding | None, y: Binding | None) -> Binding | None:
    if x is None or y is None:
        return Binding(None, Broken("unassigned", f"{name!r} is not assigned on every path to here", "give it a value before the branch"))
    kind = join(x.kind, y.kind, name)
    for binding in (x, y):
        if x.local is y.local and binding.local is not None and binding.local.rep == rep(kind):
            return Binding(binding.local, kind)
    if rep(kind) == () and not isinstance(kind, Broken):
        return Binding(None, kind)
    # One of the two ways has narrowed the variable: seen from both, it is what its local holds.
    wide = next((b.local for b in (x, y) if b.local is not None and x.local is y.local), None)
    if wide is not None and isinstance(kind, Optional | Ptr) and rep(kind) == wide.rep:
        return Binding(wide, kind)
    return Binding(None, kind if isinstance(kind, Broken) else Broken(
        "type-conflict", f"{name!r} is {describe(x.kind)} on one path and {describe(y.kind)} on another", "use two variables"))


Facts = tuple[Env, Env]  # what is known of variables where the condition holds, and where not


def decide(c: Checker, test: Expr, facts: Facts | None = None) -> Fork:
    """The two ways out of a condition."""
    assert c.env is not None
    yes, no = facts or ({}, {})
    env, held = c.env, c.held
    known = test.kind if isinstance(test.kind, Const) else None
    on = None if known is not None and not known.value else ({**env, **yes}, held - _gone(env, yes))
    off = None if known is not None and known.value else ({**env, **no}, held - _gone(env, no))
    c.env = None
    return Fork(test, on, off)


def _gone(env: Env, facts: Env) -> frozenset[Resource]:
    """Resources that were never acquired: where the variable is None."""
    kinds = (env[name].kind for name, binding in facts.items() if binding.kind == NONE)
    return frozenset(k.resource for k in kinds if isinstance(k, Ptr) and k.resource is not None)


def _maybe(c: Checker, node: ast.AST) -> tuple[str, Binding] | None:
    """The variable that `node` names or sets, if it may be None."""
    if isinstance(node, ast.NamedExpr):
        node = node.target
    if not isinstance(node, ast.Name):
        return None
    key = c.find(node.id)
    if key is None or c.env is None or key not in c.env:
        return None
    binding = c.env[key]
    if not is_maybe(binding.kind) or binding.kind == NONE:
        return None
    return key, binding


def _facts(c: Checker, value: Expr, node: ast.AST) -> Facts | None:
    """What the truth of a variable shows about it."""
    found = _maybe(c, node)
    if found is None:
        return None
    key, binding = found
    there = Binding(binding.local, narrowed(binding.kind))
    none = Binding(binding.local, NONE)
    falsy = isinstance(binding.kind, Optional) and not isinstance(binding.kind.some, Ptr)  # 0 is false, too
    return {key: there}, ({} if falsy else {key: none})


def none_facts(c: Checker, node: ast.AST) -> Facts | None:
    """What `x is None` shows about x: (where it is, where it is not)."""
    found = _maybe(c, node)
    if found is None:
        return None
    key, binding = found
    return {key: Binding(binding.local, NONE)}, {key: Binding(binding.local, narrowed(binding.kind))}


def _comparison(c: Checker, node: ast.Compare) -> Fork:
    single = len(node.ops) == 1
    left = c.expr(node.left)
    if not single or writes(node.comparators[0]):
        left = _kept(c, left, node)
    fork: Fork | None = None
    for i, (op, right_node) in enumerate(zip(node.ops, node.comparators)):
        outer, c.out = c.out, []
        last = i == len(node.ops) - 1
        if isinstance(op, ast.In | ast.NotIn):
            result = _contains(c, left, right_node, node)
            right: Expr = left
            facts = None
            if isinstance(op, ast.NotIn):
                result = negated(result)
        else:
            right = c.expr(right_node)
            if not last:
                right = _kept(c, right, node)
            facts = _none_test(c, op, node.left if single else None, left, right_node, right)
            result = compare(c, op, left, right, node)
        body, c.out = c.out, outer
        this = decide(c, Seq(c.span(node), body, result) if body else result, facts)
        fork = this if fork is None else Fork(_joined(c, True, fork.test, this.test, node), this.yes, _meet(c, fork.no, this.no))
        left = right
        if this.yes is None or last:
            break
        c.env, c.held = dict(this.yes[0]), this.yes[1]
    assert fork is not None
    return fork


def writes(node: ast.AST) -> bool:
    """May evaluating the expression change memory? Any call of something that is not a type, perhaps."""
    return any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(node))


def _kept(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """A left side that stays what it was while the right side is evaluated."""
    return c.hold(keeping.settle(c, value, node), "$left") if not isinstance(value, Lit | Number) else value


def _none_test(c: Checker, op: ast.cmpop, left_node: ast.AST | None, left: Expr, right_node: ast.AST, right: Expr) -> Facts | None:
    if not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        return None
    if right.kind == NONE and left_node is not None:
        found = none_facts(c, left_node)
    elif left.kind == NONE:
        found = none_facts(c, right_node)
    else:
        return None
    if found is None:
        return None
    return found if isinstance(op, ast.Is | ast.Eq) else (found[1], found[0])


def as_value(c: Checker, node: ast.expr) -> Expr:
    """A condition used as a value: a constant, or 0 or 1."""
    fork = test(c, node)
    rejoin(c, fork)
    return boolean(c, fork.test, node)


def rejoin(c: Checker, fork: Fork) -> None:
    """Go on where both ways out of a condition meet."""
    state = _meet(c, fork.yes, fork.no)
    c.env, c.held = (dict(state[0]), state[1]) if state is not None else (None, frozenset())
