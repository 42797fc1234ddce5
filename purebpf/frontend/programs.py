"""Entry programs: what their parameters are, what they may answer, how they end."""

from __future__ import annotations

import ast
from enum import EnumMeta
from typing import Any

from ..tree.convert import coerce
from ..dsl.hooks import Func, Program
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import PtrType
from ..errors import CompileError, Diagnostic
from ..tree.kinds import I64, NONE, POISON, U64, Const, Context, Int, Ptr, is_maybe, number
from ..tree.nodes import Expr, Function, Get, Local, Number, Return
from ..tree.walk import settle_vague
from ..uapi import hooks, names, versions
from . import arguments, arith, functions, hooknames, instead, results
from .context import Checker, Frame, plain_function
from .names import near
from .source import Source
from .unit import Unit

# Program types whose answer nobody waits for: they may fall off their end.
OBSERVERS = ("kprobe", "kretprobe", "uprobe", "uretprobe", "tracepoint", "tp", "raw_tracepoint", "raw_tp", "tp_btf",
             "perf_event", "fentry", "fexit", "iter", "ksyscall", "kretsyscall", "usdt", "syscall")


def check(unit: Unit, program: Program[..., Any]) -> None:
    """Check an entry program and what it reaches."""
    function_ = program.function
    while isinstance(function_, Program | Func):
        function_ = function_.function
    source = unit.sources.of(plain_function(function_))
    if function_ is not program.function:
        at = source.node.decorator_list[0] if isinstance(source.node, ast.FunctionDef) else source.node
        unit.report_all([Diagnostic("unsupported", "a program has one hook: two decorators make no program", source.span(at),
                                    help="for a second hook, write a second program that calls the same function")])
        return
    hook = hooks.match(program.section)
    if not isinstance(program.default, int | None):
        text = str(program.default)
        unit.report_all([Diagnostic("type-mismatch", f"a program's default answer is a number, not {program.default!r}",
                                    source.span(hooknames.keyword(source, "default")),
                                    help=f"write 'bpf.{text}'" if text in names.NAMES else near(text, names.NAMES))])
        return
    wrong = hooknames.unknown(source, program, unit.hook_names)
    if hook is None or wrong is not None:  # what its context holds, and its arguments are, nobody knows
        unit.report_all([wrong] if wrong is not None else [])
        return
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
    _need_hook(unit, hook, c, source, program)
    unit.active.append(source.function)
    mark = unit.mark()
    try:
        try:
            arguments.bind(c, source, ctx, kind, program.owner)
        except CompileError as error:
            unit.report(error)
        functions.body(c, source)
        _end(c, program, source, observer, bool(unit.since(mark)))
        if c.vague:
            settle_vague(function.body)
        record = unit.contexts.shape(kind)
        if record is not None:
            function.types = [("ctx", PtrType(record))]
    finally:
        unit.active.pop()
    unit.programs.append(function)


def _need_hook(unit: Unit, hook: hooks.Hook, c: Checker, source: Source, program: Program[..., Any]) -> None:
    """The kernel has programs of this type and for this place, and the instructions that the target has."""
    target = hooks.target(program.section)
    since = (versions.prog_type(hook.prog_type), versions.attach_type(hook.attach_type) if hook.has_attach_type and not hook.optional else "",
             versions.section(hook.name, target))
    what = f"a program of {hook.name}" if not since[2] else f"a program of {'/'.join(filter(None, (hook.name, target)))}"
    node = hooknames.decorator(source, program.section)
    try:
        unit.need(c, max(since, key=versions.number), what, node)
        unit.need(c, versions.cpu(unit.target.cpu), f"cpu v{unit.target.cpu}", node)
    except CompileError as error:
        unit.report(error)


def _end(c: Checker, program: Program[..., Any], source: Source, observer: bool, wrong: bool) -> None:
    written, named = len(c.returns), _answers(c, source)
    if c.env is not None:
        if not observer and not wrong:  # after an error, paths end where they would not
            c.unit.report(c.error("missing-return", f"{program.name}() can end without an answer to the kernel", source.node,
                                  help="end with a return, such as 'return XDP_PASS'"))
        c.at(source.node)
        results.give_back(c, c.lit(None), source.node)
    for at, (stmt, _) in enumerate(c.returns):
        if stmt.value.kind == NONE and not observer and at < written:
            if stmt.value.span != stmt.span:  # a value, which is None
                c.unit.report(c.error("null-pointer", "a program's answer is a number, this is None", stmt.value.span))
                continue
            c.unit.report(CompileError([Diagnostic(
                "missing-return", f"{program.name}() must answer the kernel, a bare return does not", stmt.span,
                help="say what, such as 'return XDP_PASS'")]))
        _named_answer(c, stmt, named)
        stmt.value = _answer(c, stmt, observer)
    c.function.result = Int.of(I64)


def _in_range(c: Checker, answer: Int, stmt: Return) -> None:
    """Some hooks allow few answers; the kernel refuses a program that gives another."""
    hook = hooks.match(c.hook)
    if hook is not None and hook.returns is not None and (answer.lo > hook.returns[1] or answer.hi < hook.returns[0]):
        lo, hi = hook.returns
        said = f"{answer.lo}" if answer.lo == answer.hi else f"{answer.lo} to {answer.hi}"
        c.unit.report(c.error("constant", f"{said} is no answer of a {hook.name} program", stmt.value.span,
                              help=f"it answers {lo}" if lo == hi else f"it answers {lo} to {hi}"))
def _answers(c: Checker, source: Source) -> EnumMeta | None:
    """The enum that the annotation of the result names: its members are the program's answers."""
    node = source.node
    if isinstance(node, ast.Lambda) or node.returns is None:
        return None
    found = c.unit.evaluate(c, node.returns, source)
    return found if isinstance(found, EnumMeta) else None


def _named_answer(c: Checker, stmt: Return, named: EnumMeta | None) -> None:
    """An answer that is known now is one of the enum's."""
    kind = stmt.value.kind
    known = kind.value if isinstance(kind, Const) else kind.lo if isinstance(kind, Int) and arith.is_exact(kind) else None
    members: list[Any] = list(named.__members__.values()) if named is not None else []
    if named is None or not isinstance(known, int) or known in members:
        return
    c.unit.report(CompileError([Diagnostic("constant", f"{int(known)} is no {named.__name__}", stmt.span,
                                           help=f"its members are {', '.join(named.__members__)}")]))


def _answer(c: Checker, stmt: Return, observer: bool) -> Expr:
    """What the program returns, as the number that the kernel takes."""
    kind, span = stmt.value.kind, stmt.span
    if kind == POISON:
        return Number(span, 0)
    if kind == NONE:
        return arith.after(c, stmt.value, Number(span, c.function.default if observer else 0))
    known = number(kind)
    if known is not None:
        _in_range(c, known, stmt)
        return coerce(stmt.value, Int(I64 if known.type is not U64 else U64, known.lo, known.hi))
    if is_maybe(kind):
        c.unit.report(CompileError([Diagnostic("null-pointer", "a program's answer is a number, this may be None", stmt.value.span,
                                               help="test it first")]))
    else:
        text = kind.value if isinstance(kind, Const) else None
        help = "it is read with '.value'" if isinstance(kind, Ptr) and isinstance(kind.target, IntType) else ""
        if isinstance(text, str):
            help = f"write 'bpf.{text}'" if text in names.NAMES else near(text, names.NAMES) or instead.of_text(text)
        c.unit.report(c.mismatch("a program's answer is a number", kind, stmt.value.span, help))
    return Number(span, 0)
