"""Quotient and remainder of the same operands: one division, which is what takes the time.

    %r = umod %n, 10           r12 = r11 / 10
    %q = udiv %n, 10           r13 = r11 - r12 * 10

Signed division below cpu v4: by the absolute values, then the sign.
"""

from __future__ import annotations

from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import TABLE
from ..isa.opcodes import ALU, ALU64, ARSH, DIV, MOD, MUL, SUB, K, X, XOR
from .mach import move
from .selector import Selector, resolve, s32

_PARTNER = {TABLE["udiv"]: TABLE["umod"], TABLE["udiv32"]: TABLE["umod32"]}
_PARTNER |= {b: a for a, b in _PARTNER.items()}
_QUOTIENTS = (TABLE["udiv"], TABLE["udiv32"])


def pairs(fn: Function) -> dict[Op, Op]:
    """The later op of each quotient and remainder of the same operands in a block -> the earlier one."""
    out: dict[Op, Op] = {}
    for block in fn.blocks:
        _pairs_of(block, out)
    return out


def _pairs_of(block: Block, out: dict[Op, Op]) -> None:
    seen: dict[tuple[object, ...], Op] = {}
    for op in block.ops:
        if op.row not in _PARTNER:
            continue
        a, b = [_identity(arg) for arg in op.args]
        if isinstance(b, int) and (b & (b - 1) == 0 or not s32(b)):
            continue  # shifts, or a constant that takes two slots
        first = seen.setdefault((a, b, _PARTNER[op.row]), op)
        if first.row is _PARTNER[op.row] and first is not op:
            out[op] = first
        seen.setdefault((a, b, op.row), op)


def _identity(value: Value) -> object:
    value = resolve(value)
    return value.value if isinstance(value, Const) else value


def both(s: Selector, one: Op, other: Op) -> None:
    """Quotient and remainder in one go."""
    quotient, remainder = (one, other) if one.row in _QUOTIENTS else (other, one)
    cls = ALU64 if quotient.row is TABLE["udiv"] else ALU
    a, b = [resolve(arg) for arg in quotient.args]
    q, r, product = s.register(quotient), s.register(remainder), s.mf.new_register()
    right = None if isinstance(b, Const) else s.demand(b)

    def step(code: int, dst: int) -> None:
        if right is not None:
            s.emit(cls | code | X, dst, right)
        else:
            assert isinstance(b, Const)
            s.emit(cls | code | K, dst, imm=b.value)

    s.copy(q, a)
    step(DIV, q)
    s.out.append(move(product, q, s.span))
    step(MUL, product)
    s.copy(r, a)
    s.emit(cls | SUB | X, r, product)


def signed(s: Selector, dst: int, name: str, narrow: bool, a: Value, b: Value) -> None:
    """dst = a sdiv b or a smod b without the instruction of cpu v4."""
    # |a| op |b|, then the sign: with m = x >> 63, |x| = (x ^ m) - m and -x = (x ^ -1) - -1
    cls, shift = (ALU, 31) if narrow else (ALU64, 63)
    right = s.demand(b)
    sign, divisor, mask = (s.mf.new_register() for _ in range(3))

    def under(reg: int, by: int) -> None:
        s.emit(cls | XOR | X, reg, by)
        s.emit(cls | SUB | X, reg, by)

    s.copy(sign, a)
    s.copy(dst, a)
    s.emit(cls | ARSH | K, sign, imm=shift)
    under(dst, sign)
    s.out.append(move(divisor, right, s.span))
    s.out.append(move(mask, right, s.span))
    s.emit(cls | ARSH | K, mask, imm=shift)
    under(divisor, mask)
    s.emit(cls | (DIV if name == "sdiv" else MOD) | X, dst, divisor)
    if name == "sdiv":
        s.emit(cls | XOR | X, sign, mask)
    under(dst, sign)
