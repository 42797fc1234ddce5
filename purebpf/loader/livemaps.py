"""Which class a live map is of, by map type; and maps that others made, typed by their own BTF."""

from __future__ import annotations

from typing import Any

from ..btf import Btf
from ..btf.values import codec
from ..spec import MapSpec
from ..uapi.enums import MapFlag
from . import bpf, sys
from .arena import ArenaMap
from .fd import Fd
from .maps import ArrayMap, KeyedMap, LiveMap, MapInfo
from .maptypes import Access, row
from ..btf.percpu import PerCpuCodec
from .queues import BloomMap, QueueMap, RingMap, UserRingMap
from .special import Devices, PlainRecords, Records, Stacks, TrieKey
from .tables import FdCodec, FdKeyed, FdTable, MapHash, MapTable, OpsTable, PerfTable, ProgramTable, SparseArray

CLASSES: dict[Access, type[LiveMap]] = {
    "keyed": KeyedMap, "array": ArrayMap, "sparse": SparseArray, "programs": ProgramTable, "perf events": PerfTable,
    "array of maps": MapTable, "hash of maps": MapHash, "fds": FdTable, "queue": QueueMap, "bloom": BloomMap, "ring": RingMap,
    "user ring": UserRingMap, "storage": FdKeyed, "struct ops": OpsTable, "arena": ArenaMap}


def live(fd: Fd, spec: MapSpec, btf: Btf | None) -> LiveMap:
    """The live map of an fd that this process made from `spec`, types ids in `btf`."""
    number = bpf.map_info(fd.fileno()).id
    return _make(fd, MapInfo(spec.type, number, spec.key_size, spec.value_size, spec.max_entries, spec.flags,
                             spec.name, 0, spec.key_type, spec.value_type, spec.extra), btf)


def _make(fd: Fd, info: MapInfo, btf: Btf | None) -> LiveMap:
    kind, size = row(info.type), info.value_size
    made = CLASSES[kind.access]
    key: Any = FdCodec(info.key_size) if kind.keys == "owner" else codec(btf, info.key_type, info.key_size)
    if kind.keys == "prefix":
        key = TrieKey(key, info.key_size)
    value: Any
    match kind.values:
        case "records":
            value = Records(btf, info.value_type) if btf is not None and info.value_type else PlainRecords()
        case "fds":
            value = FdCodec(size)
        case "addresses" if not info.flags & MapFlag.STACK_BUILD_ID:
            value = Stacks()
        case "devices" if size in (4, 8):
            value = Devices(size)
        case "each cpu":
            value = PerCpuCodec(codec(btf, info.value_type, size), size, sys.possible_cpus())
            size = value.stride * value.cpus
        case _:
            value = codec(btf, info.value_type, size)
    if made is PerfTable:
        table = PerfTable(fd, info, key, FdCodec(size), size)
        table.record = value
        return table
    one = made(fd, info, key, value, size)
    one.btf = btf
    return one


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
