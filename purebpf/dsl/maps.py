"""Map declarations: inert, typed; a program uses them by name, user space reaches the live map as `obj[declaration]`.

`HashMap[u32, Event](max_entries=1024)`. Calling a method from plain Python raises NotInKernel: there is no map yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, get_args, overload

from ..errors import NotInKernel
from .hooks import Program
from .layout import ArrayType, Layout
from .memory import encode, layout_of

K = TypeVar("K")
V = TypeVar("V")
if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import TypeVar as _TypeVar

    from .ints import char
    from .memory import Ptr
    from .typed import Indexed as _Index, Keyed as _Keyed, Outer as _Outer, Reservation

    M = _TypeVar("M", default=Any)
    N = _TypeVar("N", default=None)
else:
    M, N = TypeVar("M"), TypeVar("N")
    _Keyed = _Index = Generic

BPF_F_NO_PREALLOC = 1
NUMA_NODE = 1 << 2
# What `HashMap[K, V](…, no_prealloc=True)` may say (BPF_F_… of map creation).
FLAGS: Final = {"no_prealloc": BPF_F_NO_PREALLOC, "no_common_lru": 1 << 1, "user_readonly": 1 << 3, "user_writeonly": 1 << 4, "zero_seed": 1 << 6,
                "readonly": 1 << 7, "writeonly": 1 << 8, "mmapable": 1 << 10, "preserve_elems": 1 << 11, "inner_map": 1 << 12}


class Map:
    """What all maps have. `map_type` is the kernel's name, `key` and `value` layouts (None where the type has none),
    `values` the entries that it begins with: programs of a ProgArray, maps of a map of maps, else values."""

    map_type = ""
    per_cpu = False
    creates = False  # does update of an absent key make it?
    words = 2  # type words in brackets: key and value, value only, or none
    sized = True  # does it hold as many entries as it says?
    value_size = 0  # bytes of a value that has no type

    key: Layout | None
    value: Layout | None

    def __init__(self, *, max_entries: int = 0, flags: int = 0, pin: bool = False, words: tuple[Any, ...] = (),
                 inner: Map | None = None, extra: int = 0, values: Mapping[Any, Any] | Sequence[Any] = (), numa_node: int | None = None,
                 **named: bool) -> None:
        """`named`: flags by their names, those of FLAGS."""
        wrong = [name for name in named if name not in FLAGS]
        if wrong:
            raise TypeError(f"{type(self).__name__} has no option {wrong[0]!r}; flags are {', '.join(FLAGS)}")
        flags |= sum(FLAGS[name] for name, on in named.items() if on) | (NUMA_NODE if numa_node is not None else 0)
        if len(words) != self.words:
            raise TypeError(f"{type(self).__name__} takes {self.words} type{'s' * (self.words != 1)} in brackets")
        self.values = dict(values if isinstance(values, Mapping) else enumerate(values))
        if not max_entries and self.values:
            indexed = all(isinstance(k, int) for k in self.values) and self.map_type.endswith("ARRAY")
            max_entries = max(self.values) + 1 if indexed else len(self.values)
        if not isinstance(max_entries, int) or not self.sized <= max_entries < 1 << (32 if self.sized else 0):
            if not self.sized:
                raise ValueError(f"a {type(self).__name__} has no max_entries: it holds a value for each object")
            said = f", not {max_entries!r}" if max_entries else f": {type(self).__name__}[…](max_entries=1024)"
            raise ValueError(f"max_entries must be 1 to 2**32-1{said}")
        layouts = [layout_of(w, type(self).__name__) for w in words]
        self.value = layouts[-1] if layouts else None
        self.key = layouts[0] if len(layouts) == 2 else layout_of(int_key()) if self.has_key else None
        if isinstance(self, HashOfMaps):
            self.key, self.value = self.value, None
        self.max_entries, self.flags, self.pin, self.inner, self.extra = max_entries, flags, pin, inner, extra
        self.numa_node = numa_node or 0
        if self.values:
            self._check_values()

    def _check_values(self) -> None:
        """What the map begins with is what it can hold."""
        if self.key is None or self.per_cpu:
            raise TypeError(f"a {type(self).__name__} cannot begin with values")
        if len(self.values) > self.max_entries:
            raise ValueError(f"{len(self.values)} values do not fit into {self.max_entries} entries")
        for key, value in self.values.items():
            encode(self.key, key, "the key")
            if self.inner is not None and not isinstance(value, Map):
                raise TypeError(f"{type(self).__name__} holds maps, not {value!r}")
            if self.inner is None and self.value is not None:
                encode(self.value, value, f"the value of {key!r}")

    has_key = True

    if not TYPE_CHECKING:

        def __class_getitem__(cls, words: Any) -> Any:
            words = words if isinstance(words, tuple) else (words,)
            if all(isinstance(w, TypeVar) for w in words):  # a subclass is being declared
                return super().__class_getitem__(words)
            return lambda **options: cls(words=words, **options)

    def __repr__(self) -> str:
        inside = ", ".join(str(t) for t in (self.key if self.words == 2 else None, self.value) if t)
        return f"{type(self).__name__}[{inside}](max_entries={self.max_entries})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotInKernel(f"{self!r} is a declaration: '.{name}' works inside a BPF program; "
                          "in Python use the live map, obj[this_map]")

    def _no(self, *args: Any) -> NoReturn:
        raise NotInKernel(f"{self!r} is a declaration: in Python use the live map, obj[this_map]")

    if not TYPE_CHECKING:
        __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __len__ = _no

    def __bool__(self) -> bool:
        return True


class MapType(Layout):
    """What a map of maps holds: a map like `map`."""

    __slots__ = ("map",)

    def __init__(self, map: Map) -> None:
        super().__init__(repr(map), 4, 4)
        self.map = map

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MapType) and self.map is other.map

    def __hash__(self) -> int:
        return hash((MapType, id(self.map)))


def int_key() -> Any:
    """The key of arrays and the like: a u32 index."""
    from .ints import u32

    return u32


class _Lookup(Map, _Keyed[K, V]):
    """Maps a program looks keys up in."""


if not TYPE_CHECKING:
    _Outer = _Lookup


class HashMap(_Lookup[K, V]):
    """A hash table shared by all CPUs."""

    map_type, creates = "HASH", True


class LruHash(_Lookup[K, V]):
    """A hash table that forgets the least recently used entry when full."""

    map_type, creates = "LRU_HASH", True


class PerCpuHash(_Lookup[K, V]):
    """A hash table with one value per CPU."""

    map_type, creates, per_cpu = "PERCPU_HASH", True, True


class LruPerCpuHash(_Lookup[K, V]):
    """LruHash with one value per CPU."""

    map_type, creates, per_cpu = "LRU_PERCPU_HASH", True, True


class LpmTrie(_Lookup[K, V]):
    """Longest-prefix match; the key is a struct whose first field is the u32 prefix length in bits."""

    map_type, creates = "LPM_TRIE", True

    def __init__(self, **options: Any) -> None:
        options["flags"] = options.get("flags", 0) | BPF_F_NO_PREALLOC  # the kernel insists
        super().__init__(**options)


class _Indexed(Map, _Index[V]):
    """Maps with a u32 index; every index below max_entries exists, zero at first."""

    words = 1


class Array(_Indexed[V], Generic[V, N]):
    """An array shared by all CPUs (BPF_MAP_TYPE_ARRAY): `Array[u64](max_entries=8)`.

    With a length, `Array[u8, Literal[16]]` is no map but the type `u8[16]`, in a spelling type checkers accept; for them a
    field of that type is itself, and a `str` where it is text."""

    map_type = "ARRAY"

    if TYPE_CHECKING:

        @overload
        def __get__(self: Array[char, Any], obj: object, owner: Any = None) -> str: ...
        @overload
        def __get__(self, obj: object, owner: Any = None) -> Self: ...
        def __get__(self: Any, *args: Any, **options: Any) -> Any: ...
        def __set__(self, obj: Any, value: str | bytes | Sequence[V] | Array[V, N]) -> None: ...
        def __len__(self) -> int: ...
        @overload
        def __iter__(self: Array[bool, None]) -> Iterator[tuple[int, Ptr[bool]]]: ...
        @overload
        def __iter__(self: Array[int, None]) -> Iterator[tuple[int, Ptr[int]]]: ...
        @overload
        def __iter__(self: Array[V, None]) -> Iterator[tuple[int, V]]: ...
        @overload
        def __iter__(self: Array[Array[char, Any], Any]) -> Iterator[str]: ...
        @overload
        def __iter__(self) -> Iterator[V]: ...
        def __iter__(self: Any, *args: Any, **options: Any) -> Any: ...
        @overload
        def __getitem__(self, key: slice) -> Self: ...
        @overload
        def __getitem__(self: Array[Array[char, Any], Any], key: int) -> str: ...
        @overload
        def __getitem__(self, key: int) -> V: ...
        def __getitem__(self: Any, *args: Any, **options: Any) -> Any: ...

    else:

        def __class_getitem__(cls, words: Any) -> Any:
            if isinstance(words, tuple) and not isinstance(words[0], TypeVar):
                count = words[1]
                return ArrayType(layout_of(words[0], "Array"), get_args(count)[0] if get_args(count) else count)
            return super().__class_getitem__(words)


class PerCpuArray(_Indexed[V]):
    """An array with one value per CPU."""

    map_type, per_cpu = "PERCPU_ARRAY", True


class ArrayOfMaps(_Indexed[V]):
    """An array whose entries are maps like `inner`: `ArrayOfMaps(inner=HashMap[u32, u64](max_entries=16), max_entries=8)`."""

    map_type, words = "ARRAY_OF_MAPS", 0

    if TYPE_CHECKING:

        def __init__(self, *, inner: V, max_entries: int = 0, flags: int = 0, pin: bool = False,
                     values: Mapping[int, V] | Sequence[V] = ()) -> None: ...


class HashOfMaps(_Outer[K, M]):
    """A hash table whose entries are maps like `inner`: `HashOfMaps[u32](inner=…, max_entries=8)`."""

    map_type, words, creates = "HASH_OF_MAPS", 1, False


class RingBuf(Map, Generic[V]):
    """Events to user space in order, one buffer for all CPUs. `max_entries` is bytes: a power of two, whole pages."""

    map_type, words, has_key = "RINGBUF", 1, False

    if TYPE_CHECKING:

        def output(self, value: V, flags: int = 0) -> int: ...
        def reserve(self) -> Reservation[V]: ...
        def discard(self, record: V, /) -> None:
            """The record of a `with rb.reserve() as e:` is not submitted at the end."""


class PerfEventArray(Map, Generic[V]):
    """Events to user space through per-CPU perf buffers."""

    map_type, words = "PERF_EVENT_ARRAY", 1

    if TYPE_CHECKING:

        def output(self, ctx: Any, value: V, flags: int = ...) -> int: ...


class ProgArray(Map):
    """Programs to tail-call: `progs[i](ctx)`, and those it begins with: `ProgArray(values={0: parse, 1: reply})`."""

    map_type, words = "PROG_ARRAY", 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for key, program in self.values.items():
            if not isinstance(program, Program) or not isinstance(key, int) or not 0 <= key < self.max_entries:
                raise TypeError(f"a ProgArray of {self.max_entries} holds programs at 0 to {self.max_entries - 1}, "
                                f"not {program!r} at {key!r}")

    if TYPE_CHECKING:

        def __getitem__(self, key: int) -> Callable[[Any], None]: ...


class _Pushed(Map, Generic[V]):
    """Maps without keys."""

    words, has_key = 1, False

    if TYPE_CHECKING:

        def push(self, value: V, flags: int = 0) -> int: ...
        def pop(self) -> V | None: ...
        def peek(self) -> V | None: ...


class Queue(_Pushed[V]):
    """First in, first out."""

    map_type = "QUEUE"


class Stack(_Pushed[V]):
    """Last in, first out."""

    map_type = "STACK"


class BloomFilter(Map, Generic[V]):
    """A set that is asked before a dear look-up: `v in b` is never wrong about what was added, and sometimes true of what was
    not. `hashes`: how many bits stand for a value (the kernel's 5 if it is 0; Linux 5.16)."""

    map_type, words, has_key = "BLOOM_FILTER", 1, False

    def __init__(self, *, hashes: int = 0, **options: Any) -> None:
        if not 0 <= hashes <= 15:
            raise ValueError(f"hashes must be 0 to 15, not {hashes}")
        super().__init__(extra=hashes, **options)

    if TYPE_CHECKING:

        def add(self, value: V) -> int: ...
        def __contains__(self, value: V) -> bool: ...
