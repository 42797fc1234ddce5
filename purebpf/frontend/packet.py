"""The packet as a cursor: `pkt = ctx.packet`, `eth = pkt.pull(Ethernet)`, one bounds check per header.

The position lives in a hidden variable, so it follows the program's control flow; so does the packet's end, which is
loaded again after a helper that may have moved the packet.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, Layout
from ..dsl.memory import layout_of
from ..ir.function import Const, Value
from ..ir.types import PTR
from . import arith
from .flow import branch, enter
from .values import I64, Context, Cursor, Int, Known, Place, Pointer, Val

if TYPE_CHECKING:
    from .context import Lowering

END, START = "$packet_end", "$packet_start"


def cursor(f: Lowering, ctx: Context) -> Cursor:
    """`ctx.packet`: a new cursor at the start of the packet."""
    start = edge_of(f, ctx, "data")
    edge_of(f, ctx, "data_end")  # now, so that every path has it
    f.unit.cursors += 1
    var = f"$packet{f.unit.cursors}"
    f.env[var] = Pointer(start, None)
    return Cursor(var)


def edge_of(f: Lowering, ctx: Context, which: str) -> Value:
    """`ctx.data` or `ctx.data_end` as a pointer, loaded once per path."""
    var = START if which == "data" else END
    held = f.env.get(var)
    if isinstance(held, Pointer):
        return held.ir
    row = f.unit.contexts.row(ctx, which)
    ir = f.b.load(ctx.ir, row.size, row.offset, type=PTR["packet" if which == "data" else "packet_end"], hint=which)
    f.env[var] = Pointer(ir, None)
    return ir


def invalidate(f: Lowering) -> None:
    """A helper may have moved the packet: every pointer into it is dead."""
    from .values import Unclear

    for name, value in list(f.env.items()):
        if name in (START, END):
            del f.env[name]
        elif isinstance(value, Pointer | Place):
            ir = value.ir if isinstance(value, Pointer) else value.ptr
            if ir.type.region.startswith("packet"):
                f.env[name] = Unclear("stale-pointer", f"{name.lstrip('$')!r} points into a packet that has moved since",
                                      "read it again: 'pkt = ctx.packet'")


def _end(f: Lowering, node: ast.AST) -> Value:
    held = f.env.get(END)
    if isinstance(held, Pointer):
        return held.ir
    if isinstance(f.hook_ctx, Context):
        return edge_of(f, f.hook_ctx, "data_end")
    raise f.error("stale-pointer", "the packet may have moved since this cursor was made", node,
                  help="make a new one: 'pkt = ctx.packet'")


def _position(f: Lowering, cur: Cursor, node: ast.AST) -> Value:
    held = f.use(f.env[cur.var], node)
    assert isinstance(held, Pointer)
    return held.ir


def _checked(f: Lowering, at: Value, size: int, layout: Layout, node: ast.AST, why: str) -> Pointer:
    ok = f.op("ule", f.address(at, size), _end(f, node))
    return Pointer(at, layout, ok, why)


def _type_arg(f: Lowering, value: Val, node: ast.AST) -> Layout:
    try:
        return layout_of(value.value if isinstance(value, Known) else value)
    except TypeError:
        raise f.error("type-mismatch", "this takes a type, such as Ethernet or u32", node) from None


def pull(f: Lowering, cur: Cursor, args: list[Val], node: ast.Call) -> Val:
    """`pkt.pull(T)`: what stands here as a T, or None when the packet is too short; moves on by its size."""
    layout = _type_arg(f, args[0], node)
    at = _position(f, cur, node)
    result = _checked(f, at, layout.size, layout, node, "the packet is too short")
    f.env[cur.var] = Pointer(f.address(at, layout.size), None)
    return result


def peek(f: Lowering, cur: Cursor, args: list[Val], node: ast.Call) -> Val:
    """`pkt.peek(T)`: as pull, without moving."""
    layout = _type_arg(f, args[0], node)
    return _checked(f, _position(f, cur, node), layout.size, layout, node, "the packet is too short")


def at(f: Lowering, cur: Cursor, args: list[Val], node: ast.Call) -> Val:
    """`pkt.at(offset, T)`: a T `offset` bytes from here, or None."""
    layout = _type_arg(f, args[1], node)
    where = _moved(f, cur, f.integer(args[0], node), node)
    return _checked(f, where, layout.size, layout, node, "the packet is too short")


def take_bytes(f: Lowering, cur: Cursor, args: list[Val], node: ast.Call) -> Val:
    """`pkt.bytes(offset, n)`: n bytes (a constant) `offset` from here, or None."""
    count = f.integer(args[1], node)
    if not arith.is_exact(count):
        raise f.error("type-mismatch", "the number of bytes must be a constant", node, help="loop over single bytes instead")
    layout = ArrayType(TYPES["u8"], count.lo)
    where = _moved(f, cur, f.integer(args[0], node), node)
    return _checked(f, where, count.lo, layout, node, "the packet is too short")


def skip(f: Lowering, cur: Cursor, args: list[Val], node: ast.Call) -> Val:
    """`pkt.skip(n)`: move on by n bytes; what is there is checked by the next pull."""
    f.env[cur.var] = Pointer(_moved(f, cur, f.integer(args[0], node), node), None)
    return Known(None)


def _moved(f: Lowering, cur: Cursor, offset: Int, node: ast.AST) -> Value:
    position = _position(f, cur, node)
    if arith.is_exact(offset):
        return f.address(position, offset.lo)
    if offset.lo < 0 or offset.hi > 0x7FFF:
        # The verifier follows a packet pointer only over a bounded distance; farther than this no packet goes.
        f.guard(f.op("ule", offset.ir, 0x7FFF))
    return f.address(position, offset.ir)


def left(f: Lowering, cur: Cursor, node: ast.AST) -> Int:
    """`len(pkt)`: bytes from here to the end; 0 once it has moved beyond it."""
    position = _position(f, cur, node)
    distance = f.op("ptrdiff", _end(f, node), position)
    start = f.env.get(START)
    if not (isinstance(start, Pointer) and start.ir is position):
        distance = f.select(f.op("slt", distance, 0), Const(0), distance)
    return Int(distance, I64, 0, 0xFFFF)


def byte_at(f: Lowering, cur: Cursor, offset: Int, node: ast.AST) -> Val:
    """`pkt[i]`: a byte; beyond the end the program stops with its default answer."""
    where = _moved(f, cur, offset, node)
    yes, no = f.join("inside"), f.abort_join()
    branch(f, f.op("ule", f.address(where, 1), _end(f, node)), yes, no)
    enter(f, yes)
    return Place(where, 0, TYPES["u8"])


METHODS = {"pull": (pull, 1), "peek": (peek, 1), "at": (at, 2), "bytes": (take_bytes, 2), "skip": (skip, 1)}
