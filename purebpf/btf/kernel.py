"""The running kernel's BTF, from where distributions put it. The room's only file access.

Who asks keeps the `Btf`. Only where its records begin is kept here (1 MB), as finding out is nearly all that opening it costs (30 ms) and the
kernel does not change while it runs.
"""

from __future__ import annotations

import os
from typing import Final

from ..errors import NotSupported
from .container import Btf
from .header import Index

SYS: Final = "/sys/kernel/btf"

# Where libbpf looks; {} is the release. All but the first are ELF files with a .BTF section.
PLACES: Final = (
    SYS + "/vmlinux",
    "/boot/vmlinux-{}",
    "/lib/modules/{}/vmlinux-{}",
    "/lib/modules/{}/build/vmlinux",
    "/usr/lib/modules/{}/kernel/vmlinux",
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/boot/vmlinux-{}.debug",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
)


def vmlinux(path: str | None = None) -> Btf:
    """The kernel's types: of `path` (raw BTF, or an ELF file with .BTF), else of the first of PLACES that can be read.

    NotSupported if there is none."""
    import errno

    release = os.uname().release
    for place in (path,) if path is not None else PLACES:
        try:
            with open(place.replace("{}", release), "rb") as file:
                return _opened(file.read()) if place == PLACES[0] else Btf.from_bytes(btf_section(file.read()))
        except OSError as e:
            if path is not None:
                raise NotSupported(e.errno or errno.ENOENT, f"kernel BTF {path}") from None
    raise NotSupported(errno.ENOENT, "kernel BTF", "5.2", f"{PLACES[0]} is missing: CONFIG_DEBUG_INFO_BTF is off")


_indexes: dict[tuple[str, bytes], Index] = {}  # at most one: that of the running kernel


def _opened(data: bytes) -> Btf:
    """The running kernel's types. Which kernel it is, its build and the header's sizes tell: a process that is moved to another looks again."""
    key = (os.uname().version, data[:24])
    btf = Btf.from_bytes(data, known=_indexes.get(key))
    if key not in _indexes and btf.index is not None:
        _indexes.clear()
        _indexes[key] = btf.index
    return btf


def mentions(name: str) -> bool:
    """Does the running kernel's BTF have a type, function or member of that name? A search of its bytes, several times
    faster than opening it. Raises OSError where there is none to see."""
    with open(PLACES[0], "rb") as file:
        return b"\0" + name.encode() + b"\0" in file.read()


def modules() -> list[str]:
    """Names of the loaded modules that have BTF."""
    try:
        return sorted(name for name in os.listdir(SYS) if name != "vmlinux")
    except OSError:
        return []


def module(name: str, base: Btf) -> Btf:
    """A loaded module's types, split BTF on `base`, which must be vmlinux. NotSupported if it has none."""
    try:
        with open(f"{SYS}/{name}", "rb") as file:
            return Btf.from_bytes(file.read(), base)
    except OSError as e:
        raise NotSupported(e.errno or 2, f"BTF of module {name}", "5.11") from None


def parse(data: bytes, base: Btf | None = None) -> Btf:
    """The types of a file: raw BTF, or an ELF file's. Those of a module that brings a distilled base (.BTF.base, 6.11) are on `base` if there
    is one, else on its own."""
    distilled = _section(data, b".BTF.base") if data[:4] == b"\x7fELF" else None
    if distilled is None:
        return Btf.from_bytes(btf_section(data), base)
    split = Btf.from_bytes(btf_section(data), Btf.from_bytes(distilled))
    if base is None:
        return split
    from .distill import relocate

    return relocate(split, base)


def btf_section(data: bytes) -> bytes:
    """The .BTF section of a little- or big-endian ELF64 file; `data` itself if it is no ELF."""
    from ..errors import BtfError

    if data[:4] != b"\x7fELF":
        return data
    found = _section(data, b".BTF")
    if found is None:
        raise BtfError("ELF file has no .BTF section")
    return found


def _section(data: bytes, wanted: bytes) -> bytes | None:
    """The content of a section of an ELF64 file."""
    from struct import error, unpack_from

    from ..errors import BtfError

    order = "<" if data[5:6] == b"\x01" else ">"
    try:
        table, = unpack_from(order + "Q", data, 40)
        entry, count, names = unpack_from(order + "3H", data, 58)
        headers = [unpack_from(order + "IIQQQQ", data, table + i * entry) for i in range(count)]
        strings = headers[names][4]
    except (error, IndexError, OverflowError):
        raise BtfError("ELF file is cut short") from None
    for name, _type, _flags, _addr, offset, size in headers:
        if data[strings + name:strings + name + len(wanted) + 1] == wanted + b"\0":
            return data[offset:offset + size]
    return None
