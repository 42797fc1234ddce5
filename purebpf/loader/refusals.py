"""Why the kernel said no: an errno and what was tried, as the typed error with advice."""

from __future__ import annotations

import errno as E

from ..errors import KernelError, NotSupported
from . import sys

CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 2, 12, 21, 38, 39
_NAMES = {CAP_DAC_READ_SEARCH: "CAP_DAC_READ_SEARCH", CAP_NET_ADMIN: "CAP_NET_ADMIN", CAP_SYS_ADMIN: "CAP_SYS_ADMIN", CAP_PERFMON: "CAP_PERFMON",
          CAP_BPF: "CAP_BPF"}


def refuse(errno: int, action: str, *, feature: str = "", since: str = "", hint: str = "",
           caps: tuple[int, ...] = (CAP_BPF,)) -> KernelError:
    """The error to raise for `errno` of `action`. `feature` (default: the action) and `since` name what may be
    missing; `caps` are the capabilities that a process needs for it."""
    if errno in (E.EPERM, E.EACCES) and not holds(caps):
        return NotSupported(errno, action, hint=_privilege(caps))
    if since and older_than(since) and errno not in (E.EPERM, E.EACCES, E.ENOMEM, E.EMFILE, E.ENFILE, E.ENOSPC):
        return NotSupported(errno, feature or action, since, hint, reason=action if feature else None)
    if errno == E.ENOSYS:
        return NotSupported(errno, action, "", hint or confinement() or "this kernel is built without CONFIG_BPF_SYSCALL")
    if errno in (sys.ENOTSUPP, E.EOPNOTSUPP):
        return NotSupported(errno, action, "", hint)
    if errno in (E.EPERM, E.EACCES) and not hint:
        confined = confinement()
        if confined:
            return NotSupported(errno, action, hint=confined)
        hint = _policy()
    if errno in (E.EMFILE, E.ENFILE):
        hint = "; ".join(filter(None, (hint, _open_files())))
    return KernelError(errno, action, hint)


_VM = "; the VM needs no privilege: prog.simulate(), purebpf run"


def confinement() -> str:
    """What keeps a process that looks like root from bpf(2), and what to do; "" if nothing does."""
    if _line("/proc/self/uid_map").split() not in ([], ["0", "0", "4294967295"]):
        return ("this process is in a user namespace, where even root may not use BPF: run it outside of it (a container "
                "as --userns=host), or give it a BPF token" + _VM)
    if _status("Seccomp") not in ("", "0"):
        return ("a seccomp filter may forbid it, as containers' default ones do: run the container with --security-opt "
                "seccomp=unconfined (or a profile that allows bpf and perf_event_open)" + _VM)
    return ""


def _open_files() -> str:
    import resource

    return f"as many files are open as may be: RLIMIT_NOFILE is {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} (ulimit -n)"


def older_than(since: str) -> bool:
    """Is the running kernel older than release "6.6"?"""
    major, _, minor = since.partition(".")
    return sys.kernel_version()[:2] < (int(major), int(minor or 0))


def capabilities() -> int:
    """The effective capabilities of this thread, one bit each; none where /proc is not there to ask."""
    return int(_status("CapEff") or "0", 16)


def _status(field: str) -> str:
    try:
        with open("/proc/thread-self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return line.split()[1]
    except OSError:
        pass
    return ""


def holds(caps: tuple[int, ...]) -> bool:
    """Has this process the capabilities, or CAP_SYS_ADMIN, which stands for all?"""
    have = capabilities()
    return bool(have >> CAP_SYS_ADMIN & 1) or all(have >> c & 1 for c in caps)


def _privilege(caps: tuple[int, ...]) -> str:
    have = capabilities()
    lacking = [_NAMES.get(c, str(c)) for c in caps if not have >> c & 1]
    text = f"this process lacks {' and '.join(lacking)}: run it as root, or give it the capability"
    disabled = _line("/proc/sys/kernel/unprivileged_bpf_disabled")
    if disabled in ("1", "2"):
        text += f" (kernel.unprivileged_bpf_disabled is {disabled}: bpf(2) is closed to unprivileged processes)"
    return text


def _policy() -> str:
    """What refuses even root."""
    lockdown = _line("/sys/kernel/security/lockdown")
    current = lockdown.partition("[")[2].partition("]")[0]
    if current not in ("", "none"):
        return f"the kernel is locked down ({current}), which forbids some uses even to root"
    if older_than("5.11"):
        return "before Linux 5.11 maps and programs count against RLIMIT_MEMLOCK: raise it (ulimit -l unlimited)"
    return ""


def _line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""
