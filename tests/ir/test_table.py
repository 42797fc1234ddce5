"""Every row of the op table is documented, printed, parsed, verified and run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebpf.errors import InternalError, IrSyntaxError
from purebpf.ir import ops, text, verify
from purebpf.ir.interp import Interp

EVALUATED = [row for row in ops.TABLE.values() if row.evaluate is not None]
WORD = st.integers(-(1 << 63), (1 << 63) - 1) | st.sampled_from([0, 1, -1, 31, 32, 63, 1 << 31, -(1 << 31), 1 << 32, -(1 << 63)])


@pytest.mark.parametrize("row", EVALUATED, ids=lambda r: r.name)
@given(a=WORD, b=WORD)
def test_evaluate_stays_in_range_and_runs(row: ops.OpRow, a: int, b: int) -> None:
    args = (a, b)[: len(row.args)]
    assert row.evaluate is not None
    value = row.evaluate(*args)
    assert ops.signed(value) == value
    if row.name.endswith("32") and row.name not in ("sext32",):
        assert 0 <= value <= ops.M32
        assert value == row.evaluate(*(x & ops.M32 for x in args))
    if row.commutative:
        assert value == row.evaluate(b, a)
    if row in ops.INVERSE:
        assert value == 1 - _evaluate(ops.INVERSE[row], args)
        assert value == _evaluate(ops.SWAPPED[row], (b, a))
    source = f"func @f(%a: i64, %b: i64) -> i64 {{\nentry:\n  %r = {row.name} {', '.join(('%a', '%b')[: len(args)])}\n  ret %r\n}}\n"
    module = text.parse(source)
    verify.check(module, "test")
    assert Interp(module).run("f", a, b) == value


def _evaluate(row: ops.OpRow, args: tuple[int, ...]) -> int:
    assert row.evaluate is not None
    return row.evaluate(*args)


def test_rows_have_docs() -> None:
    assert all(row.doc and row.name == name for name, row in ops.TABLE.items())


def test_narrow_forms_compute_the_low_half() -> None:
    for wide, narrow in ops.NARROW.items():
        if wide.name in ("add", "sub", "mul", "and", "or", "xor", "neg"):
            for a, b in ((5, 9), (-3, 1 << 40), (1 << 31, 1 << 31)):
                args = (a, b)[: len(wide.args)]
                assert _evaluate(narrow, args) == _evaluate(wide, args) & ops.M32


@given(st.text(alphabet=st.sampled_from("func @(%a:i64)->{}\n entry ret add.u8,+-\"0x1#\\"), max_size=80))
def test_parser_gives_a_module_or_a_syntax_error(source: str) -> None:
    try:
        module = text.parse(source)
    except IrSyntaxError:
        return
    assert text.print_module(text.parse(text.print_module(module))) == text.print_module(module)


@given(st.data())
def test_parser_survives_mutation(data: st.DataObject) -> None:
    source = "func @f(%a: i64) -> i64 global {\nentry:\n  %p = alloca 4 align 4 : ptr.stack\n  store.u32 %p + 0, %a\n" \
             "  br %a, x(1), x(2)\nx(%b: i64):\n  %h = helper.pure 5 t(%b)\n  ret %h\n}\n"
    at = data.draw(st.integers(0, len(source) - 1))
    size = data.draw(st.integers(0, 6))
    mutant = source[:at] + data.draw(st.text(alphabet="%@(){}:,.0az\" \n", max_size=3)) + source[at + size:]
    try:
        text.parse(mutant)
    except IrSyntaxError:
        pass


def test_check_shows_the_function() -> None:
    module = text.parse("func @f(%a: i64) -> i64 {\nentry:\n  %x = load.u8 %a\n  ret %x\n}\n")
    with pytest.raises(InternalError, match="pointer is needed") as e:
        verify.check(module, "gvn")
    assert e.value.where == "gvn" and "func @f" in e.value.dump


def test_numbers_may_begin_with_zeros() -> None:
    assert text.print_module(text.parse("func @f() -> i64 {\nentry:\n  ret 0010\n}\n")) == "func @f() -> i64 {\nentry:\n  ret 10\n}\n"
