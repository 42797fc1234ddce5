"""Algebra: one `case` line a rule, grouped by op in `rules_int`, `rules_test`, `rules_mem`. One walk.

    %1 = add %a, 2              %2 = add %a, 5
    %2 = add 3, %1        ==>
    %3 = and %2, 0xffffffff     %3 = add32 %a, 5

Canonical forms that rules, `gvn` and codegen rely on: constants stand right; `x - c` is `x + -c`; multiplying or dividing
by a power of two is a shift; `x < c+1` for `x <= c`; unsigned forms where signs cannot differ; 64-bit comparisons where
both sides fit 32 bits, unless the constant then needs no ld_imm64; constant pointer steps are outermost, and in the offset
of loads and stores; a branch tests a comparison or `x != 0` as `x` itself; packet_end stands right.
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Function, Value
from . import rules_int, rules_mem, rules_test
from .bits import Bits
from .rewrite import Rewriter, Rules

RULES: Final[Rules] = {**rules_int.RULES, **rules_test.RULES, **rules_mem.RULES}


def simplify(fn: Function, known: dict[Value, int] | None = None) -> bool:
    """Apply the rules to every op of `fn`; whether anything changed. `known`: masks of bits, see `Bits`."""
    return Rewriter(RULES, Bits(known)).run(fn)
