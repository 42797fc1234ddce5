"""The corpus: natural programs, in the VM, the kernel and CPython. What fails today stands in pending.txt; that list only
shrinks: a program that passes and still stands there is a failure too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import harness, judges
from .pending import pending

WAITING = pending("pending.txt")
NAMES = harness.programs()


def judged(name: str, place: str, judge: Callable[[], None]) -> None:
    """Runs `judge`; it must pass, or fail if the list says that it fails in this place."""
    where, reason = WAITING.get(name, ("", ""))
    try:
        judge()
    except Exception:
        if where != place:
            raise
        pytest.xfail(reason)
    if where == place:
        pytest.fail(f"{name} passes now: delete its line in pending.txt")


@pytest.mark.parametrize("name", NAMES)
def test_vm(name: str) -> None:
    """Builds in every form, and gives what the file says in the VM."""
    judged(name, "all", lambda: harness.check(name, judges.Vm))


@pytest.mark.parametrize("name", [n for n in NAMES if "CALLS" in (harness.HERE / f"{n}.py").read_text(encoding="utf-8")])
def test_python(name: str) -> None:
    """CPython gives what the file says of its plain functions. Nothing to wait for, once the file can be imported."""
    harness.check_python(name)


@pytest.mark.kernel
@pytest.mark.parametrize("name", [n for n in NAMES if WAITING.get(n, ("",))[0] != "all"])
def test_kernel(name: str) -> None:
    """Every build is taken by the verifier, and gives what the file says."""
    kernel = judges.Hurried if name in WAITING else judges.Kernel
    judged(name, "kernel", lambda: harness.check(name, kernel))


def test_pending_names_programs() -> None:
    assert not set(WAITING) - set(NAMES), "pending.txt names what is not there"


def test_enough() -> None:
    assert len(NAMES) >= 120
