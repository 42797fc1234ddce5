"""The fast engine: each function of a program becomes a Python function.

    flow.py      blocks, dominators, loops, live registers        facts.py   how wide a register is, what it points to
    shape.py     gotos to `while`, `if`, `break`, `continue`      emit.py    instructions to lines of Python
    program.py   the whole text; running it; from a Python line back to the instruction that faulted

Exactness comes from giving way: every short cut that does not apply raises an ordinary Python exception, and the same
operation is done again in full by runtime.py or memory.py, which the plain engine uses too.
"""

from __future__ import annotations

from .program import FastProgram

__all__ = ["FastProgram"]
