"""Random places and expressions, for programs with effects: text, with the type that the language gives it."""

from __future__ import annotations

import random
from typing import NamedTuple

from .model_ints import I64, U64, Range, result_type, wrap

WIDTHS: dict[str, Range] = {
    **{f"u{b}": (0, 2**b - 1) for b in (8, 16, 32, 64)}, **{f"i{b}": (-(2 ** (b - 1)), 2 ** (b - 1) - 1) for b in (8, 16, 32, 64)},
    "be16": (0, 2**16 - 1), "be32": (0, 2**32 - 1)}
NUMBERS = [w for w in WIDTHS if w[0] != "b"]
LITERALS = (0, 1, 2, 3, 5, 7, 8, 31, 100, 127, 128, 255, 256, 1000, 65535, 65536, 2**31 - 1, 2**32 - 1, 2**63 - 1, -1, -2, -7, -128, -40000)
WORDS = ("", "a", "ab", "abc", "eth0", "bash", "lo", "zebra")


class E(NamedTuple):
    """An expression: its text, and the range of its type (of a literal: of its value)."""

    text: str
    r: Range


class Place(NamedTuple):
    """Something that can be read and assigned: its text and its type: a width, a struct's name, `text` or `array`."""

    text: str
    kind: str


class Exprs:
    """Writes expressions. `names` are the local names in reach, with their kinds."""

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

    def computed(self, depth: int) -> E:
        """An expression that is no literal: what is chosen from literals alone is one, and then it has to fit."""
        e = self.expr(depth)
        return E("g1.value", WIDTHS["i32"]) if e.r[0] == e.r[1] else e

    def expr(self, depth: int) -> E:
        if depth <= 0:
            return self.leaf()
        pick = self.rnd.random()
        if pick < 0.5:
            return self.binary(depth)
        if pick < 0.62:
            return self.cast(self.expr(depth - 1), self.rnd.choice(NUMBERS))
        if pick < 0.72:
            a, b = self.cast(self.computed(depth - 1), "i64"), self.cast(self.computed(depth - 1), "i64")
            return E(f"i64({a.text} if {self.cond(depth - 1)} else {b.text})", I64)
        if pick < 0.78:
            word = self.pick("and", "or")
            return E(f"i64({self.cast(self.computed(depth - 1), 'i32').text} {word} {self.cast(self.expr(depth - 1), 'i32').text})", I64)
        if pick < 0.84:
            word = self.pick("min", "max")
            return E(f"i64({word}({self.cast(self.computed(depth - 1), 'i64').text}, {self.cast(self.expr(depth - 1), 'i64').text}))", I64)
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
