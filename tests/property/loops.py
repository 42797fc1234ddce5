"""Random loops over a few bytes with counters, states and places that they remember: what the compiler accepts the kernel takes, and
CPython agrees.

    python -m tests.property.loops [count [first seed]]        what goes wrong, each with its seed and program
"""

from __future__ import annotations

import linecache
import sys
from random import Random
from types import ModuleType

from purebpf.dsl.hooks import Program
from purebpf.errors import CompileError, VerifierError

PRELUDE = '''import purebpf as bpf
from purebpf import Global, u8, u32

data = Global[u8[{size}]]({values})
seen = Global[u32[8]]()

@bpf.syscall
def program(ctx):
    return body() & 0xFFFFFFFF

'''
NAMES = ("a", "b", "c", "d")


class Writer:
    """Writes one function `body`: bytes are in `data`, `seen` counts."""

    def __init__(self, r: Random) -> None:
        self.r, self.lines, self.loops = r, ["def body():"], 0
        self.size = r.choice((8, 16, 24, 32, 64, 100, 256))
        self.numbers: list[str] = list(NAMES[:r.randint(1, 4)])
        self.known: list[str] = []  # read only: counters and bytes of loops

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def any(self) -> str:
        return self.r.choice(self.numbers + self.known)

    def step(self) -> str:
        """A small number, so that sums stay far from 64 bits."""
        return self.r.choice(self.known) if self.known else "3"

    def condition(self) -> str:
        r = self.r
        value, small = self.any(), r.choice((0, 1, 2, 3, 5, 20, 100, 200))
        return r.choice((f"{value} {r.choice(('<', '>', '==', '!=', '<=', '>='))} {small}", f"{value} & {1 << r.randrange(4)}",
                         f"{value} % {r.randint(2, 5)} == 0", f"{value} {r.choice(('<', '==', '!='))} {self.any()}",
                         f"{r.randrange(50)} <= {value} < {r.randrange(50, 250)}"))

    def value(self) -> str:
        r = self.r
        return r.choice((str(r.randrange(4)), self.any(), self.any(), f"{self.any()} + {r.randint(1, 3)}",
                         f"{r.choice(('min', 'max'))}({self.any()}, {self.any()})", f"{self.any()} & 15",
                         f"{self.any()} if {self.condition()} else {self.any()}"))

    def statement(self, depth: int, inside: bool) -> None:
        r, name = self.r, self.r.choice(self.numbers)
        match r.randrange(12):
            case 0 | 1 | 2:
                self.line(depth, f"{name} += {r.choice(('1', '1', '2', self.step()))}")
            case 3 | 4:
                self.line(depth, f"{name} = {self.value()}")
            case 5:
                self.line(depth, f"{name} -= 1")
            case 6:
                self.line(depth, f"seen[{self.any()} & 7] += 1")
            case 7 if inside:
                self.line(depth, f"if {self.condition()}:")
                self.line(depth + 1, r.choice(("break", "continue", "continue")))
            case 8 if self.loops < 3 and depth < 5:
                self.loop(depth, r.choice((2, 3, 4, 8)))
            case _ if depth < 6:
                self.line(depth, f"if {self.condition()}:")
                self.block(depth + 1, inside)
                if r.random() < 0.4:
                    self.line(depth, f"elif {self.condition()}:")
                    self.block(depth + 1, inside)
                if r.random() < 0.4:
                    self.line(depth, "else:")
                    self.block(depth + 1, inside)
            case _:
                self.line(depth, f"{name} += 1")

    def block(self, depth: int, inside: bool) -> None:
        for _ in range(self.r.choice((1, 1, 2))):
            self.statement(depth, inside)

    def loop(self, depth: int, rounds: int = 0) -> None:
        r = self.r
        self.loops += 1
        i, x, known = f"i{self.loops}", f"x{self.loops}", len(self.known)
        if rounds:
            self.line(depth, f"for {i} in range({rounds}):")
            self.known.append(i)
        else:
            match r.randrange(5):
                case 0:
                    self.line(depth, f"for {x} in data:")
                    self.known.append(x)
                case 1:
                    self.line(depth, f"for {i}, {x} in enumerate(data):")
                    self.known += [i, x]
                case 2:
                    start, step = r.choice((0, 0, 1, 2)), r.choice((1, 1, 2, 3))
                    self.line(depth, f"for {i} in range({start}, {self.size}, {step}):")
                    self.line(depth + 1, f"{x} = data[{i}{r.choice(('', '', ' - 1')) if start else ''}]")
                    self.known += [i, x]
                case 3:
                    self.line(depth, f"for {i} in range({self.size - 1}, -1, -1):")
                    self.line(depth + 1, f"{x} = data[{i}]")
                    self.known += [i, x]
                case _:
                    self.line(depth, f"{i} = 0")
                    self.line(depth, f"while {i} < {self.size}:")
                    self.line(depth + 1, f"{x} = data[{i}]")
                    self.line(depth + 1, f"{i} += 1")
                    self.known += [i, x]
        for _ in range(r.randint(1, 4)):
            self.statement(depth + 1, True)
        del self.known[known:]

    def write(self) -> str:
        for name in self.numbers:
            self.line(1, f"{name} = {self.r.randrange(3)}")
        for _ in range(self.r.choice((1, 1, 2))):
            self.loop(1)
        if self.r.random() < 0.3:
            self.line(1, f"if {self.condition()}:")
            self.line(2, f"{self.r.choice(self.numbers)} += 1")
        self.line(1, "return " + " + ".join(f"{n} * {7 ** k}" for k, n in enumerate(self.numbers)) + " + seen[1] + seen[2] * 3")
        values = [self.r.randrange(256) for _ in range(self.size)]
        return PRELUDE.format(size=self.size, values=values) + "\n".join(self.lines) + "\n"


def expected(text: str) -> int:
    """What CPython gives: the same function over lists."""
    scope: dict[str, object] = {}
    body = text[text.index("def body"):]
    values = text[text.index("]]([") + 3:text.index("])\n") + 1]
    exec(f"data = {values}\nseen = [0] * 8\n{body}", scope)
    answer = scope["body"]()  # type: ignore[operator]
    assert isinstance(answer, int)
    return answer & 0xFFFFFFFF


def program(text: str, name: str) -> Program[..., object]:
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    made = ModuleType(name)
    made.__file__ = file
    sys.modules[name] = made
    exec(compile(text, file, "exec"), made.__dict__)
    found = made.program
    assert isinstance(found, Program)
    return found


def judge(seed: int) -> str:
    """What is wrong, "" if nothing."""
    text = Writer(Random(seed)).write()
    name = f"loops_{seed}"
    try:
        one = program(text, name)
        answers = one.test_run().retval, one.simulate().retval
    except (CompileError, VerifierError) as error:
        return f"{str(error)[:400]}\n{text}"
    finally:
        sys.modules.pop(name, None)
        linecache.cache.pop(f"<{name}>", None)
    wanted = expected(text)
    return "" if answers == (wanted, wanted) else f"kernel and VM give {answers}, CPython {wanted}\n{text}"


def main() -> int:
    count, first = (int(w) for w in (*sys.argv[1:], "500", "0")[:2]) if len(sys.argv) < 3 else map(int, sys.argv[1:3])
    wrong = 0
    for seed in range(first, first + count):
        said = judge(seed)
        if said:
            wrong += 1
            print(f"--- seed {seed}: {said}", flush=True)
    print(f"{count - wrong} of {count} right")
    return wrong > 0


if __name__ == "__main__":
    raise SystemExit(main())
