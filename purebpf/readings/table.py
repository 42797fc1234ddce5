"""Readings of a map as a whole: for anything with `items()`, so that live maps, the VM's and plain dicts have the same."""

from __future__ import annotations

import time
from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..btf.percpu import PerCpu
from ..btf.record import Record, plain
from ..errors import FormatError, PureBpfError
from .histogram import Histogram, Scale


class Change(NamedTuple):
    """An entry that is not what it was: `before` None if it is new, `after` None if it went."""

    key: Any
    before: Any
    after: Any

    @property
    def delta(self) -> Any:
        """By how much: of numbers, sums of all CPUs, records and lists member by member; what came counts from nothing.
        None where there is nothing to subtract."""
        return difference(total(self.before), total(self.after))


def difference(before: Any, after: Any) -> Any:
    """`after` - `before` of equal shapes; None stands for zeros."""
    shape = before if after is None else after
    if isinstance(shape, bool) or shape is None:
        return None
    if isinstance(shape, int | float):
        return (after or 0) - (before or 0)
    if isinstance(shape, Record):
        return {name: difference(getattr(before, name, None), getattr(after, name, None)) for name in type(shape)._fields}
    if isinstance(shape, list):
        return [difference(*pair) for pair in zip(before or [None] * len(shape), after or [None] * len(shape))]
    return None


def changes(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Change]:
    """What is new, gone or different between two snapshots of a map, in the order of the later one."""
    found = [Change(key, before.get(key), value) for key, value in after.items() if before.get(key) != value]
    return found + [Change(key, value, None) for key, value in before.items() if key not in after]


class Readings:
    """The readings of a map, as methods."""

    if TYPE_CHECKING:

        def items(self) -> ItemsView[Any, Any]: ...

    def top(self, n: int = 10, *, key: Callable[[Any], Any] | None = None) -> list[tuple[Any, Any]]:
        """The `n` entries with the largest values (per-CPU: sums), largest first; or with the largest `key(value)`."""
        import heapq

        by = key or _rank
        return heapq.nlargest(n, self.items(), key=lambda item: by(item[1]))

    def to_dict(self) -> dict[Any, Any]:
        """A copy of the whole map as it is now, a snapshot for `changes`; per-CPU values stay lists."""
        return {hashable(k): v for k, v in self.items()}

    def to_json(self, *, indent: int | None = None) -> str:
        """The map as JSON: a list of [key, value], records as objects, bytes as hexadecimal digits."""
        import json

        return json.dumps([[plain(k), plain(v)] for k, v in self.items()], indent=indent, default=as_text)

    def to_pandas(self) -> Any:
        """A DataFrame, a row an entry; records have a column for each member, values of each CPU their sum. PureBpfError
        without pandas."""
        from importlib import import_module

        try:
            pandas = import_module("pandas")
        except ImportError:
            raise PureBpfError("to_pandas() needs pandas, which is not installed") from None
        return pandas.DataFrame([{**_columns("key", k), **_columns("value", total(v))} for k, v in self.items()])

    def histogram(self, scale: Scale = "log2", *, slot: Callable[[Any], int | None] | None = None) -> Histogram:
        """The map as a histogram: keys are numbers of slots, values are counts (per-CPU: sums). `scale` says what a slot
        is, see `Histogram`; `slot(key)` gives its number where keys are more than that, None to leave an entry out."""
        counts: dict[int, int] = {}
        for key, value in self.items():
            number = key if slot is None else slot(key)
            if number is None:
                continue
            if not isinstance(number, int) or not isinstance(number_of := total(value), int | float):
                raise FormatError(f"histogram(): {key!r}: {value!r} is no number of a slot and its count (slot= says how keys are "
                                  "numbers)")
            counts[number] = counts.get(number, 0) + int(number_of)
        return Histogram(counts, scale)

    def watch(self, interval: float = 1.0, *, count: int | None = None) -> Iterator[list[Change]]:
        """What changed, every `interval` seconds, `count` times (None: until the loop is left). The first comparison is
        with the map as it is when the loop starts."""
        before, due = self.to_dict(), time.monotonic()
        while count is None or count > 0:
            due = max(due + interval, time.monotonic())  # late ones are not caught up with
            time.sleep(max(0.0, due - time.monotonic()))
            after = self.to_dict()
            yield changes(before, after)
            before = after
            count = None if count is None else count - 1


def _rank(value: Any) -> Any:
    value = total(value)
    return tuple(value) if isinstance(value, Record) else value


def total(value: Any) -> Any:
    """Values of all CPUs as one."""
    return value.sum() if isinstance(value, PerCpu) else value


def hashable(key: Any) -> Any:
    """A key that is a list, as a tuple."""
    return tuple(key) if isinstance(key, list) else key


def as_text(value: Any) -> str:
    """What JSON has no word for: bytes and the like in hexadecimal, others as they print."""
    try:
        return bytes(value).hex()
    except TypeError:
        return str(value)


def _columns(name: str, value: Any) -> dict[str, Any]:
    given = plain(value)
    return given if isinstance(given, dict) else {name: given}
