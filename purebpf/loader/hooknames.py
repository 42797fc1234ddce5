"""Which hooks the running kernel has: asked for every program that is built, so a name that is right costs little.

Of a tracepoint, tracefs is asked for its directory; of a function, the bytes of the kernel's BTF are searched for its
name. Only a name that is not found so has the lists read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..btf import kernel as kernel_btf
from ..btf import types as t
from ..btf.kinds import BY_CLASS
from ..errors import PureBpfError
from . import tracefs
from .kernel import Kernel

TRACEPOINT = "btf_trace_"  # the one prefix that names typedefs


def others(kind: str, name: str, prefix: str = "") -> Collection[str] | None:
    """The hooks that there are, where `name` is none of them; None where it is one, or where this kernel does not show.

    `kind` is a row's `target` in uapi.hooks, `prefix` its `btf_prefix`; or "struct", a type that is not in vmlinux."""
    ask = KINDS.get(kind)
    try:
        return ask(name, prefix) if ask is not None else None
    except (PureBpfError, OSError):
        return None


def _tracepoint(name: str, prefix: str) -> Collection[str] | None:
    category, _, event = name.partition("/")
    if tracefs.has_tracepoint(category, event):
        return None
    names = tracefs.list_tracepoints()
    return names if names and f"{category}:{event}" not in names else None


def _syscall(name: str, prefix: str) -> Collection[str] | None:
    """System calls by the names of their tracepoints, where the kernel has those."""
    if tracefs.has_tracepoint("syscalls", f"sys_enter_{name}"):
        return None
    calls = [n.partition(":sys_enter_")[2] for n in tracefs.list_tracepoints() if n.startswith("syscalls:sys_enter_")]
    return calls or None


def _function(name: str, prefix: str) -> Collection[str] | None:
    """Functions that a kprobe may be at: any that the kernel has, not just those in BTF."""
    name = name.partition("+")[0]
    if set(name) & set("*?[") or kernel_btf.mentions(name):
        return None
    names = tracefs.kernel_functions()
    return names if names and name not in names else None


def _raw_tracepoint(name: str, prefix: str) -> Collection[str] | None:
    return _typed(name, TRACEPOINT)


def _typed(name: str, prefix: str) -> Collection[str] | None:
    """Functions, BTF tracepoints, LSM hooks, iterators: by a name in BTF."""
    module, colon, bare = name.rpartition(":")
    if not module and kernel_btf.mentions(prefix + bare):
        return None
    kind = t.Typedef if prefix == TRACEPOINT else t.Func
    with Kernel() as kernel:
        if kernel.find(module + colon + prefix + bare, kind) is not None:
            return None
        btf, number = kernel.vmlinux, BY_CLASS[kind].number
        names = (str(btf[i].name) for i in range(btf.first, btf.last + 1)  # type: ignore[union-attr]
                 if btf.kind(i) == number)
        return [n.removeprefix(prefix) for n in names if n.startswith(prefix)] or None


def _struct(name: str, prefix: str) -> Collection[str] | None:
    """Structs of modules, where the kernel proper has none of that name."""
    with Kernel() as kernel:
        return None if any(btf.find(name, (t.Struct, t.Union)) for _, btf in kernel.modules()) else ()


KINDS: dict[str, Callable[[str, str], Collection[str] | None]] = {
    "category/name": _tracepoint, "syscall": _syscall, "func": _function, "glob": _function, "name": _raw_tracepoint,
    "btf": _typed, "struct": _struct,
}
