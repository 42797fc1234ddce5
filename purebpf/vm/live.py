"""Maps and variables of a machine as Python objects, typed by the object's BTF.

    machine.maps["counts"][key] += 1          a MutableMapping over decoded keys and values
    machine.maps["events"].read()             what a ring buffer or perf event array holds, taken out
    machine.vars["limit"] = 5                 a global variable
    machine.maps["counts"].raw                bytes in, bytes out
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from typing import Any

from ..btf import Btf
from ..btf.layout import size_of
from ..btf.percpu import PerCpu
from ..btf.values import Codec, codec
from ..errors import FormatError, KernelError, KeyMissing
from ..order import Order
from ..readings.table import Readings
from ..spec import MapSpec, VarSpec
from .maps import ANY, EXIST, NOEXIST, Array, BloomFilter, Map, MapInMap, ProgArray, Queue
from .memory import Region, Trap
from .rings import Event, PerfEventArray, RingBuf


class _Bytes:
    """Keys or values as they are; an index may be a number."""

    __slots__ = ("size", "_index")

    def __init__(self, size: int, index: Order | None = None) -> None:
        """`index`: how the number lies that it may be."""
        self.size, self._index = size, index

    def decode(self, data: bytes) -> Any:
        return self._index.number(data) if self._index else data

    def encode(self, value: Any) -> bytes:
        if isinstance(value, int):
            if self._index:
                return value.to_bytes(self.size, self._index.name)
            raise FormatError(f"{self.size} bytes are needed here, not the number {value}")
        if len(data := bytes(value)) != self.size:
            raise FormatError(f"{self.size} bytes are needed here, not {len(data)}")
        return data


class LiveMap(Readings, MutableMapping[Any, Any]):
    """A map by decoded keys and values, with the methods of the loader's maps. A missing key raises KeyMissing, a refused
    update KernelError with the number the kernel would give. `engine`: the map as programs see it."""

    def __init__(self, engine: Map, btf: Btf | None, wrap: "dict[int, LiveMap]") -> None:
        """`wrap`: the live maps of the machine by address, to show the values of a map of maps."""
        self.engine, self._wrap = engine, wrap
        self._btf = btf
        wrap.setdefault(engine.address, self)
        spec = engine.spec
        self._key: Any = codec(btf, spec.key_type, spec.key_size)
        self._value: Any = None
        self._record_codec: Any = None
        self.callback: Callable[[Any], object] | None = None

    @property
    def raw(self) -> LiveMap:
        """The same map with bytes for keys and values."""
        view = LiveMap(self.engine, self._btf, self._wrap)
        view._key = _Bytes(self.spec.key_size, self.engine.memory.order if isinstance(self.engine, Array) else None)
        view._value = _Bytes(self.spec.value_size)
        return view

    @property
    def spec(self) -> MapSpec:
        return self.engine.spec

    @property
    def name(self) -> str:
        return self.engine.spec.name

    def _values(self) -> Any:
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
        if isinstance(self.engine, (ProgArray, MapInMap)):
            return value.engine if isinstance(value, LiveMap) else value
        if self.engine.per_cpu and isinstance(value, list):
            if len(value) != self.engine.cpus:
                raise KernelError(errno.EINVAL, f"{self.name} needs {self.engine.cpus} values, one a CPU")
            return [self._values().encode(one) for one in value]
        return self._values().encode(value)

    def __getitem__(self, key: Any) -> Any:
        value = self._guard(self.engine.get, self._key.encode(key))
        if value is None:
            raise KeyMissing(errno.ENOENT, f"looking up {key!r} in {self.name}")
        return self._decode(value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.set(key, value)

    def set(self, key: Any, value: Any, *, flags: int = ANY) -> None:
        """Update with the kernel's flags (BPF_NOEXIST 1, BPF_EXIST 2)."""
        self._check(self._guard(self.engine.set, self._key.encode(key), self._encode(value), flags), f"updating {key!r}")

    def __delitem__(self, key: Any) -> None:
        error = self._guard(self.engine.remove, self._key.encode(key))
        if error == -errno.ENOENT:
            raise KeyMissing(errno.ENOENT, f"deleting {key!r} from {self.name}")
        self._check(error, f"deleting {key!r}")

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.engine, (RingBuf, PerfEventArray)):
            return self.events()
        return map(self._key.decode, self._guard(self.engine.keys))

    def __len__(self) -> int:
        return sum(1 for _ in self._guard(self.engine.keys))

    def __repr__(self) -> str:
        return f"<map {self.name!r} of the VM>"

    def lookup(self, key: Any) -> Any:
        """The value, or None."""
        return self.get(key)

    def lookup_and_delete(self, key: Any) -> Any:
        """The value, removed. Raises KeyMissing."""
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        try:
            self.set(key, default, flags=NOEXIST)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
        return self[key]

    # -- queues, stacks, bloom filters

    def push(self, value: Any, *, replace: bool = False) -> None:
        """Add a value. A full map is a KernelError (E2BIG), unless `replace` lets the oldest go."""
        self._check(self._guard(self.engine.push, self._values().encode(value), EXIST if replace else ANY), "pushing")

    add = push  # what a bloom filter calls it

    def pop(self, *args: Any) -> Any:
        """Take the next value of a queue or stack; with a key, what MutableMapping's does."""
        if not isinstance(self.engine, Queue):
            return super().pop(*args)
        value = self.engine.pop()
        if value is None:
            raise KeyMissing(errno.ENOENT, f"popping from {self.name}, which is empty")
        return self._values().decode(value)

    def peek(self) -> Any:
        value = self._guard(self.engine.peek)
        if value is None:
            raise KeyMissing(errno.ENOENT, f"peeking into {self.name}, which is empty")
        return self._values().decode(value)

    def drain(self) -> Iterator[Any]:
        """Pops until empty."""
        while True:
            try:
                yield self.pop()
            except KeyMissing:
                return

    def __contains__(self, key: object) -> bool:
        if isinstance(self.engine, BloomFilter):
            return self.engine.contains(self._values().encode(key))
        try:
            return super().__contains__(key)
        except (FormatError, TypeError):
            return False  # it cannot be a key of this map

    # -- ring buffers and perf event arrays: no record comes by itself, so nothing here waits

    def records(self) -> list[Any]:
        """The records so far, decoded where the map declares their type; they are taken out. Of a perf event array
        they are (cpu, data)."""
        return [Event(one.cpu, self._record(one.data)) if isinstance(one, Event) else self._record(one) for one in self._taken()]

    def _taken(self) -> Iterator[bytes | Event]:
        if not isinstance(self.engine, (RingBuf, PerfEventArray)):
            raise KernelError(errno.EOPNOTSUPP, f"{self.name} has no records")
        return iter(self.engine.records())

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """The events so far, one by one; leaving the loop leaves the rest."""
        for one in self._taken():
            yield self._record(one.data if isinstance(one, Event) else one)

    def read(self) -> list[Any]:
        """The events so far."""
        return list(self.events())

    def poll(self, timeout_ms: float = -1) -> list[Any]:
        return self.read()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for event in self.events():
            yield event

    def on(self, callback: Callable[[Any], object]) -> None:
        """`callback(event)` for each event, from within the machine's `wait`."""
        self.callback = callback

    @property
    def lost(self) -> int:
        """How many records found no room; a perf event array here has room for all."""
        return self.engine.lost if isinstance(self.engine, RingBuf) else 0

    def _record(self, data: bytes) -> Any:
        kind = self.spec.value_type
        if self._btf is None or not kind:
            return data
        if self._record_codec is None:
            self._record_codec = codec(self._btf, kind, size_of(self._btf, kind))
        return self._record_codec.decode(data) if len(data) >= self._record_codec.size else data

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
