"""The words of the language that are neither types, maps nor hooks: `current_pid()`, `field_exists(T, "f")` and the like."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..dsl import flow as words
from ..dsl import memory as dsl_memory
from ..dsl import text
from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, Layout
from ..tree.kinds import CHAR, I64, U64, Agg, Const, Int, Ptr
from ..tree.nodes import Arith, Expr, Filled, Number, Swap, Temp
from . import arith, fitting, formats, helpers, keeping, questions, sections
from .context import Checker

U32 = TYPES["u32"]
COMM = 16  # TASK_COMM_LEN
MOST_TEXT = 512  # bytes of the stack


def call(c: Checker, word: words.Word, args: list[Expr], node: ast.Call) -> Expr:
    """A word called."""
    row = WORDS.get(word)
    if row is not None:
        check, fewest, most = row
        if not fewest <= len(args) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise c.error("arguments", f"{word.name}() takes {wanted} argument{'s' * (wanted != '1')}, {len(args)} given", node,
                          help=word.__doc__ or "")
        return check(c, args, node)
    if args:
        raise c.error("arguments", f"{word.name}() takes no arguments, {len(args)} given", node)
    answer = helpers.emit_call(c, word.helper, (), Int.of(U64), node)
    if word.take == "all":
        return answer
    span, half = c.span(node), Int(U32, 0, U32.hi, True)
    if word.take == "high":
        return Arith(span, half, ">>", answer, Number(span, 32))
    return Arith(span, half, "&", answer, Number(span, 0xFFFFFFFF))


def _comm(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    helpers.emit_call(c, "get_current_comm", (), Int.of(I64), node)  # the licence and the lock, checked as for any call
    return Filled(c.span(node), Agg(ArrayType(CHAR, COMM)), "get_current_comm")


def _cstr(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`cstr(p, n)`: what `char[n](p)` is."""
    size = args[1].kind.value if isinstance(args[1].kind, Const) else None
    if not isinstance(size, int) or not 0 < size <= MOST_TEXT:
        raise c.error("arguments", f"cstr() takes a pointer and how many bytes to read, a constant of 1 to {MOST_TEXT}", node)
    layout = ArrayType(CHAR, size)
    value = fitting.fitted(c, args[0], layout, node)
    return value if isinstance(value, Temp) else keeping.placed(c, value, layout, node)


def _task(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    target: Layout | None = None
    if args:
        try:
            target = c.unit.resolved(c, dsl_memory.layout_of(args[0].kind.value if isinstance(args[0].kind, Const) else None), node)
        except TypeError:
            raise c.error("type-mismatch", "current_task() takes a kernel type", node) from None
    c.unit.claims.reach(c, target, node)
    return helpers.emit_call(c, "get_current_task", (), Ptr(target, "", "probe", writable=False), node)


def _swap(bits: int) -> Callable[[Checker, list[Expr], ast.Call], Expr]:
    """`htons`, `htonl`: between the two byte orders; the same both ways."""

    def build(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
        value = arith.integer(c, args[0], node)
        kind = arith.kind_of(value)
        if arith.is_exact(kind) and isinstance(args[0].kind, Const):
            return c.lit(int.from_bytes((kind.lo & ((1 << bits) - 1)).to_bytes(bits // 8, "little"), "big"), node)
        return Swap(c.span(node), Int.of(TYPES[f"u{bits}"]), value, bits)

    return build


Check = Callable[[Checker, "list[Expr]", ast.Call], Expr]
WORDS: dict[object, tuple[Check, int, int]] = {
    words.cstr: (_cstr, 2, 2), words.current_comm: (_comm, 0, 0), words.current_task: (_task, 0, 1),
    **questions.WORDS,
    words.rcu: (sections.word("rcu"), 0, 0), words.preempt_off: (sections.word("preempt"), 0, 0), words.irq_off: (sections.word("irq"), 0, 0),
    words.htons: (_swap(16), 1, 1), words.ntohs: (_swap(16), 1, 1), words.htonl: (_swap(32), 1, 1), words.ntohl: (_swap(32), 1, 1),
    text.ip4: (formats.ip4, 1, 1), text.ip6: (formats.ip6, 1, 1), text.mac: (formats.mac, 1, 1), text.hex: (formats.hex_, 1, 1),
    text.ksym: (formats.ksym, 1, 1),
}
