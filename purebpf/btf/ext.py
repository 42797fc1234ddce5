""".BTF.ext: what belongs to instructions: functions, source lines, CO-RE relocations; both directions.

    header 32 │ func_info: rec_size 8  │ line_info: rec_size 16 │ core_relo: rec_size 16
              │ per section: name, n   │  ...                   │  ...
              │   n × {insn, type}     │ {insn, file, text, line<<10|col} │ {insn, type, access, kind}

Offsets count bytes from the start of the ELF section. Strings live in .BTF; the names here are resolved already.
"""

from __future__ import annotations

import struct
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from ..errors import BtfError
from .codec import MAGIC, Strings
from .container import Btf


class FuncInfo(NamedTuple):
    """A function starts at byte `insn` of its section; `type` is its FUNC."""

    insn: int
    type: int


class LineInfo(NamedTuple):
    """The instruction at byte `insn` comes from `line`, column `col` (1-based) of `file`; `text` is the line."""

    insn: int
    file: str
    text: str
    line: int
    col: int


class CoreRelo(NamedTuple):
    """The instruction at byte `insn` holds a number that depends on the kernel; see core.py."""

    insn: int
    type: int
    access: str
    kind: int


class Ext(NamedTuple):
    """A whole .BTF.ext: records by ELF section name, ascending by `insn`."""

    funcs: Mapping[str, Sequence[FuncInfo]] = {}
    lines: Mapping[str, Sequence[LineInfo]] = {}
    relos: Mapping[str, Sequence[CoreRelo]] = {}


def read(data: bytes, btf: Btf) -> Ext:
    """Parse a .BTF.ext section, with the Btf read from the same file, which has its strings. BtfError for anything
    malformed."""
    if len(data) < 24:
        raise BtfError(f"{len(data)} bytes are too few for a .BTF.ext header")
    order = "<" if data[:2] == b"\x9f\xeb" else ">"
    magic, version, flags, hdr_len = struct.unpack_from(order + "HBBI", data)
    if magic != MAGIC or version != 1 or flags:
        raise BtfError(f".BTF.ext magic {magic:#x}, version {version}, flags {flags:#x} are not known", position=0)
    if not 24 <= hdr_len <= len(data):
        raise BtfError(f".BTF.ext header length {hdr_len} is out of range", position=4)
    name = btf.string
    spans = [struct.unpack_from(order + "II", data, at) if at + 8 <= hdr_len else (0, 0) for at in (8, 16, 24)]
    part = [_Part(data, order, hdr_len, off, size, name) for off, size in spans]
    return Ext(
        {s: tuple(FuncInfo(*r) for r in rs) for s, rs in part[0].sections(2)},
        {s: _lines(rs, name) for s, rs in part[1].sections(4)},
        {s: tuple(CoreRelo(i, ty, name(a), k) for i, ty, a, k in rs) for s, rs in part[2].sections(4)},
    )


def _lines(records: list[tuple[int, ...]], name: Callable[[int], str]) -> tuple[LineInfo, ...]:
    """Programs of thousands of lines, which mostly repeat: each string is asked for once."""
    new, cls = tuple.__new__, LineInfo
    texts = {at: name(at) for at in {at for record in records for at in record[1:3]}}
    return tuple([new(cls, (i, texts[f], texts[x], lc >> 10, lc & 0x3FF)) for i, f, x, lc in records])


class _Part:
    """One of the three parts, being read."""

    __slots__ = ("data", "order", "at", "end", "name")

    def __init__(self, data: bytes, order: str, base: int, offset: int, size: int, name: Callable[[int], str]) -> None:
        self.data, self.order, self.name = data, order, name
        self.at, self.end = base + offset, base + offset + size
        if self.end > len(data):
            raise BtfError(f".BTF.ext part [{self.at:#x}, {self.end:#x}) leaves the section")
        if offset % 4:
            raise BtfError(".BTF.ext part is not aligned to 4 bytes", position=self.at)

    def sections(self, words: int) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
        """(section name, records cut to their first `words` words)."""
        if self.at == self.end:
            return
        size, = self._take("I")
        if size < 4 * words or size % 4:
            raise BtfError(f".BTF.ext record size {size} is out of range", position=self.at - 4)
        if self.at == self.end:
            raise BtfError(".BTF.ext part has a record size but no records", position=self.at)
        seen: set[str] = set()
        while self.at < self.end:
            sec_name, count = self._take("II")
            section = self.name(sec_name)
            if not count or section in seen:
                raise BtfError(f".BTF.ext section {section!r} is empty or listed twice", position=self.at)
            seen.add(section)
            if self.at + count * size > self.end:
                raise BtfError(f".BTF.ext records of {section!r} are cut short", position=self.at)
            record = struct.Struct(f"{self.order}{words}I{size - 4 * words}x")
            out = list(record.iter_unpack(self.data[self.at:self.at + count * size]))
            self.at += count * size
            yield section, out

    def _take(self, code: str) -> tuple[int, ...]:
        size = struct.calcsize("=" + code)
        if self.at + size > self.end:
            raise BtfError(".BTF.ext is cut short", position=self.at)
        self.at += size
        return struct.unpack_from(self.order + code, self.data, self.at - size)


def encode(ext: Ext, strings: Strings, byteorder: str = "little") -> bytes:
    """A .BTF.ext section; its strings go to `strings`, which the .BTF section is then encoded with."""
    add = strings.add
    parts = [
        _encode_part(byteorder, 8, [(add(s), [(r.insn, r.type) for r in rs]) for s, rs in ext.funcs.items() if rs]),
        _encode_part(byteorder, 16, [
            (add(s), [(r.insn, add(r.file), add(r.text), min(r.line, 0x3FFFFF) << 10 | min(r.col, 0x3FF)) for r in rs])
            for s, rs in ext.lines.items() if rs]),
        _encode_part(byteorder, 16, [
            (add(s), [(r.insn, r.type, add(r.access), r.kind) for r in rs]) for s, rs in ext.relos.items() if rs]),
    ]
    spans: list[int] = []
    at = 0
    for part in parts:
        spans += (at, len(part))
        at += len(part)
    mark = "<" if byteorder == "little" else ">"
    return struct.pack(mark + "HBBI6I", MAGIC, 1, 0, 32, *spans) + b"".join(parts)


def _encode_part(byteorder: str, size: int, sections: list[tuple[int, list[tuple[int, ...]]]]) -> bytes:
    if not sections:
        return b""
    words = [size]
    for name, records in sections:
        words += (name, len(records))
        for record in records:
            words += record
    try:
        return struct.pack(f"{'<' if byteorder == 'little' else '>'}{len(words)}I", *words)
    except struct.error:
        raise BtfError("a number of .BTF.ext does not fit in 32 bits") from None
