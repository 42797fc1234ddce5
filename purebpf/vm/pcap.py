"""Recorded packets: pcap files, of tcpdump and others, and the packets of pcapng files.

    pcap    u32 magic (a1b2c3d4; a1b23c4d: nanoseconds) u16 u16 version, u32 u32 zero, u32 snap length, u32 link type
            then for each packet u32 seconds, u32 fraction, u32 length here, u32 length on the wire, data
    pcapng  blocks: u32 type, u32 length, body, u32 length again; 0A0D0D0A begins a section and has the byte-order magic,
            1 describes an interface (u16 link type), 6 is a packet (u32 interface, u64 time, u32 here, u32 wire), 3 one without a time
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..errors import FormatError

ETHERNET = 1
_PCAP = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}
_SECTION, _INTERFACE, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 3, 6


def packets(data: bytes) -> Iterator[bytes]:
    """The packets of a file, as far as they were recorded. FormatError for a file that is none, is cut short, or has no
    Ethernet frames."""
    if data[:4] in _PCAP:
        return _of_pcap(data, _PCAP[data[:4]])
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _of_pcapng(data)
    raise FormatError("this is neither a pcap nor a pcapng file", position=0)


def _of_pcap(data: bytes, order: str) -> Iterator[bytes]:
    if len(data) < 24:
        raise FormatError("the file ends in its header", position=len(data))
    _check(struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF, 20)
    record, at = struct.Struct(order + "IIII"), 24
    while at < len(data):
        if at + 16 > len(data):
            raise FormatError("the file ends in the header of a packet", position=at)
        length = record.unpack_from(data, at)[2]
        if at + 16 + length > len(data):
            raise FormatError(f"a packet of {length} bytes reaches past the end of the file", position=at)
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def _of_pcapng(data: bytes) -> Iterator[bytes]:
    order, at = "<", 0
    while at < len(data):
        if at + 12 > len(data):
            raise FormatError("the file ends in the header of a block", position=at)
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            raise FormatError(f"a block of {length} bytes does not fit", position=at)
        body = data[at + 8:at + length - 4]
        head = {_PACKET: 20, _SIMPLE: 4, _INTERFACE: 8}.get(kind, 0)
        if len(body) < head:
            raise FormatError(f"a block of {length} bytes is too short for its kind", position=at)
        if kind == _INTERFACE:
            _check(struct.unpack_from(order + "H", body)[0], at)
        elif kind == _PACKET:
            here = struct.unpack_from(order + "I", body, 12)[0]
            if 20 + here > len(body):
                raise FormatError(f"a packet of {here} bytes reaches past its block", position=at)
            yield body[20:20 + here]
        elif kind == _SIMPLE:
            yield body[4:4 + struct.unpack_from(order + "I", body)[0]]
        at += length


def _check(link: int, at: int) -> None:
    if link != ETHERNET:
        raise FormatError(f"its packets are of link type {link}, not Ethernet frames (1)", position=at)
