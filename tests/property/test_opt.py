"""Passes keep what programs do: random modules before and after, in the interpreter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from purebpf.ir import text, verify
from purebpf.ir.function import Module
from purebpf.opt import optimize
from purebpf.opt.pipeline import MODULE_PASSES, PASSES, run_pass

from .strategies_ir import behave, modules, words

COMMON = dict(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(modules, words, words)
@settings(max_examples=60, **COMMON)
def test_generator_makes_legal_modules_that_print_and_parse(module: Module, a: int, b: int) -> None:
    verify.check(module, "generator")
    again = text.parse(text.print_module(module))
    assert text.print_module(again) == text.print_module(module)
    assert behave(again, a, b) == behave(module, a, b)


@pytest.mark.parametrize("name", sorted({**PASSES, **MODULE_PASSES}))
@given(modules, words, words)
@settings(max_examples=25, **COMMON)
def test_pass_keeps_behaviour(name: str, module: Module, a: int, b: int) -> None:
    before = text.print_module(module)
    expected = behave(module, a, b)
    if name == "abi":
        run_pass("aborts", module)
    run_pass(name, module)
    verify.check(module, name)
    assert behave(module, a, b) == expected, f"{before}\n--- after {name}\n{text.print_module(module)}"


@given(modules, words, words)
@settings(max_examples=60, **COMMON)
def test_pipeline_keeps_behaviour(module: Module, a: int, b: int) -> None:
    source = text.print_module(module)
    expected = behave(module, a, b)

    def observe(name: str, m: Module) -> None:
        assert behave(m, a, b) == expected, f"{source}\n--- after {name}\n{text.print_module(m)}"

    optimize(module, verify=True, observe=observe)
