"""Structs and unions as Python values: light objects with the members as attributes.

    Record           a struct: members in a plain dict, `repr`, `==`, `_asdict`, iteration in member order
    UnionRecord      a union: the bytes; reading a member decodes it, setting one encodes it

Members of an anonymous struct are the outer record's own. Those of an anonymous union are reached through the outer
record as in C. A misspelt attribute is an AttributeError, in reading and in writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Iterator, Mapping

if TYPE_CHECKING:
    from .nodes import Slot


class Record:
    """A struct. Make one with keywords, or take one from a map; only its codec's class knows the members.

    Hashable by value, so that it can be a dict key; do not change it while it is one."""

    _name: ClassVar[str] = ""
    _fields: ClassVar[tuple[str, ...]] = ()  # as a program sees them
    _unions: ClassVar[Mapping[str, str]] = {}  # member of an anonymous union -> attribute that holds the union

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:  # only for what is not in __dict__
        holder = type(self)._unions.get(name)
        if holder is None or holder not in self.__dict__:
            raise AttributeError(f"{type(self)._name or 'struct'} has no member {name!r}")
        return getattr(self.__dict__[holder], name)

    def __setattr__(self, name: str, value: Any) -> None:
        holder = type(self)._unions.get(name)
        if holder is not None:
            setattr(self.__dict__[holder], name, value)
        elif name in type(self)._fields:
            self.__dict__[name] = value
        else:
            raise AttributeError(f"{type(self)._name or 'struct'} has no member {name!r}")

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in type(self)._fields)

    def __repr__(self) -> str:
        held = ((n, getattr(self, n)) for n in type(self)._fields if n in self.__dict__ or n in type(self)._unions)
        return f"{type(self)._name or 'struct'}({', '.join(f'{n}={v!r}' for n, v in held)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return type(self)._fields == type(other)._fields and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(_frozen(self.__dict__))

    def _asdict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings, all the way down."""
        return {name: plain(getattr(self, name)) for name in type(self)._fields}


class UnionRecord:
    """A union of `_data` bytes; `_slots` knows how each member reads and writes them."""

    __slots__ = ("_data",)
    _name: ClassVar[str] = ""
    _slots: ClassVar[Mapping[str, Slot]] = {}
    _data: bytearray

    def __init__(self, data: bytes) -> None:
        object.__setattr__(self, "_data", bytearray(data))

    def __getattr__(self, name: str) -> Any:
        slot = type(self)._slots.get(name)
        if slot is None:
            raise AttributeError(f"{type(self)._name or 'union'} has no member {name!r}")
        return slot.get(self._data)

    def __setattr__(self, name: str, value: Any) -> None:
        slot = type(self)._slots.get(name)
        if slot is None:
            raise AttributeError(f"{type(self)._name or 'union'} has no member {name!r}")
        slot.set(self._data, value)

    def __repr__(self) -> str:
        return f"{type(self)._name or 'union'}({', '.join(f'{n}={getattr(self, n)!r}' for n in type(self)._slots)})"

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, UnionRecord) else NotImplemented

    def __hash__(self) -> int:
        return hash(bytes(self._data))

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    def _asdict(self) -> dict[str, Any]:
        """Every member's reading of the bytes."""
        return {name: plain(getattr(self, name)) for name in type(self)._slots}


def plain(value: Any) -> Any:
    """`value` with every record in it turned into a dict."""
    if isinstance(value, (Record, UnionRecord)):
        return value._asdict()
    return [plain(v) for v in value] if isinstance(value, list) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(map(_frozen, value.values()))
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
