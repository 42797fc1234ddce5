"""opt <pass> …: the module after the passes, in that order, verified between · optimize [name=value …]: the pipeline."""

from __future__ import annotations

from purebpf.ir import text, verify
from purebpf.opt import optimize
from purebpf.opt.pipeline import run_pass


def _opt(source: str, args: list[str]) -> str:
    module = text.parse(source)
    verify.check(module, "the test's input")
    for name in args:
        run_pass(name, module)
        verify.check(module, name)
    return text.print_module(module)


def _optimize(source: str, args: list[str]) -> str:
    module = text.parse(source)
    verify.check(module, "the test's input")
    optimize(module, verify=True)
    return text.print_module(module)


COMMANDS = {"opt": _opt, "optimize": _optimize}
