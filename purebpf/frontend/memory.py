"""Reading and writing memory: fields, elements, strings, whole structs; directly, by CO-RE, or fault-safe.

Kernel and user memory that the verifier does not vouch for is read with probe_read helpers into a temporary.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..dsl.memory import encode
from ..errors import CompileError
from ..ir.function import Const, Op, Value
from ..ir.ops import Core, CoreConst, Mem
from ..ir.types import I64 as IR_I64
from . import arith
from .values import Fill, Int, Known, Place, Pointer, Poison, Record, Text, Val, describe

if TYPE_CHECKING:
    from .context import Lowering

CHAR = TYPES["char"]
FIELD_BYTE_OFFSET, FIELD_EXISTS = 0, 2  # CO-RE relocation kinds
CONSTANT_SIZE = 32  # bytes from which a constant struct is cheaper in .rodata than stored to the stack

def deref(f: Lowering, pointer: Pointer, node: ast.AST) -> Place:
    """The memory behind a pointer. An untested pointer is the language's null-pointer error."""
    if pointer.present is not None and pointer.present not in f.facts:
        name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else "this"
        raise f.error("null-pointer", f"'{name}' may be None here", node,
                      label=pointer.why and f"this is None when {pointer.why}",
                      help=f"test it first ('if {name} is not None:')" if name != "this" else "name it and test it first")
    if pointer.target is None:
        raise f.error("type-mismatch", "a pointer to void has nothing behind it", node,
                      help="say what it points to: 'Ptr[T]'")
    core = (pointer.target, (0,)) if isinstance(pointer.target, StructType) and pointer.target.core else None
    return Place(pointer.ir, 0, pointer.target, pointer.access, core=core, writable=pointer.writable)

def field(f: Lowering, place: Place, name: str, node: ast.AST) -> Place | None:
    """The member `name` of a struct in memory; None if there is no such member."""
    layout = place.layout
    if not isinstance(layout, StructType):
        return None
    member = layout.field(name)
    if member is None:
        return None
    core = None
    if place.core is not None:
        core = place.core[0], (*place.core[1], layout.fields.index(member))
    return place._replace(off=place.off + member.offset, layout=member.type, bit=member.bit, bits=member.bits, core=core)

def element(f: Lowering, place: Place, index: Int, node: ast.AST) -> Place:
    """An element of an array in memory. A constant index is checked here; another one on the spot: out of the array it
    ends the program with its default answer, as an uncaught IndexError ends a Python program."""
    layout = place.layout
    if not isinstance(layout, ArrayType):
        raise f.error("type-mismatch", f"{layout.name} is not an array", node)
    if arith.is_exact(index):
        at = index.lo + layout.count if index.lo < 0 else index.lo
        if not 0 <= at < layout.count:
            raise f.error("index", f"index {index.lo} is outside {layout.name}", node)
        core = (place.core[0], (*place.core[1], at)) if place.core else None
        return place._replace(off=place.off + at * layout.elem.size, layout=layout.elem, core=core)
    if place.core:
        raise f.error("unsupported", "an array inside a kernel type takes a constant index", node)
    if index.lo < 0 or index.hi >= layout.count:
        f.guard(f.op("ult", index.ir, layout.count))
    offset = f.op("mul", index.ir, layout.elem.size)
    return place._replace(ptr=f.address(place.ptr, offset), layout=layout.elem)

def address(f: Lowering, place: Place) -> Value:
    """Where the place is, as a pointer; a CO-RE offset becomes an instruction the loader patches."""
    if place.core is not None and len(place.core[1]) > 1:
        return f.address(place.ptr, core_value(f, place, FIELD_BYTE_OFFSET, place.off))
    return f.address(place.ptr, place.off)

def core_value(f: Lowering, place: Place, kind: int, local: int) -> Value:
    """A CO-RE question about the place, answered when the object is loaded."""
    core = _core(f, place, kind)
    return f.b.op("core", attr=CoreConst(core, local))

def _core(f: Lowering, place: Place, kind: int) -> Core:
    assert place.core is not None
    root, path = place.core
    return Core(f.unit.types.id_of(root), ":".join(map(str, path)), kind)

# --- reading -----------------------------------------------------------------------------------------------------------

def load(f: Lowering, place: Place, node: ast.AST) -> Val:
    """What is in the place: a number, a pointer; arrays and structs stay where they are."""
    layout = place.layout
    if isinstance(layout, ArrayType | StructType):
        return place
    if place.bits:
        return _load_bits(f, place)
    if isinstance(layout, IntType):
        raw = _load(f, place, layout.size, layout.signed)
        if layout.big_endian:
            raw = f.op(f"bswap{layout.bits}", raw)
        return Int(raw, layout, layout.lo, layout.hi)
    if isinstance(layout, PtrType):
        raw = _load(f, place, 8, False)
        return Pointer(raw, layout.target, access="user" if layout.user else "probe", writable=False)
    raise f.error("type-mismatch", f"{layout.name} cannot be read", node)

def _load(f: Lowering, place: Place, size: int, sext: bool) -> Value:
    sext = sext and size < 8
    if place.access == "direct":
        core = _core(f, place, FIELD_BYTE_OFFSET) if place.core is not None else None
        return f.b.op("load", place.ptr, type=IR_I64, attr=Mem(size, place.off, sext, core))
    slot = f.temporary(size, min(size, 8))
    read(f, place, slot, size)
    return f.b.load(slot, size, sext=sext)

def read(f: Lowering, place: Place, to: Value, size: int) -> None:
    """A fault-safe read of `size` bytes: zeros when the address is bad."""
    where = address(f, place)
    f.unit.call_helper(f, "probe_read_user" if place.access == "user" else "probe_read_kernel", to, size, where)

def read_string(f: Lowering, text: Text, to: Value, size: int) -> Value:
    """A fault-safe read of a string into `size` bytes, NUL-terminated; gives its length with the NUL, or an error."""
    name = "probe_read_user_str" if text.user else "probe_read_kernel_str"
    return f.unit.call_helper(f, name, to, size, text.address)

def _load_bits(f: Lowering, place: Place) -> Int:
    layout = place.layout
    assert isinstance(layout, IntType)
    raw = _load(f, place, layout.size, False)
    up = 64 - place.bit - place.bits
    raw = f.op("sar" if layout.signed else "shr", f.op("shl", raw, up), 64 - place.bits)
    lo = -(1 << (place.bits - 1)) if layout.signed else 0
    return Int(raw, layout, lo, (1 << (place.bits - layout.signed)) - 1)

# --- writing -----------------------------------------------------------------------------------------------------------

def store(f: Lowering, place: Place, value: Val, node: ast.AST) -> None:
    """Put a value into the place, converted to what it holds."""
    if place.access != "direct" or not place.writable:
        raise f.error("read-only", "this memory is the kernel's: a program can read it, not write it", node)
    layout = place.layout
    if isinstance(value, Poison):
        raise CompileError([])
    if place.bits:
        _store_bits(f, place, f.integer(value, node))
    elif isinstance(layout, IntType):
        number = f.integer(value, node)
        if layout.is_bool:
            number = arith.wrap(f, number, layout)
        raw = f.op(f"bswap{layout.bits}", number.ir) if layout.big_endian else number.ir
        _put(f, place, raw, layout.size)
    elif isinstance(layout, PtrType):
        _put(f, place, _pointer_value(f, value, node), 8)
    elif isinstance(value, Record) and isinstance(layout, StructType):
        fill(f, place, value, node)
    elif isinstance(value, Place) and value.layout == layout:
        copy(f, place, value, layout.size)
    elif isinstance(layout, ArrayType):
        _store_array(f, place, layout, value, node)
    else:
        raise f.ir_type_error(f"a {layout.name} is stored here", value, node)

def _put(f: Lowering, place: Place, raw: Value, size: int) -> None:
    f.b.op("store", place.ptr, raw, attr=Mem(size, place.off))

def _pointer_value(f: Lowering, value: Val, node: ast.AST) -> Value:
    if isinstance(value, Pointer):
        return value.ir
    if isinstance(value, Text):
        return value.address
    if value == Known(None):
        return Const(0)
    return f.integer(value, node).ir

def _store_bits(f: Lowering, place: Place, number: Int) -> None:
    layout = place.layout
    mask = ((1 << place.bits) - 1) << place.bit
    old = f.op("and", f.b.load(place.ptr, layout.size, place.off), ~mask)
    new = f.op("and", f.op("shl", number.ir, place.bit), mask)
    _put(f, place, f.op("or", old, new), layout.size)

def _store_array(f: Lowering, place: Place, layout: ArrayType, value: Val, node: ast.AST) -> None:
    chars = isinstance(layout.elem, IntType) and layout.elem.size == 1
    if isinstance(value, Known) and isinstance(value.value, str | bytes) and chars:
        data = value.value.encode() if isinstance(value.value, str) else value.value
        if len(data) > layout.size:
            raise f.error("too-long", f"{len(data)} bytes do not fit into {layout.name}", node)
        write_bytes(f, place, data.ljust(layout.size, b"\0"))
    elif isinstance(value, Text) and chars:
        read_string(f, value, f.address(place.ptr, place.off), layout.size)
    elif isinstance(value, Fill):
        if value.size and value.size > layout.size:
            raise f.error("too-long", f"{value.what} is {value.size} bytes, {layout.name} is smaller", node)
        value.emit(f, f.address(place.ptr, place.off), layout.size)
    elif isinstance(value, Known) and isinstance(value.value, list | tuple) and len(value.value) == layout.count:
        for i, item in enumerate(value.value):
            store(f, place._replace(off=place.off + i * layout.elem.size, layout=layout.elem), Known(item), node)
    elif isinstance(value, Place) and isinstance(value.layout, ArrayType) and value.layout.elem == layout.elem:
        size = min(value.layout.size, layout.size)
        copy(f, place, value, size)
        zero(f, place._replace(off=place.off + size), layout.size - size)
    else:
        raise f.ir_type_error(f"a {layout.name} is stored here", value, node)

def pieces(place: Place, size: int) -> list[tuple[int, int]]:
    """(offset, bytes) pieces of memory, each as wide as alignment lets it be. Slots, map values and records start at a
    multiple of 8."""
    base = place.ptr
    known = isinstance(base, Op) and base.row.name in ("alloca", "helper")
    at, out = 0, []
    while at < size:
        width = 8
        while width > size - at or (place.off + at) % width or (not known and width > place.layout.align):
            width //= 2
        out.append((at, width))
        at += width
    return out

def copy(f: Lowering, to: Place, source: Place, size: int) -> None:
    """`size` bytes from one place to another."""
    if source.access != "direct":
        read(f, source, f.address(to.ptr, to.off), size)
        return
    for at, width in pieces(to, size):
        _put(f, to._replace(off=to.off + at), f.b.load(source.ptr, width, source.off + at), width)

def zero(f: Lowering, place: Place, size: int) -> None:
    """`size` bytes of zeros."""
    for at, width in pieces(place, size):
        _put(f, place._replace(off=place.off + at), Const(0), width)

def write_bytes(f: Lowering, place: Place, data: bytes) -> None:
    """Constant bytes."""
    for at, width in pieces(place, len(data)):
        value = int.from_bytes(data[at : at + width], "little")
        _put(f, place._replace(off=place.off + at), Const(value), width)

def fill(f: Lowering, place: Place, record: Record, node: ast.AST) -> None:
    """A struct value into memory; what it does not name is zero, padding included (the verifier, and whoever reads the
    bytes, would see old stack contents otherwise)."""
    layout = record.layout
    given = {name for name, _ in record.fields}
    covered = sorted((m.offset, m.offset + m.type.size) for m in layout.fields if m.name in given and not m.bits)
    at = 0
    for start, stop in [*covered, (layout.size, layout.size)]:
        if start > at:
            zero(f, place._replace(off=place.off + at), start - at)
        at = max(at, stop)
    for name, value in record.fields:
        member = field(f, place, name, node)
        assert member is not None
        store(f, member, value, node)

def materialize(f: Lowering, value: Val, layout: Layout, node: ast.AST, hint: str = "") -> Place:
    """The value in a stack slot of its own, as `layout`."""
    slot = f.temporary(layout.size, 8 if layout.size >= 8 else max(layout.align, 1), hint)
    place = Place(slot, 0, layout)
    store(f, place, value, node)
    return place

def place_of(f: Lowering, value: Val, layout: Layout, node: ast.AST) -> Value:
    """A pointer to the value as `layout`: where it is, if it is in memory that helpers take, else a stack copy."""
    if isinstance(value, Pointer) and value.target == layout and value.access == "direct":
        value = deref(f, value, node)
    if isinstance(value, Place) and value.layout == layout and value.access == "direct" and value.core is None:
        if value.ptr.type.region in ("stack", "value", "data", "mem", "packet"):
            return f.address(value.ptr, value.off)
    if isinstance(value, Place) and value.layout != layout and not isinstance(layout, ArrayType):
        raise f.error("type-mismatch", f"a {layout.name} is needed here, not {describe(value)}", node)
    if isinstance(value, Record) and layout.size >= CONSTANT_SIZE and all(isinstance(v, Known) for _, v in value.fields):
        return constant(f, layout, {name: v.value for name, v in value.fields if isinstance(v, Known)}, node)
    return materialize(f, value, layout, node).ptr


def constant(f: Lowering, layout: Layout, value: object, node: ast.AST) -> Value:
    """The address of a constant in .rodata: where helpers read it just as well as from the stack, without the stores."""
    try:
        return f.unit.constant_bytes(f, encode(layout, value, layout.name))
    except (ValueError, TypeError) as error:
        raise f.error("constant", f"this value does not fit: {error}", node) from None


def blank(f: Lowering, layout: Layout, node: ast.AST) -> Value:
    """The address of zeros, to be read."""
    if layout.size >= CONSTANT_SIZE:
        return constant(f, layout, {} if isinstance(layout, StructType) else 0, node)
    place = Place(f.temporary(layout.size, 8), 0, layout)
    zero(f, place, layout.size)
    return place.ptr
