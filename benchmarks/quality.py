"""Code quality beside clang-19 -O2 -mcpu=v3, on programs of the shared benchmark written in Python.

Builds benchmarks/programs/*.py with purebpf and the same kernels' C with clang, checks both against the specs' expected
results, and prints instructions, executed instructions, instructions the verifier walked, and ns per run, from one
interleaved run. Needs root, clang-19, libbpf and the benchmark's folder (../shared/bench beside the project).

    python -m benchmarks.quality [--rounds N] [--only k01,k07] [--bench DIR]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from purebpf.loader import running

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "benchmarks" / "programs"


def build(bench: Path, out: Path, names: list[str]) -> dict[str, Path]:
    """Objects of both compilers; {candidate: folder}, clang first: it is the baseline."""
    folders = {"clang": out / "clang", "purebpf": out / "purebpf"}
    for folder in folders.values():
        folder.mkdir()
    include = f"-I/usr/include/{os.uname().machine}-linux-gnu"
    for name in names:
        subprocess.run(["clang-19", "-O2", "-g", "-Wall", "-target", "bpf", "-mcpu=v3", include, "-c",
                        str(bench / "kernels" / f"{name}.bpf.c"), "-o", str(folders["clang"] / f"{name}.o")], check=True)
        subprocess.run([sys.executable, "-m", "purebpf", "build", str(PROGRAMS / f"{name}.py"), "-o",
                        str(folders["purebpf"] / f"{name}.o"), "--kernel", running()], check=True, cwd=ROOT)
    return folders


def main() -> int:
    """Build, check, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench")
    parser.add_argument("--rounds", type=int, default=7, help="fresh loads of each object")
    parser.add_argument("--only", default="", help="names, comma separated")
    parser.add_argument("--check", action="store_true", help="correctness only")
    args = parser.parse_args()
    if not (args.bench / "bench.py").exists():
        print(f"the benchmark is not at {args.bench}: name its folder with --bench", file=sys.stderr)
        return 1
    names = sorted(p.stem for p in PROGRAMS.glob("k*.py") if not args.only or p.stem.split("_")[0] in args.only.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        folders = build(args.bench, Path(scratch), names)
        candidates = [f"{n}={d}" for n, d in folders.items()]
        script = [sys.executable, str(args.bench / "bench.py")]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if args.check:
            return subprocess.run([*script, "check", *candidates, "-k", ",".join(names)], env=environment, check=False).returncode
        return subprocess.run([*script, "run", *candidates, "-k", ",".join(names), "-n", str(args.rounds)],
                              env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
