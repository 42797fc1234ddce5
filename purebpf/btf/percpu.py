"""The values of a per-CPU map: one for each possible CPU; their sum, mean and extremes."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Sequence

from .record import Record


class PerCpu(list[Any]):
    """A list with one value per possible CPU, in order of CPU number."""

    __slots__ = ()

    def sum(self) -> Any:
        """Numbers are added; of records and arrays, each field or element. Integers do not wrap."""
        return total(self)

    def mean(self) -> Any:
        """The sum divided by the number of CPUs, as `sum` adds: numbers become floats."""
        return _each(total(self), lambda value: value / len(self))

    def max(self) -> Any:
        """The largest, of records and arrays field by field."""
        return _across(self, max)

    def min(self) -> Any:
        """The smallest, of records and arrays field by field."""
        return _across(self, min)


def total(values: Sequence[Any]) -> Any:
    """The sum of equal shapes: numbers, records, lists of these. What cannot be added (text, bytes, unions) is the
    first value's."""
    return _across(values, sum)


def _across(values: Sequence[Any], reduce: Callable[[Sequence[Any]], Any]) -> Any:
    """One value of many of equal shapes, number by number."""
    first = values[0]
    if isinstance(first, (int, float)):
        return reduce(values)
    if isinstance(first, Record):
        made = type(first)()
        made.__dict__.update({n: _across([v.__dict__[n] for v in values], reduce) for n in first.__dict__})
        return made
    if isinstance(first, list):
        return [_across(column, reduce) for column in zip(*values)]
    return first


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Every number of a value changed."""
    return _across([value], lambda numbers: change(numbers[0]))


class PerCpuCodec:
    """Bytes ↔ PerCpu: each CPU's value padded to 8 bytes. `one` is the codec of a single value of `size` bytes."""

    __slots__ = ("one", "size", "stride", "cpus")

    def __init__(self, one: Any, size: int, cpus: int) -> None:
        self.one, self.size, self.stride, self.cpus = one, size, (size + 7) & ~7, cpus

    def decode(self, data: bytes) -> PerCpu:
        one, size, stride = self.one.decode, self.size, self.stride
        return PerCpu(one(data[at:at + size]) for at in range(0, stride * self.cpus, stride))

    def encode(self, value: Any) -> bytes:
        """A list with a value for each CPU, or one value for all of them."""
        values: Iterable[Any] = value if isinstance(value, list) else [value] * self.cpus
        out = b"".join(self.one.encode(v).ljust(self.stride, b"\0") for v in values)
        if len(out) != self.stride * self.cpus:
            raise ValueError(f"a per-CPU value needs {self.cpus} values, one for each possible CPU, not "
                             f"{len(out) // self.stride}")
        return out
