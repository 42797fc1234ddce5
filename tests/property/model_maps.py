"""Globals, maps, rings and packets of the language in CPython: entries by the bytes of their keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from purebpf.dsl import ints
from purebpf.dsl.ints import IntType
from purebpf.dsl.layout import ArrayType, Layout

from .model_ints import N
from .model_memory import Abort, Block, View, at_rest, layout_of, machine, read, write

NOEXIST, EXIST = 1, 2


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

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Variable) else other))

    __hash__ = object.__hash__


class Constant(N):
    """A `Const`: a number, and `.value`."""

    @property
    def value(self) -> N:
        return N(int(self), self.r)


class Table:
    """What hashes and arrays have in common."""

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

    def __iter__(self) -> Iterator[tuple[Any, View]]:
        """Entries in place. Of hashes the kernel's order is nobody's business: programs must not depend on it."""
        for raw, block in list(self.entries.items()):
            yield read(Block(raw), 0, self.key), self._place(block)

    items = __iter__


class Hash(Table):
    def __delitem__(self, key: Any) -> None:
        self.entries.pop(at_rest(self.key, key), None)

    def setdefault(self, key: Any, value: Any) -> View:
        raw = at_rest(self.key, key)
        if raw not in self.entries:
            self.entries[raw] = Block(at_rest(self.layout, value))
        return self._place(self.entries[raw])

    def update(self, key: Any, value: Any, flags: int = 0) -> None:
        there = key in self
        if not (flags == NOEXIST and there or flags == EXIST and not there):
            self[key] = value


class ArrayMap(Table):
    def __init__(self, value: Layout, count: int) -> None:
        super().__init__(ints.u32, value)  # type: ignore[arg-type]
        self.entries = {machine.order.bytes(i, 4): Block(bytes(value.size)) for i in range(count)}

    def _made(self, key: Any) -> Block:
        if not 0 <= int(key) < len(self.entries):
            raise Abort
        return self.entries[at_rest(self.key, key)]


class Waiting:
    """A queue, or a stack."""

    def __init__(self, layout: Layout, count: int, last_first: bool) -> None:
        self.layout, self.count, self.at = layout, count, -1 if last_first else 0
        self.held: list[bytes] = []

    def push(self, value: Any) -> None:
        if len(self.held) < self.count:
            self.held.append(at_rest(self.layout, value))

    def peek(self) -> Any:
        return read(Block(self.held[self.at]), 0, self.layout) if self.held else None

    def pop(self) -> Any:
        return read(Block(self.held.pop(self.at)), 0, self.layout) if self.held else None


class Ring:
    def __init__(self, layout: Layout, records: list[bytes]) -> None:
        self.layout, self.records = layout, records
        self.dropped = False

    def output(self, value: Any) -> None:
        self.records.append(at_rest(self.layout, value))

    def reserve(self) -> Ring:
        self.place, self.dropped = View(Block(bytes(self.layout.size)), 0, self.layout), False
        return self

    def discard(self, record: Any) -> None:
        self.dropped = True

    def __enter__(self) -> View:
        return self.place

    def __exit__(self, kind: type[BaseException] | None, error: object, where: object) -> None:
        if kind is None and not self.dropped:
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

    def bytes(self, offset: int, count: int) -> View | None:
        return self.at(offset, ArrayType(ints.u8, int(count)))  # type: ignore[arg-type]

    def skip(self, count: int) -> None:
        self.start += int(count)

    def __len__(self) -> int:
        return max(0, len(self.block.data) - self.start)

    def __getitem__(self, index: int) -> N:
        if not 0 <= int(index) < len(self):
            raise Abort
        return N(self.block.data[self.start + int(index)], (0, 255))


class Ctx(NamedTuple):
    packet: Cursor
