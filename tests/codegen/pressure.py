"""Random functions that are hard on register allocation: many values alive at once, calls, loops, selects, slots.

`make(seed, size)` gives f(mem: ptr.arg, n): 64 readable and writable bytes at mem; it ends and never faults. It calls helpers
100..105, which take that many arguments (`helper(n)` says what they answer); with `local` subprograms h1..h5 instead,
which the kernel can run, too.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from purebpf.ir.builder import Builder
from purebpf.ir.function import Const, Function, Module, Op, Param, Value
from purebpf.ir.ops import INVERSE, M64, TABLE, Helper, Rmw, Slot, Symbol
from purebpf.ir.types import I64, PTR, VOID

BINARY = [n for n, row in TABLE.items() if row.args == "ii" and row.evaluate]
UNARY = [n for n, row in TABLE.items() if row.args == "i" and row.evaluate]
COMPARE = [row.name for row in INVERSE]
CONSTANTS = (0, 1, 2, 3, 5, 7, 8, 16, 63, 64, 255, 256, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, -1, -2, -128,
             -(1 << 31), -(1 << 31) - 1, (1 << 63) - 1, -(1 << 63), 0x123456789ABCDEF, 0xFF00FF00, 0xCBF29CE484222325)
MEMORY = 64


def helper(n: int) -> Callable[..., int]:
    """What helper 100 + n answers to its n arguments."""

    def answer(*args: int) -> int:
        x = n * 1000003
        for value in args[:n]:
            x = (x * 31 + (value & M64)) & M64
        return x

    return answer


def make(seed: int, size: int, local: bool = False) -> Module:
    functions = [_Maker(Random(seed), size, local).fn]
    if local:
        functions += [_subprogram(n) for n in range(1, 6)]
    return Module(functions)


def _subprogram(n: int) -> Function:
    """What `helper(n)` does, as a function of its own."""
    fn = Function(f"h{n}")
    b = Builder(fn)
    b.place(b.new_block("entry", [Param(I64) for _ in range(n)]))
    x: Value = Const(n * 1000003)
    for param in fn.params:
        x = b.op("add", b.op("mul", x, 31), param)
    b.ret(x)
    return fn


class _Maker:
    def __init__(self, rnd: Random, size: int, local: bool) -> None:
        self.rnd, self.budget, self.local = rnd, size, local
        self.fn = Function("f")
        self.b = Builder(self.fn)
        self.mem, n = Param(PTR["arg"], "mem"), Param(I64, "n")
        self.b.place(self.b.new_block("entry", [self.mem, n]))
        self.values: list[Value] = [n]
        self.constants = rnd.sample(CONSTANTS, 6)
        self.window = rnd.choice((4, 12, 40))  # how far back values are used: the pressure
        self.calls = rnd.choice((0, 0.03, 0.1))
        self.slots = [self.slot() for _ in range(rnd.randrange(4))]
        self.body(0)
        if self.b.reachable:
            result = self.value()
            for v in rnd.sample(self.values, min(len(self.values), 6)):
                result = self.b.op("add", self.b.op("mul", result, 31), v)
            self.b.ret(result)

    def slot(self) -> tuple[Value, int]:
        size = self.rnd.choice((4, 8, 16, 24))
        slot = self.b.op("alloca", type=PTR["stack"], attr=Slot(size, 4 if size == 4 else 8))
        for off in range(0, size, 4):
            self.b.store(slot, self.rnd.choice(self.constants), 4, off)
        return slot, size

    def value(self) -> Value:
        kind = self.rnd.random()
        if kind < 0.2:
            return Const(self.rnd.choice(self.constants))
        return Const(self.rnd.getrandbits(64)) if kind < 0.24 else self.rnd.choice(self.values[-self.window:])

    def add(self, value: Value) -> None:
        if isinstance(value, Op) and value.type is I64:
            self.values.append(value)

    def condition(self) -> Value:
        kind = self.rnd.random()
        if kind < 0.6:
            return self.b.op(self.rnd.choice(COMPARE), self.value(), self.value())
        if kind < 0.75:
            return self.b.op(self.rnd.choice(("and", "and32")), self.value(), self.value())
        if kind < 0.85:
            tests = [self.b.op(self.rnd.choice(COMPARE), self.value(), self.value()) for _ in range(2)]
            return self.b.op(self.rnd.choice(("and", "or")), *tests)
        return self.value()

    def statement(self) -> None:
        rnd, b = self.rnd, self.b
        if rnd.random() < self.calls:
            n = rnd.randrange(1 if self.local else 0, 6)
            args = [self.value() for _ in range(n)]
            if self.local:
                return self.add(b.op("call", *args, type=I64, attr=Symbol(f"h{n}")))
            return self.add(b.op("helper", *args, type=I64, attr=Helper(100 + n, f"h{n}")))
        kind = rnd.random()
        if kind < 0.45:
            self.add(b.op(rnd.choice(BINARY), self.value(), self.value()))
        elif kind < 0.52:
            self.add(b.op(rnd.choice(UNARY), self.value()))
        elif kind < 0.58:
            self.add(b.op(rnd.choice(COMPARE), self.value(), self.value()))
        elif kind < 0.66:
            self.add(b.op("select", self.condition(), self.value(), self.value(), type=I64))
        else:
            self.memory(kind)
        return None

    def memory(self, kind: float) -> None:
        rnd, b = self.rnd, self.b
        size = rnd.choice((1, 2, 4, 8))
        off = rnd.randrange(0, MEMORY - 8) // size * size
        if kind < 0.78:
            self.add(b.load(self.mem, size, off, sext=size < 8 and rnd.random() < 0.3))
        elif kind < 0.88:
            b.store(self.mem, self.value(), size, off)
        elif kind < 0.92:
            what = rnd.choice(("add", "or", "and", "xor", "xchg", "cmpxchg"))
            args = [self.value() for _ in range(2 if what == "cmpxchg" else 1)]
            fetch = what.endswith("xchg") or rnd.random() < 0.5
            size = max(size, 4)
            self.add(b.op("rmw", self.mem, *args, type=I64 if fetch else VOID, attr=Rmw(what, size, off // size * size, fetch)))
        elif self.slots:
            self.indexed(*rnd.choice(self.slots), min(size, 4))

    def indexed(self, slot: Value, room: int, size: int) -> None:
        b = self.b
        index = b.op("and", self.value(), (min(room, 16) - 1) // size)
        place = b.op("ptradd", slot, b.op("mul", index, size))
        if self.rnd.random() < 0.5:
            self.add(b.load(place, size))
        else:
            b.store(place, self.value(), size)

    def body(self, depth: int) -> None:
        while self.budget > 0:
            self.budget -= 1
            kind = self.rnd.random()
            if kind < 0.08 and depth < 4:
                self.branch(depth)
            elif kind < 0.13 and depth < 3:
                self.loop(depth)
            else:
                self.statement()

    def part(self, most: int, depth: int) -> None:
        """Some of the budget for a body further in."""
        take = min(self.budget, self.rnd.randrange(most))
        left, self.budget = self.budget - take, take
        self.body(depth + 1)
        self.budget = left

    def branch(self, depth: int) -> None:
        b, rnd = self.b, self.rnd
        params = [Param(I64) for _ in range(rnd.randrange(4))]
        then, other, join = b.new_block("t"), b.new_block("e"), b.new_block("j", params)
        saved = list(self.values)
        if rnd.random() < 0.4:
            b.br(self.condition(), then, join, [], [self.value() for _ in params])
            sides = [then]
        else:
            b.br(self.condition(), then, other)
            sides = [then, other]
        for block in sides:
            b.place(block)
            self.values = list(saved)
            self.part(9, depth)
            if rnd.random() < 0.1:
                b.ret(self.value())
            else:
                b.jump(join, [self.value() for _ in params])
        b.place(join)
        self.values = saved + list(params)

    def loop(self, depth: int) -> None:
        """`for i in range(k)` with more variables; the test on top or at the end."""
        b, rnd = self.b, self.rnd
        trips, i = rnd.randrange(1, 7), Param(I64, "i")
        more = [Param(I64) for _ in range(rnd.randrange(5))]
        head, body, done = b.new_block("h", [i, *more]), b.new_block("b"), b.new_block("x")
        b.jump(head, [Const(0), *(self.value() for _ in more)])
        b.place(head)
        self.values = [*self.values, i, *more]
        on_top = rnd.random() < 0.5
        if on_top:
            b.br(b.op("ult", i, trips), body, done)
            b.place(body)
        after = list(self.values)
        self.part(11, depth)
        step = b.op("add", i, 1)
        carried = [step, *(self.value() for _ in more)]
        if on_top:
            b.jump(head, carried)
        else:
            after = list(self.values)
            b.br(b.op("ult", step, trips), head, done, carried)
        b.place(done)
        self.values = after
