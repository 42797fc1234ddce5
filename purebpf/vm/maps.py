"""The map types, with the kernel's semantics and error numbers; keys and values are bytes here.

A program sees a map's values through addresses, so each value is a `Cell`: bytes, and a memory region once a program
has looked it up. Deleting or replacing a value leaves the old cell mapped until the run ends, as RCU does in the kernel.
Operations of programs return 0, an address or a negative error number; where user space has its own form of an
operation (per-CPU values as a list, reading a prog array), it is `get`, `set`, `keys`, `remove`.
"""

from __future__ import annotations

import errno
from typing import Any, ClassVar, Iterator

from ..order import NETWORK
from ..spec import MapSpec
from .memory import Memory, Region, Trap

ANY, NOEXIST, EXIST, F_LOCK = 0, 1, 2, 4
F_RDONLY_PROG, F_WRONLY_PROG = 0x80, 0x100


class Cell:
    """One value. `region` is None until a program has its address."""

    __slots__ = ("data", "region")

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = bytearray(data)
        self.region: Region | None = None


class Map:
    """What all maps have. `address` is what ld_imm64 of the map gives a program: a handle, not readable memory."""

    per_cpu: ClassVar[bool] = False

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        self.spec, self.memory, self.cpus = spec, memory, cpus
        self.address = memory.map_special(bytearray(), f"map {spec.name}", self._no_load, self._no_store).base
        self.dead: list[Cell] = []

    def _no_load(self, offset: int, size: int) -> int:
        raise Trap(f"map {self.spec.name} is a handle, not memory")

    def _no_store(self, offset: int, size: int, value: int) -> None:
        raise Trap(f"map {self.spec.name} is a handle, not memory")

    # -- what programs do

    def lookup(self, key: bytes, cpu: int) -> int:
        raise self._refused("lookup")

    def update(self, key: bytes, value: bytes, flags: int, cpu: int) -> int:
        raise self._refused("update")

    def delete(self, key: bytes) -> int:
        raise self._refused("delete")

    def push(self, value: bytes, flags: int) -> int:
        raise self._refused("push")

    def pop(self) -> bytes | None:
        raise self._refused("pop")

    def peek(self) -> bytes | None:
        raise self._refused("peek")

    def settle(self) -> str:
        """A run has ended: values that were deleted or replaced lose their addresses. What is wrong, or ""."""
        for cell in self.dead:
            if cell.region is not None:
                self.memory.unmap(cell.region)
        self.dead.clear()
        return ""

    # -- what user space does

    def get(self, key: bytes) -> Any:
        """The value: bytes, a list of bytes for per-CPU maps, None if absent."""
        raise self._refused("lookup")

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        raise self._refused("update")

    def remove(self, key: bytes) -> int:
        return self.delete(key)

    def keys(self) -> Iterator[bytes]:
        raise self._refused("walk")

    # -- for subclasses

    def _refused(self, what: str) -> Trap:
        return Trap(f"{type(self).__name__.lower()} {self.spec.name!r} has no {what}")

    def _reveal(self, cell: Cell) -> int:
        """The address of a value, which it gets on its first look-up."""
        if cell.region is None:
            writable = not self.spec.flags & F_RDONLY_PROG
            cell.region = self.memory.map(cell.data, f"value of {self.spec.name}", writable)
        return cell.region.base

    def _cells(self, value: bytes | None = None) -> list[Cell]:
        count = self.cpus if self.per_cpu else 1
        return [Cell(value if value is not None else bytes(self.spec.value_size)) for _ in range(count)]


class _Table(Map):
    """Values in a dict from key bytes to one cell, or to one a CPU."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.cells: dict[bytes, list[Cell]] = {}

    def lookup(self, key: bytes, cpu: int) -> int:
        cells = self.cells.get(key)
        return 0 if cells is None else self._reveal(cells[cpu if self.per_cpu else 0])

    def get(self, key: bytes) -> Any:
        cells = self.cells.get(key)
        if cells is None:
            return None
        return [bytes(cell.data) for cell in cells] if self.per_cpu else bytes(cells[0].data)

    def keys(self) -> Iterator[bytes]:
        return iter(list(self.cells))

    def _fill(self, cells: list[Cell], value: Any) -> None:
        values = value if isinstance(value, list) else [value] * len(cells)
        for cell, one in zip(cells, values):
            cell.data[:] = one


class Hash(_Table):
    """BPF_MAP_TYPE_HASH."""

    def update(self, key: bytes, value: bytes, flags: int, cpu: int) -> int:
        if error := self._admit(key, flags):
            return error
        cells = self.cells.get(key)
        if self.per_cpu and cells is not None:
            cells[cpu].data[:] = value
        elif self.per_cpu:
            cells = self.cells[key] = self._cells()
            cells[cpu].data[:] = value
        else:
            self.dead += cells or []
            self.cells[key] = self._cells(value)
        return 0

    def delete(self, key: bytes) -> int:
        cells = self.cells.pop(key, None)
        if cells is None:
            return -errno.ENOENT
        self.dead += cells
        return 0

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        if error := self._admit(key, flags):
            return error
        cells = self.cells.setdefault(key, [])
        cells += self._cells() if not cells else []
        self._fill(cells, value)
        return 0

    def _admit(self, key: bytes, flags: int) -> int:
        """0 if an update with these flags may go ahead."""
        if flags & ~F_LOCK > EXIST:
            return -errno.EINVAL
        known = key in self.cells
        if flags & NOEXIST and known:
            return -errno.EEXIST
        if flags & EXIST and not known:
            return -errno.ENOENT
        return 0 if known or len(self.cells) < self.spec.max_entries else self._full()

    def _full(self) -> int:
        return -errno.E2BIG


class PercpuHash(Hash):
    per_cpu = True


class LruHash(Hash):
    """The least recently used entry makes room. (The kernel approximates this; here it is exact.)"""

    def lookup(self, key: bytes, cpu: int) -> int:
        if key in self.cells:
            self.cells[key] = self.cells.pop(key)  # to the young end
        return super().lookup(key, cpu)

    def update(self, key: bytes, value: bytes, flags: int, cpu: int) -> int:
        error = super().update(key, value, flags, cpu)
        if not error:
            self.cells[key] = self.cells.pop(key)
        return error

    def _full(self) -> int:
        self.delete(next(iter(self.cells)))
        return 0


class LruPercpuHash(LruHash):
    per_cpu = True


class Array(_Table):
    """BPF_MAP_TYPE_ARRAY: every index exists from the start."""

    def _slot(self, key: bytes) -> list[Cell] | None:
        index = self.memory.order.number(key)
        if index >= self.spec.max_entries:
            return None
        if key not in self.cells:
            self.cells[key] = self._cells()
        return self.cells[key]

    def lookup(self, key: bytes, cpu: int) -> int:
        cells = self._slot(key)
        return 0 if cells is None else self._reveal(cells[cpu if self.per_cpu else 0])

    def update(self, key: bytes, value: bytes, flags: int, cpu: int) -> int:
        if error := self._admit(key, flags):
            return error
        cells = self._slot(key)
        assert cells is not None
        cells[cpu if self.per_cpu else 0].data[:] = value
        return 0

    def delete(self, key: bytes) -> int:
        return -errno.EINVAL

    def get(self, key: bytes) -> Any:
        self._slot(key)
        return super().get(key)

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        if error := self._admit(key, flags):
            return error
        cells = self._slot(key)
        assert cells is not None
        self._fill(cells, value)
        return 0

    def keys(self) -> Iterator[bytes]:
        return (self.memory.order.bytes(index, 4) for index in range(self.spec.max_entries))

    def _admit(self, key: bytes, flags: int) -> int:
        if flags & ~F_LOCK > EXIST:
            return -errno.EINVAL
        if self.memory.order.number(key) >= self.spec.max_entries:
            return -errno.E2BIG
        return -errno.EEXIST if flags & NOEXIST else 0


class SockHash(Hash):
    """Sockets by key: programs put theirs in, and ask whether one is there."""


class SockMap(SockHash):
    """Sockets by index; an index without one is absent."""

    def _admit(self, key: bytes, flags: int) -> int:
        if self.memory.order.number(key) >= self.spec.max_entries:
            return -errno.E2BIG
        return super()._admit(key, flags)


class PercpuArray(Array):
    per_cpu = True


class LpmTrie(_Table):
    """Keys are u32 prefix length and that many leading bits; the longest matching prefix is found."""

    def _bits(self, key: bytes) -> tuple[int, int] | None:
        """(prefix length, the prefix as a number); None if the length does not fit the key."""
        length, data = self.memory.order.number(key[:4]), key[4:]
        if length > 8 * len(data):
            return None
        return length, NETWORK.number(data) >> (8 * len(data) - length)

    def _canonical(self, key: bytes) -> bytes | None:
        found = self._bits(key)
        if found is None:
            return None
        size = len(key) - 4
        return key[:4] + NETWORK.bytes(found[1] << (8 * size - found[0]), size)

    def lookup(self, key: bytes, cpu: int) -> int:
        best = self._longest(key)
        return 0 if best is None else self._reveal(self.cells[best][0])

    def _longest(self, key: bytes) -> bytes | None:
        best, longest = None, -1
        wanted = NETWORK.number(key[4:])
        limit, size = self.memory.order.number(key[:4]), 8 * (len(key) - 4)
        for candidate in self.cells:
            length, prefix = self._bits(candidate) or (0, 0)
            if longest < length <= limit and wanted >> (size - length) == prefix:
                best, longest = candidate, length
        return best

    def update(self, key: bytes, value: bytes, flags: int, cpu: int) -> int:
        return self.set(key, value, flags)

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        exact = self._canonical(key)
        if exact is None or flags > EXIST:
            return -errno.EINVAL
        known = exact in self.cells
        if known and flags == NOEXIST:
            return -errno.EEXIST
        if not known and flags == EXIST:
            return -errno.ENOENT
        if not known and len(self.cells) >= self.spec.max_entries:
            return -errno.ENOSPC
        self.dead += self.cells.get(exact, [])
        self.cells[exact] = self._cells(value)
        return 0

    def delete(self, key: bytes) -> int:
        exact = self._canonical(key)
        if exact is None:
            return -errno.EINVAL
        cells = self.cells.pop(exact, None)
        if cells is None:
            return -errno.ENOENT
        self.dead += cells
        return 0

    def get(self, key: bytes) -> Any:
        best = self._longest(key)
        return None if best is None else bytes(self.cells[best][0].data)


class Queue(Map):
    """BPF_MAP_TYPE_QUEUE: first in, first out."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.values: list[bytes] = []

    def push(self, value: bytes, flags: int) -> int:
        if flags not in (ANY, EXIST):
            return -errno.EINVAL
        if len(self.values) >= self.spec.max_entries:
            if flags != EXIST:
                return -errno.E2BIG
            self.values.pop(0)  # the oldest makes room
        self.values.append(bytes(value))
        return 0

    def pop(self) -> bytes | None:
        return self.values.pop(self._next) if self.values else None

    def peek(self) -> bytes | None:
        return self.values[self._next] if self.values else None

    _next: ClassVar[int] = 0


class Stack(Queue):
    """BPF_MAP_TYPE_STACK: last in, first out."""

    _next = -1


class BloomFilter(Map):
    """Values are pushed, and peeked for. (The kernel's may say yes by mistake; this one never does.)"""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.values: set[bytes] = set()

    def push(self, value: bytes, flags: int) -> int:
        if flags != ANY:
            return -errno.EINVAL
        self.values.add(bytes(value))
        return 0

    def contains(self, value: bytes) -> bool:
        return value in self.values


class ProgArray(Map):
    """Programs to tail-call, by index; user space fills it with names."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.programs: dict[int, str] = {}

    def delete(self, key: bytes) -> int:
        known = self.programs.pop(self.memory.order.number(key), None)
        return 0 if known is not None else -errno.ENOENT

    def get(self, key: bytes) -> Any:
        return self.programs.get(self.memory.order.number(key))

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        index = self.memory.order.number(key)
        if index >= self.spec.max_entries:
            return -errno.E2BIG
        self.programs[index] = str(value)
        return 0

    def keys(self) -> Iterator[bytes]:
        return (self.memory.order.bytes(index, 4) for index in sorted(self.programs))


class MapInMap(Map):
    """Values are maps; programs look them up and get their handles."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.inner: dict[bytes, Map] = {}

    def lookup(self, key: bytes, cpu: int) -> int:
        found = self.inner.get(key)
        return 0 if found is None else found.address

    def delete(self, key: bytes) -> int:
        return 0 if self.inner.pop(key, None) is not None else -errno.ENOENT

    def get(self, key: bytes) -> Any:
        return self.inner.get(key)

    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        template = self.spec.inner
        if not isinstance(value, Map) or (template is not None and not _same_shape(template, value.spec)):
            return -errno.EINVAL
        if key not in self.inner and len(self.inner) >= self.spec.max_entries:
            return -errno.E2BIG
        self.inner[key] = value
        return 0

    def keys(self) -> Iterator[bytes]:
        return iter(list(self.inner))


class HashOfMaps(MapInMap):
    pass


class ArrayOfMaps(MapInMap):
    def set(self, key: bytes, value: Any, flags: int = ANY) -> int:
        if self.memory.order.number(key) >= self.spec.max_entries:
            return -errno.E2BIG
        return super().set(key, value, flags)


def _same_shape(a: MapSpec, b: MapSpec) -> bool:
    return (a.type, a.key_size, a.value_size, a.flags) == (b.type, b.key_size, b.value_size, b.flags)


class Absent(Map):
    """A map type that the VM lacks: an object may declare it, using it is a fault."""

    def _refused(self, what: str) -> Trap:
        return Trap(f"map {self.spec.name!r}: type {self.spec.type} does not exist in the VM")


