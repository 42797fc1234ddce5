"""The packet as a cursor: `pkt = ctx.packet`, `eth = pkt.pull(Ethernet)`, one bounds check per header.

The position lives in a hidden variable, so it follows the program's control flow; so does the packet's end. A helper that
may move the packet makes both unusable.
"""

from __future__ import annotations

import ast

from ..dsl.layout import ArrayType, Layout
from ..dsl.memory import layout_of
from ..tree.kinds import (
    BOOL, Broken, Const, Context, Cursor, I64, Int, Kind, Optional, Origin, Ptr, U64, U8,
)
from ..tree.nodes import Below, Compare, Distance, Element, Expr, Get, Guard, IfElse, Lit, Local, Loop, Maybe, Move, Number, Select, Seq, Set, Undef
from . import arith, memory
from .context import Checker

TRUTH = Int(BOOL, 0, 1, True)
# The verifier follows a packet pointer over 64 KB: two moves by what is known at run time, and some headers. Farther no header lies.
FARTHEST = 0x7000
SHORT = "the packet is too short"
MOST_COPIED = 256  # bytes of a number that is only known at run time


def cursor(c: Checker, start: Expr, end: Expr, node: ast.AST) -> Expr:
    """`ctx.packet`: a new cursor at the start of the packet."""
    c.inlined += 1
    name = f"packet{c.inlined}"
    c.bind(f"$pos:{name}", start, "pos")
    c.bind(f"$end:{name}", end, "end")
    return Undef(c.span(node), Cursor(name))


def moved(c: Checker, by: str, node: ast.AST) -> None:
    """The packet may have moved, by a call: nothing that points into it can be used any more."""
    c.effects.moves_packet = True
    span = c.span(node)
    c.change(_in_packet, lambda name, kind: Broken(
        "stale-pointer", "the packet may have moved since this cursor was made" if name.startswith("$") else
        f"{name!r} points into a packet that {by}() may have moved since", "read it again: 'pkt = ctx.packet'", ((span, "it is called here"),)))


def _in_packet(kind: Kind) -> bool:
    return isinstance(kind, Ptr) and kind.region in ("packet", "packet_end", "packet_meta")


def _position(c: Checker, kind: Cursor, node: ast.AST) -> Expr:
    return c.read(f"$pos:{kind.name}", node)


def _end(c: Checker, kind: Cursor, node: ast.AST) -> Expr:
    return c.read(f"$end:{kind.name}", node)


def _type(c: Checker, value: Expr, node: ast.AST) -> Layout:
    try:
        return layout_of(value.kind.value if isinstance(value.kind, Const) else value)
    except TypeError:
        skip = "'skip(n)' moves on by n bytes, 'bytes(offset, n)' takes some" if isinstance(value.kind, Const) else ""
        raise c.error("type-mismatch", "this takes a type, such as Ethernet or u32", value.span, help=skip) from None


def _header(c: Checker, layout: Layout) -> Ptr:
    c.inlined += 1
    return Ptr(layout, "packet", why=SHORT, origin=frozenset((Origin(f"packet/{c.inlined}", 0, layout.size),)))


def _fits(c: Checker, cur: Cursor, at: Expr, size: int, node: ast.AST) -> Expr:
    """1 if `size` bytes from `at` on lie in the packet."""
    span = c.span(node)
    after = Move(span, Ptr(None, "packet"), at, Number(span, size))
    return Compare(span, TRUTH, "le", after, _end(c, cur, node))


def pull(c: Checker, cur: Cursor, args: list[Expr], node: ast.AST) -> Expr:
    """`pkt.pull(T)`: what stands here as a T, or None when the packet is too short; moves on by its size if it is not."""
    layout, span = _type(c, args[0], node), c.span(node)
    old = Local("at", ("packet",))
    c.emit(Set(span, old, _position(c, cur, node)))
    position, some = Ptr(None, "packet"), _header(c, layout)
    at = Get(span, position, old)
    ok = c.hold(_fits(c, cur, at, layout.size, node), "fits")
    c.bind(f"$pos:{cur.name}", Select(span, position, ok, Move(span, position, at, Number(span, layout.size)), at), "pos")
    return Maybe(span, Optional(some, SHORT), ok, Get(span, some, old))


def peek(c: Checker, cur: Cursor, args: list[Expr], node: ast.AST) -> Expr:
    """`pkt.peek(T)`: as pull, without moving."""
    layout = _type(c, args[0], node)
    return _look(c, cur, c.hold(_position(c, cur, node), "at"), layout, node)


def at(c: Checker, cur: Cursor, args: list[Expr], node: ast.AST) -> Expr:
    """`pkt.at(offset, T)`: a T `offset` bytes from here, or None."""
    return _look_at(c, cur, args[0], _type(c, args[1], node), node)


def take_bytes(c: Checker, cur: Cursor, args: list[Expr], node: ast.AST) -> Expr:
    """`pkt.bytes(offset, n)`: n bytes `offset` from here, or None. Where n is only known at run time they are a copy, with
    zeros behind them up to the most that n can be."""
    count = arith.known(c, args[1])
    if count is None:
        number = arith.integer(c, args[1], node)
        if arith.kind_of(number).hi > MOST_COPIED:
            raise c.error("type-mismatch", "the number of bytes has no bound that is small enough", node.args[1] if isinstance(node, ast.Call) else node,
                          help=f"give it one: 'min(n, 64)'; at most {MOST_COPIED}, for they are copied to the stack")
        return c.unit.tables.packet_copy(c, cur, args[0], number, node)
    if count < 0:
        raise c.error("constant", "a negative number of bytes", node)
    return _look_at(c, cur, args[0], ArrayType(U8, count), node)


def _look(c: Checker, cur: Cursor, where: Expr, layout: Layout, node: ast.AST) -> Expr:
    some = _header(c, layout)
    where = Get(where.span, some, where.local) if isinstance(where, Get) else where
    return Maybe(c.span(node), Optional(some, SHORT), _fits(c, cur, where, layout.size, node), where)


def _look_at(c: Checker, cur: Cursor, offset: Expr, layout: Layout, node: ast.AST) -> Expr:
    span, here = c.span(node), _position(c, cur, node)
    offset = arith.integer(c, offset, node)
    a = arith.kind_of(offset)
    if arith.is_exact(a) and abs(a.lo) <= FARTHEST:
        return _look(c, cur, c.hold(Move(span, Ptr(None, "packet"), here, offset), "at"), layout, node)
    offset = c.hold(offset, "offset")
    outer, c.out = c.out, []
    where = c.hold(Move(span, Ptr(None, "packet"), here, _near(offset)), "at")
    found = _look(c, cur, where, layout, node)
    found = Seq(span, c.out, found)
    c.out = outer
    if a.seen and 0 <= a.lo and a.hi <= FARTHEST:
        return found
    return IfElse(span, found.kind, _is_near(c, offset, node), found, Undef(span, found.kind))


def _is_near(c: Checker, offset: Expr, node: ast.AST) -> Expr:
    """Is the offset one that the verifier follows? Negative ones are enormous here."""
    span = c.span(node)
    unsigned = Int.of(U64)
    return Compare(span, TRUTH, "le", _as(offset, unsigned), Number(span, _farthest(offset)))


def _farthest(offset: Expr) -> int:
    """How far an offset leads at most: what is moved by several has to stay in the verifier's sight all the same."""
    hi = arith.kind_of(offset).hi
    return hi if 0 <= hi < FARTHEST else FARTHEST


def _as(value: Expr, kind: Int) -> Expr:
    from ..tree.nodes import Cast

    return Cast(value.span, kind, value)


def _near(offset: Expr) -> Expr:
    far = _farthest(offset)
    return Below(offset.span, Int(I64, 0, far, True), offset, far + 1)


def skip(c: Checker, cur: Cursor, args: list[Expr], node: ast.AST) -> Expr:
    """`pkt.skip(n)`: move on by n bytes; what is there is checked by the next pull. Farther than any header is too far."""
    span, here = c.span(node), _position(c, cur, node)
    offset = arith.integer(c, args[0], node)
    a = arith.kind_of(offset)
    if not arith.is_exact(a) and not (a.seen and 0 <= a.lo and a.hi <= FARTHEST):
        offset = c.hold(offset, "offset")
        kind = Int(I64, 0, FARTHEST, True)
        offset = Select(span, kind, _is_near(c, offset, node), _as(offset, kind), Number(span, FARTHEST, kind))
    c.bind(f"$pos:{cur.name}", Move(span, Ptr(None, "packet"), here, offset), "pos")
    return Lit(span, None)


def left(c: Checker, cur: Cursor, node: ast.AST) -> Expr:
    """`len(pkt)`: bytes from here to the end; 0 once it has moved beyond it."""
    span = c.span(node)
    kind = Int(I64, 0, 0xFFFF)
    far = c.hold(Distance(span, Int(I64, -0xFFFF, 0xFFFF), _end(c, cur, node), _position(c, cur, node)), "left")
    return Select(span, kind, Compare(span, TRUTH, "lt", far, Number(span, 0)), Number(span, 0, kind), _as(far, kind))


def byte_at(c: Checker, cur: Cursor, offset: Expr, node: ast.AST) -> Expr:
    """`pkt[i]`: the place of a byte; beyond the end the program stops with its default answer."""
    span, here = c.span(node), _position(c, cur, node)
    a = arith.kind_of(offset)
    if a.hi < 0:
        raise c.error("index", "the packet has no bytes before its cursor", node, help="the last byte is 'pkt[len(pkt) - 1]'")
    if not arith.is_exact(a):
        offset = c.hold(offset, "offset")
        if not (a.seen and 0 <= a.lo and a.hi <= FARTHEST):
            c.emit(Guard(span, _is_near(c, offset, node)))
        offset = _near(offset)
    where = c.hold(Move(span, Ptr(U8, "packet"), here, offset), "at")
    c.emit(Guard(span, _fits(c, cur, where, 1, node)))
    c.function.aborts = True
    return memory.deref(c, Get(where.span, _header(c, U8), where.local), node) if isinstance(where, Get) else where


def element(c: Checker, place: Expr, index: Expr, layout: ArrayType, part: Ptr, node: ast.AST) -> Expr:
    """An element of an array in the packet at an index known at run time: the verifier wants a check of its own, against
    the packet's end."""
    span, a, size = c.span(node), arith.kind_of(index), layout.elem.size
    if a.seen == 2 and 0 <= a.lo and a.hi < layout.count:
        for target in c.frame.loops:
            if isinstance(target.loop, Loop):
                target.loop.walked = True
        return Element(span, part, place, index, False)
    if not (a.seen and 0 <= a.lo and a.hi < layout.count):
        index = c.hold(index, "$index")
        inside = Compare(span, TRUTH, "lt", _as(index, Int.of(U64)), Number(span, layout.count))
        c.emit(Guard(span, inside))
        index = Below(span, Int(I64, 0, layout.count - 1, True), index, layout.count)
    offset = arith.integer(c, arith.binary(c, "*", index, Number(span, size), node), node)
    where = c.hold(Move(span, part, place, offset), "at")
    c.emit(Guard(span, Compare(span, TRUTH, "le", Move(span, Ptr(None, "packet"), where, Number(span, size)), _any_end(c, node))))
    c.function.aborts = True
    return memory.deref(c, where, node)


def _any_end(c: Checker, node: ast.AST) -> Expr:
    """The end of the packet, from a cursor or from the context."""
    for name, binding in (c.env or {}).items():
        if name.startswith("$end:") and not isinstance(binding.kind, Broken):
            return c.read(name, node)
    if c.ctx is not None and isinstance(c.ctx.kind, Context):
        return c.unit.contexts.edge(c, c.ctx, c.ctx.kind, "data_end", node)
    raise c.error("unsupported", "an index that is only known at run time needs the packet's end, which is not at hand here", node,
                  help="pass the cursor or the context to this function")
