"""Structs that the kernel shows to programs in a shape of its own, behind pointers: sockets, flow keys."""

from __future__ import annotations

from functools import cache

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Field, Layout, StructType
from ..uapi import contexts as table

HALF = IntType("be16", 4, False, big_endian=True, bits=16)


def layout_of(field: table.Field) -> Layout:
    """The type of a number, or of an array of them, of the table of contexts."""
    layout: Layout = HALF if field.half else TYPES[f"{'be' if field.big_endian and field.size > 1 else 'u'}{field.size * 8}"]
    return ArrayType(layout, field.elems) if field.elems > 1 else layout


@cache
def struct(name: str, common: bool = False) -> StructType | None:
    """A struct of the table of contexts. `common`: the part of it that sockets of all kinds have. None for any other name."""
    known = table.context(name)
    if known is None:
        return None
    fields = [f for f in known.fields.values() if f.kind == "int" and not (common and f.name in table.FULL)]
    return StructType(name, tuple(Field(f.name, layout_of(f), f.offset) for f in fields), known.size, 8)
