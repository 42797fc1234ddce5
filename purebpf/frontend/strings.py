"""Text and bytes: comparing, searching, slicing. Text in memory is padded with zeros to its length."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, StructType
from ..tree.kinds import BOOL, CHAR, I64, U64, U8, Agg, Const, Int, Kind, Origin, Ptr, Text, is_bytes, is_string
from ..tree.nodes import (
    Arith, At, Both, Cast, Compare, Either, Expr, Get, Lit, Local, Loop, Not, Number, OrderBytes, SameBytes, Select, Set, Vague,
)
from . import arith, fitting, keeping, memory
from .context import Checker

TRUTH = Int(BOOL, 0, 1, True)
SEARCHED = 256  # bytes that a search is unrolled over


def is_text(kind: Kind) -> bool:
    """Is it memory that compares as bytes: text, or an array of bytes?"""
    match kind:
        case Ptr(target=target):
            return is_bytes(target)
        case Agg(layout=layout):
            return is_bytes(layout)
        case Text():
            return True
        case _:
            return False


def direct(c: Checker, value: Expr, most: int, node: ast.AST) -> Expr:
    """Text where it can be compared: in memory that loads reach. `most` bytes of what only fault-safe reads reach."""
    kind = value.kind
    if isinstance(kind, Text):
        layout: Layout = ArrayType(CHAR, most)
        return keeping.placed(c, fitting.fitted(c, value, layout, node), layout, node)
    if isinstance(kind, Agg):
        return keeping.placed(c, value, kind.layout, node)
    place = memory.deref(c, value, node)
    assert isinstance(place.kind, Ptr) and place.kind.target is not None
    if place.kind.access != "direct" or fitting._core(place.kind):
        return keeping.placed(c, place, place.kind.target, node)
    return place


def _layout(place: Expr) -> ArrayType:
    kind = place.kind
    assert isinstance(kind, Ptr) and isinstance(kind.target, ArrayType)
    return kind.target


def compare(c: Checker, word: str, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """`a word b` of two strings, or of a string and a constant."""
    if isinstance(a.kind, Const):
        flipped = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(word, word)
        return compare(c, flipped, b, a, node)
    if word in ("eq", "ne"):
        test = _equal(c, a, b, node)
        return _not(test) if word == "ne" else test
    if word in ("gt", "le"):
        return _not(_less(c, a, b, True, node)) if word == "gt" else _less(c, a, b, True, node)
    return _less(c, a, b, False, node) if word == "lt" else _not(_less(c, a, b, False, node))


def _not(test: Expr) -> Expr:
    if isinstance(test.kind, Const):
        return Lit(test.span, not test.kind.value)
    return Not(test.span, TRUTH, test)


def data_of(kind: Kind) -> bytes | None:
    """Constant text as bytes."""
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes):
        return kind.value.encode() if isinstance(kind.value, str) else kind.value
    if isinstance(kind, Const) and isinstance(kind.value, list | tuple):
        try:
            return bytes(kind.value)
        except (TypeError, ValueError):
            return None
    return None


def constant_text(c: Checker, text: str, node: ast.AST) -> Expr:
    """A constant as a table of its characters, to be indexed at run time."""
    data = text.encode()
    if len(data) != len(text):
        c.unsupported("an index that is only known at run time, of text beyond ASCII", node, "index its bytes: 'TEXT.encode()'")
    return fitting.constant_bytes(c, data, ArrayType(CHAR, len(data)), node)


def _equal(c: Checker, a: Expr, b: Expr, node: ast.AST) -> Expr:
    data = data_of(b.kind)
    if data is not None:
        place = direct(c, a, len(data) + 2, node)
        size = _layout(place).size
        if len(data) > size:
            return arith.after(c, place, c.lit(False, node))
        if len(data) < size and is_string(_layout(place)) or len(data) < size:
            data += b"\0"
        return _same_constant(c, place, data, Number(c.span(node), 0), node)
    if not is_text(b.kind):
        target = a.kind.target if isinstance(a.kind, Ptr) else None
        raise c.mismatch(f"{target.name if target else 'a string'} is compared here", b.kind, node)
    size_a, size_b = _size(a.kind), _size(b.kind)
    left = direct(c, a, size_b or 256, node)
    if arith.acts(b) or isinstance(b.kind, Text | Agg):
        left = c.hold(left, "$a")
    right = direct(c, b, size_a or 256, node)
    left, right = c.hold(left, "$a"), c.hold(right, "$b")
    return same_text(c, memory.deref(c, left, node), memory.deref(c, right, node), node)


def _size(kind: Kind) -> int:
    layout = kind.target if isinstance(kind, Ptr) else kind.layout if isinstance(kind, Agg) else None
    return layout.size if layout is not None else 0


def same_text(c: Checker, a: Expr, b: Expr, node: ast.AST) -> Expr:
    """Two strings in memory, perhaps of different room: equal bytes, and no more of them in the longer."""
    x, y = _layout(a), _layout(b)
    span = c.span(node)
    common = min(x.size, y.size)
    same_start = SameBytes(span, TRUTH, a, b, common)
    if x.size == y.size:
        return same_start
    longer = a if x.size > y.size else b
    end = Compare(span, TRUTH, "eq", _byte(c, longer, common, node), Number(span, 0))
    return Both(span, TRUTH, same_start, end)


def _same_constant(c: Checker, place: Expr, data: bytes, offset: Expr, node: ast.AST) -> Expr:
    """Do the bytes at `offset` of the place equal constant ones?"""
    if not data:
        return c.lit(True, node)
    there = part(c, place, offset, len(data), node)
    return SameBytes(c.span(node), TRUTH, there, fitting.constant_bytes(c, data, ArrayType(U8, len(data)), node), len(data))


def part(c: Checker, place: Expr, offset: Expr, size: int, node: ast.AST) -> Expr:
    """A piece of an array of bytes, as a place."""
    kind, at = place.kind, arith.kind_of(offset)
    assert isinstance(kind, Ptr) and isinstance(kind.target, ArrayType)
    origin = frozenset(Origin(o.root, o.lo + at.lo, min(o.lo + at.hi + size, o.hi)) for o in kind.origin)
    piece = kind._replace(target=ArrayType(kind.target.elem, size), origin=origin, fresh=False)
    return At(c.span(node), piece, place, offset)


def _byte(c: Checker, place: Expr, index: int, node: ast.AST) -> Expr:
    return memory.load(c, memory.element(c, place, Number(c.span(node), index), node), node)


def _less(c: Checker, a: Expr, b: Expr, or_equal: bool, node: ast.AST) -> Expr:
    data = data_of(b.kind)
    left = direct(c, a, len(data) + 2 if data is not None else _size(b.kind) or 256, node)
    size = _layout(left).size
    if data is not None:
        right: Expr = fitting.constant_bytes(c, data.ljust(size, b"\0")[:size], ArrayType(CHAR, size), node)
        if len(data) > size:
            or_equal = True  # a longer constant comes after what it begins with
    elif is_text(b.kind):
        right = direct(c, b, size, node)
    else:
        raise c.mismatch("a string is compared here", b.kind, node)
    left, right = c.hold(left, "$a"), c.hold(right, "$b")
    left, right = memory.deref(c, left, node), memory.deref(c, right, node)
    size = min(size, _layout(right).size)
    span = c.span(node)
    if or_equal:
        return Not(span, TRUTH, OrderBytes(span, TRUTH, right, left, size))
    return OrderBytes(span, TRUTH, left, right, size)


def same(c: Checker, a: Expr, b: Expr, layout: Layout, node: ast.AST) -> Expr:
    """Two values of one layout in memory: equal in every field, whatever lies in the padding."""
    span = c.span(node)
    if isinstance(layout, StructType):
        if _is_dense(layout) and not layout.core:
            return SameBytes(span, TRUTH, a, b, layout.size)
        result: Expr | None = None
        for f in layout.fields:
            one = same(c, memory.member(c, a, f, node), memory.member(c, b, f, node), f.type, node)
            result = one if result is None else Both(span, TRUTH, result, one)
        return result if result is not None else c.lit(True, node)
    if isinstance(layout, ArrayType):
        if isinstance(layout.elem, IntType) or isinstance(layout.elem, StructType) and _is_dense(layout.elem):
            return SameBytes(span, TRUTH, a, b, layout.size)
        result = None
        for i in range(layout.count):
            at = Number(span, i)
            one = same(c, memory.element(c, a, at, node), memory.element(c, b, at, node), layout.elem, node)
            result = one if result is None else Both(span, TRUTH, result, one)
        return result if result is not None else c.lit(True, node)
    x, y = memory.load(c, a, node), memory.load(c, b, node)
    return Compare(span, TRUTH, "eq", x, y)


def _is_dense(layout: StructType) -> bool:
    """Is every byte of the struct part of a number?"""
    at = 0
    for f in layout.fields:
        if f.bits or f.offset != at or isinstance(f.type, StructType) and not _is_dense(f.type) or layout.union:
            return False
        at += f.type.size
    return at == layout.size


def common_room(kinds: Iterable[Kind]) -> int:
    """The room that strings of different room, or strings and constants, have together; 0 where there is nothing to do."""
    sizes, constants = set(), set[int]()
    for kind in kinds:
        data = data_of(kind) if isinstance(kind, Const) and isinstance(kind.value, str | bytes) else None
        if data is not None:
            constants.add(len(data))
        elif isinstance(kind, Ptr) and is_string(kind.target) and not kind.null and kind.target is not None:
            sizes.add(kind.target.size)
        else:
            return 0
    return max(sizes | constants) if len(sizes) > 1 or sizes and constants else 0


def roomy(c: Checker, value: Expr, room: int, node: ast.AST) -> Expr:
    """Text in memory of its own with this room."""
    layout = ArrayType(CHAR, room)
    return keeping.placed(c, fitting.fitted(c, value, layout, node), layout, node)


# --- searching -------------------------------------------------------------------------------------------------------


def either(c: Checker, tests: list[Expr], node: ast.AST) -> Expr:
    """One of the conditions, balanced."""
    if not tests:
        return c.lit(False, node)
    if any(isinstance(t.kind, Const) for t in tests):
        return c.lit(True, node)
    while len(tests) > 1:
        tests = [Either(c.span(node), TRUTH, *tests[i : i + 2]) if i + 1 < len(tests) else tests[i] for i in range(0, len(tests), 2)]
    return tests[0]


def length(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """`len(text)`: the bytes before the first zero."""
    place = memory.deref(c, c.hold(direct(c, value, SEARCHED, node), "$text"), node)
    size, span = _layout(place).size, c.span(node)
    local = Local("$length", ("i64",))
    c.emit(Set(span, local, Number(span, 0)))
    now = Get(span, Int(I64, 0, size, True), local)
    inside = Compare(span, TRUTH, "lt", now, Number(span, size))
    at = Get(span, Int(I64, 0, size - 1, True), local)
    more = Compare(span, TRUTH, "ne", memory.load(c, memory.element(c, place, at, node), node), Number(span, 0))
    loop = Loop(span)
    loop.test = Both(span, TRUTH, inside, more)
    loop.step = [Set(span, local, Arith(span, Int(I64, 0, size), "+", at, Number(span, 1)))]
    c.emit(loop)
    return now


def from_the_end(c: Checker, place: Expr, index: Expr, node: ast.AST) -> Expr:
    """`text[-1]` is the last character. What lies before the first is, as an unsigned number, far outside."""
    size, span, a = _layout(place).size, c.span(node), arith.kind_of(index)
    if size == 0:
        return index
    index = c.hold(index, "$index")
    whole = c.hold(Vague(span, Int(I64, 0, size, 1), length(c, place, node)), "$size")
    there: Expr = Cast(span, Int.of(U64), Arith(span, Int.of(I64), "+", index, whole))
    if a.hi >= 0:
        negative = Compare(span, TRUTH, "lt", index, Number(span, 0))
        there = Select(span, Int.of(U64), negative, there, Cast(span, Int.of(U64), index))
    return there


def startswith(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`text.startswith(constant)`, or a tuple of constants."""
    options = _constants(c, args, "startswith", node)
    place = memory.deref(c, c.hold(direct(c, value, max(map(len, options), default=0) + 1, node), "$text"), node)
    tests = [_same_constant(c, place, o, Number(c.span(node), 0), node) if len(o) <= _layout(place).size else c.lit(False, node) for o in options]
    return either(c, [t for t in tests if not (isinstance(t.kind, Const) and not t.kind.value)], node)


def endswith(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`text.endswith(constant)`, or a tuple of constants. Where one would have to begin is, as an unsigned number, far outside if
    the text is too short for it."""
    options = _constants(c, args, "endswith", node)
    place = memory.deref(c, c.hold(direct(c, value, SEARCHED, node), "$text"), node)
    size, span = _layout(place).size, c.span(node)
    whole = c.hold(Vague(span, Int(I64, 0, size, 1), length(c, place, node)), "$size")
    tests: list[Expr] = []
    for option in options:
        room = size - len(option)
        if room < 0:
            continue
        start = c.hold(Cast(span, Int.of(U64), Arith(span, Int.of(I64), "-", whole, Number(span, len(option)))), "$start")
        within = Compare(span, TRUTH, "le", start, Number(span, room))
        if not option:
            return c.lit(True, node)
        there = Cast(span, Int(U64, 0, room, 1), start)
        tests.append(Both(span, TRUTH, within, _same_constant(c, place, option, there, node)))
    return either(c, tests, node)


def _constants(c: Checker, args: list[Expr], name: str, node: ast.AST) -> list[bytes]:
    kind = c.happened(args[0]).kind
    many = kind.value if isinstance(kind, Const) and isinstance(kind.value, tuple) else [kind.value] if isinstance(kind, Const) else []
    found = [data_of(Const(v)) for v in many]
    if not found or None in found:
        raise c.mismatch(f"{name}() takes a constant string", kind, node)
    return [f for f in found if f is not None]


def sliced(c: Checker, value: Expr, start: int | None, stop: int | None, node: ast.AST) -> Expr:
    """`text[a:b]` with constant bounds: a piece of it."""
    place = memory.deref(c, value, node)
    kind = place.kind
    assert isinstance(kind, Ptr) and isinstance(kind.target, ArrayType)
    layout = kind.target
    a, b, _ = slice(start, stop).indices(layout.count)
    size = layout.elem.size
    origin = frozenset(Origin(o.root, o.lo + a * size, o.lo + b * size) for o in kind.origin)
    piece = kind._replace(target=ArrayType(layout.elem, max(b - a, 0)), origin=origin, fresh=False, thing=True)
    return At(c.span(node), piece, place, Number(c.span(node), a * size))
