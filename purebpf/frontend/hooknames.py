"""Whether the hook that a decorator names is there, and where that decorator stands."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from ..errors import Diagnostic
from ..uapi import hooks
from ..uapi.enums import ProgType
from .names import near
from .source import Source

if TYPE_CHECKING:
    from ..dsl.hooks import Program

# (a hook's `target`, the name, its BTF prefix) -> the names that there are, where this is none of them; None where it is
# one, or where nothing can be seen.
HookNames = Callable[[str, str, str], "Collection[str] | None"]
WHAT = {"category/name": "tracepoint", "name": "tracepoint", "syscall": "system call", "btf_trace_": "tracepoint",
        "bpf_lsm_": "LSM hook", "bpf_iter_": "iterator"}


def unknown(source: Source, program: Program[..., Any], names: HookNames) -> Diagnostic | None:
    """What is wrong with the program's hook: no such section, or the running kernel has no such place."""
    section = program.section
    hook = hooks.match(section)
    if hook is None:
        hint = near(section.split("/")[0], [h.name for h in hooks.HOOKS])
        return Diagnostic("unknown-hook", f"no hook is called {section!r}", source.span(decorator(source, section)),
                          help=hint or "'purebpf features' lists the hooks")
    target = hooks.target(section)
    if not target or hook.prog_type == ProgType.EXT:  # that one is a function of another program
        return None
    if hook.target.startswith("path:") and ":" not in target:
        return Diagnostic("unknown-hook", f"{target!r} does not say in which file", source.span(decorator(source, target)),
                          help=f"write 'path:function', as in 'libc.so.6:{target}'")
    others = names(hook.target, target, hook.btf_prefix)
    if others is None:
        return None
    what = WHAT.get(hook.btf_prefix) or WHAT.get(hook.target, "function")
    shown = target.replace("/", ":", 1) if hook.target == "category/name" else target
    return Diagnostic("unknown-hook", f"this kernel has no {what} {shown!r}", source.span(decorator(source, target)),
                      help=near(shown, others) or _like(shown, others))


def _like(name: str, others: Collection[str]) -> str:
    """Names that have a part of it, where none is spelt nearly like it."""
    part = max(name.replace(":", "_").split("_"), key=len)
    found = sorted(o for o in others if part in o)[:5] if len(part) > 3 else []
    return f"there are {', '.join(found)}" if found else ""


def keyword(source: Source, name: str) -> ast.AST:
    """What the decorator is given under that name."""
    made = decorator(source)
    calls = [d for d in getattr(source.node, "decorator_list", ()) if isinstance(d, ast.Call)]
    return next((k.value for d in calls for k in d.keywords if k.arg == name), made)


def decorator(source: Source, text: str = "") -> ast.AST:
    """The decorator that makes a function a program: the argument that names its hook, where that is written out."""
    node = source.node
    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return node
    made = node.decorator_list[-1]
    arguments = made.args if isinstance(made, ast.Call) else []
    named = [a for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    wanted = [a for a in named if str(a.value).replace(":", "/", 1) == text or a.value == text]
    return next(iter(wanted or named), made)
