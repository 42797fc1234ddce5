"""perf events that run BPF programs: tracepoints, kprobes, uprobes, sampling; and the one that bpf_perf_event_output
writes to.

    struct perf_event_attr: type u32, size u32, config u64, sample_period u64, sample_type u64, read_format u64,
        flags u64, wakeup_events u32, bp_type u32, config1 u64, config2 u64 …: 112 bytes, zeros after
"""

from __future__ import annotations

import difflib
import fcntl
import os
import re
import struct
from errno import EADDRNOTAVAIL, EINVAL, EIO, ENODEV, ENOENT, ESRCH

from typing import NamedTuple

from ..errors import AttachError
from . import sys, tracefs
from .fd import Fd
from .refusals import CAP_BPF, CAP_PERFMON, refuse

TYPE_HARDWARE, TYPE_SOFTWARE, TYPE_TRACEPOINT, TYPE_CACHE, TYPE_RAW, TYPE_BREAKPOINT = range(6)
PID_CGROUP = 4  # PERF_FLAG_PID_CGROUP
CPU_CLOCK, TASK_CLOCK, BPF_OUTPUT = 0, 1, 10
SAMPLE_RAW = 1 << 10
FORMAT_LOST = 1 << 4
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


def _attr(kind: int, config: int, *, period: int = 0, sample_type: int = 0, flags: int = 0, wakeup: int = 0,
          config1: int = 0, config2: int = 0, read_format: int = 0, bp_type: int = 0) -> sys.Buffer:
    head = struct.pack("=IIQQQQQIIQQ", kind, _SIZE, config, period, sample_type, read_format, flags, wakeup, bp_type,
                       config1, config2)
    return sys.buffer(head.ljust(_SIZE, b"\0"))


def _open(attr: sys.Buffer, pid: int, cpu: int, what: str, action: str) -> Fd:
    made = sys.perf_event_open(what, attr, pid, cpu)
    if isinstance(made, int):
        raise refuse(-made, action, caps=_CAPS)
    return made


def open_output_event(cpu: int) -> tuple[Fd, bool]:
    """The event whose ring bpf_perf_event_output fills on `cpu`, enabled; and does reading it tell what was lost (6.0)?"""
    what, action = "perf output event", f"opening a perf buffer on CPU {cpu}"
    attr = _attr(TYPE_SOFTWARE, BPF_OUTPUT, period=1, sample_type=SAMPLE_RAW, wakeup=1, read_format=FORMAT_LOST)
    made = sys.perf_event_open(what, attr, -1, cpu)
    counts = isinstance(made, Fd)
    if made == -EINVAL:
        made = _open(_attr(TYPE_SOFTWARE, BPF_OUTPUT, period=1, sample_type=SAMPLE_RAW, wakeup=1), -1, cpu, what, action)
    if isinstance(made, int):
        raise refuse(-made, action, caps=_CAPS)
    event = made
    try:
        enable(event, f"enabling the perf buffer on CPU {cpu}")
    except BaseException:
        event.close()
        raise
    return event, counts


def lost_of(event: Fd) -> int:
    """How many records an output event had no room for. Raises OSError."""
    number: int = struct.unpack("=QQ", os.read(event.fileno(), 16))[1]
    return number


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
    made = sys.perf_event_open("kprobe event", attr, -1, 0)
    if isinstance(made, int):
        what = f"{'kretprobe' if ret else 'kprobe'} on {symbol}"
        if -made in (ENOENT, EINVAL, EADDRNOTAVAIL):  # the last: the address is no instruction's start
            raise AttachError(-made, what, f"the kernel has no function {symbol!r} that can be probed "
                                           "(see /proc/kallsyms and tracefs' available_filter_functions)")
        raise refuse(-made, what, caps=_CAPS)
    return made


def open_uprobe(path: str, offset: int, *, ret: bool = False, pid: int = -1, ref_ctr: int = 0) -> Fd:
    """A probe at file `offset` of the program or library `path`, in process `pid` or (-1) in all."""
    kind, bit = _pmu("uprobe", "uprobes")
    text = sys.buffer(os.fsencode(path) + b"\0")
    attr = _attr(kind, (bit if ret else 0) | ref_ctr << 32, config1=sys.address(text), config2=offset)
    made = sys.perf_event_open("uprobe event", attr, pid, 0 if pid < 0 else -1)
    if isinstance(made, int):
        what = f"{'uretprobe' if ret else 'uprobe'} on {path}+{offset:#x}"
        if -made in (ENOENT, EINVAL, EIO):
            raise AttachError(-made, what)
        if -made == ESRCH:
            raise AttachError(ESRCH, what, f"there is no process {pid}")
        raise refuse(-made, what, caps=_CAPS)
    return made


class Event(NamedTuple):
    """What a perf event counts, as perf_event_attr has it."""

    type: int
    config: int
    config1: int = 0
    config2: int = 0
    bp_type: int = 0


_CACHES = {"l1_dcache": 0, "l1_icache": 1, "llc": 2, "dtlb": 3, "itlb": 4, "branch": 5, "node": 6}
_OPERATIONS = {name: n | missed << 8 for n, names in enumerate((("loads", "load_misses"), ("stores", "store_misses"),
               ("prefetches", "prefetch_misses"))) for missed, name in enumerate(names)}  # operation, result


def event_named(name: str) -> Event:
    """Software and hardware counters by name, dashes or not ("cpu-clock", "cycles"); caches ("L1-dcache-load-misses"); the
    processor's own ("r1a8", hexadecimal); breakpoints ("mem:0x1234:w", "mem:0x1234/4:rw", "mem:0x1234:x"). ValueError for
    others. (Tracepoints have a program type of their own.)"""
    plain = name.replace("-", "_").lower()
    if plain in SOFTWARE:
        return Event(TYPE_SOFTWARE, SOFTWARE[plain])
    if plain in HARDWARE:
        return Event(TYPE_HARDWARE, HARDWARE[plain])
    for cache, number in _CACHES.items():
        operation = _OPERATIONS.get(plain.removeprefix(cache + "_"))
        if plain.startswith(cache + "_") and operation is not None:
            return Event(TYPE_CACHE, number | operation << 8)
    if re.fullmatch(r"r[0-9a-f]+", plain):
        return Event(TYPE_RAW, int(plain[1:], 16))
    m = re.fullmatch(r"mem:(0x[0-9a-f]+|\d+)(?:/([1248]))?:(rw|r|w|x)", plain)
    if m:
        kinds = {"r": 1, "w": 2, "rw": 3, "x": 4}
        return Event(TYPE_BREAKPOINT, 0, int(m[1], 0), 8 if m[3] == "x" else int(m[2] or 8), kinds[m[3]])
    near = difflib.get_close_matches(plain, [*SOFTWARE, *HARDWARE], 3)
    raise ValueError(f"unknown perf event {name!r}: " + (f"did you mean {' or '.join(map(repr, near))}?" if near else
                     f"known are {', '.join([*SOFTWARE, *HARDWARE])}, caches, r…, mem:…"))


def open_sampling(event: str = "cpu_clock", *, frequency: int = 0, period: int = 0, pid: int = -1, cpu: int = -1,
                  cgroup: int = -1) -> Fd:
    """A counter (see `event_named`) that overflows `frequency` times a second or every `period` counts; of a process, or
    of the processes of a cgroup (its descriptor) on one CPU."""
    found = event_named(event)
    often = 1 if found.type == TYPE_BREAKPOINT else 1_000_000
    attr = _attr(found.type, found.config, period=frequency or period or often, flags=FREQUENCY if frequency else 0,
                 config1=found.config1, config2=found.config2, bp_type=found.bp_type)
    made = sys.perf_event_open(f"perf event {event}", attr, pid if cgroup < 0 else cgroup, cpu, PID_CGROUP if cgroup >= 0 else 0)
    if isinstance(made, int):
        where = f"perf event {event}" + (f" on CPU {cpu}" if cpu >= 0 else "") + (f" of process {pid}" if pid >= 0 else "")
        if -made == ENOENT:
            raise AttachError(ENOENT, where, "this machine has no such counter (virtual machines often have none): try "
                                             "cpu_clock")
        if -made in (ENODEV, EINVAL):
            raise AttachError(-made, where, _why_not_sampled(frequency, cpu))
        if -made == ESRCH:
            raise AttachError(ESRCH, where, f"there is no process {pid}")
        raise refuse(-made, f"opening {where}", caps=_CAPS)
    return made


def _why_not_sampled(frequency: int, cpu: int) -> str:
    online = sys.online_cpus()
    if cpu >= 0 and cpu not in online:
        return f"CPU {cpu} is not online: {', '.join(map(str, online))} are"
    try:
        with open("/proc/sys/kernel/perf_event_max_sample_rate", encoding="ascii") as file:
            most = int(file.read())
    except (OSError, ValueError):
        return ""
    return f"at most {most} samples a second are allowed (kernel.perf_event_max_sample_rate)" if frequency > most else ""


def set_program(event: Fd, program: int) -> None:
    """The way to attach before 5.15: the program stays until the event is closed. Raises OSError."""
    fcntl.ioctl(event.fileno(), IOC_SET_BPF, program)


def enable(event: Fd, action: str) -> None:
    """Raises KernelError."""
    try:
        fcntl.ioctl(event.fileno(), IOC_ENABLE, 0)
    except OSError as error:
        raise refuse(error.errno or EINVAL, action, caps=_CAPS) from None
