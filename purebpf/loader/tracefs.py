"""tracefs: the list, numbers and formats of tracepoints; the one file that opens it.

Where it is not mounted, a private mount is made that nobody else sees and that goes with its fd (fsopen, 5.2): no
directory, no entry in the mount table.
"""

from __future__ import annotations

import difflib
import os
import re
from errno import EBUSY, EMFILE, ENFILE, ENOENT
from functools import partial
from typing import NamedTuple

from ..errors import AttachError, KernelError
from . import sys
from .fd import Fd
from .refusals import CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, refuse

_PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_FIELD = re.compile(r"\s*field:(?P<type>.*?)(?P<name>\w+)(?P<dims>(?:\[[^\]]*\])*);\s*"
                    r"offset:(?P<offset>\d+);\s*size:(?P<size>\d+);\s*signed:(?P<signed>[01]);")


class TraceField(NamedTuple):
    """One field of a tracepoint's record: `type` as the kernel writes it ("const char *", "char[16]",
    "__data_loc char[]"), `offset` and `size` in bytes."""

    name: str
    type: str
    offset: int
    size: int
    signed: bool


def open_root() -> Fd:
    """A directory fd of tracefs. Raises NotSupported when there is none and none can be mounted."""
    for place in _PLACES:
        if os.path.isdir(place + "/events"):
            try:
                return Fd.owning("tracefs", os.open, place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise refuse(error.errno or 0, f"opening {place}") from error
    mount = sys.mount_detached("tracefs")
    if isinstance(mount, int):
        raise refuse(-mount, "reading tracepoints from tracefs", caps=(CAP_SYS_ADMIN,), hint="" if -mount in (EMFILE, ENFILE) else
                     "mount it: mount -t tracefs tracefs /sys/kernel/tracing (needs root)")
    with mount:  # a path fd: good for lookups only
        try:
            return Fd.owning("tracefs", partial(os.open, dir_fd=mount.fileno()), ".",
                             os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise refuse(error.errno or 0, "reading tracefs", caps=(CAP_DAC_READ_SEARCH,)) from None


def _read(root: Fd, path: str) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root.fileno())
    with os.fdopen(fd, encoding="utf-8", errors="replace") as file:
        return file.read()


def _event_file(category: str, name: str, file: str) -> str:
    with open_root() as root:
        try:
            return _read(root, f"events/{category}/{name}/{file}")
        except OSError as error:
            if error.errno != ENOENT:
                raise refuse(error.errno or 0, f"reading tracepoint {category}:{name}") from error
            raise _missing(root, category, name) from None


def _missing(root: Fd, category: str, name: str) -> KernelError:
    wanted, known = f"{category}:{name}", _names(root)
    near = difflib.get_close_matches(wanted, known, 3, 0.7)
    if not near:  # the right name under another category, or the reverse
        near = [k for k in known if k.partition(":")[2] == name][:3]
    if near:
        hint = "did you mean " + " or ".join(repr(n) for n in near) + "?"
    elif any(k.startswith(category + ":") for k in known):
        hint = f"category {category!r} exists, but has no tracepoint like this one"
    else:
        hint = f"this kernel has no tracepoint category {category!r}"
    return AttachError(ENOENT, f"tracepoint {wanted!r} does not exist on this kernel", hint, reason="")


def _names(root: Fd) -> list[str]:
    return sorted(_read(root, "available_events").split())


def list_tracepoints() -> list[str]:
    """Every tracepoint of the running kernel, "category:name", sorted."""
    with open_root() as root:
        return _names(root)


def has_tracepoint(category: str, name: str) -> bool:
    """Is there a tracepoint of that name? Raises KernelError where tracefs is not to be had."""
    with open_root() as root:
        try:
            os.stat(f"events/{category}/{name}/id", dir_fd=root.fileno())
        except OSError:
            return False
    return True


def tracepoint_id(category: str, name: str) -> int:
    """The number that perf_event_open takes. Raises AttachError with near names when there is none."""
    return int(_event_file(category, name, "id"))


def tracepoint_format(category: str, name: str) -> list[TraceField]:
    """The fields of a tracepoint's record, the common ones (common_type …) first."""
    return parse_format(_event_file(category, name, "format"))


def parse_format(text: str) -> list[TraceField]:
    """The `field:` lines of a format file; other lines are skipped."""
    fields = []
    for line in text.splitlines():
        m = _FIELD.match(line)
        if m:
            kind = " ".join(m["type"].split()) + m["dims"]
            fields.append(TraceField(m["name"], kind, int(m["offset"]), int(m["size"]), m["signed"] == "1"))
    return fields


def kernel_functions() -> set[str]:
    """Every function of the kernel and its modules that /proc/kallsyms lists. Raises OSError."""
    with open("/proc/kallsyms", encoding="ascii", errors="replace") as file:
        return {line.split()[2] for line in file if line[17:18] in "tT"}


def probeable_functions() -> list[str]:
    """Kernel functions that ftrace can hook, modules' too, by name; where this kernel does not list them, every function
    of /proc/kallsyms. Raises KernelError."""
    with open_root() as root:
        try:
            return [line.split()[0] for line in _read(root, "available_filter_functions").splitlines() if line]
        except OSError:
            pass
    try:
        return list(kernel_functions())
    except OSError as error:
        raise refuse(error.errno or 0, "listing kernel functions", caps=(CAP_DAC_READ_SEARCH,)) from None


def function_addresses(names: set[str]) -> set[int]:
    """The addresses of all kernel functions of these names that ftrace can hook (6.5), or, where that is not told, of all."""
    with open_root() as root:
        try:
            rows = [line.split() for line in _read(root, "available_filter_functions_addrs").splitlines()]
            return {int(row[0], 16) for row in rows if row[1] in names}
        except OSError:
            pass
    with open("/proc/kallsyms", encoding="ascii", errors="replace") as file:
        return {int(line[:16], 16) for line in file if line[17:18] in "tT" and line.split()[2] in names}


def is_tracing() -> bool:
    """Does the kernel write to its trace buffer? It is switched off by whoever writes 0 to tracing_on, for all."""
    with open_root() as root:
        try:
            return _read(root, "tracing_on").strip() != "0"
        except OSError:
            return True  # nobody can tell


def open_pipe() -> Fd:
    """The trace pipe, not waiting for lines. Raises KernelError."""
    with open_root() as root:
        try:
            return Fd.owning("trace pipe", partial(os.open, dir_fd=root.fileno()), "trace_pipe",
                             os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise refuse(error.errno or 0, "opening the trace pipe", hint="another process reads it" if error.errno == EBUSY
                         else "", caps=(CAP_DAC_READ_SEARCH,)) from None
