"""CO-RE relocations against the object's own types: in the VM, the kernel looks as the object declares it.

A field is where the object's struct has it, every type exists, every enumerator has its declared value.
"""

from __future__ import annotations

from ..btf import Btf
from ..btf import types as t
from ..btf.layout import resolve, resolved, size_of
from ..errors import BtfError
from ..isa import opcodes as op
from ..isa.insn import CoreRef, Insn
from ..uapi.enums import CoreKind


def relocate(insn: Insn, ref: CoreRef, btf: Btf | None) -> Insn:
    """`insn` with the value of `ref` in imm, or in off for loads and stores."""
    if btf is None:
        raise BtfError("a CO-RE relocation without BTF")
    value = local_value(btf, ref)
    if insn.code & 7 in (op.LDX, op.ST, op.STX):
        return insn._replace(off=value, ref=None)
    return insn._replace(imm=value, ref=None)


def local_value(btf: Btf, ref: CoreRef) -> int:
    """The number that `ref` asks for. BtfError if the access path leads nowhere."""
    kind = ref.kind
    if kind in (CoreKind.TYPE_ID_LOCAL, CoreKind.TYPE_ID_TARGET):
        return ref.type_id
    if kind in (CoreKind.TYPE_EXISTS, CoreKind.TYPE_MATCHES, CoreKind.FIELD_EXISTS, CoreKind.ENUMVAL_EXISTS):
        return 1
    if kind == CoreKind.TYPE_SIZE:
        return size_of(btf, ref.type_id)
    path = [int(part) for part in ref.access.split(":")]
    if kind == CoreKind.ENUMVAL_VALUE:
        one = resolved(btf, ref.type_id)
        if not isinstance(one, (t.Enum, t.Enum64)) or path[0] >= len(one.values):
            raise BtfError(f"type {ref.type_id} has no enumerator {path[0]}")
        return one.values[path[0]].value
    return _field(btf, ref.type_id, path, kind)


def _field(btf: Btf, type_id: int, path: list[int], kind: int) -> int:
    bit_offset, bits, inner = _walk(btf, type_id, path)
    size = size_of(btf, inner)
    byte = bit_offset // 8
    if bits:  # the aligned unit of the declared type that holds the bits, grown until it does
        while True:
            byte = bit_offset // 8 // size * size
            if bit_offset + bits <= (byte + size) * 8 or size >= 8:
                break
            size *= 2
    one = resolved(btf, inner)
    match kind:
        case CoreKind.FIELD_BYTE_OFFSET:
            return byte
        case CoreKind.FIELD_BYTE_SIZE:
            return size
        case CoreKind.FIELD_SIGNED:
            return int(isinstance(one, t.Int) and bool(one.encoding & t.SIGNED)
                       or isinstance(one, (t.Enum, t.Enum64)) and one.signed)
        case CoreKind.FIELD_LSHIFT_U64:
            return 64 - (bit_offset + bits - byte * 8) if bits else 64 - size * 8
        case CoreKind.FIELD_RSHIFT_U64:
            return 64 - bits if bits else 64 - size * 8
    raise BtfError(f"CO-RE relocation of kind {kind} is not known")


def _walk(btf: Btf, type_id: int, path: list[int]) -> tuple[int, int, int]:
    """(bit offset, bits of a bit-field or 0, type) of what the access path reaches."""
    at, bits = path[0] * size_of(btf, type_id) * 8 if path[0] else 0, 0
    for step in path[1:]:
        one = btf[resolve(btf, type_id)]
        if isinstance(one, (t.Struct, t.Union)) and step < len(one.members):
            member = one.members[step]
            at, bits, type_id = at + member.bit_offset, member.bits, member.type
        elif isinstance(one, t.Array):
            at, bits, type_id = at + step * size_of(btf, one.elem) * 8, 0, one.elem
        else:
            raise BtfError(f"type {type_id} has no member {step}")
    return at, bits, type_id
