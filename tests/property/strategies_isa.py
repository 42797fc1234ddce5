"""Hypothesis strategies for instructions: any row of the table with any operands, any slot at all, whole programs."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from purebpf.isa import ROWS, Insn
from purebpf.isa.opcodes import LD_IMM64
from purebpf.isa.table import Row, lookup

registers = st.integers(0, 10)
offsets = st.integers(-0x8000, 0x7FFF)
immediates = st.integers(0, 2**64 - 1)


def random_insn(row: Row, rng: random.Random) -> Insn:
    """The row with random operands; edge values are likely."""
    def pick(low: int, high: int) -> int:
        return rng.choice((low, high, 0, 1, -1 if low < 0 else 2, 8)) if rng.random() < 0.3 else rng.randint(low, high)

    while True:
        values = {"dst": rng.randint(0, 10), "src": rng.randint(0, 10), "off": pick(-0x8000, 0x7FFF),
                  "imm": pick(0, 2**64 - 1) if row.code == LD_IMM64 else pick(-0x80000000, 0x7FFFFFFF)}
        fixed = {f: values[f] if getattr(row, f) is None else getattr(row, f) for f in values}
        insn = Insn(row.code, **fixed)
        if lookup(*insn[:5]) is row:
            return insn


def on_row(row: Row, dst: int, src: int, off: int, imm: int) -> Insn:
    """The row with these operands where it has them."""
    if row.code != LD_IMM64:
        imm = (imm & 0xFFFFFFFF) - ((imm & 0x80000000) << 1)
    values = {"dst": dst, "src": src, "off": off, "imm": imm}
    return Insn(row.code, **{f: v if getattr(row, f) is None else getattr(row, f) for f, v in values.items()})


insns = st.builds(on_row, st.sampled_from(ROWS), registers, registers, offsets, immediates)
programs = st.lists(insns, max_size=8)
slots = st.binary(min_size=8, max_size=8)
any_code = st.one_of(st.lists(slots, max_size=8).map(b"".join),
                     st.lists(st.one_of(slots, st.sampled_from([bytes([0x18]) + bytes(7), bytes(8)])), max_size=6).map(b"".join))
