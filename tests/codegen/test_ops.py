"""Every integer op of the table: what its instructions compute is what the table says, whatever is a constant."""

from __future__ import annotations

from itertools import product

import pytest

from purebpf.ir.builder import Builder
from purebpf.ir.function import Const, Function, Module, Op, Param, Value
from purebpf.ir.ops import INVERSE, M64, TABLE, OpRow
from purebpf.ir.types import I64, PTR

from .running import code, executed

PURE = [row for row in TABLE.values() if row.evaluate is not None]
COMPARE = [row for row in PURE if row in INVERSE]
VALUES = (0, 1, 3, 8, 31, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, 0xCBF29CE484222325 - (1 << 64), -1, -8, -(1 << 31),
          -(1 << 31) - 1, -(1 << 63))
CPUS = (1, 2, 3, 4)


def raw(row: OpRow, args: list[Value]) -> Op:
    """The op itself: the builder would fold it."""
    return Op(row, args, I64)


def function(row: OpRow, values: tuple[int, ...], constants: tuple[bool, ...], how: str) -> Module:
    """f(mem): row of the words at mem, or of constants where told; as a value, in a branch, or in both."""
    fn = Function("f")
    b = Builder(fn)
    mem, n = Param(PTR["arg"]), Param(I64)
    entry = b.place(b.new_block("entry", [mem, n]))
    args = [Const(v) if c else b.load(mem, 8, 8 * i) for i, (v, c) in enumerate(zip(values, constants))]
    op = raw(row, args)
    entry.ops.append(op)
    if how == "value":
        b.ret(op)
    else:
        yes, no = b.new_block("yes"), b.new_block("no")
        b.br(op, yes, no)
        b.place(yes)
        b.ret(b.op("add", op, 10) if how == "both" else 1)
        b.place(no)
        b.ret(0)
    return Module([fn])


def run(module: Module, cpu: int, values: tuple[int, ...]) -> int:
    data = b"".join((v & M64).to_bytes(8, "little") for v in values).ljust(64, b"\0")
    return executed(code(module, cpu), data)[0]


@pytest.mark.parametrize("row", PURE, ids=lambda row: row.name)
def test_value(row: OpRow) -> None:
    assert row.evaluate is not None
    pairs = list(product(VALUES, repeat=len(row.args)))
    for n, values in enumerate(pairs[::7] if len(row.args) == 2 else pairs):
        want = row.evaluate(*values) & M64
        cpu = CPUS[n % 4]
        for constants in product((False, True), repeat=len(row.args)):
            if not all(constants):
                assert run(function(row, values, constants, "value"), cpu, values) == want, (values, constants, cpu)


@pytest.mark.parametrize("row", COMPARE, ids=lambda row: row.name)
def test_condition(row: OpRow) -> None:
    assert row.evaluate is not None
    for n, values in enumerate(list(product(VALUES, repeat=2))[::11]):
        holds, cpu = row.evaluate(*values), CPUS[n % 4]
        for constants in ((False, False), (False, True), (True, False), (True, True)):
            assert run(function(row, values, constants, "branch"), cpu, values) == holds, (values, constants, cpu)
        assert run(function(row, values, (False, False), "both"), cpu, values) == (11 if holds else 0), (values, cpu)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("zero", ("eq", "ne", "eq32", "ne32"))
@pytest.mark.parametrize("inner", ("and", "and32", "ult", "slt32", "eq"))
def test_test_of_a_test(zero: str, inner: str, cpu: int) -> None:
    """`(a & b) != 0` becomes jset, `(a < b) == 0` the opposite comparison."""
    for a, b in product(VALUES, VALUES[::2]):
        for constant in (False, True):
            module = function(TABLE[inner], (a, b), (False, constant), "value")
            fn = module.functions["f"]
            first = fn.entry.ops[-2]
            second = raw(TABLE[zero], [first, Const(0)])
            fn.entry.ops[-1:] = [second]
            builder = Builder(fn)
            builder.block = fn.entry
            yes, no = builder.new_block("yes"), builder.new_block("no")
            builder.br(second, yes, no)
            for block, result in ((yes, 7), (no, 8)):
                builder.place(block)
                builder.ret(result)
            evaluate, test = TABLE[inner].evaluate, TABLE[zero].evaluate
            assert evaluate and test
            assert run(module, cpu, (a, b)) == (7 if test(evaluate(a, b), 0) else 8), (a, b, constant)


@pytest.mark.parametrize("first", ("udiv", "umod"))
@pytest.mark.parametrize("suffix", ("", "32"))
@pytest.mark.parametrize("constant", (False, True))
def test_quotient_and_remainder(first: str, suffix: str, constant: bool) -> None:
    """One division does for both, in either order."""
    second = "umod" if first == "udiv" else "udiv"
    for n, (x, y) in enumerate(product(VALUES, VALUES[::2])):
        fn = Function("f")
        b = Builder(fn)
        mem, _ = params = [Param(PTR["arg"]), Param(I64)]
        entry = b.place(b.new_block("entry", params))
        args = [b.load(mem, 8), Const(y) if constant else b.load(mem, 8, 8)]
        results = {name: raw(TABLE[name + suffix], args) for name in (first, second)}
        entry.ops += results.values()
        b.store(mem, results["udiv"], 8, 16)
        b.ret(results["umod"])
        data = ((x & M64) | (y & M64) << 64).to_bytes(64, "little")
        insns = code(Module([fn]), CPUS[n % 4])
        result, after = executed(insns, data)
        assert result == TABLE["umod" + suffix].evaluate(x, y) & M64, (x, y)
        assert int.from_bytes(after[16:24], "little") == TABLE["udiv" + suffix].evaluate(x, y) & M64, (x, y)
        if not constant:
            assert sum(i.code & 7 in (4, 7) and i.code & 0xF0 in (0x30, 0x90) for i in insns) == 1


def test_every_op_has_a_rule() -> None:
    """A new row of ir.ops.TABLE must be selected somewhere: a handler, or one of the terminators."""
    from purebpf.codegen import isel

    assert {row for row in TABLE.values() if not row.until} == set(isel._HANDLERS) | {row for row in TABLE.values() if row.terminator and not row.until}
