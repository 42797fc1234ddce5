"""`purebpf mount MAP DIRECTORY`: the entries of a map as files, through FUSE and the optional library mfusepy."""

from __future__ import annotations

import argparse
import os
import stat
import time
from errno import EINVAL
from typing import Any

from ..readings.files import MapFiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", metavar="NAME|ID|PIN", help="the map: its name, id, or path under a bpffs")
    parser.add_argument("directory", metavar="DIRECTORY", help="where it is mounted, until Ctrl-C or umount")
    parser.epilog = "example: purebpf mount counts /mnt"


def run(args: argparse.Namespace) -> int:
    from importlib import import_module

    from ..errors import PureBpfError
    from ..loader import open_map
    from .maps import _keyed

    try:
        fuse = import_module("mfusepy")
    except (ImportError, OSError) as error:
        raise PureBpfError(f"mount needs the library mfusepy and libfuse ({error}): pip install mfusepy") from None
    with open_map(args.which) as live:
        operations = type("Operations", (_Operations, fuse.Operations), {})(_keyed(live))
        print(f"map {live.name} is at {args.directory}; Ctrl-C unmounts", flush=True)
        try:
            fuse.FUSE(operations, args.directory, foreground=True, nothreads=True, fsname=f"map:{live.name}", default_permissions=True)
        except RuntimeError as error:
            raise PureBpfError(f"mounting at {args.directory} failed ({error}): does /dev/fuse exist, and is the directory empty?") from None
    return 0


class _Operations:
    """What the kernel asks of a file system, answered by the map. A file is written when it is closed."""

    use_ns = False

    def __init__(self, live: Any) -> None:
        self._files, self._started = MapFiles(live), time.time()
        self._written: dict[str, bytearray] = {}

    def _owned(self, mode: int, links: int, size: int) -> dict[str, Any]:
        return {"st_mode": mode, "st_nlink": links, "st_size": size, "st_uid": os.getuid(), "st_gid": os.getgid(),
                **dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), self._started)}

    def getattr(self, path: str, fh: Any = None) -> dict[str, Any]:
        if path == "/":
            return self._owned(stat.S_IFDIR | 0o755, 2, 0)
        pending = self._written.get(path[1:])
        return self._owned(stat.S_IFREG | 0o644, 1, len(self._files.read(path[1:]) if pending is None else pending))

    def readdir(self, path: str, fh: Any) -> list[str]:
        return [".", "..", *self._files.names()]

    def open(self, path: str, flags: int) -> int:
        if flags & os.O_TRUNC:
            self._written[path[1:]] = bytearray()
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._written[path[1:]] = bytearray()
        return 0

    def read(self, path: str, size: int, offset: int, fh: Any) -> bytes:
        return self._files.read(path[1:])[offset:offset + size]

    def truncate(self, path: str, length: int, fh: Any = None) -> int:
        if length:
            raise OSError(EINVAL, "an entry is written as a whole")
        self._written[path[1:]] = bytearray()
        return 0

    def write(self, path: str, data: bytes, offset: int, fh: Any) -> int:
        text = self._written.setdefault(path[1:], bytearray())
        text[offset:offset + len(data)] = data
        return len(data)

    def flush(self, path: str, fh: Any) -> int:
        """At each close: here an error still reaches who wrote."""
        text = self._written.pop(path[1:], None)
        if text:
            self._files.write(path[1:], bytes(text))
        return 0

    def unlink(self, path: str) -> int:
        self._files.remove(path[1:])
        return 0
