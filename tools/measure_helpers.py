"""Which helpers a kernel lets which program types call: `python tools/measure_helpers.py 5.10 6.1 …` writes tests/uapi/measured.txt.

A line is a kernel, a program type and a number whose bit n says yes for helper n. Each kernel is booted under qemu by a script of its own
(--runner, as of tools/kernels.py). Types whose programs do not load with a call alone, and those that a kernel lacks, are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNNER = os.path.join(ROOT, "..", "shared", "kernels", "run-in-kernel.sh")
OUT = os.path.join(ROOT, "tests", "uapi", "measured.txt")
UNASKED = ("UNSPEC", "TRACING", "LSM", "EXT", "STRUCT_OPS")


def guest(kernel: str) -> None:
    """In the kernel: its lines."""
    sys.path.insert(0, ROOT)
    from purebpf.loader.probes import Probes
    from purebpf.uapi.enums import ProgType, names
    from purebpf.uapi.helpers import IDS

    probes = Probes()
    for kind, name in names(ProgType).items():
        if name not in UNASKED and (mask := sum(1 << IDS[one.name] for one in probes.all_helpers(kind) if one.has)):
            print(f"{kernel} {name} {mask:x}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="+", metavar="SERIES")
    parser.add_argument("--runner", default=RUNNER)
    parser.add_argument("--guest", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.guest:
        guest(args.kernels[0])
        return 0
    lines = []
    for kernel in args.kernels:
        command = [args.runner, "-k", kernel, "-t", "1500", "--", sys.executable, os.path.abspath(__file__), "--guest", kernel]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        lines += [line for line in done.stdout.splitlines() if line.startswith(f"{kernel} ")]
    with open(OUT, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
