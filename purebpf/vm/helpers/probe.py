"""Reading memory that may not be there: a failed read clears the destination and returns -EFAULT."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..memory import M32, Trap

if TYPE_CHECKING:
    from ..world import World


def probe_read(w: World, to: int, size: int, source: int, *_: int) -> int:
    size &= M32
    try:
        data = w.memory.read(source, size)
    except Trap:
        w.memory.write(to, bytes(size))
        return -errno.EFAULT
    w.memory.write(to, data)
    return 0


def probe_read_str(w: World, to: int, size: int, source: int, *_: int) -> int:
    """Length with the NUL, which is always written; a longer string is cut."""
    size &= M32
    if size == 0:
        return 0
    try:
        data = w.memory.string(source, size - 1)
    except Trap:
        w.memory.write(to, bytes(size))
        return -errno.EFAULT
    w.memory.write(to, data + b"\0")
    return len(data) + 1


def probe_write_user(w: World, to: int, source: int, size: int, *_: int) -> int:
    data = w.memory.read(source, size & M32)
    try:
        w.memory.write(to, data)
    except Trap:
        return -errno.EFAULT
    return 0


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "probe_read": probe_read,
    "probe_read_kernel": probe_read,
    "probe_read_user": probe_read,
    "copy_from_user": probe_read,
    "probe_read_str": probe_read_str,
    "probe_read_kernel_str": probe_read_str,
    "probe_read_user_str": probe_read_str,
    "probe_write_user": probe_write_user,
}
