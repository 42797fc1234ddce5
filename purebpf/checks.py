"""Whether an ObjectSpec is sound by itself: what a reader, a compiler or a caller may have got wrong, found before a kernel
or the VM takes it.
"""

from __future__ import annotations

from typing import Callable, Final, Iterator, assert_never

from .errors import FormatError
from .isa.insn import CoreRef, DataRef, ExternRef, FuncRef, KconfigRef, KfuncRef, KsymRef, Label, MapRef, Ref
from .order import ORDERS
from .spec import DataSpec, FuncSpec, MapSpec, ObjectSpec
from .uapi.enums import MapType

POINTER: Final = 8
_U32: Final = 1 << 32
_OF_NAMES: Final = (MapType.PROG_ARRAY, MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)


def check(spec: ObjectSpec) -> None:
    """FormatError for the first thing that is wrong."""
    for part in (_names, _maps, _data, _code):
        for problem in part(spec):
            raise FormatError(problem)


def _names(spec: ObjectSpec) -> Iterator[str]:
    for what, table, name_of in (
            ("function", spec.functions, lambda one: one.name), ("map", spec.maps, lambda one: one.name), ("data section", spec.data, lambda one: one.name)):
        named: Callable[[object], str] = name_of
        for key, one in table.items():
            if named(one) != key:
                yield f"{what} {named(one)!r} is listed as {key!r}"
    for name in spec.programs:
        if name in spec.functions:
            yield f"{name!r} is both a program and a function"
    if spec.byteorder not in ORDERS:
        yield f"byte order {spec.byteorder!r} is none of {', '.join(ORDERS)}"


def is_file_name(name: str) -> bool:
    """May a pin be called so? No path: it would lead out of the directory."""
    return bool(name) and name not in (".", "..") and "/" not in name and "\0" not in name


def _maps(spec: ObjectSpec) -> Iterator[str]:
    for one in spec.maps.values():
        where = f"map {one.name!r}"
        if one.pinning and not is_file_name(one.name):
            yield f"{where} is pinned by its name, which is no file name"
        for number in (one.type, one.key_size, one.value_size, one.max_entries, one.flags, one.numa_node):
            if not 0 <= number < _U32:
                yield f"{where}: {number} is no unsigned 32-bit number"
        if spec.btf is not None:
            for type_id in (one.key_type, one.value_type):
                if not 0 <= type_id <= spec.btf.last:
                    yield f"{where} is of type {type_id}, which the object's BTF lacks"
        yield from _contents(spec, one, where)


def _contents(spec: ObjectSpec, one: MapSpec, where: str) -> Iterator[str]:
    key_size = one.key_size or 4
    for key, value in one.contents:
        if len(key) != key_size:
            yield f"{where}: the key of an initial entry has {len(key)} bytes, keys have {key_size}"
        elif isinstance(value, str):
            known = spec.programs if one.type == MapType.PROG_ARRAY else spec.maps
            if one.type not in _OF_NAMES:
                yield f"{where} holds neither programs nor maps, but has {value!r} as an initial entry"
            elif value not in known:
                kind = "program" if one.type == MapType.PROG_ARRAY else "map"
                yield f"{where} holds {kind} {value!r}, which the object lacks"
        elif len(value) != one.value_size:
            yield f"{where}: an initial value has {len(value)} bytes, values have {one.value_size}"


def _data(spec: ObjectSpec) -> Iterator[str]:
    for one in spec.data.values():
        for var in one.vars:
            if var.offset < 0 or var.size < 0 or var.offset + var.size > len(one.data):
                yield f"variable {var.name!r} at {var.offset} of {var.size} bytes leaves section {one.name!r}"
        for pointer in one.relocations:
            if not 0 <= pointer.offset <= len(one.data) - POINTER:
                yield f"pointer at {pointer.offset} leaves section {one.name!r}"
            problem = _reference(spec, pointer.ref)
            if problem:
                yield f"section {one.name!r}: {problem}"


def _code(spec: ObjectSpec) -> Iterator[str]:
    for func in (*(p.func for p in spec.programs.values()), *spec.functions.values()):
        if not func.insns:
            yield f"function {func.name!r} is empty"
        for index, insn in enumerate(func.insns):
            problem = _reference(spec, insn.ref) if insn.ref is not None else ""
            if problem:
                yield f"{func.name}, instruction {index}: {problem}"
        yield from _lines(spec, func)


def _lines(spec: ObjectSpec, func: FuncSpec) -> Iterator[str]:
    for line in func.lines:
        if not 0 <= line.insn < len(func.insns):
            yield f"{func.name}: source line for instruction {line.insn} of {len(func.insns)}"
    if spec.btf is not None and not 0 <= func.btf_id <= spec.btf.last:
        yield f"{func.name} is FUNC {func.btf_id}, which the object's BTF lacks"


def _reference(spec: ObjectSpec, ref: Ref) -> str:
    """What is wrong with a reference, "" if nothing is."""
    match ref:
        case MapRef(name):
            return "" if name in spec.maps else f"reference to map {name!r}, which the object lacks"
        case DataRef(section, offset):
            return _place(spec.data.get(section), section, offset)
        case FuncRef(name):
            known = name in spec.functions or name in spec.programs
            return "" if known else f"reference to function {name!r}, which the object lacks"
        case KconfigRef(name):
            known = ".kconfig" not in spec.data or any(v.name == name for v in spec.data[".kconfig"].vars)
            return "" if known else f"reference to {name!r}, which .kconfig lacks"
        case CoreRef(type_id):
            if spec.btf is None:
                return "CO-RE relocation, but the object has no BTF"
            return "" if 0 <= type_id <= spec.btf.last else f"CO-RE relocation of type {type_id}, which BTF lacks"
        case Label(name):
            return f"label {name!r} is not resolved"
        case ExternRef(name):
            return f"reference to {name!r}, which another object defines: link them (bpf.link, purebpf link)"
        case KfuncRef() | KsymRef():
            return ""
        case _:
            assert_never(ref)


def _place(section: DataSpec | None, name: str, offset: int) -> str:
    if section is None:
        return f"reference to section {name!r}, which the object lacks"
    if not -len(section.data) <= offset <= 2 * len(section.data):  # compilers fold constants into the address
        return f"offset {offset} is far outside {name}"
    return ""
