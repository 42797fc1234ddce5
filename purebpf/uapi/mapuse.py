"""Which programs may use which maps: what the kernel's verifier asks of every map of a program (check_map_prog_compatibility)."""

from __future__ import annotations

from typing import Final, NamedTuple

from .enums import ProgType

# Kernel -> the types that programs which may sleep can use from there on; the others they never can.
IN_SLEEPABLE: Final = {
    "5.10": "HASH LRU_HASH ARRAY",
    "5.12": "PERCPU_HASH PERCPU_ARRAY LRU_PERCPU_HASH ARRAY_OF_MAPS HASH_OF_MAPS RINGBUF",
    "5.17": "INODE_STORAGE SK_STORAGE TASK_STORAGE",
    "6.1": "USER_RINGBUF",
    "6.2": "CGRP_STORAGE",
    "6.9": "QUEUE STACK ARENA",
    "6.19": "INSN_ARRAY",
}

_TRACING: Final[frozenset[int]] = frozenset((
    ProgType.KPROBE, ProgType.TRACEPOINT, ProgType.PERF_EVENT, ProgType.RAW_TRACEPOINT, ProgType.RAW_TRACEPOINT_WRITABLE,
))


class FieldUse(NamedTuple):
    """What the kernel asks of maps whose values have a field that it keeps (map_check_btf). `maps`: their types; `never`:
    programs that may use no such map, even if they do not touch the field."""

    maps: frozenset[str]
    never: frozenset[int]


FIELDS: Final = {
    "bpf_spin_lock": FieldUse(frozenset("HASH ARRAY SK_STORAGE INODE_STORAGE TASK_STORAGE CGRP_STORAGE".split()),
                              _TRACING | {ProgType.SOCKET_FILTER}),
    "bpf_res_spin_lock": FieldUse(frozenset("HASH ARRAY SK_STORAGE INODE_STORAGE TASK_STORAGE CGRP_STORAGE".split()),
                              _TRACING | {ProgType.SOCKET_FILTER}),
    "bpf_timer": FieldUse(frozenset("HASH LRU_HASH ARRAY".split()), _TRACING),
    "bpf_wq": FieldUse(frozenset("HASH LRU_HASH ARRAY".split()), _TRACING),
}


def in_sleepable(map_type: str) -> str | None:
    """First kernel in which a program that may sleep can use such a map; None if none can."""
    return next((since for since, types in IN_SLEEPABLE.items() if map_type in types.split()), None)
