"""A set of types with ids: `Btf`, which is read, and `Builder`, which makes one.

Ids start at 1; 0 is void and has no record. A split `Btf` (a kernel module's) continues the ids and strings of its
`base`; `distill` makes it independent of one.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Final, Iterable, Iterator, Mapping

from ..errors import BtfError
from . import codec
from . import types as t
from .kinds import BY_CLASS, KINDS
from .names import essential as essential

Kinds = type[t.Type] | tuple[type[t.Type], ...] | None


_CHUNK: Final = 4096  # types decoded at once


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: walking all that is there again and again, as many small objects come up that stay,
    would take nearly as long as making them."""
    import gc

    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Btf:
    """Types by id, decoded when first asked for. Do not mutate: everybody shares it."""

    __slots__ = ("base", "first", "byteorder", "_raw", "_types", "_ids", "_changed", "_amended")

    def __init__(self, types: Iterable[t.Type] = (), base: Btf | None = None, byteorder: str = "little") -> None:
        self.base, self.byteorder = base, byteorder
        self.first = base.last + 1 if base is not None else 1
        self._raw: codec.Raw | None = None
        self._types: list[t.Type | None] = list(types)
        self._ids: dict[str, list[int]] | None = None
        self._changed = False  # other types than in `_raw`
        self._amended: frozenset[int] = frozenset()  # which

    @classmethod
    def from_bytes(cls, data: bytes, base: Btf | None = None, known: codec.Index | None = None) -> Btf:
        """BTF of a .BTF section or /sys/kernel/btf file. One pass finds the records, unless `known` is the `index` of equal bytes; a broken
        blob is a BtfError here or when the broken type is asked for (`check()` asks for all)."""
        if base is not None and (base._raw is None or base._changed):
            base = cls.from_bytes(base.to_bytes(base.byteorder), base.base)
        if base is None:
            raw = codec.Raw(data, known=known)
        else:
            assert base._raw is not None
            raw = codec.Raw(data, base.last + 1, base._raw.name, base._raw.base_size + len(base._raw.strings), known)
        btf = cls([None] * len(raw.starts), base, raw.byteorder)  # type: ignore[list-item]
        btf._raw = raw
        return btf

    @property
    def index(self) -> codec.Index | None:
        """Where the records are, of BTF that was read from bytes."""
        return None if self._raw is None else self._raw.index

    @property
    def last(self) -> int:
        """The highest id; 0 when there are no types at all."""
        return self.first + len(self._types) - 1

    def __len__(self) -> int:
        """Number of own types, without void and without the base's."""
        return len(self._types)

    def __getitem__(self, type_id: int) -> t.Type:
        """The type with that id, of this BTF or its base. BtfError if there is none, or if it is malformed."""
        index = type_id - self.first
        if index < 0:
            if self.base is not None:
                return self.base[type_id]
            raise BtfError("type 0 is void" if not type_id else f"there is no type {type_id}")
        try:
            got = self._types[index]
        except IndexError:
            raise BtfError(f"there is no type {type_id}: the last is {self.last}") from None
        if got is None:
            assert self._raw is not None
            got = self._types[index] = self._raw.decode(index)
        return got

    def __iter__(self) -> Iterator[t.Type]:
        """Own types in order of id."""
        if self._raw is None:
            return iter(self._types)  # type: ignore[arg-type]  # all are there
        return self._decoded()

    def _decoded(self) -> Iterator[t.Type]:
        assert self._raw is not None
        types, decode = self._types, self._raw.decode
        for start in range(0, len(types), _CHUNK):
            if start == _CHUNK:
                self._raw.preload()
            with collector_paused():
                for index in range(start, min(start + _CHUNK, len(types))):
                    if types[index] is None:
                        types[index] = decode(index)
            yield from types[start:start + _CHUNK]  # type: ignore[misc]

    def items(self) -> Iterator[tuple[int, t.Type]]:
        """(id, type) of own types."""
        return enumerate(self, self.first)

    def amended(self, changes: Mapping[int, t.Type]) -> Btf:
        """The same types with some replaced by others; what was not decoded is not."""
        out = Btf([], self.base, self.byteorder)
        out._types = list(self._types)
        out._raw, out._changed, out._amended = self._raw, True, self._amended | frozenset(changes)
        for type_id, one in changes.items():
            if self._raw is not None and getattr(one, "name", "") != getattr(self[type_id], "name", ""):
                raise ValueError(f"type {type_id} would have another name")  # the raw names are what is searched
            out._types[type_id - self.first] = one
        return out

    def encoded(self, changes: Mapping[int, t.Type]) -> tuple[bytes, codec.Strings] | None:
        """(records, strings) of a section with some types replaced, quickly; None for types that are not from bytes of this
        machine's byte order. `codec.finish` makes the section."""
        if self._raw is None or self.base is not None or self.byteorder != sys.byteorder:
            return None
        return self._raw.changed({**{i: self[i] for i in self._amended}, **changes})

    def of_kind(self, *kinds: type[t.Type]) -> Iterator[tuple[int, t.Type]]:
        """(id, type) of own types of these kinds; others are not decoded."""
        wanted = {BY_CLASS[k].number for k in kinds}
        if self._raw is None:
            return ((i, one) for i, one in self.items() if BY_CLASS[type(one)].number in wanted)
        words = self._raw.words
        return ((i, self[i]) for i, at in enumerate(self._raw.starts, self.first) if words[at + 1] >> 24 & 0x7F in wanted)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Btf):
            return NotImplemented
        return len(self) == len(other) and self.first == other.first and all(
            type(a) is type(b) and a == b for a, b in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Btf: {len(self)} types{f' on {self.base!r}' if self.base is not None else ''}>"

    def find(self, name: str, kinds: Kinds = None) -> int | None:
        """The first id with that name among `kinds` (a class of types.py, or several; None: any), base first."""
        return next(iter(self.find_all(name, kinds)), None)

    def find_all(self, name: str, kinds: Kinds = None, *, flavours: bool = False) -> list[int]:
        """Every id with that name, ascending, base's included. `flavours`: also names `name___anything`."""
        out = self.base.find_all(name, kinds, flavours=flavours) if self.base is not None else []
        wanted = None if kinds is None else {
            BY_CLASS[k].number for k in (kinds if isinstance(kinds, tuple) else (kinds,))}
        own = self._raw_ids(name, flavours) if self._raw is not None else self._listed_ids(name, flavours)
        return out + [i for i in own if (wanted is None or self.kind(i) in wanted)
                      and (not flavours or essential(getattr(self[i], "name", "")) == name)]

    def with_enumerator(self, name: str) -> Iterator[int]:
        """Ids of own enums that may have an enumerator of that name: no other is decoded."""
        for kind, width in (t.Enum, 2), (t.Enum64, 3):
            if self._raw is None:
                yield from (i for i, _ in self.of_kind(kind))
                continue
            offsets, words, number = frozenset(self._raw.offsets_of(name, False)), self._raw.words, BY_CLASS[kind].number
            for i, at in enumerate(self._raw.starts, self.first) if offsets else ():
                info = words[at + 1]
                if info >> 24 & 0x7F == number and not offsets.isdisjoint(words[at + 3:at + 3 + width * (info & 0xFFFF):width]):
                    yield i

    def kind(self, type_id: int) -> int:
        """The kind's number, without decoding the type."""
        index = type_id - self.first
        if index < 0 and self.base is not None:
            return self.base.kind(type_id)
        if self._raw is not None and 0 <= index < len(self._types):
            return self._raw.kind(index)
        return BY_CLASS[type(self[type_id])].number

    def string(self, offset: int) -> str:
        """The string at `offset` of the section this was read from (.BTF.ext refers to them)."""
        if self._raw is None:
            raise BtfError("only BTF that was read from bytes has string offsets")
        return self._raw.name(offset)

    def _raw_ids(self, name: str, flavours: bool) -> list[int]:
        assert self._raw is not None
        offsets: list[int] = []
        btf: Btf | None = self
        while btf is not None and btf._raw is not None:
            offsets += btf._raw.offsets_of(name, flavours)
            btf = btf.base
        return sorted(self.first + i for offset in offsets for i in self._raw.named(offset))

    def _listed_ids(self, name: str, flavours: bool) -> list[int]:
        if self._ids is None:
            self._ids = {}
            for i, one in self.items():
                self._ids.setdefault(getattr(one, "name", ""), []).append(i)
        if not flavours:
            return self._ids.get(name, [])
        return sorted(i for n, ids in self._ids.items() if n == name or n.startswith(name + "___") for i in ids)

    def check(self) -> None:
        """Decode every type and follow every chain: BtfError for whatever is malformed or endless."""
        from .layout import check_types

        check_types(self)

    def to_bytes(self, byteorder: str | None = None) -> bytes:
        """A .BTF section. That of split BTF goes with its base as that is written."""
        if self._raw is not None and not self._changed and byteorder in (None, self.byteorder):
            return self._raw.to_bytes()
        strings = None if self.base is None else codec.Strings(self.base._written_strings())
        return codec.encode(self, byteorder or self.byteorder, strings)

    def _written_strings(self) -> bytes:
        """All strings up to the end of its own, as `to_bytes` places them."""
        if self._raw is not None and not self._changed:
            own = self._raw.strings
        else:
            data = self.to_bytes()
            head = codec.read_header(data)
            own = data[head.str_start:head.str_end]
        return own if self.base is None else self.base._written_strings() + own


class Builder:
    """Makes a Btf: `add` gives the id of a type, the same id for an equal type. `seed` starts from a copy of a Btf."""

    __slots__ = ("_types", "_ids", "_unlisted")

    def __init__(self, seed: Btf | None = None) -> None:
        self._types: list[t.Type | None] = list(seed or ())
        self._ids: dict[tuple[type[t.Type], t.Type], int] = {}
        self._unlisted: list[int] = list(range(1, len(self._types) + 1))  # ids not in `_ids` yet

    def _list(self) -> None:
        """Know all types by value: only who adds needs it."""
        waiting, self._unlisted = self._unlisted, []
        for type_id in waiting:
            one = self._types[type_id - 1]
            if one is not None:
                self._ids.setdefault((type(one), one), type_id)

    def add(self, one: t.Type) -> int:
        """The id of `one`, new unless an equal type of the same class is there."""
        key = (type(one), one)
        if self._unlisted:
            self._list()
        found = self._ids.get(key)
        if found is None:
            self._types.append(one)
            found = self._ids[key] = len(self._types)
        return found

    def append(self, one: t.Type) -> int:
        """A new id for `one` even if an equal type is there."""
        self._types.append(one)
        self._unlisted.append(len(self._types))
        return len(self._types)

    def reserve(self) -> int:
        """An id to be `set` later: for types that refer to themselves."""
        self._types.append(None)
        return len(self._types)

    def set(self, type_id: int, one: t.Type) -> None:
        """Give a reserved id its type, or replace a type."""
        self._types[type_id - 1] = one
        self._unlisted.append(type_id)

    def __getitem__(self, type_id: int) -> t.Type:
        one = self._types[type_id - 1] if 0 < type_id <= len(self._types) else None
        if one is None:
            raise BtfError(f"there is no type {type_id}")
        return one

    def __len__(self) -> int:
        return len(self._types)

    def build(self) -> Btf:
        """The Btf. BtfError if a reserved id was never set, or a type refers to an id that is not there."""
        last = len(self._types)
        for number, one in enumerate(self._types, 1):
            if one is None:
                raise BtfError(f"type {number} was reserved but never set")
            refs = t.references(one)
            if refs and (min(refs) < 0 or max(refs) > last):
                ref = next(ref for ref in refs if not 0 <= ref <= last)
                raise BtfError(f"type {number} ({one!r:.80}) refers to type {ref}, but the last is {last}")
        return Btf(one for one in self._types if one is not None)


def graft(builder: Builder, source: Btf, type_id: int, memo: dict[int, int] | None = None) -> int:
    """Copy `type_id` of `source` and all it refers to into `builder`; its id there. Pass one `memo` {source id: new id}
    for all copies from the same source."""
    memo = {0: 0} if memo is None else memo
    memo.setdefault(0, 0)
    todo = [type_id]
    order: list[int] = []
    with collector_paused():
        while todo:
            one = todo.pop()
            if one in memo:
                continue
            memo[one] = builder.reserve()
            order.append(one)
            todo += t.references(source[one])
        for one in order:
            builder.set(memo[one], t.renumber(source[one], memo))
    return memo[type_id]


def kind_name(btf: Btf, type_id: int) -> str:
    """"struct", "int", "void" … of a type, for messages."""
    if not type_id:
        return "void"
    number = btf.kind(type_id)
    return next((k.cls.__name__.lower() for k in KINDS if k.number == number), f"kind {number}")
