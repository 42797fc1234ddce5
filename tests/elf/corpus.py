"""tests/data/corpus.c as objects of clang 14 and 19, of -mcpu v1 to v4 in turn, and big-endian; kept in pytest's cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.elf.clang import INCLUDES
from tests.once import alone

SOURCE = Path(__file__).parents[1] / "data" / "corpus.c"
PRELUDE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
#define MAP(name, kind, k, v, n) struct { __uint(type, kind); __uint(max_entries, n); __type(key, k); __type(value, v); } name SEC(".maps")
char _license[] SEC("license") = "GPL";
"""
COMPILERS = {("clang-14", "bpfel"): (2, 3, 1), ("clang-19", "bpfel"): (3, 4, 2, 1), ("clang-19", "bpfeb"): (4, 2)}


def sources() -> dict[str, str]:
    """{name: C text}"""
    parts = SOURCE.read_text(encoding="utf-8").split("\n//// ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def build(cache: Path) -> dict[str, Path]:
    """{"clang-19 v3 name": path}, "clang-19 bpfeb v3 name" if it is big-endian; what a compiler cannot compile is left out of it."""
    with alone(cache):
        return _build(cache)


def _build(cache: Path) -> dict[str, Path]:
    wanted: dict[str, Path] = {}
    jobs: list[list[str]] = []
    for (compiler, target), versions in COMPILERS.items():
        if shutil.which(compiler) is None:
            continue
        for number, (name, text) in enumerate(sources().items()):
            cpu = versions[number % len(versions)]
            digest = hashlib.sha256((PRELUDE + text).encode()).hexdigest()[:12]
            path = cache / f"{name}-{compiler}-{target}-v{cpu}-{digest}.o"
            wanted[f"{compiler}{' bpfeb' if target == 'bpfeb' else ''} v{cpu} {name}"] = path
            if not path.exists():
                source = path.with_suffix(".c")
                source.write_text(PRELUDE.replace("char _license[]", "char other_license[]" if "char other[]" in text else
                                                  "char _license[]").replace(
                    'char other_license[] SEC("license") = "GPL";', "") + text, encoding="utf-8")
                jobs.append([compiler, "-target", target, "-g", "-O2", f"-mcpu=v{cpu}", "-Wno-everything", *INCLUDES, "-c",
                             str(source), "-o", str(path)])
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda job: subprocess.run(job, capture_output=True, text=True, check=False), jobs):
            assert done.returncode == 0 or "-14" in done.args[0], (done.args[-3], done.stderr[:600])
    return {name: path for name, path in wanted.items() if path.exists()}
