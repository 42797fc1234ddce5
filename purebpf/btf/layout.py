"""Size, alignment, offset: where the bytes of a type are. The target is BPF: pointers have 8 bytes.

Every walk is bounded, so a type that contains itself is a BtfError, not a recursion.
"""

from __future__ import annotations

from typing import Final, Iterator, NamedTuple

from ..errors import BtfError
from . import types as t
from .container import Btf, kind_name

POINTER: Final = 8
_DEPTH: Final = 64  # the kernel refuses nesting over 32
_MODIFIERS = (t.Const, t.Volatile, t.Restrict, t.TypeTag)


class Budget:
    """Bounds a walk that may visit a type again and again: a few hostile types can nest in billions of ways."""

    __slots__ = ("left",)

    def __init__(self, left: int = 100_000) -> None:
        self.left = left

    def spend(self) -> None:
        """One visit. BtfError when there were too many."""
        self.left -= 1
        if self.left < 0:
            raise BtfError("types nest in too many ways")


class Field(NamedTuple):
    """A named member as a program reaches it: `bit_offset` from the start of the outermost struct, `bits` > 0 for a
    bit-field, `path` the member indexes that lead to it through anonymous structs and unions."""

    name: str
    type: int
    bit_offset: int
    bits: int
    path: tuple[int, ...]

    @property
    def offset(self) -> int:
        """In bytes; for a bit-field the byte where it starts."""
        return self.bit_offset // 8


def resolve(btf: Btf, type_id: int, *, typedefs: bool = True) -> int:
    """The id behind typedefs, const, volatile, restrict and type tags; 0 if that is void."""
    skip = (*_MODIFIERS, t.Typedef) if typedefs else _MODIFIERS
    for _ in range(_DEPTH):
        if not type_id:
            return 0
        one = btf[type_id]
        if not isinstance(one, skip):
            return type_id
        type_id = one.type
    raise BtfError(f"type {type_id}: chain of typedefs and modifiers does not end")


def resolved(btf: Btf, type_id: int) -> t.Type | None:
    """The type behind typedefs and modifiers; None for void."""
    type_id = resolve(btf, type_id)
    return btf[type_id] if type_id else None


def size_of(btf: Btf, type_id: int) -> int:
    """Bytes that a value of the type takes. BtfError for void, functions and forward declarations."""
    count, start = 1, type_id
    for _ in range(_DEPTH):
        match resolved(btf, type_id):
            case t.Int() | t.Struct() | t.Union() | t.Enum() | t.Enum64() | t.Float() | t.Datasec() as one:
                return count * one.size
            case t.Ptr():
                return count * POINTER
            case t.Array() as one:
                count, type_id = count * one.nelems, one.elem
            case t.Var() as one:
                type_id = one.type
            case _:
                raise BtfError(f"type {start}: {kind_name(btf, resolve(btf, type_id))} has no size")
    raise BtfError(f"type {start}: arrays nest without end")


def align_of(btf: Btf, type_id: int) -> int:
    """Alignment in bytes; 1 for a packed struct (one whose members or size are not aligned)."""
    return _align(btf, type_id, {}, 0)


def _align(btf: Btf, type_id: int, known: dict[int, int], depth: int) -> int:
    type_id = resolve(btf, type_id)
    if type_id in known:
        return known[type_id]
    if depth > _DEPTH:
        raise BtfError(f"type {type_id} contains itself")
    match btf[type_id] if type_id else None:
        case t.Int() | t.Enum() | t.Enum64() | t.Float() as one:
            align = max(1, min(one.size, POINTER))
        case t.Ptr():
            align = POINTER
        case t.Array() as one:
            align = _align(btf, one.elem, known, depth + 1)
        case t.Struct() | t.Union() as one:
            align = 1
            for m in one.members:
                own = _align(btf, m.type, known, depth + 1)
                if not m.bits and m.bit_offset % (8 * own):
                    own, align = 1, 0
                align = max(align, own) if align else 0
            align = 1 if not align or one.size % align else align
        case t.Var() as one:
            align = _align(btf, one.type, known, depth + 1)
        case _:
            raise BtfError(f"type {type_id}: {kind_name(btf, type_id)} has no alignment")
    known[type_id] = align
    return align


class Aligns:
    """`align_of` for many types of one Btf."""

    __slots__ = ("btf", "known")

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.known: dict[int, int] = {}

    def of(self, type_id: int) -> int:
        found = self.known.get(type_id)
        if found is None:
            found = self.known[type_id] = _align(self.btf, type_id, self.known, 0)
        return found


def fields(btf: Btf, type_id: int) -> Iterator[Field]:
    """The members of a struct or union in order, those of anonymous members in their place."""
    return _fields(btf, resolve(btf, type_id), 0, (), Budget())


def _fields(btf: Btf, type_id: int, base: int, path: tuple[int, ...], budget: Budget) -> Iterator[Field]:
    one = btf[type_id] if type_id else None
    if not isinstance(one, (t.Struct, t.Union)):
        raise BtfError(f"type {type_id}: {kind_name(btf, type_id)} has no members")
    if len(path) > _DEPTH:
        raise BtfError(f"type {type_id} contains itself")
    for index, m in enumerate(one.members):
        budget.spend()
        inner = resolve(btf, m.type)
        if not m.name and inner and isinstance(btf[inner], (t.Struct, t.Union)):
            yield from _fields(btf, inner, base + m.bit_offset, (*path, index), budget)
        else:
            bits, offset = m.bits, base + m.bit_offset
            old = btf[inner] if inner else None
            if not bits and isinstance(old, t.Int) and old.bits >= 0:
                bits, offset = old.bits, offset + old.offset
            yield Field(m.name, m.type, offset, bits, (*path, index))


def field(btf: Btf, type_id: int, name: str) -> Field | None:
    """The member called `name`, looked for in anonymous members too."""
    return next((f for f in fields(btf, type_id) if f.name == name), None)


def element(btf: Btf, type_id: int) -> tuple[int, tuple[int, ...]]:
    """(innermost element type, dimensions) of an array, outermost dimension first; (type, ()) if it is none."""
    dims: list[int] = []
    for _ in range(_DEPTH):
        one = resolved(btf, type_id)
        if not isinstance(one, t.Array):
            return type_id, tuple(dims)
        dims.append(one.nelems)
        type_id = one.elem
    raise BtfError(f"type {type_id}: arrays nest without end")


def same(a: Btf, a_id: int, b: Btf, b_id: int) -> bool:
    """Are both types equal in structure: kinds, names, sizes, members and all they refer to? Types that refer to
    themselves are equal if nothing tells them apart."""
    seen: set[tuple[int, int]] = set()
    todo = [(a_id, b_id)]
    while todo:
        pair = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if not pair[0] or not pair[1]:
            if pair != (0, 0):
                return False
            continue
        one, two = a[pair[0]], b[pair[1]]
        if type(one) is not type(two):
            return False
        refs, other = t.references(one), t.references(two)
        bare, bare_other = (t.renumber(x, dict.fromkeys(ids, 0)) for x, ids in ((one, refs), (two, other)))
        if len(refs) != len(other) or bare != bare_other:
            return False
        todo += zip(refs, other)
    return True


def check_types(btf: Btf) -> None:
    """Decode every type and follow every chain of it."""
    known: dict[int, int] = {}
    for type_id, one in btf.items():
        match one:
            case t.Typedef() | t.Const() | t.Volatile() | t.Restrict() | t.TypeTag():
                resolve(btf, type_id)
            case t.Struct() | t.Union() | t.Array():
                _align(btf, type_id, known, 0)
            case t.Func():
                if not one.proto or not isinstance(btf[one.proto], t.FuncProto):
                    raise BtfError(f"type {type_id}: FUNC {one.name!r} is not of a FUNC_PROTO")
            case t.Datasec():
                for v in one.vars:
                    if not v.type or not isinstance(btf[v.type], (t.Var, t.Func)):
                        raise BtfError(f"type {type_id}: DATASEC {one.name!r} holds something else than VAR and FUNC")
            case _:
                pass
