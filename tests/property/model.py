"""The words of the language in CPython, as the contract has them: what a random program with effects must do.

A program's text runs with these words in place of purebpf's. Integers know their type and wrap at 64 bits, memory is
bytes behind views (so that unions, bit-fields and aliases are what they are), names bound to an aggregate that is then
replaced keep the old contents, `get` copies, `lookup` does not. Layouts are purebpf's own; everything else is written anew.

    state = run(text, packet)      the answer, globals, maps, records and the packet afterwards, as bytes
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

from purebpf.dsl import ints, memory
from purebpf.dsl.ints import IntType
from purebpf.dsl.layout import ArrayType, Layout, StructType

from .model_ints import N, wrap

ABORTED = 0  # what XDP answers when a program is ended


class Abort(Exception):
    """An index outside: the program ends with its hook's answer."""


class State(NamedTuple):
    """What is left of one run."""

    retval: int
    globals: dict[str, bytes]
    maps: dict[str, dict[bytes, bytes]]
    records: list[bytes]
    packet: bytes


class Cast:
    """`u8` and the like: called, a cast; indexed, an array or a bit-field."""

    def __init__(self, layout: IntType) -> None:
        self.layout, self.r = layout, (layout.lo, layout.hi)

    def __call__(self, value: Any = 0) -> N:
        return N(wrap(int(value), self.r), self.r)

    def __getitem__(self, index: Any) -> Layout:
        return self.layout[index]


# --- memory -------------------------------------------------------------------------------------------------------------


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
        f = _field(self._layout, name)
        value = read(self._block, self._offset + f.offset, f.type)
        return _bits(value, f) if f.bits else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value" and not isinstance(self._layout, StructType):
            return write(self._block, self._offset, self._layout, value)
        f = _field(self._layout, name)
        if f.bits:
            unit = int.from_bytes(self._block.data[self._offset + f.offset :][: f.type.size], "little")
            mask = ((1 << f.bits) - 1) << f.bit
            value = unit & ~mask | int(value) << f.bit & mask
            raw = value.to_bytes(f.type.size, "little")
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

    def __eq__(self, other: object) -> bool:
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
    value = int(unit) >> f.bit & ((1 << f.bits) - 1)
    if f.type.signed and value >> (f.bits - 1):
        value -= 1 << f.bits
    return N(value, unit.r)


def read(block: Block, offset: int, layout: Layout) -> Any:
    raw = bytes(block.data[offset : offset + layout.size])
    if isinstance(layout, IntType):
        value = int.from_bytes(raw, "big" if layout.big_endian else "little", signed=layout.signed)
        return N(int(value != 0) if layout.is_bool else value, (layout.lo, layout.hi))
    if _is_text(layout):
        return raw.split(b"\0")[0].decode("latin-1")
    return View(block, offset, layout)


def _is_text(layout: Layout) -> bool:
    return isinstance(layout, ArrayType) and isinstance(layout.elem, IntType) and layout.elem.is_char


def at_rest(layout: Layout, value: Any) -> bytes:
    """A value as the bytes that a place of this type holds."""
    if isinstance(layout, IntType):
        number = int(bool(value)) if layout.is_bool else wrap(int(value), (layout.lo, layout.hi))
        return number.to_bytes(layout.size, "big" if layout.big_endian else "little", signed=layout.signed)
    if isinstance(value, str):
        return value.encode("latin-1")[: layout.size].ljust(layout.size, b"\0")
    if isinstance(value, View):
        return bytes(value)
    if isinstance(value, Variable):
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


class Maker:
    """A struct or union class: called, a new value."""

    def __init__(self, cls: type, union: bool) -> None:
        noted = {name: layout_of(word) for name, word in cls.__annotations__.items()}
        real = type(cls.__name__, (), {"__annotations__": noted, "__module__": __name__})
        made = memory.union(real) if union else memory.struct(real)
        self.layout: Layout = made.__bpf_layout__
        self.defaults = {name: vars(cls)[name] for name in noted if name in vars(cls)}
        self.names = list(noted)

    def __call__(self, *values: Any, **named: Any) -> View:
        made = View(Block(bytes(self.layout.size)), 0, self.layout)
        for name, value in {**self.defaults, **dict(zip(self.names, values)), **named}.items():
            setattr(made, name, value)
        return made


def layout_of(word: Any) -> Any:
    return word.layout if isinstance(word, (Cast, Maker)) else word


# --- maps, globals, records, packets ------------------------------------------------------------------------------------


class Words:
    """One run: what the program's text may say."""

    def __init__(self, packet: bytes) -> None:
        self.packet = Block(packet)
        self.records: list[bytes] = []

    def namespace(self) -> dict[str, Any]:
        run = self
        casts = {name: Cast(getattr(ints, name)) for name in
                 ("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "be16", "be32", "char")}
        casts["bool_"] = Cast(ints.BOOL)

        class Bpf:
            struct = staticmethod(lambda cls: Maker(cls, False))
            union = staticmethod(lambda cls: Maker(cls, True))
            func = xdp = staticmethod(lambda f: f)

            @staticmethod
            def loop(count: int, body: Any) -> None:
                for i in range(int(count)):
                    if body(i):
                        break

        class Array(_Indexable):
            @staticmethod
            def make(words: tuple[Any, ...]) -> Any:
                if len(words) == 2:
                    return ArrayType(layout_of(words[0]), get_args(words[1])[0])
                return lambda max_entries: ArrayMap(layout_of(words[0]), max_entries)

        class HashMap(_Indexable):
            @staticmethod
            def make(words: tuple[Any, ...]) -> Any:
                return lambda max_entries: Hash(layout_of(words[0]), layout_of(words[1]))

        class RingBuf(_Indexable):
            @staticmethod
            def make(words: tuple[Any, ...]) -> Any:
                return lambda max_entries: Ring(layout_of(words[0]), run.records)

        class Global(_Indexable):
            @staticmethod
            def make(words: tuple[Any, ...]) -> Any:
                layout = layout_of(words[0])
                return lambda init=None: Variable(layout, init)

        class Ptr(_Indexable):
            @staticmethod
            def make(words: tuple[Any, ...]) -> Any:
                return words[0]

        return {**casts, "bpf": Bpf, "Array": Array, "HashMap": HashMap, "RingBuf": RingBuf, "Global": Global, "Ptr": Ptr,
                "Literal": Literal, "min": _least, "max": _most}


def _least(a: int, b: int) -> int:
    return a if a <= b else b


def _most(a: int, b: int) -> int:
    return a if a >= b else b


class _Indexable:
    def __class_getitem__(cls, words: Any) -> Any:
        return cls.make(words if isinstance(words, tuple) else (words,))

    @staticmethod
    def make(words: tuple[Any, ...]) -> Any:
        raise NotImplementedError


class Variable:
    """A global: `.value`, or a struct's fields and an array's elements through the name."""

    def __init__(self, layout: Layout, init: Any) -> None:
        self.__dict__["layout"] = layout
        self.__dict__["block"] = Block(bytes(layout.size) if init is None else at_rest(layout, init))

    def __getattr__(self, name: str) -> Any:
        whole = read(self.block, 0, self.layout)
        return whole if name == "value" else getattr(whole, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value":
            write(self.block, 0, self.layout, value)
        else:
            setattr(read(self.block, 0, self.layout), name, value)

    def __getitem__(self, index: int) -> Any:
        return self.value[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.value[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)


class Table:
    """What hashes and arrays have in common: entries by the bytes of their key."""

    def __init__(self, key: Layout, value: Layout) -> None:
        self.key, self.layout = key, value
        self.entries: dict[bytes, Block] = {}

    def _place(self, block: Block) -> View:
        return View(block, 0, self.layout)

    def lookup(self, key: Any) -> View | None:
        block = self.entries.get(at_rest(self.key, key))
        return None if block is None else self._place(block)

    def get(self, key: Any, default: Any = None) -> Any:
        block = self.entries.get(at_rest(self.key, key))
        return default if block is None else read(Block(block.data), 0, self.layout)

    def __contains__(self, key: Any) -> bool:
        return at_rest(self.key, key) in self.entries

    def _made(self, key: Any) -> Block:
        return self.entries.setdefault(at_rest(self.key, key), Block(bytes(self.layout.size)))

    def __getitem__(self, key: Any) -> Any:
        """A struct is made for its field to be written; a number, of an absent key 0, when it is stored."""
        if isinstance(self.layout, IntType) and at_rest(self.key, key) not in self.entries and isinstance(self, Hash):
            return N(0, (self.layout.lo, self.layout.hi))
        return read(self._made(key), 0, self.layout)

    def __setitem__(self, key: Any, value: Any) -> None:
        raw = at_rest(self.layout, value)
        write(self._made(key), 0, self.layout, value) if isinstance(self.layout, IntType) else self._made(key).replace(0, raw)


class Hash(Table):
    def __delitem__(self, key: Any) -> None:
        self.entries.pop(at_rest(self.key, key), None)

    def setdefault(self, key: Any, value: Any) -> View:
        raw = at_rest(self.key, key)
        if raw not in self.entries:
            self.entries[raw] = Block(at_rest(self.layout, value))
        return self._place(self.entries[raw])


class ArrayMap(Table):
    def __init__(self, value: Layout, count: int) -> None:
        super().__init__(ints.u32, value)  # type: ignore[arg-type]
        self.entries = {i.to_bytes(4, "little"): Block(bytes(value.size)) for i in range(count)}

    def _made(self, key: Any) -> Block:
        if not 0 <= int(key) < len(self.entries):
            raise Abort
        return self.entries[at_rest(self.key, key)]


class Ring:
    def __init__(self, layout: Layout, records: list[bytes]) -> None:
        self.layout, self.records = layout, records

    def output(self, value: Any) -> None:
        self.records.append(at_rest(self.layout, value))

    def reserve(self) -> Ring:
        self.place = View(Block(bytes(self.layout.size)), 0, self.layout)
        return self

    def __enter__(self) -> View:
        return self.place

    def __exit__(self, kind: type[BaseException] | None, error: object, where: object) -> None:
        if kind is None:
            self.records.append(bytes(self.place))


class Cursor:
    """`ctx.packet`: a place in the packet that `pull` moves, if it finds what it looks for."""

    def __init__(self, block: Block) -> None:
        self.block, self.start = block, 0

    def at(self, offset: int, kind: Any) -> View | None:
        layout, begin = layout_of(kind), self.start + int(offset)
        return View(self.block, begin, layout) if begin + layout.size <= len(self.block.data) else None

    def peek(self, kind: Any) -> View | None:
        return self.at(0, kind)

    def pull(self, kind: Any) -> View | None:
        found = self.at(0, kind)
        self.start += layout_of(kind).size if found is not None else 0
        return found

    def __len__(self) -> int:
        return max(0, len(self.block.data) - self.start)

    def __getitem__(self, index: int) -> N:
        if not 0 <= int(index) < len(self):
            raise Abort
        return N(self.block.data[self.start + int(index)], (0, 255))


class Ctx(NamedTuple):
    packet: Cursor


def run(text: str, packet: bytes) -> State:
    """The program `prog` of a module's text on a packet. Raises whatever the text does wrong as Python."""
    words = Words(packet)
    scope = words.namespace()
    body = "\n".join(line for line in text.splitlines() if not line.startswith(("import ", "from ")))
    exec(compile(body, "<model>", "exec", dont_inherit=True), scope)
    try:
        retval = int(scope["prog"](Ctx(Cursor(words.packet)))) & 0xFFFFFFFF
    except (Abort, AssertionError):
        retval = ABORTED
    variables = {n: bytes(v.block.data) for n, v in scope.items() if isinstance(v, Variable)}
    maps = {n: {k: bytes(b.data) for k, b in v.entries.items()} for n, v in scope.items() if isinstance(v, Table)}
    return State(retval, variables, maps, words.records, bytes(words.packet.data))
