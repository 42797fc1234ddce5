"""The kinds of BTF types, one immutable record each. A reference to another type is its id in the same `Btf`; 0 is
void.

Two records are the same type only if they are of the same class: NamedTuples of different classes can compare equal, so
whoever looks types up by value keys on `(type(t), t)`.
"""

from __future__ import annotations

from typing import Any, Callable, Final, Mapping, NamedTuple

SIGNED, CHAR, BOOL = 1, 2, 4  # Int.encoding
STATIC, GLOBAL, EXTERN = 0, 1, 2  # linkage of Func and Var


class Int(NamedTuple):
    """`size` in bytes; `bits` and `offset` (in bits) differ from the whole only in old bit-field BTF."""

    name: str
    size: int
    encoding: int = 0
    bits: int = -1  # -1: size * 8
    offset: int = 0


class Ptr(NamedTuple):
    type: int


class Array(NamedTuple):
    elem: int
    index_type: int
    nelems: int


class Member(NamedTuple):
    """`bit_offset` from the start of the struct; `bits` > 0 only for bit-fields."""

    name: str
    type: int
    bit_offset: int
    bits: int = 0


class Struct(NamedTuple):
    name: str
    size: int
    members: tuple[Member, ...]


class Union(NamedTuple):
    name: str
    size: int
    members: tuple[Member, ...]


class Enumerator(NamedTuple):
    name: str
    value: int


class Enum(NamedTuple):
    name: str
    size: int
    signed: bool
    values: tuple[Enumerator, ...]


class Enum64(NamedTuple):
    name: str
    size: int
    signed: bool
    values: tuple[Enumerator, ...]


class Fwd(NamedTuple):
    name: str
    union: bool = False


class Typedef(NamedTuple):
    name: str
    type: int


class Volatile(NamedTuple):
    type: int


class Const(NamedTuple):
    type: int


class Restrict(NamedTuple):
    type: int


class Func(NamedTuple):
    name: str
    proto: int
    linkage: int = STATIC


class Param(NamedTuple):
    name: str
    type: int


class FuncProto(NamedTuple):
    """A last parameter of Param("", 0) means varargs."""

    ret: int
    params: tuple[Param, ...]


class Var(NamedTuple):
    name: str
    type: int
    linkage: int = GLOBAL


class SecVar(NamedTuple):
    """A variable (or extern function) of a data section: `type` is a Var or Func id; offset and size in bytes."""

    type: int
    offset: int
    size: int


class Datasec(NamedTuple):
    name: str
    size: int
    vars: tuple[SecVar, ...]


class Float(NamedTuple):
    name: str
    size: int


class DeclTag(NamedTuple):
    """`component`: -1 the whole of `type`, n its n-th member or parameter."""

    name: str
    type: int
    component: int = -1
    attribute: bool = False


class TypeTag(NamedTuple):
    name: str
    type: int
    attribute: bool = False


Type = (
    Int | Ptr | Array | Struct | Union | Enum | Enum64 | Fwd | Typedef | Volatile | Const | Restrict | Func | FuncProto
    | Var | Datasec | Float | DeclTag | TypeTag
)


_new: Callable[..., Any] = tuple.__new__  # quicker than _replace: whole kernels are renumbered


def references(one: Type) -> tuple[int, ...]:
    """The ids that a type refers to, in order; 0 (void) included."""
    return _REFERENCES[type(one)](one)


def renumber(one: Type, ids: Mapping[int, int]) -> Type:
    """The type with every id it refers to replaced through `ids`."""
    return _RENUMBERED[type(one)](one, ids)  # type: ignore[no-any-return]


def _only(one: Any) -> tuple[int, ...]:
    return (one.type,)


def _nothing(one: Any) -> tuple[int, ...]:
    return ()


def _renumbered_only(one: Any, ids: Mapping[int, int]) -> Any:
    return _new(type(one), (ids[one[0]],))


def _renumbered_named(one: Any, ids: Mapping[int, int]) -> Any:
    return _new(type(one), (one[0], ids[one[1]], *one[2:]))


def _renumbered_members(one: Any, ids: Mapping[int, int]) -> Any:
    name, size, members = one
    return _new(type(one), (name, size, tuple([_new(Member, (field, ids[ref], at, bits)) for field, ref, at, bits in members])))


def _renumbered_proto(one: Any, ids: Mapping[int, int]) -> Any:
    return _new(FuncProto, (ids[one[0]], tuple([_new(Param, (name, ids[ref])) for name, ref in one[1]])))


def _as_it_is(one: Any, ids: Mapping[int, int]) -> Any:
    return one


# What is done to each class, looked up by the class: whole kernels go through here, and a chain of questions is slow.
_PLAIN: Final = (Int, Enum, Enum64, Fwd, Float)
_POINTING: Final = (Ptr, Const, Volatile, Restrict)
_NAMING: Final = (Typedef, Var, DeclTag, TypeTag)
_REFERENCES: Final[dict[type, Callable[[Any], tuple[int, ...]]]] = {
    **dict.fromkeys(_PLAIN, _nothing), **dict.fromkeys((*_POINTING, *_NAMING), _only),
    Array: lambda one: one[:2],
    **dict.fromkeys((Struct, Union), lambda one: tuple([m[1] for m in one[2]])),
    Func: lambda one: (one[1],),
    FuncProto: lambda one: (one[0], *[p[1] for p in one[1]]),
    Datasec: lambda one: tuple([v[0] for v in one[2]])}
_RENUMBERED: Final[dict[type, Callable[[Any, Mapping[int, int]], Any]]] = {
    **dict.fromkeys(_PLAIN, _as_it_is), **dict.fromkeys(_POINTING, _renumbered_only),
    **dict.fromkeys((*_NAMING, Func), _renumbered_named),
    Array: lambda one, ids: Array(ids[one[0]], ids[one[1]], one[2]),
    **dict.fromkeys((Struct, Union), _renumbered_members),
    FuncProto: _renumbered_proto,
    Datasec: lambda one, ids: Datasec(one[0], one[1], tuple([SecVar(ids[v[0]], v[1], v[2]) for v in one[2]]))}
