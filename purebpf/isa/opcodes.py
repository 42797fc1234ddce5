"""The opcode byte and what else tells instructions apart, as numbers (RFC 9669, section 3).

    ALU, ALU64, JMP, JMP32          LD, LDX, ST, STX
    7     4 3 2     0               7   5 4  3 2     0
    ┌──────┬─┬───────┐              ┌────┬────┬───────┐
    │ code │s│ class │              │mode│size│ class │
    └──────┴─┴───────┘              └────┴────┴───────┘
             s: 0 = imm (K), 1 = src register (X)

Plain ints, not enums: codegen and the VM compare these millions of times.
"""

from __future__ import annotations

from typing import Final

# class, bits 0-2
LD: Final = 0x00
LDX: Final = 0x01
ST: Final = 0x02
STX: Final = 0x03
ALU: Final = 0x04
JMP: Final = 0x05
JMP32: Final = 0x06
ALU64: Final = 0x07

# operand source, bit 3
K: Final = 0x00
X: Final = 0x08

# ALU codes, bits 4-7
ADD: Final = 0x00
SUB: Final = 0x10
MUL: Final = 0x20
DIV: Final = 0x30
OR: Final = 0x40
AND: Final = 0x50
LSH: Final = 0x60
RSH: Final = 0x70
NEG: Final = 0x80
MOD: Final = 0x90
XOR: Final = 0xA0
MOV: Final = 0xB0
ARSH: Final = 0xC0
END: Final = 0xD0

# JMP codes, bits 4-7
JA: Final = 0x00
JEQ: Final = 0x10
JGT: Final = 0x20
JGE: Final = 0x30
JSET: Final = 0x40
JNE: Final = 0x50
JSGT: Final = 0x60
JSGE: Final = 0x70
CALL: Final = 0x80
EXIT: Final = 0x90
JLT: Final = 0xA0
JLE: Final = 0xB0
JSLT: Final = 0xC0
JSLE: Final = 0xD0
JCOND: Final = 0xE0  # may_goto (src 0)

# size, bits 3-4
W: Final = 0x00
H: Final = 0x08
B: Final = 0x10
DW: Final = 0x18

# mode, bits 5-7
IMM: Final = 0x00
ABS: Final = 0x20
IND: Final = 0x40
MEM: Final = 0x60
MEMSX: Final = 0x80
ATOMIC: Final = 0xC0

SIZE_BYTES: Final = {W: 4, H: 2, B: 1, DW: 8}
SIZE_BITS: Final = {4: W, 2: H, 1: B, 8: DW}

# atomic operations, in imm
FETCH: Final = 0x01
XCHG: Final = 0xE1
CMPXCHG: Final = 0xF1
LOAD_ACQ: Final = 0x100
STORE_REL: Final = 0x110

# src of a call
CALL_HELPER: Final = 0
CALL_LOCAL: Final = 1
CALL_KFUNC: Final = 2

# src of ld_imm64
IMM64_VALUE: Final = 0
IMM64_MAP_FD: Final = 1
IMM64_MAP_VALUE: Final = 2
IMM64_BTF_ID: Final = 3
IMM64_FUNC: Final = 4
IMM64_MAP_IDX: Final = 5
IMM64_MAP_IDX_VALUE: Final = 6

LD_IMM64: Final = LD | IMM | DW  # 0x18, the only instruction of two slots
SLOT: Final = 8  # bytes
