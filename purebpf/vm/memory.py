"""The memory a program can see: regions at made-up 64-bit addresses, every access checked, never host memory.

    63            32 31             0
    ┌───────────────┬───────────────┐   Each region has a window of 4 GiB of its own, so `addr >> 32` finds it and an
    │ region number │ byte offset   │   overrun never reaches another region. Number 0 is unmapped: null pointers fault.
    └───────────────┴───────────────┘

`rd` and `wr` map region numbers to plain buffers and are what the fast engine looks into directly; whatever is not in
them (contexts, whose loads the kernel rewrites; read-only data being written; nothing at all) goes through
`load`/`store`, which know all regions and raise `Trap`.
"""

from __future__ import annotations

from struct import Struct
from typing import Callable, Final

from ..order import LITTLE, ORDERS, Order

Buffer = bytearray | memoryview

M64: Final = 0xFFFF_FFFF_FFFF_FFFF
M32: Final = 0xFFFF_FFFF

STACK: Final = 512  # bytes of a frame
FRAMES: Final = 0x10000  # region number of the outermost frame; deeper ones follow
MAX_FRAMES: Final = 8
BELOW: Final = 1 << 31  # an offset this high is meant as one below the next region
FIRST: Final = 0x10100  # first region number handed out

CODECS: Final = {order: {size: Struct(order.mark + letter) for size, letter in ((1, "B"), (2, "H"), (4, "I"), (8, "Q"))}
                 for order in ORDERS.values()}


class Trap(Exception):
    """A fault without its place; the engine that was running adds pc and span and raises VmFault."""


class Region:
    """One piece of memory. `load(offset, size)` and `store(offset, size, value)`, if given, replace plain access: they
    return the value, and raise Trap for what the kernel would refuse."""

    __slots__ = ("base", "data", "load", "name", "store", "writable")

    def __init__(self, base: int, data: Buffer, name: str, writable: bool,
                 load: Callable[[int, int], int] | None = None,
                 store: Callable[[int, int, int], None] | None = None) -> None:
        self.base, self.data, self.name, self.writable = base, data, name, writable
        self.load, self.store = load, store


class Memory:
    """The address space of one machine, whose numbers lie in memory in `order`."""

    __slots__ = ("_next", "codecs", "order", "rd", "regions", "wr")

    def __init__(self, order: Order = LITTLE) -> None:
        self.order, self.codecs = order, CODECS[order]
        self.rd: dict[int, Buffer] = {}
        self.wr: dict[int, Buffer] = {}
        self.regions: dict[int, Region] = {}
        self._next = FIRST

    def map(self, data: Buffer, name: str, writable: bool = True) -> Region:
        """Give `data` (not copied) an address."""
        number = self._next
        self._next += 1
        region = self.regions[number] = Region(number << 32, data, name, writable)
        self.rd[number] = data
        if writable:
            self.wr[number] = data
        return region

    def map_special(self, data: Buffer, name: str, load: Callable[[int, int], int],
                    store: Callable[[int, int, int], None]) -> Region:
        """Give an address to memory whose every access is a decision."""
        number = self._next
        self._next += 1
        region = self.regions[number] = Region(number << 32, data, name, False, load, store)
        return region

    def unmap(self, region: Region) -> None:
        """Take the address away again; using it afterwards faults. Numbers are not reused."""
        number = region.base >> 32
        self.regions.pop(number, None)
        self.rd.pop(number, None)
        self.wr.pop(number, None)

    def push_frame(self, depth: int) -> bytearray:
        """A fresh zeroed stack frame at call depth 0…7."""
        if depth >= MAX_FRAMES:
            raise Trap(f"the call stack of {MAX_FRAMES} frames is too deep")
        frame = bytearray(STACK)
        self.rd[FRAMES + depth] = self.wr[FRAMES + depth] = frame
        return frame

    def pop_frame(self, depth: int) -> None:
        """The frame at `depth` is gone; pointers to it fault. (A tail call may have taken it already.)"""
        self.rd.pop(FRAMES + depth, None)
        self.wr.pop(FRAMES + depth, None)

    def drop_frames(self) -> None:
        """Forget what a faulting run left behind."""
        for depth in range(MAX_FRAMES):
            self.rd.pop(FRAMES + depth, None)
            self.wr.pop(FRAMES + depth, None)

    # -- one access of 1, 2, 4 or 8 bytes

    def load(self, addr: int, size: int) -> int:
        """The unsigned value at `addr`; Trap if any byte is not readable."""
        number, offset = addr >> 32, addr & M32
        buffer = self.rd.get(number)
        if buffer is not None and offset + size <= len(buffer):
            value: int = self.codecs[size].unpack_from(buffer, offset)[0]
            return value
        region = self.regions.get(number)
        if buffer is None and region is not None and region.load is not None and not offset & BELOW:
            return region.load(offset, size)
        raise Trap(self._complaint("read", addr, size))

    def store(self, addr: int, size: int, value: int) -> None:
        """Put the low `size` bytes of `value` at `addr`; Trap if any byte is not writable."""
        number, offset = addr >> 32, addr & M32
        buffer = self.wr.get(number)
        if buffer is not None and offset + size <= len(buffer):
            self.codecs[size].pack_into(buffer, offset, value & ((1 << 8 * size) - 1))
            return
        region = self.regions.get(number)
        if buffer is None and region is not None and region.store is not None and not offset & BELOW:
            region.store(offset, size, value & ((1 << 8 * size) - 1))
            return
        raise Trap(self._complaint("write", addr, size))

    # -- any number of bytes, for helpers

    def read(self, addr: int, size: int) -> bytes:
        """`size` bytes at `addr`; a context is readable as it lies in memory."""
        number, offset = addr >> 32, addr & M32
        buffer = self.rd.get(number)
        if buffer is None and number in self.regions:
            buffer = self.regions[number].data
        if buffer is None or offset + size > len(buffer):
            if size == 0:
                return b""
            raise Trap(self._complaint("read", addr, size))
        return bytes(buffer[offset : offset + size])

    def write(self, addr: int, data: bytes) -> None:
        """Put `data` at `addr`."""
        number, offset = addr >> 32, addr & M32
        buffer = self.wr.get(number)
        if buffer is None or offset + len(data) > len(buffer):
            if not data:
                return
            raise Trap(self._complaint("write", addr, len(data)))
        buffer[offset : offset + len(data)] = data

    def string(self, addr: int, limit: int) -> bytes:
        """The bytes at `addr` up to a NUL (not included) or `limit` bytes; Trap where memory ends before either."""
        number, offset = addr >> 32, addr & M32
        buffer = self.rd.get(number)
        if buffer is None or offset >= len(buffer):
            raise Trap(self._complaint("read", addr, 1))
        text = bytes(buffer[offset : offset + limit])
        end = text.find(0)
        if end < 0 and len(text) < limit:
            raise Trap(self._complaint("read", addr, len(text) + 1))
        return text if end < 0 else text[:end]

    def _complaint(self, verb: str, addr: int, size: int) -> str:
        number, offset = addr >> 32, addr & M32
        if offset & BELOW:
            number, offset = number + 1, offset - (1 << 32)
        what = f"{verb} of {size} byte{'s' if size != 1 else ''}"
        if number == 0:
            where = "null pointer" if addr == 0 else f"no memory at {addr:#x}"
            return f"{what} through a {where}" if addr == 0 else f"{what}: {where}"
        buffer, name = self.rd.get(number), f"stack frame {number - FRAMES}"
        if region := self.regions.get(number):
            buffer, name = region.data, region.name
        if buffer is None:
            return f"{what}: no memory at {addr:#x}"
        if 0 <= offset and offset + size <= len(buffer):
            return f"{what}: {name} is read-only"
        return f"{what} at offset {offset} is outside {name} of {len(buffer)} bytes"
