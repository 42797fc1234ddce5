"""The ways to run a program, by name; all take `Code` and a `Runtime` and give a `Program`.

    plain   interprets one instruction after the other
    fast    translates functions to Python, which pays when they loop or run often
    auto    fast for code with loops; for code without, plain until it has run often enough
"""

from __future__ import annotations

from typing import Final

from .code import Code, strides
from .plain import PlainProgram
from .runtime import Engine, Program, Runtime

WORTH_IT: Final = 100  # runs of code without loops; about where translating it has paid


class AutoProgram:
    """Plain at first, fast later; between two calls nobody can see the difference."""

    __slots__ = ("_calls", "_program", "code", "rt")

    def __init__(self, code: Code, rt: Runtime) -> None:
        self.code, self.rt, self._calls = code, rt, 0
        self._program: Program = _fast(code, rt) if strides(code) else PlainProgram(code, rt)

    def call(self, start: int, args: tuple[int, ...], depth: int) -> int:
        self._calls += 1
        if self._calls == WORTH_IT and isinstance(self._program, PlainProgram):
            self._program = _fast(self.code, self.rt)
        return self._program.call(start, args, depth)


def _fast(code: Code, rt: Runtime) -> Program:
    from .fast import FastProgram

    return FastProgram(code, rt)


ENGINES: Final[dict[str, Engine]] = {"auto": AutoProgram, "fast": _fast, "plain": PlainProgram}


def engine_named(name: str) -> Engine:
    """"auto", "fast" or "plain"; ValueError for anything else."""
    if name not in ENGINES:
        raise ValueError(f"no engine {name!r}: {', '.join(map(repr, ENGINES))}")
    return ENGINES[name]
