"""A program's parameters: `ctx` is the context, every other one an argument of the hook.

By name where the kernel has names (fields of a tracepoint's record; functions, BTF tracepoints and LSM hooks through BTF),
by position where it has none (probes of user space, raw tracepoints), with the annotation as its type.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from ..btf import types as bt
from ..btf.layout import resolve, resolved, size_of
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout, OptionalType, PtrType, StructType
from ..tree.kinds import POISON, U64, Const, Context, Int, Ptr, is_maybe, narrowed
from ..tree.nodes import Bits, Cast, CtxPlace, Expr, If, Load, Number, Return
from ..uapi import contexts, hooks
from . import arith, memory, probes, trust
from .context import Binding, Checker
from .ktypes import KernelTypes
from .names import near
from .source import Source

RETURNS = ("fexit", "fmod_ret", "fsession", "lsm", "lsm_cgroup")  # the result comes after the arguments
WORDS = ("args", "bpf_raw_tracepoint_args")  # contexts that are arguments, 64 bits each
RETURN_PROBES = ("kretprobe", "uretprobe", "kretsyscall")


class Argument(NamedTuple):
    """One argument: its type in the kernel (None: nothing is known), and the number of its 64-bit word."""

    name: str
    layout: Layout | None
    word: int


class Signature(NamedTuple):
    """What the kernel's BTF says of the hooked function: `text` as C would declare it."""

    text: str
    args: dict[str, Argument]


class Parameter(NamedTuple):
    """A parameter that is no context: `layout` is its annotation's, `at` its position among them."""

    node: ast.arg
    layout: Layout | None
    at: int

    @property
    def name(self) -> str:
        return self.node.arg


def bind(c: Checker, source: Source, ctx: Expr, kind: str, owner: Any = None) -> None:
    """Give every parameter its value. `kind`: of the context; `owner`: the object whose method the program is."""
    assert c.env is not None
    args = source.node.args
    nodes = [*args.posonlyargs, *args.args]
    if owner is not None and nodes:
        c.env[nodes.pop(0).arg] = Binding(None, Const(owner))
    for node in nodes:
        c.env[node.arg] = Binding(None, POISON)
    extra = args.vararg or args.kwarg or next(iter(args.kwonlyargs), None)
    if extra is not None:
        raise c.error("arguments", "a program's parameters are its context and the arguments of its hook, each by name", extra)
    takes = kind in (*WORDS, "pt_regs", "iter") or kind.startswith("tracepoint/")
    parameters: list[Parameter] = []
    for node in nodes:
        layout = c.unit.annotation(c, node.annotation, source) if node.annotation else None
        if isinstance(layout, OptionalType):
            layout = layout.some
        if node.arg in ("ctx", "_") or not takes and node is nodes[0] or _is_record(kind, node, nodes, layout):
            _context(c, node, layout, ctx, kind)
        elif not takes:
            raise c.error("arguments", "a program takes one argument, its context", node)
        else:
            parameters.append(Parameter(node, layout, len(parameters)))
    if kind.startswith("tracepoint/"):
        for one in parameters:
            _field(c, one, ctx)
    elif kind == "iter":
        for one in parameters:
            _element(c, one, ctx)
    elif parameters:
        _arguments(c, parameters, ctx, kind)


def _is_record(kind: str, node: ast.arg, nodes: list[ast.arg], layout: Layout | None) -> bool:
    """A struct of the user's for the record of a tracepoint, whatever the parameter is called."""
    return kind.startswith("tracepoint/") and len(nodes) == 1 and isinstance(layout, StructType)


def _context(c: Checker, node: ast.arg, layout: Layout | None, ctx: Expr, kind: str) -> None:
    """The context itself, seen as the user's struct if one is named."""
    assert c.env is not None
    if isinstance(layout, PtrType):
        layout = layout.target
    row = layout.name if isinstance(layout, StructType) and contexts.context(layout.name) is not None else kind
    if row != kind:
        raise c.error("type-mismatch", f"the context of this hook is {kind}, not {row}", node)
    if isinstance(layout, StructType) and row == kind != layout.name:
        c.function.types = [("ctx", PtrType(layout))]
        there = Ptr(layout, "ctx", writable=kind == "user")
        c.bind(node.arg, CtxPlace(c.span(node), there, ctx, 0, layout if layout.core else None), node.arg)
    else:
        c.env[node.arg] = Binding(getattr(ctx, "local", None), ctx.kind)


# --- tracepoints -----------------------------------------------------------------------------------------------------


def _field(c: Checker, one: Parameter, ctx: Expr) -> None:
    """A field of the record."""
    found = c.unit.contexts.place(c, ctx, one.name, one.node)
    value = found if found is not None else c.unit.contexts.attribute(c, ctx, one.name, one.node)
    if found is not None and isinstance(found.kind, Ptr) and isinstance(found.kind.target, IntType | PtrType | ArrayType):
        value = memory.load(c, found, one.node)
    if isinstance(one.layout, IntType):
        value = arith.wrap(c, arith.integer(c, value, one.node), one.layout, one.node)
    c.bind(one.name, value, one.name)


# --- iterators: programs that see every object of a kind --------------------------------------------------------------


def element(c: Checker, ctx: Expr, name: str, layout: Layout | None, node: ast.AST) -> Expr:
    """A member of the iterator's context, `struct bpf_iter__NAME`; the objects are None at the end. `layout`: the user's."""
    target = hooks.target(c.hook)
    struct = c.unit.kernel.named(f"bpf_iter__{target}")
    if not isinstance(struct, StructType):
        raise c.error("unknown-hook", f"this kernel has no iterator {target!r}, or shows no BTF", node)
    path = struct.path(name)
    if not path:
        raise c.error("no-field", f"the iterator {target!r} gives no {name!r}", node,
                      help=near(name, struct.names()) or f"it gives {', '.join(struct.names())}")
    place = CtxPlace(c.span(node), Ptr(TYPES["u64"], "ctx", writable=False), ctx, sum(f.offset for f in path))
    known = path[-1].type
    if not isinstance(known, PtrType):
        return arith.wrap(c, Load(c.span(node), Int.of(U64), place), known if isinstance(known, IntType) else U64, node)
    null, why = name != "meta", "it is None at the end"
    if isinstance(known.target, StructType):
        return Load(c.span(node), Ptr(known.target, "kernel", null=null, writable=False, why=why, trust="trusted"), place)
    mine = layout.target if isinstance(layout, PtrType) else layout if layout is not None else known.target
    return Load(c.span(node), Ptr(mine, "arg", null=null, writable=False, why=why), place)  # an entry has other names too


def _element(c: Checker, one: Parameter, ctx: Expr) -> None:
    """An object as a parameter: where it is None, at the end, the program does nothing."""
    value = c.hold(element(c, ctx, one.name, one.layout, one.node), one.name)
    if is_maybe(value.kind):
        end = Return(c.span(one.node), Number(c.span(one.node), 0))
        c.emit(If(c.span(one.node), memory.present(c, value), [], [end]))
        value = Cast(value.span, narrowed(value.kind), value)
    c.bind(one.name, value, one.name)


# --- arguments of functions ------------------------------------------------------------------------------------------


def _arguments(c: Checker, parameters: list[Parameter], ctx: Expr, kind: str) -> None:
    program = program_of(c)
    if program in RETURN_PROBES:
        _result(c, program, parameters, ctx)
        return
    signature = prototype(c, program)
    named = signature is not None and any(p.name in signature.args for p in parameters)
    for one in parameters:
        known = signature.args.get(one.name) if signature is not None else None
        if known is None and signature is not None and (named or one.node.annotation is None):
            names = [n for n in signature.args if n]
            raise c.error("arguments", f"this hook has no argument {one.name!r}", one.node,
                          help=" ".join(filter(None, (near(one.name, names), f"it is {signature.text}"))))
        if known is None and signature is not None:
            known = next((a for i, a in enumerate(signature.args.values()) if i == one.at), None)
        word = known.word if known is not None else one.at
        if program == "usdt":
            c.bind(one.name, _as(c, probes.usdt(c, ctx, "argument", (word,), one.node), one.layout, one.node), one.name)
            continue
        place = argument(c, ctx, word, one.node)
        if known is not None and known.layout is not None and one.layout is not None:
            _agree(c, one, known)
        layout = one.layout if one.layout is not None else known.layout if known is not None else None
        c.bind(one.name, typed(c, place, layout, _reach(program, kind), one.node), one.name)


def program_of(c: Checker) -> str:
    """The kind of hook, "fentry" of "fentry.s/tcp_connect"."""
    return c.hook.removeprefix("?").split("/")[0].split(".")[0]


def _result(c: Checker, program: str, parameters: list[Parameter], ctx: Expr) -> None:
    """What a return probe can tell: the result."""
    for one in parameters[1:]:
        raise c.error("arguments", "a return probe has one argument, the result: the others are gone by then", one.node)
    one = parameters[0]
    if one.name != "ret" and program == "kretprobe":
        raise c.error("arguments", f"a return probe has no argument {one.name!r}", one.node, help="it has 'ret', the result")
    layout = one.layout
    if layout is None and program in probes.SYSCALLS:
        layout = TYPES["i64"]  # an error is a number below 0
    elif layout is None:
        signature = prototype(c, program)
        layout = signature.args["ret"].layout if signature is not None and "ret" in signature.args else None
    c.bind(one.name, typed(c, result(c, ctx, one.node), layout, _reach(program, "pt_regs"), one.node), one.name)


def _reach(program: str, kind: str) -> str:
    """How what a pointer leads to is read: "kernel" where the verifier trusts it, else by fault-safe reads."""
    return "kernel" if kind == "args" else "user" if program in ("uprobe", "uretprobe", "usdt", *probes.SYSCALLS) else "probe"


def typed(c: Checker, place: Expr, layout: Layout | None, reach: str, node: ast.AST) -> Expr:
    """A 64-bit word of the context as a number or a pointer."""
    span = c.span(node)
    if isinstance(layout, PtrType | StructType):
        target = layout.target if isinstance(layout, PtrType) else layout
        if reach == "kernel" and isinstance(target, StructType):
            return Load(span, Ptr(target, "kernel", writable=False, trust=trust.of_argument(c)), place)
        return Load(span, Ptr(target, "", "user" if reach == "user" else "probe", writable=False), place)
    word = Load(span, Int.of(U64), place)
    return arith.wrap(c, word, layout if isinstance(layout, IntType) else U64, node)


def _as(c: Checker, word: Expr, layout: Layout | None, node: ast.AST) -> Expr:
    """A number that was computed, as its annotation has it: a pointer into the program that is probed, or a number."""
    if isinstance(layout, PtrType | StructType):
        target = layout.target if isinstance(layout, PtrType) else layout
        return Bits(c.span(node), Ptr(target, "", "user", writable=False), arith.integer(c, word, node))
    return arith.wrap(c, arith.integer(c, word, node), layout if isinstance(layout, IntType) else U64, node)


def argument(c: Checker, ctx: Expr, number: int, node: ast.AST) -> Expr:
    """The place of the n-th argument: a word of the context, or a register."""
    kind = ctx.kind
    assert isinstance(kind, Context)
    if kind.name in WORDS:
        return CtxPlace(c.span(node), Ptr(TYPES["u64"], "ctx", writable=False), ctx, 8 * number)
    call = _calling(c, node)
    places = call.syscall_args if program_of(c) in probes.SYSCALLS else call.args
    if number >= len(places):
        raise c.error("arguments", f"argument {number} is not in a register: {len(places)} are on {contexts.machine()}", node)
    if places is call.syscall_args:
        return probes.of_syscall(c, register(c, ctx, call.args[0], node), places[number], node)
    return register(c, ctx, places[number], node)


def result(c: Checker, ctx: Expr, node: ast.AST) -> Expr:
    """The place of the function's result, in a probe of its return."""
    return register(c, ctx, _calling(c, node).result, node)


def _calling(c: Checker, node: ast.AST) -> contexts.Calling:
    call = contexts.CALLING.get(contexts.machine())
    if call is None:
        raise c.error("unsupported", f"where arguments are on {contexts.machine()} is not known here", node,
                      help=f"it is for {', '.join(contexts.CALLING)}")
    return call


def register(c: Checker, ctx: Expr, which: tuple[str, int], node: ast.AST) -> Expr:
    """The place of a register that the table of calling conventions names."""
    row = contexts.context("pt_regs")
    assert row is not None
    field = row.fields[which[0]]
    return CtxPlace(c.span(node), Ptr(TYPES[f"u{8 * field.size}"], "ctx", writable=False), ctx, field.offset + field.size * which[1])


# --- what BTF says ---------------------------------------------------------------------------------------------------


def prototype(c: Checker, program: str) -> Signature | None:
    """The hooked function's prototype; None where the kernel shows no BTF, or none of that name."""
    target = hooks.target(c.hook).split("+")[0]
    if not target or program in ("uprobe", "uretprobe", "usdt", "raw_tp", "raw_tracepoint"):
        return None
    if program in probes.SYSCALLS:
        return syscall(c, program, target)
    for name in _functions(program, target):
        found = c.unit.kernel.function(name)
        if found is not None:
            params = found.proto.params[1:] if program == "tp_btf" else found.proto.params
            return _signature(found.types, program, target, params, found.proto.ret)
    return None


def syscall(c: Checker, program: str, target: str) -> Signature | None:
    """A system call's prototype, by the function behind it, or by the record of its tracepoint."""
    for name in (f"__do_sys_{target}", f"__se_sys_{target}"):
        found = c.unit.kernel.function(name)
        if found is not None:
            return _signature(found.types, program, target, found.proto.params, found.proto.ret)
    args = {name: Argument(name, layout, at) for at, (name, layout) in enumerate(c.unit.contexts.syscall(target))}
    return Signature(f"long {target}({', '.join(args)})", args) if args else None


def _functions(program: str, target: str) -> tuple[str, ...]:
    """Functions of the kernel that have the hook's prototype, with names."""
    if program == "tp_btf":
        return f"__traceiter_{target}", f"__bpf_trace_{target}"
    return (f"bpf_lsm_{target}",) if program in ("lsm", "lsm_cgroup") else (target,)


def _signature(types: KernelTypes, program: str, target: str, params: tuple[bt.Param, ...], returns: int) -> Signature:
    btf = types.btf
    args: dict[str, Argument] = {}
    words: list[str] = []
    at = 0
    for param in params:
        if not param.type:  # varargs
            break
        whole = resolved(btf, param.type)
        words.append(f"{_spelt(types, param.type)} {param.name}")
        by_value = isinstance(whole, bt.Struct | bt.Union)
        args[param.name or f"#{at}"] = Argument(param.name, None if by_value else types.layout(param.type), at)
        at += max(1, -(-size_of(btf, param.type) // 8)) if by_value else 1
    if program in RETURNS or program in RETURN_PROBES:
        args["ret"] = Argument("ret", types.layout(returns) if returns else None, at)
    answer = _spelt(types, returns)
    return Signature(f"{answer} {target}({', '.join(words)})", args)


def _spelt(types: KernelTypes, type_id: int) -> str:
    """A type in an error message."""
    plain = resolve(types.btf, type_id)
    if not plain:
        return "void"
    one = types.btf[plain]
    if isinstance(one, bt.Ptr):
        return f"{_spelt(types, one.type)} *"
    return getattr(one, "name", "") or type(one).__name__.lower()


def _agree(c: Checker, one: Parameter, known: Argument) -> None:
    """An annotation says what the kernel says: the same struct, or a number where there is one."""
    mine = one.layout.target if isinstance(one.layout, PtrType) else one.layout
    theirs = known.layout.target if isinstance(known.layout, PtrType) else known.layout
    if isinstance(mine, StructType) and isinstance(theirs, StructType) and mine.name.split("___")[0] != theirs.name:
        raise c.error("type-mismatch", f"{one.name!r} is a pointer to {theirs.name} in the kernel, not to {mine.name}", one.node,
                      help=f"leave the annotation, and cast: 'Ptr[{mine.name}]({one.name})'")
    if isinstance(one.layout, IntType) and isinstance(theirs, StructType):
        raise c.error("type-mismatch", f"{one.name!r} is a pointer to {theirs.name} in the kernel, not a number", one.node)


__all__ = ["argument", "bind", "result"]
