"""Internet checksums, in the kernel's representation: 32-bit one's complement sums of the machine's words
(lib/checksum.c, net/core/filter.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ...order import Order
from ..memory import M32, M64

if TYPE_CHECKING:
    from ..world import World

PSEUDO_HEADER, MANGLED_ZERO, ENFORCE = 0x10, 0x20, 0x40


def partial(order: Order, data: bytes, seed: int = 0) -> int:
    """csum_partial: 64-bit words added with end-around carry, folded to 32 bits."""
    total = seed
    for at in range(0, len(data), 8):
        total += order.number(data[at : at + 8].ljust(8, b"\0"))
    while total >> 64:
        total = (total & M64) + (total >> 64)
    return add32(total & M32, total >> 32)


def add32(a: int, b: int) -> int:
    total = a + b
    return (total + (total >> 32)) & M32


def subtract32(a: int, b: int) -> int:
    return add32(a, ~b & M32)


def to16(total: int) -> int:
    """csum_from32to16."""
    total = (total & 0xFFFF) + (total >> 16)
    return (total + (total >> 16)) & 0xFFFF


def csum_diff(w: World, source: int, source_size: int, to: int, to_size: int, seed: int) -> int:
    """Of any sizes (before 6.13 multiples of 4), folded to 16 bits (since 6.13)."""
    source_size, to_size, seed = source_size & M32, to_size & M32, seed & M32
    read, order = w.memory.read, w.memory.order
    if source_size and to_size:
        total = subtract32(partial(order, read(to, to_size), seed), partial(order, read(source, source_size)))
    elif to_size:
        total = partial(order, read(to, to_size), seed)
    elif source_size:
        total = ~partial(order, read(source, source_size), ~seed & M32) & M32
    else:
        total = seed
    return to16(total)


def replace(current: int, old: int, new: int) -> int:
    """A 16-bit checksum after a 32-bit word `old` became `new` (csum_replace4)."""
    return ~to16(add32(subtract32(~current & 0xFFFF, old), new)) & 0xFFFF


def _new_checksum(current: int, size: int, old: int, new: int) -> int | None:
    """After a field of `size` bytes changed; `size` 0: by the difference `new`. None for another size."""
    if size == 0:
        return ~to16(add32(new, ~current & 0xFFFF)) & 0xFFFF if old == 0 else None
    if size == 2:
        return replace(current, old & 0xFFFF, new & 0xFFFF)
    return replace(current, old & M32, new & M32) if size == 4 else None


def l3_csum_replace(w: World, ctx: int, offset: int, old: int, new: int, flags: int) -> int:
    if flags & ~0xF:
        return -errno.EINVAL
    return _replace(w, offset & M32, flags, old & M64, new & M32, zero_means_none=False)


def l4_csum_replace(w: World, ctx: int, offset: int, old: int, new: int, flags: int) -> int:
    if flags & ~(0xF | PSEUDO_HEADER | MANGLED_ZERO | ENFORCE | 0x80):
        return -errno.EINVAL
    return _replace(w, offset & M32, flags, old & M64, new & M32, zero_means_none=bool(flags & MANGLED_ZERO))


def _replace(w: World, offset: int, flags: int, old: int, new: int, zero_means_none: bool) -> int:
    if offset > 0xFFFF or offset & 1:
        return -errno.EFAULT
    packet = w.the_packet()
    held = packet.read(offset, 2)
    if held is None:
        return -errno.EFAULT
    current = w.memory.order.number(held)
    if zero_means_none and not flags & ENFORCE and not current:
        return 0
    fresh = _new_checksum(current, flags & 0xF, old, new)
    if fresh is None:
        return -errno.EINVAL
    if zero_means_none and not fresh:
        fresh = 0xFFFF
    return packet.write(offset, w.memory.order.bytes(fresh, 2))


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "csum_diff": csum_diff,
    "l3_csum_replace": l3_csum_replace,
    "l4_csum_replace": l4_csum_replace,
}
