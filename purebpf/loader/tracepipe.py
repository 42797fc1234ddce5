"""The trace pipe: what programs print (`print`, `bpf_trace_printk`), line by line, of all programs in the kernel.

    cat-1234    [001] d..31  123.456789: bpf_trace_printk: text

Reading takes the lines out: of several readers each gets some.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Iterator
from errno import EAGAIN, EINTR
from typing import NamedTuple

from .reader import wait_readable
from .refusals import refuse
from .tracefs import is_tracing, open_pipe

_LINE = re.compile(r"\s*(?P<task>.*)-(?P<pid>\d+)\s+(?:\([^)]*\)\s+)?\[(?P<cpu>\d+)\]\s+\S+\s+(?P<time>\d+\.\d+): "
                   r"(?:bpf_trace_printk: |0x[0-9a-f]+: )?(?P<text>.*)")


class TraceLine(NamedTuple):
    """One line; `time` in seconds since boot. What is no such line is all `text`, with pid -1."""

    task: str
    pid: int
    cpu: int
    time: float
    text: str


def parse(line: str) -> TraceLine:
    m = _LINE.fullmatch(line)
    if m is None:
        return TraceLine("", -1, -1, 0.0, line)
    return TraceLine(m["task"], int(m["pid"]), int(m["cpu"]), float(m["time"]), m["text"])


class Pipe:
    """The open pipe. `lines()` gives those that are there now; `fileno()` is readable when there are some. Raises
    KernelError where tracefs is not to be had; warns where tracing is switched off, as nothing comes then."""

    def __init__(self) -> None:
        if not is_tracing():
            warnings.warn("tracing is switched off, so nothing that programs print will come: write 1 to tracing_on in tracefs "
                          "(/sys/kernel/tracing)", RuntimeWarning, stacklevel=3)
        self._fd, self._rest = open_pipe(), b""

    def fileno(self) -> int:
        return self._fd.fileno()

    def lines(self) -> list[TraceLine]:
        try:
            self._rest += os.read(self.fileno(), 1 << 16)
        except OSError as error:
            if error.errno not in (EAGAIN, EINTR):
                raise refuse(error.errno or 0, "reading the trace pipe") from None
            return []
        *lines, self._rest = self._rest.split(b"\n")
        return [parse(line.decode(errors="replace")) for line in lines]

    def close(self) -> None:
        self._fd.close()

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def trace(seconds: float | None = None) -> Iterator[TraceLine]:
    """Lines as they come, for `seconds` in all (None: for ever). Raises KernelError where tracefs is not to be had."""
    deadline = None if seconds is None else time.monotonic() + seconds
    with Pipe() as pipe:
        while True:
            lines = pipe.lines()
            yield from lines
            left = None if deadline is None else deadline - time.monotonic()
            if not lines and left is not None and left <= 0:
                return
            if not lines:
                wait_readable([pipe.fileno()], left)
