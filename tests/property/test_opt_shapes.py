"""Small shapes that random programs seldom hit: overlapping accesses of one slot, counters at the edge of their range,
writes on one of two ways."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.ir import text, verify
from purebpf.ir.function import Module
from purebpf.ir.interp import Interp
from purebpf.opt import optimize
from purebpf.opt.pipeline import run_pass

from .strategies_ir import INTS

seeds = st.integers(0, 2**40)


def agree(source: str, *passes: str) -> None:
    """`f(a, b, &16 bytes)` gives the same before and after the passes, and after all of them."""
    module = text.parse(source)
    verify.check(module, "test")
    calls = [(a, b) for a in (0, 1, 2, 3, 4, 5, 7, -1) for b in (0, 0x0123456789ABCDEF)]
    expected = [run(module, *c) for c in calls]
    for names in (passes, ()):
        module = text.parse(source)
        for name in names:
            run_pass(name, module)
            verify.check(module, name)
        if not names:
            optimize(module, verify=True)
        for call, value in zip(calls, expected):
            assert run(module, *call) == value, f"f{call} {names}\n{source}\n{text.print_module(module)}"


def run(module: Module, a: int, b: int) -> tuple[int, bytes]:
    interp = Interp(module, steps=5_000)
    memory = bytearray(range(16))
    return interp.run("f", a, b, interp.memory.add(memory)), bytes(memory)


def access(rnd: Random, pointer: str, values: list[str], lines: list[str]) -> None:
    size = rnd.choice((1, 1, 2, 4, 4, 8))
    off = rnd.randrange(0, 17 - size) if rnd.randrange(3) == 0 else rnd.randrange(0, 16 // size) * size
    if rnd.randrange(2):
        value = rnd.choice(values) if rnd.randrange(3) else str(rnd.choice(INTS))
        lines.append(f"  store.u{8 * size} {pointer} + {off}, {value}")
    else:
        name = f"%v{len(values)}.{rnd.randrange(10**9)}"
        sign = "s" if size < 8 and rnd.randrange(4) == 0 else "u"
        lines.append(f"  {name} = load.{sign}{8 * size} {pointer} + {off}")
        values.append(name)


def total(values: list[str], lines: list[str]) -> None:
    sum_ = "0"
    for i, value in enumerate(values):
        lines += [f"  %m{i} = mul {sum_}, 31", f"  %s{i} = xor %m{i}, {value}"]
        sum_ = f"%s{i}"
    lines.append(f"  ret {sum_}")


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_accesses_of_one_object(seed: int) -> None:
    """Straight code, then one of two ways, then on; a slot, or memory passed in."""
    rnd = Random(seed)
    slot = rnd.randrange(3) > 0
    pointer = "%slot" if slot else "%p"
    values = ["%a", "%b"]
    lines = ["  %slot = alloca 16 align 8 : ptr.stack"]
    if slot:
        lines += ["  store.u64 %slot, 0x1122334455667788", "  store.u64 %slot + 8, %a"]
    for _ in range(rnd.randrange(6)):
        access(rnd, pointer, values, lines)
    shared = list(values)
    lines += ["  br %a, x, y", "x:"]
    for _ in range(rnd.randrange(3)):
        access(rnd, pointer, values, lines)
    lines += ["  jump z", "y:"]
    values = list(shared)
    for _ in range(rnd.randrange(3)):
        access(rnd, pointer, values, lines)
    lines += ["  jump z", "z:"]
    values = list(shared)
    for _ in range(rnd.randrange(1, 6)):
        access(rnd, pointer, values, lines)
    total(values, lines)
    body = "\n".join(lines)
    source = f"func @f(%a: i64, %b: i64, %p: ptr.value) -> i64 {{\nentry:\n{body}\n}}\n"
    agree(source, *rnd.choice((("memory",), ("gvn",), ("stores",), ("gvn", "stores"), ("memory", "simplify", "gvn"))))


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_counters(seed: int) -> None:
    rnd = Random(seed)
    start, step, limit = rnd.choice((0, 0, 1, 5, 250, -2)), rnd.choice((1, 1, 2, 3, 7)), rnd.choice((1, 2, 8, 16, 255, 256, 257))
    row, last = rnd.choice(("slt", "ult", "ne")), rnd.choice(("%i", "%j"))
    if row == "ne" and ((limit - start) % step or start > limit):
        row = "slt"
    use = rnd.choice((f"%u = and {last}, 255", f"%u = and {last}, 15", f"%u = sext8 {last}", f"%u = sar {last}, 2",
                      f"%u = slt {last}, {limit}", f"%u = sdiv {last}, 3", f"%u = and {last}, 7", f"%u = ugt {last}, {limit}"))
    source = f"""func @f(%a: i64, %b: i64, %p: ptr.value) -> i64 {{
entry:
  jump loop({start}, 0)
loop(%i: i64, %s: i64):
  %c = {row} %i, {limit}
  br %c, body, done
body:
  %j = add %i, {step}
  {use}
  %t = mul %s, 3
  %t2 = add %t, %u
  jump loop(%j, %t2)
done:
  %d = and %i, 255
  %e = shl %s, 8
  %r = xor %e, %d
  ret %r
}}
"""
    agree(source, *rnd.choice((("narrow",), ("thread", "narrow"), ("unroll", "sccp"), ("thread", "implied", "sccp"))))


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_chains_of_tests(seed: int) -> None:
    """Comparisons of the same two numbers, nested: what one decides of another."""
    rnd = Random(seed)
    numbers = (0, 1, 2, 4, 5, 6, -1, 7)
    lines: list[str] = ["  %x = and %a, 7", "  %y = and %b, 15"]
    for i in range(rnd.randrange(2, 6)):
        row = rnd.choice(("ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge", "eq", "ne", "ult32", "sgt32"))
        left = rnd.choice(("%x", "%a", "%y"))
        right = rnd.choice(("%x", "%y", *map(str, numbers), *map(str, numbers)))
        ways = rnd.choice((f"t{i}, no{i}", f"no{i}, t{i}", f"t{i}, out({i})", f"out({i}), t{i}"))
        lines += [f"  %c{i} = {row} {left}, {right}", f"  br %c{i}, {ways}"]
        if f"no{i}" in ways:
            lines += [f"no{i}:", f"  %d{i} = {rnd.choice(('ult', 'sgt', 'eq'))} {left}, {rnd.choice(numbers)}", f"  jump out(%d{i})"]
        lines.append(f"t{i}:")
    lines += ["  jump out(%x)", "out(%r: i64):", "  %s = mul %r, 3", "  ret %s"]
    body = "\n".join(lines)
    agree(f"func @f(%a: i64, %b: i64, %p: ptr.value) -> i64 {{\nentry:\n{body}\n}}\n", "gvn", "thread", "implied", "sccp", "cfgclean")


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_switches(seed: int) -> None:
    """Chains of equality tests of one value, with and without gaps, doubles, and constants it cannot be."""
    rnd = Random(seed)
    lines = [f"  %x = and %a, {rnd.choice((3, 7, -1))}"]
    for i in range(rnd.randrange(4, 12)):
        constant, row = rnd.choice((0, 1, 2, 3, 4, 5, 6, 7, 9, -1, 1 << 40)), rnd.choice(("eq", "eq", "ne"))
        ways = f"out({i + 10}), t{i}" if row == "eq" else f"t{i}, out({i + 10})"
        lines += [f"  %c{i} = {row} %x, {constant}", f"  br %c{i}, {ways}", f"t{i}:"]
    lines += ["  jump out(%x)", "out(%r: i64):", "  ret %r"]
    body = "\n".join(lines)
    agree(f"func @f(%a: i64, %b: i64, %p: ptr.value) -> i64 {{\nentry:\n{body}\n}}\n", *rnd.choice((("switch",), ("simplify", "switch"))))
