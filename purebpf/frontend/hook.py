"""What a program's `ctx` offers: fields of the context struct, the packet, the record of a tracepoint, raw arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Field, Layout, PtrType, StructType
from ..tree.kinds import Const, Context, I64, Int, Kind, Ptr, Text, U64, U8
from ..tree.nodes import Arith, Bits, Cast, CtxPlace, Expr, Load, Number
from ..uapi import contexts as table, versions
from . import arguments, instead, memory, packet, probes, shown
from .context import Checker
from .names import near

if TYPE_CHECKING:
    from .ktypes import KernelFacts


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
PACKET_EDGES = {"packet": "packet", "packet_end": "packet_end", "packet_meta": "packet_meta"}


def _loaded(c: Checker, kind: str, field: str, name: str, node: ast.AST) -> None:
    """Programs of this type may load it of their context, and the kernel has it."""
    c.unit.need(c, versions.field(kind, field), f"ctx.{name}", node)
    if (c.unit.prog_type(c.hook), field) not in table.HIDDEN:
        return
    packet_help = "copy what you need: 'bpf.helpers.skb_load_bytes(ctx, offset, to, bpf.sizeof(to))'" if field in ("data", "data_end") else ""
    section = c.hook.split("/")[0]
    raise c.error("program-type", f"the kernel does not let programs at {section!r} use ctx.{name}", node, help=packet_help)


class Contexts:
    """Resolves `ctx.name`. `kernel` knows the kernel's types, `formats` a tracepoint's format or None: both only
    asked when a program needs them."""

    def __init__(self, kernel: KernelFacts, formats: TracepointFormat) -> None:
        self._kernel, self._formats = kernel, formats
        self._records: dict[str, StructType | tuple[FormatField, ...] | None] = {}

    def place(self, c: Checker, ctx: Expr, name: str, node: ast.AST) -> Expr | None:
        """A field of the context that is plain memory."""
        kind = ctx.kind
        assert isinstance(kind, Context)
        if kind.name.startswith("tracepoint/"):
            return self._record_place(c, ctx, kind.name, name, node)
        struct = table.context(kind.name)
        field = struct.fields.get(name) if struct else None
        if field is None or field.kind != "int":
            return None
        _loaded(c, kind.name, name, name, node)
        return CtxPlace(c.span(node), Ptr(shown.layout_of(field), "ctx", writable=field.writable), ctx, field.offset)

    def attribute(self, c: Checker, ctx: Expr, name: str, node: ast.AST) -> Expr:
        """`ctx.name` where it is no plain memory: packet pointers, strings of a tracepoint, or an error."""
        kind = ctx.kind
        assert isinstance(kind, Context)
        if kind.name == "iter":
            return arguments.element(c, ctx, name, None, node)
        struct = table.context(kind.name)
        _loaded(c, kind.name, "data" if name == "packet" else name, name, node)
        if struct and name == "packet" and "data" in struct.fields:
            start, end = (self.edge(c, ctx, kind, which, node) for which in ("data", "data_end"))
            return packet.cursor(c, start, end, node)
        field = struct.fields.get(name) if struct else None
        if field is not None and field.kind in PACKET_EDGES:
            edge = self.edge(c, ctx, kind, name, node)
            assert isinstance(edge.kind, Ptr)
            edge.kind = edge.kind._replace(why=memory.RAW)
            return edge
        if field is not None and field.kind == "ptr" and field.target != "pt_regs":
            return self._pointer(c, ctx, kind.name, field, node)
        found = self._register(c, ctx, kind.name, name, node)
        if found is not None:
            return found
        if kind.name.startswith("tracepoint/"):
            text = self._record_text(c, ctx, kind.name, name, node)
            if text is not None:
                return text
        question = probes.asked(c, ctx, kind.name, name, node)
        if question is not None:
            return question
        names = sorted(self._names(kind.name))
        if kind.name in (*arguments.WORDS, "pt_regs") and name not in names:
            raise c.error("no-field", f"this context has no {name!r}", node,
                          help=instead.FIELDS.get(name) or
                          "arguments of the hook are parameters, by their names; 'ctx.arg(n)' is the n-th, from 0")
        if not names:
            raise c.error("no-field", f"the fields of this {kind.name.split('/')[0]} context are not known here: no BTF, "
                          "no tracefs", node, help="annotate the parameter with a struct: 'def prog(ctx: MyContext)'")
        raise c.error("no-field", f"this context has no {name!r}", node,
                      help=instead.FIELDS.get(name) or near(name, names) or f"it has {', '.join(names)}")

    @staticmethod
    def _register(c: Checker, ctx: Expr, kind: str, name: str, node: ast.AST) -> Expr | None:
        """What a probe knows by one name on every machine: `ctx.ret`, `ctx.ip`; and `ctx.regs`, all of them."""
        field = table.context(kind)
        if kind == "bpf_perf_event_data" and name == "regs" or kind == "pt_regs" and name == "regs":
            return Cast(c.span(node), Context("pt_regs"), ctx)
        call = table.CALLING.get(table.machine())
        if field is None or kind not in ("pt_regs", "bpf_perf_event_data") or call is None:
            return None
        which = {"ret": call.result, "ip": call.code, "sp": call.stack, "fp": call.frame}.get(name)
        return arguments.typed(c, arguments.register(c, ctx, which, node), U64, "probe", node) if which else None

    @staticmethod
    def argument(c: Checker, ctx: Expr, args: list[Expr], node: ast.Call) -> Expr:
        """`ctx.arg(n)`: the n-th argument of the hooked function, as a number."""
        kind = ctx.kind
        assert isinstance(kind, Context)
        if kind.name not in (*arguments.WORDS, "pt_regs"):
            raise c.error("undefined-name", "this context has no method 'arg'", node)
        number = args[0].kind.value if isinstance(args[0].kind, Const) else None
        if not isinstance(number, int) or number < 0:
            raise c.error("arguments", "arg() takes the number of an argument, a constant", node)
        return arguments.typed(c, arguments.argument(c, ctx, number, node), U64, "probe", node)

    def _pointer(self, c: Checker, ctx: Expr, kind: str, field: table.Field, node: ast.AST) -> Expr:
        """`ctx.sk` and the like: a pointer to what the kernel shows of it, or to its own object."""
        where = kind, field.name
        own = shown.struct(field.target, where in table.COMMON)
        target = own or self._kernel.named(field.target)
        pointer = Ptr(target, "kernel", null=where in table.ABSENT, why="there is no socket", trust="trusted",
                      writable=field.target == "bpf_flow_keys")
        return Load(c.span(node), pointer, CtxPlace(c.span(node), Ptr(PtrType(None), "ctx"), ctx, field.offset))

    def edge(self, c: Checker, ctx: Expr, kind: Context, which: str, node: ast.AST) -> Expr:
        """`ctx.data`, `ctx.data_end`, `ctx.data_meta` as pointers."""
        struct = table.context(kind.name)
        assert struct is not None
        field = struct.fields[which]
        at = CtxPlace(c.span(node), Ptr(PtrType(None), "ctx"), ctx, field.offset)
        region = PACKET_EDGES[field.kind]
        return Load(c.span(node), Ptr(U8 if region != "packet_end" else None, region), at) if field.size == 8 else \
            Load(c.span(node), Ptr(U8 if region != "packet_end" else None, region), _sized(at, field.size))

    def _names(self, kind: str) -> list[str]:
        if kind.startswith("tracepoint/"):
            record = self.record(kind)
            if isinstance(record, StructType):
                return [field.name.removeprefix("__data_loc_") for field in record.fields]
            return [field.name for field in record or ()]
        struct = table.context(kind)
        return [*struct.fields, *(["packet"] if "data" in struct.fields else [])] if struct else []

    # --- tracepoints

    def record(self, kind: str) -> StructType | tuple[FormatField, ...] | None:
        """What is known of a tracepoint's record: its struct in the kernel's BTF, else its format, else None."""
        if kind not in self._records:
            _, category, name = kind.split("/", 2)
            self._records[kind] = self._find_record(category, name)
        return self._records[kind]

    def shape(self, kind: str) -> StructType | None:
        """The record as a struct for the object's BTF, if a program has read fields of it."""
        record = self._records.get(kind)
        if isinstance(record, StructType):
            return record
        if not record:
            return None
        fields = tuple(Field(f"__data_loc_{f.name}", TYPES["u32"], f.offset) if f.type.startswith("__data_loc") else
                       Field(f.name, _format_layout(f), f.offset) for f in record)
        size = max(f.offset + f.type.size for f in fields)
        return StructType("trace_event_raw_" + kind.split("/", 2)[2], fields, -(-size // 8) * 8, 8)

    def _find_record(self, category: str, name: str) -> StructType | tuple[FormatField, ...] | None:
        if category != "syscalls":  # those share one struct without names
            layout = self._kernel.named(f"trace_event_raw_{name}")
            if isinstance(layout, StructType):
                return layout
        fields = self._formats(category, name)
        return tuple(fields) if fields else KNOWN_FORMATS.get((category, name))

    def syscall(self, name: str) -> list[tuple[str, Layout]]:
        """The arguments of a system call, as the record of its tracepoint has them behind its number; [] where none is shown."""
        fields = [f for f in self._formats("syscalls", f"sys_enter_{name}") or () if not f.name.startswith(("common_", "__"))]
        return [(f.name, _format_layout(f)) for f in sorted(fields, key=lambda f: f.offset)]

    def _record_place(self, c: Checker, ctx: Expr, kind: str, name: str, node: ast.AST) -> Expr | None:
        record = self.record(kind)
        if isinstance(record, StructType):
            member = record.field(name)
            return memory.member(c, self._root(c, ctx, record, node), member, node) if member is not None else None
        for field in record or ():
            if field.name == name and not field.type.startswith("__data_loc"):
                return CtxPlace(c.span(node), Ptr(_format_layout(field), "ctx", writable=False), ctx, field.offset)
        return None

    @staticmethod
    def _root(c: Checker, ctx: Expr, record: StructType, node: ast.AST) -> Expr:
        return CtxPlace(c.span(node), Ptr(record, "ctx", writable=False), ctx, 0, record)

    def _record_text(self, c: Checker, ctx: Expr, kind: str, name: str, node: ast.AST) -> Expr | None:
        """A string of the record: a `__data_loc` word gives its offset (low half) and length."""
        record, span = self.record(kind), c.span(node)
        where: Expr | None = None
        if isinstance(record, StructType):
            member = record.field(f"__data_loc_{name}")
            if member is not None:
                where = memory.member(c, self._root(c, ctx, record, node), member, node)
        else:
            for field in record or ():
                if field.name == name and field.type.startswith("__data_loc"):
                    where = CtxPlace(span, Ptr(TYPES["u32"], "ctx", writable=False), ctx, field.offset)
        if where is None:
            return None
        assert isinstance(where.kind, Ptr)
        where.kind = where.kind._replace(target=TYPES["u32"])
        word = Load(span, Int.of(TYPES["u32"]), where)
        offset = Arith(span, Int(I64, 0, 0xFFFF), "&", word, Number(span, 0xFFFF))
        base: Kind = Int.of(U64)
        address = Arith(span, Int.of(U64), "+", Bits(span, base, ctx), offset)
        return Bits(span, Text(False), address)


def _sized(place: CtxPlace, size: int) -> CtxPlace:
    """The packet's edges are 32-bit fields that load as pointers."""
    assert isinstance(place.kind, Ptr)
    place.kind = place.kind._replace(target=TYPES[f"u{size * 8}"])
    return place


def _format_layout(field: FormatField) -> Layout:
    """A field's type from its C text."""
    text = field.type.replace("const ", "").strip()
    if text.endswith("**") or text.endswith("*const *") or "* *" in text:
        return PtrType(CHAR_POINTER if text.startswith("char") else PtrType(None, user=True), user=True)
    if "char *" in text:
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
