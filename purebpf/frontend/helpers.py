"""The kernel's helpers: what their signatures say is checked for every call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from ..dsl import maps as decl
from ..dsl.helpers import Helper as Declared
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, StructType
from ..tree.kinds import (
    Agg, Const, Context, I64, Int, Kind, NONE, Optional, Ptr, Text, Tuple, U64, an, is_maybe, number,
)
from ..tree.nodes import Bits, Expr, Helper, MapRef, Number, Swap
from ..uapi import callees
from . import arith, fitting, gate, keeping, mapuse, shown
from .context import Checker
from .rows import as_of_now, in_order

SIZES = ("size", "len", "_sz")  # ends of the names of parameters that say how long the memory before them is
REGIONS = {"map_value": "value", "mem": "mem", "socket": "kernel", "kernel": "kernel"}


def emit_call(c: Checker, name: str, args: Iterable[Expr], kind: Kind, node: ast.AST) -> Expr:
    """Call a helper; arguments are numbers and pointers already."""
    callee = callees.helper(name)
    gate.enter(c, callee, node)
    return Helper(c.span(node), kind, name, args, callee.same, callee.writes)


def call(c: Checker, helper: Declared, node: ast.Call) -> Expr:
    """A helper that the user calls by its kernel name."""
    params = helper.params
    variadic = bool(params) and params[-1][0].startswith("*")
    shown = f"{helper.name}({', '.join(f'{n}: {t}' for n, t in params)})"
    nodes = in_order(c, helper.name, [n for n, _ in params if not n.startswith("*")], node, shown)
    if len(nodes) > (5 if variadic else len(params)) or len(nodes) < len(params) - variadic:
        raise c.error("arguments", f"{helper.name}() takes {len(params)} argument{'s' * (len(params) != 1)}, {len(nodes)} given", node, help=shown)
    values: list[Expr] = []
    for i, arg in enumerate(nodes):
        text = params[min(i, len(params) - 1)][1]
        follows = nodes[i + 1] if i + 1 < len(nodes) else None
        map = values[0].map if values and isinstance(values[0], MapRef) else None
        layout = {"key": map.key, "value": map.value}.get(params[min(i, len(params) - 1)][0]) if map is not None else None
        if layout is not None and text.startswith("Mem") and not _stands_somewhere(arg):
            values.append(fitting.address_of(c, c.expr(arg), layout, arg))
            continue
        values.append(as_of_now(c, _argument(c, helper, text, arg, follows), nodes[i + 1:]))
        if isinstance(follows, ast.Constant) and params[min(i + 1, len(params) - 1)][0].endswith(SIZES):
            _room(c, text, values[-1].kind, follows)
    kind = _result(c, helper, values, node)
    result = gate.leave(c, callees.helper(helper.name), emit_call(c, helper.name, values, kind, node), values[0] if values else None, node)
    if helper.ret in ("None", "void"):
        return arith.after(c, result, c.lit(None, node))
    return result


def _stands_somewhere(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Subscript)


def _result(c: Checker, helper: Declared, values: Sequence[Expr], node: ast.AST) -> Kind:
    returns = helper.ret
    if "Ptr" in returns:
        back = callees.helper(helper.name).gives
        resource = gate.acquired(c, helper.name, back, node) if back else None
        target = None
        if helper.name == "map_lookup_elem" and isinstance(values[0], MapRef):
            target = values[0].map.value
        region = REGIONS.get(helper.region, "mem")
        if helper.target:
            target = shown.struct(helper.target) or c.unit.kernel.named(helper.target)
        trust = "trusted" if region == "kernel" and target is not None else ""
        return Ptr(target, region, null=helper.nullable, writable=region != "kernel", why=f"{helper.name} found nothing", resource=resource,
                   trust=trust)
    if returns in ("None", "void"):
        return Int.of(I64)
    return Int.of(U64 if returns.startswith("u") else I64)


def _argument(c: Checker, helper: Declared, text: str, node: ast.expr, follows: ast.expr | None) -> Expr:
    """An argument as the signature wants it."""
    kind_name, _, optional = text.partition(" | ")
    if kind_name in ("Mem", "Out"):
        return _memory(c, helper, kind_name, bool(optional), node, follows)
    value = c.expr(node)
    kind = value.kind
    match kind_name:
        case "Ctx":
            if not isinstance(kind, Context):
                raise c.mismatch(f"{helper.name}() takes the program's context here", kind, node)
            return value
        case "AnyMap":
            if isinstance(kind, Const) and isinstance(kind.value, decl.Map):
                c.unit.map_name(kind.value)
                mapuse.uses(c, kind.value, node)
                return MapRef(c.span(node), Ptr(None, "map"), kind.value)
            if isinstance(kind, Ptr) and isinstance(kind.target, decl.MapType):
                return value
            raise c.mismatch(f"{helper.name}() takes a map here", kind, node)
        case "Text":
            if not isinstance(kind, Const) or not isinstance(kind.value, str | bytes):
                raise c.mismatch(f"{helper.name}() takes a constant string here", kind, node)
            return text_constant(c, kind.value, node)
        case "Kernel" | "Sock" | "Dynptr":
            return _pointer(c, helper, value, node)
        case "Callback":
            raise c.error("unsupported", f"{helper.name}() with a callback by hand", node,
                          help="'for i in range(n)', 'bpf.loop(n, f)' and 'for k, v in m' make it")
        case _:
            return _number(c, kind_name, value, node)


def text_constant(c: Checker, text: str | bytes, node: ast.AST) -> Expr:
    data = (text.encode() if isinstance(text, str) else text) + b"\0"
    return fitting.constant_bytes(c, data, ArrayType(TYPES["char"], len(data)), node)


def _pointer(c: Checker, helper: Declared, value: Expr, node: ast.AST) -> Expr:
    value = running(c, value, node)
    kind = value.kind
    if isinstance(kind, Ptr):
        if kind.null and helper.name not in ("kptr_xchg",):
            raise arith.may_be_none(c, value, node)
        return value
    if kind == NONE:
        return Number(c.span(node), 0)
    if is_maybe(kind):
        raise arith.may_be_none(c, value, node)
    raise c.mismatch(f"{helper.name}() takes a pointer to a kernel object here", kind, node)


def _number(c: Checker, wanted: str, value: Expr, node: ast.AST) -> Expr:
    """A number; one that was read in network order goes in that order."""
    kind = value.kind
    if isinstance(kind, Ptr) and wanted in ("u64", "i64") and not isinstance(kind.target, IntType):
        if is_maybe(kind) and kind.region:
            raise arith.may_be_none(c, value, node)
        return Bits(value.span, Int.of(U64), value)
    if isinstance(kind, Text):
        return Bits(value.span, Int.of(U64), value)
    number = arith.integer(c, value, node)
    type = arith.kind_of(number).type
    if wanted.startswith("be"):
        type = TYPES[wanted]
    if type.big_endian:
        return Swap(c.span(node), Int.of(TYPES[f"u{type.bits}"]), number, type.bits)
    return number


def running(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """Where an object is wanted that the kernel vouches for: the running task is one, however the program came by it."""
    kind = value.kind
    if not isinstance(kind, Ptr) or kind.trust != "current":
        return value
    return emit_call(c, "get_current_task_btf", (), kind._replace(region="kernel", access="direct", trust="trusted"), node)


def _memory(c: Checker, helper: Declared, wanted: str, optional: bool, node: ast.expr, follows: ast.expr | None) -> Expr:
    """Memory: where something stands; a number, a struct or text made on the spot gets a place on the stack."""
    value = c.place(node) if isinstance(node, ast.Attribute | ast.Subscript | ast.Name) else c.expr(node)
    kind = value.kind
    if kind == NONE and optional:
        return Number(c.span(node), 0)
    if kind == NONE:
        raise c.mismatch(f"{helper.name}() takes memory here", kind, node, "a struct, an array, text, or a pointer to one")
    if isinstance(kind, Ptr):
        return _address(c, wanted, value, node)
    if isinstance(kind, Optional) or is_maybe(kind):
        raise arith.may_be_none(c, value, node)
    if isinstance(kind, Agg) and wanted == "Mem":
        return keeping.placed(c, value, kind.layout, node)
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes) and wanted == "Mem":
        return text_constant(c, kind.value, node)
    if wanted == "Mem" and isinstance(kind, Tuple | Const | Int):
        return _number_in_memory(c, helper, value, node, follows)
    raise c.mismatch(f"{helper.name}() {'writes to' if wanted == 'Out' else 'takes'} memory here", kind, node,
                     "give it a variable of a struct or an array: 'buf = u8[16]()'" if wanted == "Out" else "")


def _room(c: Checker, text: str, kind: Kind, size: ast.Constant) -> None:
    """A constant number of bytes that is more than the memory has."""
    if not isinstance(kind, Ptr) or kind.target is None or kind.region not in ("stack", "data", "value"):
        return
    if isinstance(size.value, int) and text.startswith(("Mem", "Out")) and size.value > kind.target.size > 0:
        raise c.error("too-long", f"{size.value} bytes are {'written' if text.startswith('Out') else 'read'} here, "
                      f"{an(kind.target.name)} has {kind.target.size}", size)


def _address(c: Checker, wanted: str, value: Expr, node: ast.AST) -> Expr:
    kind = value.kind
    assert isinstance(kind, Ptr)
    if kind.null:
        raise arith.may_be_none(c, value, node)
    if wanted == "Out":
        fitting.writable(c, kind, node)
        return value
    if isinstance(kind.target, StructType) and kind.target.core or kind.access != "direct" and kind.target is not None:
        assert kind.target is not None
        return keeping.placed(c, value, kind.target, node)
    return value


def _number_in_memory(c: Checker, helper: Declared, value: Expr, node: ast.AST, follows: ast.expr | None) -> Expr:
    if not isinstance(value.kind, Int | Const) or number(value.kind) is None:
        raise c.mismatch(f"{helper.name}() takes memory here", value.kind, node)
    word = arith.integer(c, value, node)
    type = arith.kind_of(word).type
    if isinstance(follows, ast.Constant) and follows.value in (1, 2, 4, 8) and not type.big_endian:
        type = TYPES[f"u{follows.value * 8}"]
    elif arith.is_exact(arith.kind_of(word)) and isinstance(value.kind, Const):
        raise c.error("type-mismatch", f"{helper.name}() takes memory here, not a number without a size", node,
                      help="give it a type, as in 'u32(7)', or a variable")
    return keeping.placed(c, arith.wrap(c, word, type, node) if type.is_bool else word, type, node)
