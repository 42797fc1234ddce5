"""Pins: names in a bpffs that keep a kernel object alive; made, remembered and removed through its Python side."""

from __future__ import annotations

import os
from errno import EINVAL
from typing import Any

from ..errors import KernelError
from . import bpf


class Pinned:
    """What maps, programs and links have in common: `pin`, `unpin`, `pins`."""

    _pins: tuple[str, ...] = ()

    def _title(self) -> str:
        """What messages call it."""
        raise NotImplementedError

    def fileno(self) -> int:
        raise NotImplementedError

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep it after this process, under `path` of a bpffs. Raises KernelError with a hint."""
        bpf.pin(self, path, self._title())
        self._pins += (os.fspath(path),)

    def unpin(self) -> None:
        """Remove the pins that were made, or opened, through this object."""
        for path in self._pins:
            unpin(path)
        self._pins = ()

    @property
    def pins(self) -> tuple[str, ...]:
        """The paths that `unpin` would remove."""
        return self._pins

    def opened_at(self, which: Any) -> None:
        """It was opened by this: a path is remembered."""
        if isinstance(which, os.PathLike) or isinstance(which, str) and "/" in which:
            self._pins += (os.fspath(which),)


def unpin(path: str | os.PathLike[str]) -> None:
    """Remove a pin; what it held goes if nobody else holds it. Fine if it is gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KernelError(error.errno or EINVAL, f"removing pin {os.fspath(path)}") from None
