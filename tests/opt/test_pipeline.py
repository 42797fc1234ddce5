"""The pass list is consistent, honors its options, and every pass has filetests."""

from __future__ import annotations

from pathlib import Path

import pytest

from purebpf.errors import InternalError
from purebpf.ir import text
from purebpf.ir.function import Const, Function, Module, Param
from purebpf.ir.types import I64
from purebpf.opt import optimize, pipeline
from purebpf.opt.pipeline import CONSTRAINTS, MODULE_PASSES, PASSES, STEPS, run_pass
from purebpf.opt.proofs import Proofs

NAMES = [s.name for s in STEPS]
FILETESTS = Path(__file__).parent.parent / "filetests" / "opt"

SOURCE = """
func @main(%a: i64) -> i64 {
entry:
  %t = alloca 8 align 8 : ptr.stack
  store.u64 %t, %a
  %x = call @twice(%a)
  %y = load.u64 %t
  %z = add %x, %y
  ret %z
}
func @twice(%a: i64) -> i64 inline=auto {
entry:
  %x = add %a, %a
  ret %x
}
"""


def test_every_step_is_a_pass_and_every_pass_a_step() -> None:
    assert set(NAMES) == set(PASSES) | set(MODULE_PASSES)
    assert not set(PASSES) & set(MODULE_PASSES)


def test_every_step_says_why() -> None:
    assert all(s.why for s in STEPS)
    for i, step in enumerate(STEPS):
        assert not step.after or step.after in NAMES[:i], f"{step} waits for a pass that comes later"


@pytest.mark.parametrize("first, then, why", CONSTRAINTS)
def test_constraints_hold(first: str, then: str, why: str) -> None:
    last = len(NAMES) - 1 - NAMES[::-1].index(then)
    assert first in NAMES[:last], why


def test_every_pass_has_filetests() -> None:
    for name in {*PASSES, *MODULE_PASSES}:
        assert list((FILETESTS / name).glob("*.ir")), f"tests/filetests/opt/{name}/ is empty"


def test_result_and_observer() -> None:
    module = text.parse(SOURCE)
    seen: list[str] = []
    optimize(module, verify=True, observe=lambda name, m: seen.append(name))
    assert text.print_module(module) == "func @main(%a: i64) -> i64 {\nentry:\n  %x = add %a, %a\n  %z = add %x, %a\n  ret %z\n}\n"
    assert list(module.functions) == ["main"]
    assert [n for n in NAMES if n in seen][:2] == seen[:2]


def test_level_zero_changes_nothing() -> None:
    module = text.parse(SOURCE)
    optimize(module, level=0)
    assert text.print_module(module) == text.print_module(text.parse(SOURCE))


def test_level_one_runs_less() -> None:
    seen: list[str] = []
    optimize(text.parse(SOURCE), level=1, observe=lambda name, m: seen.append(name))
    assert "inline" in seen and "unroll" not in seen and "merge" not in seen


def test_skip_and_stop() -> None:
    seen: list[str] = []
    module = text.parse(SOURCE)
    optimize(module, skip=("inline",), stop_after="memory", observe=lambda name, m: seen.append(name))
    assert "inline" not in seen and seen[-1] == "memory"
    assert list(module.functions) == ["main", "twice"]


def test_a_pass_that_breaks_the_ir_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(fn: Function) -> bool:
        fn.entry.terminator.args = [Const(1), Const(2)]
        return True

    monkeypatch.setitem(pipeline.PASSES, "gvn", broken)
    with pytest.raises(InternalError, match="in gvn") as e:
        optimize(text.parse(SOURCE), verify=True)
    assert "ret 1, 2" in e.value.dump


def test_a_pass_that_changes_in_silence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pass says decides which passes run after it, and what is looked at again."""
    def silent(fn: Function) -> bool:
        fn.entry.terminator.args = [Const(1)]
        return False

    monkeypatch.setitem(pipeline.PASSES, "gvn", silent)
    with pytest.raises(InternalError, match="in gvn: changed @main and did not say so"):
        optimize(text.parse(SOURCE), verify=True)


def test_callers_are_looked_at_again_when_what_they_call_changes() -> None:
    module = text.parse(SOURCE)
    proofs = Proofs(module)
    module.functions["twice"].entry.params.append(Param(I64, "extra"))
    with pytest.raises(InternalError, match="@twice takes 2 arguments"):
        proofs.check(module, "abi", module.functions, local=False)


def test_same_input_same_output() -> None:
    """Object identities must not leak into the order of things."""
    from random import Random

    from tests.property.strategies_ir import make

    for seed in range(20):
        source = text.print_module(make(Random(seed)))
        outputs = set()
        for _ in range(3):
            ballast = [Module([]) for _ in range(seed * 7)]  # other addresses
            module = text.parse(source)
            optimize(module)
            outputs.add(text.print_module(module))
            del ballast
        assert len(outputs) == 1


def test_run_pass_runs_module_passes() -> None:
    module = text.parse(SOURCE)
    run_pass("inline", module)
    assert list(module.functions) == ["main"]


def test_a_pass_that_loses_a_proof_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that decides the test of an index by what it alone knows."""
    source = """
func @f(%x: i64, %v: ptr.value) -> i64 {
entry:
  %y = umod %x, 5
  %c = ult %y, 8
  br %c, ok, bad
ok:
  %i = below %y, 8
  %p = ptradd %v, %i
  %r = load.u8 %p
  ret %r
bad:
  ret 0
}
"""
    optimize(text.parse(source), verify=True)

    def broken(fn: Function) -> bool:
        fn.entry.terminator.args[0] = Const(1)
        return True

    monkeypatch.setitem(PASSES, "gvn", broken)
    with pytest.raises(InternalError, match="in gvn: lost the proof that the kernel needs: .*number"):
        optimize(text.parse(source), verify=True)
