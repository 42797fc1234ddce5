"""The head of a .BTF section, and where each of its records begins: what is done when one is opened."""

from __future__ import annotations

import struct
from array import array

from ..errors import BtfError
from .kinds import KINDS, MAX_TYPE

MAGIC = 0xEB9F


class Header:
    """Where the sections lie (absolute byte offsets), and `layout`: {kind: (fixed words, words each)} if
    the file says."""

    __slots__ = ("byteorder", "type_start", "type_end", "str_start", "str_end", "layout")

    def __init__(self, byteorder: str, spans: tuple[int, int, int, int], layout: dict[int, tuple[int, int]]) -> None:
        self.byteorder, self.layout = byteorder, layout
        self.type_start, self.type_end, self.str_start, self.str_end = spans


def read_header(data: bytes) -> Header:
    """Parse and check the header of a .BTF section."""
    if len(data) < 24:
        raise BtfError(f"{len(data)} bytes are too few for a BTF header (24)")
    order = {b"\x9f\xeb": "little", b"\xeb\x9f": "big"}.get(bytes(data[:2]))
    if order is None:
        raise BtfError(f"bad magic {bytes(data[:2]).hex()}, want 9feb or eb9f", position=0)
    mark = "<" if order == "little" else ">"
    version, flags, hdr_len, type_off, type_len, str_off, str_len = struct.unpack_from(mark + "BBIIIII", data, 2)
    if version != 1 or flags:
        raise BtfError(f"BTF version {version}, flags {flags:#x} are not known", position=2)
    if hdr_len < 24 or hdr_len > len(data):
        raise BtfError(f"header length {hdr_len} is out of range", position=4)
    body = len(data) - hdr_len
    for what, off, size in (("type", type_off, type_len), ("string", str_off, str_len)):
        if off + size > body:
            raise BtfError(f"{what} section [{off:#x}, {off + size:#x}) leaves the blob of {body:#x} bytes")
    if type_off % 4 or type_len % 4:
        raise BtfError("type section is not aligned to 4 bytes")
    layout: dict[int, tuple[int, int]] = {}
    if hdr_len >= 32:
        off, size = struct.unpack_from(mark + "II", data, 24)
        if off + size > body:
            raise BtfError("layout section leaves the blob")
        for kind in range(size // 4):
            fixed, each = data[hdr_len + off + 4 * kind], data[hdr_len + off + 4 * kind + 1]
            layout[kind] = (fixed // 4, each // 4)
    start, strings = hdr_len + type_off, hdr_len + str_off
    return Header(order, (start, start + type_len, strings, strings + str_len), layout)


class Index:
    """`starts`: where each record begins, in words; `names`: those words (the names' offsets) as bytes, for searching; `whole`: is every name
    a whole string (None: nobody has looked yet)? It is right for equal bytes, too."""

    __slots__ = ("starts", "names", "whole")

    def __init__(self, starts: "array[int]", names: bytes) -> None:
        self.starts, self.names = starts, names
        self.whole: bool | None = None


def index(words: "array[int]", header: Header) -> Index:
    """Find the records. The hot loop of opening vmlinux: 126,000 turns."""
    fixed, each = [-1] * 128, [0] * 128
    for kind, (a, b) in header.layout.items():
        fixed[kind & 127], each[kind & 127] = 3 + a, b
    for row in KINDS:
        fixed[row.number], each[row.number] = 3 + row.fixed, row.each
    fixed[12], each[12] = 3, 0  # Func keeps its linkage in vlen
    sizes = _Sizes(fixed, each)
    starts, names = array("I"), array("I")
    start, name = starts.append, names.append
    at, end = 0, len(words)
    try:
        while at < end:
            start(at)
            name(words[at])
            at += sizes[words[at + 1]]
    except IndexError:
        at = end + 1
    except BtfError as e:
        raise BtfError(f"type {len(starts)}: {e}", position=header.type_start + 4 * at) from None
    if at != end:
        raise BtfError("last type record is cut short", position=header.type_start + 4 * end)
    if len(starts) > MAX_TYPE:
        raise BtfError(f"{len(starts)} types are more than {MAX_TYPE}")
    return Index(starts, names.tobytes())


class _Sizes(dict[int, int]):
    """Words of a record by its second word, which says kind and number of elements."""

    def __init__(self, fixed: list[int], each: list[int]) -> None:
        super().__init__()
        self._fixed, self._each = fixed, each

    def __missing__(self, info: int) -> int:
        kind = info >> 24 & 0x7F
        if self._fixed[kind] < 0:
            raise BtfError(f"kind {kind} is not known")
        size = self[info] = self._fixed[kind] + self._each[kind] * (info & 0xFFFFFF)
        return size
