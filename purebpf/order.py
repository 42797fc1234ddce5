"""Byte order: the two ways in which a number lies in memory, and everything that depends on which one it is.

The one place that knows. A target has an order (`Target.order`), the functions compiled for it carry it (`Function.order`),
an object says which it has been made for (`ObjectSpec.byteorder`, the name).
"""

from __future__ import annotations

import sys
from typing import Final, Literal

Name = Literal["little", "big"]


class Order:
    """`name` as Python spells it, `mark` as `struct` does, `elf`: ELF's EI_DATA. Offsets and sizes are in bytes, shifts in bits."""

    __slots__ = ("name", "mark", "elf")

    def __init__(self, name: Name, mark: str, elf: int) -> None:
        self.name: Name = name
        self.mark, self.elf = mark, elf

    def __repr__(self) -> str:
        return f"<{self.name}-endian>"

    def number(self, data: bytes | bytearray | memoryview, *, signed: bool = False) -> int:
        """What `data` says as one number."""
        return int.from_bytes(data, self.name, signed=signed)

    def bytes(self, number: int, size: int) -> bytes:
        """The low `size` bytes of a number as they lie in memory."""
        return (number & ((1 << 8 * size) - 1)).to_bytes(size, self.name)

    def shift(self, at: int, size: int, whole: int) -> int:
        """How far up, in a number of `whole` bytes, the `size` bytes stand that lie at offset `at` of it."""
        return 8 * at if self is LITTLE else 8 * (whole - at - size)

    def lowest(self, bit: int, bits: int, whole: int) -> int:
        """The lowest bit of a bit-field of `bits` bits in a unit of `whole` bytes: C fills a unit from the end that lies first in
        memory, and `bit` bits are before this one."""
        return bit if self is LITTLE else 8 * whole - bit - bits

    def network(self, number: int, size: int) -> int:
        """A number of `size` bytes between this order and that of the network; the same both ways."""
        return NETWORK.number(self.bytes(number, size))


LITTLE: Final = Order("little", "<", 1)
BIG: Final = Order("big", ">", 2)
NETWORK: Final = BIG
ORDERS: Final[dict[str, Order]] = {one.name: one for one in (LITTLE, BIG)}
BY_ELF: Final = {one.elf: one for one in ORDERS.values()}
HOST: Final = ORDERS[sys.byteorder]


def reverse(number: int, size: int) -> int:
    """The low `size` bytes of a number, reversed."""
    return LITTLE.network(number, size)
