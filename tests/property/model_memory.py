"""Memory of the language in CPython: bytes behind views, so that unions, bit-fields and aliases are what they are; text as
values with room; structs as classes. Layouts are purebpf's own; what they mean is written anew."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from purebpf.dsl import memory
from purebpf.dsl.ints import IntType
from purebpf.dsl.layout import ArrayType, Layout, StructType
from purebpf.order import LITTLE, NETWORK, Order

from .model_ints import N, wrap


class Machine:
    """What the program runs on."""

    order: Order = LITTLE


machine = Machine()


class Abort(Exception):
    """An index outside: the program ends with its hook's answer."""


class Cast:
    """`u8` and the like: called, a cast; indexed, an array or a bit-field."""

    def __init__(self, layout: IntType) -> None:
        self.layout, self.r = layout, (layout.lo, layout.hi)

    def __call__(self, value: Any = 0) -> N:
        return N(wrap(int(value), self.r), self.r)

    def __getitem__(self, index: Any) -> Layout:
        return self.layout[index]


class Text(str):
    """Text in memory: its characters are numbers, with zeros behind it up to its room."""

    room: int

    def __new__(cls, value: str, room: int) -> Text:
        self = str.__new__(cls, value)
        self.room = room
        return self

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Text(str(self)[slice(*(None if v is None else int(v) for v in (index.start, index.stop, index.step)))], self.room)
        at = int(index) + (len(self) if index < 0 else 0)
        if not 0 <= at < self.room:
            raise Abort
        return N(ord(str(self)[at]) if at < len(self) else 0, (0, 255))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class Formatted(str):
    """What an f-string gives: stored, it is cut so that its final zero fits."""


class Block:
    """Some bytes, and the views into them that are alive."""

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = bytearray(data)
        self.views: weakref.WeakSet[View] = weakref.WeakSet()

    def replace(self, offset: int, new: bytes) -> None:
        """Whole contents assigned: names bound to what was there keep the old."""
        for view in list(self.views):
            size = view._layout.size
            if offset <= view._offset and view._offset + size <= offset + len(new):
                view._move(Block(self.data[view._offset : view._offset + size]), 0)
        self.data[offset : offset + len(new)] = new


class View:
    """A struct, union, array or number in a block: a reference."""

    __slots__ = ("_block", "_offset", "_layout", "__weakref__")
    __hash__ = object.__hash__

    def __init__(self, block: Block, offset: int, layout: Layout) -> None:
        object.__setattr__(self, "_layout", layout)
        self._move(block, offset)

    def _move(self, block: Block, offset: int) -> None:
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_offset", offset)
        block.views.add(self)

    def __bytes__(self) -> bytes:
        return bytes(self._block.data[self._offset : self._offset + self._layout.size])

    def __getattr__(self, name: str) -> Any:
        if name == "value" and not isinstance(self._layout, StructType):
            return read(self._block, self._offset, self._layout)
        if (method := METHODS.get(self._layout.name, {}).get(name)) is not None:
            return method.__get__(self)
        f = _field(self._layout, name)
        value = read(self._block, self._offset + f.offset, f.type)
        return _bits(value, f) if f.bits else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value" and not isinstance(self._layout, StructType):
            return write(self._block, self._offset, self._layout, value)
        f = _field(self._layout, name)
        if f.bits:
            order, size = machine.order, f.type.size
            unit, low = order.number(self._block.data[self._offset + f.offset :][:size]), order.lowest(f.bit, f.bits, size)
            mask = ((1 << f.bits) - 1) << low
            value = unit & ~mask | int(value) << low & mask
            raw = order.bytes(value, size)
            self._block.data[self._offset + f.offset : self._offset + f.offset + f.type.size] = raw
        else:
            write(self._block, self._offset + f.offset, f.type, value)

    def _at(self, index: int) -> int:
        layout: Any = self._layout
        index = int(index)
        if not -layout.count <= index < layout.count:
            raise Abort
        return self._offset + index % layout.count * layout.elem.size

    def __getitem__(self, index: int) -> Any:
        return read(self._block, self._at(index), self._layout.elem)  # type: ignore[attr-defined]

    def __setitem__(self, index: int, value: Any) -> None:
        write(self._block, self._at(index), self._layout.elem, value)  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return self._layout.count  # type: ignore[attr-defined,no-any-return]

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> None:
        """A lock is taken: nobody else is there."""

    def __exit__(self, *error: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes):
            return bytes(self) == other
        return isinstance(other, View) and _plain(self) == _plain(other)


def _plain(value: Any) -> Any:
    if not isinstance(value, View):
        return value
    if isinstance(value._layout, StructType):
        return [_plain(getattr(value, f.name)) for f in value._layout.fields]
    return [_plain(one) for one in value]


def _field(layout: Layout, name: str) -> Any:
    for f in getattr(layout, "fields", ()):
        if f.name == name:
            return f
    raise AttributeError(name)


def _bits(unit: N, f: Any) -> N:
    value = int(unit) >> machine.order.lowest(f.bit, f.bits, f.type.size) & ((1 << f.bits) - 1)
    if f.type.signed and value >> (f.bits - 1):
        value -= 1 << f.bits
    return N(value, unit.r)


def read(block: Block, offset: int, layout: Layout) -> Any:
    raw = bytes(block.data[offset : offset + layout.size])
    if isinstance(layout, IntType):
        value = (NETWORK if layout.big_endian else machine.order).number(raw, signed=layout.signed)
        return N(int(value != 0) if layout.is_bool else value, (layout.lo, layout.hi))
    if _is_text(layout):
        return Text(raw.split(b"\0")[0].decode("latin-1"), layout.size)
    return View(block, offset, layout)


def _is_text(layout: Layout) -> bool:
    return isinstance(layout, ArrayType) and isinstance(layout.elem, IntType) and layout.elem.is_char


def at_rest(layout: Layout, value: Any) -> bytes:
    """A value as the bytes that a place of this type holds."""
    if isinstance(layout, IntType):
        number = int(bool(value)) if layout.is_bool else wrap(int(value), (layout.lo, layout.hi))
        return (NETWORK if layout.big_endian else machine.order).bytes(number, layout.size)
    if isinstance(value, Formatted):
        value = str(value)[: layout.size - 1]
    if isinstance(value, str):
        return value.encode("latin-1")[: layout.size].ljust(layout.size, b"\0")
    if isinstance(value, View):
        return bytes(value)
    if hasattr(value, "block"):  # a global
        return bytes(value.block.data)
    if not isinstance(layout, ArrayType):
        raise TypeError(f"{value!r} is no {layout}")
    return b"".join(at_rest(layout.elem, one) for one in value).ljust(layout.size, b"\0")


def write(block: Block, offset: int, layout: Layout, value: Any) -> None:
    raw = at_rest(layout, value)
    if isinstance(layout, IntType) or _is_text(layout):
        block.data[offset : offset + len(raw)] = raw
    else:
        block.replace(offset, raw)


class Maker(type):
    """A struct or union class: called, a new value; a value of its layout is one of it, also in a pattern."""

    layout: Layout
    defaults: dict[str, Any]
    names: list[str]

    def __new__(cls, made: type, union: bool, packed: bool) -> Maker:
        noted = {name: layout_of(word) for name, word in made.__annotations__.items()}
        real = type(made.__name__, (), {"__annotations__": noted, "__module__": __name__})
        self = type.__new__(cls, made.__name__, (), {})
        done: Any = memory.union(real) if union else memory.struct(packed=packed)(real)
        self.layout = done.__bpf_layout__
        self.defaults = {name: vars(made)[name] for name in noted if name in vars(made)}
        self.names = list(noted)
        METHODS[self.layout.name] = {name: f for name, f in vars(made).items() if callable(f) and not name.startswith("__")}
        return self

    def __init__(self, made: type, union: bool, packed: bool) -> None:
        pass

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, View) and value._layout == self.layout

    def __call__(self, *values: Any, **named: Any) -> View:  # type: ignore[override]
        made = View(Block(bytes(self.layout.size)), 0, self.layout)
        for name, value in {**self.defaults, **dict(zip(self.names, values)), **named}.items():
            setattr(made, name, value)
        return made


METHODS: dict[str, dict[str, Callable[..., Any]]] = {}  # of the structs of the program that runs


def layout_of(word: Any) -> Any:
    return word.layout if isinstance(word, (Cast, Maker)) else word
