"""BTF bytes ↔ types: header, string table, and every kind in both directions, side by side.

    ┌──────────── header, 24 bytes ────────────┬─────────────┬──────────────┐
    │magic ver flags hdr_len│type_off│type_len │ type records│ strings      │
    │                       │str_off │str_len  │             │ "\\0int\\0…" │
    └──────────────────────────────────────────┴─────────────┴──────────────┘

Reading is lazy: `Raw` makes one pass over the records to find where each starts; `Raw.decode` makes a type of one.
Whatever is wrong with the bytes is a BtfError, at open or when the type is asked for.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import accumulate, count
from operator import add, itemgetter
from typing import Any, Callable, Iterable, Mapping, Sequence

from ..errors import BtfError
from . import types as t
from .names import essential
from .strings import Single
from .strings import Strings as Strings
from .header import MAGIC as MAGIC
from .header import Index as Index
from .header import index
from .header import read_header as read_header
from .kinds import KINDS, MAX_VLEN

_FLAG = 1 << 31
_FEW = 5


class Raw:
    """BTF as bytes: `words` the records, `starts` the index of each record's first word, `names` those words
    (the names' offsets) as native u32, for searching. Of split BTF `base_names` looks up the base's strings, which
    take the first `base_size` offsets."""

    __slots__ = ("words", "index", "starts", "names", "strings", "byteorder", "first", "base_names", "base_size", "last", "_cached",
                 "_searches", "_offsets", "_flavoured")

    def __init__(self, data: bytes, first: int = 1, base_names: Callable[[int], str] | None = None,
                 base_size: int = 0, known: Index | None = None) -> None:
        """`known`: the index of equal bytes, where there is one already."""
        header = read_header(data)
        self.byteorder, self.first, self.base_names, self.base_size = header.byteorder, first, base_names, base_size
        self.strings = data[header.str_start:header.str_end]
        if not self.strings and base_names is None or self.strings and self.strings[-1]:
            raise BtfError("string section is empty or does not end with NUL", position=header.str_end)
        if base_names is None and self.strings[0]:
            raise BtfError("string section does not start with NUL", position=header.str_start)
        self.words = array("I", data[header.type_start:header.type_end])
        if self.byteorder != sys.byteorder:
            self.words.byteswap()
        self.index = known or index(self.words, header)
        self.starts, self.names = self.index.starts, self.index.names
        self.last = first + len(self.starts) - 1
        self._cached: dict[int, str] = {0: ""}
        self._searches = 0
        self._offsets = Single({})  # of every string
        self._flavoured: list[tuple[str, int]] = []

    def decode(self, index: int) -> t.Type:
        """The type of record `index` (0-based)."""
        words, at = self.words, self.starts[index]
        info, offset = words[at + 1], words[at]
        read = _READERS.get(info >> 24 & 0x7F)
        try:
            if read is None:
                raise BtfError(f"kind {info >> 24 & 0x7F} is not known")
            name = self._cached.get(offset) if offset else ""
            return read(self, self.name(offset) if name is None else name, info & 0xFFFFFF, info >> 31, words[at + 2], at + 3)
        except BtfError as e:
            raise BtfError(f"type {self.first + index}: {e}") from None

    def kind(self, index: int) -> int:
        """The kind number of record `index`."""
        return self.words[self.starts[index] + 1] >> 24 & 0x7F

    def name(self, offset: int) -> str:
        """The string at `offset`."""
        got = self._cached.get(offset)
        if got is None:
            got = self._cached[offset] = self._string(offset)
        return got

    def _string(self, offset: int) -> str:
        if offset < self.base_size:
            assert self.base_names is not None
            return self.base_names(offset)
        offset -= self.base_size
        end = self.strings.find(b"\0", offset)
        if end < 0:
            raise BtfError(f"string offset {offset + self.base_size:#x} is outside the string section")
        try:
            return self.strings[offset:end].decode()
        except UnicodeDecodeError:
            raise BtfError(f"string at {offset + self.base_size:#x} is not UTF-8") from None

    def to_bytes(self) -> bytes:
        """The section again, without what headers may hold besides."""
        words = self.words if self.byteorder == sys.byteorder else self.words[:]
        if words is not self.words:
            words.byteswap()
        size, mark = 4 * len(words), "<" if self.byteorder == "little" else ">"
        return struct.pack(mark + "HBBIIIII", MAGIC, 1, 0, 24, 0, size, size, len(self.strings)) + words.tobytes() + self.strings

    def changed(self, changes: Mapping[int, t.Type]) -> tuple[bytes, Strings]:
        """The section with some types (by id) in place of others, and its strings, which may grow before `finish`."""
        strings = Strings()
        strings.data = bytearray(self.strings)
        strings.at = {text: at for at, text in self._cached.items()}
        words, pieces, at = self.words, list[bytes](), 0
        for type_id in sorted(changes):
            index = type_id - self.first
            start = self.starts[index]
            end = self.starts[index + 1] if index + 1 < len(self.starts) else len(words)
            fresh: list[int] = []
            _write(fresh, changes[type_id], strings)
            pieces += (words[at:start].tobytes(), array("I", fresh).tobytes())
            at = end
        return b"".join([*pieces, words[at:].tobytes()]), strings

    def preload(self) -> None:
        """Decode all strings at once, which is quicker where most are wanted."""
        try:
            parts = self.strings.decode().split("\0")
        except UnicodeDecodeError:
            return
        at = self.base_size
        if len(self.strings) == sum(map(len, parts)) + len(parts) - 1:  # one byte a character
            for part in parts:
                self._cached.setdefault(at, part)
                at += len(part) + 1

    def ref(self, type_id: int) -> int:
        """`type_id`, checked to exist."""
        if type_id > self.last:
            raise BtfError(f"refers to type {type_id}, but the last is {self.last}")
        return type_id

    def named(self, offset: int) -> list[int]:
        """Indexes of the records whose name is at `offset`."""
        wanted, out = offset.to_bytes(4, sys.byteorder), []
        at = self.names.find(wanted)
        while at >= 0:
            if at % 4 == 0:
                out.append(at // 4)
            at = self.names.find(wanted, at + 1)
        return out

    def offsets_of(self, name: str, flavours: bool = False) -> list[int]:
        """Every string offset, in this section alone, where `name` can be read (`flavours`: or `name___anything`)."""
        if flavours and self._listed():
            return self._offsets.get(name, []) + [at for other, at in self._flavoured if other == name]
        text = name.encode()
        before = b"\0" if self._whole_strings(flavours or len(text) < 8) else b""
        wanted, length, out = before + text, len(before + text), list[int]()
        if before and self.base_size and (self.strings.startswith(text + b"\0") or flavours and self.strings.startswith(
                text + b"___")):
            out.append(self.base_size)  # the strings of split BTF begin without a NUL
        at = self.strings.find(wanted)
        while at >= 0:
            end = at + length
            if self.strings[end:end + 1] == b"\0" or flavours and self.strings[end:end + 3] == b"___":
                out.append(at + len(before) + self.base_size)
            at = self.strings.find(wanted, at + 1)
        return out

    def _listed(self) -> bool:
        """Is it known where each string is? From the second search with flavours on, if names are whole strings."""
        self._searches += 1
        if self._searches > 2 and not self._offsets and self._whole_strings(True):
            try:
                parts = self.strings.decode("ascii").split("\0")
            except UnicodeDecodeError:
                return False
            at = self.base_size
            known = dict(zip(parts, map(add, accumulate(map(len, parts), initial=0), count(at))))
            if len(known) == len(parts) - (parts[-1] == "" and parts[:1] == [""]):
                self._offsets = Single(known)
                self._flavoured = [(essential(part), known[part]) for part in parts if "___" in part]
            else:
                self._searches = -1 << 60
        return bool(self._offsets)

    def _whole_strings(self, now: bool) -> bool:
        """Is every name a whole string? Some writers let a name begin inside of another, whose end it is. Finding out costs
        as much as a few searches for a long name that do not know: those come first, unless `now`."""
        self._searches += 1
        if self.index.whole is None and self._searches < _FEW and not now:
            return False
        if self.index.whole is None:
            own: Sequence[int] = memoryview(self.names).cast("I").tolist()
            if self.base_size:
                own = [at - self.base_size for at in own if at >= self.base_size]
            try:
                self.index.whole = bool(own) and not any(itemgetter(0, *own)(b"\0" + self.strings))
            except IndexError:
                self.index.whole = False  # a name outside of the strings
        return self.index.whole


def encode(types: Iterable[t.Type], byteorder: str = "little", strings: Strings | None = None) -> bytes:
    """A whole .BTF section of `types`, ids 1, 2, … in order. `strings` may hold texts already (those of .BTF.ext)."""
    strings = strings or Strings()
    words: list[int] = []
    number = 0
    try:
        for one in types:
            number += 1
            _write(words, one, strings)
    except BtfError as e:
        raise BtfError(f"type {number} ({one!r:.80}): {e}") from None
    try:
        body = array("I", words)
    except (OverflowError, TypeError):
        raise BtfError(_which_overflows(types, strings)) from None
    if byteorder != sys.byteorder:
        body.byteswap()
    return finish(body.tobytes(), strings, byteorder)


def finish(body: bytes, strings: Strings, byteorder: str = "little") -> bytes:
    """A whole .BTF section of records in that byte order and their strings."""
    size, mark = len(body), "<" if byteorder == "little" else ">"
    return struct.pack(mark + "HBBIIIII", MAGIC, 1, 0, 24, 0, size, size, len(strings.data)) + body + strings.data


def _write(words: list[int], one: t.Type, strings: Strings) -> None:
    row = _ROWS.get(type(one))
    if row is None:
        raise BtfError("is no BTF type")
    number, named, write = row
    vlen, flag, third, rest = write(one, strings)
    if vlen > MAX_VLEN:
        raise BtfError(f"{vlen} elements are more than {MAX_VLEN}")
    name: Any = one[0] if named else ""
    words += (strings.at.get(name) or strings.add(name) if name else 0, number << 24 | vlen | (_FLAG if flag else 0), third)
    if rest:
        words += rest


def _which_overflows(types: Iterable[t.Type], strings: Strings) -> str:
    for number, one in enumerate(types, 1):
        words: list[int] = []
        _write(words, one, strings)
        if not all(0 <= w < 1 << 32 for w in words):
            return f"type {number} ({one!r:.80}): a number does not fit in 32 bits"
    return "a number does not fit in 32 bits"


# ── every kind, reader above writer ──────────────────────────────────────────────────────────────────────────────────
# reader(raw, name, vlen, flag, third, index of the first word after the header) -> type
# writer(type, string table) -> (vlen, flag, third word, words that follow)

_new: Callable[..., t.Type] = tuple.__new__  # a NamedTuple's own way costs a call more
_Out = tuple[int, int, int, Iterable[int]]


def _int(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    word = raw.words[at]
    bits, offset, encoding = word & 0xFF, word >> 16 & 0xFF, word >> 24 & 0xF
    if not 0 < size <= 16 or not bits or bits + offset > 8 * size:
        raise BtfError(f"INT of {size} bytes, {bits} bits at bit {offset}")
    return t.Int(name, size, encoding, -1 if bits == 8 * size else bits, offset)


def _int_out(one: t.Int, strings: Strings) -> _Out:
    bits = 8 * one.size if one.bits < 0 else one.bits
    if not 0 < one.size <= 16 or not 0 < bits or one.offset < 0 or bits + one.offset > 8 * one.size:
        raise BtfError(f"INT of {one.size} bytes, {bits} bits at bit {one.offset}")
    return 0, 0, one.size, (one.encoding << 24 | one.offset << 16 | bits,)


def _one_ref(cls: type[t.Ptr] | type[t.Volatile] | type[t.Const] | type[t.Restrict]) -> "_Reader":
    new: Callable[..., t.Type] = tuple.__new__

    def read(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
        return new(cls, (ref if ref <= raw.last else raw.ref(ref),))

    return read


def _one_ref_out(one: t.Ptr | t.Volatile | t.Const | t.Restrict | t.Typedef, strings: Strings) -> _Out:
    return 0, 0, one.type, ()


def _typedef(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
    return t.Typedef(name, raw.ref(ref))


def _array(raw: Raw, name: str, vlen: int, flag: int, third: int, at: int) -> t.Type:
    elem, index, count = raw.words[at:at + 3]
    return t.Array(raw.ref(elem), raw.ref(index), count)


def _array_out(one: t.Array, strings: Strings) -> _Out:
    return 0, 0, 0, (one.elem, one.index_type, one.nelems)


def _members(raw: Raw, vlen: int, flag: int, at: int) -> tuple[t.Member, ...]:
    """The hot loop of decoding: most of a kernel's BTF is members."""
    words, last, known, read = raw.words, raw.last, raw._cached, raw.name
    new: Callable[..., t.Member] = tuple.__new__
    member, out = t.Member, []
    for i in range(at, at + 3 * vlen, 3):
        name, ref, offset = words[i], words[i + 1], words[i + 2]
        if ref > last:
            raw.ref(ref)
        text = known.get(name)
        if text is None:
            text = read(name)
        out.append(new(member, (text, ref, offset & 0xFFFFFF, offset >> 24) if flag else (text, ref, offset, 0)))
    return tuple(out)


def _struct(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    return _new(t.Struct, (name, size, _members(raw, vlen, flag, at)))


def _union(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    return t.Union(name, size, _members(raw, vlen, flag, at))


def _composite_out(one: t.Struct | t.Union, strings: Strings) -> _Out:
    words: list[int] = []
    known, add = strings.at, strings.add
    members = one[2]
    for _, _, _, bits in members:
        if bits:
            break
    else:
        for name, ref, bit_offset, _ in members:
            words += (known.get(name) or add(name), ref, bit_offset)
        return len(members), 0, one[1], words
    for name, ref, bit_offset, bits in members:
        if not (0 <= bit_offset <= 0xFFFFFF and 0 <= bits <= 0xFF):
            raise BtfError(f"member {name!r}: bit offset {bit_offset} does not fit beside bit-fields")
        words += (add(name), ref, bit_offset | bits << 24)
    return len(members), 1, one[1], words


def _enum(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    words, read, values = raw.words, raw.name, []
    new: Callable[..., t.Enumerator] = tuple.__new__
    for i in range(at, at + 2 * vlen, 2):
        value = words[i + 1]
        values.append(new(t.Enumerator, (read(words[i]), value - (1 << 32) if flag and value >> 31 else value)))
    return t.Enum(name, size, bool(flag), tuple(values))


def _enum_out(one: t.Enum, strings: Strings) -> _Out:
    words: list[int] = []
    add, signed = strings.add, one.signed
    low, high = (-1 << 31, 1 << 31) if signed else (0, 1 << 32)
    for name, value in one.values:
        if not low <= value < high:
            raise BtfError(f"enumerator {name} = {value} does not fit in 32 bits")
        words += (add(name), value & 0xFFFFFFFF)
    return len(one.values), one.signed, one.size, words


def _enum64(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    words, values = raw.words, []
    for i in range(at, at + 3 * vlen, 3):
        value = words[i + 1] | words[i + 2] << 32
        values.append(t.Enumerator(raw.name(words[i]), value - (1 << 64) if flag and value >> 63 else value))
    return t.Enum64(name, size, bool(flag), tuple(values))


def _enum64_out(one: t.Enum64, strings: Strings) -> _Out:
    words: list[int] = []
    low, high = (-1 << 63, 1 << 63) if one.signed else (0, 1 << 64)
    for v in one.values:
        if not low <= v.value < high:
            raise BtfError(f"enumerator {v.name} = {v.value} does not fit in 64 bits")
        words += (strings.add(v.name), v.value & 0xFFFFFFFF, v.value >> 32 & 0xFFFFFFFF)
    return len(one.values), one.signed, one.size, words


def _fwd(raw: Raw, name: str, vlen: int, flag: int, third: int, at: int) -> t.Type:
    return t.Fwd(name, bool(flag))


def _fwd_out(one: t.Fwd, strings: Strings) -> _Out:
    return 0, one.union, 0, ()


def _func(raw: Raw, name: str, linkage: int, flag: int, ref: int, at: int) -> t.Type:
    return _new(t.Func, (name, ref if ref <= raw.last else raw.ref(ref), linkage))


def _func_out(one: t.Func, strings: Strings) -> _Out:
    return one.linkage, 0, one.proto, ()


def _proto(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
    words, last, read, out = raw.words, raw.last, raw.name, []
    new: Callable[..., t.Param] = tuple.__new__
    for i in range(at, at + 2 * vlen, 2):
        param = words[i + 1]
        if param > last:
            raw.ref(param)
        out.append(new(t.Param, (read(words[i]), param)))
    return _new(t.FuncProto, (raw.ref(ref), tuple(out)))


def _proto_out(one: t.FuncProto, strings: Strings) -> _Out:
    words: list[int] = []
    known, add = strings.at, strings.add
    for name, ref in one.params:
        words += (known.get(name) or add(name), ref)
    return len(one.params), 0, one.ret, words


def _var(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
    return t.Var(name, raw.ref(ref), raw.words[at])


def _var_out(one: t.Var, strings: Strings) -> _Out:
    return 0, 0, one.type, (one.linkage,)


def _datasec(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    words = raw.words
    return t.Datasec(name, size, tuple(
        t.SecVar(raw.ref(words[i]), words[i + 1], words[i + 2]) for i in range(at, at + 3 * vlen, 3)))


def _datasec_out(one: t.Datasec, strings: Strings) -> _Out:
    words: list[int] = []
    for v in one.vars:
        words += v
    return len(one.vars), 0, one.size, words


def _float(raw: Raw, name: str, vlen: int, flag: int, size: int, at: int) -> t.Type:
    return t.Float(name, size)


def _float_out(one: t.Float, strings: Strings) -> _Out:
    return 0, 0, one.size, ()


def _decl_tag(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
    component = raw.words[at]
    return t.DeclTag(name, raw.ref(ref), component - (component >> 31 << 32), bool(flag))


def _decl_tag_out(one: t.DeclTag, strings: Strings) -> _Out:
    return 0, one.attribute, one.type, (one.component & 0xFFFFFFFF,)


def _type_tag(raw: Raw, name: str, vlen: int, flag: int, ref: int, at: int) -> t.Type:
    return t.TypeTag(name, raw.ref(ref), bool(flag))


def _type_tag_out(one: t.TypeTag, strings: Strings) -> _Out:
    return 0, one.attribute, one.type, ()


_Reader = Callable[[Raw, str, int, int, int, int], t.Type]

_READERS: dict[int, _Reader] = {
    1: _int, 2: _one_ref(t.Ptr), 3: _array, 4: _struct, 5: _union, 6: _enum, 7: _fwd, 8: _typedef,
    9: _one_ref(t.Volatile), 10: _one_ref(t.Const), 11: _one_ref(t.Restrict), 12: _func, 13: _proto, 14: _var,
    15: _datasec, 16: _float, 17: _decl_tag, 18: _type_tag, 19: _enum64,
}

_WRITERS: dict[int, Callable[..., _Out]] = {
    1: _int_out, 2: _one_ref_out, 3: _array_out, 4: _composite_out, 5: _composite_out, 6: _enum_out, 7: _fwd_out,
    8: _one_ref_out, 9: _one_ref_out, 10: _one_ref_out, 11: _one_ref_out, 12: _func_out, 13: _proto_out, 14: _var_out,
    15: _datasec_out, 16: _float_out, 17: _decl_tag_out, 18: _type_tag_out, 19: _enum64_out,
}

_ROWS: dict[type[t.Type], tuple[int, bool, Callable[..., _Out]]] = {  # class -> number, does its name come first?, writer
    row.cls: (row.number, row.cls._fields[:1] == ("name",), _WRITERS[row.number]) for row in KINDS}
