"""Live maps whose values stand for kernel objects: programs, maps, sockets, cgroups, perf events, tables of functions.

Writing takes the object (anything with `fileno()`, or a bare fd); what a read gives is the kernel's id, where the kernel
lets one read at all.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL, ENOENT
from typing import Any

from ..errors import FormatError, KernelError, KeyMissing
from ..uapi.enums import Cmd, MapType
from . import bpf, sys
from .fd import Fd
from .maps import ArrayMap, KeyedMap, LiveMap
from .perfbuf import PerfBuffer
from .queues import ReaderMap

_U32 = struct.Struct("=I")


class FdCodec:
    """Encodes an object with a file descriptor; decodes the id that the kernel shows in its place. `size` 4 or 8."""

    __slots__ = ("size",)

    def __init__(self, size: int = 4) -> None:
        self.size = size

    def encode(self, value: Any) -> bytes:
        number = value if isinstance(value, int) else value.fileno()
        return int(number).to_bytes(self.size, sys.BYTEORDER)

    def decode(self, data: bytes) -> int:
        return int.from_bytes(data, sys.BYTEORDER)


class SparseArray(ArrayMap):
    """An array whose slots may be empty: these are absent keys, and deleting empties them."""

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and 0 <= key < self.info.max_entries and self.lookup(key) is not None

    def __iter__(self) -> Iterator[Any]:
        return (n for n in range(self.info.max_entries) if self.lookup(n) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __delitem__(self, key: Any) -> None:
        self._check(key)
        KeyedMap.__delitem__(self, key)

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        for key in range(self.info.max_entries):
            data = self._fetch(1, key, 0)
            if data is not None:
                yield _U32.pack(key), data

    def clear(self) -> None:
        for key in range(self.info.max_entries):
            try:
                del self[key]
            except KeyMissing:
                pass


class ProgramTable(SparseArray):
    """A program array, for tail calls: `table[i] = obj.programs["next"]`. Reading gives the program's id."""


class MapTable(SparseArray):
    """An array of maps: `table[i] = other_map`. Reading gives the inner map, open until it is closed by the reader."""

    def inner(self, key: Any) -> Any:
        """The live inner map at `key`; close it after use. Raises KeyMissing."""
        from .handle import open_map

        return open_map(self[key])


class MapHash(KeyedMap):
    """A hash of maps."""

    def inner(self, key: Any) -> Any:
        """The live inner map at `key`; close it after use. Raises KeyMissing."""
        from .handle import open_map

        return open_map(self[key])


class FdTable(SparseArray):
    """Arrays of sockets, cgroups, AF_XDP sockets or perf events, by their fds."""


class PerfTable(FdTable, ReaderMap):
    """A perf event array: one ring per CPU behind `bpf_perf_event_output`. Iterating it gives events, as of a ring buffer;
    `items()` its slots."""

    _buffer: PerfBuffer[Any] | None = None
    _set_by_caller = False
    record: Any = None  # decodes a sample; None: bytes

    def buffer(self, *, pages: int = 0) -> PerfBuffer[Any]:
        """The reader of all CPUs, `pages` (a power of two, 8 by default) for each; closed with the map. Another number
        than before makes a new one; what the old one held is read first."""
        with self._making:
            old = self._buffer
            if old is not None and pages in (0, old.pages):
                return old
            decode = self.record.decode if self.record is not None else bytes
            made = PerfBuffer(lambda cpu, fd: FdTable.set(self, cpu, fd), decode, pages=pages or 8)
            if old is not None:
                made.take_over(old)
            self._buffer = made
            return made

    def reader(self) -> PerfBuffer[Any]:
        return self.buffer()

    def __iter__(self) -> Iterator[Any]:
        return self.events()

    def __len__(self) -> int:
        return sum(1 for _ in SparseArray.__iter__(self))

    def be_ready(self) -> None:
        """A sample that finds no ring is neither kept nor counted: open them, unless the caller put counters here. What
        cannot be opened is told when it is read."""
        if not self._set_by_caller:
            try:
                self.buffer()
            except KernelError:
                pass

    def set(self, key: Any, value: Any, *, flags: int = 0) -> None:
        self._set_by_caller = True
        super().set(key, value, flags=flags)

    def close(self) -> None:
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            buffer.close()
        super().close()

    @property
    def lost(self) -> int:
        """How many samples found no room since the reader was opened."""
        return self._buffer.lost if self._buffer is not None else 0


class OpsTable(LiveMap):
    """A struct_ops table: one value, the kernel's struct around it with programs in place of functions."""

    def raw_value(self) -> bytes:
        """The value as bytes, in the kernel's layout; functions are the ids of their programs."""
        value = sys.buffer(self._value_bytes)
        result = bpf.map_elem(Cmd.MAP_LOOKUP_ELEM, self.fileno(), sys.buffer(4), value)
        if result < 0:
            raise self._refusal(result, "reading")
        return value.raw[:self._value_bytes]

    def unregister(self) -> None:
        """Take it back from the kernel, where no link registered it. KernelError."""
        result = bpf.map_elem(Cmd.MAP_DELETE_ELEM, self.fileno(), sys.buffer(4), None)
        if result < 0:
            raise self._refusal(result, "unregistering", "it is not registered" if result == -ENOENT else "")


class FdKeyed(KeyedMap):
    """Local storage: the key is the owner, as anything with `fileno()`, or by name: a process by its pid (task storage), a
    file or a cgroup by its path. Others than these cannot be listed: the kernel does not."""

    @contextmanager
    def _owner(self, key: Any) -> Iterator[Any]:
        """The key as a descriptor, open as long as it is needed."""
        if hasattr(key, "fileno"):
            yield key
            return
        try:
            if self.info.type == MapType.TASK_STORAGE and isinstance(key, int):
                opened = Fd.owning(f"process {key}", os.pidfd_open, key)
            elif self.info.type != MapType.SK_STORAGE and isinstance(key, str | os.PathLike):
                opened = Fd.owning(f"owner {key}", os.open, key, os.O_RDONLY | os.O_CLOEXEC)
            else:
                raise FormatError(f"{key!r} owns nothing in {self!r}: give {_OWNERS.get(self.info.type, 'a descriptor')}")
        except OSError as error:
            raise KernelError(error.errno or EINVAL, f"opening the owner {key!r} of an entry of map {self.name!r}",
                              f"give {_OWNERS.get(self.info.type, 'a descriptor')}") from None
        with opened:
            yield opened

    def _fetch(self, command: int, key: Any, flags: int) -> bytes | None:
        with self._owner(key) as owner:
            return super()._fetch(command, owner, flags)

    def set(self, key: Any, value: Any, *, flags: int = 0) -> None:
        with self._owner(key) as owner:
            super().set(owner, value, flags=flags)

    def __delitem__(self, key: Any) -> None:
        with self._owner(key) as owner:
            super().__delitem__(owner)


_OWNERS = {MapType.TASK_STORAGE: "a pid or a pidfd", MapType.SK_STORAGE: "a socket", MapType.INODE_STORAGE: "a path or an open file",
           MapType.CGRP_STORAGE: "a cgroup's directory"}
