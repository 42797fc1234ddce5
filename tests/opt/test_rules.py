"""Every simplification rule keeps the value, for edge values of its operands; and every rule is tried.

Random expressions, two and three levels deep, over two numbers and masked forms of them; built from the op table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import FrameType, ModuleType

import pytest

from purebpf.ir import ops, text, verify
from purebpf.ir.function import Block, Const, Edge, Function, Op, Param, Value
from purebpf.ir.types import I64, VOID
from purebpf.opt import rules_int, rules_mem, rules_test
from purebpf.opt.narrow import demand, narrow
from purebpf.opt.simplify import simplify

ROWS = [row for row in ops.TABLE.values() if row.evaluate is not None]
TESTS = [row for row in ROWS if row in ops.INVERSE]
LINEAR = [ops.TABLE[n] for n in ("add", "sub", "xor", "or", "shl", "shr")]
UNARY = [row for row in ROWS if len(row.args) == 1]
CONSTS = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 48, 56, 63, 64, 127, 128, 255, 256, 0xFF00, 0xFFFF, 0x10000, 0x7FFFFFFF,
          0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, -1, -2, -8, -127, -128, -129, -(1 << 31), -(1 << 31) - 1, -(1 << 63))
WORDS = (*CONSTS, 0x0123456789ABCDEF, -0x0123456789ABCDEF, 0xDEADBEEF, 77, 1000)


class Expressions:
    """Makes a function `f(a, b)` that returns an expression; values are kept so that parts repeat."""

    def __init__(self, rnd: Random) -> None:
        self.rnd = rnd
        self.fn = Function("f")
        self.block = Block("entry", [Param(I64, "a"), Param(I64, "b")])
        self.fn.blocks = [self.block]
        self.leaves: list[Value] = list(self.block.params)

    def op(self, row: ops.OpRow, *args: Value) -> Op:
        op = Op(row, args, I64)
        self.block.ops.append(op)
        return op

    def leaf(self) -> Value:
        kind = self.rnd.randrange(10)
        if kind < 4 or len(self.leaves) > 4:
            return self.rnd.choice(self.leaves)
        if kind < 7:
            mask = Const(self.rnd.choice((1, 3, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)))
            made = self.op(ops.TABLE["and"], self.rnd.choice(self.leaves), mask)
            self.leaves.append(made)
            return made
        return Const(self.rnd.choice(CONSTS))

    def tree(self, row: ops.OpRow, depth: int) -> Op:
        args: list[Value] = []
        for i in range(len(row.args)):
            kind = self.rnd.randrange(10)
            if i and kind < 6:
                args.append(Const(self.rnd.choice(CONSTS)))
            elif depth and kind < 9:
                rows = (ROWS, UNARY, TESTS)[(self.rnd.randrange(12) >= 9) + (self.rnd.randrange(12) >= 11)]
                args.append(self.tree(self.rnd.choice(rows), depth - 1))
                if self.rnd.randrange(4) == 0:
                    self.leaves.append(args[-1])
            else:
                args.append(self.leaf())
        return self.op(row, *args)


    def pair(self, row: ops.OpRow) -> Op:
        """Two operations that share operands: the shape of most rules."""
        a, b = self.block.params
        k = Const(self.rnd.choice(CONSTS))
        if self.rnd.randrange(2):
            mask = Const(self.rnd.choice((1, 3, 0xFF, 0xFFFF, 0xFFFFFFFF, -4, -(1 << 32), 0xFF00)))
            b = self.op(ops.TABLE["and"], b, mask)
        inner = self.rnd.choice((ROWS, ROWS, LINEAR, LINEAR, [row])[self.rnd.randrange(5)])
        shapes = ((a, b), (b, a), (a, k), (k, a), (b, k))
        first = self.op(inner, *self.rnd.choice(shapes)[: len(inner.args)])
        others: tuple[Value, ...] = (a, b, b, k, k, Const(self.rnd.choice(CONSTS)), Const(0))
        second = self.rnd.choice(others) if self.rnd.randrange(6) else self.op(inner, *(b, k)[: len(inner.args)])
        args = (first, second) if self.rnd.randrange(4) else (second, first)
        return self.op(row, *args[: len(row.args)])


def ending(e: Expressions, value: Value) -> None:
    """Return the value, or branch on it, or choose by it."""
    kind = e.rnd.randrange(8)
    if kind > 5:  # only some bits matter
        value = e.op(ops.TABLE["and"], value, Const(e.rnd.choice((1, 0x80, 0xFF, 0xFF00, 0xFFFF, 0xFFFFFFFF, -256))))
    if kind == 0:
        then, other = Block("then"), Block("else")
        then.ops = [Op(ops.TABLE["ret"], [Const(1)], VOID)]
        other.ops = [Op(ops.TABLE["ret"], [Const(2)], VOID)]
        e.block.ops.append(Op(ops.TABLE["br"], [value], VOID, None, [Edge(then), Edge(other)]))
        e.fn.blocks += [then, other]
        return
    if kind == 1:
        value = e.op(ops.TABLE["select"], value, *e.rnd.choice(((e.leaf(), e.leaf()), (Const(1), Const(0)), (Const(0), Const(1)))))
    e.block.ops.append(Op(ops.TABLE["ret"], [value], VOID))


def run(fn: Function, a: int, b: int) -> int:
    env: dict[Value, int] = dict(zip(fn.params, (a, b)))
    block = fn.entry
    for op in block.ops:
        args = [x.value if isinstance(x, Const) else env[x] for x in op.args]
        if op.row.evaluate is not None:
            env[op] = op.row.evaluate(*args)
        elif op.row.name == "select":
            env[op] = args[1] if args[0] else args[2]
        elif op.row.name == "ret":
            return args[0]
        else:
            end = op.edges[0 if args[0] else 1].block.terminator.args[0]
            assert isinstance(end, Const)
            return end.value
    raise AssertionError


def functions(row: ops.OpRow, count: int) -> Iterator[tuple[Function, Random]]:
    rnd = Random(row.name)
    for _ in range(count):
        e = Expressions(rnd)
        ending(e, e.pair(row) if rnd.randrange(2) else e.tree(row, 1 + (rnd.randrange(3) == 0)))
        yield e.fn, rnd


def check(fn: Function, rnd: Random, run_pass: Callable[[Function], bool] = simplify) -> None:
    pairs = [(rnd.choice(WORDS), rnd.choice(WORDS)) for _ in range(8)]
    expected = [run(fn, a, b) for a, b in pairs]
    before = text.print_function(fn)
    run_pass(fn)
    for (a, b), value in zip(pairs, expected):
        assert run(fn, a, b) == value, f"f({a}, {b})\n{before}\n{text.print_function(fn)}"


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_rules_keep_values(row: ops.OpRow) -> None:
    for fn, rnd in functions(row, 300):
        check(fn, rnd)
        assert verify.verify(fn) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_narrowing_keeps_values(row: ops.OpRow) -> None:
    for fn, rnd in functions(row, 100):
        check(fn, rnd, demand if rnd.randrange(2) else narrow)
        assert verify.verify(fn) == []


def test_simplify_reaches_a_fixed_point_on_most_expressions() -> None:
    again = 0
    for row in ROWS:
        for fn, _ in functions(row, 20):
            simplify(fn)
            again += simplify(fn)
    assert again < len(ROWS) * 20 * 0.08


# Equal agreeing back and forth, one bit tested: random constants rarely agree.
AGREEING = """
func @f(%a: i64, %b: i64) -> i64 {
entry:
  %1 = shr %a, 9
  %2 = shl %1, 9
  %3 = shl %a, 40
  %4 = shr %3, 40
  %5 = shl %b, 48
  %6 = sar %5, 48
  %7 = xor %2, %4
  %8 = mul %6, 77
  %9 = add %7, %8
  %bit = and %b, 4
  %set = eq %bit, 4
  %10 = xor %9, %set
  %11 = select %b, 7, 7
  %12 = xor %10, %11
  ret %12
}
"""

# Rules for pointers and memory, which random expressions do not reach.
POINTERS = """
func @f(%p: ptr.packet, %end: ptr.packet_end, %x: i64, %s: ptr.arg) -> i64 {
entry:
  %slot = alloca 8 align 8 : ptr.stack
  %q = ptradd %p, 4
  %q2 = ptradd %q, 6
  %q3 = ptradd %q2, %x
  %xm = and %x, 0xff
  %x1 = add %xm, 5
  %q4 = ptradd %q3, %x1
  %q5 = ptradd %q4, 0
  %w = load.u16 %q4 + 2
  %d0 = ptrdiff %q4, %q4
  %d1 = ptrdiff %q, %p
  %d2 = ptrdiff %p, %q
  %y = ptradd %p, %x
  %z = ptradd %p, %w
  %d3 = ptrdiff %y, %z
  %n = ne %slot, 0
  %lt = ult %end, %q
  %c = cast %p
  %c2 = cast %c : ptr.packet
  %c3 = cast %c2
  %m = and %x, 0xffff
  store.u16 %q, %m
  %e = sext32 %x
  store.u32 %q2, %e
  %same = eq %d3, 0
  %l = load.s16 %q + 8
  %l2 = sext32 %l
  %r0 = add %d0, %d1
  %r1 = add %r0, %d2
  %r2 = add %r1, %n
  %r3 = add %r2, %lt
  %r4 = add %r3, %c3
  %r5 = add %r4, %same
  %r6 = add %r5, %l2
  %r7 = load.u8 %q5
  %diff = ptrdiff %end, %z
  %zero = eq %diff, 0
  %b0 = below 3, 8
  %b1 = below %w, 0x10000
  %b2 = below %x, 9
  %b3 = below %b2, 10
  %b4 = below %b2, 5
  %b5 = add %b0, %b1
  %b6 = add %b3, %b4
  %n0 = slt %x, 0
  %n6 = ptrdiff %z, %end
  %n1s = slt %n6, 0
  %n2 = ne %n0, %n1s
  %n3 = eq %n0, %n1s
  %h0 = slt32 %x, 0
  %h1 = slt32 %e, 0
  %h2 = ne %h0, %h1
  %h3 = eq %h0, %h1
  %n4 = add %n2, %n3
  %h4 = add %h2, %h3
  %n5 = add %n4, %h4
  %b8 = add %b5, %b6
  %b7 = add %b8, %n5
  %t = select %zero, %r6, %r7
  %u = add %t, %b7
  ret %u
}
"""


class Returns:
    """Notes the lines on which functions of some modules return something else than None."""

    def __init__(self, modules: list[ModuleType]) -> None:
        self.files = {m.__file__ for m in modules}
        self.seen: set[tuple[str, int]] = set()

    def trace(self, frame: FrameType, event: str, arg: object) -> object:
        if frame.f_code.co_filename not in self.files:
            return None
        if event == "return" and arg is not None:
            self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        frame.f_trace_lines = False
        return self.trace


def rule_lines(module: ModuleType) -> set[tuple[str, int]]:
    """The lines of `case …: return …` in a module."""
    assert module.__file__
    tree = ast.parse(Path(module.__file__).read_text())
    lines: set[tuple[str, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.match_case):
            lines |= {(module.__file__, r.lineno) for r in node.body
                      if isinstance(r, ast.Return) and not (isinstance(r.value, ast.Constant) and r.value.value is None)}
    return lines


def test_every_rule_is_tried() -> None:
    modules = [rules_int, rules_test, rules_mem]
    returns = Returns(modules)
    module = text.parse(POINTERS)
    agreeing = text.parse(AGREEING).functions["f"]
    sys.settrace(returns.trace)  # type: ignore[arg-type]
    try:
        for row in ROWS:
            for fn, _ in functions(row, 700):
                simplify(fn)
        check(agreeing, Random(1))
        for fn in module.functions.values():
            simplify(fn)
    finally:
        sys.settrace(None)
    verify.check(module, "simplify")
    missed = set().union(*map(rule_lines, modules)) - returns.seen
    shown = [f"{Path(f).name}:{n}: {Path(f).read_text().splitlines()[n - 1].strip()}" for f, n in sorted(missed)]
    assert not shown, "rules that no expression reached:\n" + "\n".join(shown)


