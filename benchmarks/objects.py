"""Objects beside libbpf, and BTF beside an earlier version of our own.

    python -m benchmarks.objects [--rounds N] [--old DIRECTORY]

Loading: clang's objects, read and loaded in this process, libbpf (through ctypes) and purebpf in turn; nothing is kept from one load to the
next but what each keeps by itself. BTF of the running kernel: each task in a process of its own, this version and the one whose sources lie
in DIRECTORY (a worktree of the commit to compare with) in turn. The shortest and the median of all rounds, in ms, and the ratio.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
"""
SMALL = """
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { __u32 k = 2; __u64 *v = bpf_map_lookup_elem(&counts, &k); if (v) __sync_fetch_and_add(v, 1); return 2; }
"""
FIELDS = ("pid", "tgid", "flags", "prio", "static_prio", "normal_prio", "policy", "exit_code", "exit_signal", "personality")
CORE = """
struct task_struct { %s struct task_struct *real_parent, *parent, *group_leader; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *ctx) {
  struct task_struct *t = (void *)bpf_get_current_task(), *u; int sum = 0, n;
  %s
  return sum & 1; }
"""
LARGE = """
SEC("xdp") int f(struct xdp_md *c) { volatile unsigned char *p = (void *)(long)c->data, *e = (void *)(long)c->data_end; __u64 s = 1;
  if (p + 256 > e) return 1;
  %s
  return s & 1 ? 2 : 1; }
"""


def sources() -> dict[str, str]:
    """{what: C}"""
    reads = "\n  ".join(f"bpf_probe_read_kernel(&n, 4, &t->{field}); sum += n;" for field in FIELDS)
    chain = "".join(f"bpf_probe_read_kernel(&u, 8, &t->{up}); t = u; if (!t) return 0;\n  {reads}\n  " for up in (
        "real_parent", "parent", "group_leader", "real_parent"))
    declared = "int " + ", ".join(FIELDS) + ";"
    steps = "\n  ".join(f"s = (s ^ p[{n * 7 % 256}]) * {2 * n + 3}; s += s >> {n % 31 + 1};" for n in range(1000))
    return {"small XDP": SMALL, "50 CO-RE relocations": CORE % (declared, reads + "\n  " + chain), "6,000 instructions": LARGE % steps}


def built(folder: Path) -> dict[str, Path]:
    """The objects."""
    out = {}
    for name, text in sources().items():
        source, path = folder / f"{len(out)}.c", folder / f"{len(out)}.o"
        source.write_text(HEAD + text)
        subprocess.run(["clang-19", "-O2", "-g", "-target", "bpf", "-mcpu=v3", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-w", "-c",
                        str(source), "-o", str(path)], check=True)
        out[name] = path
    return out


def libbpf() -> Callable[[Path], None]:
    """A function that loads an object and lets it go."""
    lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    lib.bpf_object__open_file.restype = ctypes.c_void_p
    lib.bpf_object__open_file.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    lib.bpf_object__load.argtypes = lib.bpf_object__close.argtypes = (ctypes.c_void_p,)
    lib.libbpf_set_print(None)

    def load(path: Path) -> None:
        made = lib.bpf_object__open_file(str(path).encode(), None)
        if not made or lib.bpf_object__load(made):
            raise SystemExit(f"libbpf does not load {path}: {os.strerror(ctypes.get_errno())}")
        lib.bpf_object__close(made)

    return load


def ours(path: Path) -> None:
    """The same."""
    from purebpf import elf
    from purebpf.loader import load

    with load(elf.read(path)):
        pass


def spent(run: Callable[[Path], None], path: Path) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    run(path)
    return 1e3 * (time.perf_counter() - start)


def line(name: str, first: list[float], second: list[float]) -> str:
    """Both times of both, and how many times the first the second takes, by the shortest and by the medians."""
    (low, mid), (other, between) = ((min(row), statistics.median(row)) for row in (first, second))
    return f"{name:24} {low:9.2f} {mid:9.2f} {other:9.2f} {between:9.2f} {other / low:7.2f} {between / mid:7.2f}"


def loading(rounds: int) -> None:
    """Objects, A B A B."""
    theirs = libbpf()
    print(f"{'':24} {'libbpf':>9} {'median':>9} {'purebpf':>9} {'median':>9} {'ratio':>7} {'median':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in built(Path(folder)).items():
            rows: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds + 1):
                for run, row in zip((theirs, ours), rows):
                    took = spent(run, path)
                    row += [took] if number else []  # the first of each also imports and probes
            print(line(name, *rows))


OPEN = "from purebpf.btf import kernel, Btf, types as t; from time import perf_counter as now; data = open(kernel.SYS + '/vmlinux', 'rb').read()"
TASKS = {
    "index": "s = now(); b = Btf.from_bytes(data)",
    "a type and its closure": "from purebpf.btf import Builder, graft; s = now(); b = Btf.from_bytes(data); "
                              "graft(Builder(), b, b.find('task_struct', t.Struct))",
    "decode all": "b = Btf.from_bytes(data); s = now(); list(b)",
    "encode all": "from purebpf.btf import codec; b = Btf.from_bytes(data); x = list(b); s = now(); codec.encode(x)",
    "C text of all": "from purebpf.btf import {c}; b = Btf.from_bytes(data); s = now(); {c}.c_header(b, [i for i, o in b.items() if "
                     "isinstance(o, (t.Struct, t.Union, t.Enum, t.Enum64, t.Typedef)) and (o.name or isinstance(o, t.Enum))])",
}


def task(code: str, sources: Path) -> float:
    """Milliseconds of a task by the purebpf in `sources`."""
    c = "ctext" if (sources / "purebpf/btf/ctext.py").exists() else "declare"
    done = subprocess.run([sys.executable, "-c", f"{OPEN}; {code.format(c=c)}; print(1e3 * (now() - s))"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(sources)}, cwd=sources, check=True)
    return float(done.stdout)


def types(rounds: int, old: Path | None) -> None:
    """BTF of the kernel, this version and `old` in turn."""
    before = "old" if old is not None else ""
    print(f"{'':24} {before:>9} {'median' if old else '':>9} {'this':>9} {'median':>9} {'ratio' if old else '':>7}")
    for name, code in TASKS.items():
        rows: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for place, row in zip((old, ROOT), rows):
                if place is not None:
                    row.append(task(code, place))
        print(line(name, *rows) if old is not None else f"{name:24} {'':19} {min(rows[1]):9.2f} {statistics.median(rows[1]):9.2f}")


def main() -> int:
    """Both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--old", type=Path, metavar="DIRECTORY", help="sources of an earlier version, for the table of BTF")
    args = parser.parse_args()
    if shutil.which("clang-19") and os.geteuid() == 0:
        loading(args.rounds)
    else:
        print("loading: needs clang-19 and root")
    if Path("/sys/kernel/btf/vmlinux").exists():
        types(max(3, args.rounds // 3), args.old)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
