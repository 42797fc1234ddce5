"""`make demo`: compile the four examples and run them, in the kernel where bpf(2) is allowed, otherwise in the VM.

Each line says what ran where; the exit status is not 0 if an example gives a wrong answer."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import exec_events  # noqa: E402 - the path above leads to it
import openat_count  # noqa: E402
import payload_hash  # noqa: E402
import xdp_protocols  # noqa: E402

import purebpf as bpf  # noqa: E402
from purebpf.api import compile_all  # noqa: E402


def packet(kind: str, dport: int = 53) -> bytes:
    """An Ethernet frame: "tcp", "udp" or "udp6", with a VLAN tag if the name ends in "+vlan"."""
    base, _, tag = kind.partition("+")
    l4 = struct.pack(">HHHH", 4000, dport, 8 + 4, 0) + b"data" if base.startswith("udp") else bytes(20)
    number = 17 if base.startswith("udp") else 6
    if base.endswith("6"):
        l3, proto = struct.pack(">IHBB", 6 << 28, len(l4), number, 64) + bytes(32), 0x86DD
    else:
        l3, proto = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0, 64, number, 0) + bytes(8), 0x0800
    vlan = struct.pack(">HH", 0x8100, 5) if tag else b""
    return bytes(12) + vlan + struct.pack(">H", proto) + l3 + l4


PACKETS = [packet("tcp"), packet("udp"), packet("udp6"), packet("udp+vlan", 9999), packet("tcp+vlan")]
ANSWERS = [2, 2, 2, 1, 2]
PAYLOAD = bytes(range(256)) + b"beyond the limit"


def in_kernel() -> None:
    """All four, attached where they belong."""
    with bpf.load(openat_count.on_openat) as k:
        for _ in range(1000):
            open("/dev/null").close()
        print("  openat_count: attached; busiest:", *(f"pid {p}: {n}" for p, n in k[openat_count.calls].top(3)))
        assert k[openat_count.calls][os.getpid()] >= 1000

    with bpf.load(xdp_protocols.protocols) as k:
        answers = [k[xdp_protocols.protocols].test_run(p).retval for p in PACKETS]
        totals = {kind.name: k[xdp_protocols.stats][kind].sum() for kind in xdp_protocols.Kind}
        print("  xdp_protocols: verdicts", answers, totals)
        assert answers == ANSWERS and totals["UDP"].packets == 3 and totals["TCP"].packets == 2
        attach_and_ping(k)

    with bpf.load(exec_events.on_exec) as k:
        subprocess.run(["/bin/true"], check=True)
        seen = [e for e in k[exec_events.events].events(timeout=1) if e.filename == "/bin/true"]
        print("  exec_events:", *seen[:1])
        assert seen and seen[0].ppid == os.getpid() and seen[0].comm == "true"

    with bpf.load(payload_hash.hash_payload) as k:
        k[payload_hash.hash_payload].test_run(bytes(14) + PAYLOAD)
        compare(k[payload_hash.last_hash].value)


def attach_and_ping(k: Any) -> None:
    """XDP on the loopback interface, if this process may attach there."""
    import socket

    try:
        link = k[xdp_protocols.protocols].attach("lo")
    except bpf.KernelError as error:
        print("    not attached to lo:", error.strerror)
        return
    with link, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(10):
            s.sendto(b"hello", ("127.0.0.1", 5353))
        print("    attached to lo; UDP after 10 datagrams:", k[xdp_protocols.stats][xdp_protocols.Kind.UDP].sum())


def in_vm() -> None:
    """All four in the embedded VM, on made-up input."""
    from purebpf.vm import Machine

    machine = Machine(compile_all(openat_count.on_openat).spec)
    for _ in range(1000):
        machine.run()
    print("  openat_count:", dict(machine.maps["calls"].items()))
    assert list(machine.maps["calls"].values()) == [1000]

    machine = Machine(compile_all(xdp_protocols.protocols).spec)
    answers = [machine.run(data=p).retval for p in PACKETS]
    print("  xdp_protocols: verdicts", answers, dict(machine.maps["stats"].items()))
    assert answers == ANSWERS

    machine = Machine(compile_all(exec_events.on_exec).spec)
    machine.run(ctx=bytes(8) + struct.pack("<HHii", 20, 10, 7, 7) + b"/bin/true\0" + bytes(6))
    events = list(machine.maps["events"].records())
    print("  exec_events:", *events)
    assert len(events) == 1 and events[0].filename == "/bin/true"

    machine = Machine(compile_all(payload_hash.hash_payload).spec)
    machine.run(data=bytes(14) + PAYLOAD)
    compare(machine.vars["last_hash"])


def compare(got: int) -> None:
    """The hash against CPython running the same functions."""
    want = payload_hash.payload_hash(PAYLOAD)
    print(f"  payload_hash: {got:#010x}, CPython says {want:#010x}")
    assert got == want


def main() -> int:
    """The kernel if it lets us, else the VM, saying why."""
    where: Callable[[], None] = in_kernel
    try:
        with bpf.load(payload_hash.hash_payload):
            print("bpf(2) is allowed: running in the kernel")
    except bpf.NotSupported as error:
        print(f"bpf(2) is not for us here, so the embedded VM runs them: {error}")
        where = in_vm
    where()
    if where is in_kernel:
        print("and in the embedded VM, which needs no privilege:")
        in_vm()
    print("the four examples did what they should")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
