"""The two ways to run a program, by name; both take `Code` and a `Runtime` and give a `Program`."""

from __future__ import annotations

from .runtime import Engine


def engine_named(name: str) -> Engine:
    """"fast" translates functions to Python, "plain" interprets one instruction after the other."""
    if name == "plain":
        from .plain import PlainProgram

        return PlainProgram
    if name == "fast":
        from .fast import FastProgram

        return FastProgram
    raise ValueError(f"no engine {name!r}: 'fast' or 'plain'")
