"""One owner for every file descriptor: `Fd` closes it once, and says so when somebody forgot.

A signal's handler runs between two bytecodes, so a descriptor that is a bare number for one bytecode, or that Python code is
about to close, can be lost to a Ctrl-C. Here it never is: inside one C call (`map` over `map`) what a function gave goes
into a `select.epoll`, the object of the standard library that takes any descriptor and whose destructor, in C, closes it.
"""

from __future__ import annotations

import select
import warnings
from collections.abc import Callable
from typing import Any, Self

_own = select.epoll.fromfd if hasattr(select, "epoll") else NotImplemented  # compiling works where nothing can be loaded
_is_one = (0).__le__


class Fd:
    """An open descriptor with exactly one owner. `close()` twice is fine; use after that is a ValueError."""

    __slots__ = ("_owner", "what", "__weakref__")

    def __init__(self, number: int, what: str = "fd") -> None:
        if number < 0:
            raise ValueError(f"{number} is no descriptor")
        self._owner: select.epoll | None = _own(number)
        self.what = what

    @classmethod
    def owning(cls, what: str, function: Callable[..., int], *arguments: Any) -> Self:
        """The owner of what `function(*arguments)`, a C function, gives; no signal comes in between. A negative result
        is owned by nobody: the owner is `closed`."""
        made = cls.__new__(cls)
        made.what = what
        made._owner = next(map(_own, filter(_is_one, map(function, *zip(arguments)))), None)
        return made

    def fileno(self) -> int:
        if self.closed:
            raise ValueError(f"{self.what} is closed")
        return self._owner.fileno()  # type: ignore[union-attr]

    @property
    def closed(self) -> bool:
        return self._owner is None or self._owner.closed

    def close(self) -> None:
        if self._owner is not None:
            self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.what} {'closed' if self.closed else self.fileno()}>"

    def __del__(self, warn: Any = warnings.warn) -> None:
        if not getattr(self, "closed", True):
            try:
                warn(f"{self.what} was never closed", ResourceWarning, stacklevel=2, source=self)
            finally:
                self.close()


Made = Fd | int  # what a command that makes a descriptor gives: its owner, or a negative errno


class Holder:
    """What a kernel object's Python side has in common: one fd, which `close` or the end of a `with` gives back."""

    _fd: Fd

    def fileno(self) -> int:
        return self._fd.fileno()

    @property
    def closed(self) -> bool:
        return self._fd.closed

    def close(self) -> None:
        self._fd.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def close_all(things: Any) -> None:
    """Close everything in `things`, last first, even if one refuses; the first refusal is raised at the end."""
    first: BaseException | None = None
    for thing in reversed(list(things)):
        try:
            thing.close()
        except Exception as error:  # noqa: BLE001 - nothing may stay open because a neighbour failed
            first = first or error
    if first is not None:
        raise first
