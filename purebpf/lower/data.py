"""Declarations to specifications: layouts to BTF, maps to MapSpec, global variables to data sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..btf import Btf, Builder
from ..btf import types as bt
from ..dsl import maps as decl
from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.kernel import KernelName
from ..dsl.layout import ArrayType, BitField, EnumRef, Field, FuncType, KptrType, Layout, OptionalType, PtrType, StructType
from ..dsl.maps import MapType as InnerMap
from ..dsl.memory import encode
from ..order import Order
from ..spec import DataSpec, MapSpec, VarSpec
from ..uapi.enums import MapType


class Types:
    """Layouts in the object's BTF, each once. `builder` grows while the program is compiled; ids stay."""

    def __init__(self, order: Order) -> None:
        self.builder, self.order = Builder(), order
        self._ids: dict[Layout, int] = {}
        self._externs: dict[str, int] = {}

    def id_of(self, layout: Layout | None) -> int:
        """The BTF id of a layout; 0 (void) for None."""
        if layout is None:
            return 0
        if layout not in self._ids:
            if isinstance(layout, StructType):
                number = self._ids[layout] = self.builder.reserve()  # it may refer to itself
                made = self._struct(layout)
                self.builder.set(number, bt.Typedef(layout.name, self.builder.append(made)) if layout.typedef else made)
            else:
                self._ids[layout] = self.builder.add(self._type(layout))
        return self._ids[layout]

    def _type(self, layout: Layout) -> bt.Type:
        match layout:
            case IntType(big_endian=True):
                return bt.Typedef(f"__{layout.name}", self.builder.add(bt.Int(f"u{layout.bits}", layout.size)))
            case IntType():
                encoding = bt.BOOL if layout.is_bool else bt.SIGNED if layout.signed or layout.is_char else 0
                return bt.Int(layout.name, layout.size, encoding)
            case ArrayType():
                return bt.Array(self.id_of(layout.elem), self.builder.add(bt.Int("u32", 4)), layout.count)
            case KptrType(target=target):  # the kernel knows the object by its name
                assert target is not None
                return bt.Ptr(self.builder.add(bt.TypeTag("kptr", self.builder.append(bt.Struct(target.name, 0, ())))))
            case PtrType():
                return bt.Ptr(self.id_of(layout.target))
            case KernelName(name=name):
                return bt.Fwd(name, False)
            case InnerMap():
                return bt.Int("u32", 4)
            case FuncType(params=params, ret=ret):
                return bt.FuncProto(self.id_of(ret), tuple(bt.Param(n, self.id_of(p)) for n, p in params))
            case EnumRef(name=name, size=size, enumerator=enumerator, value=value):
                values = (bt.Enumerator(enumerator, value),) if enumerator else ()
                return bt.Enum(name, size, value < 0, values) if size == 4 else bt.Enum64(name, size, value < 0, values)
            case OptionalType(some=some):
                return self._type(some)
            case BitField(base=base):
                return self._type(base)
        raise AssertionError(f"no BTF for {layout!r}")

    def _struct(self, layout: StructType) -> bt.Type:
        fields = layout.emitted()
        if layout.core:  # relocations count its members
            name = "" if layout.typedef else layout.name
            return (bt.Union if layout.union else bt.Struct)(name, layout.size, tuple(self._member(f, 0) for f in fields))
        if layout.union:
            return bt.Union(layout.name, layout.size, self._alternatives(fields, 0))
        groups: list[list[Field]] = []
        end = 0
        for f in sorted(fields, key=lambda f: (_bit(f), -_width(f))):
            if groups and _bit(f) < end:
                groups[-1].append(f)
            else:
                groups.append([f])
            end = max(end, _bit(f) + _width(f))
        order = {f.name: i for i, f in enumerate(fields)}
        return bt.Struct(layout.name, layout.size, tuple(self._group(sorted(g, key=lambda f: order[f.name])) for g in groups))

    def _group(self, fields: list[Field]) -> bt.Member:
        """Fields in the same place are members of a union without a name, as C has it."""
        if len(fields) == 1:
            return self._member(fields[0], 0)
        start = min(f.offset for f in fields)
        size = max(f.offset + f.type.size for f in fields) - start
        union = bt.Union("", size, self._alternatives(fields, start))
        return bt.Member("", self.builder.add(union), start * 8)

    def _alternatives(self, fields: Iterable[Field], start: int) -> tuple[bt.Member, ...]:
        """The members of a union; what lies one behind the other is a struct in it."""
        runs: list[list[Field]] = []
        for f in fields:
            if runs and _bit(f) >= _bit(runs[-1][-1]) + _width(runs[-1][-1]):
                runs[-1].append(f)
            else:
                runs.append([f])
        return tuple(self._member(run[0], start) if len(run) == 1 and _bit(run[0]) == start * 8 else
                     bt.Member("", self.builder.add(self._run(run, start)), 0) for run in runs)

    def _run(self, fields: list[Field], start: int) -> bt.Struct:
        size = max(f.offset + f.type.size for f in fields) - start
        return bt.Struct("", size, tuple(self._member(f, start) for f in fields))

    def _member(self, f: Field, start: int) -> bt.Member:
        return bt.Member(f.name, self.id_of(f.type), _bit(f) - start * 8, f.bits)

    def func(self, name: str, params: list[tuple[str, Layout | None]], result: Layout | None, linkage: int) -> int:
        """A FUNC with its prototype. A parameter of layout None is an untyped pointer."""
        pointer = self.builder.add(bt.Ptr(0))
        args = tuple(bt.Param(n, pointer if t is None else self.id_of(t)) for n, t in params)
        proto = self.builder.add(bt.FuncProto(self.id_of(result), args))
        return self.builder.add(bt.Func(name, proto, linkage))


    def extern(self, name: str, proto: FuncType) -> None:
        """A function of the kernel that the object calls."""
        if name not in self._externs:
            self._externs[name] = self.builder.append(bt.Func(name, self.id_of(proto), bt.EXTERN))

    def finish(self) -> Btf:
        """The object's BTF, with what it takes from the kernel where libbpf looks for it."""
        if self._externs:
            self.builder.append(bt.Datasec(".ksyms", 0, tuple(bt.SecVar(i, 0, 0) for i in self._externs.values())))
            self._externs = {}
        return Btf(self.builder.build(), byteorder=self.order.name)


def _bit(f: Field) -> int:
    return f.offset * 8 + f.bit


def _width(f: Field) -> int:
    return f.bits or f.type.size * 8


class Section:
    """A data section while variables are being added."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.image = bytearray()
        self.vars: list[VarSpec] = []

    def add(self, data: bytes, align: int) -> int:
        """Append bytes; the offset they got."""
        self.image += bytes(-len(self.image) % align)
        offset = len(self.image)
        self.image += data
        return offset


class Data:
    """The object's global variables: Const in .rodata, Global in .data (with an initial value) or .bss."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.sections: dict[str, Section] = {}
        self._places: dict[int, tuple[str, int]] = {}
        self._constants: dict[bytes, int] = {}
        self._zero: int | None = None

    def section(self, name: str) -> Section:
        return self.sections.setdefault(name, Section(name))

    def place(self, variable: Variable[Any], name: str) -> tuple[str, int]:
        """(section, offset) of a variable, which gets its room at first sight."""
        found = self._places.get(id(variable))
        if found is None:
            layout = variable.layout
            where = ".rodata" if variable.read_only else ".bss" if variable.init is None or variable.init == 0 else ".data"
            section = self.section(where)
            image = bytes(layout.size) if variable.init is None else encode(layout, variable.init, name, self.types.order)
            offset = section.add(image, 8 if layout.size >= 8 else max(layout.align, 1))  # wide copies, whatever it is made of
            section.vars.append(VarSpec(name, offset, layout.size, self.types.id_of(layout)))
            found = self._places[id(variable)] = where, offset
        return found

    def zero(self) -> tuple[str, int]:
        """(section, offset) of a number that is 0 and that the verifier does not know to be."""
        if self._zero is None:
            self._zero = self.section(".bss").add(bytes(8), 8)
        return ".bss", self._zero

    def constant(self, data: bytes) -> tuple[str, int]:
        """(section, offset) of constant bytes, each text once."""
        if data not in self._constants:
            self._constants[data] = self.section(".rodata").add(data, 8)
        return ".rodata", self._constants[data]

    def specs(self) -> dict[str, DataSpec]:
        """The finished sections."""
        return {s.name: DataSpec(s.name, bytes(s.image) or bytes(1), tuple(s.vars)) for s in self.sections.values()}


def map_spec(types: Types, map: decl.Map, name: str) -> MapSpec:
    """A declaration as the object has it."""
    number: int = getattr(MapType, map.map_type)
    bare = isinstance(map, decl.RingBuf | decl.PerfEventArray | decl.ProgArray)
    fixed = map.value_size or (4 if bare else map.value.size if map.value else 0)
    return MapSpec(
        name, number,
        key_size=map.key.size if map.key and not isinstance(map, decl.RingBuf) else 0,
        value_size=0 if isinstance(map, decl.RingBuf) else fixed,
        max_entries=map.max_entries, flags=map.flags,
        key_type=types.id_of(map.key) if map.key and not bare and not map.value_size else 0,
        value_type=types.id_of(map.value) if map.value else 0,  # of records, where there are no values
        inner=map_spec(types, map.inner, f"{name}.inner") if map.inner is not None else None,
        pinning=int(map.pin), extra=map.extra, numa_node=map.numa_node,
    )


def contents(map: decl.Map, names: Mapping[Any, str], order: Order) -> tuple[tuple[bytes, bytes | str], ...]:
    """The entries that a map begins with; programs and maps by the names that they have in the object."""
    found: list[tuple[bytes, bytes | str]] = []
    for key, value in map.values.items():
        assert map.key is not None
        raw = encode(map.key, key, "the key", order)
        if map.inner is not None or isinstance(map, decl.ProgArray):
            found.append((raw, names[value]))
        elif map.value is not None:
            found.append((raw, encode(map.value, value, f"entry {key!r}", order)))
    return tuple(found)
