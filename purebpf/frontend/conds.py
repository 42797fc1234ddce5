"""Conditions: `and`, `or`, `not`, comparisons and tests for None; and what each shows about variables where it leads."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, StructType
from ..tree.convert import coerce
from ..tree.kinds import (
    BOOL, NONE, POISON, Broken, Choice, Const, Context, Cursor, I64, Int, Kind, Optional, Ptr, Resource, Text, Tuple, describe, is_maybe,
    narrowed, number,
)
from ..tree.nodes import (
    Both, Cast, Compare, Either, Expr, Get, IfElse, IsNone, Item, Lit, Local, Not, Number, Seq,
)
from . import arith, memory, strings
from .context import Binding, Checker, Env, has_effects

TRUTH = Int(BOOL, 0, 1, True)
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
                from ..tree.kinds import join

                kind = join(kind, state[0][key].kind, name)
        if not isinstance(kind, Broken) and kind != old.kind:
            c.bind(key, coerce(memory.held_node(c, old, node), kind), name)


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


def negated(test: Expr) -> Expr:
    if isinstance(test, Lit):
        return Lit(test.span, not test.kind.value)  # type: ignore[union-attr]  # a Lit's kind is a Const
    return test.value if isinstance(test, Not) else Not(test.span, TRUTH, test)


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


def _joined(c: Checker, is_and: bool, a: Expr, b: Expr, node: ast.AST) -> Expr:
    if isinstance(a, Lit) and isinstance(a.kind, Const):
        return b if bool(a.kind.value) == is_and else a
    return (Both if is_and else Either)(c.span(node), TRUTH, as_number(a), as_number(b))


def as_number(test: Expr) -> Expr:
    """A condition as a machine word."""
    if isinstance(test.kind, Const):
        return coerce(test, Int(BOOL, int(bool(test.kind.value)), int(bool(test.kind.value))))
    return test


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
    from ..tree.kinds import join, rep

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


# --- deciding --------------------------------------------------------------------------------------------------------

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


def _facts(c: Checker, value: Expr, node: ast.AST) -> Facts | None:
    """What the truth of a variable shows about it."""
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
    there = Binding(binding.local, narrowed(binding.kind))
    none = Binding(binding.local, NONE)
    falsy = isinstance(binding.kind, Optional) and not isinstance(binding.kind.some, Ptr)  # 0 is false, too
    return {key: there}, ({} if falsy else {key: none})


def none_facts(c: Checker, node: ast.AST) -> Facts | None:
    """What `x is None` shows about x: (where it is, where it is not)."""
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
    return {key: Binding(binding.local, NONE)}, {key: Binding(binding.local, narrowed(binding.kind))}


# --- truth -----------------------------------------------------------------------------------------------------------


def truth(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """Python's truth of a value: a constant, or a number that is not 0 where it is true."""
    kind = value.kind
    match kind:
        case Const(v):
            return arith.after(c, value, c.lit(bool(v), node)) if has_effects(value) else c.lit(bool(v), node)
        case Int():
            if arith.is_exact(kind):
                return arith.after(c, value, c.lit(bool(kind.lo), node))
            return value
        case Ptr():
            if kind.null or _address(value):
                return memory.present(c, value)
            if strings.is_text(kind) and kind.access == "direct":
                first = memory.element(c, memory.deref(c, value, node), Number(c.span(node), 0), node)
                return memory.load(c, first, node)
            return arith.after(c, value, c.lit(not isinstance(kind.target, ArrayType) or kind.target.count > 0, node))
        case Optional(some=some):
            if isinstance(some, Ptr) and not strings.is_text(some) or isinstance(some, Const | Cursor):
                return memory.present(c, value)
            whole = c.hold(value, "$maybe")
            inside = truth(c, Cast(whole.span, some, whole), node)
            return Both(c.span(node), TRUTH, memory.present(c, whole), as_number(inside))
        case Tuple(items=items):
            return arith.after(c, value, c.lit(bool(items), node))
        case Choice(options=options):
            if all(bool(o.value) for o in options):
                return c.lit(True, node)
            return Compare(c.span(node), TRUTH, "ne", coerce(value, value.kind), Number(c.span(node), 0)) \
                if not options else _choice_truth(c, value, kind, node)
        case Text() | Cursor() | Context():
            return c.lit(True, node)
        case _:
            return arith.integer(c, value, node)


def _address(value: Expr) -> bool:
    """Is it a pointer read from somewhere, which only fault-safe reads follow? It may be NULL without harm, or be asked."""
    return isinstance(value.kind, Ptr) and not value.kind.region and not memory.is_place(value)


def _choice_truth(c: Checker, value: Expr, kind: Choice, node: ast.AST) -> Expr:
    which = c.hold(Cast(value.span, Int(I64, 0, len(kind.options) - 1), value), "$which")
    result: Expr = Number(c.span(node), int(bool(kind.options[0].value)), Int(BOOL, 0, 1))
    for i, option in enumerate(kind.options[1:], 1):
        is_it = Compare(c.span(node), TRUTH, "eq", which, Number(c.span(node), i))
        result = IfElse(c.span(node), TRUTH, is_it, Number(c.span(node), int(bool(option.value)), TRUTH), coerce(result, TRUTH))
    return result


# --- comparisons -----------------------------------------------------------------------------------------------------


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
    return c.hold(memory.settle(c, value, node), "$left") if not isinstance(value, Lit | Number) else value


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


def compare(c: Checker, op: ast.cmpop, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """`a op b`: a constant, or a number."""
    if POISON in (a.kind, b.kind):
        return c.lit(True, node)
    if NONE in (a.kind, b.kind):
        return _compare_none(c, op, a, b, node)
    if isinstance(op, ast.Is | ast.IsNot):
        if isinstance(a.kind, Const) and isinstance(b.kind, Const):
            return c.lit((a.kind == b.kind) == isinstance(op, ast.Is), node)
        raise c.error("unsupported", "'is' compares with None only", node, help="use '=='")
    word = arith.COMPARISONS[type(op)]
    if isinstance(a.kind, Const) and isinstance(b.kind, Const):
        c.drop(a)
        c.drop(b)
        return _compare_constants(c, word, a.kind.value, b.kind.value, node)
    if is_maybe(a.kind) or is_maybe(b.kind):
        return _compare_maybe(c, op, word, a, b, node)
    return equal_or_less(c, word, a, b, node)


def _compare_constants(c: Checker, word: str, a: Any, b: Any, node: ast.AST) -> Expr:
    import operator

    try:
        return c.lit(bool(getattr(operator, word)(a, b)), node)
    except TypeError as error:
        raise c.error("type-mismatch", f"these constants do not compare: {error}", node) from None


def _compare_none(c: Checker, op: ast.cmpop, a: Expr, b: Expr, node: ast.AST) -> Expr:
    other = b if a.kind == NONE else a
    if not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        raise c.error("type-mismatch", "None is neither less nor more than anything", node)
    same = isinstance(op, ast.Is | ast.Eq)
    if not (is_maybe(other.kind) or _address(other)) or other.kind == NONE:
        return arith.after(c, other, c.lit((other.kind == NONE) == same, node))
    return IsNone(c.span(node), TRUTH, other) if same else memory.present(c, other)


def _compare_maybe(c: Checker, op: ast.cmpop, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """`m.get(k) == 5`: something that may be None equals a number only if it is there."""
    if word not in ("eq", "ne"):
        culprit = a if is_maybe(a.kind) else b
        side = node.left if isinstance(node, ast.Compare) and culprit is a else node
        raise arith.may_be_none(c, culprit, side)
    a, b = c.hold(a, "$a"), c.hold(b, "$b")
    inner = equal_or_less(c, "eq", Cast(a.span, narrowed(a.kind), a) if is_maybe(a.kind) else a,
                          Cast(b.span, narrowed(b.kind), b) if is_maybe(b.kind) else b, node)
    test = as_number(inner)
    maybe = [v for v in (a, b) if is_maybe(v.kind)]
    if len(maybe) == 2:  # two Nones are equal
        none = [IsNone(c.span(node), TRUTH, v) for v in maybe]
        both_none = Both(c.span(node), TRUTH, none[0], none[1])
        there = Both(c.span(node), TRUTH, negated(none[0]), negated(none[1]))
        test = Either(c.span(node), TRUTH, both_none, Both(c.span(node), TRUTH, there, test))
    else:
        test = Both(c.span(node), TRUTH, memory.present(c, maybe[0]), test)
    return negated(test) if word == "ne" else test


def equal_or_less(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """A comparison of two values that are there."""
    x, y = a.kind, b.kind
    if isinstance(x, Tuple) or isinstance(y, Tuple):
        return _compare_tuples(c, word, a, b, node)
    if strings.is_text(x) or strings.is_text(y):
        return strings.compare(c, word, a, b, node)
    if isinstance(x, Choice) or isinstance(y, Choice):
        return _compare_choice(c, word, a, b, node)
    if isinstance(x, Ptr) and isinstance(y, Ptr):
        return _compare_pointers(c, word, a, b, node)
    if memory.origins(x) or isinstance(x, Ptr) or isinstance(y, Ptr):
        if isinstance(x, Ptr) and isinstance(x.target, StructType) or isinstance(y, Ptr) and isinstance(y.target, StructType):
            return _compare_structs(c, word, a, b, node)
    from ..tree.kinds import Agg

    if isinstance(x, Agg) or isinstance(y, Agg):
        return _compare_structs(c, word, memory.settle(c, a, node), memory.settle(c, b, node), node)
    a, b = _letter(a, y), _letter(b, x)
    return arith.compare(c, word, arith.integer(c, a, _side(node, 0)), arith.integer(c, b, _side(node, 1)), node)


def _letter(value: Expr, other: Kind) -> Expr:
    """A constant of one letter, beside a char, is the char."""
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, str) and len(kind.value) == 1 and isinstance(other, Int) and other.type.is_char:
        return Lit(value.span, ord(kind.value))
    return value


def _side(node: ast.AST, which: int) -> ast.AST:
    """One side of a comparison, to point at."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return node.comparators[0] if which else node.left
    return node


def _compare_pointers(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    x, y = a.kind, b.kind
    assert isinstance(x, Ptr) and isinstance(y, Ptr)
    if word in ("eq", "ne") and isinstance(x.target, StructType | ArrayType) and isinstance(y.target, StructType | ArrayType):
        return _compare_structs(c, word, a, b, node)
    for value, kind, i in ((a, x, 0), (b, y, 1)):
        if isinstance(kind.target, IntType) and kind.region == "value":
            arith.integer(c, value, _side(node, i))  # which says '.value'
    same_memory(c, x, y, node)
    return Compare(c.span(node), TRUTH, word, a, b)


def same_memory(c: Checker, a: Ptr, b: Ptr, node: ast.AST) -> None:
    """Comparing or subtracting pointers into different memory means nothing."""
    if a.region.removesuffix("_end").removesuffix("_meta") != b.region.removesuffix("_end").removesuffix("_meta"):
        raise c.error("type-mismatch", "these pointers are into different kinds of memory", node)


def _compare_structs(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """Structs are equal when their fields are; arrays when their elements are."""
    if word not in ("eq", "ne"):
        raise c.error("type-mismatch", "structs and arrays are equal or not, neither less nor more", node)
    x, y = a.kind, b.kind
    layout = x.target if isinstance(x, Ptr) else y.target if isinstance(y, Ptr) else None
    assert layout is not None
    if not (isinstance(x, Ptr) and isinstance(y, Ptr) and x.target == y.target):
        if isinstance(layout, ArrayType):
            a, b = (memory.placed(c, memory.fitted(c, v, layout, node), layout, node) if not isinstance(v.kind, Ptr) else v
                    for v in (a, b))
        if not (isinstance(a.kind, Ptr) and isinstance(b.kind, Ptr) and a.kind.target == b.kind.target):
            other = b if isinstance(x, Ptr) else a
            raise c.mismatch(f"a {layout.name} is compared here", other.kind, node)
    a, b = c.hold(a, "$a"), c.hold(b, "$b")
    test = strings.same(c, memory.deref(c, a, node), memory.deref(c, b, node), layout, node)
    return negated(test) if word == "ne" else test


def _compare_tuples(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """As Python: the first items that differ decide."""
    left, right = items_of(c, a), items_of(c, b)
    if left is None or right is None:
        raise c.mismatch("a tuple is compared here", (b if left is not None else a).kind, node)
    if word in ("eq", "ne"):
        if len(left) != len(right):
            return c.lit(word == "ne", node)
        result = all_of(c, [_equal(c, x, y, node) for x, y in zip(left, right)], node)
        return negated(result) if word == "ne" else result
    return _order(c, word, left, right, node)


def _order(c: Checker, word: str, left: list[Expr], right: list[Expr], node: ast.AST) -> Expr:
    if not left or not right:
        shorter = len(left) < len(right)
        return c.lit({"lt": shorter, "le": not left, "gt": len(left) > len(right), "ge": not right}[word], node)
    strict = as_number(equal_or_less(c, word[0] + "t", left[0], right[0], node))
    if len(left) == len(right) == 1:
        return as_number(equal_or_less(c, word, left[0], right[0], node))
    rest = as_number(_order(c, word, left[1:], right[1:], node))
    return Either(c.span(node), TRUTH, strict, Both(c.span(node), TRUTH, as_number(_equal(c, left[0], right[0], node)), rest))


def _equal(c: Checker, a: Expr, b: Expr, node: ast.AST) -> Expr:
    return compare(c, ast.Eq(), a, b, node)


def all_of(c: Checker, tests: Iterable[Expr], node: ast.AST) -> Expr:
    """All conditions, tested one by one."""
    result: Expr | None = None
    for one in tests:
        result = one if result is None else _joined(c, True, result, one, node)
    return result if result is not None else c.lit(True, node)


def items_of(c: Checker, value: Expr) -> list[Expr] | None:
    """The items of a tuple, as nodes; None if it is none."""
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, tuple | list):
        return [Lit(value.span, v) for v in kind.value]
    if isinstance(kind, Tuple):
        from ..tree.nodes import MakeTuple

        whole = value if isinstance(value, MakeTuple) else c.hold(value, "$tuple")
        if isinstance(whole, MakeTuple):
            return [c.hold(i, "$item") for i in whole.items]
        return [Item(value.span, k, whole, i) for i, k in enumerate(kind.items)]
    return None


def _compare_choice(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """One of a few constants compared: each of them is."""
    if not isinstance(a.kind, Choice):
        flipped = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(word, word)
        return _compare_choice(c, flipped, b, a, node)
    kind = a.kind
    which = c.hold(Cast(a.span, Int(I64, 0, len(kind.options) - 1), a), "$which")
    b = c.hold(b, "$other")
    result: Expr | None = None
    for i, option in enumerate(kind.options):
        this = as_number(compare(c, _OPERATORS[word], Lit(a.span, option.value), b, node))
        this = coerce(this, TRUTH) if this.kind != TRUTH else this
        if result is None:
            result = this
            continue
        is_it = Compare(c.span(node), TRUTH, "eq", which, Number(c.span(node), i))
        result = IfElse(c.span(node), TRUTH, is_it, this, result)
    assert result is not None
    return result


_OPERATORS: dict[str, ast.cmpop] = {
    "eq": ast.Eq(), "ne": ast.NotEq(), "lt": ast.Lt(), "le": ast.LtE(), "gt": ast.Gt(), "ge": ast.GtE(),
}


# --- membership ------------------------------------------------------------------------------------------------------


def _contains(c: Checker, item: Expr, container: ast.expr, node: ast.AST) -> Expr:
    if isinstance(container, ast.Tuple | ast.List | ast.Set):
        item = c.hold(item, "$item")
        return any_of(c, (lambda e=e: _equal(c, item, c.expr(e), node) for e in container.elts), node)
    held = c.expr(container)
    kind = held.kind
    if isinstance(kind, Const) and c.unit.is_map(kind.value):
        return c.unit.tables.member(c, kind.value, item, node)
    if isinstance(kind, Const) and isinstance(kind.value, tuple | list | set | frozenset | dict):
        item = c.hold(item, "$item")
        return any_of(c, (lambda v=v: _equal(c, item, c.lit(v, node), node) for v in kind.value), node)
    if isinstance(kind, Const) and isinstance(kind.value, range):
        return _in_range(c, arith.integer(c, item, node), kind.value, node)
    if isinstance(kind, Tuple):
        item = c.hold(item, "$item")
        items = items_of(c, held) or []
        return any_of(c, (lambda v=v: _equal(c, item, v, node) for v in items), node)
    if strings.is_text(kind) or isinstance(kind, Const) and isinstance(kind.value, str | bytes):
        return strings.contains(c, held, item, node)
    if isinstance(kind, Ptr) and isinstance(kind.target, ArrayType) and kind.target.count <= 256:
        array, item = c.hold(held, "$array"), c.hold(item, "$item")
        places = (memory.element(c, memory.deref(c, array, node), Number(c.span(node), i), node) for i in range(kind.target.count))
        return any_of(c, (lambda p=p: _equal(c, memory.load(c, p, node), item, node) for p in places), node)
    raise c.mismatch("'in' asks a map, an array or a constant collection", kind, node)


def any_of(c: Checker, tests: Iterable[Callable[[], Expr]], node: ast.AST) -> Expr:
    """One of the conditions, each evaluated only if none before it held. Balanced, so that long ones do not nest deeply."""
    found: list[Expr] = []
    for make in tests:
        outer, c.out = c.out, []
        one = make()
        one = Seq(c.span(node), c.out, one) if c.out else one
        c.out = outer
        if isinstance(one.kind, Const):
            if one.kind.value:
                found.append(as_number(one))
                break
            continue
        found.append(one)
    if not found:
        return c.lit(False, node)
    while len(found) > 1:
        found = [Either(c.span(node), TRUTH, *found[i : i + 2]) if i + 1 < len(found) else found[i] for i in range(0, len(found), 2)]
    return found[0]


def _in_range(c: Checker, item: Expr, r: range, node: ast.AST) -> Expr:
    """Membership in a range is arithmetic: between the bounds, and a multiple of the step from the start."""
    if not r:
        return c.lit(False, node)
    item = c.hold(item, "$item")
    low, high = (r[0], r[-1]) if r.step > 0 else (r[-1], r[0])
    span = c.span(node)
    tests = [arith.compare(c, "ge", item, Number(span, low), node), arith.compare(c, "le", item, Number(span, high), node)]
    if abs(r.step) != 1:
        offset = arith.integer(c, arith.binary(c, "-", item, Number(span, low), node), node)
        rest = arith.integer(c, arith.binary(c, "%", offset, Number(span, abs(r.step)), node), node)
        tests.append(arith.compare(c, "eq", rest, Number(span, 0), node))
    return all_of(c, tests, node)


# --- conditions as values --------------------------------------------------------------------------------------------


def as_value(c: Checker, node: ast.expr) -> Expr:
    """A condition used as a value: a constant, or 0 or 1."""
    fork = test(c, node)
    rejoin(c, fork)
    return boolean(c, fork.test, node)


def rejoin(c: Checker, fork: Fork) -> None:
    """Go on where both ways out of a condition meet."""
    state = _meet(c, fork.yes, fork.no)
    c.env, c.held = (dict(state[0]), state[1]) if state is not None else (None, frozenset())


def boolean(c: Checker, test: Expr, node: ast.AST) -> Expr:
    """A condition's number as 0 or 1."""
    if isinstance(test.kind, Const) or test.kind == TRUTH:
        return test
    known = number(test.kind)
    if known is not None and known.lo >= 0 and known.hi <= 1:
        return Cast(test.span, TRUTH, test)
    return arith.wrap(c, arith.integer(c, test, node), BOOL, node)


__all__ = ["Fork", "Get", "Local", "State", "as_number", "as_value", "boolean", "compare", "rejoin", "test", "truth"]
