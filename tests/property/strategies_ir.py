"""Random IR modules that end, never fault, and whose doings can be compared: `modules()` and `behave(module, args)`.

Each has an entry `f(a, b, p: ptr.packet, v: ptr.value)`, p and v 24 bytes each, and functions that it may call: `g(x, y)`,
`h(x, p)`, and `m` with more parameters and results than a BPF call has; each may abort, calls are caught or not. Ifs, loops with a bound, slots, loads and stores of all sizes at constant and masked offsets, every integer op,
helpers that read, write and do neither, also through a pointer that they find in memory.

Half of the functions are about memory only: few objects, few offsets, the same bytes by constant and by variable index,
through pointers that were chosen, kept in a slot, passed on; so that what may overlap does.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from purebpf.ir import ops
from purebpf.ir.builder import Builder
from purebpf.ir.function import Const, Function, Module, Op, Param, Value
from purebpf.ir.interp import Interp, Memory
from purebpf.ir.types import I64, PTR, VOID
from purebpf.order import BIG, LITTLE

SIZE = 24
INTS = (0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 255, 256, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, -1, -2, -8, -128,
        -(1 << 31), (1 << 63) - 1, -(1 << 63), 0xFF00, 0x0800)
PURE = tuple(row for row in ops.TABLE.values() if row.evaluate is not None)
COMMON = tuple(ops.TABLE[n] for n in ("add", "sub", "and", "and", "or", "xor", "shl", "shr", "mul", "eq", "ult", "slt", "ne",
                                      "bswap16", "sext8", "add32"))


ORDER = tuple(r for r in PURE if r in ops.INVERSE and r.name[:2] in ("eq", "ne", "ul", "ug", "sl", "sg"))


class Generator:
    """Fills one function. `ints` and `ptrs` are what is defined here; ptrs are (value, bytes behind it)."""

    def __init__(self, rnd: Random, fn: Function, callee: str | None) -> None:
        self.rnd, self.fn, self.b, self.callee = rnd, fn, Builder(fn), callee
        self.ints: list[Value] = []
        self.ptrs: list[tuple[Value, int]] = []
        self.budget = 30
        self.focus = rnd.randrange(2) == 0
        self.box: Value | None = None  # a slot that holds the address of another

    def int(self) -> Value:
        if not self.ints or self.rnd.randrange(4) == 0:
            return Const(self.rnd.choice(INTS))
        return self.ints[-1 - min(int(self.rnd.expovariate(0.3)), len(self.ints) - 1)]

    def ptr(self) -> tuple[Value, int]:
        return self.rnd.choice(self.ptrs)

    def body(self, depth: int) -> None:
        for _ in range(self.rnd.randrange(1, 7)):
            if not self.b.reachable or self.budget <= 0:
                return
            self.budget -= 1
            kind = self.rnd.randrange(13 if depth < 3 else 9)
            if self.focus and self.rnd.randrange(3):
                self.rnd.choice((self.load, self.store, self.load, self.store, self.call, self.choose))()
            elif kind < 3:
                self.pure()
            elif kind < 5:
                self.load()
            elif kind < 8:
                self.store()
            elif kind == 8:
                self.call()
            elif kind < 12:
                self.branch(depth)
            else:
                self.loop(depth)

    def pure(self) -> None:
        row = self.rnd.choice(PURE if self.rnd.randrange(2) else COMMON)
        self.ints.append(self.b.op(row.name, *(self.int() for _ in row.args)))

    def choose(self) -> None:
        """A pointer that is one of two, or comes out of the box, or whose address goes into it."""
        p, room = self.ptr()
        if self.box is not None and self.rnd.randrange(2):
            if p.type is PTR["stack"] and room >= 8 and self.rnd.randrange(2):
                self.b.store(self.box, p, 8)
            else:
                self.ptrs.append((self.b.load(self.box, 8, type=PTR["stack"]), 8))
            return
        q, other = self.rnd.choice([x for x in self.ptrs if x[0].type is p.type])
        self.ptrs.append((self.b.op("select", self.int(), p, q, type=p.type), min(room, other)))

    def address(self) -> Value:
        """Of eight bytes or more, for a call."""
        p, room = self.ptr()
        off = self.rnd.choice((0, 0, 4, 8))
        return self.b.op("ptradd", p, off) if off and off + 8 <= room else p

    def place(self, size: int) -> tuple[Value, int]:
        """A pointer and an offset where `size` bytes are."""
        p, room = self.ptr()
        if self.focus:
            step = self.rnd.choice((0, 0, 4, 8)) if size <= 4 else self.rnd.choice((0, 0, 8))
            if self.rnd.randrange(3) == 0 and room >= 16:
                return self.b.op("ptradd", p, self.b.op("and", self.int(), 8 if size == 8 else 12)), 0
            return p, step if step + size <= room else 0
        if self.rnd.randrange(4) == 0:  # a masked step
            step = self.b.op("and", self.int(), min(7, room - 8))
            return self.b.op("ptradd", p, step), self.rnd.randrange(0, room - 7 - size + 1) if room >= 15 else 0
        off = self.rnd.randrange(0, min(room, 16) - size + 1)
        if self.rnd.randrange(3):
            off = min(off & ~3, 8) if self.rnd.randrange(3) else off - off % size
        if self.rnd.randrange(4) == 0:
            return self.b.op("ptradd", p, off), 0
        return p, off

    def load(self) -> None:
        size = self.rnd.choice((1, 1, 2, 4, 4, 8))
        p, off = self.place(size)
        self.ints.append(self.b.load(p, size, off, sext=size < 8 and self.rnd.randrange(4) == 0))

    def store(self) -> None:
        size = self.rnd.choice((1, 1, 2, 4, 4, 8))
        p, off = self.place(size)
        if self.rnd.randrange(8) == 0 and size >= 4:
            self.b.op("rmw", p, self.int(), type=VOID, attr=ops.Rmw("add", size, off))
        else:
            self.b.store(p, self.int(), size, off)

    def call(self) -> None:
        kind = self.rnd.randrange(7)
        if kind == 6 and self.box is not None:
            self.ints.append(self.b.op("helper", self.box, self.int(), type=I64, attr=ops.Helper(4, "chase")))
        elif kind == 5 and self.many is not None:
            self.call_many(self.many)
        elif kind == 0:
            self.ints.append(self.b.op("helper", type=I64, attr=ops.Helper(1, "constant", pure=True, writes=False)))
        elif kind == 1:
            self.ints.append(self.b.op("helper", self.address(), self.int(), type=I64, attr=ops.Helper(2, "peek", writes=False)))
        elif kind == 2:
            self.ints.append(self.b.op("helper", self.address(), self.int(), type=I64, attr=ops.Helper(3, "poke")))
        elif kind == 3 and self.callee:
            self.ints.append(self.b.op("call", self.int(), self.int(), type=I64, attr=ops.Symbol(self.callee)))
        elif self.callee:
            self.ints.append(self.b.op("call", self.int(), self.ptr()[0], type=I64, attr=ops.Symbol("h")))

    def call_many(self, fn: Function) -> None:
        """All results; the flag of a caught call is one more, and sometimes cleaned up for."""
        args = [self.int() if p.type is I64 else self.ptr()[0] for p in fn.params]
        caught = self.rnd.randrange(2) == 0
        results = self.b.call(fn, args, caught=caught)
        self.ints += results
        if caught and self.rnd.randrange(2):
            clean, on = self.b.new_block("clean"), self.b.new_block("on")
            self.b.br(results[0], clean, on)
            self.b.place(clean)
            self.b.op("helper", self.ptr()[0], self.int(), type=I64, attr=ops.Helper(2, "peek", writes=False))
            self.b.abort()
            self.b.place(on)

    def condition(self) -> Value:
        kind = self.rnd.randrange(8)
        if kind == 0:
            return self.int()
        if kind < 5 and self.ints:  # the same few values against small numbers: tests that decide one another
            row = self.rnd.choice(ORDER)
            return self.b.op(row.name, self.ints[self.rnd.randrange(min(3, len(self.ints)))], self.rnd.choice((0, 1, 2, 3, 7, 8, 64)))
        row = self.rnd.choice([r for r in PURE if r in ops.INVERSE])
        return self.b.op(row.name, self.int(), self.int())

    def argument(self) -> Value:
        """Something to pass to a block: often a flag."""
        return Const(self.rnd.randrange(2)) if self.rnd.randrange(3) == 0 else self.int()

    def branch(self, depth: int) -> None:
        b, cond = self.b, self.condition()
        join = b.new_block("join", [Param(I64) for _ in range(self.rnd.randrange(3))])
        then = b.new_block("then")
        other = b.new_block("else") if self.rnd.randrange(2) else join
        ints, ptrs = len(self.ints), len(self.ptrs)
        b.br(cond, then, other, (), [self.argument() for _ in join.params] if other is join else ())
        for block in [then] if other is join else [then, other]:
            b.place(block)
            self.body(depth + 1)
            if b.reachable and self.rnd.randrange(8) == 0:
                self.end()
            if b.reachable:
                b.jump(join, [self.argument() for _ in join.params])
            del self.ints[ints:], self.ptrs[ptrs:]
        b.place(join)
        self.ints += join.params

    def loop(self, depth: int) -> None:
        b = self.b
        i = Param(I64, "i")
        head = b.new_block("loop", [i, *(Param(I64) for _ in range(self.rnd.randrange(3)))])
        body, done = b.new_block("body"), b.new_block("done")
        limit = Const(self.rnd.randrange(5)) if self.rnd.randrange(2) else b.op("and", self.int(), 3)
        b.jump(head, [Const(0), *(self.argument() for _ in head.params[1:])])
        b.place(head)
        ints, ptrs = len(self.ints), len(self.ptrs)
        self.ints += head.params
        b.br(b.op("ult", i, limit), body, done)
        b.place(body)
        self.body(depth + 1)
        if b.reachable and self.rnd.randrange(4) == 0:
            stay = b.new_block("stay")
            b.br(self.condition(), stay, done)
            b.place(stay)
        if b.reachable:
            b.jump(head, [b.op("add", i, 1), *(self.argument() for _ in head.params[1:])])
        del self.ints[ints:], self.ptrs[ptrs:]
        b.place(done)
        self.ints += head.params

    def end(self) -> None:
        """Return, or abort."""
        if self.aborts and self.rnd.randrange(3) == 0:
            self.b.abort()
        else:
            self.b.ret(*(self.int() for _ in self.fn.results))

    def fill(self) -> None:
        b = self.b
        b.place(b.new_block("entry"))
        self.fn.entry.params = self.fn_params
        for param in self.fn_params:
            if param.type is I64:
                self.ints.append(param)
            else:
                self.ptrs.append((param, 8 if param.type.region == "arg" else SIZE))
        for _ in range(max(self.rnd.randrange(3), not self.ptrs)):
            size = self.rnd.choice((8, 12, 16, 24))
            slot = b.op("alloca", type=PTR["stack"], attr=ops.Slot(size))
            for off in range(0, size, 4):
                b.store(slot, self.rnd.choice((0, 0, 77)), 4, off)
            self.ptrs.append((slot, size))
        stack = [p for p, room in self.ptrs if isinstance(p, Op) and p.row.name == "alloca"]
        if stack and self.rnd.randrange(2):
            self.box = b.op("alloca", type=PTR["stack"], attr=ops.Slot(8))
            b.store(self.box, self.rnd.choice(stack), 8)
        self.body(0)
        while b.reachable and self.budget > 20:
            self.body(0)
        if b.reachable:
            last = self.int()
            for v in self.ints[-12 if self.focus else -4:]:
                last = b.op("xor", b.op("mul", last, 31), v)
            b.ret(last, *(self.int() for _ in self.fn.results[1:]))

    fn_params: list[Param]
    aborts = False
    many: Function | None = None


def make(rnd: Random) -> Module:
    functions: list[Function] = []
    order = rnd.choice((LITTLE, BIG))
    many = (I64, I64, PTR["arg"], I64, I64, I64, PTR["arg"])[: rnd.randrange(3, 8)]
    for name, types in (("m", many), ("g", (I64, I64)), ("h", (I64, PTR["arg"])), ("f", (I64, I64, PTR["packet"], PTR["value"]))):
        fn = Function(name, [I64] * (rnd.randrange(1, 4) if name == "m" else 1), default=77 if name == "f" else None,
                      order=order, inline="never" if name == "f" or rnd.randrange(3) == 0 else "auto")
        gen = Generator(rnd, fn, "g" if name == "f" else None)
        gen.fn_params = [Param(t, "abpvxyz"[i]) for i, t in enumerate(types)]
        gen.aborts = rnd.randrange(2) == 0
        gen.many = functions[0] if functions else None
        if name in ("h", "m"):
            gen.budget = 10
        if name == "g":
            gen.fn_params = gen.fn_params[:2]
            gen.budget = 8
        gen.fill()
        functions.append(fn)
    return Module(reversed(functions))


modules = st.integers(0, 2**48).map(lambda seed: make(Random(seed)))
words = st.sampled_from(INTS) | st.integers(-(1 << 63), (1 << 63) - 1)


def behave(module: Module, a: int, b: int, steps: int = 30_000) -> object:
    """All that can be seen of `f(a, b, …)`: the result, memory, and what helpers were called with."""
    memory, trace = Memory(module.functions["f"].order), []
    packet, value = bytearray(range(1, SIZE + 1)), bytearray(SIZE)

    def constant(m: Interp) -> int:
        return 0x1234_5678_9ABC

    def peek(m: Interp, p: int, n: int) -> int:
        trace.append(("peek", n, m.memory.read(p, 8)))
        return m.memory.load(p, 4) + n

    def poke(m: Interp, p: int, n: int) -> int:
        trace.append(("poke", n, m.memory.read(p, 8)))
        m.memory.store(p, 8, n * 3)
        return n + 1

    def chase(m: Interp, box: int, n: int) -> int:
        p = m.memory.load(box, 8)
        m.memory.store(p, 4, m.memory.load(p, 4) * 5 + n)
        return m.memory.load(p + 4, 4)

    interp = Interp(module, helpers={"constant": constant, "peek": peek, "poke": poke, "chase": chase}, memory=memory, steps=steps)
    p, v = memory.add(packet), memory.add(value)
    result = interp.run("f", a, b, p, v)
    return result, bytes(packet), bytes(value), trace
