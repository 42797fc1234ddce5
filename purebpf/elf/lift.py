"""The parts of an object file → ObjectSpec: clang's objects and our own.

    _Lifter.types   .BTF with the sizes and offsets that clang leaves to loaders
    _Lifter.code    sections cut into functions at their symbols, instructions with symbolic references
    _Lifter.maps    .maps with initial slots
    _Lifter.data    .data* .rodata* .bss*, .kconfig

What a program says about where it hangs comes from its section name, through uapi.hooks.
"""

from __future__ import annotations

import os
from typing import Final, Mapping

from ..btf import Btf, ext, layout
from ..btf import types as t
from ..errors import ElfError, FormatError
from ..isa.codec import decode
from ..isa.insn import CoreRef, DataRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, MapRef, Ref
from ..isa.opcodes import ALU, ALU64, CALL, IMM64_FUNC, JMP, LD_IMM64, LDX, SLOT, ST, STX, K
from ..spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from ..uapi import hooks
from . import reader as elf
from .image import EXEC, FUNC, LOCAL, OBJECT, PROGBITS, SECTION, WEAK
from .mapdefs import SLOT as MAP_SLOT
from .mapdefs import parse as parse_map

_TEXT: Final = ".text"
_DATA: Final = (".data", ".rodata", ".bss")


def read(source: bytes | str | os.PathLike[str]) -> ObjectSpec:
    """See the door."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _Lifter(bytes(source)).run("purebpf")
    with open(source, "rb") as file:
        data = file.read()
    name = os.path.basename(os.fspath(source)).split(".")[0]
    try:
        return _Lifter(data).run(name or "purebpf")
    except FormatError as e:
        raise type(e)(str(e), source=os.fspath(source)) from None


class _Lifter:
    """State of one `read`."""

    def __init__(self, data: bytes) -> None:
        self.file = elf.parse(data)
        self.btf: Btf | None = None
        self.ext = ext.Ext()
        self.externs: dict[str, tuple[str, t.Type]] = {}
        self.map_at: dict[int, str] = {}
        self.functions: dict[tuple[int, int], elf.Symbol] = {}  # (section, byte offset) -> its symbol

    def run(self, name: str) -> ObjectSpec:
        self._refuse()
        self._types()
        for symbol in self.file.symbols:
            if symbol.type == FUNC and symbol.section > 0 and self._is_code(symbol.section):
                known = self.functions.setdefault((symbol.section, symbol.value), symbol)
                if known.bind == LOCAL != symbol.bind:
                    self.functions[symbol.section, symbol.value] = symbol
        maps = self._maps()
        programs, functions = self._code()
        return ObjectSpec(programs, functions, maps, self._data(), self._license(), self.btf, name)

    def _refuse(self) -> None:
        for section in self.file.sections:
            if section.name == "maps" and section.data:
                raise ElfError("the object defines maps in the legacy section 'maps': use BTF-defined ones in '.maps'")
            if section.name.lstrip("?").startswith(".struct_ops") and section.data:
                raise ElfError(f"struct_ops maps ({section.name!r}) are not supported")

    def _license(self) -> str:
        section = self.file.named("license")
        return section.data.split(b"\0")[0].decode("utf-8", "replace") if section else ""

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _types(self) -> None:
        section = self.file.named(".BTF")
        if section is None or not section.data:
            return
        raw = Btf.from_bytes(section.data)
        records = self.file.named(".BTF.ext")
        if records is not None and records.data:
            self.ext = ext.read(records.data, raw)
        self.btf = self._fixed(raw)
        for one in self.btf:
            if isinstance(one, t.Datasec) and one.name in (".ksyms", ".kconfig"):
                for row in one.vars:
                    extern = self.btf[row.type] if row.type else None
                    if isinstance(extern, (t.Var, t.Func)):
                        self.externs[extern.name] = (one.name, extern)

    def _fixed(self, btf: Btf) -> Btf:
        """What clang leaves undone: sizes of DATASECs, offsets of their variables, linkage of hidden functions."""
        sizes = {s.name: len(s.data) for s in self.file.sections if s.data}
        places = {s.name: s.value for s in self.file.symbols if s.section > 0 and s.type in (OBJECT, 0)}
        hidden = {s.name for s in self.file.symbols if s.hidden and s.type == FUNC}
        types = []
        for one in btf:
            if isinstance(one, t.Datasec) and not one.size and one.name in sizes:
                rows = [row._replace(offset=places.get(self._var_name(btf, row), row.offset)) for row in one.vars]
                one = t.Datasec(one.name, sizes[one.name], tuple(sorted(rows, key=lambda r: r.offset)))
            elif isinstance(one, t.Func) and one.linkage == t.GLOBAL and one.name in hidden:
                one = one._replace(linkage=t.STATIC)
            types.append(one)
        return Btf(types, byteorder=btf.byteorder)

    @staticmethod
    def _var_name(btf: Btf, row: t.SecVar) -> str:
        var = btf[row.type] if row.type else None
        return var.name if isinstance(var, t.Var) else ""

    def _datasec(self, name: str) -> tuple[int, t.Datasec] | None:
        """(id, type) of the DATASEC called `name`."""
        found = self.btf.find(name, t.Datasec) if self.btf is not None else None
        if found is None or self.btf is None:
            return None
        one = self.btf[found]
        assert isinstance(one, t.Datasec)
        return found, one

    # ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_code(self, index: int) -> bool:
        section = self.file.sections[index]
        return section.type == PROGBITS and bool(section.flags & EXEC)

    def _code(self) -> tuple[dict[str, ProgramSpec], dict[str, FuncSpec]]:
        programs: dict[str, ProgramSpec] = {}
        functions: dict[str, FuncSpec] = {}
        relocations: dict[int, dict[int, elf.Symbol]] = {}
        for (index, _), symbol in sorted(self.functions.items()):
            if index not in relocations:
                relocations[index] = {at: target for at, target, _ in self.file.sections[index].relocations}
            section = self.file.sections[index]
            func = self._function(index, symbol, relocations[index])
            if func.name in programs or func.name in functions:
                raise ElfError(f"two functions are called {func.name!r}")
            if section.name == _TEXT or symbol.bind == LOCAL:
                functions[func.name] = func
            else:
                programs[func.name] = _program(func, section.name)
        return programs, functions

    def _function(self, index: int, symbol: elf.Symbol, relocations: Mapping[int, elf.Symbol]) -> FuncSpec:
        section = self.file.sections[index]
        start, end = symbol.value, symbol.value + symbol.size
        if start % SLOT or symbol.size % SLOT or not symbol.size or end > len(section.data):
            raise ElfError(f"function {symbol.name!r} at [{start:#x}, {end:#x}) does not fit section {section.name!r}")
        core = {r.insn: r for r in self.ext.relos.get(section.name, ()) if start <= r.insn < end}
        insns: list[Insn] = []
        where: dict[int, int] = {}  # byte offset -> index
        at = start
        for insn in decode(section.data[start:end], self.file.byteorder):
            where[at] = len(insns)
            if at in relocations:
                insn = self._refer(index, insn, relocations[at], f"{symbol.name}+{at - start:#x}")
            elif at in core:
                insn = _core(insn, core[at])
            elif insn.code == JMP | CALL and insn.src == 1:
                insn = insn._replace(imm=-1, ref=self._callee(index, at + SLOT * (insn.imm + 1)))
            insns.append(insn)
            at += SLOT * insn.slots
        lines = []
        for record in self.ext.lines.get(section.name, ()):
            if start <= record.insn < end:
                if record.insn not in where:
                    raise ElfError(f"line info of {symbol.name!r} points inside an instruction")
                lines.append(Line(where[record.insn], record.file, record.line, record.col, record.text))
        btf_id = next((f.type for f in self.ext.funcs.get(section.name, ()) if f.insn == start), 0)
        return FuncSpec(symbol.name, tuple(insns), tuple(lines), btf_id, symbol.bind == LOCAL or symbol.hidden)

    def _refer(self, index: int, insn: Insn, symbol: elf.Symbol, where: str) -> Insn:
        """The instruction with what its relocation stands for."""
        if symbol.section < 0:
            raise ElfError(f"{where}: relocation against {symbol.name!r}, which is in no section")
        if insn.code == JMP | CALL:
            if not symbol.section:
                return insn._replace(src=2, off=0, imm=-1, ref=KfuncRef(symbol.name, symbol.bind == WEAK))
            return insn._replace(src=1, imm=-1, ref=self._callee(symbol.section, symbol.value + SLOT * (insn.imm + 1)))
        if insn.code != LD_IMM64:
            raise ElfError(f"{where}: relocation of an instruction that is neither a call nor a 64-bit load")
        src, ref = self._target(insn, symbol, where)
        return insn._replace(src=src, imm=0, ref=ref)

    def _target(self, insn: Insn, symbol: elf.Symbol, where: str) -> tuple[int, Ref]:
        """(src, reference) of a 64-bit load."""
        if not symbol.section:
            return self._extern(symbol, where)
        section = self.file.sections[symbol.section]
        offset = symbol.value + (insn.imm & 0xFFFFFFFF)
        if section.name == ".maps":
            if offset not in self.map_at:
                raise ElfError(f"{where}: there is no map at offset {offset:#x} of .maps")
            return 1, MapRef(self.map_at[offset])
        if self._is_code(symbol.section):
            return IMM64_FUNC, self._callee(symbol.section, offset)
        if section.name.startswith(_DATA):
            if offset > len(section.data):
                raise ElfError(f"{where}: offset {offset:#x} is outside {section.name}")
            return 2, DataRef(section.name, offset, symbol.name if symbol.type != SECTION else "")
        raise ElfError(f"{where}: relocation against section {section.name!r}")

    def _extern(self, symbol: elf.Symbol, where: str) -> tuple[int, Ref]:
        weak = symbol.bind == WEAK
        if symbol.name not in self.externs or self.btf is None:
            raise ElfError(f"{where}: extern {symbol.name!r} is not declared in .ksyms or .kconfig")
        section, extern = self.externs[symbol.name]
        if section == ".kconfig":
            return 2, KconfigRef(symbol.name, weak)
        typed = isinstance(extern, t.Func) or isinstance(extern, t.Var) and bool(layout.resolve(self.btf, extern.type))
        return 3 if typed else 0, KsymRef(symbol.name, typed, weak)

    def _callee(self, index: int, offset: int) -> FuncRef:
        symbol = self.functions.get((index, offset))
        if symbol is None:
            raise ElfError(f"no function begins at offset {offset:#x} of {self.file.sections[index].name!r}")
        return FuncRef(symbol.name)

    # ── maps and data ────────────────────────────────────────────────────────────────────────────────────────────────

    def _maps(self) -> dict[str, MapSpec]:
        section = self.file.named(".maps")
        if section is None or not section.data:
            return {}
        found = self._datasec(".maps")
        if found is None or self.btf is None:
            raise ElfError("the object has .maps, but no BTF that describes them")
        out: dict[str, MapSpec] = {}
        spans: list[tuple[int, int, int, str]] = []  # start, end, offset of values, name
        for row in found[1].vars:
            var = self.btf[row.type] if row.type else None
            if not isinstance(var, t.Var):
                raise ElfError(".maps holds something else than variables")
            spec, values = parse_map(self.btf, var.type, var.name)
            if var.name in out or row.offset in self.map_at:
                raise ElfError(f"map {var.name!r} is defined twice")
            out[var.name] = spec
            self.map_at[row.offset] = var.name
            spans.append((row.offset, row.offset + row.size, values, var.name))
        for offset, symbol, _ in section.relocations:
            self._slot(section, out, spans, offset, symbol)
        return out

    def _slot(self, section: elf.Section, maps: dict[str, MapSpec], spans: list[tuple[int, int, int, str]], offset: int,
              symbol: elf.Symbol) -> None:
        """An initial slot of a map-in-map or a program array."""
        home = next((s for s in spans if s[0] <= offset < s[1]), None)
        if home is None or not home[2] or offset < home[0] + home[2] or (offset - home[0] - home[2]) % MAP_SLOT:
            raise ElfError(f".maps: relocation at {offset:#x} is at no slot of a map")
        if symbol.section > 0 and self.file.sections[symbol.section].name == ".maps":
            slot = section.data[offset:offset + 8]
            slot = slot if self.file.byteorder == "little" else slot[::-1]
            addend = int.from_bytes(slot, "little") if symbol.type == SECTION else 0
            name = self.map_at.get(symbol.value + addend, "")
        else:
            name = symbol.name if (symbol.section, symbol.value) in self.functions else ""
        if not name:
            raise ElfError(f"map {home[3]!r}: slot at {offset:#x} refers to neither a map nor a program")
        number = (offset - home[0] - home[2]) // MAP_SLOT
        spec = maps[home[3]]
        if number >= max(spec.max_entries, 1) or number > 0xFFFFFFFF:
            raise ElfError(f"map {home[3]!r}: slot {number} of {spec.max_entries}")
        entry = (number.to_bytes(4, "little"), name)
        maps[home[3]] = spec._replace(contents=(*spec.contents, entry))

    def _data(self) -> dict[str, DataSpec]:
        out: dict[str, DataSpec] = {}
        for index, section in enumerate(self.file.sections):
            if section.name.startswith(_DATA) and section.data and not section.flags & EXEC:
                if section.name in out:
                    raise ElfError(f"two sections are called {section.name!r}")
                out[section.name] = self._data_section(index, section)
        kconfig = self._datasec(".kconfig")
        if kconfig is not None:
            out[".kconfig"] = self._kconfig(*kconfig)
        return out

    def _data_section(self, index: int, section: elf.Section) -> DataSpec:
        found = self._datasec(section.name)
        types: dict[str, int] = {}
        for row in found[1].vars if found is not None and self.btf is not None else ():
            var = self.btf[row.type] if self.btf is not None and row.type else None
            if isinstance(var, t.Var):
                types[var.name] = var.type
        rows = []
        for symbol in self.file.symbols:
            if symbol.section == index and symbol.type == OBJECT:
                if symbol.value + symbol.size > len(section.data):
                    raise ElfError(f"variable {symbol.name!r} leaves section {section.name!r}")
                static = symbol.bind == LOCAL
                rows.append(VarSpec(symbol.name, symbol.value, symbol.size, types.get(symbol.name, 0), static))
        return DataSpec(section.name, section.data, tuple(sorted(rows, key=lambda v: v.offset)),
                        found[0] if found else 0)

    def _kconfig(self, btf_id: int, datasec: t.Datasec) -> DataSpec:
        """Values of the kernel's configuration, laid out one after another, to be filled by the loader."""
        assert self.btf is not None
        rows, at = [], 0
        for row in datasec.vars:
            var = self.btf[row.type] if row.type else None
            if not isinstance(var, t.Var):
                raise ElfError(".kconfig holds something else than variables")
            size, align = layout.size_of(self.btf, var.type), layout.align_of(self.btf, var.type)
            at += -at % max(align, 1)
            rows.append(VarSpec(var.name, at, size, var.type))
            at += size
        if at > 1 << 20:
            raise ElfError(f".kconfig of {at} bytes is too large")
        return DataSpec(".kconfig", bytes(at), tuple(rows), btf_id)


def _program(func: FuncSpec, section: str) -> ProgramSpec:
    """A program, with what its section name says; prog_type 0 if that is no name libbpf knows."""
    hook = hooks.match(section)
    name = section.removeprefix("?")
    if hook is None:
        return ProgramSpec(func, name, 0, autoload=hooks.autoload(section))
    return ProgramSpec(func, name, hook.prog_type, hook.attach_type, hooks.target(section), hook.flags,
                       hooks.autoload(section))


def _core(insn: Insn, relo: ext.CoreRelo) -> Insn:
    """The instruction with its CO-RE reference; the field it stands for is the loader's to fill."""
    ref = CoreRef(relo.type, relo.access, relo.kind)
    kind = insn.code & 7
    if insn.code == LD_IMM64 or kind in (ALU, ALU64) and insn.code & 8 == K:
        return insn._replace(imm=0, ref=ref)
    if kind in (LDX, ST, STX):
        return insn._replace(off=0, ref=ref)
    raise ElfError(f"CO-RE relocation of an instruction that it does not fit: {insn}")
