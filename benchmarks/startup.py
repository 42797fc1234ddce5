"""Whole-process times: `import purebpf`, `purebpf build examples/openat_count.py`, clang on such a program; each in turn with
a bare `python -c pass`, so that the differences hold whatever the machine does meanwhile.

    python -m benchmarks.startup [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
C_TWIN = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 10240); __type(key, __u32); __type(value, __u64); } calls SEC(".maps");
SEC("tracepoint/syscalls/sys_enter_openat") int on_openat(void *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 one = 1, *n = bpf_map_lookup_elem(&calls, &pid);
	if (n) __sync_fetch_and_add(n, 1); else bpf_map_update_elem(&calls, &pid, &one, BPF_NOEXIST);
	return 0;
}
char _license[] SEC("license") = "GPL";
"""


def once(command: list[str]) -> tuple[float, float]:
    """(milliseconds, MiB at the peak) of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return (time.perf_counter() - started) * 1e3, usage.ru_maxrss / 1024


def main() -> int:
    """Measure in turns, print medians and differences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    python = sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        twin = Path(scratch) / "twin.bpf.c"
        twin.write_text(C_TWIN)
        out = str(Path(scratch) / "o.o")
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "import purebpf": [python, "-c", "import purebpf"],
            "purebpf build openat_count.py": [python, "-m", "purebpf", "build", "examples/openat_count.py", "-o", out],
        }
        if shutil.which("clang-19"):
            include = f"-I/usr/include/{os.uname().machine}-linux-gnu"
            commands["clang-19 -O2 -g, its twin in C"] = ["clang-19", "-O2", "-g", "-target", "bpf", include, "-c", str(twin), "-o", out]
        for command in commands.values():
            once(command)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(once(command))
    bare = statistics.median(t for t, _ in runs["python -c pass"])
    print(f"{'':34} {'ms':>7} {'over bare':>10} {'MiB':>6}")
    for name, rows in runs.items():
        middle = statistics.median(t for t, _ in rows)
        print(f"{name:34} {middle:7.1f} {middle - bare:10.1f} {max(m for _, m in rows):6.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
