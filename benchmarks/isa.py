"""Speed of the assembler and the disassembler, in instructions a second: `python -m benchmarks.isa`.

The program is a mix like that of clang-built objects (moves, loads, stores, branches, calls, 64-bit constants), in two
versions: operands as they repeat in real code, and as different as the fields allow, so that nothing can be reused.
The best of several runs counts; times are of this process alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import process_time

from purebpf.isa import Insn, assemble, disassemble, encode

MIX = (  # share, opcodes
    (24, (0xBF, 0xB7, 0xBC, 0xB4)), (21, (0x79, 0x61, 0x69, 0x71)), (13, (0x7B, 0x63, 0x6B, 0x73, 0x62, 0x7A)),
    (20, (0x07, 0x0F, 0x57, 0x67, 0x77, 0x4F, 0x04, 0xA7, 0xC7)), (14, (0x15, 0x55, 0x1D, 0x2D, 0x05, 0x16, 0x65, 0xBD)),
    (4, (0x85,)), (3, (0x18,)), (1, (0xDB, 0xC3)),
)


def program(count: int, distinct: bool, seed: int = 1) -> bytes:
    """`count` instructions of the mix, as code."""
    rng = random.Random(seed)
    codes = [code for share, group in MIX for code in rng.choices(group, k=share * count // 100)]
    rng.shuffle(codes)
    return encode([_insn(rng, code, distinct) for code in codes] + [Insn(0x95)])


def _insn(rng: random.Random, code: int, distinct: bool) -> Insn:
    imm = rng.randint(-2**31, 2**31 - 1) if distinct else rng.choice((0, 1, 2, 8, 14, -1, 255, 0x800, -8, 42))
    off = rng.randint(-2**15, 2**15 - 1) if distinct else rng.choice((0, 4, 8, 12, 16, -8, -16, -24, 20, 5, 9, 33))
    dst, src = rng.randint(0, 10), rng.randint(0, 10)
    cls = code & 7
    if code == 0x18:
        return Insn(code, dst, 0, 0, rng.getrandbits(64) if distinct else rng.choice((1, 2**32, 2**63 - 1)))
    if code == 0x85:
        return Insn(code, 0, 0, 0, abs(imm) % 200 + 1)
    if cls in (1, 3):
        return Insn(code, dst, src, off, 0)
    if cls == 2:
        return Insn(code, dst, 0, off, imm)
    if code == 0x05:
        return Insn(code, 0, 0, off, 0)
    if code & 8:
        return Insn(code, dst, src, off if cls in (5, 6) else 0, 0)
    return Insn(code, dst, 0, off if cls in (5, 6) else 0, imm)


def best(run: Callable[..., object], *arguments: object, repeat: int = 5, **options: object) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeat):
        start = process_time()
        run(*arguments, **options)
        times.append(process_time() - start)
    return min(times)


def main(count: int = 40_000) -> None:
    """Print the table."""
    print(f"{'operands':10} {'notation':10} {'assembled/s':>12} {'disassembled/s':>15}")
    for distinct in (False, True):
        code = program(count, distinct)
        for notation in ("kernel", "mnemonic"):
            text = disassemble(code, notation)
            assert assemble(text, notation) == code
            down = count / best(disassemble, code, notation)
            up = count / best(assemble, text, notation)
            print(f"{'distinct' if distinct else 'usual':10} {notation:10} {up:12,.0f} {down:15,.0f}")
    code = program(count, False)
    text = disassemble(code, labels=True)
    assert assemble(text) == code
    print(f"{'usual':10} {'labels':10} {count / best(assemble, text):12,.0f}"
          f" {count / best(disassemble, code, labels=True):15,.0f}")


if __name__ == "__main__":
    main()
