"""Which class a live map is of, by map type; and maps that others made, typed by their own BTF."""

from __future__ import annotations

from typing import Any

from ..btf import Btf
from ..btf.values import codec
from ..spec import MapSpec
from ..uapi.enums import MapFlag, MapType
from . import bpf, sys
from .create import PER_CPU
from .fd import Fd
from .maps import ArrayMap, KeyedMap, LiveMap, MapInfo
from ..btf.percpu import PerCpuCodec
from .queues import BloomMap, QueueMap, RingMap, UserRingMap
from .special import PlainRecords, Records, Stacks, TrieKey
from .tables import FdCodec, FdKeyed, FdTable, MapHash, MapTable, PerfTable, ProgramTable, SparseArray

_M = MapType
CLASSES: dict[int, type[LiveMap]] = {  # others: KeyedMap
    _M.ARRAY: ArrayMap, _M.PERCPU_ARRAY: ArrayMap, _M.PROG_ARRAY: ProgramTable, _M.PERF_EVENT_ARRAY: PerfTable,
    _M.CGROUP_ARRAY: FdTable, _M.ARRAY_OF_MAPS: MapTable, _M.HASH_OF_MAPS: MapHash, _M.SOCKMAP: FdTable,
    _M.XSKMAP: FdTable, _M.DEVMAP: SparseArray, _M.CPUMAP: SparseArray, _M.REUSEPORT_SOCKARRAY: FdTable, _M.QUEUE: QueueMap, _M.STACK: QueueMap,
    _M.BLOOM_FILTER: BloomMap, _M.RINGBUF: RingMap, _M.USER_RINGBUF: UserRingMap, _M.SK_STORAGE: FdKeyed,
    _M.INODE_STORAGE: FdKeyed, _M.TASK_STORAGE: FdKeyed, _M.CGRP_STORAGE: FdKeyed,
    _M.STRUCT_OPS: LiveMap, _M.ARENA: LiveMap,
}
_VALUES_ARE_FDS = frozenset({_M.PROG_ARRAY, _M.PERF_EVENT_ARRAY, _M.CGROUP_ARRAY, _M.ARRAY_OF_MAPS, _M.HASH_OF_MAPS,
                             _M.SOCKMAP, _M.SOCKHASH, _M.XSKMAP, _M.REUSEPORT_SOCKARRAY})
_RECORDS = (_M.RINGBUF, _M.USER_RINGBUF, _M.PERF_EVENT_ARRAY)


def live(fd: Fd, spec: MapSpec, btf: Btf | None) -> LiveMap:
    """The live map of an fd that this process made from `spec`, types ids in `btf`."""
    number = bpf.map_info(fd.fileno()).id
    return _make(fd, MapInfo(spec.type, number, spec.key_size, spec.value_size, spec.max_entries, spec.flags,
                             spec.name, 0, spec.key_type, spec.value_type, spec.extra), btf)


def _make(fd: Fd, info: MapInfo, btf: Btf | None) -> LiveMap:
    kind, size = info.type, info.value_size
    cls = CLASSES.get(kind, KeyedMap)
    key: Any = FdCodec(info.key_size) if cls is FdKeyed else codec(btf, info.key_type, info.key_size)
    if kind == _M.LPM_TRIE:
        key = TrieKey(key, info.key_size)
    value: Any
    if kind in _RECORDS:
        value = Records(btf, info.value_type) if btf is not None and info.value_type else PlainRecords()
    elif kind in _VALUES_ARE_FDS:
        value = FdCodec(size)
    elif kind == _M.STACK_TRACE and not info.flags & MapFlag.STACK_BUILD_ID:
        value = Stacks()
    else:
        value = codec(btf, info.value_type, size)
    if kind in PER_CPU:
        value = PerCpuCodec(value, size, sys.possible_cpus())
        size = value.stride * value.cpus
    if kind == _M.PERF_EVENT_ARRAY:
        made = PerfTable(fd, info, key, FdCodec(size), size)
        made.record = value
        return made
    return cls(fd, info, key, value, size)


# ── maps of others ───────────────────────────────────────────────────────────────────────────────────────────────────


def adopt(fd: Fd) -> LiveMap:
    """A live map over any map fd, typed by the BTF that the map was made with, if it was. Takes the fd over."""
    try:
        got = bpf.map_info(fd.fileno())
        btf = None
        if got.btf_id:
            with bpf.fd_by_id("btf", got.btf_id) as types:
                btf = Btf.from_bytes(bpf.btf_data(types.fileno())[1])
        return _make(fd, MapInfo(got.type, got.id, got.key_size, got.value_size, got.max_entries, got.map_flags, got.name,
                                 got.btf_id, got.btf_key_type_id, got.btf_value_type_id, got.map_extra), btf)
    except BaseException:
        fd.close()
        raise
