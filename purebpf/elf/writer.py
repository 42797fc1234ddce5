"""ObjectSpec → object file, laid out as libbpf and cilium/ebpf expect it from clang.

    programs      in their sections, one after another      maps      variables in .maps, typed by BTF
    subprograms   in .text                                  globals   .data* .rodata* .bss*, symbols and DATASEC
    references    .rel<section> against symbols             types     .BTF; functions, lines, CO-RE in .BTF.ext

On the way of every `purebpf build`: does not import the compiler.
"""

from __future__ import annotations

import os
import tempfile
from typing import Final, assert_never

from ..btf import Btf, Builder, core, ext
from ..btf.codec import Strings
from ..btf.codec import encode as encode_btf
from ..errors import FormatError
from ..isa.codec import encode as encode_insns
from ..isa.insn import (
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
)
from ..isa.opcodes import ALU, ALU64, CALL, IMM64_VALUE, JMP, JMP32, LD_IMM64, LDX, SLOT, ST, STX, K
from ..order import ORDERS
from ..spec import FuncSpec, ObjectSpec
from . import image as elf
from .writedata import DataWriter, have

R_64_64: Final = 1
R_64_32: Final = 10
_CODE: Final = elf.ALLOC | elf.EXEC


def write(spec: ObjectSpec) -> bytes:
    """The object file of `spec`. FormatError if it refers to what it does not have, or cannot be said in ELF."""
    return _Writer(spec).run()


def save(spec: ObjectSpec, path: str | os.PathLike[str]) -> None:
    """`write` to a file, which is complete or not there."""
    replace(path, write(spec))


def replace(path: str | os.PathLike[str], data: bytes) -> None:
    """Put `data` into a file in one step: whoever looks finds the old content or the new. A device or pipe is written
    as it is."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(data)
        return
    mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o666 & ~_umask()
    handle, part = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    try:
        with open(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(data)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def _umask() -> int:
    mask = os.umask(0o22)
    os.umask(mask)
    return mask


class _Writer:
    """State of one `write`."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.image = elf.Image(ORDERS[spec.byteorder])
        self.types = Builder(spec.btf)
        self.code: dict[str, elf.Section] = {}
        self.funcs: dict[str, elf.Symbol] = {}
        self.data = DataWriter(spec, self.image, self.types, self.funcs)
        self.func_info: dict[str, list[ext.FuncInfo]] = {}
        self.line_info: dict[str, list[ext.LineInfo]] = {}
        self.core_relos: dict[str, list[ext.CoreRelo]] = {}

    def run(self) -> bytes:
        placed = self._place_code()
        self.data.run()
        for section, func, start in placed:
            self._function(section, func, start)
        self.data.finish()
        self.data.functions()
        self._btf()
        return self.image.to_bytes()

    # ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _place_code(self) -> list[tuple[elf.Section, FuncSpec, int]]:
        """Give every function its section and byte offset there, so that all can refer to each other."""
        homes = [(".text", func, not func.static or func.hidden) for func in self.spec.functions.values()]
        for program in self.spec.programs.values():
            name = program.section
            if not program.autoload and not name.startswith("?"):
                name = f"?{name}"
            homes.append((name, program.func, True))
        out, ends = [], dict[str, int]()
        for name, func, exported in homes:
            section = self.code.get(name)
            if section is None:
                section = self.code[name] = self.image.section(name, flags=_CODE, align=8)
            start, size = ends.get(name, 0), SLOT * func.slots
            if func.name in self.funcs:
                raise FormatError(f"two functions are called {func.name!r}")
            self.funcs[func.name] = self.image.symbol(
                func.name, section, start, size, elf.FUNC,
                elf.LOCAL if not exported else elf.WEAK if func.weak else elf.GLOBAL, func.hidden)
            ends[name] = start + size
            out.append((section, func, start))
        return out

    def _function(self, section: elf.Section, func: FuncSpec, start: int) -> None:
        """Append the code of a function, its relocations and its records."""
        insns: list[Insn] = []
        offsets: list[int] = []
        at = start
        for insn in func.insns:
            offsets.append(at)
            insns.append(self._refer(section, insn, at))
            at += SLOT * insn.slots
        try:
            section.data += encode_insns(insns, self.spec.byteorder)
        except FormatError as e:
            raise FormatError(f"{func.name}: {e}") from None
        section.size = len(section.data)
        name = section.name.removeprefix("?")
        if func.btf_id:
            self.func_info.setdefault(section.name, []).append(ext.FuncInfo(start, func.btf_id))
        lines = self.line_info.setdefault(section.name, [])
        for line in func.lines:
            if not 0 <= line.insn < len(offsets):
                raise FormatError(f"{func.name} ({name}): source line for instruction {line.insn} of {len(offsets)}")
            lines.append(ext.LineInfo(offsets[line.insn], line.file, line.text, line.line, line.col))

    def _refer(self, section: elf.Section, insn: Insn, at: int) -> Insn:
        """The instruction with its symbolic field as clang leaves it; records what a loader has to do about it."""
        relocate = section.relocations.append
        match insn.ref:
            case MapRef(name):
                relocate((at, have(self.data.maps, name, "map"), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case DataRef() as ref:
                symbol, addend = self.data.symbol_at(ref)
                relocate((at, symbol, R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=addend, ref=None)
            case FuncRef(name):
                return self._refer_function(section, insn, at, have(self.funcs, name, "function"))
            case KfuncRef(name, weak):
                relocate((at, self.data.extern(".ksyms", name, weak, function=True), R_64_32))
                return insn._replace(src=1, off=0, imm=-1, ref=None)
            case KsymRef(name, typed, weak):
                relocate((at, self.data.extern(".ksyms", name, weak, typed=typed), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case KconfigRef(name, weak):
                relocate((at, self.data.extern(".kconfig", name, weak), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case CoreRef() as ref:
                self.core_relos.setdefault(section.name, []).append(
                    ext.CoreRelo(at, ref.type_id, ref.access, ref.kind))
                return self._local_value(insn, ref)
            case Label(name):
                raise FormatError(f"label {name!r} is not resolved")
            case ExternRef(name, offset, weak):
                is_call = insn.code == JMP | CALL
                relocate((at, self.data.other(name, weak), R_64_32 if is_call else R_64_64))
                return insn._replace(imm=-1 if is_call else offset, src=1 if is_call else IMM64_VALUE, ref=None)
            case None:
                return insn
            case _:
                assert_never(insn.ref)

    def _refer_function(self, section: elf.Section, insn: Insn, at: int, target: elf.Symbol) -> Insn:
        """Exported functions are called by symbol, static ones by distance or as section and offset."""
        is_call = insn.code == JMP | CALL
        assert target.section is not None
        if target.bind != elf.LOCAL:
            section.relocations.append((at, target, R_64_32 if is_call else R_64_64))
            return insn._replace(imm=-1 if is_call else 0, src=1 if is_call else IMM64_VALUE, ref=None)
        if is_call and target.section is section:
            return insn._replace(imm=(target.value - at) // SLOT - 1, ref=None)
        symbol = self.image.section_symbol(target.section)
        section.relocations.append((at, symbol, R_64_32 if is_call else R_64_64))
        if is_call:
            return insn._replace(imm=target.value // SLOT - 1, ref=None)
        return insn._replace(imm=target.value, src=IMM64_VALUE, ref=None)

    def _local_value(self, insn: Insn, ref: CoreRef) -> Insn:
        """The instruction with the number by the object's own types, which loaders compare."""
        if self.spec.btf is None:
            raise FormatError(f"a CO-RE relocation {ref} without BTF")
        kind = insn.code & 7
        in_offset = kind in (LDX, ST, STX) and insn.code != LD_IMM64
        if insn.off if in_offset else insn.imm:
            return insn._replace(ref=None)  # the compiler's own number, right or wrong
        value = core.local_value(self.spec.btf, ref.type_id, ref.access, ref.kind)
        if insn.code == LD_IMM64 or kind in (ALU, ALU64, JMP, JMP32) and insn.code & 8 == K:
            return insn._replace(imm=value, ref=None)
        return insn._replace(off=value, ref=None)

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _btf(self) -> None:
        strings = Strings()
        records = ext.Ext(
            {s: r for s, r in self.func_info.items()} if self._all_typed() else {},
            {s: r for s, r in self.line_info.items() if r},
            {s: sorted(r) for s, r in self.core_relos.items()})
        btf: Btf = self.types.build()
        # strings of .BTF.ext live in .BTF, so the types are encoded last
        ext_data = ext.encode(records, strings, self.spec.byteorder) if any(records) else b""
        self.image.section(".BTF", align=4, data=encode_btf(btf, self.spec.byteorder, strings))
        if ext_data:
            self.image.section(".BTF.ext", align=4, data=ext_data)

    def _all_typed(self) -> bool:
        """The kernel wants function records for all functions or for none."""
        bodies = [*self.spec.functions.values(), *(p.func for p in self.spec.programs.values())]
        return all(func.btf_id for func in bodies)
