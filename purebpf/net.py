"""Packet headers, in network byte order at rest; fields compute as the numbers they stand for."""

from __future__ import annotations

from typing import Literal

from .dsl.ints import be16, be32, u8
from .dsl.maps import Array
from .dsl.memory import struct

__all__ = [
    "ETH_ARP", "ETH_IP", "ETH_IPV6", "ETH_QINQ", "ETH_VLAN", "IP_ICMP", "IP_ICMPV6", "IP_TCP", "IP_UDP",
    "Arp", "Ethernet", "IPv4", "IPv6", "Icmp", "Tcp", "Udp", "Vlan",
]

ETH_IP, ETH_ARP, ETH_IPV6, ETH_VLAN, ETH_QINQ = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8
IP_ICMP, IP_TCP, IP_UDP, IP_ICMPV6 = 1, 6, 17, 58


@struct
class Ethernet:
    """14 bytes; `proto` is the EtherType."""

    dst: Array[u8, Literal[6]]
    src: Array[u8, Literal[6]]
    proto: be16


@struct
class Vlan:
    """802.1Q tag, 4 bytes, behind an EtherType of ETH_VLAN or ETH_QINQ: `tci` (priority and id), next EtherType."""

    tci: be16
    proto: be16


@struct
class Arp:
    """ARP header, 8 bytes; addresses follow."""

    htype: be16
    ptype: be16
    hlen: u8
    plen: u8
    op: be16


@struct
class IPv4:
    """20 bytes; options follow when `vihl & 15` is above 5."""

    vihl: u8
    tos: u8
    len: be16
    id: be16
    frag: be16
    ttl: u8
    proto: u8
    csum: be16
    src: be32
    dst: be32


@struct
class IPv6:
    """40 bytes; addresses as bytes."""

    vtf: be32
    plen: be16
    next: u8
    hop: u8
    src: Array[u8, Literal[16]]
    dst: Array[u8, Literal[16]]


@struct
class Tcp:
    """20 bytes; options follow when `off >> 4` is above 5."""

    sport: be16
    dport: be16
    seq: be32
    ack: be32
    off: u8
    flags: u8
    win: be16
    csum: be16
    urg: be16


@struct
class Udp:
    """8 bytes."""

    sport: be16
    dport: be16
    len: be16
    csum: be16


@struct
class Icmp:
    """The first 8 bytes of ICMP and ICMPv6."""

    type: u8
    code: u8
    csum: be16
    rest: be32
