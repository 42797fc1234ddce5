"""Entry programs: what their parameters are, what they may answer, how they end."""

from __future__ import annotations

import ast
from typing import Any

from ..dsl.hooks import Program
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import Layout, PtrType, StructType
from ..errors import CompileError, Diagnostic
from ..tree.kinds import I64, NONE, POISON, U64, Const, Context, Int, Ptr, number
from ..tree.nodes import CtxPlace, Expr, Function, Get, Load, Local, Number, Return
from ..tree.kinds import is_maybe
from ..uapi import contexts, hooks
from . import arith, functions, helpers
from .context import Binding, Checker, Frame, plain_function
from .names import near
from .source import Source
from .unit import Unit

# Program types whose answer nobody waits for: they may fall off their end.
OBSERVERS = ("kprobe", "kretprobe", "uprobe", "uretprobe", "tracepoint", "tp", "raw_tracepoint", "raw_tp", "tp_btf",
             "perf_event", "fentry", "fexit", "iter", "ksyscall", "kretsyscall", "usdt", "syscall")


def check(unit: Unit, program: Program[..., Any]) -> None:
    """Check an entry program and what it reaches."""
    source = unit.sources.of(plain_function(program.function))
    hook = hooks.match(program.section)
    if hook is None:
        raise CompileError([_unknown_hook(source, program.section)])
    observer = program.section.split("/")[0].split(".")[0] in OBSERVERS
    function = Function(program.name, source.span(source.node), "program")
    function.default = program.default if program.default is not None else hook.default
    function.types, function.returns = [("ctx", None)], TYPES["i32"]
    c = Checker(unit, function, Frame(source))
    c.hook = program.section
    kind = program.section if hook.context == "tracepoint" else hook.context
    if hook.context == "tracepoint":
        kind = "tracepoint/" + hooks.target(program.section)
    local = Local("ctx", ("ctx",))
    function.params.append(local)
    ctx = c.ctx = Get(function.span, Context(kind), local)
    unit.active.append(source.function)
    mark = unit.mark()
    try:
        try:
            _parameters(c, source, ctx, kind)
        except CompileError as error:
            unit.report(error)
        functions.body(c, source)
        _end(c, program, source, observer, bool(unit.since(mark)))
        record = unit.contexts.shape(kind)
        if record is not None:
            function.types = [("ctx", PtrType(record))]
    finally:
        unit.active.pop()
    unit.programs.append(function)


def _end(c: Checker, program: Program[..., Any], source: Source, observer: bool, wrong: bool) -> None:
    if c.env is not None:
        if not observer and not wrong:  # after an error, paths end where they would not
            c.unit.report(c.error("missing-return", f"{program.name}() can end without an answer to the kernel", source.node,
                                  help="end with a return, such as 'return XDP_PASS'"))
        c.at(source.node)
        functions.give_back(c, c.lit(None), source.node)
    for stmt, _ in c.returns:
        stmt.value = _answer(c, stmt, observer)
    c.function.result = Int.of(I64)


def _answer(c: Checker, stmt: Return, observer: bool) -> Expr:
    """What the program returns, as the number that the kernel takes."""
    kind, span = stmt.value.kind, stmt.span
    if kind == POISON:
        return Number(span, 0)
    if kind == NONE:
        return arith.after(c, stmt.value, Number(span, c.function.default if observer else 0)) if observer or True else Number(span, 0)
    known = number(kind)
    if known is not None:
        return functions.coerce(stmt.value, Int(I64 if known.type is not U64 else U64, known.lo, known.hi))
    if is_maybe(kind):
        c.unit.report(CompileError([Diagnostic("null-pointer", "a program's answer is a number, this may be None", span,
                                               help="test it first")]))
    else:
        c.unit.report(CompileError([Diagnostic("type-mismatch", f"a program's answer is a number, not {functions.describe(kind)}", span)]))
    return Number(span, 0)


# --- parameters ------------------------------------------------------------------------------------------------------


def _parameters(c: Checker, source: Source, ctx: Expr, kind: str) -> None:
    args = source.node.args.args
    assert c.env is not None
    for arg in args:
        c.env[arg.arg] = Binding(None, POISON)
    if source.node.args.vararg or source.node.args.kwarg:
        wrong = source.node.args.vararg or source.node.args.kwarg
        raise c.error("arguments", "a program takes one argument, its context", wrong)
    if kind == "args" and (len(args) > 1 or args and args[0].arg != "ctx"):
        _arguments(c, source, ctx)
        return
    if len(args) > 1:
        raise c.error("arguments", "a program takes one argument, its context", args[1])
    for arg in args:
        layout = c.unit.annotation(c, arg.annotation, source) if arg.annotation else None
        if isinstance(layout, PtrType):
            layout = layout.target
        if isinstance(layout, StructType) and contexts.context(layout.name) is None:
            writable = kind == "user"
            c.function.types = [("ctx", PtrType(layout))]
            c.bind(arg.arg, CtxPlace(c.span(arg), Ptr(layout, "ctx", writable=writable), ctx, 0, layout if layout.core else None), arg.arg)
        else:
            c.env[arg.arg] = Binding(ctx.local if isinstance(ctx, Get) else None, ctx.kind)


def _arguments(c: Checker, source: Source, ctx: Expr) -> None:
    """The hooked function's own arguments, by position: 64-bit words behind ctx, pointers the verifier trusts."""
    for i, arg in enumerate(source.node.args.args):
        layout = c.unit.annotation(c, arg.annotation, source) if arg.annotation else None
        span = c.span(arg)
        place = CtxPlace(span, Ptr(TYPES["u64"], "ctx", writable=False), ctx, 8 * i)
        if isinstance(layout, PtrType | StructType):
            target: Layout | None = layout.target if isinstance(layout, PtrType) else layout
            c.bind(arg.arg, Load(span, Ptr(target, "kernel", writable=False), place), arg.arg)
        else:
            word = Load(span, Int.of(U64), place)
            c.bind(arg.arg, arith.wrap(c, word, layout if isinstance(layout, IntType) else U64, arg), arg.arg)


def _unknown_hook(source: Source, section: str) -> Diagnostic:
    hint = near(section.split("/")[0], [h.name for h in hooks.HOOKS])
    return Diagnostic("unknown-hook", f"no hook is called {section!r}", source.span(source.node),
                      help=hint or "'purebpf features' lists the hooks")


__all__ = ["Const", "ast", "check", "helpers"]
