"""String tables: the one that is written, and where the strings of one are that is searched."""

from __future__ import annotations

from ..errors import BtfError
from .kinds import MAX_NAME


class Strings:
    """A string table being written: each string once, "" at 0. Of split BTF, `base` are the strings of its base, in order from offset 0
    on, which are not written again."""

    __slots__ = ("data", "at", "base_size")

    def __init__(self, base: bytes = b"") -> None:
        self.data = bytearray(b"" if base else b"\0")
        self.at: dict[str, int] = {"": 0}
        self.base_size = len(base)
        at = 0
        for text in base.split(b"\0")[:-1]:
            self.at.setdefault(text.decode(errors="surrogateescape"), at)
            at += len(text) + 1

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
