"""Comparisons of values of every kind: numbers, text, structs, tuples, pointers, what may be None."""

from __future__ import annotations

import ast

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, StructType
from ..tree.convert import coerce
from ..tree.kinds import Agg, Choice, Const, I64, Int, Kind, NONE, POISON, Ptr, Tuple, an, is_maybe, narrowed
from ..tree.nodes import Both, Cast, Compare, Either, Expr, IfElse, IsNone, Item, Lit, MakeTuple, Number
from . import arith, fitting, instead, keeping, memory, strings
from .context import Checker
from .truths import TRUTH, all_of, as_number, negated


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
        return _compare_constants(c, word, a, b, node)
    if is_maybe(a.kind) or is_maybe(b.kind):
        return _compare_maybe(c, op, word, a, b, node)
    return equal_or_less(c, word, a, b, node)


def _compare_constants(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    import operator

    assert isinstance(a.kind, Const) and isinstance(b.kind, Const)
    x, y = a.kind.value, b.kind.value
    try:
        return c.lit(bool(getattr(operator, word)(x, y)), node)
    except TypeError as error:
        for value, other in ((a, y), (b, x)):
            if isinstance(other, int):
                raise c.mismatch("a number is needed here", value.kind, value.span) from None
        raise c.error("type-mismatch", f"these constants do not compare: {error}", node) from None


def _compare_none(c: Checker, op: ast.cmpop, a: Expr, b: Expr, node: ast.AST) -> Expr:
    other = b if a.kind == NONE else a
    if not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        raise c.error("type-mismatch", "None is neither less nor more than anything", node)
    same = isinstance(op, ast.Is | ast.Eq)
    if not (is_maybe(other.kind) or memory.is_address(other)) or other.kind == NONE:
        return arith.after(c, a, b, c.lit((other.kind == NONE) == same, node))
    return IsNone(c.span(node), TRUTH, other) if same else memory.present(c, other)


def _compare_maybe(c: Checker, op: ast.cmpop, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """`m.get(k) == 5`: something that may be None equals a number only if it is there."""
    if word not in ("eq", "ne"):
        culprit = a if is_maybe(a.kind) else b
        side = node.left if isinstance(node, ast.Compare) and culprit is a else node
        raise arith.may_be_none(c, culprit, side)
    a, b = (keeping.settle(c, v, node) if isinstance(v.kind, Agg) else v for v in (a, b))
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
        _never_equal(a, b, c)
        a, b = c.happened(a), c.happened(b)
        return strings.compare(c, word, a, b, node)
    if isinstance(x, Choice) or isinstance(y, Choice):
        return _compare_choice(c, word, a, b, node)
    if isinstance(x, Ptr) and isinstance(y, Ptr):
        return _compare_pointers(c, word, a, b, node)
    if keeping.origins(x) or isinstance(x, Ptr) or isinstance(y, Ptr):
        if isinstance(x, Ptr) and isinstance(x.target, StructType) or isinstance(y, Ptr) and isinstance(y.target, StructType):
            return _compare_structs(c, word, a, b, node)
    if isinstance(x, Agg) or isinstance(y, Agg):
        if isinstance(x, Const) or isinstance(y, Const):
            layout = x.layout if isinstance(x, Agg) else y.layout if isinstance(y, Agg) else None
            assert layout is not None
            a, b = (_beside(c, v, layout, node) for v in (a, b))
        return _compare_structs(c, word, keeping.settle(c, a, node), keeping.settle(c, b, node), node)
    a, b = _letter(c, a, y), _letter(c, b, x)
    return arith.compare(c, word, arith.integer(c, a, _side(node, 0)), arith.integer(c, b, _side(node, 1)), node)


def _never_equal(a: Expr, b: Expr, c: Checker) -> None:
    """Text that is longer than what it is compared with."""
    for text, other in ((a, b), (b, a)):
        kind = other.kind
        layout = kind.target if isinstance(kind, Ptr) else kind.layout if isinstance(kind, Agg) else None
        if isinstance(text.kind, Const) and isinstance(text.kind.value, str | bytes) and isinstance(layout, ArrayType):
            data = text.kind.value.encode() if isinstance(text.kind.value, str) else text.kind.value
            if len(data) > layout.size:
                raise c.error("too-long", f"{len(data)} bytes are never equal to {an(layout.name)}", text.span,
                              help=instead.of_text(data.decode(errors="replace")))


def _letter(c: Checker, value: Expr, other: Kind) -> Expr:
    """A constant of one letter, beside a char, is the char."""
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, str) and len(kind.value) == 1 and isinstance(other, Int) and other.type.is_char:
        c.drop(value)
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
    c.unit.bounded |= bool({"packet_end", "packet_meta"} & {a.region, b.region})
    if a.region.removesuffix("_end").removesuffix("_meta") != b.region.removesuffix("_end").removesuffix("_meta"):
        raise c.error("type-mismatch", "these pointers are into different kinds of memory", node)


def _beside(c: Checker, value: Expr, layout: Layout, node: ast.AST) -> Expr:
    """A value without a place of its own, beside a struct or an array of this layout."""
    kind = value.kind
    if isinstance(layout, ArrayType) and not isinstance(kind, Ptr) or isinstance(kind, Agg) and kind.layout == layout \
            or isinstance(kind, Const) and getattr(type(kind.value), "__bpf_layout__", None) == layout:
        return keeping.placed(c, fitting.fitted(c, value, layout, node), layout, node)
    return value


def _compare_structs(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """Structs are equal when their fields are; arrays when their elements are."""
    if word not in ("eq", "ne"):
        raise c.error("type-mismatch", "structs and arrays are equal or not, neither less nor more", node)
    x, y = a.kind, b.kind
    layout = x.target if isinstance(x, Ptr) else y.target if isinstance(y, Ptr) else None
    assert layout is not None
    if not (isinstance(x, Ptr) and isinstance(y, Ptr) and x.target == y.target):
        if isinstance(x, Ptr):
            a = c.hold(a, "$a")
        a, b = (_beside(c, v, layout, node) for v in (a, b))
        if not (isinstance(a.kind, Ptr) and isinstance(b.kind, Ptr) and a.kind.target == b.kind.target):
            other = b if isinstance(x, Ptr) else a
            raise c.mismatch(f"{an(layout.name)} is compared here", other.kind, other.span)
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


def items_of(c: Checker, value: Expr) -> list[Expr] | None:
    """The items of a tuple, as nodes; None if it is none."""
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, tuple | list):
        c.drop(value)
        return [Lit(value.span, v) for v in kind.value]
    if isinstance(kind, Tuple):
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
