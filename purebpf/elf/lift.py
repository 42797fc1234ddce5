"""The parts of an object file → ObjectSpec: clang's objects and our own.

    _Lifter.types   .BTF with the sizes and offsets that clang leaves to loaders
    _Lifter.code    sections cut into functions at their symbols, instructions with symbolic references
    liftdata        maps and data

What a program says about where it hangs comes from its section name, through uapi.hooks.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import Final, Mapping, Sequence, TypeVar

from ..btf import Btf, ext, layout
from ..btf import types as t
from ..errors import ElfError, FormatError
from ..isa.codec import decode
from ..isa.insn import CoreRef, DataRef, ExternRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, MapRef, Ref
from ..isa.opcodes import ALU, ALU64, CALL, IMM64_FUNC, JMP, LD_IMM64, LDX, SLOT, ST, STX, K
from ..spec import FuncSpec, Line, ObjectSpec, ProgramSpec
from ..uapi import hooks
from . import reader as elf
from .image import EXEC, FUNC, LOCAL, OBJECT, PROGBITS, SECTION, WEAK
from .liftdata import DATA, MAPS, DataLifter, Names

_TEXT: Final = ".text"
_CALL: Final = JMP | CALL


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
        self.relos: Mapping[str, Sequence[ext.CoreRelo]] = {}
        self.lines: Mapping[str, Sequence[ext.LineInfo]] = {}
        self.funcs: Mapping[str, Sequence[ext.FuncInfo]] = {}
        self.btf: Btf | None = None
        self.externs: dict[str, tuple[str, t.Type]] = {}
        self.map_at: Mapping[tuple[int, int], str] = {}
        self.functions: dict[tuple[int, int], elf.Symbol] = {}  # (section, byte offset) -> its symbol
        self.names: dict[tuple[int, int], str] = {}  # and its name, which no other function has

    def run(self, name: str) -> ObjectSpec:
        self._types()
        self._symbols()
        lifter = DataLifter(self.file, self.btf, self.externs, lambda *at: self.names.get(at, ""))
        maps = lifter.maps()
        self.map_at = lifter.map_at
        programs, functions = self._code()
        return ObjectSpec(programs, functions, maps, lifter.data(), self._license(), self.btf, name, self.file.order.name)

    def _symbols(self) -> None:
        """Find the functions. Statics of one name, as a linker leaves them, are told apart by a number."""
        for symbol in self.file.symbols:
            if symbol.type == FUNC and symbol.section > 0 and self._is_code(symbol.section):
                known = self.functions.setdefault((symbol.section, symbol.value), symbol)
                if known.bind == LOCAL != symbol.bind:
                    self.functions[symbol.section, symbol.value] = symbol
        taken = Names()
        for at, symbol in sorted(self.functions.items(), key=lambda f: (f[1].bind == LOCAL, f[0])):
            if symbol.bind != LOCAL and symbol.name in taken:
                raise ElfError(f"two functions are called {symbol.name!r}")
            self.names[at] = taken.give(symbol.name)

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
            found = ext.read(records.data, raw)
            self.relos, self.lines, self.funcs = _sorted(found.relos), _sorted(found.lines), _sorted(found.funcs)
        self.btf = self._fixed(raw)
        for _, one in self.btf.of_kind(t.Datasec):
            if isinstance(one, t.Datasec) and one.name in (".ksyms", ".kconfig"):
                for row in one.vars:
                    extern = self.btf[row.type] if row.type else None
                    if isinstance(extern, (t.Var, t.Func)):
                        self.externs[extern.name] = (one.name, extern)

    def _fixed(self, btf: Btf) -> Btf:
        """What clang leaves undone: sizes of DATASECs, offsets of their variables, linkage of hidden functions."""
        sizes = {s.name: len(s.data) for s in self.file.sections if s.data}
        places = {(self.file.sections[s.section].name, s.name): s.value for s in self.file.symbols
                  if s.section > 0 and s.type in (OBJECT, 0)}
        hidden = {s.name for s in self.file.symbols if s.hidden and s.type == FUNC}
        changes: dict[int, t.Type] = {}
        for number, one in btf.of_kind(t.Datasec, t.Func):
            if isinstance(one, t.Datasec) and not one.size and one.name in sizes:
                rows = [row._replace(offset=places.get((one.name, self._var_name(btf, row)), row.offset)) for row in one.vars]
                changes[number] = t.Datasec(one.name, sizes[one.name], tuple(sorted(rows, key=lambda r: r.offset)))
            elif isinstance(one, t.Func) and one.linkage == t.GLOBAL and one.name in hidden:
                changes[number] = one._replace(linkage=t.STATIC)
        return btf.amended(changes)

    @staticmethod
    def _var_name(btf: Btf, row: t.SecVar) -> str:
        var = btf[row.type] if row.type else None
        return var.name if isinstance(var, t.Var) else ""

    # ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_code(self, index: int) -> bool:
        section = self.file.sections[index]
        return section.type == PROGBITS and bool(section.flags & EXEC)

    def _code(self) -> tuple[dict[str, ProgramSpec], dict[str, FuncSpec]]:
        programs: dict[str, ProgramSpec] = {}
        functions: dict[str, FuncSpec] = {}
        relocations: dict[int, dict[int, elf.Symbol]] = {}
        last, reached = 0, 0
        for (index, start), symbol in sorted(self.functions.items()):
            if index == last and start < reached:
                raise ElfError(f"function {symbol.name!r} begins inside of another")
            last, reached = index, start + symbol.size
            if index not in relocations:
                relocations[index] = {at: target for at, target, _ in self.file.sections[index].relocations}
            section = self.file.sections[index]
            func = self._function(index, symbol, relocations[index])
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
        core = {r.insn: r for r in _within(self.relos, section.name, start, end)}
        insns: list[Insn] = []
        where: dict[int, int] = {}  # byte offset -> index
        at = start
        add, skip = insns.append, {*relocations, *core}
        for insn in decode(section.data[start:end], self.file.order.name):
            where[at] = len(insns)
            if at not in skip and insn[0] != _CALL and insn[0] != LD_IMM64:  # nearly all
                add(insn)
                at += SLOT
                continue
            if at in relocations:
                insn = self._refer(index, insn, relocations[at], f"{symbol.name}+{at - start:#x}")
            elif at in core:
                insn = _core(insn, core[at])
            elif insn.code == JMP | CALL and insn.src == 1:
                insn = insn._replace(imm=-1, ref=self._callee(index, at + SLOT * (insn.imm + 1)))
            add(insn)
            at += SLOT * insn.slots
        lines: list[Line] = []
        new, cls = tuple.__new__, Line  # a NamedTuple's own way costs a call more, and there are thousands
        try:
            for insn_at, file, text, number, col in _within(self.lines, section.name, start, end):
                lines.append(new(cls, (where[insn_at], file, number, col, text)))
        except KeyError:
            raise ElfError(f"line info of {symbol.name!r} points inside an instruction") from None
        records = _within(self.funcs, section.name, start, start + 1)
        btf_id = records[0].type if records else 0
        name = self.names[index, start]
        return FuncSpec(name, tuple(insns), tuple(lines), btf_id, symbol.bind == LOCAL or symbol.hidden,
                        symbol.hidden and symbol.bind != LOCAL, symbol.bind == WEAK)

    def _refer(self, index: int, insn: Insn, symbol: elf.Symbol, where: str) -> Insn:
        """The instruction with what its relocation stands for."""
        if symbol.section < 0:
            raise ElfError(f"{where}: relocation against {symbol.name!r}, which is in no section")
        if insn.code == JMP | CALL:
            if not symbol.section and self._is_other_object_s(symbol.name):
                return insn._replace(src=1, imm=-1, ref=ExternRef(symbol.name, 0, symbol.bind == WEAK))
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
            return self._extern(symbol, insn.imm & 0xFFFFFFFF)
        section = self.file.sections[symbol.section]
        offset = symbol.value + (insn.imm & 0xFFFFFFFF)
        if section.name in MAPS:
            if (symbol.section, offset) not in self.map_at:
                raise ElfError(f"{where}: there is no map at offset {offset:#x} of {section.name}")
            return 1, MapRef(self.map_at[symbol.section, offset])
        if self._is_code(symbol.section):
            return IMM64_FUNC, self._callee(symbol.section, offset)
        if section.name.startswith(DATA):
            if offset > len(section.data):
                raise ElfError(f"{where}: offset {offset:#x} is outside {section.name}")
            return 2, DataRef(section.name, offset, symbol.name if symbol.type != SECTION else "")
        raise ElfError(f"{where}: relocation against section {section.name!r}")

    def _is_other_object_s(self, name: str) -> bool:
        """Is it a function that is declared, but not as the kernel's?"""
        declared = self.btf is not None and self.btf.find(name, t.Func) is not None
        return declared and name not in self.externs

    def _extern(self, symbol: elf.Symbol, offset: int) -> tuple[int, Ref]:
        weak = symbol.bind == WEAK
        if symbol.name not in self.externs or self.btf is None:
            return 2, ExternRef(symbol.name, offset, weak)
        section, extern = self.externs[symbol.name]
        if section == ".kconfig":
            return 2, KconfigRef(symbol.name, weak)
        typed = isinstance(extern, t.Func) or isinstance(extern, t.Var) and bool(layout.resolve(self.btf, extern.type))
        return 3 if typed else 0, KsymRef(symbol.name, typed, weak)

    def _callee(self, index: int, offset: int) -> FuncRef:
        name = self.names.get((index, offset))
        if name is None:
            raise ElfError(f"no function begins at offset {offset:#x} of {self.file.sections[index].name!r}")
        return FuncRef(name)


_Record = TypeVar("_Record", ext.CoreRelo, ext.LineInfo, ext.FuncInfo)


def _sorted(records: Mapping[str, Sequence[_Record]]) -> dict[str, list[_Record]]:
    return {section: sorted(found, key=lambda r: r.insn) for section, found in records.items()}


def _within(records: Mapping[str, Sequence[_Record]], section: str, start: int, end: int) -> Sequence[_Record]:
    """The records of the instructions from `start` up to `end`."""
    found = records.get(section, ())
    return found[bisect_left(found, start, key=lambda r: r.insn):bisect_left(found, end, key=lambda r: r.insn)]


def _program(func: FuncSpec, section: str) -> ProgramSpec:
    """A program, with what its section name says; prog_type 0 if that is no name libbpf knows."""
    hook = hooks.match(section)
    name = section.removeprefix("?")
    if hook is None:
        return ProgramSpec(func, name, 0, autoload=hooks.autoload(section))
    return ProgramSpec(func, name, hook.prog_type, hook.attach_type, hooks.target(section), hook.flags,
                       hooks.autoload(section))


def _core(insn: Insn, relo: ext.CoreRelo) -> Insn:
    """The instruction with its CO-RE reference. The field it stands for keeps the compiler's number."""
    ref = CoreRef(relo.type, relo.access, relo.kind)
    kind = insn.code & 7
    if insn.code == LD_IMM64 or kind in (ALU, ALU64) and insn.code & 8 == K or kind in (LDX, ST, STX):
        return insn._replace(ref=ref)
    raise ElfError(f"CO-RE relocation of an instruction that it does not fit: {insn}")
