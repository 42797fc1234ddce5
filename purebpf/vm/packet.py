"""A packet in its buffer, with the room before and after it that helpers may claim.

    head            meta   data                      end              tail
    ├─── headroom ───┼──────┼──────── packet ─────────┼─── tailroom ───┤

A program sees exactly meta … end, as one region. Whatever moves a border gives the packet a new region, so a pointer
from before faults, as the verifier would refuse it.
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL
from typing import Final

from .memory import Memory, Region

HEADROOM: Final = 256  # XDP_PACKET_HEADROOM, and what test_run gives an skb
PAGE: Final = 4096
SHARED_INFO: Final = 320  # sizeof(struct skb_shared_info) at the end of the frame
XDP_FRAME: Final = 40  # sizeof(struct xdp_frame), kept free at the start
ETH_HLEN: Final = 14


class Packet:
    """The bytes `frame[data:end]`, metadata before them at `meta`; all offsets into `frame`."""

    __slots__ = ("data", "end", "frame", "limit", "memory", "meta", "region")

    def __init__(self, memory: Memory, data: bytes, meta: int = 0, headroom: int = HEADROOM) -> None:
        """`meta`: how many of the first bytes of `data` are metadata."""
        size = max(PAGE, headroom + len(data) + SHARED_INFO)
        self.memory, self.frame = memory, bytearray(size)
        self.limit = size - SHARED_INFO
        self.meta, self.data, self.end = headroom - meta, headroom, headroom - meta + len(data)
        self.frame[self.meta : self.end] = data
        self.region = self._expose()

    def _expose(self) -> Region:
        return self.memory.map(bytearray(self.frame[self.meta : self.end]), "packet")

    def move(self, meta: int, data: int, end: int) -> None:
        """New borders; the bytes stay where they are in the frame."""
        self.frame[self.meta : self.end] = self.region.data
        self.memory.unmap(self.region)
        self.meta, self.data, self.end = meta, data, end
        self.region = self._expose()

    def close(self) -> None:
        self.memory.unmap(self.region)

    def __len__(self) -> int:
        return self.end - self.data

    @property
    def data_address(self) -> int:
        return self.region.base + self.data - self.meta

    @property
    def meta_address(self) -> int:
        return self.region.base

    @property
    def end_address(self) -> int:
        return self.region.base + self.end - self.meta

    def content(self) -> bytes:
        """The packet as it is now, without metadata."""
        return bytes(self.region.data[self.data - self.meta :])

    # -- parts, by offset from data; an error number or 0

    def read(self, offset: int, size: int) -> bytes | None:
        """`size` bytes, or None if they are not all there."""
        start = self.data - self.meta + offset
        if offset < 0 or start + size > len(self.region.data):
            return None
        return bytes(self.region.data[start : start + size])

    def write(self, offset: int, data: bytes) -> int:
        if self.read(offset, len(data)) is None:
            return -EFAULT
        start = self.data - self.meta + offset
        self.region.data[start : start + len(data)] = data
        return 0

    # -- what the XDP and skb helpers do (net/core/filter.c)

    def adjust_head(self, delta: int) -> int:
        meta_len = self.data - self.meta
        data = self.data + delta
        if data < XDP_FRAME + meta_len or data > self.end - ETH_HLEN:
            return -EINVAL
        meta_bytes = bytes(self.region.data[:meta_len])
        self.move(data - meta_len, data, self.end)
        self.region.data[:meta_len] = meta_bytes  # metadata travels with data
        return 0

    def adjust_tail(self, delta: int) -> int:
        end = self.end + delta
        if end > self.limit or end < self.data + ETH_HLEN:
            return -EINVAL
        old = self.end
        self.move(self.meta, self.data, end)
        if delta > 0:
            start = old - self.meta
            self.region.data[start:] = bytes(len(self.region.data) - start)
        return 0

    def adjust_meta(self, delta: int) -> int:
        meta = self.meta + delta
        if meta < XDP_FRAME or meta > self.data:
            return -EINVAL
        if (self.data - meta) & 3 or self.data - meta > 255:
            return -EACCES
        self.move(meta, self.data, self.end)
        return 0

    def change_tail(self, size: int) -> int:
        """bpf_skb_change_tail to `size` bytes."""
        if size < 1 or size > 0xFFFF:
            return -EINVAL
        old = self.end
        end = self.data + size
        if end > len(self.frame):
            self.frame += bytes(end - len(self.frame))
        self.move(self.meta, self.data, end)
        if end > old:
            self.region.data[old - self.meta :] = bytes(end - old)
        return 0

    def change_head(self, size: int) -> int:
        """bpf_skb_change_head: `size` zero bytes in front."""
        if size > self.meta:
            grow = size - self.meta
            self.frame[self.meta : self.end] = self.region.data
            self.frame[:0] = bytes(grow)
            self.meta, self.data, self.end = self.meta + grow, self.data + grow, self.end + grow
        self.move(self.data - size, self.data - size, self.end)
        self.region.data[:size] = bytes(size)
        return 0

    def insert(self, offset: int, size: int) -> None:
        """`size` zero bytes at `offset`; what is before them moves towards the head."""
        before = bytes(self.region.data[self.data - self.meta:][:offset])
        self.change_head(size)
        self.region.data[:offset + size] = before + bytes(size)

    def remove(self, offset: int, size: int) -> None:
        """Without the `size` bytes at `offset`."""
        before = bytes(self.region.data[self.data - self.meta:][:offset])
        self.move(self.data + size, self.data + size, self.end)
        self.region.data[:offset] = before
