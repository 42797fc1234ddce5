"""The machine: instructions as values, as bytes and as text in two notations; the assembler; classic BPF.

Takes nothing from other rooms (helper names come as an argument); gives instructions and code to codegen, elf, vm and
loader, text to the command line, and `assemble`/`disassemble` to everybody.

    isa.assemble("r0 = 1\\nexit")                     bytes
    isa.disassemble(code, "mnemonic")                text
    isa.decode(code), isa.encode(insns)              list[Insn], bytes
    from purebpf.isa.build import alu64, jmp, mem    Insn values by named constructors

Invariants: decode(encode(x)) == x; assemble(disassemble(code)) == code for every whole number of slots; nothing here
raises anything but the typed errors (FormatError: DecodeError for bytes, AsmError for text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import decode, encode
from .insn import (
    FP,
    CoreRef,
    DataRef,
    ExternRef,
    FuncRef,
    Insn,
    KconfigRef,
    KfuncRef,
    KsymRef,
    Label,
    MapRef,
    Ref,
)

if TYPE_CHECKING:
    from .asm import assemble
    from .build import (
        alu32,
        alu64,
        atomic32,
        atomic64,
        jmp,
        jmp32,
        label,
        mem,
        program,
        r0,
        r1,
        r2,
        r3,
        r4,
        r5,
        r6,
        r7,
        r8,
        r9,
        r10,
    )
    from .table import ROWS, Row, lookup
    from .text import disassemble, format_insn

_BUILD = ("alu32", "alu64", "atomic32", "atomic64", "jmp", "jmp32", "label", "mem", "program",
          "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10")
_LAZY = {**dict.fromkeys(_BUILD, "build"), "assemble": "asm", "disassemble": "text", "format_insn": "text", "ROWS": "table", "Row": "table",
         "lookup": "table"}

__all__ = [
    "FP", "ROWS", "CoreRef", "DataRef", "ExternRef", "FuncRef", "Insn", "KconfigRef", "KfuncRef", "KsymRef", "Label", "MapRef", "Ref",
    "Row", "alu32", "alu64", "assemble", "atomic32", "atomic64", "decode", "disassemble", "encode", "format_insn", "jmp",
    "jmp32", "label", "lookup", "mem", "program", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10",
]


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value
