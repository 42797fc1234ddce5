"""Global variables of a loaded object: `obj[var].value`.

A data section is an array map of one element. Where the kernel can (5.5) it is mapped into this process, and reading or
writing a variable is a memory access that programs see at once: integers of 1, 2, 4 and 8 bytes are read and written
whole. Otherwise the element is read, changed and written back, which is not atomic.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

from ..errors import KernelError, NotSupported
from ..spec import DataSpec, VarSpec
from ..uapi.enums import Cmd
from . import bpf, sys
from .fd import Fd

if TYPE_CHECKING:
    from .arena import ArenaSection

_ZERO = sys.buffer(4)
EPERM = 1


class Section:
    """The live map of one data section. `mapped`: it was made with BPF_F_MMAPABLE."""

    def __init__(self, spec: DataSpec, fd: Fd, mapped: bool) -> None:
        self.spec, self.fd, self._mapped = spec, fd, mapped
        self._memory: mmap.mmap | None = None

    def close(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()
        self.fd.close()

    def fileno(self) -> int:
        return self.fd.fileno()

    def _open(self) -> mmap.mmap | None:
        if self._memory is None and self._mapped:
            length = sys.pages(max(8, len(self.spec.data)))
            try:
                self._memory = sys.map_shared(self.fd.fileno(), length, write=not self.spec.read_only)
            except OSError:
                self._mapped = False
        return self._memory

    def read(self, offset: int, size: int) -> bytes:
        memory = self._open()
        if memory is not None:
            return memory[offset:offset + size]
        return self._element()[offset:offset + size]

    def _element(self) -> bytes:
        value = sys.buffer(len(self.spec.data))
        result = bpf.map_elem(Cmd.MAP_LOOKUP_ELEM, self.fd.fileno(), _ZERO, value)
        if result < 0:
            raise KernelError(-result, f"reading section {self.spec.name}")
        return value.raw[:len(self.spec.data)]

    def write(self, offset: int, data: bytes) -> None:
        if self.spec.read_only:
            raise NotSupported(EPERM, f"writing to {self.spec.name}, which is frozen once loaded",
                               hint="give its value when loading: load(…, constants={name: value}), or declare it as a "
                                    "Global instead of a Const")
        memory = self._open()
        if memory is not None:
            memory[offset:offset + len(data)] = data
            return
        whole = self._element()
        changed = sys.buffer(whole[:offset] + data + whole[offset + len(data):])
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fd.fileno(), _ZERO, changed)
        if result < 0:
            raise KernelError(-result, f"writing to section {self.spec.name}")


class Variable:
    """One global variable; `value` reads and writes it."""

    __slots__ = ("name", "_section", "_var", "_codec")

    def __init__(self, section: Section | ArenaSection, var: VarSpec, codec: Any) -> None:
        self.name, self._section, self._var, self._codec = var.name, section, var, codec

    @property
    def value(self) -> Any:
        return self._codec.decode(self._section.read(self._var.offset, self._var.size))

    @value.setter
    def value(self, value: Any) -> None:
        self._section.write(self._var.offset, self._codec.encode(value))

    @property
    def raw(self) -> bytes:
        return self._section.read(self._var.offset, self._var.size)

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} = {self.value!r}>"
