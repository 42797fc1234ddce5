"""Objects loaded by libbpf or by us while `calls.c` listens, all of a list in one process: what each asks of the kernel.

    python -m tests.elf.calls libbpf|purebpf LIST      (LIST: "name path" lines; run by `asked`)
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple

SOURCE = Path(__file__).with_name("calls.c")
PROBE = re.compile(r"^\w+ -?\d* ?(-|libbpf_\w+) ")  # what the kernel can do is asked with things without a name
OF_FDS = (3, 12, 13)  # map types whose values are descriptors: PROG_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS


class Asked(NamedTuple):
    """What one object was to the kernel. `programs` by name: everything about it but the BTF ids of its records; `maps` by name;
    `entries`: what was written to maps, in no order."""

    loaded: bool
    programs: dict[str, tuple[str, ...]]
    maps: dict[str, tuple[str, ...]]
    entries: list[tuple[str, ...]]


def asked(who: str, objects: dict[str, Path], folder: Path) -> dict[str, Asked]:
    """Load each, in a mount namespace with a bpffs of its own."""
    shim, log, listed = folder / "calls.so", folder / f"{who}.calls", folder / f"{who}.list"
    if not shim.exists():
        subprocess.run(["gcc", "-O1", "-w", "-shared", "-fPIC", "-o", str(shim), str(SOURCE), "-ldl"], check=True)
    listed.write_text("".join(f"{name.replace(' ', '_')} {path}\n" for name, path in objects.items()), encoding="utf-8")
    inside = f"mount -t bpf bpf /sys/fs/bpf && LD_PRELOAD={shim} exec {sys.executable} -m tests.elf.calls {who} {listed}"
    done = subprocess.run(["unshare", "-m", "sh", "-ec", inside], env={**os.environ, "BPF_CALLS": str(log)}, capture_output=True,
                          text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = dict(line.split() for line in done.stdout.splitlines() if line.startswith("load:"))
    parts = log.read_text(encoding="utf-8").split("object ")[1:]
    told = {part.partition("\n")[0]: part.partition("\n")[2].splitlines() for part in parts}
    return {name: _understood(loaded[f"load:{name.replace(' ', '_')}"] == "1", told[name.replace(" ", "_")]) for name in objects}


def _understood(loaded: bool, lines: list[str]) -> Asked:
    programs: dict[str, tuple[str, ...]] = {}
    maps: dict[str, tuple[str, ...]] = {}
    entries: list[tuple[str, ...]] = []
    for line in lines:
        kind, *words = line.split()
        if PROBE.search(line):
            continue
        if kind == "prog" and len(words) > 9:
            result, name, *rest = words
            programs[name] = (result if result == "0" else "refused", *rest)
        elif kind == "map" and words[0] == "0":
            maps[words[1]] = tuple(words[2:])
        elif kind == "set":
            name, of, key, value = words
            if value.strip("0"):  # what is 0 is so without being written
                entries.append((name, key, "fd" if int(of) in OF_FDS else value))
        elif kind == "freeze":
            entries.append((words[0], "frozen"))
    return Asked(loaded, programs, maps, sorted(entries))


Load = Callable[[str], bool]


def _libbpf() -> Load:
    lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    lib.bpf_object__open_file.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    lib.bpf_object__load.argtypes = lib.bpf_object__close.argtypes = (ctypes.c_void_p,)
    lib.bpf_object__open_file.restype = ctypes.c_void_p
    lib.libbpf_set_print(None)

    def load(path: str) -> bool:
        made = lib.bpf_object__open_file(ctypes.c_char_p(path.encode()), None)
        fine = bool(made) and lib.bpf_object__load(made) == 0
        if made:
            lib.bpf_object__close(made)
        return fine

    return load


def _ours() -> Load:
    from purebpf import elf
    from purebpf.errors import PureBpfError
    from purebpf.loader import Kernel
    from purebpf.loader import load as load_spec

    kernel = Kernel()

    def load(path: str) -> bool:
        try:
            with load_spec(elf.read(path), kernel=kernel):
                return True
        except PureBpfError:
            return False

    return load


def main(who: str, listed: str) -> None:
    mark = ctypes.CDLL(None).mark
    load = {"libbpf": _libbpf, "purebpf": _ours}[who]()
    for line in Path(listed).read_text(encoding="utf-8").splitlines():
        name, _, path = line.partition(" ")
        mark(name.encode())
        print(f"load:{name} {int(load(path))}", flush=True)
        for pin in Path("/sys/fs/bpf").glob("*[!g]"):  # those of the kernel end in .debug
            pin.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
