"""Every way of attaching on several kernels: `python tools/attach_matrix.py [--write]` prints the table of docs/kernels.md.

Each kernel is booted once under qemu (see tools/kernels.py); one process in it loads a program that counts, for each row, attaches
it, causes the event, detaches it and causes the event again.

    fires      it ran, and was silent after detaching        attached   it was accepted, and never ran
    STAYS      it ran after it was detached                  loads      the program was accepted, the attachment not
    no         neither (an old kernel, or one that is built without)
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNNER = os.path.join(ROOT, "..", "shared", "kernels", "run-in-kernel.sh")
KERNELS = ("5.10", "6.1", "6.12", "6.18", "7.3")
MARK = "RESULT "
GROUP = "/tmp/purebpf-matrix-group"
DOCUMENT = os.path.join(ROOT, "docs", "kernels.md")


class Way(NamedTuple):
    """A row: the section, what causes the event, the program's answer, what attach() is given; `link`: how it hangs there."""

    section: str
    action: str
    link: str = "link"
    result: int = 0
    target: Any = None
    options: dict[str, Any] = {}


WAYS = (
    Way("tracepoint/syscalls/sys_enter_getpgid", "getpgid", "perf event"), Way("raw_tp/sys_enter", "getpgid"),
    Way("tp_btf/sys_enter", "getpgid"), Way("kprobe/do_nanosleep", "nap", "perf event"), Way("kretprobe/do_nanosleep", "nap", "perf event"),
    Way("ksyscall/getpgid", "getpgid", "perf event"), Way("kprobe.multi/do_nanosle*", "nap"), Way("kprobe.session/do_nanosle*", "nap"),
    Way("fentry/do_nanosleep", "nap"), Way("fexit/do_nanosleep", "nap"),
    Way("fmod_ret/security_file_open", "opened"), Way("lsm/file_open", "opened"),
    Way("uprobe/libc.so.6:getppid", "getppid", "perf event"), Way("uretprobe/libc.so.6:getppid", "getppid", "perf event"),
    Way("uprobe.multi/libc.so.6:getppi?", "getppid"), Way("uprobe.session/libc.so.6:getppi?", "getppid"),
    Way("perf_event", "spin", "perf event", 0, "cpu_clock", {"frequency": 500, "pid": 0}), Way("iter/task", "iterate"),
    Way("xdp", "frame", "link", 2, "lo", {"mode": "generic"}), Way("xdp", "frame", "netlink", 2, "lo", {"mode": "generic", "via": "netlink"}),
    Way("tc", "frame", "tcx", 0, "lo", {"via": "tcx"}), Way("tc", "frame", "clsact", 0, "lo", {"via": "clsact"}),
    Way("netkit/primary", "netkit", "link", 0, "netkit-a"), Way("netkit/peer", "netkit peer", "link", 0, "netkit-a"),
    Way("socket", "frame", "socket option", 0, "SOCKET"), Way("netfilter", "udp", "link", 1, "ipv4:local_in"),
    Way("sk_lookup", "udp", "link", 1, "/proc/thread-self/ns/net"), Way("cgroup_skb/egress", "udp", "link", 1, GROUP),
    Way("cgroup/sock_create", "udp", "link", 1, GROUP), Way("cgroup/connect4", "tcp", "link", 1, GROUP), Way("cgroup/bind4", "udp", "link", 1, GROUP),
    Way("cgroup/setsockopt", "udp", "link", 1, GROUP), Way("cgroup/getsockopt", "udp", "link", 1, GROUP),
    Way("cgroup/sysctl", "sysctl", "link", 1, GROUP), Way("cgroup/dev", "device", "link", 1, GROUP), Way("sockops", "tcp", "link", 1, GROUP),
    Way("cgroup/connect_unix", "unix", "link", 1, GROUP), Way("lsm_cgroup/socket_create", "udp", "link", 1, GROUP),
)


# ── in the kernel under test ─────────────────────────────────────────────────────────────────────────────────────────


def actions(peer: str) -> dict[str, Callable[[Any], object]]:
    """What causes an event, by name; given the link. `peer`: the other one of the pair of netkit devices."""
    import time

    from tests.kernel import net
    from tests.kernel import test_matrix as m

    libc = ctypes.CDLL(None)

    def spin(link: Any) -> None:
        stop = time.monotonic() + 0.5
        while time.monotonic() < stop:
            pass

    return {"getpgid": lambda link: os.getpgid(0), "getppid": lambda link: libc.getppid(), "nap": lambda link: time.sleep(0.01),
            "opened": lambda link: open("/proc/self/comm").close(), "spin": spin,
            "iterate": lambda link: None if link.closed else link.read(), "frame": lambda link: net.send_raw("lo", m.FRAME),
            "udp": lambda link: m.options() or m.udp(), "tcp": lambda link: m.tcp(), "unix": lambda link: m.unix_stream(),
            "netkit": lambda link: net.send_raw("netkit-a", m.FRAME), "netkit peer": lambda link: net.send_raw(peer, m.FRAME),
            "sysctl": lambda link: m.read_sysctl(), "device": lambda link: m.open_device()}


def tried(way: Way, causes: dict[str, Callable[[Any], object]]) -> tuple[str, str]:
    """(what happened, details)."""
    from purebpf import loader
    from purebpf.errors import PureBpfError
    from tests.kernel.test_links import counter, grows

    try:
        k = loader.load(counter(way.section, way.result))
    except PureBpfError as error:
        return "no", str(error)
    with k, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300) as sock:
        sock.bind(("lo", 3))
        try:
            link = k["prog"].attach(sock if way.target == "SOCKET" else way.target, **way.options)
        except PureBpfError as error:
            return "loads", str(error)
        cause = causes[way.action]
        ran = grows(k, lambda: cause(link), 1)
        link.close()
        if not ran:
            return "attached", ""
        return ("STAYS", "") if grows(k, lambda: cause(link)) else ("fires", "")


def guest() -> int:
    """One line of JSON a row."""
    import warnings

    sys.path.insert(0, ROOT)
    from tests.kernel import net

    warnings.simplefilter("ignore")
    net.up("lo")
    os.makedirs("/tmp/purebpf-cgroup2", exist_ok=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", "/tmp/purebpf-cgroup2"], check=True)
    os.mkdir("/tmp/purebpf-cgroup2/matrix")
    with open("/tmp/purebpf-cgroup2/matrix/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    if not os.path.lexists(GROUP):
        os.symlink("/tmp/purebpf-cgroup2/matrix", GROUP)
    causes = actions(net.add_netkit("netkit-a"))
    for way in WAYS:
        print(MARK + json.dumps([way.section, way.link, *tried(way, causes)]), flush=True)
    return 0


# ── on the host ──────────────────────────────────────────────────────────────────────────────────────────────────────


def of_kernel(kernel: str, runner: str) -> dict[tuple[str, str], tuple[str, str]]:
    command = [runner, "-k", kernel, "--", sys.executable, os.path.abspath(__file__), "--guest"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [json.loads(line.removeprefix(MARK)) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if len(rows) != len(WAYS):
        raise SystemExit(f"kernel {kernel}: {len(rows)} of {len(WAYS)} rows, exit status {done.returncode}\n"
                         f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return {(section, link): (what, why) for section, link, what, why in rows}


def table(found: dict[str, dict[tuple[str, str], tuple[str, str]]]) -> str:
    """In Markdown, a row a way, a column a kernel."""
    lines = [f"| section | by | {' | '.join(found)} |", "|---" * (len(found) + 2) + "|"]
    for way in WAYS:
        cells = [found[kernel][way.section, way.link][0] for kernel in found]
        section = way.section.replace("|", "\\|")
        lines.append(f"| `{section}` | {way.link} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", nargs="+", default=KERNELS, metavar="SERIES")
    parser.add_argument("--runner", default=RUNNER)
    parser.add_argument("--write", action="store_true", help="put the table into docs/kernels.md")
    parser.add_argument("--details", action="store_true", help="also say why each no is one")
    parser.add_argument("--guest", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.guest:
        return guest()
    found = {kernel: of_kernel(kernel, args.runner) for kernel in args.kernels}
    made = table(found)
    print(made)
    if args.details:
        for kernel, rows in found.items():
            for (section, _), (what, why) in rows.items():
                print(f"{kernel} {section}: {what}: {why}" if why else "", end="\n" if why else "")
    if args.write:
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read()
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(re.sub(r"\| section \| by .*?\n(?!\|)", lambda _: made, text, flags=re.DOTALL))
    return int(any(what == "STAYS" for rows in found.values() for what, _ in rows.values()))


if __name__ == "__main__":
    assert platform.system() == "Linux"
    sys.exit(main())
