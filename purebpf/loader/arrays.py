"""Whole maps as numpy arrays; numpy is imported only here, when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..btf import Btf
from ..btf import types as t
from ..btf.layout import resolved, size_of
from ..btf.percpu import PerCpu
from ..btf.record import Record
from ..errors import FormatError, PureBpfError
from .special import Records

if TYPE_CHECKING:
    from .maps import KeyedMap
    from .ringbuf import Bulk


def to_numpy(live: KeyedMap) -> tuple[Any, Any]:
    """(keys, values), row by row of the map. Numbers give plain arrays, records structured ones, per-CPU values one
    column per CPU. PureBpfError when numpy is not installed."""
    numpy = _numpy("to_numpy()")
    pairs = list(live.items())
    return _array(numpy, [k for k, _ in pairs]), _array(numpy, [v for _, v in pairs])


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
