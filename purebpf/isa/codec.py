"""Insn <-> bytes, both byte orders (RFC 9669, section 3; in big-endian code dst is the high nibble).

    byte   0      1          2-3    4-7            8      9-11      12-15
           code   src:dst    off    imm            0      0         high half of the imm64
                                    (first slot)   (second slot of ld_imm64 only)

decode(encode(x)) == x for every list of Insn with fields in range (ld_imm64 with imm as unsigned 64-bit, no refs);
encode(decode(b)) == b for all bytes that decode. Neither asks whether the instruction exists: `table.lookup` does.
"""

from __future__ import annotations

import struct
from typing import Iterable

from ..errors import DecodeError, FormatError
from .insn import Insn, Ref
from .opcodes import LD_IMM64

_LITTLE = struct.Struct("<BBhi")
_BIG = struct.Struct(">BBhi")
_M32 = 0xFFFFFFFF


def encode(insns: Iterable[Insn], byteorder: str = "little") -> bytes:
    """The machine code of `insns`; symbolic references must be resolved, or be meant as what is in the fields.

    FormatError if a field does not fit. imm of one-slot instructions may be signed or unsigned 32-bit."""
    little = byteorder == "little"
    pack = (_LITTLE if little else _BIG).pack
    out: list[bytes] = []
    add = out.append
    for insn in insns:
        code, dst, src, off, imm, _ = insn
        regs = (src << 4 | dst) if little else (dst << 4 | src)
        if (dst | src) & ~15:
            raise FormatError(f"a register of {insn} does not fit")
        try:
            if code == LD_IMM64:
                low, high = imm & _M32, imm >> 32 & _M32
                add(pack(code, regs, off, low - (low >> 31 << 32)))
                add(pack(0, 0, 0, high - (high >> 31 << 32)))
                continue
            if imm > 0x7FFFFFFF and imm <= _M32:
                imm -= 1 << 32
            add(pack(code, regs, off, imm))
        except struct.error:
            raise FormatError(f"a field of {insn} does not fit") from None
    return b"".join(out)


def decode(code: bytes, byteorder: str = "little") -> list[Insn]:
    """The instructions of machine code. DecodeError, with the byte offset, if `code` ends inside an instruction or the
    second slot of an ld_imm64 is not one."""
    if len(code) % 8:
        raise DecodeError(f"code of {len(code)} bytes is no whole number of 8-byte slots", position=len(code) & ~7)
    little = byteorder == "little"
    out: list[Insn] = []
    add, new, cls = out.append, tuple.__new__, Insn
    none: Ref | None = None
    slots = (_LITTLE if little else _BIG).iter_unpack(code)
    for op, regs, off, imm in slots:
        dst, src = (regs & 15, regs >> 4) if little else (regs >> 4, regs & 15)
        if op == LD_IMM64:
            second = next(slots, None)
            at = (sum(i.slots for i in out)) * 8 if second is None or second[:3] != (0, 0, 0) else 0
            if second is None:
                raise DecodeError("ld_imm64 without its second slot", position=at)
            if second[:3] != (0, 0, 0):
                raise DecodeError("the second slot of ld_imm64 has more than an immediate", position=at + 8)
            imm = (imm & _M32) | (second[3] & _M32) << 32
        add(new(cls, (op, dst, src, off, imm, none)))
    return out
