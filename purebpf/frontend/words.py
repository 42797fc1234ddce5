"""The words of the language that are neither types, maps nor hooks: `current_pid()`, `field_exists(T, "f")` and the like."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..dsl import flow as words
from ..dsl import memory as dsl_memory
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout
from ..tree.kinds import CHAR, I64, U64, Agg, Const, Int, Ptr, Text, is_maybe
from ..tree.nodes import Arith, Bits, Cast, Expr, Filled, Lit, Number, Swap, Temp
from . import arith, fitting, helpers, keeping, maps, memory
from .context import Checker

U32 = TYPES["u32"]
COMM = 16  # TASK_COMM_LEN
MOST_TEXT = 512  # bytes of the stack


def by_helper(word: words.Word) -> Callable[[Checker, list[Expr], ast.Call], Expr]:
    """A word that is one helper's answer, or a half of it."""

    def check(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
        answer = helpers.emit_call(c, word.helper, (), Int.of(U64), node)
        if word.take == "all":
            return answer
        span, half = c.span(node), Int(U32, 0, U32.hi, True)
        if word.take == "high":
            return Arith(span, half, ">>", answer, Number(span, 32))
        return Arith(span, half, "&", answer, Number(span, 0xFFFFFFFF))

    return check


def comm(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    helpers.emit_call(c, "get_current_comm", (), Int.of(I64), node)  # the licence and the lock, checked as for any call
    return Filled(c.span(node), Agg(ArrayType(CHAR, COMM)), "get_current_comm")


def cstr(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`cstr(p, n)`: what `char[n](p)` is."""
    size = args[1].kind.value if isinstance(args[1].kind, Const) else None
    if not isinstance(size, int) or not 0 < size <= MOST_TEXT:
        raise c.error("arguments", f"cstr() takes a pointer and how many bytes to read, a constant of 1 to {MOST_TEXT}", node)
    layout = ArrayType(CHAR, size)
    value = fitting.fitted(c, args[0], layout, node)
    return value if isinstance(value, Temp) else keeping.placed(c, value, layout, node)


def user(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`user(x)`: an address in user space, whatever it was taken for."""
    value, kind = args[0], args[0].kind
    if is_maybe(kind):
        raise arith.may_be_none(c, value, node)
    if isinstance(kind, Ptr):
        if kind.region:
            raise c.error("type-mismatch", "this points to memory of the program or of the kernel, not to a user's", node)
        return Cast(value.span, kind._replace(access="user", writable=False), value)
    if isinstance(kind, Text):
        return Bits(value.span, Ptr(CHAR, "", "user", writable=False), value)
    return Bits(value.span, Ptr(CHAR, "", "user", writable=False), arith.integer(c, value, node))


def task(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    target: Layout | None = None
    if args:
        try:
            target = c.unit.resolved(c, dsl_memory.layout_of(args[0].kind.value if isinstance(args[0].kind, Const) else None), node)
        except TypeError:
            raise c.error("type-mismatch", "current_task() takes a kernel type", node) from None
    c.unit.claims.reach(c, target, node)
    return helpers.emit_call(c, "get_current_task", (), Ptr(target, "", "probe", writable=False, trust="current"), node)


def swap(bits: int) -> Callable[[Checker, list[Expr], ast.Call], Expr]:
    """`htons`, `htonl`: between the two byte orders; the same both ways."""

    def build(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
        value = arith.integer(c, args[0], node)
        kind = arith.kind_of(value)
        if arith.is_exact(kind) and isinstance(args[0].kind, Const):
            return c.lit(c.unit.target.order.network(kind.lo, bits // 8), node)
        return Swap(c.span(node), Int.of(TYPES[f"u{bits}"]), value, bits)

    return build


def loop(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`loop(n, f)`."""
    return c.unit.tables.loop(c, args[0], args[1], node)


# --- forms: they look at their arguments before these are evaluated ---------------------------------------------------------


def addr(c: Checker, node: ast.Call) -> Expr:
    """`addr(x.f)`: a pointer to a field, an element or a variable."""
    if len(node.args) != 1 or node.keywords:
        raise c.error("arguments", f"addr() takes 1 argument, {len(node.args)} given", node)
    place = c.place(node.args[0])
    if not isinstance(place.kind, Ptr) or memory.bit_field(place):
        raise c.mismatch("addr() takes a field, an element or a variable in memory", place.kind, node)
    return Cast(c.span(node), place.kind._replace(thing=False), place)


def atomic_add(c: Checker, node: ast.Call) -> Expr:
    """`atomic_add(entry.count, n)`: one instruction, for memory that other CPUs change as well."""
    if len(node.args) != 2:
        raise c.error("arguments", f"atomic_add() takes 2 arguments, {len(node.args)} given", node)
    target = node.args[0]
    span = c.span(node)
    if isinstance(target, ast.Subscript):
        map = maps.of(c, c.expr(target.value), target)
        if map is not None and maps.add_entry(c, map, c.expr(target.slice), "+", lambda: c.expr(node.args[1]), node):
            return Lit(span, None)
    place = c.place(target)
    value = c.hold(arith.integer(c, c.expr(node.args[1]), node), "n")
    kind = place.kind
    layout = kind.target if isinstance(kind, Ptr) else None
    if isinstance(kind, Ptr) and isinstance(layout, IntType) and layout.size in (4, 8) and not memory.bit_field(place) \
            and not layout.big_endian and kind.access == "direct" and kind.writable and not kind.null:
        maps.add_in_place(c, place, "+", value, False, node)
        return Lit(span, None)
    raise c.error("type-mismatch", "atomic_add() takes a 32- or 64-bit number in writable memory", node,
                  help="a Global's value, or a field of what 'm.lookup(key)' found")


def sizeof(c: Checker, node: ast.Call) -> Expr:
    if len(node.args) != 1:
        raise c.error("arguments", f"sizeof() takes 1 argument, {len(node.args)} given", node)
    kind = c.place(node.args[0]).kind
    if isinstance(kind, Ptr) and kind.target is not None:
        return c.lit(kind.target.size, node)
    if isinstance(kind, Const):
        try:
            return c.lit(dsl_memory.sizeof(kind.value), node)
        except TypeError:
            pass
    raise c.mismatch("sizeof() takes a type or memory", kind, node)


# --- methods of what has only one or two ------------------------------------------------------------------------------------


def argument(c: Checker, ctx: Expr, args: list[Expr], node: ast.Call) -> Expr:
    """`ctx.arg(n)`: the n-th argument of the hooked function, as a number."""
    return c.unit.contexts.argument(c, ctx, args, node)


def discard(c: Checker, record: Expr, args: list[Expr], node: ast.Call) -> Expr:
    """`e.discard()`: the record is not submitted at the end of its block."""
    assert isinstance(record.kind, Ptr) and record.kind.resource is not None
    return c.unit.tables.discard(c, record.kind.resource, node)
