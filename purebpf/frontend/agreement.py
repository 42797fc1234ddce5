"""Whether what a program declares of the kernel's types (`@bpf.kernel_struct`) is so in the kernel's BTF.

A field that the kernel lacks may be declared if the program asks for it (`field_exists`); of a type with a flavour
(`task_struct___old`) and of one that it asks for (`type_exists`) anything may be declared.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..btf import Btf
from ..btf import layout as btf_layout
from ..btf import types as bt
from ..btf.names import essential
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..errors import Diagnostic, Span
from ..tree.kinds import an
from .ktypes import KernelTypes
from .names import near
from .source import Source, Sources

if TYPE_CHECKING:
    from .context import Checker
    from .hooknames import HookNames


class Claims:
    """The kernel types that a program has reached, each with where it was first, and what it asks of them."""

    def __init__(self) -> None:
        self.types: dict[StructType, tuple[Source, Span]] = {}
        self.asked: set[tuple[str, str]] = set()  # (type, field); of a type itself: (type, "")

    def reach(self, c: Checker, layout: Layout | None, node: ast.AST) -> None:
        """The program uses a type by its name, or reads what a pointer leads to."""
        while isinstance(layout, PtrType | ArrayType):
            layout = layout.target if isinstance(layout, PtrType) else layout.elem
        if isinstance(layout, StructType) and layout.core and layout.cls is not None and layout not in self.types:
            self.types[layout] = c.frame.source, c.span(node)


class Wrong(NamedTuple):
    """What is wrong with a field of a class; with the class itself for ""."""

    code: str
    message: str
    help: str
    layout: StructType
    field: str = ""


def check(claims: Claims, types: KernelTypes, sources: Sources, names: HookNames) -> list[Diagnostic]:
    """Everything that is declared and is not so. Of a type that is not in the kernel's BTF but in a module, `names` knows."""
    found: list[Diagnostic] = []
    btf = types.btf
    for layout, (source, used) in claims.types.items():
        if essential(layout.name) != layout.name or (layout.name, "") in claims.asked:
            continue
        type_id = btf.find(layout.name, (bt.Struct, bt.Union))
        if type_id is None and names("struct", layout.name, "") is None:
            continue
        wrong: Iterable[Wrong] = (Wrong("undefined-name", *_no_type(btf, layout.name), layout),) if type_id is None else \
            _fields(types, type_id, layout, claims.asked)
        found += [_diagnostic(one, source, used, sources) for one in wrong]
    return found


def _no_type(btf: Btf, name: str) -> tuple[str, str]:
    if btf.find(name, bt.Typedef) is not None:
        return f"the kernel's {name} is a typedef, not a struct", "name the struct behind it"
    names = {kind.name for _, kind in btf.of_kind(bt.Struct, bt.Union) if isinstance(kind, bt.Struct | bt.Union) and kind.name}
    ask = f"where some kernels have it, ask: 'if bpf.type_exists({name}):'"
    return f"the kernel has no struct {name!r}", near(name, names) or ask


def _fields(types: KernelTypes, type_id: int, layout: StructType, asked: set[tuple[str, str]]) -> Iterator[Wrong]:
    """What is wrong with the fields of a struct, and with those of structs in it."""
    there = {m.name: m for m in btf_layout.fields(types.btf, type_id) if m.name}
    for field in layout.fields:
        where = f"{layout.name}.{field.name}"
        member = there.get(field.name)
        if member is None and (layout.name, field.name) not in asked:
            ask = f"where some kernels have it, ask: 'if bpf.field_exists({layout.name}, \"{field.name}\"):'"
            yield Wrong("no-field", f"the kernel's {layout.name} has no field {field.name!r}", near(field.name, there) or ask,
                        layout, field.name)
        elif member is not None and bool(member.bits) != bool(field.bits):
            real = f"a bit-field of {member.bits} bit{'s' * (member.bits != 1)}" if member.bits else "no bit-field"
            write = f"u{8 * field.type.size}[:{member.bits}]" if member.bits else str(types.layout(member.type))
            yield Wrong("type-mismatch", f"{where} is {real} in the kernel", f"write '{field.name}: {write}'", layout, field.name)
        elif member is not None and not member.bits:
            inner = btf_layout.resolve(types.btf, member.type)
            if isinstance(field.type, StructType) and isinstance(types.btf[inner], bt.Struct | bt.Union):
                yield from _fields(types, inner, field.type, asked) if field.type.core else ()
                continue
            said = _compare(types, member.type, field.type, where, field.name)
            if said:
                yield Wrong("type-mismatch", *said, layout, field.name)


def _compare(types: KernelTypes, type_id: int, mine: Layout, where: str, name: str) -> tuple[str, str] | None:
    """Message and help, where a member is something else in the kernel."""
    kind = btf_layout.resolved(types.btf, type_id)
    real = types.layout(type_id)
    write = f"write '{name}: {_spelt(real)}'"
    match kind, mine:
        case bt.Int() | bt.Enum() | bt.Enum64(), IntType() if isinstance(real, IntType):
            if mine.size != real.size:
                return f"{where} has {_bytes(real.size)} in the kernel, {mine.name} has {mine.size}", write
            if mine.signed != real.signed and isinstance(kind, bt.Int) and not mine.is_char and not real.is_char:
                return f"{where} is {'signed' if real.signed else 'unsigned'} in the kernel, {mine.name} is not", write
            return None
        case bt.Ptr(), PtrType() if isinstance(real, PtrType):
            other, own = real.target, mine.target  # two structs of different names; one to void may lead to anything
            if isinstance(other, StructType) and isinstance(own, StructType) and own.core and other.name not in ("", essential(own.name)):
                return f"{where} is a pointer to {other.name} in the kernel, not to {own.name}", write
            return None
        case bt.Array(), ArrayType() if isinstance(real, ArrayType):
            if real.count and real.size < mine.size or real.elem.size != mine.elem.size:
                return f"{where} is {_spelt(real)} in the kernel, not {mine.name}", write
            return None
        case (bt.Struct() | bt.Union(), ArrayType()) if mine.size <= real.size:  # its bytes
            return None
        case bt.Float(), _:
            return None
    if isinstance(kind, bt.Struct | bt.Union):
        inner = _named(types.btf, type_id) or name
        write = f"declare that struct, too ('@bpf.kernel_struct class {inner}: …'), and write '{name}: {inner}'"
    return f"{where} is {_what(types, type_id)} in the kernel, not {_mine(mine)}", write


def _bytes(count: int) -> str:
    return f"{count} byte{'s' * (count != 1)}"


def _named(btf: Btf, type_id: int) -> str:
    """The name of a type, or the nearest typedef's."""
    while type_id:
        kind = btf[type_id]
        if getattr(kind, "name", "") or not isinstance(kind, bt.Const | bt.Volatile | bt.Restrict | bt.TypeTag):
            return str(getattr(kind, "name", ""))
        type_id = kind.type
    return "void"


def _what(types: KernelTypes, type_id: int) -> str:
    kind = btf_layout.resolved(types.btf, type_id)
    if isinstance(kind, bt.Struct | bt.Union):
        word = "struct" if isinstance(kind, bt.Struct) else "union"
        name = _named(types.btf, type_id)
        return f"the {word} {name}" if name else f"a {word}"
    if isinstance(kind, bt.Ptr):
        return f"a pointer to {_named(types.btf, kind.type) or 'a struct'}"
    return _mine(types.layout(type_id))


def _mine(layout: Layout) -> str:
    if isinstance(layout, PtrType):
        return f"a pointer to {layout.target.name if layout.target else 'void'}"
    return layout.name if isinstance(layout, IntType | ArrayType) else an(layout.name)


def _spelt(layout: Layout) -> str:
    """A layout as the user would write it; of structs the name, in quotes, which need not be declared yet."""
    if isinstance(layout, PtrType):
        target = layout.target
        if isinstance(target, StructType):
            return f'Ptr["{target.name}"]' if target.name else "Ptr[None]"
        return f"Ptr[{_spelt(target) if target else None}]"
    return f"{_spelt(layout.elem)}[{layout.count}]" if isinstance(layout, ArrayType) else layout.name


def _diagnostic(wrong: Wrong, source: Source, used: Span, sources: Sources) -> Diagnostic:
    """The error where the class, or its field, is declared; where the program uses it if that text is not at hand."""
    cls: Any = wrong.layout.cls
    own = source.function.__module__ == cls.__module__
    file = source.file if own else str(getattr(sys.modules.get(cls.__module__), "__file__", ""))
    node = sources.class_of(file, cls.__name__)
    if node is None:
        return Diagnostic(wrong.code, wrong.message, used, help=wrong.help)
    for stmt in node.body:
        if isinstance(stmt, ast.AnnAssign) and isinstance(stmt.target, ast.Name) and stmt.target.id == wrong.field:
            at = stmt.annotation if wrong.code == "type-mismatch" else stmt.target
            return Diagnostic(wrong.code, wrong.message, Span(file, at.lineno, at.col_offset, at.lineno, at.end_col_offset or 0),
                              help=wrong.help)
    width = len("class ") + len(node.name)
    return Diagnostic(wrong.code, wrong.message, Span(file, node.lineno, node.col_offset, node.lineno, node.col_offset + width),
                      help=wrong.help)
