"""The maps and the data of an object file: .maps and legacy `maps` with initial slots, .data* .rodata* .bss* .kconfig,
struct_ops and the arena's globals, with the pointers in them.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import Callable, Final, Mapping

from ..btf import Btf, layout
from ..btf import types as t
from ..errors import ElfError
from ..isa.insn import DataRef, ExternRef, FuncRef, KsymRef, MapRef
from ..spec import ARENA, STRUCT_OPS, DataSpec, MapSpec, Pointer, VarSpec
from . import reader as elf
from .image import EXEC, LOCAL, OBJECT, SECTION, WEAK
from .mapdefs import SLOT as MAP_SLOT
from .mapdefs import parse as parse_map

DATA: Final = (".data", ".rodata", ".bss", ARENA, *STRUCT_OPS)
MAPS: Final = (".maps", "maps")
_LEGACY: Final = 20  # bytes of type, key_size, value_size, max_entries, flags
FuncAt = Callable[[int, int], str]  # (section, byte offset) -> name of the function that begins there, "" if none does


class DataLifter:
    """State of one `read`, as far as maps and data go. `map_at`: (section, offset) -> the map's name."""

    def __init__(self, file: elf.File, btf: Btf | None, externs: Mapping[str, tuple[str, t.Type]], func_at: FuncAt) -> None:
        self.file, self.btf, self.externs, self.func_at = file, btf, externs, func_at
        self.map_at: dict[tuple[int, int], str] = {}
        self.symbols: dict[int, list[elf.Symbol]] = {}  # by section
        for symbol in file.symbols:
            if symbol.section > 0:
                self.symbols.setdefault(symbol.section, []).append(symbol)

    def datasec(self, name: str) -> tuple[int, t.Datasec] | None:
        """(id, type) of the DATASEC called `name`."""
        found = self.btf.find(name, t.Datasec) if self.btf is not None else None
        if found is None or self.btf is None:
            return None
        one = self.btf[found]
        assert isinstance(one, t.Datasec)
        return found, one

    # ── maps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def maps(self) -> dict[str, MapSpec]:
        out: dict[str, MapSpec] = {}
        self.map_names = Names()
        for index, section in enumerate(self.file.sections):
            if section.data and section.name == ".maps":
                self._defined(index, section, out)
            elif section.data and section.name == "maps":
                self._legacy(index, section, out)
        return out

    def _defined(self, index: int, section: elf.Section, out: dict[str, MapSpec]) -> None:
        found = self.datasec(".maps")
        if found is None or self.btf is None:
            raise ElfError("the object has .maps, but no BTF that describes them")
        spans: list[tuple[int, int, int, str]] = []  # start, end, offset of values, name; sorted
        for row in found[1].vars:
            var = self.btf[row.type] if row.type else None
            if not isinstance(var, t.Var):
                raise ElfError(".maps holds something else than variables")
            if var.linkage == t.EXTERN:
                continue  # another object's
            spec, values = parse_map(self.btf, var.type, var.name)
            if (index, row.offset) in self.map_at:
                raise ElfError(f"map {var.name!r} is defined twice")
            name = self.map_names.give(var.name)  # statics of several files may share one
            out[name] = spec._replace(name=name)
            self.map_at[index, row.offset] = name
            spans.append((row.offset, row.offset + row.size, values, name))
        spans.sort()
        for offset, symbol, _ in section.relocations:
            self._slot(section, out, spans, offset, symbol)

    def _slot(self, section: elf.Section, maps: dict[str, MapSpec], spans: list[tuple[int, int, int, str]], offset: int,
              symbol: elf.Symbol) -> None:
        """An initial slot of a map-in-map or a program array."""
        at = bisect_right(spans, offset, key=lambda s: s[0]) - 1
        home = spans[at] if at >= 0 else None
        if home is None or offset >= home[1] or not home[2] or offset < home[0] + home[2] or (offset - home[0] - home[2]) % MAP_SLOT:
            raise ElfError(f".maps: relocation at {offset:#x} is at no slot of a map")
        addend = self._word(section, offset)  # and the slot is within the section
        at = symbol.value + (addend if symbol.type == SECTION else 0)
        name = self.map_at.get((symbol.section, at), "") or self.func_at(symbol.section, at)
        if not name:
            raise ElfError(f"map {home[3]!r}: slot at {offset:#x} refers to neither a map nor a program")
        number = (offset - home[0] - home[2]) // MAP_SLOT
        spec = maps[home[3]]
        if number >= max(spec.max_entries, 1) or number > 0xFFFFFFFF:
            raise ElfError(f"map {home[3]!r}: slot {number} of {spec.max_entries}")
        key = self.file.order.bytes(number, 4)
        maps[home[3]] = spec._replace(contents=(*spec.contents, (key, name)))

    def _word(self, section: elf.Section, offset: int) -> int:
        if not 0 <= offset <= len(section.data) - 8:
            raise ElfError(f"section {section.name!r}: relocation at {offset:#x} is outside")
        number: int = struct.unpack_from(self.file.order.mark + "Q", section.data, offset)[0]
        return number

    def _legacy(self, index: int, section: elf.Section, out: dict[str, MapSpec]) -> None:
        """`struct bpf_map_def`s, all of one size, a symbol each."""
        symbols = sorted((s for s in self.symbols.get(index, ()) if s.name and s.type in (OBJECT, 0)),
                         key=lambda s: s.value)
        if not symbols or len(section.data) % len(symbols):
            raise ElfError(f"section 'maps' of {len(section.data)} bytes is no table of {len(symbols)} maps")
        size = len(section.data) // len(symbols)
        if size < _LEGACY:
            raise ElfError(f"section 'maps' has {size} bytes a map, a definition takes {_LEGACY}")
        mark = self.file.order.mark
        for number, symbol in enumerate(symbols):
            if symbol.value != number * size:
                raise ElfError(f"map {symbol.name!r} at {symbol.value:#x} of section 'maps' is not where one begins")
            raw = section.data[symbol.value:symbol.value + size]
            if any(raw[_LEGACY:]):
                raise ElfError(f"map {symbol.name!r} is defined with fields that are another loader's (in section 'maps'): "
                               "define it in '.maps'")
            if symbol.name in out:
                raise ElfError(f"map {symbol.name!r} is defined twice")
            kind, key, value, entries, flags = struct.unpack_from(mark + "5I", raw)
            out[symbol.name] = MapSpec(symbol.name, kind, key, value, entries, flags)
            self.map_at[index, symbol.value] = symbol.name

    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def data(self) -> dict[str, DataSpec]:
        out: dict[str, DataSpec] = {}
        for index, section in enumerate(self.file.sections):
            if section.name.startswith(DATA) and section.data and not section.flags & EXEC:
                if section.name in out:
                    raise ElfError(f"two sections are called {section.name!r}")
                out[section.name] = self._section(index, section)
        kconfig = self.datasec(".kconfig")
        if kconfig is not None:
            out[".kconfig"] = self._kconfig(*kconfig)
        return out

    def _section(self, index: int, section: elf.Section) -> DataSpec:
        found = self.datasec(section.name)
        types: dict[str, int] = {}
        for row in found[1].vars if found is not None and self.btf is not None else ():
            var = self.btf[row.type] if self.btf is not None and row.type else None
            if isinstance(var, t.Var):
                types[var.name] = var.type
        rows = []
        for symbol in self.symbols.get(index, ()):
            if symbol.type == OBJECT:
                if symbol.value + symbol.size > len(section.data):
                    raise ElfError(f"variable {symbol.name!r} leaves section {section.name!r}")
                rows.append(VarSpec(symbol.name, symbol.value, symbol.size, types.get(symbol.name, 0),
                                    symbol.bind == LOCAL, symbol.bind == WEAK))
        image = bytearray(section.data) if section.relocations else section.data
        pointers = []
        for offset, symbol, _ in sorted(section.relocations, key=lambda r: r[0]):
            ref = self._pointee(section, offset, symbol)
            if ref is not None:
                pointers.append(Pointer(offset, ref))
                assert isinstance(image, bytearray)
                image[offset:offset + 8] = bytes(8)
        return DataSpec(section.name, bytes(image), tuple(sorted(rows, key=lambda v: v.offset)), found[0] if found else 0,
                        tuple(pointers))

    def _pointee(self, section: elf.Section, offset: int, symbol: elf.Symbol) -> FuncRef | MapRef | DataRef | KsymRef | ExternRef | None:
        """What a pointer in data points to; None for what no loader looks at (jump tables, other sections)."""
        at = symbol.value + self._word(section, offset)
        if not symbol.section:
            if symbol.name not in self.externs:
                return ExternRef(symbol.name, self._word(section, offset), symbol.bind == WEAK)
            extern = self.externs[symbol.name][1]
            typed = isinstance(extern, t.Func) or isinstance(extern, t.Var) and self.btf is not None and bool(
                layout.resolve(self.btf, extern.type))
            return KsymRef(symbol.name, typed, symbol.bind == WEAK)
        if symbol.section < 0:
            raise ElfError(f"{section.name}+{offset:#x}: pointer to {symbol.name!r}, which is in no section")
        name = self.func_at(symbol.section, at)
        if name:
            return FuncRef(name)
        if (symbol.section, at) in self.map_at:
            return MapRef(self.map_at[symbol.section, at])
        home = self.file.sections[symbol.section]
        if home.name.startswith(DATA) and not home.flags & EXEC:
            return DataRef(home.name, at, symbol.name if symbol.type != SECTION else "")
        if section.name in STRUCT_OPS:
            raise ElfError(f"{section.name}+{offset:#x}: {symbol.name or home.name!r} is no program")
        return None

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


class Names:
    """Names that are given once: `name`, then `name.1`, `name.2` …"""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def give(self, name: str) -> str:
        made = name
        while made in self._given:
            self._given[name] += 1
            made = f"{name}.{self._given[name]}"
        self._given[made] = 0
        return made
