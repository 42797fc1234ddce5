"""`print(…)`: one line to the trace pipe, any number of values."""

from __future__ import annotations

import ast
import re

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, StructType
from ..tree.kinds import (
    Agg, CHAR, Choice, Const, I64, Int, Optional, Ptr, Text, Tuple, U64, is_bytes, is_maybe, is_string,
)
from ..tree.nodes import Bits, Cast, Eval, Expr, Number, Row
from . import arith, compare, fitting, helpers, keeping, memory, strings
from .context import Checker

CONVERSION = re.compile(r"%[-+ #0]*[0-9]*(?:l|ll|h|hh)?[diuxXcsp]")
MOST = 3  # values of bpf_trace_printk; more go through bpf_trace_vprintk (5.16)
NUMBERS = ("", "d", "x", "X", "#x", "u")
STATUS = Int.of(I64)


class Line:
    """A line being put together: the kernel's format text and the values for it."""

    def __init__(self) -> None:
        self.text = ""
        self.values: list[Expr] = []

    def constant(self, text: str) -> None:
        self.text += text.replace("%", "%%")


def printk(c: Checker, node: ast.Call) -> Expr:
    """Check `printk(format, …)`: the text as the kernel takes it, or an f-string as for `print`."""
    if not node.args or len(node.args) == 1:
        return print_(c, node)
    text = c.expr(node.args[0]).kind
    if not isinstance(text, Const) or not isinstance(text.value, str):
        raise c.mismatch("printk() takes a constant format first", text, node.args[0])
    line = Line()
    line.text = text.value
    wanted = len(CONVERSION.findall(text.value.replace("%%", "")))
    if wanted != len(node.args) - 1:
        raise c.error("arguments", f"this format has {wanted} value{'s' * (wanted != 1)}, {len(node.args) - 1} given", node.args[0])
    for arg in node.args[1:]:
        _value(c, Line(), value := c.expr(arg), "", arg)
        line.values.append(Bits(value.span, Int.of(U64), value) if isinstance(value.kind, Ptr) else arith.integer(c, value, arg))
    line.text += "" if line.text.endswith("\n") else "\n"
    _send(c, line, node)
    return c.lit(None, node)


def print_(c: Checker, node: ast.Call) -> Expr:
    """Check `print(…)`."""
    sep, end = " ", "\n"
    for keyword in node.keywords:
        value = c.expr(keyword.value).kind
        if keyword.arg not in ("sep", "end"):
            raise c.error("arguments", f"print() in a program has no {keyword.arg!r}", node, help="it has 'sep' and 'end'")
        if not isinstance(value, Const) or not isinstance(value.value, str | None):
            raise c.mismatch(f"{keyword.arg!r} is a constant string", value, keyword.value)
        if keyword.arg == "sep":
            sep = " " if value.value is None else value.value
        else:
            end = "\n" if value.value is None else value.value
    first = node.args[0] if node.args else None
    if len(node.args) > 1 and isinstance(first, ast.Constant) and isinstance(first.value, str) and CONVERSION.search(first.value):
        raise c.error("arguments", "print() knows no '%' formats", first, help='write an f-string, f"{pid} {size:x}", or bpf.printk(…)')
    line = Line()
    for i, arg in enumerate(node.args):
        if i:
            line.constant(sep)
        if isinstance(arg, ast.Starred):
            items = compare.items_of(c, c.expr(arg.value))
            if items is None:
                c.unsupported("'*' of something that is no tuple", arg)
            for j, item in enumerate(items):
                line.constant(sep if j else "")
                _value(c, line, item, "", arg)
            continue
        _argument(c, line, arg)
    line.constant(end)
    _send(c, line, node)
    return c.lit(None, node)


def _argument(c: Checker, line: Line, arg: ast.expr) -> None:
    for part in arg.values if isinstance(arg, ast.JoinedStr) else [arg]:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            line.constant(part.value)
        elif isinstance(part, ast.FormattedValue):
            spec = _spec(c, part)
            value = c.expr(part.value)
            _value(c, line, value, spec, part.value, quoted=part.conversion == ord("r"))
        else:
            _value(c, line, c.expr(part), "", part)


def _spec(c: Checker, part: ast.FormattedValue) -> str:
    spec = part.format_spec
    if spec is None:
        return ""
    if isinstance(spec, ast.JoinedStr) and all(isinstance(v, ast.Constant) for v in spec.values):
        return "".join(str(v.value) for v in spec.values if isinstance(v, ast.Constant))
    c.unsupported("a format that is only known at run time", part)


def _value(c: Checker, line: Line, value: Expr, spec: str, node: ast.AST, quoted: bool = False) -> None:
    kind = value.kind
    match kind:
        case Const(v):
            line.constant(format(repr(v) if quoted else v, spec) if spec or quoted else str(v))
        case Tuple():
            line.constant("(")
            for i, item in enumerate(compare.items_of(c, value) or []):
                line.constant(", " if i else "")
                _value(c, line, item, "", node, quoted=True)
            line.constant(")")
        case Ptr() | Agg() | Text() if strings.is_text(kind) or isinstance(kind, Text):
            _text(c, line, value, spec, node, quoted)
        case Choice():
            layout = ArrayType(CHAR, max(len(str(o.value)) for o in kind.options) + 1)
            _text(c, line, keeping.placed(c, fitting._fit_choice(c, value, layout, node), layout, node), spec, node, quoted)
        case Optional() | Ptr() if is_maybe(kind) and not isinstance(getattr(kind, "some", kind), Ptr):
            raise arith.may_be_none(c, value, node)
        case Ptr(target=StructType() as layout) if not layout.core and not kind.null and kind.access == "direct":
            _struct(c, line, value, layout, node)
        case Ptr():
            line.text += "%llx"
            line.values.append(Bits(value.span, Int.of(U64), value))
        case _:
            _number(c, line, value, spec, node)


def _struct(c: Checker, line: Line, value: Expr, layout: StructType, node: ast.AST) -> None:
    place = memory.deref(c, c.hold(value, "$struct"), node)
    line.constant(f"{layout.name}(")
    for i, f in enumerate(layout.fields):
        line.constant(f"{', ' if i else ''}{f.name}=")
        _value(c, line, memory.load(c, memory.member(c, place, f, node), node), "", node, quoted=True)
    line.constant(")")


def _width(spec: str) -> tuple[str, str]:
    """The kernel's flags and width for Python's, and the presentation type."""
    flags, rest = "", spec
    if rest[:1] in "<>":
        flags, rest = ("-" if rest[:1] == "<" else ""), rest[1:]
    if rest[:1] == "#":
        flags, rest = flags + "#", rest[1:]
    digits = rest.rstrip("dxXus")
    return flags + digits, rest[len(digits) :]


def _text(c: Checker, line: Line, value: Expr, spec: str, node: ast.AST, quoted: bool) -> None:
    flags, letter = _width(spec)
    if letter not in ("", "s") or flags.strip("-0123456789"):
        c.unsupported("this format of a string", node, "the kernel prints '{s}', '{s:16}' and '{s:<16}'")
    if spec[:1] not in "<>" and flags.isdigit():
        flags = f"-{flags}"  # Python puts text to the left
    place = strings.direct(c, value, 128, node)
    if isinstance(place.kind, Ptr) and place.kind.region not in ("stack", "value", "data", "mem"):
        assert place.kind.target is not None
        place = keeping.placed(c, place, place.kind.target, node)
    layout = place.kind.target if isinstance(place.kind, Ptr) else None
    if is_bytes(layout) and not is_string(layout) and layout is not None:
        for i in range(min(layout.size, 64)):
            line.text += ":%02llx" if i else "%02llx"
            byte = memory.load(c, memory.element(c, memory.deref(c, place, node), Number(c.span(node), i), node), node)
            line.values.append(byte)
        return
    line.text += f"'%{flags}s'" if quoted else f"%{flags}s"
    line.values.append(Bits(place.span, Int.of(U64), place))


def _number(c: Checker, line: Line, value: Expr, spec: str, node: ast.AST) -> None:
    flags, letter = _width(spec)
    if letter not in ("", "d", "x", "X", "u") or flags.strip("-#0123456789"):
        c.unsupported("this format", node, "the kernel prints {n}, {n:x}, {n:#x}, {n:08x}, {n:5} and {s}")
    number_ = arith.integer(c, value, node)
    if letter in ("x", "X"):
        line.text += f"0x%{flags.replace('#', '')}ll{letter}" if "#" in flags else f"%{flags}ll{letter}"
    else:
        line.text += f"%{flags}ll{'d' if arith.kind_of(number_).type.signed else 'u'}"
    line.values.append(Cast(number_.span, Int.of(U64), number_))


def _send(c: Checker, line: Line, node: ast.Call) -> None:
    span = c.span(node)
    data = line.text.encode() + b"\0"
    if line.text.endswith("\n") and len(line.values) > MOST:
        data = line.text[:-1].encode() + b"\0"  # vprintk ends the line itself
    where = fitting.constant_bytes(c, data, ArrayType(TYPES["char"], len(data)), node)
    size = Number(span, len(data))
    if len(line.values) <= MOST:
        c.emit(Eval(span, helpers.emit_call(c, "trace_printk", (where, size, *line.values), STATUS, node)))
        return
    if len(line.values) > 12:
        raise c.error("arguments", f"print() takes at most 12 values in the kernel, these are {len(line.values)}", node, help="print twice")
    layout = ArrayType(TYPES["u64"], len(line.values))
    values = keeping.placed(c, Row(span, Agg(layout), tuple(line.values)), layout, node)
    c.emit(Eval(span, helpers.emit_call(c, "trace_vprintk", (where, size, values, Number(span, layout.size)), STATUS, node)))
