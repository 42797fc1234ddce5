"""decode(encode(x)) == x and assemble(disassemble(x)) == x, for any instruction and any bytes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.errors import DecodeError, FormatError
from purebpf.isa import Insn, assemble, decode, disassemble, encode, format_insn

sys.path.insert(0, str(Path(__file__).parents[1] / "property"))
from strategies_isa import any_code, insns, programs  # noqa: E402

ORDERS, NOTATIONS = ("little", "big"), ("kernel", "mnemonic")


@pytest.mark.parametrize("order", ORDERS)
@given(program=programs)
@settings(max_examples=200)
def test_decode_of_encode(order: str, program: list[Insn]) -> None:
    assert decode(encode(program, order), order) == program


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("notation", NOTATIONS)
@given(program=programs)
@settings(max_examples=150)
def test_text_of_programs(order: str, notation: str, program: list[Insn]) -> None:
    code = encode(program, order)
    text = disassemble(code, notation, order)
    assert assemble(text, notation, order) == code
    assert assemble(text, "auto", order) == code
    assert assemble(disassemble(code, notation, order, labels=True), "auto", order) == code


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("notation", NOTATIONS)
@given(code=any_code)
@settings(max_examples=200)
def test_text_of_any_slots(order: str, notation: str, code: bytes) -> None:
    assert assemble(disassemble(code, notation, order), notation, order) == code


@given(code=st.binary(max_size=64), order=st.sampled_from(ORDERS))
@settings(max_examples=200)
def test_bytes_give_a_value_or_decode_error(code: bytes, order: str) -> None:
    try:
        assert encode(decode(code, order), order) == code
    except DecodeError as error:
        assert error.position is not None and 0 <= error.position <= len(code)
    try:
        disassemble(code, byteorder=order)
    except DecodeError:
        assert len(code) % 8


@pytest.mark.parametrize("notation", NOTATIONS)
@given(insn=insns)
@settings(max_examples=200)
def test_format_insn_is_a_line_of_disassemble(notation: str, insn: Insn) -> None:
    assert disassemble(encode([insn]), notation) == format_insn(insn, notation) + "\n"


def test_position_of_a_broken_wide_instruction() -> None:
    good = encode([Insn(0x18, 1, imm=2**64 - 1), Insn(0x95)])
    with pytest.raises(DecodeError) as caught:
        decode(good + bytes([0x18]) + bytes(7))
    assert caught.value.position == 24
    with pytest.raises(DecodeError) as caught:
        decode(good + bytes([0x18]) + bytes(7) + bytes([0xB7]) + bytes(7))
    assert caught.value.position == 32
    with pytest.raises(DecodeError) as caught:
        decode(good + bytes(3))
    assert caught.value.position == 24


@pytest.mark.parametrize("insn", [Insn(0xB7, 1, 0, 0, 2**32), Insn(0xB7, 1, 0, 0, -2**31 - 1), Insn(0x05, 0, 0, 2**15),
                                  Insn(0xB7, 16), Insn(0xBF, 0, 16), Insn(256)])
def test_fields_that_do_not_fit(insn: Insn) -> None:
    with pytest.raises(FormatError):
        encode([insn])


def test_fields() -> None:
    assert encode([Insn(0xBF, 1, 2)]).hex() == "bf21000000000000"
    assert encode([Insn(0xBF, 1, 2)], "big").hex() == "bf12000000000000"
    assert encode([Insn(0x6B, 2, 3, 0x102)], "big").hex() == "6b23010200000000"
    assert encode([Insn(0xB7, 1, imm=0xFFFFFFFF)]) == encode([Insn(0xB7, 1, imm=-1)])
    assert encode([Insn(0x18, 1, imm=-2)]) == encode([Insn(0x18, 1, imm=2**64 - 2)])
    assert decode(bytes.fromhex("18010000887766550000000044332211")) == [Insn(0x18, 1, imm=0x1122334455667788)]
