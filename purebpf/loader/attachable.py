"""What programs can be attached to on this kernel: found out by asking for an attachment to nothing.

A kernel that has a kind of link looks for the target, and says that there is none (EBADF, ENODEV, ENOENT); one that has not
refuses the question itself (EINVAL, EOPNOTSUPP). Kinds that hang on functions are loaded, as the verifier refuses these.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from errno import EBADF, EBUSY, ENODEV, ENOENT, EOPNOTSUPP, EPERM, ESRCH
from types import MappingProxyType
from functools import cache
from typing import Any, NamedTuple

from ..btf import Btf
from ..btf import types as t
from ..uapi.enums import AttachType, ProgType
from . import bpf, sys
from .fd import Fd, Made
from .refusals import CAP_BPF, CAP_PERFMON, holds, refuse

_A, _P = AttachType, ProgType
_NO_FD, _NO_INTERFACE, _LOOPBACK = 0xFFFF, 0x7FFFFFFF, 1
_OFFLOAD = 8  # to hardware, which a loopback device has not
_CAPS = (CAP_BPF, CAP_PERFMON)
_WANTING = (-EBADF, -ENODEV, -ENOENT, -ESRCH)
_RETURN_0 = bytes.fromhex("b700000000000000" "9500000000000000")  # r0 = 0; exit
_RETURN_1 = bytes.fromhex("b700000001000000" "9500000000000000")


class Attachable(NamedTuple):
    """`test` may raise a KernelError of EPERM; `needs`: what a kernel that is new enough may lack."""

    since: str
    needs: str
    test: Callable[[], bool]


def _loaded(kind: int, attach_type: int = 0, code: bytes = _RETURN_0, **fields: Any) -> Made:
    return bpf.prog_load(code, "GPL", fields={"prog_type": kind, "expected_attach_type": attach_type, **fields})[0]


def _link(kind: int, attach_type: int, target: int, *, expected: int | None = None, code: bytes = _RETURN_0,
          wanting: tuple[int, ...] = _WANTING, fields: Mapping[str, int] = MappingProxyType({})) -> Callable[[], bool]:
    """Does a link to a target that is not there fail for want of the target?"""
    def test() -> bool:
        made = _loaded(kind, attach_type if expected is None else expected, code)
        if isinstance(made, int):
            return _refused(made)
        with made:
            linked = bpf.link_create(made.fileno(), target, attach_type, **dict(fields))
        return linked in wanting or _closed(linked)
    return test


def _closed(made: Made) -> bool:
    if isinstance(made, Fd):
        made.close()
        return True
    return False


def _refused(result: int) -> bool:
    if result == -EPERM:
        raise refuse(EPERM, "asking the kernel what can be attached")
    return False


def _pmu(name: str) -> Callable[[], bool]:
    return lambda: os.path.exists(f"/sys/bus/event_source/devices/{name}/type")


def _tracepoints() -> bool:
    from . import tracefs

    return tracefs.has_tracepoint("syscalls", "sys_enter_getpid") or tracefs.has_tracepoint("sched", "sched_switch")


def _raw_tracepoint() -> bool:
    made = _loaded(_P.RAW_TRACEPOINT)
    if isinstance(made, int):
        return _refused(made)
    with made:
        return bpf.raw_tracepoint_open(made.fileno(), "no_such_tracepoint") == -ENOENT


@cache
def _vmlinux() -> Btf:
    """The kernel's types, read once for all kinds; none where it tells none."""
    from ..btf import kernel
    from ..errors import NotSupported

    try:
        return kernel.vmlinux()
    except NotSupported:
        return Btf()


def _typed(kind: int, attach_type: int, name: str, type_kind: type[t.Type] = t.Func, code: bytes = _RETURN_0) -> Callable[[], bool]:
    """Can a program be loaded for a function, and attached?"""
    def test() -> bool:
        found = _vmlinux().find(name, type_kind)
        if found is None:
            return False
        made = _loaded(kind, attach_type, code, attach_btf_id=found)
        if isinstance(made, int):  # EPERM: some kernels forbid it even to root
            return False if holds(_CAPS) else _refused(made)
        with made:
            if attach_type == _A.TRACE_ITER:
                return _closed(bpf.link_create(made.fileno(), 0, attach_type))
            return _closed(bpf.raw_tracepoint_open(made.fileno(), ""))
    return test


def _multi(path: bytes = b"") -> Callable[[], bool]:
    def test() -> bool:
        text, places = sys.buffer(path or b"no_such_function\0"), sys.buffer(8)
        if path:
            fields = {"uprobe_multi__path": sys.address(text), "uprobe_multi__offsets": sys.address(places), "uprobe_multi__cnt": 1}
            return _link(_P.KPROBE, _A.TRACE_UPROBE_MULTI, 0, fields=fields)()
        names = sys.buffer(sys.address(text).to_bytes(8, sys.BYTEORDER))
        return _link(_P.KPROBE, _A.TRACE_KPROBE_MULTI, 0, fields={"kprobe_multi__syms": sys.address(names), "kprobe_multi__cnt": 1})()
    return test


def _lsm() -> bool:
    from .tracing import LSMS

    try:
        with open(LSMS, encoding="ascii") as file:
            if "bpf" not in file.read().strip().split(","):
                return False  # it would attach, and never run
    except OSError:
        pass
    return _typed(_P.LSM, _A.LSM_MAC, "bpf_lsm_file_open")()


_TRAMPOLINES = "CONFIG_FUNCTION_TRACER, CONFIG_DEBUG_INFO_BTF, a processor with trampolines; some builds forbid it"

KINDS: dict[str, Attachable] = {
    "tracepoint": Attachable("4.7", "tracefs (CONFIG_FTRACE, CONFIG_BPF_EVENTS)", _tracepoints),
    "raw tracepoint": Attachable("4.17", "CONFIG_BPF_EVENTS", _raw_tracepoint),
    "kprobe": Attachable("4.1", "CONFIG_KPROBE_EVENTS", _pmu("kprobe")),
    "uprobe": Attachable("4.1", "CONFIG_UPROBE_EVENTS", _pmu("uprobe")),
    "kprobe.multi": Attachable("5.18", "CONFIG_FPROBE", _multi()),
    "uprobe.multi": Attachable("6.6", "CONFIG_UPROBE_EVENTS", _multi(b"/no/such/file\0")),
    "perf link": Attachable("5.15", "CONFIG_PERF_EVENTS", _link(_P.TRACEPOINT, _A.PERF_EVENT, _NO_FD, expected=0)),
    "fentry": Attachable("5.5", _TRAMPOLINES, _typed(_P.TRACING, _A.TRACE_FENTRY, "do_nanosleep")),
    "fexit": Attachable("5.5", _TRAMPOLINES, _typed(_P.TRACING, _A.TRACE_FEXIT, "do_nanosleep")),
    "tp_btf": Attachable("5.5", "CONFIG_DEBUG_INFO_BTF", _typed(_P.TRACING, _A.TRACE_RAW_TP, "btf_trace_sched_switch", t.Typedef)),
    "iterator": Attachable("5.8", "CONFIG_DEBUG_INFO_BTF", _typed(_P.TRACING, _A.TRACE_ITER, "bpf_iter_task")),
    "lsm": Attachable("5.7", "CONFIG_BPF_LSM, and bpf among lsm= of the kernel's command line", _lsm),
    "xdp link": Attachable("5.9", "CONFIG_NET", _link(
        _P.XDP, _A.XDP, _LOOPBACK, wanting=(-EOPNOTSUPP, -EBUSY), fields={"flags": _OFFLOAD})),
    "tcx link": Attachable("6.6", "CONFIG_NET_XGRESS", _link(_P.SCHED_CLS, _A.TCX_INGRESS, _NO_INTERFACE)),
    "netkit link": Attachable("6.7", "CONFIG_NETKIT", _link(_P.SCHED_CLS, _A.NETKIT_PRIMARY, _NO_INTERFACE)),
    "cgroup link": Attachable("5.7", "CONFIG_CGROUP_BPF", _link(_P.CGROUP_SKB, _A.CGROUP_INET_EGRESS, _NO_FD)),
    "network namespace link": Attachable("5.8", "CONFIG_NET", _link(_P.SK_LOOKUP, _A.SK_LOOKUP, _NO_FD, code=_RETURN_1)),
    "sockmap link": Attachable("6.10", "CONFIG_BPF_STREAM_PARSER", _link(_P.SK_MSG, _A.SK_MSG_VERDICT, _NO_FD)),
    "struct_ops": Attachable("5.6", "CONFIG_BPF_JIT, CONFIG_DEBUG_INFO_BTF", lambda: _struct_ops()),
}


def _struct_ops() -> bool:
    from .probes import Probes

    return Probes().map_type("STRUCT_OPS")
