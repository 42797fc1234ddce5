"""What an object is besides its code, as text in a listing: `purebpf dis --whole` writes it, `purebpf asm` reads it.

The text is the object itself (compressed, in base 85) with its code; code, maps, data and the licence of the listing take
the place of what is in it, so that an edited listing says what it shows. A listing that is not whole has the types of its CO-RE
relocations in the same way (`.btf`), or it would mean another program.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from typing import Mapping
from zlib import compress, decompressobj
from zlib import error as ZlibError

from . import elf
from .btf import Btf
from .btf import types as t
from .btf.dedup import reachable
from .errors import FormatError
from .isa.insn import CoreRef, DataRef, ExternRef, Insn, KconfigRef, KfuncRef, KsymRef, Ref
from .isa.opcodes import LD_IMM64
from .spec import DataSpec, FuncSpec, MapSpec, ObjectSpec, ProgramSpec

_WIDTH = 100
_MOST = 1 << 26  # bytes of an object
_FILL = t.Volatile(0)  # in the place of a type that nobody needs


def pack(spec: ObjectSpec) -> list[str]:
    """The lines of `.object`."""
    return _packed(".object", elf.write(spec))


def unpack(text: bytes) -> ObjectSpec:
    """The object of `pack`. FormatError if it is damaged."""
    return elf.read(_unpacked(".object", text))


def pack_types(spec: ObjectSpec) -> list[str]:
    """The lines of `.btf`: what the CO-RE relocations of the object need of its types, with the ids that they have there. None if there
    are no relocations."""
    code = [*spec.functions.values(), *(p.func for p in spec.programs.values())]
    roots = {i.ref.type_id for func in code for i in func.insns if isinstance(i.ref, CoreRef)}
    if spec.btf is None or not roots:
        return []
    kept = reachable(spec.btf, roots)
    types = Btf((one if number in kept else _FILL for number, one in spec.btf.items()), byteorder=spec.byteorder)
    return _packed(".btf", types.to_bytes())


def unpack_types(text: bytes) -> Btf:
    """The types of `pack_types`. FormatError if they are damaged."""
    return Btf.from_bytes(_unpacked(".btf", text))


def _packed(word: str, data: bytes) -> list[str]:
    text = b85encode(compress(data, 9)).decode().replace("\\", "\\\\")
    return [f'{word} "{text[i:i + _WIDTH]}"' for i in range(0, len(text), _WIDTH)]


def _unpacked(word: str, text: bytes) -> bytes:
    try:
        one = decompressobj()
        data = one.decompress(b85decode(text), _MOST)
    except (ValueError, ZlibError):
        raise FormatError(f"the text of {word} is damaged") from None
    if one.unconsumed_tail:
        raise FormatError(f"the text of {word} is too large")
    return data


def rejoin(base: ObjectSpec, functions: Mapping[str, FuncSpec], programs: Mapping[str, ProgramSpec],
           maps: Mapping[str, MapSpec], data: Mapping[str, DataSpec], license: str) -> ObjectSpec:
    """`base` with the code, the maps' numbers, the data and the licence of a text. Functions that the base lacks come from
    the text without their types."""
    return base._replace(
        functions={name: _code(base.functions.get(name), func) for name, func in functions.items()},
        programs={name: _program(base.programs.get(name), program) for name, program in programs.items()},
        maps={name: _map(one, maps[name]) for name, one in base.maps.items() if name in maps},
        data={name: one._replace(data=data[name].data) if name in data and len(data[name].data) == len(one.data) else one
              for name, one in base.data.items()},
        license=license)


def _program(base: ProgramSpec | None, made: ProgramSpec) -> ProgramSpec:
    if base is None:
        return made._replace(func=made.func._replace(btf_id=0))
    return base._replace(func=_code(base.func, made.func))


def _map(base: MapSpec, made: MapSpec) -> MapSpec:
    return base._replace(type=made.type, max_entries=made.max_entries, flags=made.flags, pinning=made.pinning,
                         extra=made.extra, numa_node=made.numa_node)


def _code(base: FuncSpec | None, made: FuncSpec) -> FuncSpec:
    """A function with the text's instructions; references of the base are kept where the text names the same."""
    if base is None:
        return made._replace(btf_id=0)
    known = {_name(i.ref): i for i in base.insns if i.ref is not None and _name(i.ref)}
    insns = tuple(_same(insn, known) for insn in made.insns)
    lines = base.lines if len(insns) == len(base.insns) else ()
    return base._replace(insns=insns, lines=lines)


def _name(ref: Ref | None) -> str:
    """What names a thing in a text, where the text does not say all of the reference."""
    match ref:
        case DataRef(section, offset):
            return f"{section}+{offset}"
        case KfuncRef(name) | KsymRef(name) | KconfigRef(name):
            return name
        case ExternRef(name, offset):
            return f"{name} + {offset}" if offset else name
        case _:
            return ""


def _same(insn: Insn, known: Mapping[str, Insn]) -> Insn:
    other = known.get(_name(insn.ref)) if insn.ref is not None and not isinstance(insn.ref, CoreRef) else None
    if other is None or (other.code == LD_IMM64) != (insn.code == LD_IMM64):
        return insn
    return insn._replace(src=other.src, ref=other.ref)
