"""Integers at rest: u8 … i64, bool, char, and their big-endian twins.

To a type checker each is `int`, so arithmetic needs no ceremony. At run time each is an `IntType`: `u32(x)` wraps as the
kernel would (so that the same function gives the same answer in CPython), `u32[8]` is an array, `u32[:3]` a bit-field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .layout import ArrayType, BitField, Layout


class IntType(Layout):
    """An integer of `size` bytes at rest. `big_endian`: stored in network order, computes as the number it stands for, which
    has `bits` bits: those of its first bytes, where the context has more room for it."""

    __slots__ = ("signed", "big_endian", "is_bool", "is_char", "bits")

    def __init__(self, name: str, size: int, signed: bool, *, big_endian: bool = False, is_bool: bool = False,
                 is_char: bool = False, bits: int = 0) -> None:
        super().__init__(name, size, size)
        self.bits = bits or size * 8
        self.signed, self.big_endian, self.is_bool, self.is_char = signed, big_endian, is_bool, is_char

    @property
    def lo(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def hi(self) -> int:
        return 1 if self.is_bool else (1 << (self.bits - self.signed)) - 1

    def __call__(self, value: Any = 0) -> int:
        """`value` wrapped to this type: the cast of the language, the same in CPython and in the kernel."""
        if self.is_bool:
            return int(bool(value))
        number = int(value) & ((1 << self.bits) - 1)
        return number - (1 << self.bits) if self.signed and number >> (self.bits - 1) else number

    def __getitem__(self, index: int | slice) -> Layout:
        if isinstance(index, slice):
            if index.start is not None or index.step is not None or not isinstance(index.stop, int):
                raise TypeError(f"a bit-field is written {self.name}[:bits]")
            return BitField(self, index.stop)
        return ArrayType(self, index)


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    u8: TypeAlias = int
    u16: TypeAlias = int
    u32: TypeAlias = int
    u64: TypeAlias = int
    i8: TypeAlias = int
    i16: TypeAlias = int
    i32: TypeAlias = int
    i64: TypeAlias = int
    be16: TypeAlias = int
    be32: TypeAlias = int
    be64: TypeAlias = int

    class _CharType(type):
        def __getitem__(cls, size: int) -> Callable[[Any], str]: ...

    class char(int, metaclass=_CharType):
        """A byte of text: a number as a field, `str` in an array; `char[64](p)` is the C string at a pointer."""

        def __get__(self, obj: object, owner: Any = None) -> int: ...
        def __set__(self, obj: Any, value: int | str | bytes) -> None: ...
else:
    u8: Final = IntType("u8", 1, False)
    u16: Final = IntType("u16", 2, False)
    u32: Final = IntType("u32", 4, False)
    u64: Final = IntType("u64", 8, False)
    i8: Final = IntType("i8", 1, True)
    i16: Final = IntType("i16", 2, True)
    i32: Final = IntType("i32", 4, True)
    i64: Final = IntType("i64", 8, True)
    be16: Final = IntType("be16", 2, False, big_endian=True)
    be32: Final = IntType("be32", 4, False, big_endian=True)
    be64: Final = IntType("be64", 8, False, big_endian=True)
    char: Final = IntType("char", 1, False, is_char=True)

BOOL: Final = IntType("bool", 1, False, is_bool=True)
TYPES: Final[dict[str, IntType]] = {
    t.name: t for t in (u8, u16, u32, u64, i8, i16, i32, i64, be16, be32, be64, char, BOOL) if isinstance(t, IntType)
}
