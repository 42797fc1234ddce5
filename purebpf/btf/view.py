"""The bytes of a struct that are its members too: what `result.ctx` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .values import Codec


class View(bytes):
    """Bytes, with the members that `codec` finds in them as attributes: before those that bytes have by themselves, as
    `count` may be a member. `strings`: members that stand for text elsewhere in the bytes, by name: (offset, length)."""

    _codec: Codec | None = None
    _strings: dict[str, slice] = {}

    @classmethod
    def of(cls, data: bytes, codec: Codec | None = None, strings: dict[str, slice] | None = None) -> View:
        """`data` seen through `codec`; without one, and where the bytes are too few for it, just the bytes."""
        made = cls(data)
        if codec is not None and len(data) >= codec.size:
            made._codec, made._strings = codec, strings or {}
        return made

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") or name in ("_codec", "_strings"):
            return super().__getattribute__(name)
        codec: Codec | None = super().__getattribute__("_codec")
        if codec is None:
            return super().__getattribute__(name)
        strings = self._strings
        if name in strings:
            return bytes(self[strings[name]]).split(b"\0")[0].decode(errors="surrogateescape")
        value = codec.decode(bytes(self))
        if name == "_asdict" or name in type(value)._fields:
            return getattr(value, name)
        return super().__getattribute__(name)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        return repr(self._codec.decode(bytes(self))) if self._codec is not None else super().__repr__()

    __str__ = __repr__


__all__ = ["View"]
