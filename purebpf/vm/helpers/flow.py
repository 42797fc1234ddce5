"""Control flow through the kernel."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..memory import M32

if TYPE_CHECKING:
    from ..world import World

MAX_LOOPS: Final = 8 * 1024 * 1024


def loop(w: World, count: int, callback: int, ctx: int, flags: int, *_: int) -> int:
    """Rounds done; the callback stops the loop by returning 1."""
    count &= M32
    if flags:
        return -errno.EINVAL
    if count > MAX_LOOPS:
        return -errno.E2BIG & M32  # the verifier replaces the call by code that sets w0
    for index in range(count):
        if w.callback(callback, index, ctx):
            return index + 1
    return count


HELPERS: Final[Mapping[str, Callable[..., int]]] = {"loop": loop}
