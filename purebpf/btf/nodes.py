"""Nodes: the parts that a compiled value consists of; `values` makes them of types.

Each node knows its `struct` format, takes its share of the unpacked numbers and gives the Python value (`take`), and
the other way round (`put`). Packing is tried in one go; only when it fails does `check` look for the number to blame.
"""

from __future__ import annotations

import struct
import sys
from itertools import islice
from typing import Any, Callable, Final, Iterator, Literal, Mapping

from ..errors import FormatError
from . import types as t
from .record import Record, UnionRecord

Order = Literal["little", "big"]
ORDER: Final = "<" if sys.byteorder == "little" else ">"
UNSIGNED: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}

new_record = Record.__new__
MISSING: Final[Any] = object()  # a member that was left out


class Node:
    """Part of a value: `fmt` for struct, `size` in bytes, `count` of numbers that `fmt` unpacks to."""

    __slots__ = ("fmt", "size", "count")

    def __init__(self, fmt: str, size: int, count: int) -> None:
        self.fmt, self.size, self.count = fmt, size, count

    def take(self, values: Iterator[Any]) -> Any:
        """The Python value of the next `count` numbers."""
        raise NotImplementedError

    def put(self, value: Any, out: list[Any], where: str) -> None:
        """Append the numbers of `value`; FormatError for a shape that does not fit."""
        raise NotImplementedError

    def check(self, values: Iterator[Any], where: str) -> None:
        """After packing failed: FormatError for the first of the next `count` numbers that does not fit."""
        for _ in range(self.count):
            next(values)


class Scalar(Node):
    """A number that `struct` packs by itself."""

    __slots__ = ()

    def __init__(self, fmt: str, size: int) -> None:
        super().__init__(fmt, size, 1)

    def take(self, values: Iterator[Any]) -> Any:
        return next(values)

    def put(self, value: Any, out: list[Any], where: str) -> None:
        out.append(value)

    def check(self, values: Iterator[Any], where: str) -> None:
        value = next(values)
        try:
            struct.pack(ORDER + self.fmt, value)
        except (struct.error, OverflowError, TypeError):
            raise _misfit(where, value, self._wanted()) from None

    def _wanted(self) -> str:
        if self.fmt in "efd":
            return "a number"
        bits = 8 * self.size
        low, high = (0, (1 << bits) - 1) if self.fmt.isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)
        return f"an integer from {low} to {high}"


class Bytes(Node):
    """`size` bytes with a meaning of their own: `load` makes the value, `store(value, where)` the bytes."""

    __slots__ = ("load", "store")

    def __init__(self, size: int, load: Callable[[bytes], Any], store: Callable[[Any, str], bytes]) -> None:
        super().__init__(f"{size}s", size, 1)
        self.load, self.store = load, store

    def take(self, values: Iterator[Any]) -> Any:
        return self.load(next(values))

    def put(self, value: Any, out: list[Any], where: str) -> None:
        out.append(self.store(value, where))


class ArrayNode(Node):
    """`n` equal elements."""

    __slots__ = ("elem", "n")

    def __init__(self, elem: Node, n: int) -> None:
        n = n if elem.size else 0
        fmt = f"{n}{elem.fmt}" if isinstance(elem, Scalar) else elem.fmt * n
        super().__init__(fmt, n * elem.size, n * elem.count)
        self.elem, self.n = elem, n

    def take(self, values: Iterator[Any]) -> Any:
        if isinstance(self.elem, Scalar):
            return list(islice(values, self.n))
        take = self.elem.take
        return [take(values) for _ in range(self.n)]

    def put(self, value: Any, out: list[Any], where: str) -> None:
        try:
            items = list(value)
        except TypeError:
            raise _misfit(where, value, f"a sequence of {self.n}") from None
        if len(items) != self.n or isinstance(value, str):
            raise _misfit(where, value, f"a sequence of {self.n}")
        if isinstance(self.elem, Scalar):
            out += items
        else:
            for i, item in enumerate(items):
                self.elem.put(item, out, f"{where}[{i}]")

    def check(self, values: Iterator[Any], where: str) -> None:
        for i in range(self.n):
            self.elem.check(values, f"{where}[{i}]")


class Bits(Node):
    """Neighbouring bit-fields: (name, shift, bits, signed) in `size` bytes taken as one number of byte order `order`."""

    __slots__ = ("order", "parts")

    def __init__(self, size: int, parts: tuple[tuple[str, int, int, bool], ...], order: Order) -> None:
        super().__init__(f"{size}s", size, 1)
        self.parts, self.order = parts, order

    def take_into(self, raw: bytes, into: dict[str, Any]) -> None:
        whole = int.from_bytes(raw, self.order)
        for name, shift, bits, signed in self.parts:
            value = whole >> shift & (1 << bits) - 1
            into[name] = value - (1 << bits) if signed and value >> bits - 1 else value

    def put_from(self, get: Callable[[str], Any], out: list[Any], where: str) -> None:
        whole = 0
        for name, shift, bits, signed in self.parts:
            value = get(name)
            value = 0 if value is MISSING else value
            low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
            if not isinstance(value, int) or not low <= value <= high:
                raise _misfit(f"{where}.{name}", value, f"an integer from {low} to {high}")
            whole |= (value & (1 << bits) - 1) << shift
        out.append(whole.to_bytes(self.size, self.order))


class StructNode(Node):
    """A struct: children by name in order of offset; padding is in `fmt`. `flat`: every child is one number, so that
    `names` and the unpacked tuple match one to one, but for `patches` (index, load)."""

    __slots__ = ("cls", "children", "names", "flat", "patches")

    def __init__(self, cls: type[Record], children: tuple[tuple[str, Node], ...], fmt: str, size: int) -> None:
        super().__init__(fmt, size, sum(node.count for _, node in children))
        self.cls, self.children = cls, children
        self.names = tuple(name for name, _ in children)
        self.flat = all(isinstance(node, (Scalar, Bytes)) for _, node in children)
        self.patches = tuple((i, node.load) for i, (_, node) in enumerate(children) if isinstance(node, Bytes))

    def take(self, values: Iterator[Any]) -> Any:
        out = new_record(self.cls)
        into = out.__dict__
        for name, node in self.children:
            if isinstance(node, Bits):
                node.take_into(next(values), into)
            else:
                into[name] = node.take(values)
        return out

    def put(self, value: Any, out: list[Any], where: str) -> None:
        get = _getter(value, self.cls, where)
        for name, node in self.children:
            if isinstance(node, Bits):
                node.put_from(get, out, where)
            elif (given := get(name)) is MISSING:
                out.extend(struct.unpack(ORDER + node.fmt, bytes(struct.calcsize(ORDER + node.fmt))))
            else:
                node.put(given, out, f"{where}.{name}" if where else name)

    def check(self, values: Iterator[Any], where: str) -> None:
        for name, node in self.children:
            node.check(values, f"{where}.{name}" if where else name)


class Slot:
    """A member of a union: `node` at byte `offset`; of a Bits node the only bit-field."""

    __slots__ = ("offset", "size", "node", "_struct")

    def __init__(self, offset: int, node: Node) -> None:
        self.offset, self.size, self.node = offset, node.size, node
        self._struct = struct.Struct(ORDER + node.fmt)

    def get(self, data: bytearray) -> Any:
        """The member's reading of the union's bytes."""
        raw = bytes(data[self.offset:self.offset + self.size])
        if isinstance(self.node, Bits):
            into: dict[str, Any] = {}
            self.node.take_into(raw, into)
            return next(iter(into.values()))
        return self.node.take(iter(self._struct.unpack(raw)))

    def set(self, data: bytearray, value: Any) -> None:
        """Write the member into the union's bytes; other bits stay."""
        out: list[Any] = []
        if isinstance(self.node, Bits):
            self.node.put_from(lambda _: value, out, "")
            (_, shift, bits, _), = self.node.parts
            old = int.from_bytes(data[self.offset:self.offset + self.size], sys.byteorder)
            new = int.from_bytes(out[0], sys.byteorder)
            mask = (1 << bits) - 1 << shift
            raw = (old & ~mask | new).to_bytes(self.size, sys.byteorder)
        else:
            raw = pack(self.node, self._struct, value)
        data[self.offset:self.offset + self.size] = raw


class UnionNode(Node):
    """A union: its bytes, and a slot for each member."""

    __slots__ = ("cls",)
    cls: type[UnionRecord]

    def __init__(self, name: str, slots: Mapping[str, Slot], size: int) -> None:
        super().__init__(f"{size}s", size, 1)
        self.cls = type(name or "union", (UnionRecord,), {"__slots__": (), "_name": name, "_slots": slots})

    def take(self, values: Iterator[Any]) -> Any:
        return self.cls(next(values))

    def put(self, value: Any, out: list[Any], where: str) -> None:
        raw = bytes(value) if isinstance(value, (UnionRecord, bytes, bytearray)) else b""
        if raw and len(raw) == self.size:
            out.append(raw)
            return
        names = self.cls._slots
        given = value if isinstance(value, Mapping) else {n: getattr(value, n) for n in names if hasattr(value, n)}
        if not given and names:
            raise _misfit(where, value, f"a mapping of one of {', '.join(names)}")
        union = self.cls(bytes(self.size))
        for name, one in given.items():
            if name not in names:
                raise FormatError(f"{_dot(where)}there is no member {name!r}")
            try:
                setattr(union, name, one)
            except FormatError as e:
                raise FormatError(f"{_dot(where)}{name}: {e}") from None
        out.append(bytes(union))


def _getter(value: Any, cls: type[Record], where: str) -> Callable[[str], Any]:
    """How to take members out of whatever was given for a struct; of those that were left out, MISSING: they are zero."""
    if isinstance(value, Record):
        held = value.__dict__
    elif isinstance(value, Mapping):
        held = _with_unions(dict(value), cls)
    elif isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        if len(value) != len(cls._fields):
            raise _misfit(where, value, f"{len(cls._fields)} values ({', '.join(cls._fields)})")
        held = _with_unions(dict(zip(cls._fields, value)), cls)
    elif isinstance(value, (int, str, bytes, float)) or value is None:
        raise _misfit(where, value, f"a struct {cls._name} or a dict of its members".replace("  ", " "))
    else:
        held = _with_unions({n: getattr(value, n) for n in cls._fields if hasattr(value, n)}, cls)
    unknown = [n for n in held if n not in cls._fields and n not in cls._unions.values()]
    if unknown:
        raise FormatError(f"{_dot(where)}struct {cls._name} has no member {unknown[0]!r}")

    return lambda name: held.get(name, MISSING)


def _with_unions(held: dict[Any, Any], cls: type[Record]) -> dict[Any, Any]:
    """Gather members of anonymous unions under the attribute that holds the union."""
    for member, holder in cls._unions.items():
        if member in held:
            held.setdefault(holder, {})[member] = held.pop(member)
    return held


def _dot(where: str) -> str:
    return f"{where}: " if where else ""


def _misfit(where: str, value: Any, wanted: str) -> FormatError:
    return FormatError(f"{_dot(where)}{value!r:.60} is not {wanted}")


def pack(node: Node, packer: struct.Struct, value: Any) -> bytes:
    """The bytes of `value`; FormatError that names the field which does not fit."""
    out: list[Any] = []
    node.put(value, out, "")
    try:
        return packer.pack(*out)
    except (struct.error, OverflowError, TypeError):
        node.check(iter(out), "")
        raise FormatError(f"{value!r:.80} does not fit the type") from None


def integer(one: t.Int, order: Order) -> Node:
    """An integer in the given byte order."""
    if one.encoding & t.BOOL and one.size == 1:
        return Scalar("?", 1)
    signed = bool(one.encoding & t.SIGNED)
    if one.size in UNSIGNED and (order == sys.byteorder or one.size == 1):
        code = UNSIGNED[one.size]
        return Scalar(code.lower() if signed else code, one.size)
    size = one.size

    def load(raw: bytes) -> int:
        return int.from_bytes(raw, order, signed=signed)

    def store(value: Any, where: str) -> bytes:
        try:
            return int(value.__index__()).to_bytes(size, order, signed=signed)
        except (AttributeError, OverflowError):
            raise _misfit(where, value, f"an integer of {8 * size} bits") from None

    return Bytes(size, load, store)


def foreign_float(size: int, code: str, order: Order) -> Bytes:
    """A float in a byte order that is not this machine's."""
    one = struct.Struct(("<" if order == "little" else ">") + code)

    def load(raw: bytes) -> float:
        number: float = one.unpack(raw)[0]
        return number

    def store(value: Any, where: str) -> bytes:
        try:
            return one.pack(value)
        except (struct.error, TypeError, OverflowError):
            raise _misfit(where, value, "a number") from None

    return Bytes(size, load, store)


def chars(size: int) -> Bytes:
    def load(raw: bytes) -> str:
        return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")

    def store(value: Any, where: str) -> bytes:
        raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        if not isinstance(raw, (bytes, bytearray)):
            raise _misfit(where, value, "a str or bytes")
        if len(raw) > size:
            raise FormatError(f"{_dot(where)}{len(raw)} bytes do not fit in char[{size}]")
        return bytes(raw)

    return Bytes(size, load, store)


def raw_bytes(size: int) -> Bytes:
    def store(value: Any, where: str) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)) or len(bytes(value)) != size:
            raise _misfit(where, value, f"bytes of length {size}")
        return bytes(value)

    return Bytes(size, bytes, store)
