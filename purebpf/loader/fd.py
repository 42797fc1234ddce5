"""One owner for every file descriptor: `Fd` closes it once, and says so when somebody forgot."""

from __future__ import annotations

import os
import warnings
from typing import Any, Self


class Fd:
    """An open descriptor with exactly one owner. `close()` twice is fine; use after that is a ValueError."""

    __slots__ = ("_number", "what", "__weakref__")

    def __init__(self, number: int, what: str = "fd") -> None:
        self._number, self.what = number, what

    def fileno(self) -> int:
        if self._number < 0:
            raise ValueError(f"{self.what} is closed")
        return self._number

    @property
    def closed(self) -> bool:
        return self._number < 0

    def close(self) -> None:
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)

    def disown(self) -> int:
        """The bare number; closing it is now the caller's business."""
        number, self._number = self.fileno(), -1
        return number

    def __enter__(self) -> Fd:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.what} {'closed' if self.closed else self._number}>"

    def __del__(self, warn: Any = warnings.warn) -> None:
        if getattr(self, "_number", -1) >= 0:
            warn(f"{self.what} was never closed", ResourceWarning, stacklevel=2, source=self)
            self.close()


class Holder:
    """What a kernel object's Python side has in common: one fd, which `close` or the end of a `with` gives back."""

    _fd: Fd

    def fileno(self) -> int:
        return self._fd.fileno()

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
