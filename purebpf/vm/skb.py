"""A packet's socket buffer: what the kernel knows of it besides its bytes, as far as programs see it in a `__sk_buff`."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from ..order import Order
from ..uapi.contexts import context
from .packet import ETH_HLEN, Packet

_FOUND = context("__sk_buff")
assert _FOUND is not None
SK_BUFF: Final = _FOUND
IP, IPV6 = b"\x08\x00", b"\x86\xdd"
VLAN: Final = (b"\x81\x00", b"\x88\xa8")
BASE_LENGTH: Final = {IP: 20, IPV6: 40}  # of the network header, without options
_ADDRESSES: Final = {IP: slice(12, 20), IPV6: slice(8, 40)}
_PROTOCOL: Final = {IP: 9, IPV6: 6}


def bytes_of(name: str) -> slice:
    """Where a field lies."""
    field = SK_BUFF.fields[name]
    return slice(field.offset, field.offset + field.size * field.elems)


class Skb:
    """`backing` are the fields. `link`: where the network header begins in the packet, 14 for programs that see the
    Ethernet header. `tunnel`: the metadata that was set for it, with whether it is IPv6."""

    __slots__ = ("backing", "link", "order", "packet", "tunnel")

    def __init__(self, packet: Packet, order: Order, backing: bytearray, link_layer: bool) -> None:
        self.packet, self.order, self.backing = packet, order, backing
        self.link = ETH_HLEN if link_layer else 0
        self.tunnel: tuple[bytes, bool] | None = None

    def get(self, name: str) -> int:
        """A field as a number."""
        return self.order.number(self.backing[bytes_of(name)])

    def put(self, name: str, value: int) -> None:
        part = bytes_of(name)
        self.backing[part] = self.order.bytes(value, part.stop - part.start)

    @property
    def protocol(self) -> bytes:
        """The EtherType, as two bytes of a packet."""
        return self.order.bytes(self.get("protocol") & 0xFFFF, 2)

    @protocol.setter
    def protocol(self, wire: bytes) -> None:
        self.put("protocol", self.order.number(wire))

    def flow(self) -> int:
        """A number that packets of one flow have in common, never 0. The kernel's differs at every boot."""
        kind = self.protocol
        header = self.packet.content()[self.link:]
        addresses = header[_ADDRESSES.get(kind, slice(0, 0))]
        ports = b""
        if kind in BASE_LENGTH and len(header) >= BASE_LENGTH[kind]:
            at = (header[0] & 15) * 4 if kind == IP else BASE_LENGTH[kind]
            protocol = header[_PROTOCOL[kind]:_PROTOCOL[kind] + 1]
            ports = protocol + (header[at:at + 4] if protocol in (b"\x06", b"\x11", b"\x84") else b"")
        return crc32(kind + addresses + ports) or 1
