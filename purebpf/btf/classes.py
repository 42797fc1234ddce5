"""Structs as classes of the language: what C declared, written as `@bpf.struct` would have it, with the same layout."""

from __future__ import annotations

import keyword
from typing import Final, Iterable

from . import types as t
from .container import Btf
from .layout import align_of, element, resolve, size_of

_UNSIGNED: Final = {1: "u8", 2: "u16", 4: "u32", 8: "u64"}
_BIG: Final = frozenset({"__be16", "__be32", "__be64"})


def struct_classes(btf: Btf, ids: Iterable[int]) -> str:
    """A module with the structs and unions that are behind `ids`, and those inside of them, first things first."""
    made = _Classes(btf)
    for type_id in ids:
        made.word(type_id)
    head = ['"""Types of an object, written by `purebpf types`."""', "",
            "import purebpf as bpf", "from purebpf import Ptr, be16, be32, be64, char, i8, i16, i32, i64, u8, u16, u32, u64", ""]
    return "\n".join([*head, *made.out]) + "\n"


class _Classes:
    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.out: list[str] = []
        self.names: dict[int, str] = {}

    def word(self, type_id: int) -> str:
        """The annotation of a value; makes the classes that it needs."""
        elem, dims = element(self.btf, type_id)
        bounds = "".join(f"[{n}]" for n in reversed(dims))
        return self._scalar(elem, bool(dims)) + bounds

    def _scalar(self, type_id: int, in_array: bool) -> str:
        plain = resolve(self.btf, type_id)
        named = self.btf[type_id] if type_id else None
        if isinstance(named, t.Typedef) and named.name in _BIG:
            return named.name.lstrip("_")
        match self.btf[plain] if plain else None:
            case t.Int() as one if one.encoding & t.BOOL:
                return "bool"
            case t.Int() as one if one.name == "char" and in_array:
                return "char"
            case t.Int() | t.Enum() | t.Enum64() as one if one.size in _UNSIGNED:
                signed = one.encoding & t.SIGNED if isinstance(one, t.Int) else one.signed
                word = _UNSIGNED[one.size]
                return word.replace("u", "i") if signed else word
            case t.Ptr():
                return "u64"
            case t.Struct() | t.Union() as one:
                return self._composite(plain, one)
            case t.Var() as one:
                return self.word(one.type)
            case None | t.Fwd() | t.FuncProto():
                return "u64"
            case _:
                return f"u8[{size_of(self.btf, plain)}]"

    def _composite(self, type_id: int, one: t.Struct | t.Union) -> str:
        found = self.names.get(type_id)
        if found is not None:
            return found
        base = one.name or f"anonymous_{type_id}"
        name = self.names[type_id] = base if base not in self.names.values() and not keyword.iskeyword(base) else f"{base}_{type_id}"
        rows, at = [], 0
        packed = align_of(self.btf, type_id) == 1 and any(align_of(self.btf, m.type) > 1 for m in one.members)
        for number, m in enumerate(one.members):
            if m.bits or isinstance(one, t.Struct) and m.bit_offset < at:
                continue  # the language has no bit-fields: their bytes are in the gap
            rows += self._gap(one, at, m.bit_offset, 8 if packed else 8 * align_of(self.btf, m.type))
            member = m.name if m.name and not keyword.iskeyword(m.name) else f"member_{number}"
            rows.append(f"    {member}: {self.word(m.type)}")
            at = m.bit_offset + 8 * size_of(self.btf, m.type)
        rows += self._gap(one, at, 8 * one.size, 8 if packed else 8 * align_of(self.btf, type_id))
        decorator = "@bpf.union" if isinstance(one, t.Union) else "@bpf.struct(packed=True)" if packed else "@bpf.struct"
        self.out += ["", decorator, f"class {name}:", *(rows or [f"    pad: u8[{one.size}]"]), ""]
        return name

    @staticmethod
    def _gap(one: t.Struct | t.Union, at: int, offset: int, align: int) -> list[str]:
        """A member for bytes that are not the gap of alignment."""
        if isinstance(one, t.Union) or -(-at // align) * align >= offset:
            return []
        start = (at + 7) // 8
        return [f"    pad_{start}: u8[{offset // 8 - start}]"]
