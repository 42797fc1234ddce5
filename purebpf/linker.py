"""Objects → one object: static linking of ObjectSpecs, whoever made them.

    symbols   functions, programs, maps and exported variables meet by name; a strong definition wins over weak ones, what
              is static stays an object's own
    sections  data is joined section by section, each part aligned to 8 bytes
    types     merged, deduplicated, without what nothing needs any more

What no object defines stays open: a kernel function, a kernel symbol, or something for a further link. Whatever
contradicts itself is a FormatError that names both files.
"""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, TypeVar

from .btf import Btf, Builder, core
from .btf import types as t
from .btf.dedup import dedup, merge, reachable
from .btf.layout import size_of
from .errors import BtfError, FormatError
from .isa.insn import CoreRef, DataRef, ExternRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef, Ref
from .isa.opcodes import CALL, CALL_LOCAL, IMM64_FUNC, IMM64_MAP_FD, IMM64_MAP_VALUE, JMP
from .spec import DataSpec, FuncSpec, MapSpec, ObjectSpec, Pointer, ProgramSpec, VarSpec

_ALIGN = 8
_EXTERN_SECTIONS = (".ksyms", ".kconfig")
_T = TypeVar("_T", bound=Ref)


class _Place(NamedTuple):
    """Where a name is defined: the input, what it is ("function", "map", "variable"), and may it give way?"""

    input: int
    what: str
    weak: bool
    section: str = ""
    offset: int = 0


def link(specs: Iterable[ObjectSpec], labels: Iterable[str] = (), name: str = "linked") -> ObjectSpec:
    """One object of many. `labels` are their names in errors (the specs' own, if there are none)."""
    inputs = list(specs)
    if not inputs:
        raise FormatError("there is nothing to link")
    shown = list(labels) or [spec.name for spec in inputs]
    return _Linker(inputs, shown).run(name)


class _Linker:
    """State of one link."""

    def __init__(self, inputs: list[ObjectSpec], labels: list[str]) -> None:
        self.inputs, self.labels = inputs, labels
        self.merged, self.memos = merge([one.btf or Btf() for one in inputs])
        self.defined: dict[str, _Place] = {}
        self.names: list[dict[str, str]] = []  # of functions and maps, where statics were renamed
        self.bases: list[dict[str, int]] = []  # where an input's part of a data section begins
        self.sizes: dict[str, int] = {}

    def run(self, name: str) -> ObjectSpec:
        first = self.inputs[0]
        for index, one in enumerate(self.inputs):
            if one.byteorder != first.byteorder:
                raise self._conflict(f"{one.byteorder}-endian and {first.byteorder}-endian code cannot be linked", 0, index)
            if one.license != first.license:
                raise self._conflict(f"licences {first.license!r} and {one.license!r} differ", 0, index)
        self._define()
        self._rename()
        self._place()
        self._check_declarations()
        maps = {m.name: m for i in range(len(self.inputs)) for m in self._maps(i)}
        functions = {f.name: f for i in range(len(self.inputs)) for f in self._functions(i)}
        programs = {p.name: p for i in range(len(self.inputs)) for p in self._programs(i)}
        spec = ObjectSpec(programs, functions, maps, self._data(), first.license, None, name, first.byteorder)
        return _Types(self, spec).run()

    def _conflict(self, message: str, a: int, b: int) -> FormatError:
        return FormatError(f"{message} ({self.labels[a]}, {self.labels[b]})")

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exports(self, index: int) -> Iterable[tuple[str, _Place]]:
        spec = self.inputs[index]
        static = _static_maps(spec)
        for func in (*spec.functions.values(), *(p.func for p in spec.programs.values())):
            if func.name in spec.programs or not func.static or func.hidden:
                yield func.name, _Place(index, "function", func.weak)
        for one in spec.maps.values():
            if one.name not in static:
                yield one.name, _Place(index, "map", False)
        for section in spec.data.values():
            for var in section.vars if section.name != ".kconfig" else ():
                if not var.static:
                    yield var.name, _Place(index, "variable", var.weak, section.name, var.offset)

    def _define(self) -> None:
        for index in range(len(self.inputs)):
            for name, place in self._exports(index):
                other = self.defined.get(name)
                if other is not None and other.what != place.what:
                    raise self._conflict(f"{name!r} is a {other.what} and a {place.what}", other.input, index)
                if other is None or other.weak and not place.weak:
                    self.defined[name] = place
                elif not place.weak:
                    raise self._conflict(f"{place.what} {name!r} is defined twice", other.input, index)

    def _rename(self) -> None:
        """Give statics names that nobody else has."""
        taken = set(self.defined)
        for index, spec in enumerate(self.inputs):
            exported = {name for name, _ in self._exports(index)}
            names = self.names_of(spec)
            self.names.append({})
            for name in names:
                made, number = name, 0
                while name not in exported and made in taken:
                    number += 1
                    made = f"{name}.{number}"
                taken.add(made)
                self.names[index][name] = made

    @staticmethod
    def names_of(spec: ObjectSpec) -> list[str]:
        return [*spec.functions, *spec.programs, *spec.maps]

    def _place(self) -> None:
        for spec in self.inputs:
            bases: dict[str, int] = {}
            for section in spec.data.values():
                if section.name != ".kconfig":
                    at = self.sizes.get(section.name, 0)
                    bases[section.name] = at = at + -at % _ALIGN
                    self.sizes[section.name] = at + len(section.data)
            self.bases.append(bases)

    def is_mine(self, index: int, name: str) -> bool:
        """Is this input's definition of an exported name the one that counts? True for statics."""
        place = self.defined.get(name)
        return place is None or place.input == index or self.names[index].get(name, name) != name

    def variable(self, name: str) -> tuple[str, int] | None:
        """(section, offset in the result) of an exported variable."""
        place = self.defined.get(name)
        if place is None or place.what != "variable":
            return None
        return place.section, self.bases[place.input][place.section] + place.offset

    # ── declarations ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _check_declarations(self) -> None:
        """Declarations of what another object defines are those of the definition."""
        for index, spec in enumerate(self.inputs):
            for type_id, one in spec.btf.items() if spec.btf is not None else ():
                if isinstance(one, (t.Func, t.Var)) and one.linkage == t.EXTERN and one.name in self.defined:
                    self._check(index, type_id, one, self.defined[one.name])

    def _check(self, index: int, type_id: int, one: t.Func | t.Var, place: _Place) -> None:
        other = self.inputs[place.input].btf
        own = self.inputs[index].btf
        found = other.find(one.name, type(one)) if other is not None else None
        if own is None or other is None or found is None or place.input == index:
            return
        mine, theirs = t.references(one)[0], t.references(other[found])[0]
        same = core.compatible(own, mine, other, theirs)
        if same and isinstance(one, t.Var) and place.what == "variable":
            same = _size(own, mine) in (0, _size(other, theirs))
        if not same:
            raise self._conflict(f"{place.what} {one.name!r} is declared with another type than it is defined with",
                                 index, place.input)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _maps(self, index: int) -> Iterable[MapSpec]:
        for one in self.inputs[index].maps.values():
            contents = tuple((key, self._content(index, value)) for key, value in one.contents)
            yield self._map_types(index, one)._replace(name=self.names[index][one.name], contents=contents)

    def _content(self, index: int, value: bytes | str) -> bytes | str:
        return self.names[index].get(value, value) if isinstance(value, str) else value

    def _map_types(self, index: int, one: MapSpec) -> MapSpec:
        memo = self.memos[index]
        inner = self._map_types(index, one.inner) if one.inner is not None else None
        return one._replace(key_type=memo[one.key_type], value_type=memo[one.value_type], inner=inner)

    def _functions(self, index: int) -> Iterable[FuncSpec]:
        for func in self.inputs[index].functions.values():
            if self.is_mine(index, func.name):
                yield self._function(index, func)

    def _programs(self, index: int) -> Iterable[ProgramSpec]:
        for program in self.inputs[index].programs.values():
            if self.is_mine(index, program.name):
                yield program._replace(func=self._function(index, program.func))

    def _function(self, index: int, func: FuncSpec) -> FuncSpec:
        insns = tuple(i if i.ref is None else self._insn(index, i, i.ref) for i in func.insns)
        return func._replace(name=self.names[index][func.name], insns=insns, btf_id=self.memos[index][func.btf_id])

    def _insn(self, index: int, insn: Insn, ref: Ref) -> Insn:
        if isinstance(ref, (ExternRef, KfuncRef)):
            found = self._defined_elsewhere(ref)
            if found is None:
                return insn
            if insn.code == JMP | CALL:
                if not isinstance(found, FuncRef):
                    raise FormatError(f"{self.labels[index]} calls {ref.name!r}, which is no function")
                return insn._replace(src=CALL_LOCAL, imm=-1, ref=found)
            kind = {MapRef: IMM64_MAP_FD, DataRef: IMM64_MAP_VALUE, FuncRef: IMM64_FUNC}[type(found)]
            return insn._replace(src=kind, imm=0, ref=found)
        return insn._replace(ref=self._ref(index, ref))

    def _defined_elsewhere(self, ref: ExternRef | KfuncRef) -> FuncRef | MapRef | DataRef | None:
        place = self.defined.get(ref.name)
        if place is None:
            return None
        if place.what == "function":
            return FuncRef(ref.name)
        if place.what == "map":
            return MapRef(ref.name)
        section, offset = self.variable(ref.name) or ("", 0)
        return DataRef(section, offset + (ref.offset if isinstance(ref, ExternRef) else 0), ref.name)

    def _ref(self, index: int, ref: _T) -> _T | DataRef | FuncRef | MapRef:
        match ref:
            case FuncRef(name):
                return FuncRef(self.names[index].get(name, name))
            case MapRef(name):
                return MapRef(self.names[index].get(name, name))
            case DataRef(section, offset, symbol):
                if symbol and not self.is_mine(index, symbol):  # weak here, defined elsewhere
                    own = next(v.offset for v in self.inputs[index].data[section].vars if v.name == symbol)
                    home, at = self.variable(symbol) or (section, 0)
                    return DataRef(home, at + offset - own, symbol)
                return DataRef(section, self.bases[index][section] + offset, symbol)
            case CoreRef():
                return ref._replace(type_id=self.memos[index][ref.type_id])
            case ExternRef():
                return self._defined_elsewhere(ref) or ref
            case KfuncRef() | KsymRef() | KconfigRef() | Label():
                return ref

    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _data(self) -> dict[str, DataSpec]:
        out: dict[str, DataSpec] = {}
        for name, size in self.sizes.items():
            image = bytearray(size)
            rows: list[VarSpec] = []
            pointers: list[Pointer] = []
            for index, spec in enumerate(self.inputs):
                if name in spec.data:
                    base, one = self.bases[index][name], spec.data[name]
                    image[base:base + len(one.data)] = one.data
                    rows += (v._replace(offset=base + v.offset, type_id=self.memos[index][v.type_id]) for v in one.vars
                             if v.static or self.is_mine(index, v.name))
                    pointers += (Pointer(base + p.offset, self._ref(index, p.ref)) for p in one.relocations)
            out[name] = DataSpec(name, bytes(image), tuple(rows), 0, tuple(pointers))
        settings = self._settings()
        return out | ({".kconfig": settings} if settings.vars else {})

    def _settings(self) -> DataSpec:
        """.kconfig: each setting once, laid out anew."""
        rows: dict[str, tuple[int, VarSpec]] = {}
        at = 0
        for index, spec in enumerate(self.inputs):
            for var in spec.data[".kconfig"].vars if ".kconfig" in spec.data else ():
                if var.name in rows:
                    if rows[var.name][1].size != var.size:
                        raise self._conflict(f"setting {var.name!r} has different types", rows[var.name][0], index)
                    continue
                at += -at % min(_ALIGN, max(1, var.size))
                rows[var.name] = (index, var._replace(offset=at, type_id=self.memos[index][var.type_id]))
                at += var.size
        return DataSpec(".kconfig", bytes(at), tuple(var for _, var in rows.values()))


class _Types:
    """The types of the result: what it needs of the inputs', once, with VARs and DATASECs for its own layout."""

    def __init__(self, linker: _Linker, spec: ObjectSpec) -> None:
        self.linker, self.spec = linker, spec
        self.externs: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in _EXTERN_SECTIONS}  # name → (id, size)
        self.others: set[int] = set()
        self.definitions: dict[str, tuple[int, int]] = {}  # map → (struct type, linkage)

    def run(self) -> ObjectSpec:
        self._declarations()
        roots = self._roots()
        wanted = reachable(self.linker.merged, roots)
        done = dedup(self.linker.merged, lambda number: number in wanted)
        builder = Builder(done.btf)
        spec = self._renumbered(done.ids)
        data = {name: self._datasec(builder, one) for name, one in spec.data.items()}
        rows = [t.SecVar(builder.append(t.Var(name, done.ids[type_id], linkage)), 8 * n, 8)
                for n, (name, (type_id, linkage)) in enumerate(self.definitions.items())]
        if rows:
            builder.append(t.Datasec(".maps", 8 * len(rows), tuple(rows)))
        kernel = tuple(t.SecVar(done.ids[i], 0, size) for i, size in self.externs[".ksyms"].values())
        if kernel:
            builder.append(t.Datasec(".ksyms", 0, kernel))
        return spec._replace(data=data, btf=Btf(builder.build(), byteorder=spec.byteorder))

    def _declarations(self) -> None:
        """Externs that stay open, and the struct types of maps."""
        for index, spec in enumerate(self.linker.inputs):
            memo = self.linker.memos[index]
            listed = {row.type: one.name for one in spec.btf or () if isinstance(one, t.Datasec) for row in one.vars}
            sizes = {row.type: row.size for one in spec.btf or () if isinstance(one, t.Datasec) for row in one.vars}
            for number, one in spec.btf.items() if spec.btf is not None else ():
                if not isinstance(one, (t.Func, t.Var)):
                    continue
                section = listed.get(number, "")
                if one.linkage == t.EXTERN and one.name not in self.linker.defined:
                    if section in self.externs:
                        self.externs[section].setdefault(one.name, (memo[number], sizes[number]))
                    else:
                        self.others.add(memo[number])
                elif section == ".maps" and isinstance(one, t.Var) and one.linkage != t.EXTERN:
                    name = self.linker.names[index].get(one.name, one.name)
                    self.definitions[name] = (memo[one.type], one.linkage)

    def _roots(self) -> set[int]:
        spec = self.spec
        roots = set(self.others) | {type_id for type_id, _ in self.definitions.values()}
        roots |= {type_id for type_id, _ in self.externs[".ksyms"].values()}
        for func in (*spec.functions.values(), *(p.func for p in spec.programs.values())):
            roots.add(func.btf_id)
            roots |= {i.ref.type_id for i in func.insns if isinstance(i.ref, CoreRef)}
        for one in spec.maps.values():
            roots |= {one.key_type, one.value_type} | ({one.inner.key_type, one.inner.value_type} if one.inner else set())
        return roots | {var.type_id for section in spec.data.values() for var in section.vars}

    def _renumbered(self, ids: Mapping[int, int]) -> ObjectSpec:
        def of_map(one: MapSpec) -> MapSpec:
            return one._replace(key_type=ids[one.key_type], value_type=ids[one.value_type],
                                inner=of_map(one.inner) if one.inner is not None else None)

        def of_func(func: FuncSpec) -> FuncSpec:
            insns = tuple(i._replace(ref=i.ref._replace(type_id=ids[i.ref.type_id])) if isinstance(i.ref, CoreRef) else i
                          for i in func.insns)
            return func._replace(btf_id=ids[func.btf_id], insns=insns)

        spec = self.spec
        return spec._replace(
            programs={n: p._replace(func=of_func(p.func)) for n, p in spec.programs.items()},
            functions={n: of_func(f) for n, f in spec.functions.items()},
            maps={n: of_map(m) for n, m in spec.maps.items()},
            data={n: d._replace(vars=tuple(v._replace(type_id=ids[v.type_id]) for v in d.vars))
                  for n, d in spec.data.items()})

    def _datasec(self, builder: Builder, one: DataSpec) -> DataSpec:
        linkage = t.EXTERN if one.name == ".kconfig" else t.GLOBAL
        rows = tuple(t.SecVar(builder.append(t.Var(v.name, v.type_id, t.STATIC if v.static else linkage)), v.offset, v.size)
                     for v in sorted(one.vars, key=lambda v: v.offset) if v.type_id)
        if not rows:
            return one
        size = 0 if one.name == ".kconfig" else len(one.data)
        return one._replace(btf_id=builder.append(t.Datasec(one.name, size, rows)))


def _static_maps(spec: ObjectSpec) -> set[str]:
    """Maps whose variable is static."""
    if spec.btf is None:
        return set()
    rows = [row.type for one in spec.btf if isinstance(one, t.Datasec) and one.name == ".maps" for row in one.vars]
    found = (spec.btf[row] for row in rows)
    return {one.name for one in found if isinstance(one, t.Var) and one.linkage == t.STATIC}


def _size(btf: Btf, type_id: int) -> int:
    try:
        return size_of(btf, type_id)
    except BtfError:
        return 0
