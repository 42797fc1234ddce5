"""Attachments: a program at its hook, until the link is closed.

`KINDS` has one row per kind of attachment; `attach` finds the row of a program and runs it.
"""

from __future__ import annotations

import os
from errno import EINVAL
from typing import TYPE_CHECKING, Any, Callable

from ..errors import AttachError, NotSupported
from ..uapi.enums import AttachType, ProgType
from . import bpf
from .fd import Fd, close_all
from .link import Closable, Link
from .refusals import CAP_BPF, refuse

if TYPE_CHECKING:
    from .progs import LoadedProgram


class LinkKind:
    """`attach(program, target, **options)` makes the Link. `auto`: the section name alone can say where."""

    __slots__ = ("name", "module", "function", "auto")

    def __init__(self, name: str, module: str, function: str, *, auto: bool = False) -> None:
        self.name, self.module, self.function, self.auto = name, module, function, auto

    @property
    def attach(self) -> Callable[..., Link]:
        from importlib import import_module

        return getattr(import_module(f".{self.module}", __package__), self.function)  # type: ignore[no-any-return]


_P, _A = ProgType, AttachType
_TRACING = LinkKind("tracing", "tracing", "attach_btf", auto=True)
_CGROUP = LinkKind("cgroup", "sockets", "attach_cgroup")

BY_SECTION: dict[str, LinkKind] = {  # kprobe programs: only the section tells them apart
    "kprobe": LinkKind("kprobe", "tracing", "attach_kprobe", auto=True),
    "kretprobe": LinkKind("kretprobe", "tracing", "attach_kretprobe", auto=True),
    "ksyscall": LinkKind("ksyscall", "tracing", "attach_ksyscall", auto=True),
    "kretsyscall": LinkKind("kretsyscall", "tracing", "attach_kretsyscall", auto=True),
    "uprobe": LinkKind("uprobe", "tracing", "attach_uprobe", auto=True),
    "uretprobe": LinkKind("uretprobe", "tracing", "attach_uretprobe", auto=True),
    "kprobe.multi": LinkKind("kprobe.multi", "multi", "attach_kprobe_multi", auto=True),
    "kretprobe.multi": LinkKind("kretprobe.multi", "multi", "attach_kretprobe_multi", auto=True),
    "kprobe.session": LinkKind("kprobe.session", "multi", "attach_kprobe_session", auto=True),
    "uprobe.multi": LinkKind("uprobe.multi", "multi", "attach_uprobe_multi", auto=True),
    "uretprobe.multi": LinkKind("uretprobe.multi", "multi", "attach_uretprobe_multi", auto=True),
    "usdt": LinkKind("usdt", "usdt", "attach_usdt", auto=True),
    "uprobe.session": LinkKind("uprobe.session", "multi", "attach_uprobe_session", auto=True),
}

KINDS: dict[tuple[int, int | None], LinkKind] = {  # (program type, attach type; None: any)
    (_P.TRACEPOINT, None): LinkKind("tracepoint", "tracing", "attach_tracepoint", auto=True),
    (_P.RAW_TRACEPOINT, None): LinkKind("raw_tracepoint", "tracing", "attach_raw_tracepoint", auto=True),
    (_P.RAW_TRACEPOINT_WRITABLE, None): LinkKind("raw_tracepoint.w", "tracing", "attach_raw_tracepoint", auto=True),
    (_P.TRACING, _A.TRACE_ITER): LinkKind("iter", "tracing", "attach_iter", auto=True),
    (_P.TRACING, None): _TRACING,
    (_P.LSM, _A.LSM_CGROUP): _CGROUP,
    (_P.LSM, None): _TRACING,
    (_P.EXT, None): _TRACING,
    (_P.PERF_EVENT, None): LinkKind("perf_event", "tracing", "attach_perf_event"),
    (_P.XDP, None): LinkKind("xdp", "sockets", "attach_xdp"),
    (_P.SCHED_CLS, None): LinkKind("tc", "sockets", "attach_tc"),
    (_P.SOCKET_FILTER, None): LinkKind("socket", "sockets", "attach_socket"),
    (_P.SK_REUSEPORT, None): LinkKind("sk_reuseport", "sockets", "attach_reuseport"),
    (_P.SK_LOOKUP, None): LinkKind("sk_lookup", "sockets", "attach_netns"),
    (_P.FLOW_DISSECTOR, None): LinkKind("flow_dissector", "sockets", "attach_netns"),
    (_P.SK_SKB, None): LinkKind("sk_skb", "sockets", "attach_sockmap"),
    (_P.SK_MSG, None): LinkKind("sk_msg", "sockets", "attach_sockmap"),
    (_P.NETFILTER, None): LinkKind("netfilter", "sockets", "attach_netfilter"),
    **{(kind, None): LinkKind("route", "routes", "attach_route") for kind in (_P.LWT_IN, _P.LWT_OUT, _P.LWT_XMIT, _P.LWT_SEG6LOCAL)},
    **{(kind, None): _CGROUP for kind in (_P.CGROUP_SKB, _P.CGROUP_SOCK, _P.CGROUP_SOCK_ADDR, _P.CGROUP_SOCKOPT,
                                          _P.CGROUP_SYSCTL, _P.CGROUP_DEVICE, _P.SOCK_OPS)},
}


NEVER: dict[int, str] = {  # program types that have no hook of their own, and what is done with them instead
    _P.SYSCALL: "run it with test_run",
    _P.STRUCT_OPS: "it is a member of a struct_ops map, which is registered as a whole",
    _P.SCHED_ACT: "make it an action of a filter: tc filter add … action bpf pinned PATH",
    _P.LIRC_MODE2: "it belongs to an infrared device, which is opened by its driver's tools",
}


def _base(section: str) -> str:
    return section.removeprefix("?").partition("/")[0].removesuffix(".s")


def kind_of(program: LoadedProgram) -> LinkKind | None:
    """The row for a program; None when its type is not attached at all (syscall, struct_ops)."""
    spec = program.spec
    if spec.prog_type == _P.KPROBE:
        return BY_SECTION.get(_base(spec.section))
    return KINDS.get((spec.prog_type, spec.attach_type)) or KINDS.get((spec.prog_type, None))


def why_none(program: LoadedProgram) -> str:
    """What is done with a program that `kind_of` has no row for."""
    return NEVER.get(program.spec.prog_type) or f"its section {program.spec.section!r} names no hook known here"


def why_not_alone(program: LoadedProgram) -> str:
    """Why `Object.attach` leaves a program alone, "" if it attaches it."""
    kind = kind_of(program)
    if kind is None:
        return why_none(program)
    if kind.auto and program.spec.attach_to:
        return ""
    return f"say where: attach({WANTED.get(kind.name, 'target')})"


def attach(program: LoadedProgram, target: Any = None, **options: Any) -> Link:
    """Attach `program`: to `target`, else to what its section name says.

    `target` by kind: an interface name or index (xdp, tc), a cgroup path or fd, a socket, a map (sk_skb, sk_msg), a
    network namespace path or fd, "category:name", a function name, "path:symbol", a perf event name. Raises AttachError,
    NotSupported or KernelError."""
    kind = kind_of(program)
    if kind is None:
        raise AttachError(EINVAL, f"program {program.name!r} ({program.spec.section}) is not attached by itself",
                          why_none(program), reason="")
    if target is None:
        target = program.spec.attach_to or None
    if target is None and not kind.auto:
        raise AttachError(EINVAL, f"program {program.name!r} ({program.spec.section})",
                          f"say where: attach({WANTED.get(kind.name, 'target')})", reason="")
    return kind.attach(program, target, **options)


WANTED = {"xdp": "'eth0'", "tc": "'eth0', direction='ingress'", "cgroup": "'/sys/fs/cgroup/…'", "socket": "a socket",
          "sk_reuseport": "a socket", "perf_event": "'cpu_clock', frequency=99", "sk_skb": "a sockmap",
          "sk_msg": "a sockmap", "sk_lookup": "'/proc/self/ns/net'", "flow_dissector": "'/proc/self/ns/net'",
          "netfilter": "'ipv4:local_in'", "route": "'10.1.0.0/16', device='eth0'", "usdt": "'path:provider:name'", "iter": "a map", "kprobe": "'function'",
          "kretprobe": "'function'", "ksyscall": "'openat'", "kretsyscall": "'openat'", "uprobe": "'path:symbol'",
          "uretprobe": "'path:symbol'", "kprobe.multi": "'tcp_*'", "tracepoint": "'category:name'",
          "raw_tracepoint": "'name'"}


def create(program: LoadedProgram, kind: str, target: str, *holds: Closable, feature: str = "", since: str = "",
           hint: str = "", caps: tuple[int, ...] = (), target_fd: int = 0, attach_type: int = -1,
           **fields: Any) -> Link:
    """BPF_LINK_CREATE as a Link that also closes `holds`. Raises the refusal; then `holds` are closed too."""
    expected = program.spec.attach_type if attach_type < 0 else attach_type
    try:
        made = bpf.link_create(program.fileno(), target_fd, expected, **fields)
        if isinstance(made, int):
            raise refusal(made, program, kind, target, feature=feature, since=since, hint=hint, caps=caps)
        return Link(kind, target, made, *holds, program=program)
    except BaseException:
        close_all(holds)
        raise


def refusal(result: int, program: LoadedProgram, kind: str, target: str, *, feature: str = "", since: str = "",
            hint: str = "", caps: tuple[int, ...] = ()) -> Exception:
    """What to raise when a hook refuses: NotSupported for a lack of the kernel or of privilege, else AttachError."""
    action = f"attaching {program.name!r} to {kind} {target}".rstrip()
    error = refuse(-result, action, feature=feature, since=since, hint=hint, caps=caps or (CAP_BPF,))
    return error if isinstance(error, NotSupported) else AttachError(-result, action, error.hint)


def directory(target: Any, what: str) -> tuple[int, Fd | None]:
    """(fd, its owner if it was opened here) of a path or of anything with fileno()."""
    if isinstance(target, int):
        return target, None
    if hasattr(target, "fileno"):
        return target.fileno(), None
    try:
        opened = Fd.owning(what, os.open, target, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise AttachError(error.errno or EINVAL, f"opening {what} {target}") from None
    return opened.fileno(), opened
