"""Conditions: the comparison is done where the decision is made, with the jump that decides.

    %c = ult32 %x, 5
    br %c, then, else          if w1 < 5 goto then
"""

from __future__ import annotations

from ..ir.function import Const, Op, Value
from ..ir.ops import INVERSE, SWAPPED, TABLE, OpRow, signed
from ..isa.opcodes import (
    ALU,
    ALU64,
    ARSH,
    JEQ,
    JGE,
    JGT,
    JLE,
    JLT,
    JMP,
    JMP32,
    JNE,
    JSET,
    JSGE,
    JSGT,
    JSLE,
    JSLT,
    LSH,
    MOV,
    K,
    X,
)
from .mach import MBlock
from .selector import Selector, resolve, s32

_CODES = {"eq": JEQ, "ne": JNE, "ult": JLT, "ule": JLE, "ugt": JGT, "uge": JGE,
          "slt": JSLT, "sle": JSLE, "sgt": JSGT, "sge": JSGE}
JUMPS: dict[OpRow, int] = {TABLE[n + s]: c | (JMP32 if s else JMP) for n, c in _CODES.items() for s in ("", "32")}
_ZERO_TESTS = {TABLE["eq"], TABLE["ne"], TABLE["eq32"], TABLE["ne32"]}
_EQUAL = {TABLE["eq"], TABLE["eq32"]}
_SIGNED = frozenset((JSLT, JSLE, JSGT, JSGE))
_NARROW_RESULT = frozenset(row for row in TABLE.values() if row.name.endswith("32") and row.evaluate is not None
                           and row.name != "sext32")


def branch(s: Selector, cond: Value, then: MBlock, other: MBlock) -> None:
    """Go to `then` if `cond` is not 0, else to `other`."""
    match resolve(cond):
        case Const(value):
            s.goto(then if value else other)
        case Op(row=row, args=args) if row in JUMPS:
            compare(s, row, args[0], args[1], then, other)
        case Op(args=args) as op if not s.demanded(op) and (joint := _connective(op)):
            first, second = (args[0], args[1]) if op.row.name != "select" else (args[0], args[2 if joint == "or" else 1])
            middle = _branch_block(s, second, then, other)
            branch(s, first, *((then, middle) if joint == "or" else (middle, other)))
        case value:
            compare(s, TABLE["ne"], value, Const(0), then, other)


def _connective(op: Op) -> str:
    """"or", "and" if the op only joins two conditions of which nobody needs the value, else ""."""
    a, b, *rest = [resolve(arg) for arg in op.args] + [None, None]
    match op.row.name:
        case "or" | "or32" if _is_test(a) or _is_test(b):
            return "or"
        case "and" | "and32" if _is_test(a) and _is_test(b):
            return "and"
        case "select" if _is_test(a) and isinstance(b, Const) and b.value:
            return "or"
        case "select" if _is_test(a) and isinstance(rest[0], Const) and rest[0].value == 0:
            return "and"
    return ""


def _is_test(value: Value | None) -> bool:
    return isinstance(value, Op) and (value.row in JUMPS or bool(_connective(value)))


def _branch_block(s: Selector, cond: Value, then: MBlock, other: MBlock) -> MBlock:
    """A block that only decides."""
    before, s.out = s.out, []
    branch(s, cond, then, other)
    block = s.mf.block(f"{s.cur.name}.{len(s.mf.blocks)}")
    block.insns = s.out[::-1]
    s.out = before
    return block


def compare(s: Selector, row: OpRow, a: Value, b: Value, then: MBlock, other: MBlock) -> None:
    """Go to `then` if `a row b`, else to `other`."""
    a, b = resolve(a), resolve(b)
    if isinstance(a, Const):
        if isinstance(b, Const):
            assert row.evaluate is not None
            return s.goto(then if row.evaluate(a.value, b.value) else other)
        a, b, row = b, a, SWAPPED[row]
    if row in _ZERO_TESTS and isinstance(b, Const) and b.value == 0 and isinstance(a, Op):
        if row in _EQUAL and a.row in JUMPS:  # eq (a < b), 0
            return compare(s, INVERSE[a.row], a.args[0], a.args[1], then, other)
        if a.row in JUMPS:
            return compare(s, a.row, a.args[0], a.args[1], then, other)
        if _connective(a) and not s.demanded(a):
            return branch(s, a, *((other, then) if row in _EQUAL else (then, other)))
        if a.row.name in ("and", "and32") and not s.demanded(a):
            targets = (other, then) if row in _EQUAL else (then, other)
            if _bit_test(s, a, row.name.endswith("32"), *targets):
                return None
    return _jump(s, row, a, b, then, other)


def _bit_test(s: Selector, test: Op, narrow: bool, then: MBlock, other: MBlock) -> bool:
    """jset for `(x & m) != 0`; False if the mask has no such form."""
    x, m = resolve(test.args[0]), resolve(test.args[1])
    if isinstance(x, Const):
        x, m = m, x
    narrow = narrow or test.row.name == "and32"
    if narrow and s.cpu < 3:
        return False
    if not isinstance(m, Const):
        code, reg = (JMP32 if narrow else JMP) | JSET | X, s.demand(m)
        s.emit(code, s.demand(x), reg).targets = (then, other)
        return True
    if not narrow and not s32(m.value) and 0 <= m.value < 1 << 32 and s.cpu >= 3:
        narrow = True
    if not narrow and not s32(m.value):
        return False
    s.emit((JMP32 if narrow else JMP) | JSET | K, s.demand(x), imm=signed(m.value, 32)).targets = (then, other)
    return True


def is_u32(value: Value) -> bool:
    """Whether the high half of `value` is surely zero."""
    match resolve(value):
        case Const(n):
            return 0 <= n < 1 << 32
        case Op(row=row) if row in _NARROW_RESULT or row in JUMPS:
            return True
        case Op(row=row, attr=attr, args=args):
            if row.name == "load":
                return attr.size <= 4 and not attr.sext  # type: ignore[union-attr]
            if row.name == "and":
                return any(isinstance(a, Const) and 0 <= a.value < 1 << 32 for a in args)
            if row.name == "shr":
                return isinstance(args[1], Const) and args[1].value & 63 >= 32
            return row.name in ("bswap16", "bswap32")
    return False


def _jump(s: Selector, row: OpRow, a: Value, b: Value, then: MBlock, other: MBlock) -> None:
    code = JUMPS[row]
    narrow = code & 7 == JMP32
    if isinstance(b, Const) and not narrow and not s32(b.value) and 0 <= b.value < 1 << 32 and s.cpu >= 3 and is_u32(a) \
            and code & 0xF0 not in _SIGNED:
        code, narrow = code & 0xF0 | JMP32, True
    if narrow and s.cpu < 3:
        return _wide_jump(s, code & 0xF0, a, b, then, other)
    if isinstance(b, Const) and (narrow or s32(b.value)):
        s.emit(code | K, s.demand(a), imm=signed(b.value, 32)).targets = (then, other)
    else:
        right = s.demand(b)
        s.emit(code | X, s.demand(a), right).targets = (then, other)
    return None


def _wide_jump(s: Selector, test: int, a: Value, b: Value, then: MBlock, other: MBlock) -> None:
    """A 32-bit comparison before JMP32: of the operands extended to 64 bits."""
    is_signed = test in _SIGNED

    def extended(value: Value) -> int:
        reg = s.mf.new_register()
        s.emit(ALU | MOV | X, reg, s.demand(value))
        if is_signed:
            s.emit(ALU64 | LSH | K, reg, imm=32)
            s.emit(ALU64 | ARSH | K, reg, imm=32)
        return reg

    if isinstance(b, Const) and s32(value := signed(b.value, 32) if is_signed else b.value & 0xFFFFFFFF):
        s.emit(JMP | test | K, extended(a), imm=value).targets = (then, other)
    else:
        right = extended(b)
        s.emit(JMP | test | X, extended(a), right).targets = (then, other)
