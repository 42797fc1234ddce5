"""Bytes of a map or an event ↔ Python values, by BTF type.

`codec(btf, type, size)` compiles a type once into one `struct.Struct` over all its scalars and a tree of nodes that
takes the unpacked numbers apart (`take`) and puts them together (`put`), so that decoding a flat struct is one call in C.

    int, enum        int (bool for _Bool)         char[n]     str up to the NUL (surrogateescape)
    __be16/32/64     the number it stands for     T[n]        list
    pointer          int                          struct      record.Record
    float            float                        union       record.UnionRecord
    no BTF           int for 1, 2, 4, 8 bytes, else bytes
"""

from __future__ import annotations

import struct
import sys
from operator import itemgetter
from typing import Any, Callable, Final, Iterator

from ..errors import BtfError, FormatError
from . import types as t
from .container import Btf, kind_name
from .layout import POINTER, fields, resolve, resolved, size_of
from .nodes import (
    ORDER,
    UNSIGNED,
    ArrayNode,
    Bits,
    Node,
    Order,
    Scalar,
    Slot,
    StructNode,
    UnionNode,
    chars,
    foreign_float,
    integer,
    new_record,
    pack,
    raw_bytes,
)
from .record import Record

_FLOATS: Final = {2: "e", 4: "f", 8: "d"}
_BIG_ENDIAN: Final = frozenset({"__be16", "__be32", "__be64", "be16", "be32", "be64"})
_MAX_BYTES: Final = 1 << 30  # of a value: the kernel's limit
_MAX_NODES: Final = 100_000  # struct members in one value, all levels: more is a hostile type
_DEPTH: Final = 64
_UNROLLED: Final = 32  # members; compiling longer decoders costs more than most maps repay


class Codec:
    """Both directions for values of `size` bytes. `decode(bytes)` takes at least `size` bytes; `encode(object)` gives
    exactly `size`. FormatError names the field that does not fit."""

    __slots__ = ("size", "decode", "encode", "_node", "_struct", "_many")

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]

    def __init__(self, node: Node) -> None:
        self.size, self._node = node.size, node
        self._struct = struct.Struct(ORDER + node.fmt)
        self.encode = self._encode
        self._many: Callable[[bytes], Iterator[Any]] | None = None
        self.decode = self._decode_scalar if isinstance(node, Scalar) else self._decode
        if isinstance(node, StructNode) and node.flat:
            self.decode = _unrolled(node, self._struct) if 0 < len(node.names) <= _UNROLLED else self._decode_flat

    def _decode_scalar(self, data: bytes) -> Any:
        try:
            return self._struct.unpack_from(data)[0]
        except struct.error:
            raise _too_short(self.size, data) from None

    def _decode_flat(self, data: bytes) -> Any:
        node = self._node
        assert isinstance(node, StructNode)
        try:
            values = self._struct.unpack_from(data)
        except struct.error:
            raise _too_short(self.size, data) from None
        if node.patches:
            patched = list(values)
            for index, load in node.patches:
                patched[index] = load(patched[index])
            values = tuple(patched)
        out = new_record(node.cls)
        out.__dict__.update(zip(node.names, values))
        return out

    def _decode(self, data: bytes) -> Any:
        try:
            return self._node.take(iter(self._struct.unpack_from(data)))
        except struct.error:
            raise _too_short(self.size, data) from None

    def _encode(self, value: Any) -> bytes:
        return pack(self._node, self._struct, value)

    def decode_each(self, data: bytes) -> Iterator[Any]:
        """The values that lie one behind the other in `data`, whose length is a multiple of `size`."""
        node, pad = self._node, self.size - self._struct.size
        if isinstance(node, Scalar) and not pad:
            return map(itemgetter(0), self._struct.iter_unpack(data))
        if isinstance(node, StructNode) and node.flat and 0 < len(node.names) <= _UNROLLED:
            if self._many is None:
                self._many = _unrolled(node, struct.Struct(f"{self._struct.format}{pad}x"), many=True)
            return self._many(data)
        return (self.decode(data[at:at + self.size]) for at in range(0, len(data), self.size))


def _unrolled(node: StructNode, packed: struct.Struct, many: bool = False) -> Callable[[bytes], Any]:
    """`_decode_flat` written out for one struct, member by member: a third of the time, which ring buffers feel. `many`: a
    generator over the structs that lie one behind the other."""
    names: dict[str, Any] = {"unpack": packed.unpack_from, "each": packed.iter_unpack, "new": new_record, "cls": node.cls, "error": struct.error,
                             "short": _too_short, "size": node.size}
    names.update((f"load{index}", load) for index, load in node.patches)
    values = [f"load{i}(v{i})" if f"load{i}" in names else f"v{i}" for i in range(len(node.names))]
    got = "".join(f"v{i}, " for i in range(len(values)))
    made = [" out = new(cls)", " held = out.__dict__", *(f" held[{name!r}] = {value}" for name, value in zip(node.names, values))]
    lines = ["def decode(data):", " try:", f"  {got} = unpack(data)", " except error:", "  raise short(size, data) from None", *made,
             " return out"]
    if many:
        lines = ["def decode(data):", f" for {got} in each(data):", *(" " + line for line in made), "  yield out"]
    exec("\n".join(lines), names)  # noqa: S102 - of numbers and quoted names only
    function: Callable[[bytes], Any] = names["decode"]
    return function


def _too_short(size: int, data: bytes) -> FormatError:
    return FormatError(f"{len(data)} bytes are too few for a value of {size}")


def codec(btf: Btf | None, type_id: int, size: int) -> Codec:
    """The codec of type `type_id`, which must have `size` bytes; without a type (0, or no BTF) one for bare bytes.

    FormatError if the sizes differ or the type holds no data; BtfError if the BTF is malformed."""
    if btf is None or not type_id:
        return Codec(Scalar(UNSIGNED[size], size) if size in UNSIGNED else raw_bytes(size))
    own = size_of(btf, type_id)
    if own != size:
        raise FormatError(f"type {type_id} has {own} bytes, the value {size}")
    return Codec(_Compiler(btf).node(type_id, 0))


def record_class(btf: Btf, type_id: int) -> type[Record]:
    """The class that values of a struct type decode to, for making one by hand."""
    node = _Compiler(btf).node(type_id, 0)
    if not isinstance(node, StructNode):
        raise FormatError(f"type {type_id} is no struct")
    return node.cls


def is_big_endian(btf: Btf, type_id: int) -> bool:
    """Is it one of the types whose values are in network byte order: __be16, __be32, __be64?"""
    for _ in range(_DEPTH):
        one = btf[type_id] if type_id else None
        if isinstance(one, t.Typedef) and one.name in _BIG_ENDIAN:
            return True
        if not isinstance(one, (t.Typedef, t.Const, t.Volatile, t.Restrict, t.TypeTag)):
            return False
        type_id = one.type
    return False  # `resolve` says what is wrong


# ── from types to nodes ──────────────────────────────────────────────────────────────────────────────────────────────


class _Compiler:
    """Makes nodes of the types of one Btf, each struct once."""

    __slots__ = ("btf", "done", "nodes", "order")

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.order: Order = "big" if btf.byteorder == "big" else "little"
        self.done: dict[int, Node] = {}
        self.nodes = 0

    def node(self, type_id: int, depth: int) -> Node:
        """The node of a type. BtfError if it has no values or contains itself."""
        if depth > _DEPTH:
            raise BtfError(f"type {type_id} contains itself")
        big_endian = is_big_endian(self.btf, type_id)
        plain = resolve(self.btf, type_id)
        if plain in self.done and not big_endian:
            return self.done[plain]
        match self.btf[plain] if plain else None:
            case t.Int() as one:
                return integer(one, "big" if big_endian else self.order)
            case t.Enum() | t.Enum64() as one if one.size in UNSIGNED:
                return integer(t.Int("", one.size, t.SIGNED if one.signed else 0), self.order)
            case t.Ptr():
                return integer(t.Int("", POINTER), self.order)
            case t.Float() as one if one.size in _FLOATS and self.order != sys.byteorder:
                return foreign_float(one.size, _FLOATS[one.size], self.order)
            case t.Float() as one:
                return Scalar(_FLOATS[one.size], one.size) if one.size in _FLOATS else raw_bytes(one.size)
            case t.Array() as one:
                return self._array(one, depth)
            case t.Struct():
                made = self._struct(plain, depth)
            case t.Union() as one:
                made = self._union(plain, one, depth)
            case t.Datasec() as one:
                made = self._datasec(one, depth)
            case t.Var() as one:
                return self.node(one.type, depth + 1)
            case _:
                raise BtfError(f"type {type_id}: {kind_name(self.btf, plain)} has no values")
        self.done[plain] = made
        return made

    def _array(self, one: t.Array, depth: int) -> Node:
        elem = resolved(self.btf, one.elem)
        if isinstance(elem, t.Int) and elem.size == 1 and (elem.name == "char" or elem.encoding & t.CHAR):
            return chars(one.nelems)
        node = self.node(one.elem, depth + 1)
        if one.nelems * node.size > _MAX_BYTES or not isinstance(node, Scalar) and one.nelems * len(node.fmt) > _MAX_BYTES >> 4:
            raise BtfError(f"an array of {one.nelems} elements is too large for a value")
        return ArrayNode(node, one.nelems)

    def _struct(self, type_id: int, depth: int) -> Node:
        one = self.btf[type_id]
        assert isinstance(one, t.Struct)
        parts = list(self._parts(one, 0, depth))
        return _layout(one.name, one.size, parts, self.order)

    def _parts(self, one: t.Struct, base: int, depth: int) -> Iterator[Part]:
        """Members with anonymous structs dissolved; anonymous unions stay."""
        if depth > _DEPTH:
            raise BtfError(f"struct {one.name!r} contains itself")
        for m in one.members:
            self.nodes += 1
            if self.nodes > _MAX_NODES:
                raise BtfError(f"struct {one.name!r} has over {_MAX_NODES} members")
            inner = resolved(self.btf, m.type)
            if not m.name and isinstance(inner, t.Struct):
                yield from self._parts(inner, base + m.bit_offset, depth + 1)
                continue
            bits, offset = m.bits, base + m.bit_offset
            if isinstance(inner, t.Int) and inner.bits >= 0 and not bits:
                bits, offset = inner.bits, offset + inner.offset
            if bits:
                if m.name:
                    signed = isinstance(inner, t.Int) and bool(inner.encoding & t.SIGNED) or (
                        isinstance(inner, (t.Enum, t.Enum64)) and inner.signed)
                    yield Part(m.name, offset, bits, signed, None)
            else:
                yield Part(m.name, offset, 0, False, self.node(m.type, depth + 1))

    def _union(self, type_id: int, one: t.Union, depth: int) -> Node:
        slots: dict[str, Slot] = {}
        for f in fields(self.btf, type_id):
            self.nodes += 1
            if self.nodes > _MAX_NODES:
                raise BtfError(f"union {one.name!r} has over {_MAX_NODES} members")
            if not f.name:
                continue
            if f.bits:
                inner = resolved(self.btf, f.type)
                signed = isinstance(inner, t.Int) and bool(inner.encoding & t.SIGNED)
                node: Node = _bits_node(one.name, f.offset, [Part(f.name, f.bit_offset, f.bits, signed, None)],
                                       self.order)
            else:
                node = self.node(f.type, depth + 1)
            if f.offset + node.size > one.size:
                raise BtfError(f"union {one.name!r}: member {f.name!r} leaves the union")
            slots[f.name] = Slot(f.offset, node)
        return UnionNode(one.name, slots, one.size)

    def _datasec(self, one: t.Datasec, depth: int) -> Node:
        parts = []
        for v in sorted(one.vars, key=lambda v: v.offset):
            var = self.btf[v.type]
            if isinstance(var, t.Var):
                parts.append(Part(var.name, 8 * v.offset, 0, False, self.node(var.type, depth + 1)))
        return _layout(one.name, one.size, parts, self.order)


class Part:
    """A member on its way into a StructNode: a node, or (None) a bit-field."""

    __slots__ = ("name", "bit_offset", "bits", "signed", "node")

    def __init__(self, name: str, bit_offset: int, bits: int, signed: bool, node: Node | None) -> None:
        self.name, self.bit_offset, self.bits, self.signed, self.node = name, bit_offset, bits, signed, node


def _layout(name: str, size: int, parts: list[Part], order: Order) -> StructNode:
    """Children with the padding between them; bit-fields that are neighbours become one node."""
    children: list[tuple[str, Node]] = []
    names: list[str] = []
    unions: dict[str, str] = {}
    fmt, at, i = "", 0, 0
    while i < len(parts):
        part = parts[i]
        offset = part.bit_offset // 8
        node = part.node
        if node is None:
            run = [part]
            while i + 1 < len(parts) and parts[i + 1].node is None:
                i += 1
                run.append(parts[i])
            node = _bits_node(name, offset, run, order)
            names += (p.name for p in run)
        elif not part.name and isinstance(node, UnionNode):
            part.name = f"_union{len(unions)}"
            unions.update(dict.fromkeys(node.cls._slots, part.name))
            names += node.cls._slots
        else:
            names.append(part.name)
        if offset < at or offset + node.size > size:
            raise BtfError(f"struct {name!r}: member {part.name!r} overlaps another or leaves the struct")
        fmt += (f"{offset - at}x" if offset > at else "") + node.fmt
        at = offset + node.size
        children.append((part.name, node))
        i += 1
    fmt += f"{size - at}x" if size > at else ""
    cls = type(name or "struct", (Record,), {"_name": name, "_fields": tuple(names), "_unions": unions})
    return StructNode(cls, tuple(children), fmt, size)


def _bits_node(struct_name: str, offset: int, run: list[Part], order: Order) -> Bits:
    end = max(p.bit_offset + p.bits for p in run)
    size = (end + 7) // 8 - offset
    parts = []
    for p in run:
        low = p.bit_offset - 8 * offset
        if low < 0:
            raise BtfError(f"struct {struct_name!r}: bit-field {p.name!r} is out of order")
        parts.append((p.name, low if order == "little" else 8 * size - low - p.bits, p.bits, p.signed))
    return Bits(size, tuple(parts), order)
