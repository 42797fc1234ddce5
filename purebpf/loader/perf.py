"""perf events that run BPF programs: tracepoints, kprobes, uprobes, sampling; and the one that bpf_perf_event_output
writes to.

    struct perf_event_attr: type u32, size u32, config u64, sample_period u64, sample_type u64, read_format u64,
        flags u64, wakeup_events u32, bp_type u32, config1 u64, config2 u64 …: 112 bytes, zeros after
"""

from __future__ import annotations

import fcntl
import struct

from ..errors import AttachError
from . import sys, tracefs
from .fd import Fd
from .refusals import CAP_BPF, CAP_PERFMON, refuse

TYPE_SOFTWARE, TYPE_TRACEPOINT = 1, 2
CPU_CLOCK, TASK_CLOCK, BPF_OUTPUT = 0, 1, 10
SAMPLE_RAW = 1 << 10
FREQUENCY = 1 << 10  # flag bit: sample_period is a frequency in Hz
IOC_ENABLE, IOC_DISABLE, IOC_SET_BPF = 0x2400, 0x2401, 0x40042408
SOFTWARE = {"cpu_clock": 0, "task_clock": 1, "page_faults": 2, "context_switches": 3, "cpu_migrations": 4,
            "page_faults_min": 5, "page_faults_maj": 6, "alignment_faults": 7, "emulation_faults": 8,
            "dummy": 9, "cgroup_switches": 11}
HARDWARE = {"cycles": 0, "instructions": 1, "cache_references": 2, "cache_misses": 3, "branches": 4,
            "branch_misses": 5, "bus_cycles": 6, "stalled_cycles_frontend": 7, "stalled_cycles_backend": 8,
            "ref_cycles": 9}
_SIZE = 112
_CAPS = (CAP_BPF, CAP_PERFMON)
ENOENT, ENODEV, EINVAL = 2, 19, 22


def _attr(kind: int, config: int, *, period: int = 0, sample_type: int = 0, flags: int = 0, wakeup: int = 0,
          config1: int = 0, config2: int = 0) -> sys.Buffer:
    head = struct.pack("=IIQQQQQIIQQ", kind, _SIZE, config, period, sample_type, 0, flags, wakeup, 0, config1, config2)
    return sys.buffer(head.ljust(_SIZE, b"\0"))


def _open(attr: sys.Buffer, pid: int, cpu: int, what: str, action: str) -> Fd:
    fd = sys.perf_event_open(attr, pid, cpu)
    if fd < 0:
        raise refuse(-fd, action, caps=_CAPS)
    return Fd(fd, what)


def open_output_event(cpu: int) -> Fd:
    """The event whose ring bpf_perf_event_output fills on `cpu`, enabled."""
    attr = _attr(TYPE_SOFTWARE, BPF_OUTPUT, period=1, sample_type=SAMPLE_RAW, wakeup=1)
    event = _open(attr, -1, cpu, "perf output event", f"opening a perf buffer on CPU {cpu}")
    enable(event)
    return event


def open_tracepoint(category: str, name: str) -> Fd:
    """Raises AttachError with near names when the kernel has no such tracepoint."""
    number = tracefs.tracepoint_id(category, name)
    return _open(_attr(TYPE_TRACEPOINT, number), -1, 0, "tracepoint event", f"opening tracepoint {category}:{name}")


def _pmu(name: str, feature: str) -> tuple[int, int]:
    """(type number, value of the `retprobe` bit) of a dynamic event source."""
    base = f"/sys/bus/event_source/devices/{name}"
    try:
        with open(f"{base}/type", encoding="ascii") as file:
            number = int(file.read())
        with open(f"{base}/format/retprobe", encoding="ascii") as file:
            bit = int(file.read().strip().rpartition(":")[2])
    except OSError as error:
        raise refuse(sys.ENOTSUPP, feature, hint=f"the kernel is built without {feature}") from error
    return number, 1 << bit


def open_kprobe(symbol: str, offset: int = 0, *, ret: bool = False) -> Fd:
    """A probe on the kernel function `symbol`, at `offset` bytes, or on its return."""
    kind, bit = _pmu("kprobe", "kprobes")
    text = sys.buffer(symbol.encode() + b"\0")
    attr = _attr(kind, bit if ret else 0, config1=sys.address(text), config2=offset)
    fd = sys.perf_event_open(attr, -1, 0)
    if fd < 0:
        what = f"{'kretprobe' if ret else 'kprobe'} on {symbol}"
        if -fd in (ENOENT, EINVAL, 99):  # EADDRNOTAVAIL: the address is no instruction's start
            raise AttachError(-fd, what, f"the kernel has no function {symbol!r} that can be probed "
                                         "(see /proc/kallsyms and tracefs' available_filter_functions)")
        raise refuse(-fd, what, caps=_CAPS)
    return Fd(fd, "kprobe event")


def open_uprobe(path: str, offset: int, *, ret: bool = False, pid: int = -1, ref_ctr: int = 0) -> Fd:
    """A probe at file `offset` of the program or library `path`, in process `pid` or (-1) in all."""
    kind, bit = _pmu("uprobe", "uprobes")
    text = sys.buffer(path.encode() + b"\0")
    attr = _attr(kind, (bit if ret else 0) | ref_ctr << 32, config1=sys.address(text), config2=offset)
    fd = sys.perf_event_open(attr, pid, 0 if pid < 0 else -1)
    if fd < 0:
        what = f"{'uretprobe' if ret else 'uprobe'} on {path}+{offset:#x}"
        if -fd in (ENOENT, EINVAL, 5):
            raise AttachError(-fd, what)
        raise refuse(-fd, what, caps=_CAPS)
    return Fd(fd, "uprobe event")


def open_sampling(event: str = "cpu_clock", *, frequency: int = 0, period: int = 0, pid: int = -1,
                  cpu: int = -1) -> Fd:
    """A counter by name (see SOFTWARE and HARDWARE) that overflows `frequency` times a second or every `period`
    counts."""
    kind, config = (TYPE_SOFTWARE, SOFTWARE[event]) if event in SOFTWARE else (0, HARDWARE.get(event, -1))
    if config < 0:
        raise ValueError(f"unknown perf event {event!r}; known: {', '.join([*SOFTWARE, *HARDWARE])}")
    attr = _attr(kind, config, period=frequency or period or 1_000_000, flags=FREQUENCY if frequency else 0)
    fd = sys.perf_event_open(attr, pid, cpu)
    if fd < 0:
        if -fd in (ENOENT, ENODEV):
            raise AttachError(-fd, f"perf event {event}", "this machine has no such counter (virtual machines often "
                                                          "have none): try cpu_clock")
        raise refuse(-fd, f"opening perf event {event}", caps=_CAPS)
    return Fd(fd, f"perf event {event}")


def set_program(event: Fd, program: int) -> None:
    """The way to attach before 5.15: the program stays until the event is closed. Raises OSError."""
    fcntl.ioctl(event.fileno(), IOC_SET_BPF, program)


def enable(event: Fd) -> None:
    fcntl.ioctl(event.fileno(), IOC_ENABLE, 0)
