"""What a probe asks the kernel of the call at hand: its cookie, the function, whether it is the way out; and system calls."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from ..dsl import places
from ..dsl.ints import TYPES
from ..dsl.kernel import KernelFunction
from ..tree.kinds import Int, Ptr, U64
from ..tree.nodes import Arith, Bits, Expr, Load, Number
from ..uapi import contexts
from . import functions, helpers, kfuncs, memory
from .context import Checker

CALLS: Final = ("args", "bpf_raw_tracepoint_args", "pt_regs", "bpf_perf_event_data")  # contexts of something that was called
SYSCALLS: Final = ("ksyscall", "kretsyscall")


def asked(c: Checker, ctx: Expr, kind: str, name: str, node: ast.AST) -> Expr | None:
    """`ctx.cookie` and the like; None if that is no question."""
    if name not in QUESTIONS or kind not in CALLS and not kind.startswith("tracepoint/"):
        return None
    if name == "cookie" and c.hook.startswith("usdt"):
        return usdt(c, ctx, "cookie", (), node)
    return QUESTIONS[name](c, ctx, node)


def _helper(name: str) -> Callable[[Checker, Expr, ast.AST], Expr]:
    return lambda c, ctx, node: helpers.emit_call(c, name, (ctx,), Int.of(U64), node)


def _kfunc(name: str) -> Callable[[Checker, Expr, ast.AST], Expr]:
    """A function of the kernel that takes the context, or, on older kernels, nothing."""

    def ask(c: Checker, ctx: Expr, node: ast.AST) -> Expr:
        known = kfuncs.signature(c, KernelFunction(name), node)
        answer = kfuncs.emit(c, known, [ctx for _ in known.proto.params], node)
        if isinstance(answer.kind, Ptr):  # memory of the session, for the program to write
            answer.kind = answer.kind._replace(writable=True)
        return answer

    return ask


QUESTIONS: Final[dict[str, Callable[[Checker, Expr, ast.AST], Expr]]] = {
    "cookie": _helper("get_attach_cookie"), "function": _helper("get_func_ip"),
    "is_return": _kfunc("bpf_session_is_return"), "session": _kfunc("bpf_session_cookie"),
}


def usdt(c: Checker, ctx: Expr, name: str, values: tuple[int, ...], node: ast.AST) -> Expr:
    """A function of `dsl.places` is called: what it asks for is in the map that the loader fills."""
    span = c.span(node)
    args: list[Expr] = [c.lit(v, node) for v in values]
    args.append(c.hold(helpers.emit_call(c, "get_attach_cookie", (ctx,), Int.of(U64), node), "$cookie"))
    if name == "argument":
        args.append(Bits(span, Int.of(U64), ctx))
    return functions.call(c, getattr(places, name), args, {}, node)


def of_syscall(c: Checker, pointer: Expr, which: tuple[str, int], node: ast.AST) -> Expr:
    """The place of a system call's argument: its function in the kernel is given a pointer to the caller's registers."""
    row = contexts.context("pt_regs")
    assert row is not None
    field, span = row.fields[which[0]], c.span(node)
    address = Arith(span, Int.of(U64), "+", Load(span, Int.of(U64), pointer), Number(span, field.offset + field.size * which[1]))
    return memory.deref(c, Bits(span, Ptr(TYPES[f"u{8 * field.size}"], "", "probe", writable=False), address), node)
