"""Objects built by clang 14 and 19 at every -mcpu from tests/data/objects/*.c, kept in pytest's cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.once import alone

SOURCES = sorted((Path(__file__).parents[1] / "data" / "objects").glob("*.c"))
COMPILERS = {"clang-14": (1, 2, 3), "clang-19": (1, 2, 3, 4)}


def build(cache: Path) -> dict[str, Path]:
    """{"clang-14 v1 alu": path, ...} of all objects; what is not in the cache is compiled."""
    with alone(cache):
        return _build(cache)


def _build(cache: Path) -> dict[str, Path]:
    wanted: dict[str, Path] = {}
    jobs: list[list[str]] = []
    header = (SOURCES[0].parent / "bpf.h").read_bytes()
    for compiler, versions in COMPILERS.items():
        if shutil.which(compiler) is None:
            continue
        for source in SOURCES:
            digest = hashlib.sha256(header + source.read_bytes()).hexdigest()[:12]
            for version in versions:
                path = cache / f"{source.stem}-{compiler}-v{version}-{digest}.o"
                wanted[f"{compiler} v{version} {source.stem}"] = path
                if not path.exists():
                    jobs.append([compiler, "-target", "bpf", "-g", "-O2", f"-mcpu=v{version}", f"-DCPU={version}",
                                 "-Wno-everything", "-c", str(source), "-o", str(path)])
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda job: subprocess.run(job, capture_output=True, text=True, check=False), jobs):
            assert done.returncode == 0, done.args[:1] + [done.stderr[:500]]
    return wanted
