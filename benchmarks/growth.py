"""How the time to compile grows with the size of a program's text: CPU seconds from 100 to 5,000 lines of each shape, the slope
(the exponent of time against lines, fitted over the larger sizes; 1: twice the lines, twice the time), and the memory at the
peak. Every figure is of a process of its own, from reading the source to the bytes of the object; Python's own start is not in it.

    python -m benchmarks.growth [--sizes 100,200,…] [--passes] [shape …]

`mixed` is all shapes in turn in one function, `module` the same in functions of 50 lines; these two go on to 10,000 lines.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIZES = (100, 200, 400, 800, 1600, 3200, 5000)
LARGE = 800  # the slope is that from here on
LONG = 10_000  # lines of the two that are more than one shape
HEAD = """
import purebpf as bpf
from purebpf import Global, HashMap, char, i64, u16, u32
from purebpf.net import IPv4

@bpf.struct
class Row:
    a: u32
    b: u16
    c: i64

hits = HashMap[u32, i64](max_entries=1024)
rows = HashMap[u32, Row](max_entries=1024)
wide = Global[i64[4096]]()
last = Global[char[16]]("")
seed = Global[i64](1)
"""
BEGIN = """
@bpf.xdp
def program(ctx):
    pkt = ctx.packet
    size = len(pkt)
    a, b, n = size & 15, size & 255, 0
    name = char[16]("none")
""".splitlines()
END = ["    seed.value = a + b + n", "    last.value = name", "    return bpf.XDP_PASS"]


def loops(i: int) -> list[str]:
    """Loops whose variables have no types but what the loop makes of them."""
    return [f"v{i} = b & 7", f"while v{i} < {100 + i}:", f"    v{i} = v{i} * 2 + 1", f"    n = n + v{i}"]


def counted(i: int) -> list[str]:
    """Loops over a range that is not unrolled, each with a variable of its own."""
    return [f"w{i} = 0", f"for j in range({300 + i}):", f"    w{i} += j ^ a", f"n ^= w{i}"]


def ifs(i: int) -> list[str]:
    """`if` after `if`, a variable changed in each."""
    return [f"if size ^ {i} > {60 + i % 1400}:", f"    n += {i}"]


def elifs(i: int) -> list[str]:
    """One value compared with constants, each in the `else` of the one before."""
    return [f"{'el' if i else ''}if size == {3 * i}:", f"    n = {i * 7 % 1001}"]


def flags(i: int) -> list[str]:
    """A flag set in one `if` and tested in the next."""
    return ["flag = False", f"if size > {i}:", "    flag = a > 3", "if flag:", f"    n += {i}"]


def stores(i: int) -> list[str]:
    """Loads and stores of many places."""
    return [f"wide.value[{i % 4096}] = wide.value[{i * 7 % 4096}] + {i}"]


def constants(i: int) -> list[str]:
    """Constants stored side by side."""
    return [f"wide.value[{i % 4096}] = {i & 127}"]


def straight(i: int) -> list[str]:
    """Arithmetic that depends on what came before."""
    return [f"n = (n + {i}) ^ (n << {i % 13 + 1})"]


def entries(i: int) -> list[str]:
    """Map entries: look up, add, or insert."""
    return [f"hits[{i}] += 1"]


def keyed(i: int) -> list[str]:
    """The same with keys that are computed."""
    return [f"hits[size + {i}] += n", f"n += {i}"]


def lookups(i: int) -> list[str]:
    """Map values in place, tested."""
    return [f"p{i} = hits.lookup(a + {i})", f"if p{i}:", f"    n += p{i}.value"]


def unrolled(i: int) -> list[str]:
    """Short loops of eight rounds, all of them unrolled."""
    return ["for j in range(8):", f"    n = (n ^ (b >> j)) * {i * 2 + 3}"]


def ranged(i: int) -> list[str]:
    """Membership in a range with a step."""
    return [f"if size + {i} in range(0, 4000, 2):", "    n += 1"]


def prints(i: int) -> list[str]:
    """Formatted text for the trace pipe."""
    return [f'print(f"round {i}: {{n}} {{size:x}}")', f"n += {i}"]


def structs(i: int) -> list[str]:
    """Struct literals stored in a map."""
    return [f"rows[{i}] = Row(a=size, b={i % 60000}, c=n)", f"n += {i}"]


def strings(i: int) -> list[str]:
    """Text assigned and compared."""
    return [f'if name == "word{i % 50}":', f'    name = "next{i}"']


def packets(i: int) -> list[str]:
    """Bytes and headers of the packet, at constant and computed places."""
    return [f"n += pkt[{i % 1400}]", f"h{i} = pkt.at(b + {i}, IPv4)", f"if h{i} is not None:", f"    n += h{i}.ttl"]


def tuples(i: int) -> list[str]:
    """Tuples made, swapped and taken apart."""
    return [f"a, b = b, a + {i}", f"t{i} = (a, n, {i})", f"n = t{i}[1] + t{i}[2]"]


SHAPES: dict[str, Callable[[int], list[str]]] = {f.__name__: f for f in (
    loops, counted, ifs, elifs, flags, stores, constants, straight, entries, keyed, lookups, unrolled, ranged, prints, structs,
    strings, packets, tuples)}


def repeated(shape: Callable[[int], list[str]], lines: int) -> list[str]:
    """A program whose body is one shape over and over."""
    body: list[str] = []
    i = 0
    while len(body) + len(BEGIN) + len(END) < lines:
        body += shape(i)
        i += 1
    return [*BEGIN, *("    " + line for line in body), *END]


def calls(lines: int) -> list[str]:
    """Functions ten levels deep, each of which calls two of the next."""
    out, tops = [], []
    for tower in range(max(1, lines // 42)):
        out += [f"def f{tower}_9(x, y):", f"    return x * {tower + 3} ^ y"]
        for level in range(8, -1, -1):
            below = f"f{tower}_{level + 1}"
            out += [f"def f{tower}_{level}(x, y):", f"    if x > {level}:", f"        x ^= y + {level}", f"    return {below}(x, y + 1) + {below}(y, x)"]
        tops.append(f"    n += f{tower}_0(size, {tower})")
    return [*out, *BEGIN, *tops, *END]


def rounds(lines: int) -> list[str]:
    """A loop over as many constants, one a line: each is a round."""
    return [*BEGIN, "    for v in (", *(f"        {i * 37 % 1009}," for i in range(lines - len(BEGIN) - len(END) - 3)),
            "    ):", "        n = (n ^ v) * 31 + (b >> (v & 7))", *END]


def _parts() -> Iterator[list[str]]:
    """All shapes in turn, but those that stand in the `else` of what was before."""
    i = 0
    while True:
        for shape in SHAPES.values():
            if shape is not elifs:
                yield shape(i)
                i += 1


def mixed(lines: int) -> list[str]:
    """All shapes in turn, in one function."""
    parts = _parts()
    return repeated(lambda i: next(parts), lines)


def module(lines: int) -> list[str]:
    """The same, in functions of 50 lines, each called once, of programs that call ten of them."""
    out, parts, called = [], _parts(), list[str]()
    while len(out) < lines:
        name = f"part{len(out)}"
        out += [f"def {name}(pkt, size, a, b, n, name):"]
        body: list[str] = []
        while len(body) < 48:
            body += next(parts)
        out += [*("    " + line for line in body), "    return n + a + b"]
        called.append(name)
        if len(called) == 10 or len(out) >= lines:
            out += [line.replace("def program", f"def program{len(out)}") for line in BEGIN]
            out += [*(f"    n = {one}(pkt, size, a, b, n, name)" for one in called), *END]
            called.clear()
    return out


WHOLE: dict[str, Callable[[int], list[str]]] = {"calls": calls, "rounds": rounds, "mixed": mixed, "module": module}


def source(name: str, lines: int) -> str:
    """The text of a program of about so many lines."""
    body = WHOLE[name](lines) if name in WHOLE else repeated(SHAPES[name], lines)
    return "\n".join([*HEAD.splitlines(), *body, ""])


def one(path: str, passes: bool) -> None:
    """In a process of its own: compile the file, print seconds and MiB; with `passes` the seconds of each, too."""
    import resource

    from purebpf import elf
    from purebpf.cli.program import compile_file
    from purebpf.codegen import layout  # noqa: F401  what a compile imports is imported before the clock starts
    from purebpf.errors import CompileError

    spent: dict[str, float] = {}
    start = last = time.process_time()

    def observe(step: str, _: object) -> None:
        nonlocal last
        now = time.process_time()
        spent[step] = spent.get(step, 0) + now - last
        last = now

    try:
        elf.write(compile_file(path, **({"observe": observe} if passes else {})).spec)
    except CompileError as error:  # of the kernel's limits, which stand at the end
        print(error, file=sys.stderr)
    spent["codegen"] = time.process_time() - last
    print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
          *(f"{step}={seconds:.3f}" for step, seconds in spent.items() if passes))


def measured(name: str, lines: int, passes: bool, scratch: Path) -> tuple[float, float, dict[str, float]]:
    """(CPU seconds, MiB at the peak, seconds of each pass)."""
    path = scratch / f"{name}_{lines}.py"
    path.write_text(source(name, lines))
    command = [sys.executable, "-m", "benchmarks.growth", "--one", str(path), *(["--passes"] if passes else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}, {lines} lines:\n{done.stderr[-3000:]}")
    if done.stderr:
        print(f"{name}, {lines} lines: {done.stderr.splitlines()[0]}")
    seconds, memory, *each = done.stdout.split()
    return float(seconds), float(memory), {step: float(t) for step, t in (part.split("=") for part in each)}


def slope(sizes: list[int], times: list[float]) -> float:
    """The exponent of time against size that fits best, over the larger sizes."""
    points = [(math.log(n), math.log(t)) for n, t in zip(sizes, times) if n >= LARGE] or [(math.log(n), math.log(t)) for n, t in zip(sizes, times)]
    x0, y0 = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    return sum((x - x0) * (y - y0) for x, y in points) / (sum((x - x0) ** 2 for x, _ in points) or 1)


def table(names: list[str], sizes: list[int], passes: bool) -> None:
    """Measure and print, a line a shape."""
    print(f"{'':>10} " + " ".join(f"{n:>7}" for n in sizes) + "   slope     MiB")
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            mine = [*sizes, LONG] if name in ("mixed", "module") and max(sizes) >= 5000 else sizes
            rows = [measured(name, n, passes, Path(scratch)) for n in mine]
            print(f"{name:>10} " + " ".join(f"{t:7.3f}" for t, _, _ in rows) + f"   {slope(mine, [t for t, _, _ in rows]):5.2f} {rows[-1][1]:7.0f}", flush=True)
            for step in sorted(rows[-1][2], key=lambda s: -rows[-1][2][s])[:8] if passes else ():
                print(f"{'':>10} " + " ".join(f"{p.get(step, 0):7.3f}" for _, _, p in rows)
                      + f"   {slope(mine, [p.get(step, 0) + 1e-3 for _, _, p in rows]):5.2f} {step}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shapes", nargs="*", metavar="shape", help=", ".join([*SHAPES, *WHOLE]))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="lines, comma separated")
    parser.add_argument("--passes", action="store_true", help="and where the time goes")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one, args.passes)
    else:
        table(args.shapes or [*SHAPES, *WHOLE], [int(n) for n in args.sizes.split(",")], args.passes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
