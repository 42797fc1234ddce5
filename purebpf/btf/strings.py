"""String tables: the one that is written, and where the strings of one are that is searched."""

from __future__ import annotations

from ..errors import BtfError
from .kinds import MAX_NAME


class Strings:
    """A string table being written: each string once, "" at 0. `base_size` and `base` are those of split BTF."""

    __slots__ = ("data", "at", "base_size")

    def __init__(self, base_size: int = 0) -> None:
        self.data = bytearray(b"" if base_size else b"\0")
        self.at: dict[str, int] = {"": 0}
        self.base_size = base_size

    def add(self, text: str) -> int:
        """Offset of `text`."""
        off = self.at.get(text)
        if off is None:
            raw = text.encode()
            if b"\0" in raw:
                raise BtfError(f"name {text!r} holds a NUL")
            off = self.at[text] = self.base_size + len(self.data)
            self.data += raw + b"\0"
            if off > MAX_NAME:
                raise BtfError(f"string table grew over {MAX_NAME:#x} bytes")
        return off


class Single:
    """{text: offset} that gives lists."""

    __slots__ = ("_at",)

    def __init__(self, at: dict[str, int]) -> None:
        self._at = at

    def __bool__(self) -> bool:
        return bool(self._at)

    def get(self, text: str, otherwise: list[int]) -> list[int]:
        found = self._at.get(text)
        return otherwise if found is None else [found]
