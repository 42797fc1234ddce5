"""Live maps: the base of all kinds, and the two that behave as Python mappings: keyed and array.

Values and keys are what the map's BTF says (`btf.values`), plain bytes where it says nothing; `.raw` is the same map as
bytes. Whole-map operations go in batches where the kernel has them (5.6) and one by one where not.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from errno import E2BIG, EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP, EPERM
from threading import get_ident
from typing import Any, NamedTuple

from ..btf import Btf
from ..errors import FormatError, KernelError, KeyMissing, NotSupported
from ..readings.table import Readings
from ..uapi.enums import Cmd, MapFlag
from . import bpf, sys
from .fd import Fd, Holder
from .pins import Pinned
from .refusals import refuse

ANY, NOEXIST, EXIST, LOCK = 0, 1, 2, 4
_BATCH_BYTES = 1 << 22
_SMALL = 4096  # bytes of a value that may be read along with its key
_NO_BATCHES = (EINVAL, sys.ENOTSUPP, EOPNOTSUPP)  # this kind of map has none, or the kernel is older
_NONE: Any = object()


class MapInfo(NamedTuple):
    """What the kernel tells about a map; sizes in bytes, type ids of the BTF object `btf_id` (0: none)."""

    type: int
    id: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    name: str
    btf_id: int = 0
    key_type: int = 0
    value_type: int = 0
    extra: int = 0


class RawCodec:
    """Bytes as they are, of one length."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def decode(self, data: bytes) -> bytes:
        return data

    def encode(self, value: Any) -> bytes:
        if isinstance(value, int):  # bytes(8) would be eight zeros
            raise FormatError(f"{self.size} bytes are needed here, not the number {value}: write it as "
                              f"({value}).to_bytes({self.size}, sys.byteorder)")
        data = bytes(value)
        if len(data) != self.size:
            raise FormatError(f"{self.size} bytes are needed here, not {len(data)}")
        return data


class LiveMap(Holder, Pinned):
    """A map in the kernel. `close` gives it back; the kernel keeps it while programs, pins or other maps use it."""

    def __init__(self, fd: Fd, info: MapInfo, key: Any, value: Any, value_bytes: int) -> None:
        self._fd, self.info = fd, info
        self._key, self._value = key, value
        self._value_bytes = value_bytes  # as the kernel copies it: all CPUs of a per-CPU value
        self._batches = True
        self.btf: Btf | None = None  # where the types of keys and values are
        self._seen: dict[int, Iterator[tuple[Any, bytes]]] = {}  # by thread: what `keys()` gave, see `_as_seen`

    @property
    def name(self) -> str:
        return self.info.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} id {self.info.id}{' closed' if self._fd.closed else ''}>"

    def _title(self) -> str:
        return f"map {self.name!r}"

    @property
    def value_bytes(self) -> int:
        """Of a value as the kernel copies it: those of all CPUs."""
        return self._value_bytes

    def freeze(self) -> None:
        """No more writes from user space, ever (5.2). EBUSY while a writable mapping of it lives."""
        result = bpf.map_freeze(self.fileno())
        if result < 0:
            raise self._refusal(result, "freezing")

    def _refusal(self, result: int, doing: str, hint: str = "") -> KernelError:
        errno = -result
        if not hint:
            hint = _HINTS.get((errno, doing), "")
        return refuse(errno, f"{doing} map {self.name!r}", hint=hint)


_HINTS = {
    (EPERM, "updating"): "the map is frozen or read-only for user space",
    (EPERM, "deleting from"): "the map is frozen or read-only for user space",
    (E2BIG, "updating"): "the map is full, or the index is past its end (max_entries)",
    (ENOSPC, "updating"): "the map is full (max_entries)",
    (EBUSY, "freezing"): "a writable mapping of it is still open",
    (EEXIST, "updating"): "the key is there already",
}


class KeyedMap(Readings, LiveMap, MutableMapping[Any, Any]):
    """Hashes, tries, local storage: a MutableMapping whose every access is a system call.

    A missing key is KeyMissing. Iteration sees what other writers do meanwhile: an entry may be missed or come twice."""

    @property
    def raw(self) -> KeyedMap:
        """The same map with bytes for keys and values; closing it is not needed."""
        view = type(self).__new__(type(self))
        LiveMap.__init__(view, self._fd, self.info, self._raw_key(), RawCodec(self._value_bytes), self._value_bytes)
        return view

    def _raw_key(self) -> Any:
        return RawCodec(self.info.key_size)

    # one entry

    def _key_bytes(self, key: Any) -> sys.Buffer:
        try:
            return sys.buffer(self._key.encode(key))
        except FormatError as error:
            raise FormatError(f"key of map {self.name!r}: {error}") from None

    def _value_buffer(self, value: Any) -> sys.Buffer:
        try:
            return sys.buffer(self._value.encode(value))
        except FormatError as error:
            raise FormatError(f"value of map {self.name!r}: {error}") from None

    def _missing(self, key: Any) -> KeyMissing:
        return KeyMissing(ENOENT, f"map {self.name!r} has no key {key!r}")

    def _fetch(self, command: int, key: Any, flags: int) -> bytes | None:
        value = sys.buffer(self._value_bytes)
        result = bpf.map_elem(command, self.fileno(), self._key_bytes(key), value, flags)
        if result >= 0:
            return value.raw[:self._value_bytes]
        if result == -ENOENT:
            return None
        raise self._refusal(result, "reading")

    def lookup(self, key: Any, *, flags: int = 0) -> Any:
        """The value, or None when there is no such key."""
        data = self._fetch(Cmd.MAP_LOOKUP_ELEM, key, flags)
        return None if data is None else self._value.decode(data)

    def __getitem__(self, key: Any) -> Any:
        data = self._fetch(Cmd.MAP_LOOKUP_ELEM, key, 0)
        seen = self._as_seen(key) if self._seen else None
        if data is None and seen is None:
            raise self._missing(key)
        return self._value.decode(seen if data is None else data)

    def _as_seen(self, key: Any) -> bytes | None:
        """The value that `keys()` saw, for who now asks for the values of its keys in their order."""
        me = get_ident()
        last, value = next(self._seen.get(me, iter(())), (_NONE, None))
        if last is not key:
            self._seen.pop(me, None)
            return None
        return value

    def __contains__(self, key: object) -> bool:
        try:
            return self._fetch(Cmd.MAP_LOOKUP_ELEM, key, 0) is not None
        except (FormatError, TypeError):
            return False  # it cannot be a key of this map

    def set(self, key: Any, value: Any, *, flags: int = ANY) -> None:
        """Write one entry. `flags`: ANY, NOEXIST (KernelError EEXIST if it is there), EXIST (KeyMissing if it is not)."""
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fileno(), self._key_bytes(key),
                              self._value_buffer(value), flags)
        if result == -ENOENT and flags & EXIST:
            raise self._missing(key)
        if result < 0:
            raise self._refusal(result, "updating")

    def __setitem__(self, key: Any, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: Any) -> None:
        result = bpf.map_elem(Cmd.MAP_DELETE_ELEM, self.fileno(), self._key_bytes(key), None)
        if result == -ENOENT:
            raise self._missing(key)
        if result < 0:
            raise self._refusal(result, "deleting from")

    def lookup_and_delete(self, key: Any) -> Any:
        """The value, removed in one step where the kernel can (hashes: 5.14), else in two. Raises KeyMissing."""
        try:
            data = self._fetch(Cmd.MAP_LOOKUP_AND_DELETE_ELEM, key, 0)
        except KernelError as error:
            if error.errno not in (EINVAL, sys.ENOTSUPP, EOPNOTSUPP):
                raise
            data = self._fetch(Cmd.MAP_LOOKUP_ELEM, key, 0)
            if data is not None:
                del self[key]
        if data is None:
            raise self._missing(key)
        return self._value.decode(data)

    def pop(self, key: Any, default: Any = _NONE) -> Any:
        try:
            return self.lookup_and_delete(key)
        except KeyMissing:
            if default is _NONE:
                raise
            return default

    def setdefault(self, key: Any, default: Any = None) -> Any:
        try:
            self.set(key, default, flags=NOEXIST)
        except KernelError as error:
            if error.errno != EEXIST:
                raise
        return self[key]

    # whole maps

    def _walk(self) -> Iterator[bytes]:
        """Every key, one system call each. Starts again from the front when the key it stands on is deleted."""
        size = self.info.key_size
        key, after = None, sys.buffer(size)
        while True:
            result = bpf.map_elem(Cmd.MAP_GET_NEXT_KEY, self.fileno(), key, after)
            if result == -ENOENT:
                return
            if result < 0:
                raise self._refusal(result, "walking")
            found = after.raw[:size]
            yield found
            key = sys.buffer(found)

    def _chunks(self) -> Iterator[bpf.Batch]:
        """The whole map in batches; nothing, and `_batches` False from then on, where the kernel has none for it."""
        position, size = b"", self.info.key_size
        chunk = max(1, min(self.info.max_entries, _BATCH_BYTES // (size + self._value_bytes)))
        while True:
            got = bpf.map_lookup_batch(self.fileno(), position, chunk, size, self._value_bytes)
            if got.result == -ENOSPC:  # one bucket of the hash holds more than a chunk
                chunk *= 2
                continue
            if got.result < 0 and got.result != -ENOENT:
                if position or -got.result not in _NO_BATCHES:
                    raise self._refusal(got.result, "reading")
                self._batches = False
                return
            yield got
            if got.result == -ENOENT:
                return
            position = got.position

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, value) as bytes."""
        if self._batches:
            for batch in self._chunks():
                yield from batch.entries(self.info.key_size, self._value_bytes)
        if self._batches:
            return
        for key in self._walk():
            value = sys.buffer(self._value_bytes)
            result = bpf.map_elem(Cmd.MAP_LOOKUP_ELEM, self.fileno(), sys.buffer(key), value)
            if result >= 0:  # else it went away meanwhile
                yield key, value.raw[:self._value_bytes]

    @property
    def is_whole(self) -> bool:
        """Do the kernel's batches hold just the entries? Not those of arrays with empty slots."""
        return type(self)._entries is KeyedMap._entries

    def blocks(self) -> Iterator[tuple[Any, Any, int]]:
        """(keys, values, how many) as memory, for who reads them all at once."""
        if self._batches and self.is_whole:
            for batch in self._chunks():
                yield batch.keys, batch.values, batch.length
            if self._batches:
                return
        pairs = list(self._entries())
        yield b"".join(k for k, _ in pairs), b"".join(v for _, v in pairs), len(pairs)

    def _items(self) -> Iterator[tuple[Any, Any]]:
        """Every (key, value), decoded; batches as a whole."""
        keys, values = (getattr(codec, "decode_each", None) for codec in (self._key, self._value))
        if self._batches and keys is not None and values is not None and self.is_whole:
            for batch in self._chunks():
                yield from zip(keys(batch.keys[:batch.length * self.info.key_size]), values(batch.values[:batch.length * self._value_bytes]))
            if self._batches:
                return
        for key, value in self._entries():
            yield self._key.decode(key), self._value.decode(value)

    def _keys(self) -> Iterator[bytes]:
        """Every key as bytes; with their values, if those are small, since a batch is so much cheaper than steps."""
        if self._batches and self._value_bytes <= _SMALL:
            for batch in self._chunks():
                yield from batch.only_keys(self.info.key_size)
            if self._batches:
                return
        yield from self._walk()

    def __iter__(self) -> Iterator[Any]:
        return map(self._key.decode, self._keys())

    def __len__(self) -> int:
        """How many entries there are now, by counting them."""
        if self._batches and self._value_bytes <= _SMALL:
            count = sum(batch.length for batch in self._chunks())
            if self._batches:
                return count
        return sum(1 for _ in self._walk())

    def items(self) -> ItemsView[Any, Any]:
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        return _Values(self)

    def keys(self) -> KeysView[Any]:
        """The keys that are there now; `dict(m)` asks for them and then for each value, and gets the value of an entry
        that was deleted in between."""
        return _Keys(self)

    def update(self, *others: Any, **named: Any) -> None:
        """Write many entries: a mapping, or pairs; in batches where the kernel can."""
        pairs = [(self._key.encode(k), self._value.encode(v)) for k, v in dict(*others, **named).items()]
        if self._batches and len(pairs) > 1:
            result = bpf.map_update_batch(self.fileno(), pairs)
            if result >= 0:
                return
            if -result not in _NO_BATCHES:
                raise self._refusal(result, "updating")
        for key, value in pairs:
            result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fileno(), sys.buffer(key), sys.buffer(value))
            if result < 0:
                raise self._refusal(result, "updating")

    def clear(self) -> None:
        keys = list(self._keys())
        if self._batches and len(keys) > 1 and bpf.map_delete_batch(self.fileno(), keys) >= 0:
            keys = list(self._keys())  # a batch stops at a key that went away meanwhile
        for key in keys:
            result = bpf.map_elem(Cmd.MAP_DELETE_ELEM, self.fileno(), sys.buffer(key), None)
            if result < 0 and result != -ENOENT:
                raise self._refusal(result, "deleting from")

    # readings: see Readings

    def to_numpy(self) -> Any:
        """(keys, values) as numpy arrays; records become structured arrays. Needs numpy."""
        from .arrays import to_numpy

        return to_numpy(self)


class _Items(ItemsView[Any, Any]):
    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        live: Any = self._mapping  # type: ignore[attr-defined]
        items: Iterator[tuple[Any, Any]] = live._items()
        return items


class _Keys(KeysView[Any]):
    def __iter__(self) -> Iterator[Any]:
        live: Any = self._mapping  # type: ignore[attr-defined]
        pairs = [(live._key.decode(k), value) for k, value in live._entries()]
        live._seen[get_ident()] = iter(pairs)
        return iter([key for key, _ in pairs])


class _Values(ValuesView[Any]):
    def __iter__(self) -> Iterator[Any]:
        live: Any = self._mapping  # type: ignore[attr-defined]
        return (live._value.decode(v) for _, v in live._entries())


class RawIndex(RawCodec):
    """The index of a raw view of an array: a number, or its bytes."""

    def decode(self, data: bytes) -> Any:
        return int.from_bytes(data, sys.BYTEORDER)

    def encode(self, value: Any) -> bytes:
        return value.to_bytes(self.size, sys.BYTEORDER) if isinstance(value, int) else super().encode(value)


class ArrayMap(KeyedMap):
    """Arrays: the keys are 0 … max_entries - 1, all always there. Iterating gives the indices, as of any mapping;
    `values()` the elements."""

    def _raw_key(self) -> Any:
        return RawIndex(4)

    def _missing(self, key: Any) -> KeyMissing:
        return KeyMissing(ENOENT, f"array {self.name!r} has {self.info.max_entries} elements, none at {key!r}")

    def _check(self, key: Any) -> None:
        number = int.from_bytes(key, sys.BYTEORDER) if isinstance(key, bytes) else key
        if not isinstance(number, int) or not 0 <= number < self.info.max_entries:
            raise self._missing(key)

    def _fetch(self, command: int, key: Any, flags: int) -> bytes | None:
        self._check(key)
        return super()._fetch(command, key, flags)

    def set(self, key: Any, value: Any, *, flags: int = ANY) -> None:
        self._check(key)
        super().set(key, value, flags=flags)

    def memory(self) -> memoryview:
        """The elements in memory shared with programs, each in a multiple of 8 bytes; a read is no system call. For arrays
        made with BPF_F_MMAPABLE (5.5), else NotSupported. It is unmapped when the view is released or forgotten."""
        stride = (self._value_bytes + 7) & ~7
        if not self.info.flags & MapFlag.MMAPABLE:
            raise NotSupported(EINVAL, f"mapping array {self.name!r}", hint="it was made without BPF_F_MMAPABLE", reason="")
        try:
            whole = sys.map_shared(self.fileno(), sys.pages(stride * self.info.max_entries), write=True)
        except OSError as error:
            raise self._refusal(-(error.errno or EINVAL), "mapping") from None
        return memoryview(whole)[:stride * self.info.max_entries]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and 0 <= key < self.info.max_entries

    def __iter__(self) -> Iterator[Any]:
        return iter(range(self.info.max_entries))

    def __len__(self) -> int:
        return self.info.max_entries

    def __delitem__(self, key: Any) -> None:
        raise NotSupported(EINVAL, f"deleting from array {self.name!r}", hint="elements of an array are always there: "
                                                                              "set them to zero instead")

    def lookup_and_delete(self, key: Any) -> Any:
        return self.__delitem__(key)

    def clear(self) -> None:
        """Set every element to zeros."""
        zero = bytes(self._value_bytes)
        self.raw.update({n.to_bytes(4, sys.BYTEORDER): zero for n in range(self.info.max_entries)})
