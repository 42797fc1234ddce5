"""Types as C declarations.

The C text has the layout that the BTF says: padding is written out, packed and over-aligned structs are marked. Where two
types of one text would have one name (structs of several compilation units, enumerators), the later ones get a number:
`name___2`, which CO-RE takes for the same name.
"""

from __future__ import annotations

from typing import Final, Iterable, Iterator

from ..errors import BtfError
from . import types as t
from .container import Btf, kind_name
from .layout import Aligns, Budget, resolve, size_of

_DEPTH: Final = 64
_MODES: Final = {1: "QI", 2: "HI", 8: "DI"}  # enums that are not as large as an int
_WORD: Final = {t.Struct: "struct", t.Union: "union", t.Enum: "enum", t.Enum64: "enum"}
_BUILT_IN: Final = frozenset({"__builtin_va_list"})  # typedefs that compilers bring along
_SPLIT: Final = 300  # levels of definitions that need each other


class CText:
    """C text of the types of one Btf. One object is one text: names are unique in it."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self.aligns = Aligns(btf)
        self.out: list[str] = []
        self._done: set[int] = set()  # defined
        self._seen: set[tuple[int, bool]] = set()  # walked
        self._declared: set[str] = set()
        self._typedefs: set[int] = set()
        self._names: dict[int, str] = {}  # of structs, unions, enums and typedefs
        self._taken: dict[str, int] = {}  # "struct x" and plain identifiers -> how often
        self._budget = Budget(50_000 + 20 * len(btf))  # one for the whole text: it may not be far longer than its types

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _unique(self, space: str, name: str) -> str:
        made = name
        while space + made in self._taken:
            number = self._taken[space + name] = self._taken.get(space + name, 0) + 1
            made = f"{name}___{number}"
        self._taken[space + made] = 1
        return made

    def name(self, type_id: int, one: t.Struct | t.Union | t.Enum | t.Enum64 | t.Typedef) -> str:
        """What a type is called in this text; "" if it is anonymous."""
        found = self._names.get(type_id)
        if found is None:
            # structs, unions and enums share a name space in C
            space = "" if isinstance(one, t.Typedef) else "struct "
            found = self._names[type_id] = self._unique(space, one.name) if one.name not in ("", *_BUILT_IN) else one.name
        return found

    # ── declarations ─────────────────────────────────────────────────────────────────────────────────────────────────

    def spell(self, type_id: int, inner: str, depth: int = 0, budget: Budget | None = None) -> str:
        """A declaration of `inner` with that type."""
        budget = budget or self._budget
        while True:  # from the outside in: what is left of a declarator is the type itself
            budget.spend()
            depth += 1
            if depth > _DEPTH:
                raise BtfError(f"type {type_id} nests without end")
            one = self.btf[type_id] if type_id else None
            match one:
                case None:
                    return f"void {inner}"
                case t.Int() | t.Float():
                    return f"{one.name} {inner}"
                case t.Typedef() if one.name in _BUILT_IN:  # what it is differs from compiler to compiler
                    type_id = one.type
                case t.Typedef():
                    return f"{self.name(type_id, one)} {inner}"
                case t.Struct() | t.Union() | t.Enum() | t.Enum64():
                    text = f"{_WORD[type(one)]} {self.name(type_id, one)}" if one.name else self.body(type_id, depth, budget)
                    return f"{text} {inner}"
                case t.Fwd():
                    return f"{'union' if one.union else 'struct'} {one.name} {inner}"
                case t.Ptr():
                    wrap = isinstance(self._behind_modifiers(one.type), (t.Array, t.FuncProto))
                    type_id, inner = one.type, f"(*{inner})" if wrap else f"*{inner}"
                case t.Const() | t.Volatile() | t.Restrict():
                    word = type(one).__name__.lower()
                    if isinstance(self._behind_modifiers(one.type), t.Ptr):
                        inner = f"{word} {inner}"
                    elif word != "restrict":
                        return f"{word} {self.spell(one.type, inner, depth, budget)}"
                    type_id = one.type
                case t.TypeTag():
                    type_id = one.type
                case t.Array():
                    type_id, inner = one.elem, f"{inner}[{one.nelems}]"
                case t.FuncProto():
                    type_id, inner = one.ret, f"{inner}({self._params(one, depth, budget)})"
                case _:
                    raise BtfError(f"type {type_id}: {kind_name(self.btf, type_id)} cannot be spelled")

    def _params(self, proto: t.FuncProto, depth: int, budget: Budget) -> str:
        parts = []
        for p in proto.params:
            parts.append(self.spell(p.type, p.name, depth, budget).rstrip() if p.type or p.name else "...")
        return ", ".join(parts) or "void"

    def _behind_modifiers(self, type_id: int) -> t.Type | None:
        plain = resolve(self.btf, type_id, typedefs=False)
        return self.btf[plain] if plain else None

    # ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def body(self, type_id: int, depth: int, budget: Budget) -> str:
        """struct name { … } without the semicolon."""
        one = self.btf[type_id]
        assert isinstance(one, (t.Struct, t.Union, t.Enum, t.Enum64))
        head = f"{_WORD[type(one)]} {self.name(type_id, one)}".rstrip()
        if isinstance(one, (t.Enum, t.Enum64)):
            return self._enum(head, one)
        rows, mark = self._members(one, depth, budget)
        return f"{head} {{\n{_indent(rows)}\n}}{mark}" if rows else f"{head} {{}}{mark}"

    def _enum(self, head: str, one: t.Enum | t.Enum64) -> str:
        if not one.values:
            return head
        suffix = "ULL" if isinstance(one, t.Enum64) and not one.signed else ""
        rows = [f"{self._unique('', v.name)} = {v.value}{suffix}," for v in one.values]
        natural = one.size == 4 or isinstance(one, t.Enum64)
        mode = "" if natural else f" __attribute__((mode({_MODES.get(one.size, 'SI')})))"
        return f"{head} {{\n{_indent(rows)}\n}}{mode}"

    def _members(self, one: t.Struct | t.Union, depth: int, budget: Budget) -> tuple[list[str], str]:
        """(a line a member, attributes of the struct): what makes a C compiler lay it out the same."""
        aligns = [self.aligns.of(m.type) for m in one.members]
        packed = _is_packed(one, aligns)
        is_struct = isinstance(one, t.Struct)
        rows: list[str] = []
        at, largest, longest = 0, 1, 0  # bits so far, alignment so far, the largest member of a union
        for m, align in zip(one.members, aligns):
            align = 1 if packed else align
            if is_struct:
                rows += _padding(at, m, 8 * align)
            text = self.spell(m.type, m.name, depth, budget).rstrip()
            rows.append(f"{text}: {m.bits};" if m.bits else f"{text};")
            at = m.bit_offset + (m.bits or 8 * size_of(self.btf, m.type))
            longest = max(longest, at)
            largest = max(largest, align)
        mark = " __attribute__((packed))" if packed else ""
        natural = -(-(at if is_struct else longest) // (8 * largest)) * largest
        if one.size > natural:
            powers = (a for a in (2, 4, 8, 16, 32, 64, 128, 4096) if a > largest)
            power = next((a for a in powers if -(-natural // a) * a == one.size), 0)
            if power:
                mark += f" __attribute__((aligned({power})))"
            else:
                rows.append(f"unsigned char __pad_end[{one.size - ((at + 7) // 8 if is_struct else 0)}];")
        return rows, mark

    # ── definitions, in an order that compilers take ─────────────────────────────────────────────────────────────────

    def definition(self, type_id: int) -> str:
        """The definition of a named type, with its semicolon. BtfError for what C does not define."""
        one = self.btf[type_id] if type_id else None
        match one:
            case t.Struct() | t.Union() | t.Enum() | t.Enum64():
                return self.body(type_id, 0, self._budget) + ";"
            case t.Typedef():
                return f"typedef {self.spell(one.type, self.name(type_id, one)).rstrip()};"
            case t.Fwd():
                return self.spell(type_id, "").rstrip() + ";"
            case t.Func():
                return self.spell(one.proto, one.name).rstrip() + ";"
            case t.Var():
                return f"extern {self.spell(one.type, one.name).rstrip()};"
            case _:
                raise BtfError(f"type {type_id}: {kind_name(self.btf, type_id)} has no C definition")

    def need(self, type_id: int, complete: bool = True, depth: int = 0) -> None:
        """Define a type after what it needs: a member or array element must be complete before; behind a pointer a name
        is enough."""
        if not type_id or type_id in self._done or (type_id, complete) in self._seen:
            return
        self._seen.add((type_id, complete))
        if depth > _SPLIT:
            raise BtfError(f"type {type_id} nests without end")
        one = self.btf[type_id]
        match one:
            case t.Struct() | t.Union() if one.name and not complete:
                self._declare(f"{_WORD[type(one)]} {self.name(type_id, one)};")
            case t.Struct() | t.Union():
                self._done.add(type_id)
                for m in one.members:
                    self.need(m.type, True, depth + 1)
                if one.name:
                    self._declared.add(f"{_WORD[type(one)]} {self.name(type_id, one)};")
                if one.name or not depth:
                    self.out.append(self.definition(type_id))
            case t.Enum() | t.Enum64():
                self._done.add(type_id)
                if one.name or not depth:
                    self.out.append(self.definition(type_id))
            case t.Typedef():
                self._typedef(type_id, one, complete, depth)
            case t.Ptr():
                self._done.add(type_id)
                self.need(one.type, False, depth + 1)
            case t.FuncProto():
                for ref in t.references(one):
                    self.need(ref, False, depth + 1)
            case t.Func() | t.Var():
                self.need(t.references(one)[0], complete, depth + 1)
                self.out.append(self.definition(type_id))
            case t.Fwd():
                self._declare(f"{'union' if one.union else 'struct'} {one.name};")
            case t.Int() | t.Float() | t.Datasec() | t.DeclTag():
                return
            case _:  # arrays and modifiers
                for ref in t.references(one):
                    self.need(ref, complete or isinstance(one, t.Array), depth + 1)

    def _typedef(self, type_id: int, one: t.Typedef, complete: bool, depth: int) -> None:
        """Said once; a name for a struct may come before the struct is complete."""
        self.need(one.type, complete or one.name in _BUILT_IN, depth + 1)
        if type_id in self._typedefs or one.name in _BUILT_IN:
            return
        self._typedefs.add(type_id)
        self.out.append(self.definition(type_id))

    def _declare(self, text: str) -> None:
        if text not in self._declared:
            self._declared.add(text)
            self.out.append(text)

    def header(self, ids: Iterable[int]) -> str:
        """C definitions of the types and of everything they need, each once, needed ones first."""
        for type_id in ids:
            self.need(type_id)
        return "\n\n".join(self.out) + "\n"


def _indent(rows: list[str]) -> str:
    text = "\n".join(rows)
    return "\t" + text.replace("\n", "\n\t")


def _padding(at: int, m: t.Member, align: int) -> list[str]:
    """Lines that fill the gap before a member, if the compiler would not leave it by itself."""
    if m.bits:
        gap = m.bit_offset - at
        if gap <= 0:
            return []
        if gap > 8 * 64:  # a gap of whole bytes first
            whole = m.bit_offset // 8 - (at + 7) // 8
            return [f"unsigned char __pad{(at + 7) // 8}[{whole}];", *_padding(8 * ((at + 7) // 8 + whole), m, align)]
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


def _is_packed(one: t.Struct | t.Union, aligns: list[int]) -> bool:
    """Does a member or the size break the alignment that members ask for?"""
    largest = 1
    for m, align in zip(one.members, aligns):
        if not m.bits and m.bit_offset % (8 * align):
            return True
        largest = max(largest, align)
    return bool(one.size % largest)


def spell(btf: Btf, type_id: int, name: str = "") -> str:
    """A C declaration of `name` with that type; the type alone if `name` is empty."""
    return CText(btf).spell(type_id, name).rstrip()


def definition(btf: Btf, type_id: int) -> str:
    """The C definition of a named type, with its semicolon. BtfError for what C does not define."""
    return CText(btf).definition(type_id)


def c_header(btf: Btf, ids: Iterable[int]) -> str:
    """C definitions of the types and of everything they need, each once, needed ones first."""
    return CText(btf).header(ids)
