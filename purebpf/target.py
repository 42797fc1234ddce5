"""What an object is for: instruction set, byte order, kernel; and what its programs ask of a kernel."""

from __future__ import annotations

from typing import Final, NamedTuple

from .errors import Span
from .order import BIG, HOST, LITTLE, Order
from .uapi import versions

FLOOR: Final = "5.10"  # the oldest kernel that objects are made for unless one is stated
VM: Final = "99.0"  # the user-space VM: it has whatever a kernel has


class Target(NamedTuple):
    """`cpu`: version of the instruction set, 1 to 4 (3 runs on Linux 5.10 and later). `kernel`: the release that the object
    is for; "": the oldest from FLOOR on that has what the programs ask for by themselves. `order`: of bytes. `lacks`: what that
    kernel was built without ("kprobe"), where there is another way."""

    cpu: int = 3
    kernel: str = ""
    order: Order = HOST
    lacks: frozenset[str] = frozenset()

    def takes(self, since: str) -> bool:
        """Has the kernel what came with `since` ("" is always)?"""
        return versions.has(self.kernel or FLOOR, since)


OLDEST: Final = Target()
MACHINES: Final[dict[str, Order]] = {"bpf": HOST, "bpfel": LITTLE, "bpfeb": BIG}  # as LLVM names them: "bpf" is like this machine


def target(machine: str = "bpf", cpu: int = 3, kernel: str = "") -> Target:
    """The target of that name, as LLVM has it. ValueError for another."""
    if machine not in MACHINES:
        raise ValueError(f"no target {machine!r}: there are {', '.join(MACHINES)}")
    return Target(cpu, kernel, MACHINES[machine])


class Need(NamedTuple):
    """Something that a program asks of the kernel, which has it from `since` on; where it was first asked for."""

    since: str
    what: str
    span: Span


class Needs:
    """What the programs of one object ask of a kernel, each thing once; and what the compiler chose where it had a choice."""

    def __init__(self) -> None:
        self._found: dict[str, Need] = {}
        self.choices: list[tuple[Span, str]] = []

    def add(self, since: str, what: str, span: Span) -> None:
        if since and what not in self._found:
            self._found[what] = Need(since, what, span)

    def oldest(self) -> str:
        """The first kernel that has all of it, FLOOR at least."""
        return max((FLOOR, *(n.since for n in self._found.values())), key=versions.number)

    def newest_first(self) -> list[Need]:
        """What is newer than FLOOR: the reasons why the object needs the kernel that it needs."""
        late = [n for n in self._found.values() if not versions.has(FLOOR, n.since)]
        return sorted(late, key=lambda n: versions.number(n.since), reverse=True)


def explain(target: Target, needs: Needs) -> list[str]:
    """Lines for people: which kernels the object is for and why, and what was chosen."""
    oldest = needs.oldest()
    lines = [f"for Linux {target.kernel}, as asked" if target.kernel else f"for Linux {oldest} and later"]
    lines += [f"  {n.since:<5} {n.what} ({n.span.file}:{n.span.line})" for n in needs.newest_first()]
    lines += [f"  {text} ({span.file}:{span.line})" for span, text in needs.choices]
    return lines
