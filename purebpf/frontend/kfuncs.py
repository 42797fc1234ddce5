"""The kernel's functions for programs: typed by the kernel's BTF (or by the user's declaration), with what the table says of
them: what they give and take back, where they may be called."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import FunctionType
from typing import Final, NamedTuple

from ..dsl import maps as decl
from ..dsl.ints import IntType, TYPES
from ..dsl.kernel import KernelFunction
from ..dsl.layout import ArrayType, EnumRef, FuncType, Layout, OptionalType, PtrType, StructType
from ..dsl.memory import own_annotations
from ..tree.kinds import (
    Agg, Const, Context, I64, Int, Kind, NONE, Ptr, Resource, Text, Tuple, U64, describe, is_maybe, number,
)
from ..tree.nodes import Bits, Expr, Kfunc, MapRef, Number
from ..uapi import callees
from ..uapi import kfuncs as table
from . import arith, fitting, gate, helpers, keeping, memory, trust
from .context import Checker
from .names import near
from .rows import as_of_now, in_order

HIDDEN: Final = ("meta__ign", "aux__prog", "p__impl")  # parameters that the verifier fills
CONTEXTS: Final = ("__sk_buff", "xdp_md", "bpf_sock_addr_kern", "bpf_sock_ops_kern", "bpf_sockopt_kern")


class Signature(NamedTuple):
    """What is known of a function. `nullable`: the user's declaration says that it may give None."""

    row: table.Kfunc
    proto: FuncType
    nullable: bool = False

    @property
    def text(self) -> str:
        shown = ", ".join(f"{bare(n)}: {_spelt(t)}" for n, t in self.proto.params if n not in HIDDEN)
        return f"{self.row.name}({shown})"


def bare(name: str) -> str:
    """A parameter's name without what its suffix tells the verifier."""
    return name.rpartition("__")[0] or name if "__" in name.strip("_") else name


def suffix(name: str) -> str:
    return name.rpartition("__")[2] if "__" in name.strip("_") else ""


def _spelt(layout: Layout | None) -> str:
    return layout.name if layout is not None else "None"


# --- what is known ---------------------------------------------------------------------------------------------------


def signature(c: Checker, func: KernelFunction, node: ast.AST) -> Signature:
    """The function's types; an error if there is no such function, or if it is declared otherwise than it is."""
    row = table.find(func.name)
    found = c.unit.kernel.function(func.name)
    if func.declared is not None:
        return _declared(c, func.declared, row, found.types.prototype(found.proto) if found is not None else None, node)
    if found is None:
        if c.unit.kernel.types is None:
            raise c.error("kernel-function", f"the types of {func.name}() cannot be seen: this machine shows no BTF of its kernel", node,
                          help="declare them: '@bpf.kfunc' above 'def name(…) -> …: ...', or build with '--btf FILE'")
        since = f" (it is there from Linux {row.since} on)" if row.since else ""
        raise c.error("kernel-function", f"the kernel has no function {func.name!r}{since}", node,
                      help="" if since else near(func.name, [*table.names(), *c.unit.kernel.functions("bpf_")]))
    return Signature(row, found.types.prototype(found.proto))


def _declared(c: Checker, function: FunctionType, row: table.Kfunc, real: FuncType | None, node: ast.AST) -> Signature:
    """What the user's `@bpf.kfunc def …` says, compared with what the kernel says."""
    source = c.unit.sources.of(function)
    names = own_annotations_of(function)
    args = source.node.args
    params: list[tuple[str, Layout | None]] = []
    for arg in (*args.posonlyargs, *args.args):
        layout = c.unit.annotation(c, arg.annotation, source) if arg.annotation is not None else None
        params.append((arg.arg, layout.some if isinstance(layout, OptionalType) else layout))
    result = getattr(source.node, "returns", None)
    ret = c.unit.annotation(c, result, source) if result is not None and names.get("return") is not None else None
    nullable = isinstance(ret, OptionalType)
    mine = FuncType(tuple(params), ret.some if isinstance(ret, OptionalType) else ret)
    if real is None:
        return Signature(row, mine, nullable)
    shown = [(n, t) for n, t in real.params if n not in HIDDEN]
    agree = len(shown) == len(mine.params) and all(t is None or _same(t, r) for (_, t), (_, r) in zip(mine.params, shown))
    if not agree or not (mine.ret is None or _same(mine.ret, real.ret)):
        there = Signature(row, real).text
        raise c.error("kernel-function", f"{row.name}() is declared otherwise than the kernel's", node,
                      help=f"it is {there} -> {_spelt(real.ret)}", notes=((source.span(source.node), "it is declared here"),))
    return Signature(row, real, nullable)


def own_annotations_of(function: FunctionType) -> dict[str, object]:
    try:
        return own_annotations(function)  # type: ignore[arg-type]  # a function has them as a class does
    except Exception:  # noqa: BLE001 - whatever evaluating the user's annotations raises
        return dict(function.__annotations__)


def _same(mine: Layout | None, theirs: Layout | None) -> bool:
    if isinstance(mine, PtrType) and isinstance(theirs, PtrType):
        a, b = mine.target, theirs.target
        return a is None or b is None or not isinstance(b, StructType) or isinstance(a, StructType) and _name(a) == _name(b)
    if isinstance(mine, IntType):
        return isinstance(theirs, IntType | EnumRef) and mine.size == theirs.size
    return mine is theirs


def _name(layout: Layout) -> str:
    from ..btf.container import essential

    return essential(layout.name)


# --- the call --------------------------------------------------------------------------------------------------------


def call(c: Checker, func: KernelFunction, node: ast.Call) -> Expr:
    """A kernel function called by the user."""
    known = signature(c, func, node.func)
    shown = [(n, t) for n, t in known.proto.params if n not in HIDDEN]
    nodes = in_order(c, func.name, [bare(n) for n, _ in shown], node, known.text)
    sizes = {i for i, (n, _) in enumerate(shown) if suffix(n) in ("sz", "szk")}
    auto = len(nodes) == len(shown) - len(sizes)
    if len(nodes) != len(shown) and not auto:
        raise c.error("arguments", f"{func.name}() takes {len(shown)} argument{'s' * (len(shown) != 1)}, {len(nodes)} given", node,
                      help=known.text)
    at = 0
    values: list[Expr] = []
    for i, (name, layout) in enumerate(shown):
        if auto and i in sizes:
            values.append(_size_of(c, values[-1], node))
            continue
        sized = i + 1 in sizes
        values.append(as_of_now(c, argument(c, known, name, layout, sized, nodes[at]), nodes[at + 1:]))
        at += 1
    shown_values = iter(values)
    words = [Number(c.span(node), 0) if n in HIDDEN else next(shown_values) for n, _ in known.proto.params]
    result = gate.leave(c, callees.kfunc(func.name), emit(c, known, words, node), values[0] if values else None, node)
    return arith.after(c, result, c.lit(None, node)) if known.proto.ret is None else result


def emit(c: Checker, known: Signature, words: Sequence[Expr], node: ast.AST) -> Expr:
    """The call itself, allowed here or an error."""
    gate.enter(c, callees.kfunc(known.row.name), node)
    return Kfunc(c.span(node), _result(c, known, node), known.row.name, words, known.proto)


def _result(c: Checker, known: Signature, node: ast.AST) -> Kind:
    row, ret = known.row, known.proto.ret
    match ret:
        case None:
            return Int.of(I64)
        case IntType():
            return Int.of(ret)
        case EnumRef():
            return Int.of(TYPES["u32"])
        case PtrType(target=target):
            null = "null" in row.flags or known.nullable
            why = f"{row.name}() found nothing"
            if not isinstance(target, StructType):
                return Ptr(target, "mem", null=null, writable=False, why=why)
            resource = None
            if "acquire" in row.flags:
                resource = gate.acquired(c, row.name, table.release_of(row.name, target.name), node)
            return Ptr(target, "kernel", null=null, writable=False, why=why, resource=resource, trust="trusted" if resource else "")
    raise c.error("unsupported", f"{row.name}() gives a {ret.name}, which the language has no value for", node)


def _size_of(c: Checker, value: Expr, node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Ptr) and kind.target is not None:
        return Number(c.span(node), kind.target.size)
    return Number(c.span(node), 0)


# --- arguments -------------------------------------------------------------------------------------------------------


def argument(c: Checker, known: Signature, name: str, layout: Layout | None, sized: bool, node: ast.expr) -> Expr:
    """An argument as the parameter wants it."""
    kind, row = suffix(name), known.row
    if kind == "map":
        return _map(c, row, c.expr(node), node)
    if kind == "str":
        value = c.expr(node)
        if not isinstance(value.kind, Const) or not isinstance(value.kind.value, str | bytes):
            raise c.mismatch(f"{row.name}() takes a constant string here", value.kind, node)
        return helpers.text_constant(c, value.kind.value, node)
    if kind == "ign" and isinstance(layout, PtrType):
        return _address(c, row, c.expr(node), node)
    if isinstance(layout, PtrType):
        target = layout.target
        if isinstance(target, StructType) and target.name in CONTEXTS:
            return _context(c, row, c.expr(node), node)
        if isinstance(target, StructType) and not sized and not _is_memory(target):
            return _object(c, row, target, kind, node)
        return _memory(c, row, target, kind in ("nullable", "opt"), node)
    value = arith.integer(c, c.expr(node), node)
    if kind in ("k", "szk") and not arith.is_exact(arith.kind_of(value)):
        raise c.mismatch(f"{row.name}() takes a constant here", value.kind, node)
    return value


def _is_memory(target: StructType) -> bool:
    """A struct of the program's own for the kernel to read or write, of numbers alone: no object of the kernel's."""
    def plain(layout: Layout) -> bool:
        match layout:
            case ArrayType(elem=elem):
                return plain(elem)
            case StructType(fields=fields):
                return all(plain(f.type) for f in fields)
        return not isinstance(layout, PtrType)

    return target.size <= 256 and bool(target.fields) and plain(target)


def _map(c: Checker, row: table.Kfunc, value: Expr, node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, decl.Map):
        c.unit.map_name(kind.value)
        return MapRef(c.span(node), Ptr(None, "map"), kind.value)
    raise c.mismatch(f"{row.name}() takes a map here", kind, node)


def _context(c: Checker, row: table.Kfunc, value: Expr, node: ast.AST) -> Expr:
    if not isinstance(value.kind, Context):
        raise c.mismatch(f"{row.name}() takes the program's context here", value.kind, node)
    return value


def _address(c: Checker, row: table.Kfunc, value: Expr, node: ast.AST) -> Expr:
    """An address that the verifier does not look at: of text, of user memory, a number."""
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes):
        return helpers.text_constant(c, kind.value, node)
    if isinstance(kind, Ptr) and not kind.region:
        return Bits(value.span, Int.of(U64), value)
    if isinstance(kind, Ptr | Text):
        return value
    return arith.integer(c, value, node)


def _object(c: Checker, row: table.Kfunc, target: StructType, suffix: str, node: ast.expr) -> Expr:
    """A pointer to an object of the kernel's."""
    value = memory.base(c, c.place(node), node) if isinstance(node, ast.Attribute | ast.Subscript) else c.expr(node)
    kind = value.kind
    if kind == NONE and suffix in ("nullable", "opt"):
        return Number(c.span(node), 0)
    if is_maybe(kind) and suffix not in ("nullable", "opt"):
        raise arith.may_be_none(c, value, node)
    if not isinstance(kind, Ptr) or kind.target is None:
        raise c.mismatch(f"{row.name}() takes a pointer to {target.name} here", kind, node)
    if not isinstance(kind.target, StructType) or _first(kind.target, _name(target)) is None:
        raise c.error("type-mismatch", f"{row.name}() takes a pointer to {target.name} here, not {describe(kind)}", node)
    value = helpers.running(c, value, node)
    if isinstance(value.kind, Ptr) and value.kind.region in ("kernel", ""):
        _vouched(c, row, value.kind, node)
    return value


def _first(layout: Layout, name: str) -> Layout | None:
    """The struct of that name, which this is, or begins with: what has a sock_common at its start is one for the kernel."""
    at: Layout | None = layout
    while isinstance(at, StructType):
        if _name(at) == name:
            return at
        at = next((f.type for f in at.fields if f.offset == 0), None) if at.fields else None
    return None


def _vouched(c: Checker, row: table.Kfunc, kind: Ptr, node: ast.AST) -> None:
    """The verifier takes the pointer: it knows that what it leads to is there."""
    wanted = row.flags & {"trusted", "rcu", "release"}
    if not wanted or kind.trust == "trusted" or kind.trust == "rcu" and wanted == {"rcu"} and trust.protected(c):
        return
    how = "" if kind.region else ": it was read by address"
    raise c.error("untrusted", f"{row.name}() takes an object of which the kernel knows that it is there, which this may not be{how}", node,
                  help="an argument of the hook, or what a function has acquired" + (
                      "; inside 'with bpf.rcu():' what RCU protects, too" if "rcu" in wanted else ""))


def _memory(c: Checker, row: table.Kfunc, target: Layout | None, optional: bool, node: ast.expr) -> Expr:
    """Memory of the program's: where something stands, or what is made on the spot and placed."""
    value = c.place(node) if isinstance(node, ast.Attribute | ast.Subscript | ast.Name) else c.expr(node)
    kind = value.kind
    if kind == NONE and optional:
        return Number(c.span(node), 0)
    if is_maybe(kind):
        raise arith.may_be_none(c, value, node)
    if isinstance(kind, Ptr):
        return value
    if isinstance(kind, Agg):
        return keeping.placed(c, value, kind.layout, node)
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes):
        return helpers.text_constant(c, kind.value, node)
    if isinstance(target, IntType | StructType) and isinstance(kind, Int | Tuple | Const) and (number(kind) is not None or isinstance(target, StructType)):
        return fitting.address_of(c, value, target, node)
    raise c.mismatch(f"{row.name}() takes memory here", kind, node, "give it a variable of a struct or an array: 'buf = u8[16]()'")


def release(c: Checker, resource: Resource, value: Expr, node: ast.AST) -> Expr:
    """Give back what was acquired: by the helper or the kernel function that belongs to it."""
    name = resource.release.removesuffix("()")
    status = Int.of(I64)
    if not name.startswith(("bpf_", "scx_")):
        return helpers.emit_call(c, name, (value,), status, node)
    return emit(c, signature(c, KernelFunction(name), node), (value,), node)
