"""Types as text: C declarations (from `ctext`), and classes of the language for the few members a program uses.

    spell(btf, id, "name")          const char *name[16]
    definition(btf, id)             struct x { ... };  typedef ...;  enum e { ... };
    c_header(btf, ids)              those and all they need, in an order that a C compiler takes
    kernel_structs(btf, id, names)  @kernel_struct classes with just those members
"""

from __future__ import annotations

from typing import Final, Iterable

from ..errors import BtfError
from . import types as t
from .container import Btf, kind_name
from .ctext import c_header as c_header
from .ctext import definition as definition
from .ctext import spell as spell
from .layout import element, fields, resolve, resolved, size_of

_WORD: Final = {t.Struct: "struct", t.Union: "union"}

# ── classes of the language ──────────────────────────────────────────────────────────────────────────────────────────

_UNSIGNED: Final = {1: "u8", 2: "u16", 4: "u32", 8: "u64"}


def kernel_structs(btf: Btf, type_id: int, paths: Iterable[str] = ()) -> str:
    """`@kernel_struct` classes for a struct with the members in `paths` ("pid", "mm.arg_start"), all members if there
    are none; a path through another struct makes a class of that too. BtfError for a member that does not exist."""
    wanted: dict[int, list[str]] = {}
    root = resolve(btf, type_id)
    names = list(paths) or [f.name for f in fields(btf, root) if f.name]
    for path in names:
        _want(btf, root, path.split("."), wanted)
    return "\n\n".join(_class(btf, struct, members, wanted) for struct, members in reversed(wanted.items())) + "\n"


def _want(btf: Btf, type_id: int, path: list[str], wanted: dict[int, list[str]]) -> None:
    for name in path:
        one = btf[type_id] if type_id else None
        if not isinstance(one, (t.Struct, t.Union)):
            raise BtfError(f"{'.'.join(path)}: {name!r} is asked of {spell(btf, type_id)}, which has no members")
        found = next((f for f in fields(btf, type_id) if f.name == name), None)
        if found is None:
            raise BtfError(f"{_WORD[type(one)]} {one.name} has no member {name!r}{_similar(btf, type_id, name)}")
        members = wanted.setdefault(type_id, [])
        if name not in members:
            members.append(name)
        plain = resolved(btf, found.type)
        type_id = resolve(btf, plain.type if isinstance(plain, t.Ptr) else found.type)


def _similar(btf: Btf, type_id: int, name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [f.name for f in fields(btf, type_id)], 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _class(btf: Btf, type_id: int, members: list[str], known: dict[int, list[str]]) -> str:
    one = btf[type_id]
    rows = [f"    {name}: {_word(btf, next(f.type for f in fields(btf, type_id) if f.name == name), known)}"
            for name in members]
    return "\n".join(["@kernel_struct", f"class {getattr(one, 'name', '') or 'anonymous'}:", *rows])


def _word(btf: Btf, type_id: int, known: dict[int, list[str]]) -> str:
    """The annotation of a member, with what it really is as a comment where the language has no word for it."""
    elem, dims = element(btf, type_id)
    inner = resolve(btf, elem)
    one = btf[inner] if inner else None
    bounds = "".join(f"[{n}]" for n in reversed(dims))
    match one:
        case t.Int() if one.encoding & t.BOOL:
            return f"bool{bounds}"
        case t.Int() if one.name == "char" and dims:
            return f"char{bounds}"
        case t.Int() | t.Enum() | t.Enum64() if one.size in _UNSIGNED:
            signed = one.encoding & t.SIGNED if isinstance(one, t.Int) else one.signed
            word = _UNSIGNED[one.size]
            return f"{word.replace('u', 'i') if signed else word}{bounds}"
        case t.Ptr():
            target = resolve(btf, one.type)
            if target in known:
                return f'Ptr["{getattr(btf[target], "name", "")}"]{bounds}'
            return f"u64{bounds}  # {spell(btf, elem)}"
        case t.Struct() | t.Union() if inner in known and one.name:
            return f"{one.name}{bounds}"
        case _:
            what = spell(btf, type_id) if getattr(one, "name", "") else kind_name(btf, inner)
            return f"u8[{size_of(btf, type_id)}]  # {what}"
