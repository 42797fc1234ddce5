"""`print(…)`: one line to the trace pipe, or to the file of an iterator program; any number of values."""

from __future__ import annotations

import ast
import re

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, StructType
from ..tree.kinds import Agg, Const, Context, I64, Int, Ptr, U64
from ..tree.nodes import Bits, Eval, Expr, Number, Row
from ..uapi import hooks
from . import arguments, arith, compare, fitting, formats, helpers, keeping, memory
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
    given = {keyword.arg: keyword for keyword in node.keywords}
    for name in given:
        if name not in ("sep", "end", "file"):
            raise c.error("arguments", f"print() in a program has no {name!r}", node, help="it has 'sep', 'end' and 'file'")
    sep, end = (_constant(c, given.get(name), usual) for name, usual in (("sep", " "), ("end", "\n")))
    file = _file(c, given["file"].value) if "file" in given else None
    line = _line(c, node, sep)
    line.constant(end)
    _send(c, line, node) if file is None else _write(c, line, file, node)
    return c.lit(None, node)


def seq_print(c: Checker, node: ast.Call) -> Expr:
    """Check `seq_print(…)`: the text into the iterator program's file, without a new line that it does not have itself."""
    if node.keywords:
        raise c.error("arguments", f"seq_print() has no {node.keywords[0].arg!r}", node, help="print(…, file=ctx) has 'sep' and 'end'")
    if c.ctx is None:
        raise c.error("program-type", "seq_print() is for iterator programs, and this function does not know which it is called by", node,
                      help="give it the context, and write 'print(…, file=ctx)'")
    _write(c, _line(c, node, " "), _seq_file(c, c.ctx, node), node)
    return c.lit(None, node)


def _constant(c: Checker, keyword: ast.keyword | None, usual: str) -> str:
    """What a keyword says, which is known when built."""
    value = c.expr(keyword.value).kind if keyword is not None else Const(None)
    if not isinstance(value, Const) or not isinstance(value.value, str | None):
        assert keyword is not None
        raise c.mismatch(f"{keyword.arg!r} is a constant string", value, keyword.value)
    return usual if value.value is None else value.value


def _file(c: Checker, node: ast.expr) -> Expr:
    """Where `file=` leads: the context of an iterator program stands for the file that it writes."""
    value = c.expr(node)
    if isinstance(value.kind, Context):
        return _seq_file(c, value, node)
    if isinstance(value.kind, Ptr) and isinstance(value.kind.target, StructType) and value.kind.target.name == "seq_file":
        return value
    raise c.error("arguments", "print() writes to the trace pipe, or to the file of an iterator program, no other", node,
                  help="write 'file=ctx'" if hooks.called(c.hook).startswith("iter") else "leave 'file' out: what is printed is read by k.trace()")


def _seq_file(c: Checker, ctx: Expr, node: ast.AST) -> Expr:
    """`ctx.meta.seq` of an iterator program."""
    if ctx.kind != Context("iter"):
        raise c.error("program-type", "only iterator programs have a file to write to", node,
                      help="'print(…)' writes to the trace pipe; '@bpf.iter(\"task\")' makes an iterator program")
    meta = memory.deref(c, arguments.element(c, ctx, "meta", None, node), node)
    assert isinstance(meta.kind, Ptr) and isinstance(meta.kind.target, StructType)
    return memory.load(c, memory.members(c, meta, meta.kind.target.path("seq"), node), node)


def _line(c: Checker, node: ast.Call, sep: str) -> formats.Line:
    """The values with `sep` between them."""
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
    return line


def _argument(c: Checker, line: formats.Line, arg: ast.expr) -> None:
    if isinstance(arg, ast.JoinedStr):
        formats.parts(c, line, arg)
    else:
        formats.value(c, line, c.expr(arg), "", arg)


def _write(c: Checker, line: formats.Line, file: Expr, node: ast.Call) -> None:
    """Into a file that the kernel keeps for the reader (bpf_seq_printf)."""
    span = c.span(node)
    formats.compact(c, line, formats.MOST, node)
    data = line.text.encode() + b"\0"
    where = fitting.constant_bytes(c, data, ArrayType(TYPES["char"], len(data)), node)
    layout = ArrayType(TYPES["u64"], len(line.values))
    values: Expr = keeping.placed(c, Row(span, Agg(layout), tuple(line.values)), layout, node) if line.values else Number(span, 0)
    args = (file, where, Number(span, len(data)), values, Number(span, layout.size))
    c.emit(Eval(span, helpers.emit_call(c, "seq_printf", args, STATUS, node)))


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
