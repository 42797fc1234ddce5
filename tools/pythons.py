"""Every Python that purebpf promises, where only one is installed: `make pythons`.

The others come from npm, as Pyodide: CPython for WebAssembly, which node runs. In each, and in the Python at hand, the programs
of the corpus are compiled and run in the VM, and the filetests of errors and of the front end are run; objects and texts must be
the same everywhere, byte for byte. Prints a table; exits 1 where something differs.

    python tools/pythons.py [--all] [name …]     all builds of each program, not two; only what has `name` in its name
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from errno import ENOENT
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "out" / "pythons"
PYODIDES = {"3.12": "0.27.7", "3.13": "0.29.4", "3.14": "314.0.7"}
FILETESTS = ("errors", "frontend")
APART = {  # what cannot be the same there
    "structs/c_unions": "cffi is no part of Pyodide",
    "structs/from_c": "cffi is no part of Pyodide",
    "structs/ctypes_more": "to a Python of 32 bits c_long is c_int",
}


# --- what each Python does ------------------------------------------------------------------------------------------------


def judge(every_build: bool, wanted: list[str]) -> Iterator[tuple[str, str]]:
    """(what, how it went) for each program and each filetest."""
    from tests.corpus import harness
    from tests.filetests import runner

    _tell_formats()
    os.getpid = lambda: 42  # programs have it as a constant
    if not every_build:
        harness.BUILDS = harness.BUILDS[:2]
    for name in harness.programs():
        if chosen(name, wanted) and name not in APART:
            yield name, _program(harness, name)
    table = runner.commands()
    for path in runner.find([runner.HERE / folder for folder in FILETESTS]):
        name = str(path.relative_to(runner.HERE))
        if chosen(name, wanted):
            yield name, _filetest(runner, table, path)


def _tell_formats() -> None:
    """What the running kernel says of tracepoints, where its tracefs cannot be mounted."""
    from purebpf.errors import NotSupported
    from purebpf.loader import tracefs

    known = json.loads((HOME / "formats.json").read_text())

    def tracepoint_format(category: str, name: str) -> list[tracefs.TraceField]:
        if f"{category}:{name}" not in known:
            raise NotSupported(ENOENT, "tracepoints of this name")
        return [tracefs.TraceField(*field) for field in known[f"{category}:{name}"]]

    tracefs.tracepoint_format = tracepoint_format


def chosen(name: str, wanted: list[str]) -> bool:
    return not wanted or any(w in name for w in wanted)


def _program(harness: object, name: str) -> str:
    """The digest of a program's objects if it does what it says, else what went wrong."""
    from purebpf import elf
    from tests.corpus import judges

    try:
        harness.check_python(name)  # type: ignore[attr-defined]
        harness.check(name, judges.Vm)  # type: ignore[attr-defined]
        specs = harness.compiled(harness.HERE / f"{name}.py")  # type: ignore[attr-defined]
        objects = [elf.write(s._replace(maps={k: m._replace(contents=()) for k, m in s.maps.items()})) for s in specs]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the result
        return f"{type(error).__name__}: {error} {' '.join(getattr(error, '__notes__', ()))}"
    return hashlib.sha256(b"".join(objects)).hexdigest()[:16]


def _filetest(runner: object, table: object, path: Path) -> str:
    said = []
    for case in runner.cases(path):  # type: ignore[attr-defined]
        for section in case.sections:
            try:
                said.append(runner.output(table, case, section))  # type: ignore[attr-defined]
            except Exception as error:  # noqa: BLE001 - the same
                said.append(f"{type(error).__name__}: {error}")
    return "\n".join(said)


# --- all of them, compared ------------------------------------------------------------------------------------------------


def install() -> None:
    """The Pyodides, where they are not yet."""
    missing = [f"p{name}@npm:pyodide@{version}" for name, version in PYODIDES.items() if _version(name) != version]
    if missing:
        HOME.mkdir(parents=True, exist_ok=True)
        (HOME / "package.json").write_text("{}\n")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *missing], cwd=HOME, check=True)


def write_formats() -> None:
    """The records of the tracepoints that the programs name, for all Pythons."""
    from purebpf.errors import PureBpfError
    from purebpf.loader import tracefs

    known = {}
    for path in (ROOT / "tests").rglob("*.py"):
        for category, name in set(re.findall(r'tracepoint\("(\w+):(\w+)"', path.read_text(encoding="utf-8"))):
            try:
                known[f"{category}:{name}"] = tracefs.tracepoint_format(category, name)
            except (PureBpfError, OSError):
                continue
    (HOME / "formats.json").write_text(json.dumps(known))


def _version(name: str) -> str:
    try:
        found = json.loads((HOME / "node_modules" / f"p{name}" / "package.json").read_text())["version"]
    except OSError:
        return ""
    return str(found)


def command(name: str) -> list[str]:
    """How a Python is started on this file; "" is the one that runs this."""
    if not name:
        return [sys.executable, __file__]
    return ["node", str(ROOT / "tools" / "pythons.mjs"), str(HOME / "node_modules" / f"p{name}"), str(ROOT), __file__]


def results(name: str, arguments: list[str]) -> tuple[str, float, dict[str, str]]:
    """What a Python says: its version, the seconds that it took, and how each thing went."""
    start = time.monotonic()
    done = subprocess.run([*command(name), "--judge", *arguments], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    if done.returncode or not lines:
        raise SystemExit(f"Python {name or 'at hand'} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    version, *rest = map(json.loads, lines)
    return version[0], time.monotonic() - start, dict(rest)


def compare(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """What differs, a line each."""
    out = []
    for name in sorted({*ours, *theirs}):
        a, b = ours.get(name, "it was not run"), theirs.get(name, "it was not run")
        if a != b:
            old, new = next(((x, y) for x, y in zip(a.splitlines(), b.splitlines()) if x != y), (a, b))
            out.append(f"  {name}: {new.strip()[:160]}\n{' ' * len(name)}    not {old.strip()[:160]}")
    return out


def main(arguments: list[str]) -> int:
    install()
    write_formats()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda name: results(name, arguments), ["", *PYODIDES]))
    ours, bad = found[0][2], 0
    print(f"{'Python':10}{'things':>8}{'differ':>8}{'seconds':>9}")
    for version, seconds, theirs in found:
        differences = compare(ours, theirs)
        bad += len(differences)
        print(f"{version:10}{len(theirs):8}{len(differences):8}{seconds:9.0f}", *differences, sep="\n")
    return bool(bad)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        rest = sys.argv[2:]
        print(json.dumps([sys.version.split()[0]]), flush=True)
        for result in judge("--all" in rest, [a for a in rest if not a.startswith("-")]):
            print(json.dumps(result), flush=True)
    else:
        raise SystemExit(main(sys.argv[1:]))
