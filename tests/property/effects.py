"""Random programs with effects: globals, arrays, hashes, structs, unions, bit-fields, strings, records, packets, pointers.

`Writer(seed).program()` is a module's text with an XDP program `prog`; `model.run` says what it must do, and the VM (both
levels) and the kernel are held to it. Everything that Python orders is seen: functions write what the expression that
calls them reads, names are aliases, aggregates are swapped and overlap.

    python -m tests.property.effects 1000 [seed]      that many programs, counts, and the smallest that fails
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import NamedTuple

from .model import I64, U64, Range, result_type, wrap

WIDTHS: dict[str, Range] = {
    **{f"u{b}": (0, 2**b - 1) for b in (8, 16, 32, 64)}, **{f"i{b}": (-(2 ** (b - 1)), 2 ** (b - 1) - 1) for b in (8, 16, 32, 64)},
    "be16": (0, 2**16 - 1), "be32": (0, 2**32 - 1)}
NUMBERS = [w for w in WIDTHS if w[0] != "b"]
LITERALS = (0, 1, 2, 3, 5, 7, 8, 31, 100, 127, 128, 255, 256, 1000, 65535, 65536, 2**31 - 1, 2**32 - 1, 2**63 - 1, -1, -2, -7, -128, -40000)
WORDS = ("", "a", "ab", "abc", "eth0", "bash", "lo", "zebra")

HEAD = '''from typing import Literal
import purebpf as bpf
from purebpf import Array, Global, HashMap, Ptr, RingBuf, be16, be32, char, i8, i16, i32, i64, u8, u16, u32, u64
'''


class E(NamedTuple):
    """An expression: its text, and the range of its type (of a literal: of its value)."""

    text: str
    r: Range


class Place(NamedTuple):
    """Something that can be read and assigned: its text and its type: a width, a struct's name, `text` or `array`."""

    text: str
    kind: str


class Program(NamedTuple):
    """Declarations, functions, and the statements of `prog`, each a block of lines that can be left out."""

    head: str
    statements: list[str]
    packet: bytes

    @property
    def text(self) -> str:
        return self.head + "\n".join(self.statements) + "\n    return 2\n"


class Writer:
    """Writes one program. `names` are the local names in reach, with their kinds."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.names: dict[str, str] = {}
        self.fields: dict[str, list[tuple[str, str]]] = {}
        self.arrays: dict[str, tuple[str, int]] = {}
        self.functions: list[str] = []
        self.counter = 0
        self.pure = False  # no calls in expressions, where an order would be nobody's business
        self.locked: set[str] = set()  # maps that names point into

    def pick(self, *options: str) -> str:
        return self.rnd.choice(options)

    def chance(self, p: float) -> bool:
        return self.rnd.random() < p

    def fresh(self) -> str:
        self.counter += 1
        return f"x{self.counter}"

    # --- declarations

    def program(self) -> Program:
        r = self.rnd
        small = [(f"f{i}", r.choice(list(WIDTHS))) for i in range(r.randint(2, 4))]
        a, b = r.choice(NUMBERS[:3]), r.choice(NUMBERS)
        self.fields["P"] = small
        self.fields["S"] = [("n", r.choice(NUMBERS)), ("p", "P"), ("q", "P"), ("arr", f"{a}*4"), ("name", "text"),
                            ("nick", "text"), ("ps", "P*3"), ("u", "U"), ("bits", "bits:u32"), ("low", "bits:i32"), ("m", r.choice(NUMBERS))]
        self.fields["U"] = [("word", "u32"), ("half", "u16*2"), ("byte", "u8*4")]
        text = HEAD + "\n@bpf.struct\nclass P:\n" + "".join(f"    {n}: {w}\n" for n, w in small)
        text += "\n@bpf.union\nclass U:\n    word: u32\n    half: Array[u16, Literal[2]]\n    byte: Array[u8, Literal[4]]\n"
        text += "\n@bpf.struct\nclass S:\n" + "".join(f"    {n}: {self.declared(w, n)}\n" for n, w in self.fields["S"])
        text += f"""
g0 = Global[u64]({r.randint(0, 9)})
g1 = Global[i32](-3)
ga = Global[Array[{b}, Literal[4]]]()
gs = Global[S]()
gt = Global[S]()
h = HashMap[u32, u64](max_entries=64)
hs = HashMap[u16, S](max_entries=64)
am = Array[i32](max_entries=4)
ap = Array[P](max_entries=3)
ring = RingBuf[P](max_entries=65536)
"""
        self.globals = [Place("g0.value", "u64"), Place("g1.value", "i32"), Place("ga", f"{b}*4"), Place("gs", "S"), Place("gt", "S")]
        for name in ("f0", "f1"):
            text += self.function(name)
        text += self.subprogram() + "\n@bpf.xdp\ndef prog(ctx):\n    pkt = ctx.packet\n"
        self.names = {}
        statements = ["\n".join(self.statement(1, 2)) for _ in range(r.randint(4, 12))]
        return Program(text, statements, bytes(r.randrange(256) for _ in range(r.choice((20, 40, 64, 90)))))

    def declared(self, kind: str, name: str) -> str:
        if kind.startswith("bits:"):
            return f"{kind[5:]}[:{3 if name == 'bits' else 5}]"
        if kind == "text":
            return "Array[char, Literal[8]]" if name == "name" else "Array[char, Literal[12]]"
        return f"Array[{kind[:-2]}, Literal[{kind[-1]}]]" if "*" in kind else kind

    def function(self, name: str) -> str:
        """A plain function of one number that writes a global."""
        self.names = {"k": "u32"}
        lines = [f"\ndef {name}(k: u32) -> i64:"]
        for _ in range(self.rnd.randint(1, 2)):
            lines += self.store(1)
        lines.append(f"    return i64({self.expr(1).text})")
        self.functions.append(name)
        return "\n".join(lines) + "\n"

    def subprogram(self) -> str:
        """A subprogram that writes through a pointer."""
        self.names = {"s": "S", "k": "u32"}
        lines = ["\n@bpf.func\ndef sub(s: Ptr[S], k: u32) -> i64:"]
        for _ in range(self.rnd.randint(1, 3)):
            lines += self.store(1)
        lines.append(f"    return i64({self.expr(1).text})")
        return "\n".join(lines) + "\n"

    # --- places

    def place(self, want: str = "number", depth: int = 3) -> Place | None:
        """A random place of a kind: `number`, `text`, a struct's name, `array` or an exact kind."""
        for _ in range(12):
            found = self.walk(self.rnd.choice(self.roots()))
            kind = found.kind
            number = kind in WIDTHS or kind.startswith("bits:")
            if kind == want or (want == "number" and number) or (want == "array" and "*" in kind and kind[0] != "P"):
                return found
        return None

    def roots(self) -> list[Place]:
        return self.globals + [Place(n, k) for n, k in self.names.items() if k in ("P", "S", "U") or "*" in k]

    def walk(self, at: Place) -> Place:
        """Deeper into a place, perhaps."""
        while not (at.kind in WIDTHS or at.kind == "text" or at.kind.startswith("bits")) and self.chance(0.85):
            if at.kind in self.fields:
                name, kind = self.rnd.choice(self.fields[at.kind])
                at = Place(f"{at.text}.{name}", kind)
            else:
                elem, count = at.kind.split("*")
                at = Place(f"{at.text}[{self.index(int(count))}]", elem)
        return at

    def index(self, count: int) -> str:
        if self.chance(0.55):
            return str(self.rnd.randrange(count))
        inner = self.leaf().text if self.pure or self.chance(0.7) else self.expr(1).text
        if self.chance(0.05):
            return "u8(g0.value) & 7"
        return f"u8({inner}) % {count}" if self.chance(0.5) or count == 3 else f"u8({inner}) & {count - 1}"

    # --- expressions

    def literal(self) -> E:
        n = self.rnd.choice(LITERALS)
        return E(f"({n})" if n < 0 else str(n), (n, n))

    def cast(self, e: E, width: str) -> E:
        """The number as one of this width; a literal stays one, as the compiler sees it."""
        if e.r[0] == e.r[1]:
            n = wrap(e.r[0], WIDTHS[width])
            return E(f"({n})" if n < 0 else str(n), (n, n))
        return self.typed(e.text, width)

    def typed(self, text: str, width: str) -> E:
        return E(f"{width}({text})", WIDTHS[width])

    def stored(self, kind: str, depth: int) -> str:
        """A number to be put into a place: any, but a literal that fits (another is an error, and should be)."""
        e = self.expr(depth)
        width = kind[5:] if kind.startswith("bits:") else kind
        if e.r[0] == e.r[1]:
            return str(e.r[0] & 7) if kind.startswith("bits:") else self.cast(e, width).text
        return e.text

    def leaf(self) -> E:
        numbers = [n for n, k in self.names.items() if k in NUMBERS]
        if numbers and self.chance(0.4):
            name = self.rnd.choice(numbers)
            return E(name, WIDTHS[self.names[name]])
        if self.chance(0.2):
            return self.literal()
        found = Place(self.pick("g0.value", "g1.value"), "") if self.chance(0.2) else None
        if found is not None:
            return E(found.text, WIDTHS["u64" if found.text == "g0.value" else "i32"])
        old, self.pure = self.pure, True
        place = self.place()
        self.pure = old
        if place is None:
            return self.literal()
        if place.kind.startswith("bits:"):
            return self.typed(place.text, place.kind[5:])
        return E(place.text, WIDTHS[place.kind])

    def expr(self, depth: int) -> E:
        if depth <= 0:
            return self.leaf()
        pick = self.rnd.random()
        if pick < 0.5:
            return self.binary(depth)
        if pick < 0.62:
            return self.cast(self.expr(depth - 1), self.rnd.choice(NUMBERS))
        if pick < 0.72:
            a, b = self.cast(self.expr(depth - 1), "i64"), self.cast(self.expr(depth - 1), "i64")
            return E(f"i64({a.text} if {self.cond(depth - 1)} else {b.text})", I64)
        if pick < 0.78:
            word = self.pick("and", "or")
            return E(f"i64({self.cast(self.expr(depth - 1), 'i32').text} {word} {self.cast(self.expr(depth - 1), 'i32').text})", I64)
        if pick < 0.84:
            word = self.pick("min", "max")
            return E(f"i64({word}({self.cast(self.expr(depth - 1), 'i64').text}, {self.cast(self.expr(depth - 1), 'i64').text}))", I64)
        if pick < 0.94 and self.functions and not self.pure:
            return E(f"{self.rnd.choice(self.functions)}(u32({self.expr(depth - 1).text}))", I64)
        return self.typed(self.cond(depth - 1), "u8")

    def binary(self, depth: int) -> E:
        word = self.pick("+", "-", "*", "&", "|", "^", "//", "%", "<<", ">>")
        a, b = self.expr(depth - 1), self.expr(depth - 1)
        if a.r[0] == a.r[1] and (b.r[0] == b.r[1] or word in ("<<", ">>")):
            a = E(*self.rnd.choice((("g0.value", U64), ("g1.value", WIDTHS["i32"]))))
        if word in ("//", "%") and b.r == (0, 0):
            b = E("3", (3, 3))
        if word in ("<<", ">>"):
            b = E(f"(u8({b.text}) & 31)", (0, 255))
        type = result_type(word, a.r, b.r)
        if type is None:
            width = self.pick("i64", "u64")
            a, b = self.cast(a, width), self.cast(b, width)
            type = WIDTHS[width]
        if word == "<<":
            return self.typed(f"({a.text} {word} {b.text})", "u64" if type == U64 else "i64")
        return E(f"({a.text} {word} {b.text})", type)

    def cond(self, depth: int) -> str:
        pick = self.rnd.random()
        if pick < 0.12 and depth > 0:
            return f"({self.cond(depth - 1)} {self.pick('and', 'or')} {self.cond(depth - 1)})"
        if pick < 0.2 and (text := self.place("text")):
            return f"({text.text} {self.pick('==', '!=', '<')} {self.pick(*map(repr, WORDS))})"
        if pick < 0.26 and (left := self.place("P")) and (right := self.place("P")):
            return f"({left.text} {self.pick('==', '!=')} {right.text})"
        if pick < 0.32:
            return f"(u32({self.leaf().text}) & 7 in h)"
        a, b = self.expr(depth), self.expr(depth)
        if a.r[0] == a.r[1] and b.r[0] == b.r[1]:
            a = E("g1.value", WIDTHS["i32"])
        return f"({a.text} {self.pick('<', '<=', '==', '!=', '>', '>=')} {b.text})"

    # --- statements

    def block(self, depth: int, nest: int) -> list[str]:
        outer = dict(self.names)
        lines = [line for _ in range(self.rnd.randint(1, 3)) for line in self.statement(depth, nest)]
        self.names = outer
        return lines

    def statement(self, depth: int, nest: int) -> list[str]:
        pick = self.rnd.random()
        if nest > 0 and pick < 0.12:
            lines = ["    " * depth + f"if {self.cond(2)}:", *self.block(depth + 1, nest - 1)]
            return lines + (["    " * depth + "else:", *self.block(depth + 1, nest - 1)] if self.chance(0.5) else [])
        if nest > 0 and pick < 0.2:
            name = self.fresh()
            head = ["    " * depth + f"for {name}_ in range({self.rnd.randint(1, 4)}):", "    " * (depth + 1) + f"{name}: u32 = u32({name}_)"]
            outer = dict(self.names)
            self.names[name] = "u32"
            body = self.block(depth + 1, nest - 1)
            self.names = outer
            return head + body
        kinds = (self.store, self.store, self.local, self.aggregate, self.aggregate, self.swap, self.alias, self.fresh_struct,
                 self.hash, self.looked_up, self.copied, self.strings, self.record, self.header, self.order, self.pair)
        return self.rnd.choice(kinds)(depth)

    def store(self, depth: int) -> list[str]:
        """A number put into a place, plainly or with an operator."""
        place, pad = self.place(), "    " * depth
        if place is None:
            return self.local(depth)
        if self.chance(0.5) or place.kind.startswith("bits"):
            return [f"{pad}{place.text} = {self.stored(place.kind, 2)}"]
        word = self.pick("+", "-", "*", "&", "|", "^")
        value = self.expr(2)
        if result_type(word, WIDTHS[place.kind], value.r) is None:  # only with a literal can a side be exact
            value = self.cast(value, "u64" if place.kind[0] in "ub" else "i64")
        return [f"{pad}{place.text} {word}= {value.text}"]

    def local(self, depth: int) -> list[str]:
        pad = "    " * depth
        numbers = [n for n, k in self.names.items() if k in NUMBERS and n[0] == "x"]
        if numbers and self.chance(0.5):
            name = self.rnd.choice(numbers)
            return [f"{pad}{name} = {self.names[name]}({self.expr(2).text})"]
        name, width = self.fresh(), self.rnd.choice(NUMBERS)
        line = f"{pad}{name}: {width} = {width}({self.expr(2).text})"
        self.names[name] = width
        return [line]

    def aggregate(self, depth: int) -> list[str]:
        """A whole struct or array copied."""
        kind = self.pick("P", "P", "U", "S", "array")
        a = self.place(kind)
        b = self.place(a.kind) if a else None
        if a is None or b is None or self.is_name(a):
            return self.store(depth)
        return ["    " * depth + f"{a.text} = {b.text}"]

    def is_name(self, place: Place) -> bool:
        """A bare name: assigning it binds, which is no store. A global struct is assigned through `.value`."""
        return place.text in self.names or place.text in ("gs", "gt", "ga")

    def swap(self, depth: int) -> list[str]:
        kind = self.pick("P", "P", "text", "array", "number")
        a = self.place(kind)
        b = self.place(a.kind) if a else None
        if a is None or b is None or self.is_name(a) or self.is_name(b):
            return self.store(depth)
        return ["    " * depth + f"{a.text}, {b.text} = {b.text}, {a.text}"]

    def alias(self, depth: int) -> list[str]:
        """A name for something in memory, used before and after that is replaced."""
        place = self.place(self.pick("P", "array", "U"))
        if place is None:
            return self.store(depth)
        name, pad = self.fresh(), "    " * depth
        lines = [f"{pad}{name} = {place.text}"]
        self.names[name] = place.kind
        other = self.place(place.kind)
        if other is not None and self.chance(0.5) and not self.is_name(place):
            lines.append(f"{pad}{place.text} = {other.text}")
        return lines + self.store(depth)

    def fresh_struct(self, depth: int) -> list[str]:
        name, pad = self.fresh(), "    " * depth
        given = [f"{n}={self.stored(w, 1)}"
                 for n, w in self.fields["P"] if self.chance(0.7)]
        lines = [f"{pad}{name} = P({', '.join(given)})"] if self.chance(0.8) else [f"{pad}{name} = S()"]
        self.names[name] = "S" if lines[0].endswith("S()") else "P"
        return lines + self.store(depth)

    def key(self) -> str:
        return f"u32({self.leaf().text}) & 7"

    def hash(self, depth: int) -> list[str]:
        pad = "    " * depth
        match self.rnd.randrange(7):
            case 0:
                return [f"{pad}h[{self.key()}] = {self.stored('u64', 2)}"]
            case 1:
                old, self.pure = self.pure, True
                value = self.cast(self.expr(1), "u64")
                self.pure = old
                return [f"{pad}h[{self.key()}] += {value.text}"]
            case 2:
                return [f"{pad}del h[{self.key()}]"]
            case 3:
                return [f"{pad}h.setdefault({self.key()}, {self.cast(self.expr(1), 'u64').text})"]
            case 4:
                return [f"{pad}am[{self.index(4)}] {self.pick('=', '+=')} {self.cast(self.expr(1), 'i32').text}"]
            case 5:
                place = self.place("P")
                return [f"{pad}ap[{self.index(3)}] = {place.text}"] if place else self.store(depth)
        place = self.place("S")
        if place is None or "hs" in self.locked:
            return self.store(depth)
        return [f"{pad}hs[{self.key()}] = {place.text}"]

    def looked_up(self, depth: int) -> list[str]:
        """A value in place, used where it is there."""
        name, pad = self.fresh(), "    " * depth
        if "hs" in self.locked:
            return self.store(depth)
        lines = [f"{pad}{name} = hs.lookup({self.key()})", f"{pad}if {name} is not None:"]
        outer, self.names = self.names, {**self.names, name: "S"}
        self.locked.add("hs")
        lines += self.store(depth + 1) + self.rnd.choice((self.aggregate, self.call, self.store))(depth + 1)
        self.locked.discard("hs")
        self.names = outer
        return lines

    def copied(self, depth: int) -> list[str]:
        """`get`: a copy, of a number or of a struct, that later writes do not reach."""
        name, pad, number = self.fresh(), "    " * depth, self.chance(0.5)
        if not number and "hs" in self.locked:
            return self.store(depth)
        key = self.key()
        lines = [f"{pad}{name} = {'h' if number else 'hs'}.get({key})", f"{pad}if {name} is not None:"]
        if number:
            lines.append(f"{pad}    h[{key}] = {self.stored('u64', 1)}")
        outer, self.names = self.names, {**self.names, name: "u64" if number else "S"}
        lines += self.store(depth + 1)
        self.names = outer
        return lines

    def call(self, depth: int) -> list[str]:
        place = self.place("S")
        if place is None:
            return self.store(depth)
        name = self.fresh()
        line = "    " * depth + f"{name}: i64 = sub({place.text}, u32({self.expr(1).text}))"
        self.names[name] = "i64"
        return [line]

    def strings(self, depth: int) -> list[str]:
        pad, place = "    " * depth, self.place("text")
        if place is None:
            return self.store(depth)
        match self.rnd.randrange(4):
            case 0:
                return [f"{pad}{place.text} = {self.pick(*map(repr, WORDS))}"]
            case 1:
                other = self.place("text")
                return [f"{pad}{place.text} = {other.text}"] if other else []
            case 2:
                name = self.fresh()
                return [f"{pad}{name} = {place.text}", f"{pad}{place.text} = {self.pick(*map(repr, WORDS))}",
                        f"{pad}if {name} == {self.pick(*map(repr, WORDS))}:", *self.store(depth + 1)]
        name = self.fresh()
        self.names[name] = "u32"
        return [f"{pad}{name}: u32 = u32(len({place.text}))"]

    def record(self, depth: int) -> list[str]:
        pad = "    " * depth
        place = self.place("P")
        if place is None or self.chance(0.5):
            name = self.fresh()
            field, width = self.rnd.choice(self.fields["P"])
            return [f"{pad}with ring.reserve() as {name}:", f"{pad}    {name}.{field} = {self.stored(width, 1)}"]
        return [f"{pad}ring.output({place.text})"]

    def header(self, depth: int) -> list[str]:
        """A header pulled, peeked at or looked for at an offset: read and written where it is there."""
        pad, name = "    " * depth, self.fresh()
        if "pkt_moves" in self.locked or depth > 1:
            return self.store(depth)
        what = self.pick("pkt.pull(P)", "pkt.peek(P)", f"pkt.at({self.rnd.randrange(20)}, P)", "pkt.pull(u16)", "pkt[u8(0) + 3]")
        if what.startswith("pkt["):
            return [f"{pad}{name}: u8 = u8(pkt[{self.rnd.randrange(24)}])"]
        lines = [f"{pad}{name} = {what}", f"{pad}if {name} is not None:"]
        if "u16" in what:
            return [*lines, f"{pad}    {name}.value {self.pick('=', '+=', '^=')} {self.cast(self.expr(1), 'u16').text}"]
        outer, self.names = self.names, {**self.names, name: "P"}
        lines += self.store(depth + 1) + self.aggregate(depth + 1)
        self.names = outer
        return lines

    def order(self, depth: int) -> list[str]:
        """`a[f()] += g()`, and sums of what is written meanwhile."""
        pad, f, g = "    " * depth, self.pick("f0", "f1"), self.pick("f0", "f1")
        match self.rnd.randrange(3):
            case 0:
                return [f"{pad}ga[{f}(u32({self.leaf().text})) & 3] += u8({g}(u32({self.leaf().text})))"]
            case 1:
                return [f"{pad}g1.value = i32(g1.value + i32({f}(1)) - i32({self.leaf().text}))"]
        return [f"{pad}am[u8({f}(2)) & 3] = i32({g}(u32({self.leaf().text})))"]

    def pair(self, depth: int) -> list[str]:
        a, b = self.place(), self.place()
        if a is None or b is None:
            return self.store(depth)
        return ["    " * depth + f"{a.text}, {b.text} = {self.stored(a.kind, 1)}, {self.stored(b.kind, 1)}"]


# --- judging ------------------------------------------------------------------------------------------------------------


def main() -> int:
    """Run programs; print counts by what happened, and the smallest that fails."""
    from .effects_run import judge, shrunk

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    seen: Counter[str] = Counter()
    smallest: tuple[int, str, str] | None = None
    for seed in range(start, start + count):
        program = Writer(seed).program()
        why = judge(program)
        kind = why.split(":")[0] if why else "right"
        seen[kind] += 1
        if why and (smallest is None or len(program.text) < smallest[0]):
            smallest = len(program.text), f"seed {seed}: {why}", program.text
            least = shrunk(program, kind)
            smallest = len(least.text), f"seed {seed}: {judge(least)}", least.text
        if (seed - start + 1) % 100 == 0:
            print(dict(seen), flush=True)
    print(dict(seen))
    if smallest:
        print(f"\n{smallest[1]}\n{smallest[2]}")
    return int(set(seen) != {"right"})


if __name__ == "__main__":
    raise SystemExit(main())


__all__ = ["HEAD", "Program", "Writer"]
