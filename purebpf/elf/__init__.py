"""Object files: ObjectSpec ↔ .o, as libbpf, cilium/ebpf, bpftool and llvm-objdump understand it.

Takes an ObjectSpec from the compiler, or clang's objects from disk; gives object files, or an ObjectSpec to the
loader and the VM.

    write(spec) -> bytes          save(spec, path)          read(data or path) -> ObjectSpec

Invariants: read(write(spec)) is spec in everything that a loader looks at; malformed input is an ElfError (BtfError
for its types), whatever the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .writer import replace, save, write

if TYPE_CHECKING:
    import os

    from ..spec import ObjectSpec

__all__ = ["read", "replace", "save", "write"]


def read(source: bytes | str | os.PathLike[str]) -> ObjectSpec:
    """The object in `source`: bytes, or the path of a file. ElfError, BtfError or FormatError if it is malformed;
    OSError if the file cannot be read."""
    from .lift import read as read_object

    return read_object(source)
