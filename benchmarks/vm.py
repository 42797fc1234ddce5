"""Instructions a second in the VM, both engines: `python -m benchmarks.vm`.

Loops of arithmetic with memory, run as bare code; then what translating costs the fast engine, and a whole object. The
best of several runs counts; times are of this process alone.
"""

from __future__ import annotations

import argparse
from time import process_time

from purebpf.isa import assemble
from purebpf.isa.codec import decode
from purebpf.spec import FuncSpec, MapSpec, ObjectSpec, ProgramSpec
from purebpf.uapi.enums import MapType, ProgType
from purebpf.vm import Bare, Machine

MEMORY = bytes(range(256)) * 256  # 64 KiB
PROGRAMS = {  # name: (rounds, text); the loop is everything from "loop:" to its backward jump
    "sum of bytes": (65536, """
        r0 = 0
        loop: r3 = *(u8 *)(r1 + 0)
        r0 += r3
        r1 += 1
        r2 += -1
        if r2 != 0 goto loop
        exit"""),
    "words changed in place": (100000, """
        r0 = 0
        r7 = 100000
        loop: r3 = r7
        r3 &= 0xfff8
        r4 = r1
        r4 += r3
        r5 = *(u64 *)(r4 + 0)
        r5 += r7
        *(u64 *)(r4 + 0) = r5
        r0 ^= r5
        r7 += -1
        if r7 != 0 goto loop
        exit"""),
    "stack": (100000, """
        r7 = 100000
        *(u64 *)(r10 - 8) = r7
        *(u64 *)(r10 - 16) = r7
        loop: r3 = *(u64 *)(r10 - 8)
        r4 = *(u64 *)(r10 - 16)
        r4 += r3
        r4 *= 3
        *(u64 *)(r10 - 16) = r4
        r3 += -1
        *(u64 *)(r10 - 8) = r3
        if r3 != 0 goto loop
        r0 = *(u64 *)(r10 - 16)
        exit"""),
    "array on the stack": (100000, """
        r0 = 0
        r7 = 100000
        loop: r3 = r7
        r3 &= 63
        r4 = r10
        r4 += r3
        *(u8 *)(r4 - 64) = r7
        r5 = *(u8 *)(r4 - 64)
        w0 += w5
        r7 += -1
        if r7 != 0 goto loop
        exit"""),
    "xorshift64, full-width": (100000, """
        r0 = 88172645463325252 ll
        r7 = 100000
        loop: r3 = r0
        r3 <<= 13
        r0 ^= r3
        r3 = r0
        r3 >>= 7
        r0 ^= r3
        r3 = r0
        r3 <<= 17
        r0 ^= r3
        r7 += -1
        if r7 != 0 goto loop
        exit"""),
    "hash of words, 32-bit": (100000, """
        w0 = 0x811c9dc5
        r7 = 100000
        loop: r3 = r7
        r3 &= 0xfffc
        r4 = r1
        r4 += r3
        w5 = *(u32 *)(r4 + 0)
        w0 ^= w5
        w0 *= 0x01000193
        w5 = w0
        w5 >>= 15
        w0 ^= w5
        r7 += -1
        if r7 != 0 goto loop
        exit"""),
}


def best(run, repeat: int) -> float:  # type: ignore[no-untyped-def]
    """The shortest of `repeat` runs, in seconds."""
    times = []
    for _ in range(repeat):
        start = process_time()
        run()
        times.append(process_time() - start)
    return min(times)


def speed(text: str, rounds: int, engine: str, repeat: int) -> float:
    """Instructions a second."""
    code = assemble(text)
    loop = len(decode(assemble(text[text.index("loop:"):text.rindex("goto loop") + len("goto loop")])))
    bare = Bare(code, engine=engine)
    memory = bytearray(MEMORY)
    bare.run(memory)  # the first run translates
    return rounds * loop / best(lambda: bare.run(memory), repeat)


def translation() -> tuple[int, float]:
    """(instructions, seconds) to make a long program of many branches ready."""
    lines = ["r0 = 0"]
    for n in range(1500):
        lines += [f"if r2 == {n} goto l{n}", f"r0 += {n}", f"l{n}: r3 = *(u8 *)(r1 + {n % 64})", "r0 ^= r3"]
    code = assemble("\n".join([*lines, "exit"]))
    return len(code) // 8, best(lambda: Bare(code, engine="fast").run(MEMORY), 3)


def object_runs() -> float:
    """Seconds of one run of an XDP program that looks up a map and counts."""
    text = """
        r2 = *(u32 *)(r1 + 0)
        r3 = *(u32 *)(r1 + 4)
        r4 = r2
        r4 += 14
        if r4 > r3 goto out
        r5 = *(u8 *)(r2 + 12)
        *(u32 *)(r10 - 4) = r5
        r2 = r10
        r2 += -4
        r1 = 0 ll
        call 1
        if r0 == 0 goto out
        r1 = 1
        lock *(u64 *)(r0 + 0) += r1
        out: r0 = 2
        exit"""
    from purebpf.isa.insn import MapRef

    insns = tuple(i._replace(src=1, ref=MapRef("seen")) if i.slots == 2 else i for i in decode(assemble(text)))
    spec = ObjectSpec({"p": ProgramSpec(FuncSpec("p", insns), "xdp", ProgType.XDP)},
                      maps={"seen": MapSpec("seen", MapType.ARRAY, 4, 8, 256)})
    machine = Machine(spec, engine="fast")
    frame = bytes(64)
    machine.run(data=frame)
    return best(lambda: [machine.run(data=frame) for _ in range(1000)], 3) / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    print(f"{'M instructions/s':<26}{'fast':>8}{'plain':>8}{'ratio':>8}")
    for name, (rounds, text) in PROGRAMS.items():
        fast, plain = speed(text, rounds, "fast", repeat), speed(text, rounds, "plain", max(1, repeat // 3))
        print(f"{name:<26}{fast / 1e6:8.1f}{plain / 1e6:8.2f}{fast / plain:8.1f}")
    count, seconds = translation()
    print(f"translating {count} instructions and running once: {seconds * 1e3:.0f} ms, {count / seconds / 1e3:.0f} k/s")
    print(f"one run of a small XDP program with a map: {object_runs() * 1e6:.1f} µs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
