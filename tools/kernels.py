"""Load objects on several kernels: `python tools/kernels.py [FILE.o… FILE.py…]` prints a table of program by kernel.

A Python source is compiled for each kernel ("needs": that kernel lacks what it asks for, an error at its line).

Each kernel is booted once under qemu by a script of its own (--runner: `run-in-kernel.sh -k KERNEL -- COMMAND…`, the host's
files shared), and one process in it loads everything, since Python is slow there. Sources are compiled here first.
A program is attached where its section says to what; "loads" means that the verifier took it, "attached" that the hook did.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNNER = os.path.join(ROOT, "..", "shared", "kernels", "run-in-kernel.sh")
KERNELS = ("5.10", "6.1", "6.12", "6.18", "7.3")
MARK = "RESULT "
Row = tuple[str, str, str, str]  # object, program, verdict, details


def guest(paths: list[str]) -> int:
    """In the kernel under test: one line of JSON per program."""
    sys.path.insert(0, ROOT)
    from purebpf import elf, loader
    from purebpf.errors import PureBpfError

    for path in paths:
        name = os.path.basename(path).split(".")[0]
        spec = elf.read(path)
        with loader.Kernel() as kernel:
            try:
                with loader.load(spec, kernel=kernel) as k:
                    for program in k.programs.values():
                        say(name, program.name, *attach(program))
                continue
            except PureBpfError as error:
                whole = error
            for program_name, program_spec in spec.programs.items():
                if not program_spec.autoload:
                    continue
                try:
                    loader.load(spec._replace(programs={program_name: program_spec}), kernel=kernel).close()
                    say(name, program_name, "loads alone", str(whole))
                except PureBpfError as error:
                    say(name, program_name, verdict(error), str(error) + "\n" + getattr(error, "log", "")[-2000:])
    return 0


def attach(program: object) -> tuple[str, str]:
    from purebpf.errors import PureBpfError
    from purebpf.loader import links

    kind = links.kind_of(program)  # type: ignore[arg-type]
    if kind is None or not kind.auto or not program.spec.attach_to:  # type: ignore[attr-defined]
        return "loads", ""
    try:
        program.attach().close()  # type: ignore[attr-defined]
    except PureBpfError as error:
        return f"loads, {verdict(error)}", str(error)
    return "attached", ""


def verdict(error: Exception) -> str:
    import errno

    number = getattr(error, "errno", None)
    return type(error).__name__ + (f" {errno.errorcode.get(number, number)}" if number else "")


def say(*row: str) -> None:
    print(MARK + json.dumps(row), flush=True)


def run(kernel: str, paths: list[str], runner: str) -> list[Row]:
    command = [runner, "-k", kernel, "--", sys.executable, os.path.abspath(__file__), "--guest", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [tuple(json.loads(line.removeprefix(MARK))) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not rows:
        raise SystemExit(f"kernel {kernel}: exit status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return rows  # type: ignore[return-value]


def build(path: str, directory: str, kernel: str) -> tuple[str, str]:
    """A Python source as an object for the kernel, or what that lacks; an object as it is."""
    if not path.endswith(".py"):
        return os.path.abspath(path), ""
    out = os.path.join(directory, f"{os.path.basename(path)[:-3]}.{kernel}.o")
    command = [sys.executable, "-m", "purebpf", "build", path, "-o", out, "--kernel", kernel]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    return ("", done.stderr) if done.returncode else (out, "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="object files, or Python files to compile (default: the examples)")
    parser.add_argument("--kernels", nargs="+", default=KERNELS, metavar="SERIES")
    parser.add_argument("--runner", default=RUNNER)
    parser.add_argument("--guest", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.guest:
        return guest(args.files)
    examples = os.path.join(ROOT, "examples")
    files = args.files or sorted(os.path.join(examples, f) for f in os.listdir(examples) if f.endswith(".py"))
    with tempfile.TemporaryDirectory() as directory:
        table: dict[tuple[str, str], dict[str, str]] = {}
        details = []
        for kernel in args.kernels:
            paths = []
            for path in files:
                made, lacks = build(os.path.abspath(path), directory, kernel)
                paths += [made] if made else []
                if lacks:
                    name = os.path.basename(path)[:-3]
                    table.setdefault((name, ""), {})[kernel] = "needs" if "error[target]" in lacks else "no object"
                    details.append(f"── {name} for {kernel}: {lacks}\n")
            for obj, program, outcome, detail in run(kernel, paths, args.runner) if paths else ():
                table.setdefault((obj, program), {})[kernel] = outcome
                if detail:
                    details.append(f"── {obj}: {program} on {kernel}: {outcome}\n{detail}\n")
    width = max(len(f"{o}: {p}") for o, p in table) + 2
    print(" " * width + "".join(f"{kernel:<24}" for kernel in args.kernels))
    for (obj, program), outcomes in table.items():
        print(f"{obj + ': ' + program:<{width}}" + "".join(f"{outcomes.get(k, '-'):<24}" for k in args.kernels).rstrip())
    print("\n" + "\n".join(details) if details else "")
    good = {"loads", "attached", "needs"}
    return int(any(outcome not in good for outcomes in table.values() for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
