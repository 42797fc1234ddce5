"""Conditions as control flow: `and`, `or`, `not`, chained comparisons and tests for None become branches, and what a
test shows about a pointer is known where it leads."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType
from ..ir.function import Const, Value
from . import arith, maps, memory
from .flow import Join, branch, enter, goto
from .values import Entry, Int, Known, Place, Pointer, Poison, Text, Val

if TYPE_CHECKING:
    from .context import Lowering


def test(f: Lowering, node: ast.expr, yes: Join, no: Join) -> None:
    """End this path: to `yes` if the expression is true, else to `no`."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values[:-1]:
                step = f.join("and")
                test(f, value, step, no)
                enter(f, step)
            test(f, values[-1], yes, no)
        case ast.BoolOp(op=ast.Or(), values=values):
            for value in values[:-1]:
                step = f.join("or")
                test(f, value, yes, step)
                enter(f, step)
            test(f, values[-1], yes, no)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            test(f, operand, no, yes)
        case ast.Compare():
            _comparison(f, node, yes, no)
        case _:
            truth(f, f.value(node), node, yes, no)


def truth(f: Lowering, value: Val, node: ast.AST, yes: Join, no: Join) -> None:
    """Python's truth of a value."""
    if not f.reachable:
        return
    match value:
        case Known(v):
            goto(f, yes if v else no)
        case Int():
            if isinstance(value.ir, Const):
                goto(f, yes if value.ir.value else no)
            else:
                branch(f, value.ir, yes, no)
        case Pointer():
            if value.present is None or value.present in f.facts:
                goto(f, yes)
            else:
                branch(f, value.present, yes, no, value.present)
        case Place(layout=ArrayType(elem=IntType(is_char=True))):
            first = memory.load(f, value._replace(layout=memory.CHAR), node)
            truth(f, first, node, yes, no)
        case Poison():
            goto(f, yes)
        case _:
            number = f.integer(value, node)
            branch(f, number.ir, yes, no)


def _comparison(f: Lowering, node: ast.Compare, yes: Join, no: Join) -> None:
    left = f.value(node.left)
    for i, (op, right_node) in enumerate(zip(node.ops, node.comparators)):
        last = i == len(node.ops) - 1
        step = yes if last else f.join("and")
        if isinstance(op, ast.In | ast.NotIn):
            right = left
            a, b = (step, no) if isinstance(op, ast.In) else (no, step)
            _contains(f, left, right_node, node, a, b)
        else:
            right = f.value(right_node)
            f.at(node)
            compare(f, op, left, right, node, step, no)
        if not last:
            enter(f, step)
        left = right


def compare(f: Lowering, op: ast.cmpop, a: Val, b: Val, node: ast.AST, yes: Join, no: Join) -> None:
    """End this path: to `yes` if `a op b`, else to `no`."""
    if isinstance(a, Poison) or isinstance(b, Poison):
        goto(f, yes)
        return
    if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and Known(None) in (a, b):
        if isinstance(op, ast.Is | ast.Eq):
            yes, no = no, yes
        other = b if a == Known(None) else a
        if isinstance(other, Pointer):
            truth(f, other, node, yes, no)
        else:
            goto(f, no if other == Known(None) else yes)
        return
    if isinstance(op, ast.Is | ast.IsNot):
        raise f.error("unsupported", "'is' compares with None only", node, help="use '=='")
    from .exprs import copied

    a, b = copied(f, a, node), copied(f, b, node)
    word = arith.COMPARISONS[type(op)]
    if isinstance(a, Known) and isinstance(b, Known) and word in ("eq", "ne"):
        goto(f, yes if (a.value == b.value) == (word == "eq") else no)
        return
    if word in ("eq", "ne") and (_is_text(a) or _is_text(b)):
        text_equal(f, a, b, node, *((yes, no) if word == "eq" else (no, yes)))
        return
    if isinstance(a, Pointer) and isinstance(b, Pointer):
        f.unit.need_same_memory(f, a, b, node)
        branch(f, f.op(word if word in ("eq", "ne") else "u" + word, a.ir, b.ir), yes, no)
        return
    branch(f, arith.compare(f, word, f.integer(a, node), f.integer(b, node)), yes, no)


def _is_text(value: Val) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, str | bytes)
    return isinstance(value, Text) or isinstance(value, Place) and isinstance(value.layout, ArrayType)


def text_equal(f: Lowering, a: Val, b: Val, node: ast.AST, yes: Join, no: Join) -> None:
    """Byte strings: a char array against a constant, or two arrays of the same type."""
    if isinstance(a, Known):
        a, b = b, a
    if not isinstance(a, Place) or not isinstance(a.layout, ArrayType):
        raise f.ir_type_error("a char array is compared here", a, node)
    place = a if a.access == "direct" else memory.materialize(f, a, a.layout, node)
    if isinstance(b, Known) and isinstance(b.value, str | bytes):
        data = b.value.encode() if isinstance(b.value, str) else b.value
        if len(data) > place.layout.size:
            goto(f, no)
            return
        if len(data) < place.layout.size:
            data += b"\0"
        pieces = [(at, width, Const(int.from_bytes(data[at : at + width], "little")))
                  for at, width in memory.pieces(place, len(data))]
        wanted: list[tuple[int, int, Value]] = [*pieces]
    elif isinstance(b, Place) and b.layout == place.layout:
        other = b if b.access == "direct" else memory.materialize(f, b, b.layout, node)
        wanted = [(at, width, f.b.load(other.ptr, width, other.off + at))
                  for at, width in memory.pieces(place, place.layout.size)]
    else:
        raise f.ir_type_error(f"{place.layout.name} is compared here", b, node)
    for i, (at, width, want) in enumerate(wanted):
        step = yes if i == len(wanted) - 1 else f.join("same")
        branch(f, f.op("eq", f.b.load(place.ptr, width, place.off + at), want), step, no)
        if step is not yes:
            enter(f, step)


def _contains(f: Lowering, item: Val, container: ast.expr, node: ast.AST, yes: Join, no: Join) -> None:
    if isinstance(container, ast.Tuple | ast.List | ast.Set):
        _among(f, item, (f.value(element) for element in container.elts), node, yes, no)
        return
    held = f.value(container)
    if isinstance(held, Known) and f.unit.is_map(held.value):
        found = maps.lookup(f, held.value, item, node)
        truth(f, found, node, yes, no)
        return
    if isinstance(held, Known) and isinstance(held.value, tuple | list | set | frozenset | range | dict):
        if isinstance(held.value, range) and held.value.step == 1:
            number = f.integer(item, node)
            low = f.join("low")
            branch(f, arith.compare(f, "ge", number, arith.constant(held.value.start)), low, no)
            enter(f, low)
            branch(f, arith.compare(f, "lt", number, arith.constant(held.value.stop)), yes, no)
            return
        _among(f, item, map(Known, held.value), node, yes, no)
        return
    raise f.ir_type_error("'in' asks a map or a constant collection", held, node)


def _among(f: Lowering, item: Val, members: Iterable[Val], node: ast.AST, yes: Join, no: Join) -> None:
    """To `yes` if `item` equals one of `members`, which are evaluated one by one as long as none does."""
    for member in members:
        step = f.join("next")
        compare(f, ast.Eq(), item, member, node, yes, step)
        enter(f, step)
    goto(f, no)


def as_value(f: Lowering, node: ast.expr) -> Val:
    """A condition used as a value: 0 or 1."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in arith.COMPARISONS:
        a, b = f.value(node.left), f.value(node.comparators[0])
        f.at(node)
        if not (_is_text(a) or _is_text(b)) and Known(None) not in (a, b):
            if not isinstance(a, Pointer | Poison | Entry) and not isinstance(b, Pointer | Poison | Entry):
                word = arith.COMPARISONS[type(node.ops[0])]
                return boolean(arith.compare(f, word, f.integer(a, node), f.integer(b, node)))
        yes, no, end = f.join("true"), f.join("false"), f.join("end")
        compare(f, node.ops[0], a, b, node, yes, no)
        return collect(f, yes, no, end)
    yes, no, end = f.join("true"), f.join("false"), f.join("end")
    test(f, node, yes, no)
    return collect(f, yes, no, end)


def boolean(ir: Value) -> Val:
    """0 or 1 as the language's bool."""
    from .values import BOOL

    return Known(bool(ir.value)) if isinstance(ir, Const) else Int(ir, BOOL, 0, 1)


def collect(f: Lowering, yes: Join, no: Join, end: Join) -> Val:
    """The value of a condition that went to `yes` or `no`: both lead on to `end`, as 1 and 0."""
    for join, value in (yes, True), (no, False):
        enter(f, join)
        if f.reachable:
            f.env["$value"] = Known(value)
            goto(f, end)
    enter(f, end)
    result = f.env.pop("$value", Poison()) if f.reachable else Poison()
    if isinstance(result, Int):
        return boolean(result.ir)
    return result
