"""Every benchmark in turn; one that cannot run here says why and the next goes on."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("quality", "startup", "isa", "vm", "ringbuf", "live", "objects")


def main() -> int:
    """Run each as a process of its own."""
    failed = []
    for name in NAMES:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"did not finish: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
