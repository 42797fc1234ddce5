"""The harness sees what it is there to see: each kind of expectation, wrong by a little, is a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import harness
from .judges import Kernel, Vm
from .values import Wrong, same

PROGRAM = '''
import purebpf as bpf
from purebpf import Array, Global, HashMap, Queue, RingBuf, char, u8, u32, u64

@bpf.struct
class Event:
    pid: u32
    name: char[8]

hits = Global[u64](0)
m = HashMap[u32, u64](max_entries=8)
a = Array[u32](max_entries=4)
q = Queue[u32](max_entries=4)
rb = RingBuf[Event](max_entries=4096)

def double(n: u32) -> u64:
    return n * 2

@bpf.xdp
def prog(ctx):
    e = ctx.packet.pull(u8)
    if e is None:
        return 1
    e.value = 9
    hits.value += 1
    m[1] += 5
    a[2] = 7
    q.push(3)
    q.push(4)
    rb.output(Event(pid=1, name="x"))
    print(f"n {hits.value}")
    return 2
'''
RIGHT: dict[str, Any] = {
    "retval": 2, "after": b"\x09" + bytes(63), "globals_after": {"hits": 1}, "maps_after": {"m": {1: 5}, "a": {2: 7}, "q": [3, 4]},
    "records": {"rb": [(1, "x")]}, "prints": ["n 1"]}
WRONG: list[dict[str, Any]] = [
    {"retval": 1}, {"after": bytes(64)}, {"globals_after": {"hits": 2}}, {"globals_after": {"hits": lambda n: n > 1}},
    {"maps_after": {"m": {}}}, {"maps_after": {"m": {1: 6}}}, {"maps_after": {"m": {2: 5}}}, {"maps_after": {"m": {1: 5, 2: 5}}},
    {"maps_after": {"a": {2: 8}}}, {"maps_after": {"q": [4, 3]}}, {"maps_after": {"q": [3]}}, {"records": {"rb": []}},
    {"records": {"rb": [(2, "x")]}}, {"records": {"rb": [{"name": "y"}]}}, {"prints": ["n 2"]}]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a file of the corpus elsewhere: `corpus(cases, calls)` gives its name."""
    monkeypatch.setattr(harness, "HERE", tmp_path)
    (tmp_path / "t").mkdir()

    def write(cases: str, calls: str = "{}") -> str:
        number = len(list((tmp_path / "t").iterdir()))
        (tmp_path / f"t/p{number}.py").write_text(f"{PROGRAM}\nCASES = {cases}\nCALLS = {calls}\n")
        return f"t/p{number}"

    return write


def at(name: str, case: dict[str, Any]) -> None:
    harness.load_module(harness.HERE / f"{name}.py").CASES = [case]  # type: ignore[attr-defined]


@pytest.mark.parametrize("judge", [Vm, pytest.param(Kernel, marks=pytest.mark.kernel)])
def test_expectations(corpus: Any, judge: Any) -> None:
    name = corpus("[]")
    at(name, RIGHT)
    harness.check(name, judge)
    for case in WRONG:
        if judge is Kernel and "prints" in case:
            continue  # the trace pipe is everybody's
        at(name, case)
        with pytest.raises(Wrong):
            harness.check(name, judge)


def test_calls(corpus: Any) -> None:
    right, wrong = corpus("[]", "{'double(4)': 8}"), corpus("[]", "{'double(4)': 9}")
    harness.check_python(right)
    harness.check(right, Vm)
    for see in (lambda: harness.check_python(wrong), lambda: harness.check(wrong, Vm)):
        with pytest.raises(Wrong):
            see()


def test_unknown_key(corpus: Any) -> None:
    name = corpus("[{'retvall': 2}]")
    with pytest.raises(AssertionError, match="retvall"):
        harness.check(name, Vm)


def test_same() -> None:
    assert same([1, 2], (1, 2)) and same(b"ab", [97, 98]) and same([97, 0], "a") and same(True, 1)
    assert not same([1, 2], (1, 3)) and not same([1], (1, 2)) and not same("a", "b") and not same(1, lambda n: n > 1)
