"""Random programs give the same answer in CPython, the IR interpreter, the VM without and with optimisation, the kernel.

A few hundred here; `make fuzz` runs 2,000. The seeds are fixed so that a failure is a failure for everybody."""

from __future__ import annotations

import pytest

from tests.property.programs import I64, U64, Generator, program
from tests.property.runners import Runners, module

CHUNKS = [range(start, start + 25) for start in range(0, 300, 25)]


@pytest.mark.kernel
@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda r: f"{r.start}-{r.stop - 1}")
def test_five_runners_agree(seeds: range) -> None:
    runners = Runners()
    for seed in seeds:
        runners.check(seed)


@pytest.mark.parametrize("seeds", CHUNKS[:2], ids=lambda r: f"{r.start}-{r.stop - 1}")
def test_four_runners_agree_without_a_kernel(seeds: range) -> None:
    runners = Runners(kernel=False)
    for seed in seeds:
        runners.check(seed)


def test_the_generator_covers_the_language() -> None:
    """What the generator promises to write does come up."""
    text = "".join(program(seed)[0] for seed in range(200))
    for word in ("for ", "else:", "break", "continue", " if ", " and ", " or ", "min(", "abs(", "bit_length", "//", "%", ">>",
                 "helper(", "sub(", "u8(", "i16(", "in (", "not "):
        assert word in text, word


def test_the_generator_keeps_its_promise_of_types() -> None:
    """Every expression's value lies in the range it claims, by CPython's own answer."""
    for seed in range(300):
        g = Generator(seed)
        e = g.expr(3)
        if "helper(" in e.text or "sub(" in e.text:
            continue
        made, _, _ = module(seed)
        value = eval(e.text, vars(made))
        assert e.lo <= value <= e.hi, (e, value)
        assert (e.lo, e.hi) in (I64, U64) or e.lo >= I64[0] and e.hi <= U64[1] or e.lo == e.hi
