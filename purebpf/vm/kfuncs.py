"""The kernel functions (kfuncs) that make sense outside a kernel, by name; helpers by another road."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from .code import signed
from .helpers.flow import MAX_LOOPS
from .memory import M32

if TYPE_CHECKING:
    from .world import World


def iter_num_new(w: World, it: int, start: int, end: int, *_: int) -> int:
    """struct bpf_iter_num as the kernel lays it out: int cur, int end; cur is the number before the next."""
    first, last = signed(start, 32), signed(end, 32)
    error = -errno.EINVAL if first > last else -errno.E2BIG if last - first > MAX_LOOPS else 0
    w.memory.store(it, 4, 0 if error else first - 1 & M32)
    w.memory.store(it + 4, 4, 0 if error else last & M32)
    return error & M32  # an int: the upper half of r0 is zero


def iter_num_next(w: World, it: int, *_: int) -> int:
    """The address of the next number, or 0 at the end."""
    following = signed(w.memory.load(it, 4), 32) + 1
    if following >= signed(w.memory.load(it + 4, 4), 32):
        w.memory.store(it, 8, 0)
        return 0
    w.memory.store(it, 4, following & M32)
    return it


def iter_num_destroy(w: World, it: int, *_: int) -> int:
    w.memory.store(it, 8, 0)
    return 0


def nothing(w: World, *_: int) -> int:
    """Locks and sections that keep others out: there are no others."""
    return 0


KFUNCS: Final[Mapping[str, Callable[..., int]]] = {
    "bpf_iter_num_new": iter_num_new,
    "bpf_iter_num_next": iter_num_next,
    "bpf_iter_num_destroy": iter_num_destroy,
    "bpf_rcu_read_lock": nothing,
    "bpf_rcu_read_unlock": nothing,
    "bpf_preempt_disable": nothing,
    "bpf_preempt_enable": nothing,
}
