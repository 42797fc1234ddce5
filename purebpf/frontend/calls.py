"""Calls: what is called decides; a registry keyed by the object itself, never by how it is spelt."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dsl import flow as words
from ..dsl import memory as dsl_memory
from ..dsl.helpers import Helper
from ..dsl.hooks import Func, Program
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..dsl.maps import ProgArray
from ..ir.function import Const, Value
from ..ir.ops import signed
from ..ir.types import I64 as I64_IR
from . import arith, maps, memory, packet
from .flow import branch, enter, goto
from .values import (
    I64,
    U64,
    Cursor,
    Entry,
    Fill,
    Int,
    Known,
    Many,
    Method,
    Place,
    Pointer,
    Poison,
    Record,
    Text,
    Val,
    describe,
)

if TYPE_CHECKING:
    from .context import Lowering

Builtin = Callable[["Lowering", list[Val], ast.Call], Val]


def call(f: Lowering, node: ast.Call) -> Val:
    """Lower a call."""
    callee = f.value(node.func)
    if isinstance(callee, Poison):
        return callee
    if callee in (Known(print), Known(words.printk)):
        return _print(f, node)
    if callee == Known(words.atomic_add):
        return _atomic_add(f, node)
    args = _arguments(f, node)
    named = {k.arg: _settled(f, k.value) for k in node.keywords if k.arg}
    f.at(node)
    if isinstance(callee, Method):
        _no_keywords(f, named, node)
        return _method(f, callee, args, node)
    if isinstance(callee, Entry) and isinstance(callee.map, ProgArray):
        return maps.tail_call(f, callee, args, node)
    if isinstance(callee, Known):
        return _known_call(f, callee.value, args, named, node)
    raise f.ir_type_error("a function can be called", callee, node)


def _arguments(f: Lowering, node: ast.Call) -> list[Val]:
    args: list[Val] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            spread = _settled(f, arg.value)
            if isinstance(spread, Many):
                args += spread.items
            elif isinstance(spread, Known) and isinstance(spread.value, tuple | list):
                args += [Known(v) for v in spread.value]
            else:
                f.unsupported("'*' of something that is no tuple", arg)
        else:
            args.append(_settled(f, arg))
    return args


def _settled(f: Lowering, node: ast.expr) -> Val:
    from . import exprs

    return exprs.rvalue(f, node)


def _no_keywords(f: Lowering, named: dict[str, Val], node: ast.Call) -> None:
    if named:
        raise f.error("arguments", f"no keyword argument {next(iter(named))!r} here", node)


def _known_call(f: Lowering, obj: Any, args: list[Val], named: dict[str, Val], node: ast.Call) -> Val:
    if isinstance(obj, Func | FunctionType) and obj not in BUILTINS:
        return f.unit.call_function(f, obj, args, named, node)
    layout = obj if isinstance(obj, Layout) else getattr(obj, "__bpf_layout__", None)
    if isinstance(layout, StructType):
        return _record(f, layout, args, named, node)
    _no_keywords(f, named, node)
    if isinstance(layout, IntType):
        _count(f, layout.name, args, 0, 1, node)
        return _cast(f, layout, args[0] if args else Known(0), node)
    if isinstance(layout, PtrType):
        _count(f, layout.name, args, 1, 1, node)
        return _pointer_cast(f, layout, args[0], node)
    if isinstance(layout, ArrayType):
        _count(f, layout.name, args, 0, 1, node)
        return _array(f, layout, args, node)
    if isinstance(obj, words.Word):
        return _word(f, obj, args, node)
    if isinstance(obj, Helper):
        return f.unit.helper(f, obj, args, node)
    builtin = BUILTINS.get(obj) if callable(obj) else None
    if builtin:
        return builtin(f, args, node)
    if isinstance(obj, Program):
        raise f.error("unsupported", f"{obj.name} is a program: the kernel calls it", node,
                      help="share code through a plain function, or tail-call through a ProgArray")
    if callable(obj):
        f.unsupported(f"calling {getattr(obj, '__name__', obj)!r}", node, "only functions written in Python's subset compile")
    raise f.ir_type_error("a function can be called", Known(obj), node)


def _count(f: Lowering, name: str, args: list[Val], fewest: int, most: int, node: ast.Call) -> None:
    if not fewest <= len(args) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise f.error("arguments", f"{name}() takes {wanted} argument{'s' * (wanted != '1')}, {len(args)} given", node)


# --- types as functions ----------------------------------------------------------------------------------------------------


def _cast(f: Lowering, layout: IntType, value: Val, node: ast.Call) -> Val:
    if isinstance(value, Known) and isinstance(value.value, int):
        return Known(layout(value.value))
    if isinstance(value, Pointer):
        if layout.size < 8:
            raise f.error("type-mismatch", "a pointer is 64 bits: 'u64(p)'", node)
        return Int(f.b.op("cast", value.ir, type=I64_IR), layout, layout.lo, layout.hi)
    return arith.wrap(f, f.integer(value, node), layout)


def _pointer_cast(f: Lowering, layout: PtrType, value: Val, node: ast.Call) -> Val:
    """`Ptr[T](x)`: a number as a kernel address, read fault-safely; or another view of the same memory."""
    if isinstance(value, Pointer):
        return value._replace(target=layout.target)
    if isinstance(value, Place):
        return Pointer(memory.address(f, value), layout.target, access=value.access)
    return Pointer(f.integer(value, node).ir, layout.target, access="user" if layout.user else "probe", writable=False)


def _array(f: Lowering, layout: ArrayType, args: list[Val], node: ast.Call) -> Val:
    if args:
        return memory.materialize(f, args[0], layout, node)
    place = Place(f.temporary(layout.size, 8), 0, layout)
    memory.zero(f, place, layout.size)
    return place


def _record(f: Lowering, layout: StructType, args: list[Val], named: dict[str, Val], node: ast.Call) -> Val:
    names = [m.name for m in layout.fields]
    if len(args) > len(names):
        raise f.error("arguments", f"{layout.name} has {len(names)} fields, {len(args)} values given", node)
    values = dict(zip(names, args))
    for name, value in named.items():
        if name not in names:
            import difflib

            close = difflib.get_close_matches(name, names, 1)
            raise f.error("no-field", f"{layout.name} has no field {name!r}", node,
                          help=f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}")
        values[name] = value
    return Record(layout, tuple((n, values[n]) for n in names if n in values))


# --- methods -------------------------------------------------------------------------------------------------------------


def _method(f: Lowering, callee: Method, args: list[Val], node: ast.Call) -> Val:
    receiver, name = callee
    if isinstance(receiver, Known) and f.unit.is_map(receiver.value):
        return maps.method(f, receiver.value, name, args, node)
    if isinstance(receiver, Cursor):
        row = packet.METHODS.get(name)
        if row is None:
            raise f.error("undefined-name", f"the packet has no {name!r}", node, help=f"it has {', '.join(packet.METHODS)}")
        _count(f, f"packet.{name}", args, row[1], row[1], node)
        return row[0](f, receiver, args, node)
    if name == "bit_length" and not args:
        return _bit_length(f, f.integer(receiver, node), node)
    if isinstance(receiver, Known):
        values = [a.value for a in args if isinstance(a, Known)]
        if len(values) == len(args):
            try:
                return Known(getattr(receiver.value, name)(*values))
            except Exception as error:  # noqa: BLE001 - whatever a constant's own method raises is the user's mistake
                raise f.error("constant", f"this constant cannot be computed: {error}", node) from None
    raise f.error("undefined-name", f"{describe(receiver)} has no method {name!r} in a program", node)


def _bit_length(f: Lowering, a: Int, node: ast.AST) -> Val:
    """The number of bits of |a|, by halving: at most six tests, each passed or shifted away."""
    top = max(abs(a.lo), a.hi)
    f.env["$bits"] = Int(a.ir if a.lo >= 0 else _magnitude(f, a), U64, 0, top)
    f.env["$count"] = Known(0)
    for step in (32, 16, 8, 4, 2, 1):
        if top < 1 << step:
            continue
        many, few = f.join("many"), f.join("few")
        bits, count = f.integer(f.env["$bits"], node), f.integer(f.env["$count"], node)
        branch(f, f.op("uge", bits.ir, signed(1 << step)), many, few)
        enter(f, many)
        f.env["$bits"] = Int(f.op("shr", bits.ir, step), U64, 0, max(bits.hi >> step, 1))
        f.env["$count"] = Int(f.op("add", count.ir, step), I64, 0, 64)
        goto(f, few)
        enter(f, few)
    bits, count = f.integer(f.env.pop("$bits"), node), f.integer(f.env.pop("$count"), node)
    return Int(f.op("add", count.ir, f.op("ne", bits.ir, 0)), I64, 0, 64)


def _magnitude(f: Lowering, a: Int) -> Value:
    sign = f.op("sar", a.ir, 63)
    return f.op("sub", f.op("xor", a.ir, sign), sign)


# --- builtins ----------------------------------------------------------------------------------------------------------------


def _len(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "len", args, 1, 1, node)
    match args[0]:
        case Known(v) if hasattr(v, "__len__") and not f.unit.is_map(v):
            return Known(len(v))
        case Place(layout=ArrayType() as layout):
            return Known(layout.count)
        case Pointer(target=ArrayType() as layout):
            return Known(layout.count)
        case Many(items):
            return Known(len(items))
        case Cursor() as cursor:
            return packet.left(f, cursor, node)
    raise f.ir_type_error("len() takes an array, a constant or the packet", args[0], node)


def _extreme(name: str, word: str) -> Builtin:
    def build(f: Lowering, args: list[Val], node: ast.Call) -> Val:
        if len(args) == 1 and isinstance(args[0], Many):
            args = list(args[0].items)
        elif len(args) == 1 and isinstance(args[0], Known) and isinstance(args[0].value, tuple | list | range | bytes):
            args = [Known(v) for v in args[0].value]
        if not args:
            raise f.error("arguments", f"{name}() needs something to choose from", node)
        best = f.integer(args[0], node)
        for arg in args[1:]:
            best = _better(f, word, best, f.integer(arg, node), node)
        return Known(best.lo) if arith.is_exact(best) else best

    return build


def _better(f: Lowering, word: str, a: Int, b: Int, node: ast.AST) -> Int:
    choose = min if word == "lt" else max
    lo, hi = choose(a.lo, b.lo), choose(a.hi, b.hi)
    type = I64 if arith.fits((lo, hi), I64) else U64
    if not arith.fits((lo, hi), type):
        raise f.error("mixed-sign", "a u64 and a negative number here: no 64-bit type holds both", node,
                      help="cast one of them: 'u64(x)' or 'i64(x)'")
    return Int(f.select(arith.compare(f, word, b, a), b.ir, a.ir), type, lo, hi)


def _abs(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "abs", args, 1, 1, node)
    a = f.integer(args[0], node)
    if a.lo >= 0:
        return a
    if arith.is_exact(a):
        return Known(abs(a.lo))
    top = max(-a.lo, a.hi)
    type = I64 if top <= I64.hi else U64
    return Int(_magnitude(f, a), type, 0, top)


def _int(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "int", args, 1, 1, node)
    number = f.integer(args[0], node)
    return Known(number.lo) if arith.is_exact(number) else number


def _bool(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    from . import conds

    _count(f, "bool", args, 1, 1, node)
    yes, no, end = f.join("true"), f.join("false"), f.join("end")
    conds.truth(f, args[0], node, yes, no)
    return conds.collect(f, yes, no, end)


def _pow(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "pow", args, 2, 2, node)
    return arith.binary(f, "**", f.integer(args[0], node), f.integer(args[1], node), node)


def _sizeof(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "sizeof", args, 1, 1, node)
    match args[0]:
        case Place(layout=layout) | Pointer(target=Layout() as layout):
            return Known(layout.size)
        case Known(v):
            try:
                return Known(dsl_memory.sizeof(v))
            except TypeError:
                pass
    raise f.ir_type_error("sizeof() takes a type or memory", args[0], node)


def _bytes(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    """`bytes(x)`: the same memory seen as bytes."""
    _count(f, "bytes", args, 1, 1, node)
    value = args[0]
    if isinstance(value, Record):
        value = memory.materialize(f, value, value.layout, node)
    if isinstance(value, Pointer):
        value = memory.deref(f, value, node)
    if isinstance(value, Place):
        return value._replace(layout=ArrayType(TYPES["u8"], value.layout.size), core=None)
    if isinstance(value, Known) and isinstance(value.value, bytes | list | tuple):
        return Known(bytes(value.value))
    raise f.ir_type_error("bytes() takes a struct or an array", value, node)


def _constant_only(function: Any) -> Builtin:
    """A builtin that makes a constant of constants."""

    def build(f: Lowering, args: list[Val], node: ast.Call) -> Val:
        values = [a.value for a in args if isinstance(a, Known)]
        if len(values) < len(args):
            f.unsupported(f"{function.__name__}() of what is only known at run time", node)
        try:
            if any(isinstance(v, range) and len(v) > 1 << 16 for v in values):
                raise ValueError("the result is enormous")
            return Known(function(*values))
        except (TypeError, ValueError, OverflowError) as error:
            raise f.error("constant", f"this constant cannot be computed: {error}", node) from None

    return build


BUILTINS: dict[Any, Builtin] = {
    **{function: _constant_only(function) for function in (ord, chr, sum, sorted, round, divmod, hex, str, range, tuple, list)},
    bytes: _bytes,
    len: _len, min: _extreme("min", "lt"), max: _extreme("max", "gt"), abs: _abs, int: _int, bool: _bool, pow: _pow,
    dsl_memory.sizeof: _sizeof,
}


def _print(f: Lowering, node: ast.Call) -> Val:
    """`print(f"pid {pid}")`: trace_printk, at most three values."""
    text, values = "", []
    for i, arg in enumerate(node.args):
        text += " " if i else ""
        parts = arg.values if isinstance(arg, ast.JoinedStr) else [arg]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                text += part.value.replace("%", "%%")
            else:
                inner = part.value if isinstance(part, ast.FormattedValue) else part
                spec, value = _print_spec(f, _settled(f, inner), _format_spec(f, part), inner)
                text += spec
                values += [value] if value is not None else []
    if len(values) > 3:
        raise f.error("arguments", "print() takes at most three values in the kernel", node, help="print twice")
    f.at(node)
    data = (text + "\n").encode() + b"\0"
    f.unit.call_helper(f, "trace_printk", f.unit.constant_bytes(f, data), len(data), *values)
    return Known(None)


def _format_spec(f: Lowering, part: ast.AST) -> str:
    spec = getattr(part, "format_spec", None)
    if spec is None:
        return ""
    if len(spec.values) == 1 and isinstance(spec.values[0], ast.Constant) and spec.values[0].value in ("x", "d", "#x"):
        return str(spec.values[0].value)
    f.unsupported("this format", part, "the kernel prints {n}, {n:x} and {s}")


def _print_spec(f: Lowering, value: Val, spec: str, node: ast.AST) -> tuple[str, Value | None]:
    if isinstance(value, Known):
        return format(value.value, spec).replace("%", "%%"), None
    if isinstance(value, Place) and isinstance(value.layout, ArrayType):
        return "%s", memory.place_of(f, value, value.layout, node)
    if isinstance(value, Text):
        return "%s", value.address
    if isinstance(value, Pointer) and not isinstance(value.target, IntType):
        return "%llx", f.b.op("cast", value.ir, type=I64_IR)
    number = f.integer(value, node)
    return {"x": "%llx", "#x": "0x%llx"}.get(spec, "%lld" if number.type.signed else "%llu"), number.ir


def _atomic_add(f: Lowering, node: ast.Call) -> Val:
    """`atomic_add(entry.count, n)`: one instruction, for memory that other CPUs change as well."""
    from . import stmts

    if len(node.args) != 2:
        raise f.error("arguments", f"atomic_add() takes 2 arguments, {len(node.args)} given", node)
    place = stmts.target_place(f, node.args[0])
    number = f.integer(_settled(f, node.args[1]), node)
    f.at(node)
    if isinstance(place, Place) and isinstance(place.layout, IntType) and place.layout.size in (4, 8) and not place.bits \
            and not place.layout.big_endian and place.access == "direct" and place.writable:
        maps.add_in_place(f, place, "+", number, False, node)
        return Known(None)
    if isinstance(place, Entry) and maps.add_entry(f, place, "+", number, node):
        return Known(None)
    raise f.error("type-mismatch", "atomic_add() takes a 32- or 64-bit number in writable memory", node)


# --- words and helpers -----------------------------------------------------------------------------------------------------


def _word(f: Lowering, word: words.Word, args: list[Val], node: ast.Call) -> Val:
    special = WORDS.get(word)
    if special:
        return special(f, args, node)
    _count(f, word.name, args, 0, 0, node)
    ir = f.unit.call_helper(f, word.helper)
    match word.take:
        case "high":
            return Int(f.op("shr", ir, 32), TYPES["u32"], 0, 0xFFFFFFFF)
        case "low":
            return Int(f.op("and", ir, 0xFFFFFFFF), TYPES["u32"], 0, 0xFFFFFFFF)
        case "u32":
            return Int(f.op("and", ir, 0xFFFFFFFF), TYPES["u32"], 0, 0xFFFFFFFF)
    return Int(ir, U64, 0, U64.hi)


def _comm(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "current_comm", args, 0, 0, node)

    def emit(f: Lowering, to: Value, size: int) -> None:
        f.unit.call_helper(f, "get_current_comm", to, size)

    return Fill("the name of the thread", 0, emit)


def _task(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "current_task", args, 0, 1, node)
    target = None
    if args:
        try:
            target = dsl_memory.layout_of(args[0].value if isinstance(args[0], Known) else None)
        except TypeError:
            raise f.error("type-mismatch", "current_task() takes a kernel type", node) from None
    return Pointer(f.unit.call_helper(f, "get_current_task"), target, access="probe", writable=False)


def _field_exists(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "field_exists", args, 2, 2, node)
    layout = getattr(args[0].value, "__bpf_layout__", None) if isinstance(args[0], Known) else None
    name = args[1].value if isinstance(args[1], Known) else None
    if not isinstance(layout, StructType) or not isinstance(name, str):
        raise f.error("type-mismatch", "field_exists() takes a kernel type and the name of a field", node)
    place = memory.field(f, Place(Const(0), 0, layout, core=(layout, (0,))), name, node)
    if place is None:
        raise f.error("no-field", f"{layout.name} has no field {name!r}", node, help="name it in the class first")
    return Int(memory.core_value(f, place, memory.FIELD_EXISTS, 1), TYPES["u32"], 0, 1)


def _type_exists(f: Lowering, args: list[Val], node: ast.Call) -> Val:
    _count(f, "type_exists", args, 1, 1, node)
    layout = getattr(args[0].value, "__bpf_layout__", None) if isinstance(args[0], Known) else None
    if not isinstance(layout, StructType):
        raise f.error("type-mismatch", "type_exists() takes a kernel type", node)
    return Int(f.unit.type_exists(f, layout), TYPES["u32"], 0, 1)


WORDS: dict[words.Word, Builtin] = {
    words.current_comm: _comm, words.current_task: _task, words.field_exists: _field_exists,  # type: ignore[dict-item]
    words.type_exists: _type_exists,  # type: ignore[dict-item]  # to checkers the words are functions
}
