"""The arena: memory that programs and this process share by address. It is mapped as soon as it is made, because programs
that refer to it are refused before; global variables of the arena lie at its beginning.
"""

from __future__ import annotations

from typing import Any

from ..errors import FormatError, KernelError
from ..spec import DataSpec, MapSpec
from . import sys
from .maps import LiveMap


class ArenaMap(LiveMap):
    """An arena. `memory()` is its pages in this process, where `load` mapped them."""

    _mapping: sys.Mapping | None = None

    def map(self, address: int = 0) -> sys.Mapping:
        """All of it in this process, once; at `address`, 0: where the map's `extra` or the kernel says. Raises KernelError."""
        if self._mapping is None:
            try:
                self._mapping = sys.Mapping(self.fileno(), self.info.max_entries * sys.PAGE, address or self.info.extra)
            except OSError as error:
                raise KernelError(error.errno or 0, f"mapping arena {self.name!r}", str(error)) from None
        return self._mapping

    def memory(self) -> memoryview:
        """The arena's memory, to read and to write: what a program stores is there at once; numpy.frombuffer takes it. A page
        comes into being when it is touched. Closing the arena while a view of it lives is a BufferError."""
        return self.map().view()

    @property
    def address(self) -> int:
        """Where it begins in this process: pointers that programs keep in it, cut to their low 32 bits, lie behind."""
        return self.map().address

    def close(self) -> None:
        if self._mapping is not None:
            self._mapping.close()
        super().close()


class ArenaSection:
    """The arena's globals: like the live map of a data section."""

    def __init__(self, spec: DataSpec, arena: LiveMap, memory: sys.Mapping) -> None:
        self.spec, self._arena, self._memory = spec, arena, memory
        self.write(0, spec.data)

    def fileno(self) -> int:
        return self._arena.fileno()

    def read(self, offset: int, size: int) -> bytes:
        return self._memory.read(offset, size)

    def write(self, offset: int, data: bytes) -> None:
        self._memory.write(offset, data)

    def close(self) -> None:
        """The memory is the arena's."""


def map_arena(spec: MapSpec, arena: ArenaMap, data: DataSpec | None) -> sys.Mapping:
    """All of the arena in this process, at the address that the map's `extra` says, or that the kernel chooses."""
    length = spec.max_entries * sys.PAGE
    if data is not None and len(data.data) > length:
        raise FormatError(f"the object's globals take {len(data.data)} bytes, its arena {spec.name!r} has {length}")
    return arena.map(spec.extra)


def arena_of(maps: dict[str, Any]) -> str:
    """The name of the object's arena. FormatError if it has none, or several."""
    from ..uapi.enums import MapType

    found = [name for name, one in maps.items() if one.type == MapType.ARENA]
    if len(found) != 1:
        raise FormatError(f"the object has globals in an arena, but {len(found) or 'no'} arena maps")
    return found[0]
