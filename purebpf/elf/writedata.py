"""The maps, data and externs of an ObjectSpec as sections, symbols and BTF; see `writer`.

What the object's BTF says already stays as it is: a map whose struct type says the same keeps it, variables keep their
ids. What it does not say is added, so that every symbol has a type, as static linkers demand.
"""

from __future__ import annotations

import struct
from typing import Final, Mapping, TypeVar, assert_never

from ..btf import Builder
from ..btf import types as t
from ..errors import BtfError, ElfError, FormatError
from ..isa.insn import DataRef, ExternRef, FuncRef, KsymRef, MapRef
from ..isa.opcodes import SLOT
from ..order import ORDERS
from ..spec import DataSpec, MapSpec, ObjectSpec, Pointer, VarSpec
from . import image as elf
from .mapdefs import Definition, define, parse

R_ABS64: Final = 2
DATA: Final = elf.ALLOC | elf.WRITE
_MAX_MAPS: Final = 1 << 26
_EXTERN: Final = (".ksyms", ".kconfig")
_T = TypeVar("_T")


class DataWriter:
    """State of one `write`, as far as maps, data and externs go. `funcs` are the symbols of the code, by name."""

    def __init__(self, spec: ObjectSpec, image: elf.Image, types: Builder, funcs: Mapping[str, elf.Symbol]) -> None:
        self.spec, self.image, self.types, self.funcs = spec, image, types, funcs
        self.maps: dict[str, elf.Symbol] = {}
        self.data: dict[str, elf.Section] = {}
        self.externs: dict[str, elf.Symbol] = {}
        self._vars: dict[str, dict[int, tuple[VarSpec, elf.Symbol]]] = {}
        self._rows: dict[str, list[t.SecVar]] = {}  # of the extern sections
        self._datasecs = {one.name: i for i, one in (spec.btf.items() if spec.btf is not None else ())
                          if isinstance(one, t.Datasec)}
        self._mark = ORDERS[spec.byteorder].mark
        for name in _EXTERN:
            self._rows[name] = list(self._known(name).vars)

    def run(self) -> None:
        """Everything but externs, which come up while code is written (`extern`, `finish`)."""
        self._license()
        self._maps()
        for one in self.spec.data.values():
            if one.name != ".kconfig" and one.data:
                self._section(one)
        for one in self.spec.data.values():
            for pointer in one.relocations:
                self._point(one, pointer)

    def _known(self, name: str) -> t.Datasec:
        """The DATASEC that the object's BTF has, an empty one if it has none."""
        one = self.types[self._datasecs[name]] if name in self._datasecs else None
        return one if isinstance(one, t.Datasec) else t.Datasec(name, 0, ())

    def _set(self, datasec: t.Datasec) -> None:
        if datasec.name in self._datasecs:
            self.types.set(self._datasecs[datasec.name], datasec)
        else:
            self._datasecs[datasec.name] = self.types.add(datasec)

    def _var(self, row: t.SecVar) -> t.Var | None:
        one = self.types[row.type] if row.type else None
        return one if isinstance(one, t.Var) else None

    # ── licence, maps ────────────────────────────────────────────────────────────────────────────────────────────────

    def _license(self) -> None:
        """The section, under the variable's name if the object's BTF has one for it."""
        text = self.spec.license.encode() + b"\0"
        section = self.image.section("license", flags=DATA, data=text)
        rows = self._known("license").vars
        var = self._var(rows[0]) if len(rows) == 1 else None
        name = var.name if var is not None else "_license"
        self.image.symbol(name, section, 0, len(text), elf.OBJECT)
        if var is None or rows[0].size != len(text) or rows[0].offset:
            char = self.types.add(t.Int("char", 1, t.SIGNED))
            made = t.Var(name, self.types.add(t.Array(char, self._int(), len(text))))
            if var is None:
                var_id = self.types.add(made)
            else:
                var_id = rows[0].type
                self.types.set(var_id, made)
            self._set(t.Datasec("license", len(text), (t.SecVar(var_id, 0, len(text)),)))

    def _int(self) -> int:
        return self.types.add(t.Int("int", 4, t.SIGNED))

    def _maps(self) -> None:
        """.maps: a zeroed variable a map, its type, and relocations for the slots that start filled."""
        if not self.spec.maps:
            return
        section = self.image.section(".maps", flags=DATA, align=8)
        known = {var.name: (row.type, var) for row in self._known(".maps").vars if (var := self._var(row)) is not None}
        rows: list[t.SecVar] = []
        filled: list[tuple[MapSpec, int]] = []
        at = 0
        # libbpf creates maps in this order and fills a map-in-map at once, so what it holds must come before it
        for one in sorted(self.spec.maps.values(), key=lambda m: bool(m.inner is not None and m.contents)):
            var_id, var = known.get(one.name, (0, t.Var(one.name, 0)))
            made = self._defined(one, var) or define(self.types, one)
            size = made.size
            if one.contents:
                if not made.values:
                    raise FormatError(f"map {one.name!r}: an object file cannot hold its initial entries")
                size = max(size, made.values + SLOT * (1 + max(self._slot(key, one.name) for key, _ in one.contents)))
                filled.append((one, at + made.values))
            if not var_id:
                var_id = self.types.add(t.Var(one.name, made.type, t.GLOBAL))
            elif var.type != made.type:
                self.types.set(var_id, var._replace(type=made.type))
            rows.append(t.SecVar(var_id, at, size))
            self.maps[one.name] = self.image.symbol(one.name, section, at, size, elf.OBJECT,
                                                    elf.LOCAL if var.linkage == t.STATIC else elf.GLOBAL)
            at += size + -size % 8
        if at > _MAX_MAPS:
            raise FormatError(f"the definitions of maps take {at} bytes, which is too much for an object")
        section.data, section.size = bytes(at), at
        self._set(t.Datasec(".maps", at, tuple(rows)))
        for one, base in filled:
            for key, value in one.contents:
                if not isinstance(value, str):
                    raise FormatError(f"map {one.name!r}: an initial entry must name a map or a program")
                target = have(self.maps if one.inner is not None else self.funcs, value, "map or program")
                section.relocations.append((base + SLOT * self._slot(key, one.name), target, R_ABS64))

    def _defined(self, one: MapSpec, var: t.Var) -> Definition | None:
        """The struct type that the object's BTF has for this map, if it says what the spec does."""
        btf = self.spec.btf
        if btf is None or not var.type:
            return None
        try:
            said, values = parse(btf, var.type, one.name)
        except (ElfError, BtfError):
            return None
        struct_type = btf[var.type]
        inner = one.inner._replace(name=said.inner.name) if one.inner is not None and said.inner is not None else one.inner
        if said != one._replace(contents=(), inner=inner) or not isinstance(struct_type, t.Struct):
            return None
        return Definition(var.type, struct_type.size, values)

    def _slot(self, key: bytes, name: str) -> int:
        if len(key) != 4:
            raise FormatError(f"map {name!r}: the key of an initial entry must have 4 bytes")
        number: int = struct.unpack(f"{self._mark}I", key)[0]
        return number

    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _section(self, one: DataSpec) -> None:
        if one.name.startswith(".bss"):
            if one.data.count(0) != len(one.data) or one.relocations:
                raise FormatError(f"{one.name} is not all zero")
            section = self.image.section(one.name, elf.NOBITS, DATA, align=8, size=len(one.data))
        else:
            flags = elf.ALLOC if one.read_only else DATA
            section = self.image.section(one.name, flags=flags, align=8, data=one.data)
        self.data[one.name] = section
        known = self._vars[one.name] = {}
        for var in one.vars:
            symbol = self.image.symbol(var.name, section, var.offset, var.size, elf.OBJECT,
                                       elf.LOCAL if var.static else elf.WEAK if var.weak else elf.GLOBAL)
            known.setdefault(var.offset, (var, symbol))
        rows = self._known(one.name).vars
        said = {v.name for v in map(self._var, rows) if v is not None}
        new = [var for var in one.vars if var.name not in said and (not var.static or not said)]
        if new:
            made = [t.SecVar(self._typed(var), var.offset, var.size) for var in new]
            self._set(t.Datasec(one.name, len(one.data), tuple(sorted([*rows, *made], key=lambda r: r.offset))))

    def _typed(self, var: VarSpec) -> int:
        """A VAR for a variable; of unsigned char[size] if nothing is known."""
        type_id = var.type_id
        if not type_id:
            byte = self.types.add(t.Int("unsigned char", 1))
            type_id = self.types.add(t.Array(byte, self._int(), var.size))
        return self.types.append(t.Var(var.name, type_id, t.STATIC if var.static else t.GLOBAL))

    def _point(self, one: DataSpec, pointer: Pointer) -> None:
        """A pointer in data: a relocation, with what is to be added in its place."""
        section = have(self.data, one.name, "data section")
        match pointer.ref:
            case FuncRef(name):
                symbol, addend = have(self.funcs, name, "function"), 0
            case MapRef(name):
                symbol, addend = have(self.maps, name, "map"), 0
            case DataRef() as ref:
                symbol, addend = self.symbol_at(ref)
            case KsymRef(name, typed, weak):
                symbol, addend = self.extern(".ksyms", name, weak, typed=typed), 0
            case ExternRef(name, offset, weak):
                symbol, addend = self.other(name, weak), offset
            case _:
                assert_never(pointer.ref)
        image = bytearray(section.data)
        struct.pack_into(f"{self._mark}Q", image, pointer.offset, addend & (1 << 64) - 1)
        section.data = bytes(image)
        section.relocations.append((pointer.offset, symbol, R_ABS64))

    def symbol_at(self, ref: DataRef) -> tuple[elf.Symbol, int]:
        """(symbol, addend): the exported variable at that place, else the section and the offset."""
        section = have(self.data, ref.section, "data section")
        known = self._vars[ref.section]
        if ref.symbol:
            for var, symbol in known.values():
                if var.name == ref.symbol and not var.static:
                    return symbol, ref.offset - var.offset
        elif ref.offset in known and not known[ref.offset][0].static:
            return known[ref.offset][1], 0
        return self.image.section_symbol(section), ref.offset

    # ── externs ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def extern(self, section: str, name: str, weak: bool, *, typed: bool = True, function: bool = False) -> elf.Symbol:
        """The undefined symbol of a kfunc, ksym or kconfig value; strong if one reference is."""
        symbol = self.externs.get(name)
        if symbol is None:
            symbol = self.externs[name] = self.image.symbol(name, None, bind=elf.WEAK if weak else elf.GLOBAL)
            if not any(getattr(self.types[row.type], "name", "") == name for row in self._rows[section]):
                self._rows[section].append(self._extern_type(section, name, typed, function))
        elif not weak:
            symbol.bind = elf.GLOBAL
        return symbol

    def other(self, name: str, weak: bool) -> elf.Symbol:
        """The undefined symbol of something in another object."""
        symbol = self.externs.get(name)
        if symbol is None:
            symbol = self.externs[name] = self.image.symbol(name, None, bind=elf.WEAK if weak else elf.GLOBAL)
        elif not weak:
            symbol.bind = elf.GLOBAL
        return symbol

    def _extern_type(self, section: str, name: str, typed: bool, function: bool) -> t.SecVar:
        """What the DATASEC says of an extern: the FUNC or VAR that the object's BTF has, else one made for it."""
        settings = self.spec.data.get(".kconfig") if section == ".kconfig" else None
        var = next((v for v in settings.vars if v.name == name), None) if settings is not None else None
        for type_id, one in self.spec.btf.items() if self.spec.btf is not None else ():
            if isinstance(one, (t.Func, t.Var)) and one.name == name and one.linkage == t.EXTERN:
                return t.SecVar(type_id, 0, var.size if var is not None else 0)
        if function:
            proto = self.types.add(t.FuncProto(self._int(), ()))
            return t.SecVar(self.types.add(t.Func(name, proto, t.EXTERN)), 0, 0)
        if not typed:
            return t.SecVar(self.types.add(t.Var(name, self.types.add(t.Const(0)), t.EXTERN)), 0, 1)
        if var is None or not var.type_id:
            raise FormatError(f"the object's BTF does not declare extern {name!r}")
        return t.SecVar(self.types.add(t.Var(name, var.type_id, t.EXTERN)), 0, var.size)

    def finish(self) -> None:
        """Symbols for externs that nothing refers to, the extern sections, and no DATASEC of what is not there."""
        settings = self.spec.data.get(".kconfig")
        for one in settings.vars if settings is not None else ():
            if one.name not in self.externs:
                self.extern(".kconfig", one.name, True)
        for name, rows in self._rows.items():
            for row in rows:
                extern = str(getattr(self.types[row.type], "name", ""))
                if extern not in self.externs:
                    self.extern(name, extern, True)
            if rows and len(rows) != len(self._known(name).vars):
                self._set(t.Datasec(name, 0, tuple(rows)))
        there = {"license", ".maps", *_EXTERN, *self.data}
        for name, type_id in self._datasecs.items():
            if name not in there:
                self.types.set(type_id, t.Ptr(0))

    def functions(self) -> None:
        """FUNCs of exported functions as linkers want them, new ones where the object's BTF does not know one. They say
        nothing to the kernel, which goes by func_info."""
        known = {one.name for one in self.spec.btf or () if isinstance(one, t.Func)}
        for func in (*self.spec.functions.values(), *(p.func for p in self.spec.programs.values())):
            exported = self.funcs[func.name].bind != elf.LOCAL
            known_as = self.types[func.btf_id] if func.btf_id else None
            if func.hidden and isinstance(known_as, t.Func):  # static to the kernel; loaders see to that
                self.types.set(func.btf_id, known_as._replace(linkage=t.GLOBAL))
            if exported and not func.btf_id and func.name not in known:
                argument = t.Param("ctx", self.types.add(t.Ptr(0)))
                self.types.add(t.Func(func.name, self.types.add(t.FuncProto(self._int(), (argument,))), t.GLOBAL))


def have(table: Mapping[str, _T], name: str, what: str) -> _T:
    """`table[name]`; FormatError for what the object refers to and does not have."""
    found = table.get(name)
    if found is None:
        raise FormatError(f"the object refers to {what} {name!r}, which it does not have")
    return found


