"""Loads, stores and atomics: addresses folded into the instruction's offset.

    %q = ptradd %p, 14
    %v = load.u16 %q+2         r12 = *(u16 *)(r11 + 16)

Frame slots are addressed from R10; global data of one section from one base register; a slot or a section at a variable
index from `index + base`, the constant part again in the offset.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InternalError
from ..ir.function import Const, Op, Value
from ..ir.ops import Data, Mem, Rmw
from ..isa.insn import FP
from ..isa.opcodes import (
    ADD,
    ALU64,
    AND,
    ARSH,
    ATOMIC,
    CMPXCHG,
    FETCH,
    LDX,
    LSH,
    MEM,
    MEMSX,
    MOV,
    OR,
    SIZE_BITS,
    ST,
    STX,
    XCHG,
    XOR,
    K,
    X,
)
from .mach import move
from .selector import Selector, core_ref, resolve, s16, s32

_ATOMICS = {"add": ADD, "or": OR, "and": AND, "xor": XOR}

class Address(NamedTuple):
    """Register + `off`, counted from frame slot `slot` if that is not -1."""

    reg: int
    off: int
    slot: int = -1


def mem(op: Op) -> Mem:
    assert isinstance(op.attr, Mem)
    return op.attr


def _walk(value: Value, off: int) -> tuple[Value, int]:
    """`value` + `off` with the constant additions taken into `off`, as far as it stays encodable."""
    value = resolve(value)
    while isinstance(value, Op) and value.row.name == "ptradd":
        by = resolve(value.args[1])
        if not isinstance(by, Const) or not s16(off + by.value):
            break
        value, off = resolve(value.args[0]), off + by.value
    return value, off


def address(s: Selector, pointer: Value, off: int) -> Address:
    """The address `pointer` + `off` as a load or store writes it."""
    base, disp = _walk(pointer, off)
    found = _fixed(s, base, disp)
    if found is not None:
        return found
    if isinstance(base, Op) and base.row.name == "ptradd":
        root, inner = _walk(base.args[0], 0)
        fixed = _fixed(s, root, inner)
        if fixed is not None and s16(fixed.off + disp):
            reg = s.shifted.get(base)
            if reg is None:
                reg = s.shifted[base] = s.mf.new_register()
            return Address(reg, fixed.off + disp, fixed.slot)
    if base in s.steps:  # after q = p + 4, in a loop whose next p is q: address q - 4, so that p ends there
        step, stride = s.steps[base]
        if s16(disp - stride):
            return Address(s.demand(step), disp - stride)
    return Address(s.demand(base), disp)


def _fixed(s: Selector, base: Value, off: int) -> Address | None:
    """`base` + `off` if that is a place in the frame or in global data."""
    if not isinstance(base, Op):
        return None
    if base.row.name == "alloca":
        return Address(FP, off, s.slot(base))
    if base.row.name == "dataaddr":
        assert isinstance(base.attr, Data)
        reg, disp = s.data_base(base.attr)
        if s16(disp + off):
            return Address(reg, disp + off)
    return None


def indexed_base(s: Selector, op: Op) -> None:
    """Index + base of a frame slot or data section, for the loads and stores that add the constant part."""
    root, inner = _walk(op.args[0], 0)
    fixed = _fixed(s, root, inner)
    if fixed is None:
        raise InternalError("codegen.isel", f"{op!r} has no fixed base")
    reg = s.shifted[op]
    if fixed.reg == FP:
        index = s.demand(op.args[1])
        s.out.append(move(reg, FP, s.span))
        s.emit(ALU64 | ADD | X, reg, index)
    else:
        s.copy(reg, op.args[1])
        s.emit(ALU64 | ADD | X, reg, fixed.reg)


def _place(s: Selector, op: Op) -> Address:
    """The address of a load or store; a CO-RE relocated offset stays as it is."""
    attr = mem(op)
    if attr.core is not None:
        return Address(s.demand(op.args[0]), attr.off)
    return address(s, op.args[0], attr.off)


def load(s: Selector, op: Op) -> None:
    attr = mem(op)
    dst = s.demand(op)
    place = _place(s, op)
    ref = core_ref(attr.core) if attr.core else None
    native = attr.sext and attr.size < 8 and s.cpu >= 4
    code = LDX | (MEMSX if native else MEM) | SIZE_BITS[attr.size]
    s.emit(code, dst, place.reg, place.off, ref=ref, slot=place.slot)
    if attr.sext and attr.size < 8 and not native:
        _shift_extend(s, dst, 8 * attr.size)


def store(s: Selector, op: Op) -> None:
    attr = mem(op)
    value = _stored(op.args[1], attr.size)
    ref = core_ref(attr.core) if attr.core else None
    size = SIZE_BITS[attr.size]
    in_ctx = op.args[0].type.region == "ctx"  # kernels before 6.4 refuse a constant there
    if isinstance(value, Const) and not in_ctx and (attr.size < 8 or s32(value.value)):
        place = _place(s, op)
        imm = value.value if attr.size == 8 else value.value & (1 << 8 * attr.size) - 1
        imm = imm - (1 << 32) if imm >= 1 << 31 else imm
        s.emit(ST | MEM | size, place.reg, 0, place.off, imm, ref, slot=place.slot)
    else:
        src = s.demand(value)
        place = _place(s, op)
        s.emit(STX | MEM | size, place.reg, src, place.off, ref=ref, slot=place.slot)


def _stored(value: Value, size: int) -> Value:
    """`value` without an operation that only changes bits which a store of `size` bytes leaves out."""
    value = resolve(value)
    while size < 8 and isinstance(value, Op):
        mask = resolve(value.args[1]) if value.row.name in ("and", "and32") else None
        keeps = isinstance(mask, Const) and mask.value & (low := (1 << 8 * size) - 1) == low
        if not keeps and not (value.row.name.startswith("sext") and int(value.row.name[4:]) >= 8 * size):
            break
        value = resolve(value.args[0])
    return value


def rmw(s: Selector, op: Op) -> None:
    attr = op.attr
    assert isinstance(attr, Rmw)
    code = STX | ATOMIC | SIZE_BITS[attr.size]
    place = address(s, op.args[0], attr.off)
    if attr.op == "cmpxchg":
        new = s.demand(op.args[2])
        s.copy(0, op.args[1])
        s.emit(code, place.reg, new, place.off, CMPXCHG, slot=place.slot)
        if s.demanded(op):
            s.out.append(move(s.regs[op], 0, s.span))
        return
    fetch = attr.fetch or attr.op == "xchg"
    imm = XCHG if attr.op == "xchg" else _ATOMICS[attr.op]
    if not fetch or attr.op != "xchg" and not s.demanded(op):
        s.emit(code, place.reg, s.demand(op.args[1]), place.off, imm, slot=place.slot)
        return
    dst = s.demand(op)
    s.copy(dst, op.args[1])
    s.emit(code, place.reg, dst, place.off, imm | FETCH, slot=place.slot)


def sign_extend(s: Selector, dst: int, value: Value, width: int) -> None:
    """dst = the low `width` bits of `value`, sign-extended."""
    if s.cpu >= 4:
        s.emit(ALU64 | MOV | X, dst, s.demand(value), off=width)
    else:
        s.copy(dst, value)
        _shift_extend(s, dst, width)


def _shift_extend(s: Selector, reg: int, width: int) -> None:
    s.emit(ALU64 | LSH | K, reg, imm=64 - width)
    s.emit(ALU64 | ARSH | K, reg, imm=64 - width)
