"""C sources in tests → objects."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PRELUDE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
"""
INCLUDES = ("-I/usr/include/x86_64-linux-gnu", "-I/usr/include/aarch64-linux-gnu")


def compile(folder: Path, name: str, source: str, *, compiler: str = "clang-19", cpu: int = 3, prelude: str = PRELUDE) -> str:
    """The path of the object; skips the test where there is no such compiler."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    text, out = folder / f"{name}.c", folder / f"{name}.o"
    text.write_text(prelude + source, encoding="utf-8")
    done = subprocess.run([compiler, "-target", "bpf", "-g", "-O2", f"-mcpu=v{cpu}", "-Wno-everything", *INCLUDES, "-c",
                           str(text), "-o", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(out)
