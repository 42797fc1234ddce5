"""Random places and expressions, for programs with effects: text, with the type that the language gives it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .model_ints import I64, U64, Range, result_type, wrap

WIDTHS: dict[str, Range] = {
    **{f"u{b}": (0, 2**b - 1) for b in (8, 16, 32, 64)}, **{f"i{b}": (-(2 ** (b - 1)), 2 ** (b - 1) - 1) for b in (8, 16, 32, 64)},
    "be16": (0, 2**16 - 1), "be32": (0, 2**32 - 1), "be64": (0, 2**64 - 1)}
NUMBERS = [w for w in WIDTHS if w[0] != "b"]
LITERALS = (0, 1, 2, 3, 5, 7, 8, 31, 100, 127, 128, 255, 256, 1000, 65535, 65536, 2**31 - 1, 2**32 - 1, 2**63 - 1, -1, -2, -7, -128, -40000)
WORDS = ("", "a", "ab", "abc", "eth0", "bash", "lo", "zebra")


class E(NamedTuple):
    """An expression: its text, and the range of its type (of a literal: of its value)."""

    text: str
    r: Range


class Place(NamedTuple):
    """Something that can be read and assigned: its text and its type: a width, a struct's name, `text`, `bits:…` or `elem*count`."""

    text: str
    kind: str


class Exprs:
    """Writes expressions. `names` are the local names in reach, with their kinds; a tuple's is `(kind, kind)`."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.names: dict[str, str] = {}
        self.globals: list[Place] = []
        self.fields: dict[str, list[tuple[str, str]]] = {}
        self.methods: list[tuple[str, bool]] = []  # of P, and whether they take a number and write
        self.functions: list[str] = []
        self.ready: set[str] = set()  # other functions that are written by now
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

    @contextmanager
    def scope(self, **names: str) -> Iterator[None]:
        """Names that are in reach for a while; those that come meanwhile go with them."""
        outer = dict(self.names)
        self.names.update(names)
        yield
        self.names = outer

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Without calls."""
        old, self.pure = self.pure, True
        yield
        self.pure = old

    # --- places

    def place(self, want: str = "number", depth: int = 3) -> Place | None:
        """A random place of a kind: `number`, `text`, a struct's name, `array` (of numbers) or an exact kind."""
        for _ in range(12):
            found = self.walk(self.rnd.choice(self.roots()))
            kind = found.kind
            number = kind in WIDTHS or kind.startswith("bits:")
            if kind == want or (want == "number" and number) or (want == "array" and kind.count("*") == 1 and kind[0] != "P"):
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
                elem, count = at.kind.rsplit("*", 1)
                at = Place(f"{at.text}[{self.index(int(count), -int(count))}]", elem)
        return at

    def index(self, count: int, least: int = 0) -> str:
        """An index of an array of `count`; `least`: the smallest that may be written."""
        if self.chance(0.55):
            return str(self.rnd.randrange(least if self.chance(0.2) else 0, count))
        inner = self.leaf().text if self.pure or self.chance(0.7) else self.expr(1).text
        if self.chance(0.05):
            return "u8(g0.value) & 7"
        return f"u8({inner}) % {count}" if self.chance(0.5) or count & (count - 1) else f"u8({inner}) & {count - 1}"

    # --- numbers

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

    def number(self, width: str, depth: int) -> str:
        """The text of a number of this width."""
        return self.cast(self.expr(depth), width).text

    def sure(self, width: str, depth: int) -> str:
        """The same, but no literal."""
        return self.cast(self.computed(depth), width).text

    def masked(self, mask: int) -> str:
        """A small number that is known at run time."""
        return f"{self.sure('u8', 1)} & {mask}"

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
        tuples = [n for n, k in self.names.items() if k[0] == "("]
        if tuples and self.chance(0.3):
            name = self.rnd.choice(tuples)
            kinds = self.names[name][1:-1].split(", ")
            i = self.rnd.randrange(len(kinds))
            return E(f"{name}[{i}]", WIDTHS[kinds[i]])
        if self.chance(0.2):
            return self.literal()
        if self.chance(0.2):
            text, width = self.rnd.choice((("g0.value", "u64"), ("g1.value", "i32"), ("c0.value", "u32"), ("c1.value", "i16")))
            return E(text, WIDTHS[width])
        with self.quietly():
            place = self.place()
        if place is None:
            return self.literal()
        return self.typed(place.text, place.kind[5:]) if place.kind.startswith("bits:") else E(place.text, WIDTHS[place.kind])

    def computed(self, depth: int) -> E:
        """An expression that is no literal: what is chosen from literals alone is one, and then it has to fit."""
        e = self.expr(depth)
        return E("g1.value", WIDTHS["i32"]) if e.r[0] == e.r[1] else e

    def expr(self, depth: int) -> E:
        if depth <= 0:
            return self.leaf()
        pick = self.rnd.random()
        if pick < 0.45:
            return self.binary(depth)
        if pick < 0.55:
            return self.cast(self.expr(depth - 1), self.rnd.choice(NUMBERS))
        if pick < 0.64:
            return E(f"i64({self.sure('i64', depth - 1)} if {self.cond(depth - 1)} else {self.sure('i64', depth - 1)})", I64)
        if pick < 0.69:
            return E(f"i64({self.sure('i32', depth - 1)} {self.pick('and', 'or')} {self.number('i32', depth - 1)})", I64)
        if pick < 0.74:
            return E(f"i64({self.pick('min', 'max')}({self.sure('i64', depth - 1)}, {self.number('i64', depth - 1)}))", I64)
        if pick < 0.84 and self.functions and not self.pure:
            return self.called(depth)
        if pick < 0.92:
            return self.unusual(depth)
        return self.typed(self.cond(depth - 1), "u8")

    def called(self, depth: int) -> E:
        """Functions and methods that write."""
        pick = self.rnd.random()
        if pick < 0.6:
            return E(f"{self.rnd.choice(self.functions)}(u32({self.expr(depth - 1).text}))", I64)
        if pick < 0.8 and self.methods and (place := self.place("P")):
            name, writes = self.rnd.choice(self.methods)
            return E(f"{place.text}.{name}({self.sure('u32', depth - 1) if writes else ''})", I64)
        if "given" not in self.ready:
            return self.leaf()
        k, m = self.number("u32", depth - 1), self.number("i16", depth - 1)
        return E("given(" + self.pick(k, f"{k}, {m}", f"m={m}, k={k}", f"{k}, n={m}", f"n={m}, k={k}") + ")", I64)

    def unusual(self, depth: int) -> E:
        match self.rnd.randrange(8):
            case 0:
                return E(f"i64(abs({self.sure('i32', depth - 1)}))", I64)
            case 1:
                return self.typed(f"{self.sure('u16', depth - 1)}.{self.pick('bit_length', 'bit_count')}()", "u32")
            case 2:
                return E(f"i64({self.sure('u8', depth - 1)} ** {self.rnd.randint(0, 4)})", I64)
            case 3:
                return E(f"i64({self.pick('-', '~')}{self.sure('i32', depth - 1)})", I64)
            case 4 if (array := self.place("array")) and self.small(array):
                name = self.fresh()
                over = f"({name} for {name} in {array.text} if {name} {self.pick('<', '!=', '>')} {self.sure('i32', 0)})"
                return E("i64(" + self.pick(f"sum({array.text})", f"sum{over}", f"max({over}, default=7)", f"min({over}, default=0)") + ")", I64)
            case 5 if not self.pure and "maybe" in self.ready:
                return E(f"i64(maybe({self.sure('u32', depth - 1)}) or {self.sure('i32', depth - 1)})", I64)
            case 6 if not self.pure:
                return self.typed(f"h.get({self.key()}, {self.number('u64', depth - 1)})", "u64")
            case _:
                name = self.fresh()
                return E(f"i64(({name} := {self.sure('i32', depth - 1)}) {self.pick('+', '*', '^')} {name})", I64)

    def small(self, array: Place) -> bool:
        """Whether sums of its elements are i64, whatever they are."""
        return array.kind.split("*")[0] in NUMBERS and "64" not in array.kind

    def key(self) -> str:
        e = self.leaf()
        return f"u32({e.text if e.r[0] != e.r[1] else 'g0.value'}) & 7"

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
            if word in ("//", "%") and b.r == (0, 0):
                b = E("3", (3, 3))
            type = result_type(word, a.r, b.r) or WIDTHS[width]
        if word == "<<":
            return self.typed(f"({a.text} {word} {b.text})", "u64" if type == U64 else "i64")
        return E(f"({a.text} {word} {b.text})", type)

    # --- truth

    def cond(self, depth: int) -> str:
        pick = self.rnd.random()
        if pick < 0.12 and depth > 0:
            return f"({self.cond(depth - 1)} {self.pick('and', 'or')} {self.cond(depth - 1)})"
        if pick < 0.2 and (text := self.place("text")):
            return self.about_text(text.text)
        if pick < 0.26 and (left := self.place("P")) and (right := self.place("P")):
            return f"({left.text} {self.pick('==', '!=')} {right.text})"
        if pick < 0.32 and not self.pure:
            absent = f"(maybe({self.sure('u32', depth)}) is None)" if "maybe" in self.ready else f"(h.get({self.key()}) is None)"
            return self.pick(f"(u32({self.leaf().text}) & 7 in h)", absent, f"(h.get({self.key()}) is not None)")
        if pick < 0.36:
            return f"({self.sure('i32', depth)} {self.pick('in', 'not in')} (0, 1, -3, 255, c1.value))"
        if pick < 0.39 and (array := self.place("array")) and self.small(array):
            name = self.fresh()
            return f"{self.pick('any', 'all')}({name} {self.pick('<', '!=', '>')} {self.sure('i32', 0)} for {name} in {array.text})"
        if pick < 0.42:
            return f"(not {self.cond(depth - 1)})" if depth > 0 else f"(({self.sure('u8', 0)}, {self.sure('u8', 0)}) {self.pick('==', '!=')} (0, 1))"
        a, b = self.expr(depth), self.expr(depth)
        if a.r[0] == a.r[1] and b.r[0] == b.r[1]:
            a = E("g1.value", WIDTHS["i32"])
        words = ("<", "<=", "==", "!=", ">", ">=")
        last = f" {self.pick(*words)} {self.sure('i32', depth - 1)}" if self.chance(0.1) else ""
        return f"({a.text} {self.pick(*words)} {b.text}{last})"

    def about_text(self, text: str) -> str:
        word = self.pick(*map(repr, WORDS))
        match self.rnd.randrange(7):
            case 0:
                start, most = self.rnd.randint(0, 2), self.rnd.randint(1, 5)
                return f"({text}[{start}:{start + most}] == {self.pick(*WORDS)[:most]!r})"
            case 1:
                return f"{text}.{self.pick('startswith', 'endswith')}({self.pick(repr('a'), repr('ba'), repr('0'))})"
            case 2:
                return f"({self.pick(repr('a'), repr('b'), repr('ba'))} in {text})"
            case 3 if (other := self.place("text")):
                return f"({text} {self.pick('==', '!=', '<')} {other.text})"
            case 4:
                return f"({text}.find({self.pick(repr('a'), repr('h'))}) {self.pick('<', '>=')} {self.rnd.randint(-1, 2)})"
        return f"({text} {self.pick('==', '!=', '<')} {word})"
