"""The kinds of BTF types, one immutable record each. A reference to another type is its id in the same `Btf`; 0 is
void.

Two records are the same type only if they are of the same class: NamedTuples of different classes can compare equal, so
whoever looks types up by value keys on `(type(t), t)`.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple

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
    match one:
        case Ptr() | Typedef() | Volatile() | Const() | Restrict() | Var() | DeclTag() | TypeTag():
            return (one.type,)
        case Array():
            return (one.elem, one.index_type)
        case Struct() | Union():
            return tuple([m[1] for m in one.members])
        case Func():
            return (one.proto,)
        case FuncProto():
            return (one.ret, *(p.type for p in one.params))
        case Datasec():
            return tuple(v.type for v in one.vars)
        case Int() | Enum() | Enum64() | Fwd() | Float():
            return ()


def renumber(one: Type, ids: Mapping[int, int]) -> Type:
    """The type with every id it refers to replaced through `ids`."""
    match one:
        case Ptr() | Volatile() | Const() | Restrict():
            return _new(type(one), (ids[one.type],))  # type: ignore[no-any-return]
        case Typedef() | Var() | DeclTag() | TypeTag():
            return one._replace(type=ids[one.type])
        case Array():
            return one._replace(elem=ids[one.elem], index_type=ids[one.index_type])
        case Struct() | Union():
            members = tuple([_new(Member, (name, ids[ref], at, bits)) for name, ref, at, bits in one.members])
            return _new(type(one), (one.name, one.size, members))  # type: ignore[no-any-return]
        case Func():
            return one._replace(proto=ids[one.proto])
        case FuncProto():
            return FuncProto(ids[one.ret], tuple([_new(Param, (name, ids[ref])) for name, ref in one.params]))
        case Datasec():
            return one._replace(vars=tuple(v._replace(type=ids[v.type]) for v in one.vars))
        case Int() | Enum() | Enum64() | Fwd() | Float():
            return one
