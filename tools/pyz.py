"""`python tools/pyz.py [OUT]`: the whole of purebpf in one file, to be copied into a container that has Python alone.

    ./purebpf.pyz build prog.py            the commands
    PYTHONPATH=purebpf.pyz python prog.py  a program that imports purebpf

Holds the package. cffi is compiled and stays outside: without it only `bpf.cdef` is missing.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipapp
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAIN = "from purebpf.cli import main\n\nraise SystemExit(main())\n"


def main() -> int:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "purebpf.pyz")
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "purebpf", Path(scratch) / "purebpf", ignore=shutil.ignore_patterns("__pycache__"))
        (Path(scratch) / "__main__.py").write_text(MAIN)
        zipapp.create_archive(scratch, out, interpreter="/usr/bin/env python3", compressed=True)
    print(f"{out}: {out.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
