"""Types as text: C declarations, and classes of the language for the few members a program uses.

    spell(btf, id, "name")          const char *name[16]
    definition(btf, id)             struct x { ... };  typedef ...;  enum e { ... };
    c_header(btf, ids)              those and all they need, in an order that a C compiler takes
    kernel_structs(btf, id, names)  @kernel_struct classes with just those members

The C text has the layout that the BTF says: padding is written out, packed and over-aligned structs are marked.
"""

from __future__ import annotations

from typing import Final, Iterable, Iterator

from ..errors import BtfError
from . import types as t
from .container import Btf, kind_name
from .layout import Budget, align_of, element, fields, resolve, resolved, size_of

_DEPTH: Final = 64
_MODES: Final = {1: "QI", 2: "HI", 8: "DI"}  # enums that are not as large as an int
_WORD: Final = {t.Struct: "struct", t.Union: "union", t.Enum: "enum", t.Enum64: "enum"}


def spell(btf: Btf, type_id: int, name: str = "") -> str:
    """A C declaration of `name` with that type; the type alone if `name` is empty."""
    return _spell(btf, type_id, name, 0, Budget()).rstrip()


def _spell(btf: Btf, type_id: int, inner: str, depth: int, budget: Budget) -> str:
    budget.spend()
    if depth > _DEPTH:
        raise BtfError(f"type {type_id} nests without end")
    one = btf[type_id] if type_id else None
    match one:
        case None:
            return f"void {inner}"
        case t.Int() | t.Float() | t.Typedef():
            return f"{one.name} {inner}"
        case t.Struct() | t.Union() | t.Enum() | t.Enum64():
            text = f"{_WORD[type(one)]} {one.name}" if one.name else _body(btf, type_id, depth + 1, budget)
            return f"{text} {inner}"
        case t.Fwd():
            return f"{'union' if one.union else 'struct'} {one.name} {inner}"
        case t.Ptr():
            wrap = isinstance(_behind_modifiers(btf, one.type), (t.Array, t.FuncProto))
            return _spell(btf, one.type, f"(*{inner})" if wrap else f"*{inner}", depth + 1, budget)
        case t.Const() | t.Volatile() | t.Restrict():
            word = type(one).__name__.lower()
            if isinstance(_behind_modifiers(btf, one.type), t.Ptr):
                return _spell(btf, one.type, f"{word} {inner}", depth + 1, budget)
            return _spell(btf, one.type, inner, depth + 1, budget) if word == "restrict" else (
                f"{word} {_spell(btf, one.type, inner, depth + 1, budget)}")
        case t.TypeTag():
            return _spell(btf, one.type, inner, depth + 1, budget)
        case t.Array():
            return _spell(btf, one.elem, f"{inner}[{one.nelems}]", depth + 1, budget)
        case t.FuncProto():
            return _spell(btf, one.ret, f"{inner}({_params(btf, one, depth + 1, budget)})", depth + 1, budget)
        case _:
            raise BtfError(f"type {type_id}: {kind_name(btf, type_id)} cannot be spelled")


def _params(btf: Btf, proto: t.FuncProto, depth: int, budget: Budget) -> str:
    parts = []
    for p in proto.params:
        parts.append(_spell(btf, p.type, p.name, depth, budget).rstrip() if p.type or p.name else "...")
    return ", ".join(parts) or "void"


def _behind_modifiers(btf: Btf, type_id: int) -> t.Type | None:
    plain = resolve(btf, type_id, typedefs=False)
    return btf[plain] if plain else None


def _indent(text: str) -> str:
    return "\n".join(f"\t{line}" if line else line for line in text.split("\n"))


def _body(btf: Btf, type_id: int, depth: int, budget: Budget) -> str:
    """struct name { … } without the semicolon."""
    one = btf[type_id]
    head = f"{_WORD[type(one)]} {getattr(one, 'name', '')}".rstrip()
    if isinstance(one, (t.Enum, t.Enum64)):
        suffix = "ULL" if isinstance(one, t.Enum64) and not one.signed else ""
        rows = [f"{v.name} = {v.value}{suffix}," for v in one.values]
        natural = one.size == 4 or isinstance(one, t.Enum64)
        mode = "" if natural else f" __attribute__((mode({_MODES.get(one.size, 'SI')})))"
        return f"{head} {{\n{_indent(chr(10).join(rows))}\n}}{mode}"
    assert isinstance(one, (t.Struct, t.Union))
    rows, mark = _members(btf, one, depth, budget)
    return f"{head} {{\n{_indent(chr(10).join(rows))}\n}}{mark}" if rows else f"{head} {{}}{mark}"


def _members(btf: Btf, one: t.Struct | t.Union, depth: int, budget: Budget) -> tuple[list[str], str]:
    """(a line a member, attributes of the struct): what makes a C compiler lay it out the same."""
    packed = _is_packed(btf, one)
    rows: list[str] = []
    at, largest = 0, 1  # bits so far, alignment so far
    for m in one.members:
        align = 1 if packed else align_of(btf, m.type)
        if isinstance(one, t.Struct):
            rows += _padding(at, m, 8 * align)
        rows.append(_spell(btf, m.type, m.name, depth + 1, budget).rstrip() + (f": {m.bits};" if m.bits else ";"))
        at = m.bit_offset + (m.bits or 8 * size_of(btf, m.type))
        largest = max(largest, align)
    mark = " __attribute__((packed))" if packed else ""
    natural = -(-at // (8 * largest)) * largest if isinstance(one, t.Struct) else -(-max(
        [8 * size_of(btf, m.type) for m in one.members], default=0) // (8 * largest)) * largest
    if one.size > natural:
        powers = (a for a in (2, 4, 8, 16, 32, 64, 128, 4096) if a > largest)
        power = next((a for a in powers if -(-natural // a) * a == one.size), 0)
        if power:
            mark += f" __attribute__((aligned({power})))"
        else:
            rows.append(f"unsigned char __pad_end[{one.size - (at + 7) // 8}];")
    return rows, mark


def _padding(at: int, m: t.Member, align: int) -> list[str]:
    """Lines that fill the gap before a member, if the compiler would not leave it by itself."""
    if m.bits:
        gap = m.bit_offset - at
        if not gap:
            return []
        return [f"unsigned char: {part};" for part in _split(at, gap)]
    natural = -(-at // align) * align
    if m.bit_offset <= natural:
        return []
    start = (at + 7) // 8
    return [f"unsigned char __pad{start}[{m.bit_offset // 8 - start}];"]


def _split(at: int, gap: int) -> Iterator[int]:
    """A gap of bits, cut at byte boundaries, as unnamed bit-fields of unsigned char."""
    while gap:
        part = min(gap, 8 - at % 8)
        yield part
        at, gap = at + part, gap - part


def _is_packed(btf: Btf, one: t.Struct | t.Union) -> bool:
    """Does a member or the size break the alignment that members ask for?"""
    largest = 1
    for m in one.members:
        align = align_of(btf, m.type)
        if not m.bits and m.bit_offset % (8 * align):
            return True
        largest = max(largest, align)
    return bool(one.size % largest)


def definition(btf: Btf, type_id: int) -> str:
    """The C definition of a named type, with its semicolon. BtfError for what C does not define."""
    one = btf[type_id] if type_id else None
    match one:
        case t.Struct() | t.Union() | t.Enum() | t.Enum64():
            return _body(btf, type_id, 0, Budget()) + ";"
        case t.Typedef():
            return f"typedef {spell(btf, one.type, one.name)};"
        case t.Fwd():
            return spell(btf, type_id) + ";"
        case t.Func():
            return spell(btf, one.proto, one.name) + ";"
        case t.Var():
            return f"extern {spell(btf, one.type, one.name)};"
        case _:
            raise BtfError(f"type {type_id}: {kind_name(btf, type_id)} has no C definition")


def c_header(btf: Btf, ids: Iterable[int]) -> str:
    """C definitions of the types and of everything they need, each once, needed ones first."""
    order = _Order(btf)
    for type_id in ids:
        order.need(type_id, True, 0)
    return "\n\n".join(order.out) + "\n"


class _Order:
    """Finds the order: a member or array element must be complete before; behind a pointer a name is enough."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.out: list[str] = []
        self.done: set[int] = set()  # defined
        self.seen: set[tuple[int, bool]] = set()  # walked
        self.named: set[str] = set()

    def need(self, type_id: int, complete: bool, depth: int) -> None:
        if not type_id or type_id in self.done or (type_id, complete) in self.seen:
            return
        self.seen.add((type_id, complete))
        if depth > 512:
            raise BtfError(f"type {type_id} nests without end")
        one = self.btf[type_id]
        match one:
            case t.Struct() | t.Union() if one.name and not complete:
                word = f"{_WORD[type(one)]} {one.name};"
                if word not in self.named:
                    self.named.add(word)
                    self.out.append(word)
                return
            case t.Struct() | t.Union():
                self.done.add(type_id)
                for m in one.members:
                    self.need(m.type, True, depth + 1)
                if one.name or not depth:
                    self.named.add(f"{_WORD[type(one)]} {one.name};")
                    self.out.append(definition(self.btf, type_id))
            case t.Enum() | t.Enum64():
                self.done.add(type_id)
                if one.name or not depth:
                    self.out.append(definition(self.btf, type_id))
            case t.Typedef():
                self.done.add(type_id)
                self.need(one.type, complete, depth + 1)
                self.out.append(definition(self.btf, type_id))
                if not complete:
                    return
            case t.Ptr():
                self.done.add(type_id)
                self.need(one.type, False, depth + 1)
            case t.FuncProto():
                for ref in t.references(one):
                    self.need(ref, False, depth + 1)
            case t.Func() | t.Var():
                self.need(t.references(one)[0], complete, depth + 1)
                self.out.append(definition(self.btf, type_id))
            case t.Int() | t.Float() | t.Fwd() | t.Datasec() | t.DeclTag():
                return
            case _:  # arrays and modifiers
                for ref in t.references(one):
                    self.need(ref, complete, depth + 1)


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
