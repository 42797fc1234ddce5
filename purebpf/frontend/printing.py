"""`print(…)`: one line to the trace pipe, any number of values."""

from __future__ import annotations

import ast
import re

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType
from ..tree.kinds import Agg, Const, I64, Int, Ptr, U64
from ..tree.nodes import Bits, Eval, Expr, Number, Row
from . import arith, compare, fitting, formats, helpers, keeping
from .context import Checker

CONVERSION = re.compile(r"%[-+ #0]*[0-9]*(?:l|ll|h|hh)?[diuxXcsp]")
MOST = 3  # values of bpf_trace_printk; more go through bpf_trace_vprintk (5.16)
STATUS = Int.of(I64)


def printk(c: Checker, node: ast.Call) -> Expr:
    """Check `printk(format, …)`: the text as the kernel takes it, or an f-string as for `print`."""
    if not node.args or len(node.args) == 1:
        return print_(c, node)
    text = c.expr(node.args[0]).kind
    if not isinstance(text, Const) or not isinstance(text.value, str):
        raise c.mismatch("printk() takes a constant format first", text, node.args[0])
    wanted = len(CONVERSION.findall(text.value.replace("%%", "")))
    if wanted != len(node.args) - 1:
        raise c.error("arguments", f"this format has {wanted} value{'s' * (wanted != 1)}, {len(node.args) - 1} given", node.args[0])
    values = []
    for arg in node.args[1:]:
        formats.value(c, formats.Line(), value := c.expr(arg), "", arg)
        values.append(Bits(value.span, Int.of(U64), value) if isinstance(value.kind, Ptr) else arith.integer(c, value, arg))
    line = formats.Line()
    line.add(text.value + ("" if text.value.endswith("\n") else "\n"), 0, *values)
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
    line = formats.Line()
    for i, arg in enumerate(node.args):
        if i:
            line.constant(sep)
        if isinstance(arg, ast.Starred):
            items = compare.items_of(c, c.expr(arg.value))
            if items is None:
                c.unsupported("'*' of something that is no tuple", arg)
            for j, item in enumerate(items):
                line.constant(sep if j else "")
                formats.value(c, line, item, "", arg)
            continue
        _argument(c, line, arg)
    line.constant(end)
    _send(c, line, node)
    return c.lit(None, node)


def _argument(c: Checker, line: formats.Line, arg: ast.expr) -> None:
    if isinstance(arg, ast.JoinedStr):
        formats.parts(c, line, arg)
    else:
        formats.value(c, line, c.expr(arg), "", arg)


def _send(c: Checker, line: formats.Line, node: ast.Call) -> None:
    span = c.span(node)
    formats.compact(c, line, formats.MOST, node)
    data = line.text.encode() + b"\0"
    if line.text.endswith("\n") and len(line.values) > MOST:
        data = line.text[:-1].encode() + b"\0"  # vprintk ends the line itself
    where = fitting.constant_bytes(c, data, ArrayType(TYPES["char"], len(data)), node)
    size = Number(span, len(data))
    if len(line.values) <= MOST:
        c.emit(Eval(span, helpers.emit_call(c, "trace_printk", (where, size, *line.values), STATUS, node)))
        return
    layout = ArrayType(TYPES["u64"], len(line.values))
    values = keeping.placed(c, Row(span, Agg(layout), tuple(line.values)), layout, node)
    c.emit(Eval(span, helpers.emit_call(c, "trace_vprintk", (where, size, values, Number(span, layout.size)), STATUS, node)))
