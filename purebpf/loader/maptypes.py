"""THE TABLE of map types in user space: one row each, read by `create`, `livemaps` and `probes`.

To add a type: a row here, and, where it is accessed as no other is, a class in `livemaps.CLASSES`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from ..uapi.enums import MapFlag, MapType

Keys = Literal["any", "index", "prefix", "owner", "none"]
Values = Literal["typed", "each cpu", "fds", "records", "addresses", "devices", "none"]
Access = Literal["keyed", "array", "sparse", "programs", "perf events", "array of maps", "hash of maps", "fds", "queue", "bloom",
                 "ring", "user ring", "storage", "struct ops", "arena"]


class Probe(NamedTuple):
    """The smallest map of a type that a kernel accepts."""

    key: int = 4
    value: int = 4
    entries: int = 1
    flags: int = 0


class MapRow(NamedTuple):
    """keys      what identifies an entry: any bytes, an index, a prefix of a trie, the object that owns it, nothing
    values    what is in it: the map's type, one of those for each CPU, objects by descriptor, records of a ring, addresses,
              network interfaces
    access    the class that user space reaches it with
    types     may it be created with BTF types?
    probe     how to ask whether the kernel has it
    added     flags that the kernel sets by itself"""

    type: int
    keys: Keys
    values: Values
    access: Access
    types: bool = True
    probe: Probe = Probe()
    added: int = 0

    @property
    def ring(self) -> bool:
        """Is `max_entries` a size in bytes, of whole pages?"""
        return self.access in ("ring", "user ring")

    @property
    def inner(self) -> bool:
        """Does it hold maps?"""
        return self.access in ("array of maps", "hash of maps")


_M, _F = MapType, MapFlag
_STORAGE = Probe(entries=0, flags=_F.NO_PREALLOC)
_CGROUP = Probe(8, 4, 0)

ROWS: Final = (
    MapRow(_M.HASH, "any", "typed", "keyed"),
    MapRow(_M.ARRAY, "index", "typed", "array"),
    MapRow(_M.PROG_ARRAY, "index", "fds", "programs", False),
    MapRow(_M.PERF_EVENT_ARRAY, "index", "records", "perf events", False),
    MapRow(_M.PERCPU_HASH, "any", "each cpu", "keyed"),
    MapRow(_M.PERCPU_ARRAY, "index", "each cpu", "array"),
    MapRow(_M.STACK_TRACE, "any", "addresses", "keyed", False, Probe(4, 8)),
    MapRow(_M.CGROUP_ARRAY, "index", "fds", "fds", False),
    MapRow(_M.LRU_HASH, "any", "typed", "keyed"),
    MapRow(_M.LRU_PERCPU_HASH, "any", "each cpu", "keyed"),
    MapRow(_M.LPM_TRIE, "prefix", "typed", "keyed", True, Probe(8, 8, 1, _F.NO_PREALLOC)),
    MapRow(_M.ARRAY_OF_MAPS, "index", "fds", "array of maps", False),
    MapRow(_M.HASH_OF_MAPS, "any", "fds", "hash of maps", False),
    MapRow(_M.DEVMAP, "index", "devices", "sparse", False, added=_F.RDONLY_PROG),
    MapRow(_M.SOCKMAP, "index", "fds", "fds", False),
    MapRow(_M.CPUMAP, "index", "typed", "sparse", False),
    MapRow(_M.XSKMAP, "index", "fds", "fds", False),
    MapRow(_M.SOCKHASH, "any", "fds", "keyed", False),
    MapRow(_M.CGROUP_STORAGE, "any", "typed", "keyed", True, _CGROUP),
    MapRow(_M.REUSEPORT_SOCKARRAY, "index", "fds", "fds"),
    MapRow(_M.PERCPU_CGROUP_STORAGE, "any", "each cpu", "keyed", True, _CGROUP),
    MapRow(_M.QUEUE, "none", "typed", "queue", False, Probe(0)),
    MapRow(_M.STACK, "none", "typed", "queue", False, Probe(0)),
    MapRow(_M.SK_STORAGE, "owner", "typed", "storage", True, _STORAGE),
    MapRow(_M.DEVMAP_HASH, "any", "devices", "keyed", False, added=_F.RDONLY_PROG),
    MapRow(_M.STRUCT_OPS, "none", "none", "struct ops"),
    MapRow(_M.RINGBUF, "none", "records", "ring", False, Probe(0, 0, 4096)),
    MapRow(_M.INODE_STORAGE, "owner", "typed", "storage", True, _STORAGE),
    MapRow(_M.TASK_STORAGE, "owner", "typed", "storage", True, _STORAGE),
    MapRow(_M.BLOOM_FILTER, "none", "typed", "bloom", True, Probe(0)),
    MapRow(_M.USER_RINGBUF, "none", "records", "user ring", False, Probe(0, 0, 4096)),
    MapRow(_M.CGRP_STORAGE, "owner", "typed", "storage", True, _STORAGE),
    MapRow(_M.ARENA, "none", "none", "arena", False, Probe(0, 0, 1, _F.MMAPABLE)),
    MapRow(_M.INSN_ARRAY, "index", "typed", "keyed", True, Probe(4, 16)),
)
_BY_TYPE: Final = {row.type: row for row in ROWS}


def row(kind: int) -> MapRow:
    """The row of a type; of one that is not known here, a hash's, which asks least of it."""
    return _BY_TYPE.get(kind) or MapRow(kind, "any", "typed", "keyed")
