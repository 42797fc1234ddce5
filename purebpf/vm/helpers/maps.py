"""Reading and changing maps."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..maps import BloomFilter, Map
from ..memory import M32

if TYPE_CHECKING:
    from ..world import World


def map_lookup_elem(w: World, at: int, key: int, *_: int) -> int:
    one = w.map_at(at)
    return one.lookup(w.memory.read(key, one.spec.key_size), w.cpu)


def map_lookup_percpu_elem(w: World, at: int, key: int, cpu: int, *_: int) -> int:
    one = w.map_at(at)
    if cpu & M32 >= w.cpus:
        return 0
    return one.lookup(w.memory.read(key, one.spec.key_size), cpu & M32)


def map_update_elem(w: World, at: int, key: int, value: int, flags: int, *_: int) -> int:
    one = w.map_at(at)
    read = w.memory.read
    return one.update(read(key, one.spec.key_size), read(value, one.spec.value_size), flags, w.cpu)


def map_delete_elem(w: World, at: int, key: int, *_: int) -> int:
    one = w.map_at(at)
    return one.delete(w.memory.read(key, one.spec.key_size))


def map_push_elem(w: World, at: int, value: int, flags: int, *_: int) -> int:
    one = w.map_at(at)
    return one.push(w.memory.read(value, one.spec.value_size), flags)


def map_pop_elem(w: World, at: int, value: int, *_: int) -> int:
    one = w.map_at(at)
    return _give(w, one, value, one.pop())


def map_peek_elem(w: World, at: int, value: int, *_: int) -> int:
    one = w.map_at(at)
    if isinstance(one, BloomFilter):
        return 0 if one.contains(w.memory.read(value, one.spec.value_size)) else -errno.ENOENT
    return _give(w, one, value, one.peek())


def _give(w: World, one: Map, to: int, value: bytes | None) -> int:
    """The kernel clears the caller's buffer when there is nothing to give."""
    w.memory.write(to, bytes(one.spec.value_size) if value is None else value)
    return -errno.ENOENT if value is None else 0


def for_each_map_elem(w: World, at: int, callback: int, ctx: int, flags: int, *_: int) -> int:
    """Number of elements visited; the callback stops the walk by returning 1."""
    if flags:
        return -errno.EINVAL
    one = w.map_at(at)
    visited = 0
    for key in one.keys():
        value = one.lookup(key, w.cpu)
        if not value:
            continue
        visited += 1
        held = w.memory.map(bytearray(key), f"key of {one.spec.name}", writable=False)
        stop = w.callback(callback, at, held.base, value, ctx)
        w.memory.unmap(held)
        if stop:
            break
    return visited


def spin_lock(w: World, at: int, *_: int) -> int:
    """One program runs at a time: there is nobody to wait for."""
    w.memory.load(at, 4)
    return 0


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "map_lookup_elem": map_lookup_elem,
    "map_lookup_percpu_elem": map_lookup_percpu_elem,
    "map_update_elem": map_update_elem,
    "map_delete_elem": map_delete_elem,
    "map_push_elem": map_push_elem,
    "map_pop_elem": map_pop_elem,
    "map_peek_elem": map_peek_elem,
    "for_each_map_elem": for_each_map_elem,
    "spin_lock": spin_lock,
    "spin_unlock": spin_lock,
}
