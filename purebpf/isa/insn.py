"""One instruction as a value, and the symbols that may stand in it until something is linked or loaded."""

from __future__ import annotations

from typing import Final, NamedTuple

from .opcodes import LD_IMM64

FP: Final = 10  # r10, the frame pointer
REGISTERS: Final = 11


class Label(NamedTuple):
    """A jump or local call to a place named in the same text; only the assembler's input and output hold these."""

    name: str


class MapRef(NamedTuple):
    """ld_imm64 of a map (src 1)."""

    name: str


class DataRef(NamedTuple):
    """ld_imm64 of the address of global data (src 2): `section` as in the object (".data"), byte `offset` into it.
    `symbol` is the variable's name, "" for a section-relative reference."""

    section: str
    offset: int
    symbol: str = ""


class FuncRef(NamedTuple):
    """A local call (call, src 1), or the address of a subprogram (ld_imm64, src 4)."""

    name: str


class KfuncRef(NamedTuple):
    """A call of a kernel function (call, src 2), by name; `weak`: the program copes with its absence."""

    name: str
    weak: bool = False


class KsymRef(NamedTuple):
    """ld_imm64 of a kernel variable's address (src 3, typed) or of a kallsyms address (src 0, typeless)."""

    name: str
    typed: bool = True
    weak: bool = False


class KconfigRef(NamedTuple):
    """ld_imm64 of an extern that the loader fills from the kernel's configuration."""

    name: str
    weak: bool = False


class CoreRef(NamedTuple):
    """A CO-RE relocation of this instruction's imm or off: the `kind` (btf-facts 2.1) of what `access`, a path such as
    "0:1:2", reaches from the local type `type_id` of the object's own BTF."""

    type_id: int
    access: str
    kind: int


class ExternRef(NamedTuple):
    """A function, map or variable (and a byte `offset` into it) of another object, which static linking finds."""

    name: str
    offset: int = 0
    weak: bool = False


Ref = Label | MapRef | DataRef | FuncRef | KfuncRef | KsymRef | KconfigRef | CoreRef | ExternRef


class Insn(NamedTuple):
    """One instruction. Fields as in RFC 9669, registers as numbers, `imm` signed 32-bit.

    ld_imm64 is *one* Insn of two slots whose `imm` is the whole 64-bit value (signed or unsigned, mod 2**64); with
    src 1..6 the low 32 bits go into the first slot and the high ones into the second.
    `off` of jumps and `imm` of local calls count slots, relative to the next slot, as encoded.
    With a `ref`, the field that the reference stands for is 0 (-1 for a call) until linking or loading fills it; a CoreRef's
    field holds the value by the local BTF, which loaders compare.
    """

    code: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0
    ref: Ref | None = None

    @property
    def slots(self) -> int:
        """Encoded length in 8-byte slots: 2 for ld_imm64, else 1."""
        return 2 if self.code == LD_IMM64 else 1
