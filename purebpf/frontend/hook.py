"""What a program's `ctx` offers: fields of the context struct, the packet, the record of a tracepoint, raw arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Field, Layout, PtrType, StructType
from ..ir.types import I64 as IR_I64
from ..uapi import contexts as table
from . import memory, packet
from .values import Context, Place, Pointer, Text, Val

if TYPE_CHECKING:
    from ..btf import Btf
    from .context import Lowering


class FormatField(NamedTuple):
    """A field of a tracepoint's record, as tracefs describes it: C type text, byte offset and size."""

    name: str
    type: str
    offset: int
    size: int
    signed: bool


TracepointFormat = Callable[[str, str], "list[FormatField] | None"]

# Records that never changed since they exist; for machines that show neither BTF nor tracefs.
KNOWN_FORMATS = {
    ("sched", "sched_process_exec"): (
        FormatField("filename", "__data_loc char[]", 8, 4, False), FormatField("pid", "pid_t", 12, 4, True),
        FormatField("old_pid", "pid_t", 16, 4, True),
    ),
}
CHAR_POINTER = PtrType(TYPES["char"], user=True)


class Contexts:
    """Resolves `ctx.name`. `kernel` gives the kernel's BTF or None, `formats` a tracepoint's format or None: both only
    asked when a program needs them."""

    def __init__(self, kernel: Callable[[], Btf | None], formats: TracepointFormat) -> None:
        self._kernel, self._formats = kernel, formats
        self._records: dict[str, StructType | tuple[FormatField, ...] | None] = {}

    def row(self, ctx: Context, name: str) -> table.Field:
        """The field `name` of a context struct (it exists)."""
        found = table.context(ctx.kind)
        assert found is not None
        return found.fields[name]

    def place(self, f: Lowering, ctx: Context, name: str, node: ast.AST) -> Place | None:
        """A field of the context that is plain memory."""
        if ctx.kind.startswith("tracepoint/"):
            return self._record_place(f, ctx, name, node)
        struct = table.context(ctx.kind)
        field = struct.fields.get(name) if struct else None
        if field is None or field.kind != "int":
            return None
        prefix = "be" if field.big_endian else "u"
        layout: Layout = TYPES[f"{prefix}{field.size * 8}"]
        if field.elems > 1:
            layout = ArrayType(layout, field.elems)
        return Place(ctx.ir, field.offset, layout, writable=field.writable)

    def attribute(self, f: Lowering, ctx: Context, name: str, node: ast.AST) -> Val:
        """`ctx.name` where it is no plain memory: packet pointers, strings of a tracepoint, or an error."""
        struct = table.context(ctx.kind)
        if struct and name == "packet" and "data" in struct.fields:
            return packet.cursor(f, ctx)
        field = struct.fields.get(name) if struct else None
        if field is not None and field.kind in ("packet", "packet_end"):
            return Pointer(packet.edge_of(f, ctx, name), TYPES["u8"])
        if ctx.kind.startswith("tracepoint/"):
            text = self._record_text(f, ctx, name)
            if text is not None:
                return text
        names = sorted(self._names(ctx))
        import difflib

        close = difflib.get_close_matches(name, names, 1)
        if not names:
            raise f.error("no-field", f"the fields of this {ctx.kind.split('/')[0]} context are not known here: no BTF, "
                          "no tracefs", node, help="annotate the parameter with a struct: 'def prog(ctx: MyContext)'")
        raise f.error("no-field", f"this context has no {name!r}", node,
                      help=f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}")

    def _names(self, ctx: Context) -> list[str]:
        if ctx.kind.startswith("tracepoint/"):
            record = self.record(ctx.kind)
            if isinstance(record, StructType):
                return [field.name.removeprefix("__data_loc_") for field in record.fields]
            return [field.name for field in record or ()]
        struct = table.context(ctx.kind)
        return [*struct.fields, *(["packet"] if "data" in struct.fields else [])] if struct else []

    # --- tracepoints

    def record(self, kind: str) -> StructType | tuple[FormatField, ...] | None:
        """What is known of a tracepoint's record: its struct in the kernel's BTF, else its format, else None."""
        if kind not in self._records:
            _, category, name = kind.split("/", 2)
            self._records[kind] = self._find_record(category, name)
        return self._records[kind]

    def _find_record(self, category: str, name: str) -> StructType | tuple[FormatField, ...] | None:
        if category != "syscalls":  # those share one struct without names
            btf = self._kernel()
            found = btf.find(f"trace_event_raw_{name}") if btf is not None else None
            if btf is not None and found:
                from .ktypes import KernelTypes

                layout = KernelTypes(btf).layout(found)
                return layout if isinstance(layout, StructType) else None
        fields = self._formats(category, name)
        return tuple(fields) if fields else KNOWN_FORMATS.get((category, name))

    def _record_place(self, f: Lowering, ctx: Context, name: str, node: ast.AST) -> Place | None:
        record = self.record(ctx.kind)
        if isinstance(record, StructType):
            member = record.field(name)
            if member is None:
                return None
            root = Place(ctx.ir, 0, record, core=(record, (0,)), writable=False)
            return memory.field(f, root, name, node)
        for field in record or ():
            if field.name == name and not field.type.startswith("__data_loc"):
                return Place(ctx.ir, field.offset, _format_layout(field), writable=False)
        return None

    def _record_text(self, f: Lowering, ctx: Context, name: str) -> Text | None:
        """A string of the record: a `__data_loc` word gives its offset (low half) and length."""
        record = self.record(ctx.kind)
        where = None
        if isinstance(record, StructType):
            member = record.field(f"__data_loc_{name}")
            if member is not None:
                root = Place(ctx.ir, 0, record, core=(record, (0,)))
                where = memory.field(f, root, member.name, f.node)
        else:
            for field in record or ():
                if field.name == name and field.type.startswith("__data_loc"):
                    where = Place(ctx.ir, field.offset, TYPES["u32"])
        if where is None:
            return None
        word = f.integer(memory.load(f, where._replace(layout=TYPES["u32"]), f.node), f.node)
        offset = f.op("and", word.ir, 0xFFFF)
        base = f.b.op("cast", ctx.ir, type=IR_I64)
        return Text(f.op("add", base, offset), user=False)


def _format_layout(field: FormatField) -> Layout:
    """A field's type from its C text."""
    if "char *" in field.type.replace("const ", ""):
        return CHAR_POINTER
    if "[" in field.type:
        base = field.type.split("[")[0]
        count = field.type.split("[")[1].rstrip("]")
        size = field.size // int(count) if count.isdigit() and int(count) else 1
        elem = TYPES["char"] if base.strip() == "char" else _int(size, field.signed)
        return ArrayType(elem, field.size // elem.size)
    return _int(field.size, field.signed)


def _int(size: int, signed: bool) -> IntType:
    return TYPES[f"{'i' if signed else 'u'}{size * 8}"] if size in (1, 2, 4, 8) else TYPES["u8"]


__all__ = ["Contexts", "Field", "FormatField", "TracepointFormat"]
