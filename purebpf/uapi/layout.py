"""The shape of the rows of attrs.py."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple


class Field(NamedTuple):
    """In bytes from the start of the struct."""

    offset: int
    size: int


class Layout:
    """A C struct as the kernel's interface has it: `size` in bytes, fields by name, in order."""

    __slots__ = ("size", "_fields")

    def __init__(self, size: int, fields: Mapping[str, tuple[int, int]]) -> None:
        self.size, self._fields = size, fields

    def __getitem__(self, name: str) -> Field:
        return Field(*self._fields[name])

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def items(self) -> Iterator[tuple[str, Field]]:
        """(name, place) of every field."""
        return ((name, Field(*place)) for name, place in self._fields.items())
