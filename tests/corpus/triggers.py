"""What makes a tracing program run, by name; and what this process is called."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

from purebpf.uapi.enums import ProgType

_P = ProgType
PACKETS = frozenset({_P.XDP, _P.SCHED_CLS, _P.SCHED_ACT, _P.SOCKET_FILTER, _P.CGROUP_SKB, _P.LWT_IN, _P.LWT_OUT,
                     _P.LWT_XMIT})
FRAME = bytes(64)  # what packet programs get unless the case says otherwise


def comm() -> str:
    """The name of this thread, as the kernel has it."""
    try:
        with open("/proc/thread-self/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "python"


def _open() -> None:
    os.close(os.open("/etc/hostname", os.O_RDONLY))


def _exec() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true", "first", "second"], {}), 0)


def _bind() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))


def _connect() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        server.accept()[0].close()


def _write() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.close(reader)
    os.close(writer)


TABLE: dict[str, Callable[[], object]] = {
    "open": _open,
    "exec": _exec,
    "bind": _bind,
    "connect": _connect,
    "write": _write,
    "getpid": os.getppid,
    "kill": lambda: os.kill(os.getpid(), 0),
    "sleep": lambda: time.sleep(0.001),
    "alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 0),
}
