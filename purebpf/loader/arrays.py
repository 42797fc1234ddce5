"""Whole maps as numpy arrays; numpy is imported only here, when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..btf import Btf
from ..btf import types as t
from ..btf.layout import resolved, size_of
from ..btf.percpu import PerCpu
from ..btf.record import Record
from ..btf.values import is_big_endian
from ..errors import FormatError, PureBpfError
from .maptypes import row
from .special import Records

if TYPE_CHECKING:
    from .maps import KeyedMap
    from .ringbuf import Bulk


def to_numpy(live: KeyedMap) -> tuple[Any, Any]:
    """(keys, values), row by row of the map. Numbers give plain arrays, records structured ones with the types that the map
    has, text as bytes; values of each CPU are one column per CPU. PureBpfError when numpy is not installed."""
    numpy = _numpy("to_numpy()")
    kinds = _kinds(numpy, live)
    if kinds is not None:
        blocks = [_block(numpy, live, *block, *kinds) for block in live.blocks()]
        return tuple(numpy.concatenate(column) if len(column) != 1 else column[0] for column in zip(*blocks))
    pairs = list(live.items())
    return _array(numpy, [k for k, _ in pairs]), _array(numpy, [v for _, v in pairs])


def _kinds(numpy: Any, live: KeyedMap) -> tuple[Any, Any] | None:
    """The dtypes of keys and values, None where they are more than their bytes."""
    kind, info = row(live.info.type), live.info
    if kind.keys not in ("any", "index", "prefix") or kind.values not in ("typed", "each cpu"):
        return None
    found = []
    for type_id, size in ((info.key_type, info.key_size), (info.value_type, info.value_size)):
        if live.btf is None or not type_id:
            found.append(numpy.dtype(f"u{size}" if size in (1, 2, 4, 8) else f"V{size}"))
        elif has_bit_fields(live.btf, type_id):
            return None
        else:
            found.append(numpy.dtype(numpy_type(live.btf, type_id)))
    return found[0], found[1]


def _block(numpy: Any, live: KeyedMap, keys: Any, values: Any, count: int, key: Any, value: Any) -> tuple[Any, Any]:
    stride = live.value_bytes
    cpus = stride // ((live.info.value_size + 7) & ~7) if row(live.info.type).values == "each cpu" else 0
    if not count:
        return numpy.empty(0, key), numpy.empty((0, cpus) if cpus else 0, value)
    shape, strides = ((count, cpus), (stride, stride // cpus)) if cpus else ((count,), (stride,))
    return (numpy.ndarray((count,), key, keys, 0, (live.info.key_size,)), numpy.ndarray(shape, value, values, 0, strides))


def has_bit_fields(btf: Btf, type_id: int) -> bool:
    """Does a type have members that numpy has no word for?"""
    one = resolved(btf, type_id)
    if isinstance(one, t.Array):
        return has_bit_fields(btf, one.elem)
    return isinstance(one, t.Struct | t.Union) and any(m.bits or has_bit_fields(btf, m.type) for m in one.members)


def _numpy(who: str) -> Any:
    from importlib import import_module

    try:
        return import_module("numpy")
    except ImportError:
        raise PureBpfError(f"{who} needs numpy, which is not installed") from None


def structured(bulk: Bulk, codec: Any) -> Any:
    """Records of a ring buffer as one array over the memory they were copied to."""
    numpy = _numpy("read_numpy()")
    if bulk.length < 0:
        raise FormatError(f"{bulk.records} records of different lengths are no array: read() gives them one by one")
    kind = codec.numpy_type() if isinstance(codec, Records) else f"V{bulk.length or 1}"
    dtype = numpy.dtype(kind)
    if not bulk.records:
        return numpy.empty(0, dtype)
    if bulk.length < dtype.itemsize:
        raise FormatError(f"records of {bulk.length} bytes are shorter than their type, which has {dtype.itemsize}")
    return numpy.ndarray((bulk.records,), dtype, bulk.memory, 0, (bulk.stride,))


def numpy_type(btf: Btf, type_id: int) -> Any:
    """A type as what `numpy.dtype` takes: numbers, `S` for char arrays, records with the members at their places. Bit
    fields, which numpy has no word for, are left out; so are members without a name, but not what is in them."""
    if is_big_endian(btf, type_id):
        return f">u{size_of(btf, type_id)}"
    match resolved(btf, type_id):
        case t.Int(size=size, encoding=encoding):
            return f"{'i' if encoding & t.SIGNED else 'u'}{size}"
        case t.Enum(size=size, signed=signed) | t.Enum64(size=size, signed=signed):
            return f"{'i' if signed else 'u'}{size}"
        case t.Float(size=size):
            return f"f{size}"
        case t.Ptr():
            return "u8"
        case t.Array(elem=elem, nelems=count):
            of = resolved(btf, elem)
            if isinstance(of, t.Int) and of.size == 1 and (of.encoding == t.CHAR or of.name == "char"):
                return f"S{count}"
            return (numpy_type(btf, elem), (count,))
        case t.Struct() | t.Union():
            fields = list(_members(btf, type_id, 0))
            return {"names": [f[0] for f in fields], "formats": [f[1] for f in fields], "offsets": [f[2] for f in fields],
                    "itemsize": size_of(btf, type_id)}
    return f"V{size_of(btf, type_id)}"


def _members(btf: Btf, type_id: int, base: int) -> Iterator[tuple[str, Any, int]]:
    one = resolved(btf, type_id)
    for member in one.members if isinstance(one, t.Struct | t.Union) else ():
        offset = base + member.bit_offset // 8
        if not member.name:
            yield from _members(btf, member.type, offset)
        elif not member.bits:
            yield member.name, numpy_type(btf, member.type), offset


def _array(numpy: Any, values: list[Any]) -> Any:
    first = values[0] if values else 0
    if isinstance(first, PerCpu):
        flat = _array(numpy, [v for row in values for v in row])
        return flat.reshape(len(values), len(first), *flat.shape[1:])
    if not isinstance(first, Record):
        return numpy.array(values)
    fields = list(first._asdict())
    columns = [_array(numpy, [getattr(v, name) for v in values]) for name in fields]
    made = numpy.empty(len(values), [(n, c.dtype, c.shape[1:]) for n, c in zip(fields, columns)])
    for name, column in zip(fields, columns):
        made[name] = column
    return made
