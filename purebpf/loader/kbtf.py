"""The object's BTF as this kernel takes it: uploaded once for all programs and maps of an object.

Clang leaves sizes of data sections, externs and map definitions undone; `tidied` finishes them. A kernel that refuses the
result gets it again with the newest kinds rewritten to older ones (`REWRITES`), as far as needed; type ids stay.
"""

from __future__ import annotations

from errno import E2BIG, EINVAL, EOPNOTSUPP
from typing import Callable, Mapping, NamedTuple

from ..btf import Btf, codec
from ..btf import types as t
from ..errors import KernelError
from ..spec import STRUCT_OPS, DataSpec, Linked, ObjectSpec
from ..uapi.enums import MapType
from . import bpf, sys
from .fd import Fd
from .refusals import refuse
from .token import Token, given

_VOID_POINTER = t.Ptr(0)  # what takes the place of a type that nothing may refer to: valid for every kernel
_UNKNOWN = (-EINVAL, -E2BIG, -EOPNOTSUPP, -sys.ENOTSUPP)  # what a kernel says to a kind that it does not know
_TYPED = (MapType.SK_STORAGE, MapType.INODE_STORAGE, MapType.TASK_STORAGE, MapType.CGRP_STORAGE)  # not made without BTF


class KernelBtf(NamedTuple):
    """`fd` of the uploaded BTF; `strings` gives line info its offsets; `lacks` names the kinds that were rewritten."""

    fd: Fd
    strings: codec.Strings
    lacks: frozenset[str]


# ── finishing what the compiler left ─────────────────────────────────────────────────────────────────────────────────


def tidied(btf: Btf, data: Mapping[str, DataSpec]) -> dict[int, t.Type]:
    """The types that change: data sections are sized and sorted, what only linkers need (externs, map definitions) goes."""
    out: dict[int, t.Type] = {}
    kept: set[int] = set()
    for number, one in btf.of_kind(t.Datasec):
        if isinstance(one, t.Datasec):
            made = _datasec(one, data.get(one.name), btf)
            out[number] = made or _VOID_POINTER
            kept.update(v.type for v in made.vars) if made else None
    for number, one in btf.of_kind(t.Var, t.Func):
        match one:
            case t.Var(linkage=t.EXTERN):
                out[number] = one._replace(linkage=t.GLOBAL) if number in kept else _VOID_POINTER
            case t.Func(linkage=t.EXTERN):
                out[number] = _VOID_POINTER
            case t.Func(proto=proto):
                named = _named_params(btf[proto])
                if named is not btf[proto]:
                    out[proto] = named
            case _:
                pass
    tagged = (t.Struct, t.Union, t.Typedef, t.Var, t.Func)
    for number, one in btf.of_kind(t.DeclTag):
        if isinstance(one, t.DeclTag) and not isinstance(out.get(one.type, btf[one.type] if one.type else None), tagged):
            out[number] = _VOID_POINTER
    return {number: one for number, one in out.items() if one is not btf[number]}


def _datasec(one: t.Datasec, spec: DataSpec | None, btf: Btf) -> t.Datasec | None:
    if spec is None or not spec.data or one.size not in (0, len(spec.data)):
        return one if one.size and spec is None and one.vars and _only_vars(one, btf) else None
    places = {v.name: v.offset for v in spec.vars}
    entries = []
    for entry in one.vars:
        var = btf[entry.type]
        if not isinstance(var, t.Var):
            return None
        entries.append(entry._replace(offset=places.get(var.name, entry.offset)))
    return t.Datasec(one.name, len(spec.data), tuple(sorted(entries, key=lambda e: e.offset)))


def _only_vars(one: t.Datasec, btf: Btf) -> bool:
    return all(isinstance(btf[v.type], t.Var) for v in one.vars)


def _named_params(proto: t.Type) -> t.Type:
    """The kernel demands names of a FUNC's parameters; declarations may lack them."""
    if not isinstance(proto, t.FuncProto) or all(p.name or not p.type for p in proto.params):
        return proto
    return proto._replace(params=tuple(p if p.name or not p.type else t.Param(f"arg{n}", p.type)
                                       for n, p in enumerate(proto.params)))


# ── older kernels ────────────────────────────────────────────────────────────────────────────────────────────────────


def _int(one: t.Type) -> t.Type:
    return t.Int(getattr(one, "name", ""), 1, t.CHAR)


def _no_enum64(one: t.Type) -> t.Type:
    return one if not isinstance(one, t.Enum64) else (
        t.Int(one.name or "enum64", one.size, t.SIGNED if one.signed else 0))


def _no_type_tag(one: t.Type) -> t.Type:
    return t.Const(one.type) if isinstance(one, t.TypeTag) else one


def _no_decl_tag(one: t.Type) -> t.Type:
    return t.Int("decl_tag", 1, t.CHAR) if isinstance(one, t.DeclTag) else one


def _no_signed_enum(one: t.Type) -> t.Type:
    if not isinstance(one, t.Enum) or not one.signed:
        return one
    wrapped = tuple(t.Enumerator(v.name, v.value & 0xFFFFFFFF) for v in one.values)
    return one._replace(signed=False, values=wrapped)


def _no_float(one: t.Type) -> t.Type:
    return t.Struct("", one.size, ()) if isinstance(one, t.Float) else one


def _no_global_func(one: t.Type) -> t.Type:
    return one._replace(linkage=t.STATIC) if isinstance(one, t.Func) else one


def _no_var(one: t.Type) -> t.Type:
    if isinstance(one, t.Datasec):
        name = "".join(c if c.isalnum() else "_" for c in one.name)
        return t.Struct(name, one.size, tuple(t.Member(f"m{n}", v.type, 8 * v.offset) for n, v in enumerate(one.vars)))
    return _int(one) if isinstance(one, t.Var) else one


def _no_func(one: t.Type) -> t.Type:
    if isinstance(one, t.FuncProto):
        return t.Enum("", 4, False, tuple(t.Enumerator(p.name or f"arg{n}", n) for n, p in enumerate(one.params)))
    return t.Typedef(one.name, one.proto) if isinstance(one, t.Func) else one


def _no_question_mark(one: t.Type) -> t.Type:
    return one._replace(name="_" + one.name[1:]) if isinstance(one, t.Datasec) and one.name.startswith("?") else one


REWRITES: tuple[tuple[str, str, Callable[[t.Type], t.Type]], ...] = (  # newest first: name, first kernel, rewrite
    ("optional section", "6.9", _no_question_mark),
    ("enum64", "6.0", _no_enum64),
    ("signed enum", "6.0", _no_signed_enum),
    ("type_tag", "5.17", _no_type_tag),
    ("decl_tag", "5.16", _no_decl_tag),
    ("float", "5.13", _no_float),
    ("global func", "5.6", _no_global_func),
    ("var", "5.2", _no_var),
    ("func", "5.0", _no_func),
)


def upload(spec: ObjectSpec, linked: Mapping[str, Linked], token: Token | None = None) -> KernelBtf | None:
    """Load the object's BTF, with the texts that line info needs. None if the object has none, or if the kernel refuses
    every form of it and nothing of the object is known to need it.

    Raises KernelError when something does, with the log's last lines."""
    if spec.btf is None or not len(spec.btf):
        return None
    changes = tidied(spec.btf, spec.data)
    allowed = given(token, "btf_token_fd", "btf_flags")
    quick = spec.btf.encoded(changes)
    if quick is not None:
        body, strings = quick
        _add_texts(strings, linked)
        result, log = bpf.btf_load(codec.finish(body, strings, sys.BYTEORDER), **allowed)
        if isinstance(result, Fd):
            return KernelBtf(result, strings, frozenset())
        if result not in _UNKNOWN:
            raise refuse(-result, f"loading BTF of {spec.name!r}")
    types = [changes.get(number, one) for number, one in spec.btf.items()]
    lacks: list[str] = []
    attempts = [*([("", None)] if quick is None else []), *((name, rewrite) for name, _, rewrite in REWRITES)]
    log, errno = "", EINVAL
    for name, rewrite in attempts:
        if rewrite is not None:
            changed = [rewrite(one) for one in types]
            if all(a is b for a, b in zip(changed, types)):
                continue
            types, lacks = changed, [*lacks, name]
        strings = codec.Strings()
        _add_texts(strings, linked)
        result, log = bpf.btf_load(codec.encode(types, sys.BYTEORDER, strings), **allowed)
        if isinstance(result, Fd):
            return KernelBtf(result, strings, frozenset(lacks))
        errno = -result
        if result not in _UNKNOWN:
            raise refuse(errno, f"loading BTF of {spec.name!r}")
    if not _needed(spec):
        return None
    raise KernelError(errno, f"loading BTF of {spec.name!r}", "\n".join(log.strip().splitlines()[-3:]))


def _add_texts(strings: codec.Strings, linked: Mapping[str, Linked]) -> None:
    """What line info refers to."""
    for program in linked.values():
        for text in dict.fromkeys(text for _, line in program.lines for text in (line[1], line[4])):
            strings.add(text)


def _needed(spec: ObjectSpec) -> bool:
    return any(one.type in _TYPED for one in spec.maps.values()) or any(name in spec.data for name in STRUCT_OPS)
