"""The table of BTF kinds: number, class, shape of the record, first kernel. The codec and the container read it.

A record is three words {name, info, size or type}, then `fixed` words, then `each` words per element counted by vlen:

    word 0            word 1                                word 2
    ┌────────┐ ┌────┬───────┬───────┬────────────────┐ ┌──────────────┐
    │name_off│ │31  │30..24 │23..16 │15..0           │ │ size or type │
    │        │ │flag│kind   │       │vlen (or linkage)│ │              │
    └────────┘ └────┴───────┴───────┴────────────────┘ └──────────────┘

Linux 7.x widens vlen to bits 0-23; we read that, and write what every kernel takes.
"""

from __future__ import annotations

from typing import Final

from . import types as t

MAX_VLEN: Final = 0xFFFF
MAX_TYPE: Final = 0xFFFFF
MAX_NAME: Final = 0xFFFFFF


class Kind:
    """One row. `third` says what word 2 is: "size", "type" or "zero"; `since` the first kernel that takes the kind."""

    __slots__ = ("number", "cls", "third", "fixed", "each", "since")

    def __init__(self, number: int, cls: type[t.Type], third: str, fixed: int, each: int, since: str) -> None:
        self.number, self.cls, self.third, self.fixed, self.each, self.since = number, cls, third, fixed, each, since

    def __repr__(self) -> str:
        return f"<Kind {self.number} {self.cls.__name__}>"


KINDS: Final = (
    #    nr  class         word 2  fixed each since
    Kind(1, t.Int, "size", 1, 0, "4.18"),
    Kind(2, t.Ptr, "type", 0, 0, "4.18"),
    Kind(3, t.Array, "zero", 3, 0, "4.18"),
    Kind(4, t.Struct, "size", 0, 3, "4.18"),
    Kind(5, t.Union, "size", 0, 3, "4.18"),
    Kind(6, t.Enum, "size", 0, 2, "4.18"),
    Kind(7, t.Fwd, "zero", 0, 0, "4.18"),
    Kind(8, t.Typedef, "type", 0, 0, "4.18"),
    Kind(9, t.Volatile, "type", 0, 0, "4.18"),
    Kind(10, t.Const, "type", 0, 0, "4.18"),
    Kind(11, t.Restrict, "type", 0, 0, "4.18"),
    Kind(12, t.Func, "type", 0, 0, "5.0"),
    Kind(13, t.FuncProto, "type", 0, 2, "5.0"),
    Kind(14, t.Var, "type", 1, 0, "5.2"),
    Kind(15, t.Datasec, "size", 0, 3, "5.2"),
    Kind(16, t.Float, "size", 0, 0, "5.13"),
    Kind(17, t.DeclTag, "type", 1, 0, "5.16"),
    Kind(18, t.TypeTag, "type", 0, 0, "5.17"),
    Kind(19, t.Enum64, "size", 0, 3, "6.0"),
)

BY_CLASS: Final = {k.cls: k for k in KINDS}
