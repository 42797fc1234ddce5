"""Which programs may use which maps: what the kernel's verifier asks of every map of a program (check_map_prog_compatibility)."""

from __future__ import annotations

from typing import Final

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

# Programs that may use no map whose values have a lock, even if they do not take it.
LOCKLESS: Final = frozenset((
    ProgType.SOCKET_FILTER, ProgType.KPROBE, ProgType.TRACEPOINT, ProgType.PERF_EVENT, ProgType.RAW_TRACEPOINT, ProgType.RAW_TRACEPOINT_WRITABLE,
))


def in_sleepable(map_type: str) -> str | None:
    """First kernel in which a program that may sleep can use such a map; None if none can."""
    return next((since for since, types in IN_SLEEPABLE.items() if map_type in types.split()), None)
