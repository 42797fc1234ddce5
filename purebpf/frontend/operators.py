"""Operators: numbers, constants, tuples, pointers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, StructType
from ..errors import CompileError
from ..tree.kinds import Const, I64, Int, NONE, POISON, Ptr, Tuple, describe, is_maybe
from ..tree.nodes import Distance, Expr, Lit, MakeTuple, Move, Number, Undef
from . import arith, compare, conds, strings
from .context import Checker


LARGEST = 1 << 16  # items of a constant made while compiling


def _binary(c: Checker, node: ast.BinOp) -> Expr:
    left = c.expr(node.left)
    right = c.expr(node.right)
    return operate(c, node.op, left, right, node)


def operate(c: Checker, op: ast.operator, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """`left op right`."""
    a, b = left.kind, right.kind
    if POISON in (a, b):
        return Undef(c.span(node), POISON)
    word = arith.WORDS[type(op)]
    if word == "/":
        raise c.error("unsupported", "'/' makes a float, which BPF has not", node, help="use '//'")
    if word == "@":
        c.unsupported("'@'", node)
    if (strings.is_text(a) or strings.is_text(b) or isinstance(a, Const) and isinstance(a.value, str | bytes)) \
            and not (isinstance(a, Const) and isinstance(b, Const)):
        raise _text_operation(c, word, left, right, node)
    if isinstance(a, Ptr) or isinstance(b, Ptr):
        return _pointer_arithmetic(c, word, left, right, node)
    if isinstance(a, Const) and isinstance(b, Const):
        c.drop(left)
        c.drop(right)
        return _known_operation(c, op, word, left, right, node)
    if isinstance(a, Tuple | Const) and isinstance(b, Tuple | Const) and word == "+":
        first, second = compare.items_of(c, left), compare.items_of(c, right)
        if first is not None and second is not None:
            items = (*first, *second)
            return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), items)
    if word in ("//", "%") and isinstance(right, Lit) and right.written and b == Const(0):
        raise c.error("constant", f"'{word}' by zero", right.span)
    return arith.binary(c, word, _operand(c, left, node, 0), _operand(c, right, node, 1), node)


def _text_operation(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> CompileError:
    """Text put together by an operator."""
    if word not in ("+", "%"):
        return c.error("type-mismatch", f"'{word}' is not for strings", node)
    if word == "%":
        return c.error("unsupported", "'%' of a string is not part of the language", node, help='write an f-string: f"pid {pid}"')
    return c.error("type-mismatch", f"strings are not added here: {describe(left.kind)} and {describe(right.kind)}", node,
                   help='put them together in an f-string: f"{a}{b}"')


def _side(node: ast.AST, side: int) -> ast.AST:
    return (node.right if side else node.left) if isinstance(node, ast.BinOp) else node


def _operand(c: Checker, value: Expr, node: ast.AST, side: int) -> Expr:
    at = _side(node, side)
    if is_maybe(value.kind) and value.kind != NONE and not isinstance(value.kind, Ptr):
        raise arith.may_be_none(c, value, at)
    return arith.integer(c, value, at)


def _known_operation(c: Checker, op: ast.operator, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """Two constants: Python's own answer."""
    assert isinstance(left.kind, Const) and isinstance(right.kind, Const)
    a, b = left.kind.value, right.kind.value
    import operator

    if isinstance(a, int) and isinstance(b, int):
        written = getattr(left, "written", True) and getattr(right, "written", True)
        return c.lit(arith.exactly(c, word, int(a), int(b), node, written), node, left, right)
    table: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: operator.add, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
        ast.Sub: operator.sub,
    }
    try:
        if isinstance(op, ast.Mult) and max(x for x in (a, b, 0) if isinstance(x, int)) > LARGEST:
            raise ValueError("the result is enormous")
        return c.lit(table[type(op)](a, b), node)
    except (KeyError, TypeError, ValueError) as error:
        raise c.error("type-mismatch", f"these constants do not go together: {error}", node) from None


def _pointer_arithmetic(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    a, b, span = left.kind, right.kind, c.span(node)
    for side, (value, kind) in enumerate(((left, a), (right, b))):
        if isinstance(kind, Ptr) and kind.null:
            raise arith.may_be_none(c, value, _side(node, side))
        if isinstance(kind, Ptr) and isinstance(kind.target, IntType) and kind.region == "value":
            arith.integer(c, value, _side(node, side))
    if isinstance(a, Ptr) and isinstance(b, Ptr) and word == "-":
        compare.same_memory(c, a, b, node)
        size = a.target.size if a.target else 1
        limit = (-0xFFFF, 0xFFFF) if a.region.startswith("packet") else (I64.lo, I64.hi)
        distance = Distance(span, Int(I64, *limit), left, right)
        return distance if size == 1 else arith.binary(c, "//", distance, Number(span, size), node)
    if isinstance(a, Ptr) and word in "+-" and not isinstance(b, Ptr):
        if a.region == "packet_end":
            raise c.error("type-mismatch", "the packet's end is only compared with", node, help="move the other side of the comparison")
        if isinstance(a.target, ArrayType | StructType) and a.region in ("stack", "value", "data"):
            field = a.target.fields[0].name if isinstance(a.target, StructType) and a.target.fields else ""
            raise c.mismatch("a number is needed here", a, left.span, f"name a field of it, as '.{field}'" if field else "")
        step = arith.binary(c, "*", arith.integer(c, right, node), Number(span, a.target.size if a.target else 1), node)
        step = arith.integer(c, step, node)
        if word == "-":
            step = arith.integer(c, arith.negate(c, step, node), node)
        return Move(span, a._replace(fresh=False, thing=False), left, step)
    raise c.error("type-mismatch", f"'{word}' is not for pointers", node)


def _unary(c: Checker, node: ast.UnaryOp) -> Expr:
    if isinstance(node.op, ast.Not):
        return conds.as_value(c, node)
    value = c.expr(node.operand)
    if isinstance(value.kind, Const) and isinstance(value.kind.value, int):
        c.drop(value)
        number = int(value.kind.value)
        return c.lit(-number if isinstance(node.op, ast.USub) else ~number if isinstance(node.op, ast.Invert) else number, node, value)
    number_ = _operand(c, value, node.operand, 0)
    match node.op:
        case ast.USub():
            return arith.negate(c, number_, node)
        case ast.Invert():
            return arith.invert(c, number_, node)
    return number_
