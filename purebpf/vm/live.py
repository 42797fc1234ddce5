"""Maps and variables of a machine as Python objects, typed by the object's BTF.

    machine.maps["counts"][key] += 1          a MutableMapping over decoded keys and values
    machine.maps["events"].records()          what a ring buffer or perf event array holds, taken out
    machine.vars["limit"] = 5                 a global variable
    machine.maps["counts"].raw                bytes in, bytes out
"""

from __future__ import annotations

import errno
from typing import Any, Iterator, MutableMapping

from ..btf import Btf
from ..btf.layout import size_of
from ..btf.percpu import PerCpu
from ..btf.values import Codec, codec
from ..errors import KernelError, KeyMissing
from ..spec import MapSpec, VarSpec
from .maps import ANY, BloomFilter, Map, MapInMap, ProgArray, Queue
from .memory import Region, Trap
from .rings import Event, PerfEventArray, RingBuf


class LiveMap(MutableMapping[Any, Any]):
    """A map by decoded keys and values. A missing key raises KeyMissing, a refused update KernelError with the number
    the kernel would give."""

    def __init__(self, raw: Map, btf: Btf | None, wrap: "dict[int, LiveMap]") -> None:
        """`wrap`: the live maps of the machine by address, to show the values of a map of maps."""
        self.raw, self._wrap = raw, wrap
        self._btf = btf
        wrap[raw.address] = self
        spec = raw.spec
        self._key = codec(btf, spec.key_type, spec.key_size)
        self._value: Codec | None = None

    @property
    def spec(self) -> MapSpec:
        return self.raw.spec

    @property
    def name(self) -> str:
        return self.raw.spec.name

    def _values(self) -> Codec:
        if self._value is None:
            self._value = codec(self._btf, self.spec.value_type, self.spec.value_size)
        return self._value

    def _decode(self, value: Any) -> Any:
        if isinstance(value, Map):
            return self._wrap.get(value.address) or LiveMap(value, self._btf, self._wrap)
        if isinstance(value, list):
            return PerCpu(self._values().decode(one) for one in value)
        return value if isinstance(value, str) else self._values().decode(value)

    def _encode(self, value: Any) -> Any:
        if isinstance(self.raw, (ProgArray, MapInMap)):
            return value.raw if isinstance(value, LiveMap) else value
        if self.raw.per_cpu and isinstance(value, list):
            if len(value) != self.raw.cpus:
                raise KernelError(errno.EINVAL, f"{self.name} needs {self.raw.cpus} values, one a CPU")
            return [self._values().encode(one) for one in value]
        return self._values().encode(value)

    def __getitem__(self, key: Any) -> Any:
        value = self._guard(self.raw.get, self._key.encode(key))
        if value is None:
            raise KeyMissing(errno.ENOENT, f"looking up {key!r} in {self.name}")
        return self._decode(value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.set(key, value)

    def set(self, key: Any, value: Any, *, flags: int = ANY) -> None:
        """Update with the kernel's flags (BPF_NOEXIST 1, BPF_EXIST 2)."""
        self._check(self._guard(self.raw.set, self._key.encode(key), self._encode(value), flags), f"updating {key!r}")

    def __delitem__(self, key: Any) -> None:
        error = self._guard(self.raw.remove, self._key.encode(key))
        if error == -errno.ENOENT:
            raise KeyMissing(errno.ENOENT, f"deleting {key!r} from {self.name}")
        self._check(error, f"deleting {key!r}")

    def __iter__(self) -> Iterator[Any]:
        return map(self._key.decode, self._guard(self.raw.keys))

    def __len__(self) -> int:
        return sum(1 for _ in self._guard(self.raw.keys))

    def __repr__(self) -> str:
        return f"<map {self.name!r} of the VM>"

    def lookup(self, key: Any) -> Any:
        """The value, or None."""
        return self.get(key)

    def to_dict(self) -> dict[Any, Any]:
        """A copy of the whole map; per-CPU values stay lists."""
        return dict(self.items())

    def top(self, n: int = 10) -> list[tuple[Any, Any]]:
        """The `n` entries with the greatest values, greatest first."""
        summed = ((key, value.sum() if isinstance(value, PerCpu) else value) for key, value in self.items())
        return sorted(summed, key=lambda item: item[1], reverse=True)[:n]

    # -- queues, stacks, bloom filters

    def push(self, value: Any, flags: int = ANY) -> None:
        self._check(self._guard(self.raw.push, self._values().encode(value), flags), "pushing")

    def pop(self, *args: Any) -> Any:
        """Take the next value of a queue or stack; with a key, what MutableMapping's does."""
        if not isinstance(self.raw, Queue):
            return super().pop(*args)
        value = self.raw.pop()
        if value is None:
            raise KeyMissing(errno.ENOENT, f"popping from {self.name}, which is empty")
        return self._values().decode(value)

    def peek(self) -> Any:
        value = self._guard(self.raw.peek)
        if value is None:
            raise KeyMissing(errno.ENOENT, f"peeking into {self.name}, which is empty")
        return self._values().decode(value)

    def __contains__(self, key: object) -> bool:
        if isinstance(self.raw, BloomFilter):
            return self.raw.contains(self._values().encode(key))
        return super().__contains__(key)

    # -- ring buffers and perf event arrays

    def records(self) -> list[Any]:
        """The records so far, decoded where the map declares their type; they are taken out. Of a perf event array
        they are (cpu, data)."""
        if not isinstance(self.raw, (RingBuf, PerfEventArray)):
            raise KernelError(errno.EOPNOTSUPP, f"{self.name} has no records")
        return [self._record(one) for one in self.raw.records()]

    read = records  # what the kernel's ring buffer calls it

    def _record(self, one: bytes | Event) -> Any:
        data = one.data if isinstance(one, Event) else one
        kind, value = self.spec.value_type, data
        if self._btf is not None and kind and len(data) >= size_of(self._btf, kind):
            value = codec(self._btf, kind, size_of(self._btf, kind)).decode(data)
        return Event(one.cpu, value) if isinstance(one, Event) else value

    # -- errors

    def _guard(self, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except Trap as trap:
            raise KernelError(errno.EOPNOTSUPP, str(trap)) from None

    def _check(self, error: int, action: str) -> None:
        if error < 0:
            raise KernelError(-error, f"{action} in {self.name}")


class Variable:
    """One global variable; `value` reads and writes it decoded, `raw` is its bytes."""

    __slots__ = ("_all", "name")

    def __init__(self, name: str, every: Variables) -> None:
        self.name, self._all = name, every

    @property
    def value(self) -> Any:
        return self._all[self.name]

    @value.setter
    def value(self, value: Any) -> None:
        self._all[self.name] = value

    @property
    def raw(self) -> bytes:
        return self._all.raw(self.name)


class Variables(MutableMapping[str, Any]):
    """Global variables by name, decoded. Read-only ones may be set here, as a loader does before loading."""

    def __init__(self, btf: Btf | None) -> None:
        self._btf = btf
        self._places: dict[str, tuple[Region, VarSpec]] = {}

    def add(self, region: Region, variables: tuple[VarSpec, ...]) -> None:
        for one in variables:
            self._places[one.name] = (region, one)

    def raw(self, name: str) -> bytes:
        region, var = self._places[name]
        return bytes(region.data[var.offset : var.offset + var.size])

    def __getitem__(self, name: str) -> Any:
        return self._codec(self._places[name][1]).decode(self.raw(name))

    def __setitem__(self, name: str, value: Any) -> None:
        region, var = self._places[name]
        region.data[var.offset : var.offset + var.size] = self._codec(var).encode(value)

    def _codec(self, var: VarSpec) -> Codec:
        return codec(self._btf, var.type_id, var.size)

    def __delitem__(self, name: str) -> None:
        raise KernelError(errno.EINVAL, "a global variable cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
