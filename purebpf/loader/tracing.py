"""Attaching to tracepoints, probes, BTF targets, iterators and counters."""

from __future__ import annotations

import platform
import warnings
from errno import EBUSY, EEXIST, EINVAL, ENOENT, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from ..errors import AttachError
from ..uapi import attrs
from ..uapi.enums import AttachType, ProgType
from . import bpf, links, perf, symbols, sys
from .fd import Fd, close_all
from .link import Link
from .refusals import CAP_BPF, CAP_PERFMON

if TYPE_CHECKING:
    from .progs import LoadedProgram

_CAPS = (CAP_BPF, CAP_PERFMON)
_NO_LINK = (-EINVAL, -EOPNOTSUPP)  # what a kernel without perf links says


def on_event(program: LoadedProgram, kind: str, target: str, event: Fd, cookie: int) -> Link:
    """A perf link (5.15); where the kernel has none the ioctl, which has no cookie. Takes the event over."""
    try:
        made = bpf.link_create(program.fileno(), event.fileno(), AttachType.PERF_EVENT, perf_event__bpf_cookie=cookie)
        if isinstance(made, int) and (cookie or made not in _NO_LINK):
            raise links.refusal(made, program, kind, target, feature="cookies of perf links" if cookie else "", since="5.15",
                                caps=_CAPS, hint="it is attached there already" if made == -EEXIST else "")
        if isinstance(made, int):
            try:
                perf.set_program(event, program.fileno())
            except OSError as error:
                raise links.refusal(-(error.errno or EINVAL), program, kind, target, caps=_CAPS) from None
    except BaseException:
        event.close()
        raise
    link = Link(kind, target, made if isinstance(made, Fd) else None, event, program=program)
    try:
        perf.enable(event, f"attaching {program.name!r} to {kind} {target}")
    except BaseException:
        link.close()
        raise
    return link


def attach_tracepoint(program: LoadedProgram, target: str | None, *, cookie: int = 0) -> Link:
    """`target` is "category:name" or "category/name"."""
    category, _, name = _required(program, target, "'category:name'").replace("/", ":").partition(":")
    return on_event(program, "tracepoint", f"{category}:{name}", perf.open_tracepoint(category, name), cookie)


def _required(program: LoadedProgram, target: str | None, what: str) -> str:
    if not target:
        raise AttachError(EINVAL, f"program {program.name!r} ({program.spec.section})", f"say where: attach({what})", reason="")
    return target


def attach_raw_tracepoint(program: LoadedProgram, target: str | None, *, cookie: int = 0) -> Link:
    """`target` is the tracepoint's name without a category."""
    name = _required(program, target, "'name'").rpartition(":")[2]
    made = bpf.raw_tracepoint_open(program.fileno(), name, cookie)
    if made == -ENOENT:
        raise AttachError(ENOENT, f"raw tracepoint {name!r}", _near_raw(name))
    if isinstance(made, int):
        raise links.refusal(made, program, "raw_tracepoint", name, caps=_CAPS)
    return Link("raw_tracepoint", name, made, program=program)


def _near_raw(name: str) -> str:
    import difflib

    from .tracefs import list_tracepoints

    known = {one.partition(":")[2] for one in list_tracepoints()}
    if name.startswith(("sys_enter_", "sys_exit_")):
        return f"raw tracepoints know only {'sys_enter' if name.startswith('sys_enter') else 'sys_exit'}: test its id"
    near = difflib.get_close_matches(name, known, 3)
    return "did you mean " + " or ".join(map(repr, near)) + "?" if near else ""


def attach_btf(program: LoadedProgram, target: str | None, *, cookie: int = 0) -> Link:
    """fentry, fexit, fmod_ret, lsm, tp_btf, freplace: the target was fixed at load."""
    if target and target != program.spec.attach_to:
        raise AttachError(EINVAL, f"attaching {program.name!r} to {target}",
                          "the target of this type of program is fixed when it is loaded")
    if program.spec.prog_type == ProgType.LSM:
        _warn_without_lsm(program)
    if cookie:
        return links.create(program, "tracing", program.spec.attach_to, feature="cookies of tracing links",
                            since="6.0", caps=_CAPS, tracing__cookie=cookie)
    made = bpf.raw_tracepoint_open(program.fileno(), "", 0)
    if isinstance(made, int):
        hint = "it is attached already" if made == -EBUSY else ""
        raise links.refusal(made, program, "tracing", program.spec.attach_to, caps=_CAPS, hint=hint)
    return Link("tracing", program.spec.attach_to, made, program=program)


LSMS = "/sys/kernel/security/lsm"


def _warn_without_lsm(program: LoadedProgram) -> None:
    """Where "bpf" is not among the kernel's LSMs the program is attached, and never runs."""
    try:
        with open(LSMS, encoding="ascii") as file:
            active = file.read().strip().split(",")
    except OSError:
        return  # nobody can tell
    if "bpf" not in active:
        warnings.warn(f"{program.name!r} ({program.spec.section}) is attached, but will never run: the LSMs of this kernel are "
                      f"{','.join(active)}; add bpf to lsm= on the kernel's command line", RuntimeWarning, stacklevel=4)


_ORDERS = {"self": 1, "pre": 2, "post": 3, "up": 4}
_OVER_MAPS = ("bpf_map_elem", "bpf_sk_storage_map")


def attach_iter(program: LoadedProgram, target: Any, *, pid: int = 0, tid: int = 0, order: str = "self",
                info: bytes = b"") -> Link:
    """An iterator; `Link.read()` runs it. `target`: the map whose entries it walks, or (iter/cgroup) a cgroup directory,
    walked in `order` "self", "pre", "post" or "up". `pid`, `tid` limit task iterators to one process or thread. `info`: a
    raw `union bpf_iter_link_info` instead."""
    name, owner = program.spec.attach_to, None
    fields: dict[str, int] = {"task__pid": pid, "task__tid": tid}
    if order not in _ORDERS:
        raise ValueError(f"order {order!r}: one of {', '.join(_ORDERS)}")
    if name == "cgroup" and target not in (None, name):
        fd, owner = links.directory(target, "cgroup")
        fields = {"cgroup__order": _ORDERS[order], "cgroup__cgroup_fd": fd}
    elif hasattr(target, "fileno"):
        fields = {"map__map_fd": target.fileno()}
    elif name in _OVER_MAPS and not info:
        raise AttachError(EINVAL, f"iterator {program.name!r} walks the entries of a map", "say which: attach(a map)", reason="")
    held = sys.buffer(info) if info else bpf.packed(attrs.ITER_LINK_INFO, fields)
    given = bool(info) or any(fields.values())
    try:
        return links.create(program, "iter", name, feature="iterators", since="5.8", caps=_CAPS,
                            iter_info=sys.address(held) if given else 0, iter_info_len=len(held) if given else 0)
    finally:
        if owner is not None:
            owner.close()


def _symbol_offset(text: str) -> tuple[str, int]:
    """"do_exit+0x10" -> ("do_exit", 16)."""
    name, plus, offset = text.partition("+")
    try:
        return name, int(offset, 0) if plus else 0
    except ValueError:
        raise AttachError(EINVAL, f"probe target {text!r}", "write 'function' or 'function+offset'") from None


def attach_kprobe(program: LoadedProgram, target: str | None, *, cookie: int = 0, ret: bool = False) -> Link:
    """`target` is "function" or "function+offset"."""
    name, offset = _symbol_offset(_required(program, target, "'function'"))
    kind = "kretprobe" if ret else "kprobe"
    return on_event(program, kind, target or "", perf.open_kprobe(name, offset, ret=ret), cookie)


def attach_kretprobe(program: LoadedProgram, target: str | None, *, cookie: int = 0) -> Link:
    return attach_kprobe(program, target, cookie=cookie, ret=True)


_SYSCALL_PREFIX = {"x86_64": "__x64_sys_", "aarch64": "__arm64_sys_", "s390x": "__s390x_sys_",
                   "riscv64": "__riscv_sys_", "i686": "__ia32_sys_"}


def attach_ksyscall(program: LoadedProgram, target: str | None, *, cookie: int = 0, ret: bool = False) -> Link:
    """`target` is the system call's name without a prefix."""
    name = _required(program, target, "'openat'")
    prefix = _SYSCALL_PREFIX.get(platform.machine(), "__se_sys_")
    return attach_kprobe(program, prefix + name, cookie=cookie, ret=ret)


def attach_kretsyscall(program: LoadedProgram, target: str | None, *, cookie: int = 0) -> Link:
    return attach_ksyscall(program, target, cookie=cookie, ret=True)


def attach_uprobe(program: LoadedProgram, target: str | None, *, pid: int = -1, cookie: int = 0,
                  ret: bool = False) -> Link:
    """`target` is "path:symbol", "path:symbol+offset" or "path:0xoffset"; a path without "/" is that of a
    program where the shell finds it, or of a library in the usual directories; with `pid` first among the files that the
    process has mapped. `pid` limits it to one process."""
    path, offset = symbols.locate(_required(program, target, "'path:symbol'"), pid)
    kind = "uretprobe" if ret else "uprobe"
    event = perf.open_uprobe(path, offset, ret=ret, pid=pid)
    return on_event(program, kind, target or "", event, cookie)


def attach_uretprobe(program: LoadedProgram, target: str | None, *, pid: int = -1, cookie: int = 0) -> Link:
    return attach_uprobe(program, target, pid=pid, cookie=cookie, ret=True)


def attach_perf_event(program: LoadedProgram, target: str, *, frequency: int = 0, period: int = 0, pid: int = -1,
                      cpu: int | None = None, cgroup: Any = None, cookie: int = 0) -> Link:
    """Run the program when the counter `target` ("cpu_clock", "cycles", …; see `perf.event_named`) overflows: on `cpu`
    (None: on all), of a process `pid` (0: this one), or of the processes of a `cgroup` (path or fd)."""
    if cgroup is not None and pid >= 0:
        raise ValueError("pid= and cgroup=: one of them")
    group, owner = links.directory(cgroup, "cgroup") if cgroup is not None else (-1, None)
    cpus = [cpu] if cpu is not None else [-1] if pid >= 0 else sys.online_cpus()
    made: list[Link] = []
    try:
        for one in cpus:
            event = perf.open_sampling(target, frequency=frequency, period=period, pid=pid, cpu=one, cgroup=group)
            made.append(on_event(program, "perf_event", target, event, cookie))
    except BaseException:
        close_all(made)
        raise
    finally:
        if owner is not None:
            owner.close()
    return made[0] if len(made) == 1 else Link("perf_event", target, None, program=program, parts=tuple(made))
