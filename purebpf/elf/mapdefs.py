"""Map definitions as C programs write them ↔ MapSpec. A map is a variable in `.maps` whose struct type says everything:

    struct {                                      BTF of the member
        int (*type)[BPF_MAP_TYPE_HASH];           PTR → ARRAY, the number is `nelems`
        u32 *key;                                 PTR → type
        struct inner *values[];                   ARRAY → PTR → STRUCT (inner map) or FUNC_PROTO (programs)
    } name SEC(".maps");

Initial entries of `values` are relocations at the slots behind the struct; writer and reader see to them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..btf import Btf, Builder, layout
from ..btf import types as t
from ..errors import BtfError, ElfError
from ..spec import MapSpec
from ..uapi.enums import MapType

SLOT: Final = 8
MAP_IN_MAP: Final = (MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)

# member that holds a number -> field of MapSpec
NUMBERS: Final = {
    "type": "type", "max_entries": "max_entries", "map_flags": "flags", "key_size": "key_size",
    "value_size": "value_size", "numa_node": "numa_node", "pinning": "pinning", "map_extra": "extra",
}


class Definition(NamedTuple):
    """A map's struct type: its id, its size in bytes, and where `values` begins (0: it has none)."""

    type: int
    size: int
    values: int


# Their value type is that of the records they carry, for which libbpf has no word: it would take it for a value's size.
RECORDS = (MapType.RINGBUF, MapType.USER_RINGBUF, MapType.PERF_EVENT_ARRAY)


def define(builder: Builder, spec: MapSpec) -> Definition:
    """The struct type that says what `spec` says, added to `builder`, which holds the key and value types."""
    int_id = builder.add(t.Int("int", 4, t.SIGNED))
    members: list[t.Member] = []

    def add(name: str, type_id: int) -> None:
        members.append(t.Member(name, type_id, 64 * len(members)))

    value_type = 0 if spec.type in RECORDS else spec.value_type
    for name, field in NUMBERS.items():
        number = getattr(spec, field)
        typed = (name == "key_size" and spec.key_type) or (name == "value_size" and value_type)
        implied = name == "value_size" and spec.inner is not None
        if number and not typed and not implied:
            add(name, _number(builder, int_id, number))
    if spec.key_type:
        add("key", builder.add(t.Ptr(spec.key_type)))
    if value_type:
        add("value", builder.add(t.Ptr(spec.value_type)))
    size, values = SLOT * len(members), 0
    target = _values_target(builder, spec)
    if target is not None:
        values = size
        members.append(t.Member("values", builder.add(t.Array(builder.add(t.Ptr(target)), int_id, 0)), 8 * size))
    return Definition(builder.add(t.Struct("", size, tuple(members))), size, values)


def _number(builder: Builder, int_id: int, number: int) -> int:
    if number < 1 << 31:
        return builder.add(t.Ptr(builder.add(t.Array(int_id, int_id, number))))
    return builder.add(t.Enum64("", 8, False, (t.Enumerator(f"__unique_value{number}", number),)))


def _values_target(builder: Builder, spec: MapSpec) -> int | None:
    """What the slots of `values` point to: an inner map's struct, a function, or None if there are no slots."""
    if spec.inner is not None:
        return define(builder, spec.inner).type
    if spec.type == MapType.PROG_ARRAY and spec.contents:
        return builder.add(t.FuncProto(0, ()))
    return None


def parse(btf: Btf, type_id: int, name: str) -> tuple[MapSpec, int]:
    """(the map that a struct type defines, offset of its `values` slots or 0). ElfError if it is no map definition."""
    try:
        return _parse(btf, layout.resolve(btf, type_id), name, False)
    except BtfError as e:
        raise ElfError(f"map {name!r}: {e}") from None


def _parse(btf: Btf, type_id: int, name: str, inner: bool) -> tuple[MapSpec, int]:
    one = btf[type_id] if type_id else None
    if not isinstance(one, t.Struct):
        raise ElfError(f"map {name!r} is not of a struct type")
    numbers = dict.fromkeys(NUMBERS.values(), 0)
    key = value = values = 0
    inner_map: MapSpec | None = None
    for m in one.members:
        if m.name in NUMBERS:
            field = NUMBERS[m.name]
            number = _parse_number(btf, m, name)
            if field in ("key_size", "value_size") and numbers[field] not in (0, number):
                raise ElfError(f"map {name!r}: {m.name} {number} contradicts the type of {numbers[field]} bytes")
            numbers[field] = number
        elif m.name in ("key", "value"):
            target = _pointee(btf, m, name)
            size, field = layout.size_of(btf, target), f"{m.name}_size"
            if numbers[field] not in (0, size):
                raise ElfError(f"map {name!r}: {m.name} has {size} bytes, {m.name}_size says {numbers[field]}")
            numbers[field] = size
            key, value = (target, value) if m.name == "key" else (key, target)
        elif m.name == "values":
            if inner or m is not one.members[-1]:
                raise ElfError(f"map {name!r}: 'values' must come last, and not in an inner map")
            values, inner_map = m.bit_offset // 8, _parse_values(btf, m, name, numbers["type"])
            numbers["value_size"] = numbers["value_size"] or 4
        else:
            raise ElfError(f"map {name!r}: member {m.name!r} is not known")
    spec = MapSpec(name, numbers["type"], numbers["key_size"], numbers["value_size"], numbers["max_entries"],
                   numbers["flags"], key, value, inner_map, (), numbers["pinning"], numbers["extra"],
                   numbers["numa_node"])
    return spec, values


def _parse_values(btf: Btf, member: t.Member, name: str, map_type: int) -> MapSpec | None:
    array = layout.resolved(btf, member.type)
    pointer = layout.resolved(btf, array.elem) if isinstance(array, t.Array) else None
    target = layout.resolve(btf, pointer.type) if isinstance(pointer, t.Ptr) else 0
    match btf[target] if target else None:
        case t.Struct() if map_type in MAP_IN_MAP:
            return _parse(btf, target, f"{name}.inner", True)[0]
        case t.FuncProto() if map_type == MapType.PROG_ARRAY:
            return None
    raise ElfError(f"map {name!r}: 'values' does not fit a map of type {map_type}")


def _parse_number(btf: Btf, member: t.Member, name: str) -> int:
    match layout.resolved(btf, member.type):
        case t.Ptr() as pointer:
            array = layout.resolved(btf, pointer.type)
            if isinstance(array, t.Array):
                return array.nelems
        case t.Enum() | t.Enum64() as enum if len(enum.values) == 1:
            return enum.values[0].value
    raise ElfError(f"map {name!r}: member {member.name!r} holds no number")


def _pointee(btf: Btf, member: t.Member, name: str) -> int:
    pointer = layout.resolved(btf, member.type)
    if not isinstance(pointer, t.Ptr) or not pointer.type:
        raise ElfError(f"map {name!r}: member {member.name!r} is no pointer to a type")
    return pointer.type
