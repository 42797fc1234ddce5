"""How the time of optimiser and code generation grows with the size of a function: seconds, and the slope between sizes
(1: twice the code, twice the time), for shapes that have been traps.

    python -m benchmarks.growth [--passes] [shape …]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

from purebpf.codegen import generate
from purebpf.ir import ops
from purebpf.ir.builder import Builder
from purebpf.ir.function import Const, Function, Module, Param, Value
from purebpf.ir.types import I64, MAYBE, PTR
from purebpf.opt import optimize

SIZES = (100, 200, 400, 800, 1600)


class Shape:
    """A function under construction: `x` is a number that arrived, `p` a map value of ample size."""

    def __init__(self) -> None:
        self.fn = Function("f")
        self.b = Builder(self.fn)
        self.b.place(self.b.new_block("entry"))
        self.x, self.p = Param(I64, "x"), Param(PTR["value"], "p")
        self.fn.entry.params = [self.x, self.p]
        self.sum: Value = self.x
        self.slot = self.b.op("alloca", type=PTR["stack"], attr=ops.Slot(8))
        self.map = self.b.op("mapaddr", type=PTR["map"], attr=ops.Symbol("m"))

    def stores(self, i: int) -> None:
        """Loads and stores of many places in one block."""
        v = self.b.load(self.p, 8, 8 * (i * 7 % 4000))
        self.b.store(self.p, self.b.op("add", v, i), 8, 8 * (i % 4000))

    def constants(self, i: int) -> None:
        """Constants stored side by side, as in filling a struct."""
        self.b.store(self.p, i & 0x7F, 4, 4 * i % 32000)

    def entries(self, i: int) -> None:
        """`m[k] += 1`: look up, test, add."""
        self.b.store(self.slot, i, 8)
        v = self.b.op("helper", self.map, self.slot, type=MAYBE["value"], attr=ops.Helper(1, "map_lookup_elem", writes=False))
        found, on = self.b.new_block("found"), self.b.new_block("on")
        self.b.br(self.b.op("ne", v, 0), found, on)
        self.b.place(found)
        at = self.b.op("nonnull", v, type=PTR["value"])
        self.b.store(at, self.b.op("add", self.b.load(at, 8), 1), 8)
        self.b.jump(on)
        self.b.place(on)

    def branches(self, i: int) -> None:
        """`if` after `if`, a variable changed in each."""
        then, join = self.b.new_block("then"), self.b.new_block("join", [Param(I64)])
        self.b.br(self.b.op("ult", self.b.op("xor", self.x, i), 1000 + i), then, join, (), [self.sum])
        self.b.place(then)
        self.b.jump(join, [self.b.op("add", self.sum, i)])
        self.b.place(join)
        self.sum = join.params[0]

    def flags(self, i: int) -> None:
        """A flag set in one `if` and tested in the next: what threading is for."""
        then, join = self.b.new_block("then"), self.b.new_block("join", [Param(I64)])
        self.b.br(self.b.op("eq", self.x, i), then, join, (), [Const(0)])
        self.b.place(then)
        self.b.jump(join, [Const(1)])
        self.b.place(join)
        yes, after = self.b.new_block("yes"), self.b.new_block("after", [Param(I64)])
        self.b.br(join.params[0], yes, after, (), [self.sum])
        self.b.place(yes)
        self.b.jump(after, [self.b.op("mul", self.sum, i)])
        self.b.place(after)
        self.sum = after.params[0]

    def chain(self, i: int) -> None:
        """One value compared with constants, one after the other."""
        hit, on = self.b.new_block("hit"), self.b.new_block("on")
        self.b.br(self.b.op("eq", self.x, 3 * i), hit, on)
        self.b.place(hit)
        self.b.ret(i)
        self.b.place(on)

    def loops(self, i: int) -> None:
        """Small loops to unroll."""
        n, s = Param(I64, "n"), Param(I64, "s")
        head, body, done = self.b.new_block("head", [n, s]), self.b.new_block("body"), self.b.new_block("done")
        self.b.jump(head, [Const(0), self.sum])
        self.b.place(head)
        self.b.br(self.b.op("ult", n, 3), body, done)
        self.b.place(body)
        self.b.jump(head, [self.b.op("add", n, 1), self.b.op("xor", self.b.op("mul", s, 5), n)])
        self.b.place(done)
        self.sum = s

    def straight(self, i: int) -> None:
        """Arithmetic that depends on what came before."""
        self.sum = self.b.op("xor", self.b.op("add", self.sum, i), self.b.op("shl", self.sum, i % 13 + 1))


SHAPES: dict[str, Callable[[Shape, int], None]] = {
    name: f for name, f in vars(Shape).items() if callable(f) and not name.startswith("_")}


def build(name: str, n: int) -> Module:
    shape = Shape()
    for i in range(n):
        SHAPES[name](shape, i)
    shape.b.ret(shape.sum)
    return Module([shape.fn])


def seconds(name: str, n: int, passes: dict[str, float]) -> float:
    module = build(name, n)
    last = start = time.perf_counter()

    def observe(step: str, _: Module) -> None:
        nonlocal last
        now = time.perf_counter()
        passes[step] = passes.get(step, 0) + now - last
        last = now

    optimize(module, observe=observe)
    generate(module.functions["f"])
    passes["codegen"] = time.perf_counter() - last
    return time.perf_counter() - start


def main() -> int:
    args = [a for a in sys.argv[1:] if not a.startswith("-")]
    print(f"{'':>10} " + " ".join(f"{n:>7}" for n in SIZES) + "   slope of the last doubling")
    for name in args or SHAPES:
        times, passes = [], [dict[str, float]() for _ in SIZES]
        for n, each in zip(SIZES, passes):
            times.append(seconds(name, n, each))
        print(f"{name:>10} " + " ".join(f"{t:7.3f}" for t in times) + f"   {math.log2(times[-1] / times[-2]):.2f}", flush=True)
        if "--passes" in sys.argv:
            for step in sorted(passes[-1], key=lambda s: -passes[-1][s])[:6]:
                print(f"{'':>10} " + " ".join(f"{p.get(step, 0):7.3f}" for p in passes) + f"   {step}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
