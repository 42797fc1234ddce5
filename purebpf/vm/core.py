"""CO-RE relocations without a kernel: the target is the kernel as the object declares it.

Of the types that share a name apart from their flavour (`task_struct`, `task_struct___old`) the plain one is the
kernel's, or the first if there is no plain one; what the others add does not exist. The flavour `absent` never is: by it
the compiler asks for what the kernel that it saw does not have.
"""

from __future__ import annotations

from typing import Final

from ..btf import Btf
from ..btf import types as t
from ..btf.container import essential
from ..btf.core import Relocator, local_value
from ..errors import BtfError
from ..isa import opcodes as op
from ..isa.insn import CoreRef, Insn

POISON: Final = Insn(op.JMP | op.CALL, imm=0xBAD2310)  # no helper: reaching it is a fault that names it
ABSENT: Final = "___absent"
NAMED: Final = (t.Struct, t.Union, t.Enum, t.Enum64)


def declared_kernel(btf: Btf) -> Btf:
    """`btf`, with the flavours nameless that are not the kernel's."""
    chosen: dict[tuple[bool, str], int] = {}
    flavoured = [(number, one) for number, one in btf.items() if isinstance(one, NAMED) and one.name]
    for number, one in flavoured:
        if one.name.endswith(ABSENT):
            continue
        key = (isinstance(one, (t.Enum, t.Enum64)), essential(one.name))
        if key not in chosen or (one.name == key[1] and btf_name(btf, chosen[key]) != key[1]):
            chosen[key] = number
    kept = set(chosen.values())
    return Btf([one._replace(name="") if isinstance(one, NAMED) and one.name and number not in kept else one
                for number, one in btf.items()], byteorder=btf.byteorder)


def btf_name(btf: Btf, type_id: int) -> str:
    return str(getattr(btf[type_id], "name", ""))


class Core:
    """Relocates the instructions of one object."""

    __slots__ = ("_btf", "_relocator")

    def __init__(self, btf: Btf | None) -> None:
        self._btf = btf
        self._relocator: Relocator | None = None

    def relocate(self, insn: Insn, ref: CoreRef) -> tuple[Insn, ...]:
        """`insn` with the answer in imm, or in off for loads and stores, whose size follows the field's. BtfError if
        the access path leads nowhere."""
        if self._btf is None:
            raise BtfError("a CO-RE relocation without BTF")
        if self._relocator is None:
            self._relocator = Relocator(self._btf, (declared_kernel(self._btf),))
        if not btf_name(self._btf, ref.type_id):
            return (_put(insn, local_value(self._btf, ref.type_id, ref.access, ref.kind)),)
        found = self._relocator.relocate(ref.type_id, ref.access, ref.kind)
        if found.poison:
            return (POISON,) * insn.slots
        if insn.code & 7 in (op.LDX, op.ST, op.STX) and found.size != found.old_size and found.size:
            if not found.resize or found.size not in op.SIZE_BITS:
                return (POISON,)
            insn = insn._replace(code=insn.code & ~op.DW | op.SIZE_BITS[found.size])
        return (_put(insn, found.value),)


def _put(insn: Insn, value: int) -> Insn:
    if insn.code & 7 in (op.LDX, op.ST, op.STX):
        return insn._replace(off=value, ref=None)
    return insn._replace(imm=value, ref=None)
