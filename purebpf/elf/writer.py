"""ObjectSpec → object file, laid out as libbpf and cilium/ebpf expect it from clang.

    programs      in their sections, one after another      maps      variables in .maps, typed by BTF
    subprograms   in .text                                  globals   .data* .rodata* .bss*, symbols and DATASEC
    references    .rel<section> against symbols             types     .BTF; functions, lines, CO-RE in .BTF.ext

On the way of every `purebpf build`: imports neither pyelftools nor the compiler.
"""

from __future__ import annotations

from typing import Final, Mapping, TypeVar

from ..btf import Btf, Builder, core, ext
from ..btf import types as t
from ..btf.codec import Strings
from ..btf.codec import encode as encode_btf
from ..errors import FormatError
from ..isa.codec import encode as encode_insns
from ..isa.insn import (
    CoreRef,
    DataRef,
    FuncRef,
    Insn,
    KconfigRef,
    KfuncRef,
    KsymRef,
    Label,
    MapRef,
)
from ..isa.opcodes import ALU, ALU64, CALL, IMM64_VALUE, JMP, JMP32, LD_IMM64, SLOT, K
from ..spec import DataSpec, FuncSpec, MapSpec, ObjectSpec, VarSpec
from . import image as elf
from .mapdefs import define

R_64_64: Final = 1
R_64_ABS64: Final = 2
R_64_32: Final = 10
_CODE: Final = elf.ALLOC | elf.EXEC
_DATA: Final = elf.ALLOC | elf.WRITE
_T = TypeVar("_T")


def write(spec: ObjectSpec) -> bytes:
    """The object file of `spec`. FormatError if it refers to what it does not have, or cannot be said in ELF."""
    return _Writer(spec).run()


def save(spec: ObjectSpec, path: str) -> None:
    """`write` to a file, which is complete or not there."""
    import os

    data = write(spec)
    part = f"{path}.part{os.getpid()}"
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


class _Writer:
    """State of one `write`."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.image = elf.Image()
        self.types = Builder(spec.btf)
        self.code: dict[str, elf.Section] = {}
        self.funcs: dict[str, elf.Symbol] = {}
        self.maps: dict[str, elf.Symbol] = {}
        self.data: dict[str, elf.Section] = {}
        self.vars: dict[str, dict[int, tuple[VarSpec, elf.Symbol]]] = {}
        self.externs: dict[str, elf.Symbol] = {}
        self.extern_types: dict[str, list[t.SecVar]] = {".ksyms": [], ".kconfig": []}
        self.has_datasec = {one.name for one in spec.btf or () if isinstance(one, t.Datasec)}
        self.func_info: dict[str, list[ext.FuncInfo]] = {}
        self.line_info: dict[str, list[ext.LineInfo]] = {}
        self.core_relos: dict[str, list[ext.CoreRelo]] = {}

    def run(self) -> bytes:
        placed = self._place_code()
        self.image.section("license", flags=_DATA, data=self.spec.license.encode() + b"\0")
        self.image.symbol("_license", self.image.sections[-1], 0, len(self.image.sections[-1].data), elf.OBJECT)
        self._maps()
        for one in self.spec.data.values():
            self._data(one)
        for section, func, start in placed:
            self._function(section, func, start)
        self._externs()
        self._btf()
        return self.image.to_bytes()

    # ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _place_code(self) -> list[tuple[elf.Section, FuncSpec, int]]:
        """Give every function its section and byte offset there, so that all can refer to each other."""
        homes = [(".text", func, not func.static) for func in self.spec.functions.values()]
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
                func.name, section, start, size, elf.FUNC, elf.GLOBAL if exported else elf.LOCAL)
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
            insns.append(insn if insn.ref is None else self._refer(section, insn, at))
            at += SLOT * insn.slots
        try:
            section.data += encode_insns(insns)
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
                relocate((at, _have(self.maps, name, "map"), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case DataRef() as ref:
                symbol, addend = self._data_symbol(ref)
                relocate((at, symbol, R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=addend, ref=None)
            case FuncRef(name):
                return self._refer_function(section, insn, at, _have(self.funcs, name, "function"))
            case KfuncRef(name, weak):
                relocate((at, self._extern(".ksyms", name, weak), R_64_32))
                return insn._replace(src=1, off=0, imm=-1, ref=None)
            case KsymRef(name, typed, weak):
                relocate((at, self._extern(".ksyms", name, weak, typed=typed), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case KconfigRef(name, weak):
                relocate((at, self._extern(".kconfig", name, weak), R_64_64))
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            case CoreRef() as ref:
                self.core_relos.setdefault(section.name, []).append(
                    ext.CoreRelo(at, ref.type_id, ref.access, ref.kind))
                return self._local_value(insn, ref)
            case Label(name):
                raise FormatError(f"label {name!r} is not resolved")
            case _:
                raise FormatError(f"{insn.ref!r} cannot be written")

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
        if self.spec.btf is None:
            raise FormatError(f"a CO-RE relocation {ref} without BTF")
        value = core.local_value(self.spec.btf, ref.type_id, ref.access, ref.kind)
        kind = insn.code & 7
        if insn.code == LD_IMM64 or kind in (ALU, ALU64, JMP, JMP32) and insn.code & 8 == K:
            return insn._replace(imm=value, ref=None)
        return insn._replace(off=value, ref=None)

    # ── maps and data ────────────────────────────────────────────────────────────────────────────────────────────────

    def _maps(self) -> None:
        """.maps: a zeroed variable a map, its type, and relocations for the slots that start filled."""
        if not self.spec.maps:
            return
        section = self.image.section(".maps", flags=_DATA, align=8)
        rows: list[t.SecVar] = []
        filled: list[tuple[MapSpec, int]] = []
        at = 0
        # libbpf creates maps in this order and fills a map-in-map at once, so what it holds must come before it
        for one in sorted(self.spec.maps.values(), key=lambda m: bool(m.inner is not None and m.contents)):
            made = define(self.types, one)
            size = made.size
            if one.contents:
                if not made.values:
                    raise FormatError(f"map {one.name!r}: an object file cannot hold its initial entries")
                size += SLOT * (1 + max(_slot(key, one.name) for key, _ in one.contents))
                filled.append((one, at + made.values))
            var = self.types.add(t.Var(one.name, made.type, t.GLOBAL))
            rows.append(t.SecVar(var, at, size))
            self.maps[one.name] = self.image.symbol(one.name, section, at, size, elf.OBJECT)
            at += size
        section.data, section.size = bytes(at), at
        datasec = t.Datasec(".maps", at, tuple(rows))
        known = self.spec.btf.find(".maps", t.Datasec) if self.spec.btf is not None else None
        if known is None:
            self.types.add(datasec)
        else:
            self.types.set(known, datasec)
        for one, base in filled:
            for key, value in one.contents:
                if not isinstance(value, str):
                    raise FormatError(f"map {one.name!r}: an initial entry must name a map or a program")
                target = _have(self.maps if one.inner is not None else self.funcs, value, "map or program")
                section.relocations.append((base + SLOT * _slot(key, one.name), target, R_64_ABS64))

    def _data(self, one: DataSpec) -> None:
        """A data section with its variables; .kconfig has no section, only externs."""
        if one.name.startswith(".kconfig"):
            for var in one.vars:
                self._extern(".kconfig", var.name, False, var)
            return
        if not one.data:
            return
        if one.name.startswith(".bss"):
            if any(one.data):
                raise FormatError(f"{one.name} is not all zero")
            section = self.image.section(one.name, elf.NOBITS, _DATA, align=8, size=len(one.data))
        else:
            flags = elf.ALLOC if one.read_only else _DATA
            section = self.image.section(one.name, flags=flags, align=8, data=one.data)
        self.data[one.name] = section
        known = self.vars[one.name] = {}
        for var in one.vars:
            symbol = self.image.symbol(var.name, section, var.offset, var.size, elf.OBJECT,
                                       elf.LOCAL if var.static else elf.GLOBAL)
            known.setdefault(var.offset, (var, symbol))
        if one.vars and not one.btf_id and one.name not in self.has_datasec:
            self._datasec(one)

    def _datasec(self, one: DataSpec) -> None:
        rows = []
        for var in sorted(one.vars, key=lambda v: v.offset):
            type_id = var.type_id or self._untyped(var.size)
            var_id = self.types.add(t.Var(var.name, type_id, t.STATIC if var.static else t.GLOBAL))
            rows.append(t.SecVar(var_id, var.offset, var.size))
        self.types.add(t.Datasec(one.name, len(one.data), tuple(rows)))

    def _untyped(self, size: int) -> int:
        """unsigned char[size]."""
        byte = self.types.add(t.Int("unsigned char", 1))
        return self.types.add(t.Array(byte, self.types.add(t.Int("int", 4, t.SIGNED)), size))

    def _data_symbol(self, ref: DataRef) -> tuple[elf.Symbol, int]:
        """(symbol, addend): the exported variable at that place, else the section and the offset."""
        section = _have(self.data, ref.section, "data section")
        known = self.vars[ref.section]
        if ref.symbol:
            for var, symbol in known.values():
                if var.name == ref.symbol and not var.static:
                    return symbol, ref.offset - var.offset
        elif ref.offset in known and not known[ref.offset][0].static:
            return known[ref.offset][1], 0
        return self.image.section_symbol(section), ref.offset

    # ── externs ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _extern(self, section: str, name: str, weak: bool, var: VarSpec | None = None,
                typed: bool = True) -> elf.Symbol:
        """The undefined symbol of a kfunc, ksym or kconfig value; strong if one reference is."""
        symbol = self.externs.get(name)
        if symbol is None:
            symbol = self.externs[name] = self.image.symbol(name, None, bind=elf.WEAK if weak else elf.GLOBAL)
            if section not in self.has_datasec:
                self.extern_types[section].append(self._extern_type(name, var, typed))
        elif not weak:
            symbol.bind = elf.GLOBAL
        return symbol

    def _extern_type(self, name: str, var: VarSpec | None, typed: bool) -> t.SecVar:
        """What the DATASEC says of an extern: the FUNC or VAR that the object's BTF has, else a VAR made for it."""
        for type_id, one in self.spec.btf.items() if self.spec.btf is not None else ():
            if isinstance(one, (t.Func, t.Var)) and one.name == name and one.linkage == t.EXTERN:
                return t.SecVar(type_id, 0, var.size if var is not None else 0)
        if not typed:
            void = self.types.add(t.Const(0))
            return t.SecVar(self.types.add(t.Var(name, void, t.EXTERN)), 0, 1)
        if var is None or not var.type_id:
            raise FormatError(f"the object's BTF does not declare extern {name!r}")
        return t.SecVar(self.types.add(t.Var(name, var.type_id, t.EXTERN)), 0, var.size)

    def _externs(self) -> None:
        for name, rows in self.extern_types.items():
            if rows:
                self.types.add(t.Datasec(name, 0, tuple(rows)))

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _btf(self) -> None:
        if not len(self.types):
            return
        strings = Strings()
        records = ext.Ext(
            {s: r for s, r in self.func_info.items()} if self._all_typed() else {},
            {s: r for s, r in self.line_info.items() if r},
            {s: sorted(r) for s, r in self.core_relos.items()})
        btf: Btf = self.types.build()
        # strings of .BTF.ext live in .BTF, so the types are encoded last
        ext_data = ext.encode(records, strings) if any(records) else b""
        self.image.section(".BTF", align=4, data=encode_btf(btf, strings=strings))
        if ext_data:
            self.image.section(".BTF.ext", align=4, data=ext_data)

    def _all_typed(self) -> bool:
        """The kernel wants function records for all functions or for none."""
        bodies = [*self.spec.functions.values(), *(p.func for p in self.spec.programs.values())]
        return all(func.btf_id for func in bodies)


def _have(table: Mapping[str, _T], name: str, what: str) -> _T:
    found = table.get(name)
    if found is None:
        raise FormatError(f"the object refers to {what} {name!r}, which it does not have")
    return found


def _slot(key: bytes, name: str) -> int:
    if len(key) != 4:
        raise FormatError(f"map {name!r}: the key of an initial entry must have 4 bytes")
    return int.from_bytes(key, "little")
