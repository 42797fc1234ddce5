"""Whole maps as numpy arrays; numpy is imported only here, when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..btf.record import Record
from ..errors import PureBpfError
from ..btf.percpu import PerCpu

if TYPE_CHECKING:
    from .maps import KeyedMap


def to_numpy(live: KeyedMap) -> tuple[Any, Any]:
    """(keys, values), row by row of the map. Numbers give plain arrays, records structured ones, per-CPU values one
    column per CPU. PureBpfError when numpy is not installed."""
    from importlib import import_module

    try:
        numpy: Any = import_module("numpy")
    except ImportError:
        raise PureBpfError("to_numpy() needs numpy, which is not installed") from None
    pairs = list(live.items())
    return _array(numpy, [k for k, _ in pairs]), _array(numpy, [v for _, v in pairs])


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
