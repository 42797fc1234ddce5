"""Random Python programs whose answer CPython knows: integer expressions, branches, loops, locals of every width.

`program(seed)` is a module's text: a plain helper, a BPF subprogram, a function `f` of typed integers, and an XDP program
that reads f's arguments from the packet and writes the answer back. The generator follows the ranges of language.md, so
that CPython's unbounded integers and our 64-bit ones mean the same: what could leave 64 bits is cast on the spot.

    python -m tests.property.programs 2000      all of them in five runners, with the seed of whatever differs
"""

from __future__ import annotations

import random
import sys
from typing import NamedTuple

WIDTHS = {"u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1), "u64": (0, 2**64 - 1),
          "i8": (-(2**7), 2**7 - 1), "i16": (-(2**15), 2**15 - 1), "i32": (-(2**31), 2**31 - 1), "i64": (-(2**63), 2**63 - 1)}
I64, U64 = WIDTHS["i64"], WIDTHS["u64"]
INTERESTING = (0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
               2**63 - 1, -1, -2, -7, -128, -32768, -(2**31), -(2**63))


class Expr(NamedTuple):
    """Text, and the range of its *type*: what arithmetic with it goes by."""

    text: str
    lo: int
    hi: int


def fits(r: tuple[int, int], width: tuple[int, int]) -> bool:
    return width[0] <= r[0] and r[1] <= width[1]


class Generator:
    """Writes one module. `vars` are the locals in reach, with their types."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = []
        self.vars: dict[str, str] = {}
        self.frozen: set[str] = set()
        self.count = 0
        self.loops = 0
        self.budget = self.r.randint(3, 14)

    @property
    def depth(self) -> int:
        """How deep expressions go. In loops less deep: every condition there doubles what the verifier walks, each time
        round, and its million instructions are soon spent."""
        return max(1, 3 - self.loops)

    # --- expressions

    def literal(self) -> Expr:
        n = self.r.choice(INTERESTING) if self.r.random() < 0.7 else self.r.randint(-300, 300)
        return Expr(f"({n})" if n < 0 else str(n), n, n)

    def leaf(self) -> Expr:
        if self.vars and self.r.random() < 0.75:
            name = self.r.choice(list(self.vars))
            return Expr(name, *WIDTHS[self.vars[name]])
        return self.literal()

    def cast(self, e: Expr, width: str = "") -> Expr:
        width = width or self.r.choice(list(WIDTHS))
        return Expr(f"{width}({e.text})", *WIDTHS[width])

    def expr(self, depth: int) -> Expr:
        if depth <= 0:
            return self.leaf()
        pick = self.r.random()
        if pick < 0.55:
            return self.binary(depth)
        if pick < 0.65:
            return self.cast(self.expr(depth - 1))
        if pick < 0.75:
            a, b = self.same_sign(self.expr(depth - 1), self.expr(depth - 1))
            return Expr(f"({a.text} if {self.cond(depth - 1)} else {b.text})", *self.joined(a, b))
        if pick < 0.80:
            a, b = self.same_sign(self.expr(depth - 1), self.expr(depth - 1))
            return Expr(f"({a.text} {self.r.choice(['and', 'or'])} {b.text})", *self.joined(a, b))
        if pick < 0.86:
            a, b = self.same_sign(self.expr(depth - 1), self.expr(depth - 1))
            return Expr(f"{self.r.choice(['min', 'max'])}({a.text}, {b.text})", *self.joined(a, b))
        if pick < 0.92:
            return self.unary(depth)
        if pick < 0.96:
            return Expr(f"int(bool({self.cond(depth - 1)}))", 0, 1)
        a = self.cast(self.expr(depth - 1), "u32")
        b = self.cast(self.expr(depth - 1), "i32")
        return Expr(f"{self.r.choice(['helper', 'sub'])}({a.text}, {b.text})", *I64)

    def joined(self, a: Expr, b: Expr) -> tuple[int, int]:
        lo, hi = min(a.lo, b.lo), max(a.hi, b.hi)
        return I64 if fits((lo, hi), I64) else U64

    def same_sign(self, a: Expr, b: Expr) -> tuple[Expr, Expr]:
        """Two expressions that one 64-bit type holds."""
        both = (min(a.lo, b.lo), max(a.hi, b.hi))
        if fits(both, I64) or fits(both, U64):
            return a, b
        width = self.r.choice(["i64", "u64"])
        return self.cast(a, width), self.cast(b, width)

    def unary(self, depth: int) -> Expr:
        a = self.expr(depth - 1)
        word = self.r.choice(["-", "~", "abs", "bit_length"])
        if word == "bit_length":
            return Expr(f"({self.cast(a, 'i64' if a.lo < 0 else 'u64').text}).bit_length()", *I64)
        if word == "abs":
            a = self.cast(a, "i32")
            return Expr(f"abs({a.text})", *I64)
        if word == "~":
            return self.bounded(f"(~{a.text})", (-a.hi - 1, -a.lo - 1), a.lo >= 0)
        return self.bounded(f"(-{a.text})", (-a.hi, -a.lo), a.lo >= 0)

    def bounded(self, text: str, r: tuple[int, int], unsigned: bool) -> Expr:
        """The result of an operation as the language types it; cast where it could leave 64 bits."""
        if fits(r, I64):
            return Expr(text, *(r if r[0] == r[1] else I64))
        if fits(r, U64):
            return Expr(text, *(r if r[0] == r[1] else U64))
        width = "u64" if unsigned else "i64"
        return Expr(f"{width}({text})", *WIDTHS[width])

    def binary(self, depth: int) -> Expr:
        word = self.r.choice(["+", "-", "*", "&", "|", "^", "<<", ">>", "//", "%"])
        a, b = self.expr(depth - 1), self.expr(depth - 1)
        if word in ("<<", ">>"):
            b = Expr(f"({b.text} & 63)", 0, 63) if self.r.random() < 0.7 else Expr(f"({b.text} & 127)", 0, 127)
            if a.lo == a.hi:
                a = self.cast(a, "u64" if a.lo >= 0 else "i64")
            if word == ">>":
                return Expr(f"({a.text} >> {b.text})", *((a.lo, a.hi) if a.lo == a.hi else I64 if fits(a[1:], I64) else U64))
            width = "u64" if a.lo >= 0 else "i64"
            return Expr(f"{width}({a.text} << {b.text})", *WIDTHS[width])
        if word in ("//", "%"):
            b = Expr(f"({b.text} or 3)", *b[1:]) if b.lo != b.hi else b if b.lo else Expr("3", 3, 3)
        mixed = not (a.lo >= 0 and b.lo >= 0) and (a.hi > I64[1] or b.hi > I64[1])
        if mixed and not (word == "&" and (a.lo >= 0 or b.lo >= 0) and False):
            a, b = self.same_sign(self.cast(a, "i64"), self.cast(b, "i64"))
        r = self.range(word, a, b)
        return self.bounded(f"({a.text} {word} {b.text})", r, a.lo >= 0 and b.lo >= 0)

    @staticmethod
    def range(word: str, a: Expr, b: Expr) -> tuple[int, int]:
        if word == "+":
            return a.lo + b.lo, a.hi + b.hi
        if word == "-":
            return a.lo - b.hi, a.hi - b.lo
        if word == "*":
            corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
            return min(corners), max(corners)
        if word in ("//", "%"):
            top = max(abs(a.lo), abs(a.hi), abs(b.lo) if word == "%" else 0, abs(b.hi) if word == "%" else 0)
            return (0, top) if a.lo >= 0 and b.lo >= 0 else (-top, top)
        bits = max(x.bit_length() for x in (a.lo, a.hi, b.lo, b.hi))
        return (0, (1 << bits) - 1) if a.lo >= 0 and b.lo >= 0 else (-(1 << bits), (1 << bits) - 1)

    def cond(self, depth: int) -> str:
        pick = self.r.random()
        if depth > 0 and pick < 0.2:
            return f"({self.cond(depth - 1)} {self.r.choice(['and', 'or'])} {self.cond(depth - 1)})"
        if depth > 0 and pick < 0.3:
            return f"(not {self.cond(depth - 1)})"
        word = self.r.choice(["<", "<=", ">", ">=", "==", "!="])
        a, b = self.expr(depth - 1), self.expr(depth - 1)
        if pick < 0.4:
            return f"({a.text} {word} {b.text} {self.r.choice(['<', '>='])} {self.expr(depth - 1).text})"
        if pick < 0.5:
            return a.text
        if pick < 0.55:
            return f"({a.text} in ({b.text}, {self.literal().text}, 5))"
        return f"({a.text} {word} {b.text})"

    # --- statements

    def emit(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def assign(self, depth: int) -> None:
        names = [n for n in self.vars if n not in self.frozen]
        pick = self.r.random()
        if pick < 0.1 and len(names) > 1:
            a, b = self.r.sample(names, 2)
            if self.vars[a] == self.vars[b]:
                self.emit(depth, f"{a}, {b} = {b}, {a}")
                return
        if names and pick < 0.6:
            name = self.r.choice(names)
            width = self.vars[name]
            self.emit(depth, f"{name} = {width}({self.expr(self.depth).text})")
            return
        self.count += 1
        name, width = f"v{self.count}", self.r.choice(list(WIDTHS))
        noted = f": {width}" if self.r.random() < 0.6 or width not in ("i64", "u64") else ""
        self.emit(depth, f"{name}{noted} = {width}({self.expr(self.depth).text})")
        self.vars[name] = width

    def block(self, depth: int, nest: int) -> None:
        """One to three statements; what they define is not seen outside."""
        outer = dict(self.vars)
        for _ in range(self.r.randint(1, 2 if self.loops else 3)):
            self.statement(depth, nest)
        self.vars = outer

    def statement(self, depth: int, nest: int) -> None:
        self.budget -= 1
        pick = self.r.random()
        if nest <= 0 or self.budget <= 0 or pick < 0.5:
            self.assign(depth)
        elif pick < 0.75:
            self.emit(depth, f"if {self.cond(self.depth - 1)}:")
            self.block(depth + 1, nest - 1)
            if self.r.random() < 0.5:
                self.emit(depth, "else:")
                self.block(depth + 1, nest - 1)
        elif pick < 0.9:
            self.loop(depth, nest)
        elif pick < 0.95 and self.loops:
            self.emit(depth, f"if {self.cond(1)}:")
            self.emit(depth + 1, self.r.choice(["break", "continue"]))
        else:
            self.emit(depth, f"if {self.cond(1)}:")
            self.emit(depth + 1, f"return i64({self.expr(2).text})")

    def loop(self, depth: int, nest: int) -> None:
        self.count += 1
        name = f"k{self.count}"
        outer = dict(self.vars)
        step = self.r.choice(["", ", 2", ", -1"])
        bounds = {"": f"{self.r.randint(0, 4)}", ", 2": f"1, {self.r.randint(2, 8)}, 2", ", -1": f"{self.r.randint(0, 3)}, -2, -1"}
        self.emit(depth, f"for {name} in range({bounds[step]}):")
        self.vars[name] = "i64"
        self.frozen.add(name)
        self.loops += 1
        self.block(depth + 1, nest - 1)
        self.loops -= 1
        self.vars = outer
        if self.r.random() < 0.2:
            self.emit(depth, "else:")
            self.block(depth + 1, nest - 1)

    def function(self, name: str, params: dict[str, str], statements: int, nest: int) -> None:
        self.vars, self.frozen = dict(params), set()
        self.emit(0, f"def {name}({', '.join(f'{n}: {w}' for n, w in params.items())}) -> i64:")
        for _ in range(statements):
            self.statement(1, nest)
        self.emit(1, f"return i64({self.expr(3).text})")


def program(seed: int) -> tuple[str, dict[str, str]]:
    """(text of a module, f's parameters with their types)."""
    g = Generator(seed)
    names = list(WIDTHS)
    params = {f"p{i}": g.r.choice(names) for i in range(g.r.randint(1, 4))}
    # The little functions know no others; what calls them stands below.
    small = Generator(seed ^ 0x5EED)
    for name, decorator in (("helper", ""), ("sub", "@bpf.func\n")):
        small.lines.append(decorator + f"def {name}(a: u32, b: i32) -> i64:")
        small.vars = {"a": "u32", "b": "i32"}
        text = "helper("
        while "helper(" in text or "sub(" in text:
            text = small.expr(2).text
        small.lines.append(f"    return i64({text})\n")
    g.function("f", params, g.r.randint(1, 5), 2)
    fields = "\n".join(f"    {n}: {w}" for n, w in params.items())
    return f"""import purebpf as bpf
from purebpf import i8, i16, i32, i64, u8, u16, u32, u64


@bpf.struct
class Args:
    result: i64
    pad: u64
{fields}


{chr(10).join(small.lines)}

{chr(10).join(g.lines)}


@bpf.func
def root({', '.join(f'{n}: {w}' for n, w in params.items())}) -> i64:
    return f({', '.join(params)})


@bpf.xdp
def run(ctx):
    args = ctx.packet.pull(Args)
    if args is None:
        return 1
    args.result = root({', '.join(f'args.{n}' for n in params)})
    return 2
""", params


def arguments(seed: int, params: dict[str, str], count: int) -> list[tuple[int, ...]]:
    """Argument lists: corner values of each type, and random ones."""
    r = random.Random(seed)
    out = []
    for _ in range(count):
        row = []
        for width in params.values():
            lo, hi = WIDTHS[width]
            corners = [v for v in (*INTERESTING, lo, hi, hi - 1) if lo <= v <= hi]
            row.append(r.choice(corners) if r.random() < 0.6 else r.randint(lo, hi))
        out.append(tuple(row))
    return out


def main() -> int:
    """Run seeds through all runners; print every difference with its seed."""
    from tests.property.runners import Mismatch, Runners

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    bad = 0
    runners = Runners()
    for seed in range(start, start + count):
        try:
            runners.check(seed)
        except Mismatch as error:
            bad += 1
            print(error, flush=True)
        if (seed - start + 1) % 100 == 0:
            print(f"{seed - start + 1} programs, {bad} wrong", flush=True)
    print(f"{count - bad} passed, {bad} failed; runners: {', '.join(runners.names)}")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
