"""Random statements about values: stores, copies, swaps, aliases, tuples, None, text, and the order of what is evaluated."""

from __future__ import annotations

from .effects_exprs import NUMBERS, WIDTHS, WORDS, Exprs, Place
from .model_ints import result_type


class Values(Exprs):
    """Statements as lists of lines, indented by `depth`."""

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
        """A variable of its own width: what is stored wraps."""
        pad = "    " * depth
        numbers = [n for n, k in self.names.items() if k in NUMBERS and n[0] == "x"]
        if numbers and self.chance(0.5):
            name = self.rnd.choice(numbers)
            return [f"{pad}{name} = {self.stored(self.names[name], 2) if self.chance(0.5) else self.number(self.names[name], 2)}"]
        name, width = self.fresh(), self.rnd.choice(NUMBERS)
        line = f"{pad}{name}: {width} = {self.stored(width, 2)}"
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
        if self.chance(0.3):  # two names of one thing
            again = self.fresh()
            lines.append(f"{pad}{again} = {name}")
            self.names[again] = place.kind
        return lines + self.store(depth)

    def fresh_struct(self, depth: int) -> list[str]:
        name, pad = self.fresh(), "    " * depth
        given = [f"{n}={self.stored(w, 1)}" for n, w in self.fields["P"] if self.chance(0.7)]
        lines = [f"{pad}{name} = P({', '.join(given)})"] if self.chance(0.8) else [f"{pad}{name} = S()"]
        self.names[name] = "S" if lines[0].endswith("S()") else "P"
        return lines + self.store(depth)

    def pair(self, depth: int) -> list[str]:
        a, b = self.place(), self.place()
        if a is None or b is None:
            return self.store(depth)
        return ["    " * depth + f"{a.text}, {b.text} = {self.stored(a.kind, 1)}, {self.stored(b.kind, 1)}"]

    def order(self, depth: int) -> list[str]:
        """`a[f()] += g()`, and sums of what is written meanwhile."""
        pad, f, g = "    " * depth, self.pick("f0", "f1"), self.pick("f0", "f1")
        match self.rnd.randrange(5):
            case 0:
                return [f"{pad}ga[{f}(u32({self.leaf().text})) & 3] += u8({g}(u32({self.leaf().text})))"]
            case 1:
                return [f"{pad}g1.value = i32(g1.value + i32({f}(1)) - i32({self.leaf().text}))"]
            case 2:
                return [f"{pad}ga[{f}(1) & 3], g0.value = u8({g}(2)), u64({f}(3) + g1.value)"]
            case 3:
                given = ", ".join(f"{n}={self.sure('u8', 1)}" for n, _ in reversed(self.fields["P"]))
                return [f"{pad}gs.ps[u8({f}(1)) % 3] = P({given})"]
        return [f"{pad}am[u8({f}(2)) & 3] = i32({g}(u32({self.leaf().text})))"]

    # --- tuples and None

    def two_results(self, depth: int) -> list[str]:
        """Names of their own kind: they are not annotated, so nothing else is assigned to them."""
        self.counter += 1
        a, b = f"t{self.counter}", f"s{self.counter}"
        line = "    " * depth + f"{a}, {b} = both({self.sure('u32', 1)})"
        self.names[a], self.names[b] = "u32", "i64"
        return [line, *self.store(depth)]

    def tuples(self, depth: int) -> list[str]:
        """A tuple with a name: made, chosen, given by a function; kept while what it was made of changes."""
        self.counter += 1
        pad, name = "    " * depth, f"t{self.counter}"
        kinds = ["u32", "i64"] if self.chance(0.3) else [self.rnd.choice(NUMBERS) for _ in range(self.rnd.randint(2, 3))]

        def made() -> str:
            return f"({', '.join(self.sure(k, 1) for k in kinds)})"

        match self.rnd.randrange(3):
            case 0 if kinds == ["u32", "i64"]:
                value = f"both({self.sure('u32', 1)})"
            case 1:
                value = f"{made()} if {self.cond(1)} else {made()}"
            case _:
                value = made()
        lines = [f"{pad}{name} = {value}"]
        if self.chance(0.3):
            lines += [f"{pad}if {self.cond(1)}:", f"{pad}    {name} = {made()}"]
        self.names[name] = f"({', '.join(kinds)})"
        return lines + self.store(depth)

    def optional(self, depth: int) -> list[str]:
        """A name that is None on one path, and a number on the other."""
        pad, name = "    " * depth, self.fresh()
        match self.rnd.randrange(4):
            case 0:
                lines = [f"{pad}{name} = maybe({self.sure('u32', 1)})"]
            case 1:
                lines = [f"{pad}{name} = {self.sure('i32', 1)} if {self.cond(1)} else None"]
            case 2:
                lines = [f"{pad}{name} = maybe({self.sure('u32', 1)}) if {self.cond(1)} else maybe({self.sure('u32', 0)})"]
            case _:
                lines = [f"{pad}{name} = None", f"{pad}if {self.cond(1)}:", f"{pad}    {name} = {self.sure('i32', 1)}"]
        with self.scope(**{name: "i32"}):
            lines += [f"{pad}if {name} is not None:", *self.store(depth + 1)]
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.4) else [])

    def chosen(self, depth: int) -> list[str]:
        """One of two structs, chosen at run time, and written through."""
        pad, name = "    " * depth, self.fresh()
        a, b = self.place("P"), self.place("P")
        if a is None or b is None:
            return self.store(depth)
        lines = [f"{pad}{name} = {a.text} if {self.cond(1)} else {b.text}"] if self.chance(0.6) else [
            f"{pad}{name} = {a.text}", f"{pad}if {self.cond(1)}:", f"{pad}    {name} = {b.text}"]
        self.names[name] = "P"
        field, width = self.rnd.choice(self.fields["P"])
        return [*lines, f"{pad}{name}.{field} = {self.stored(width, 1)}"]

    def passed(self, depth: int) -> list[str]:
        """A struct given to plain functions, which write to it and give it back."""
        pad, name, a, b = "    " * depth, self.fresh(), self.place("P"), self.place("P")
        if a is None or b is None:
            return self.store(depth)
        line = f"{pad}{name} = either({a.text}, {b.text}, {self.sure('u32', 1)})"
        self.names[name] = "P"
        return [line, *self.store(depth)]

    # --- text

    def strings(self, depth: int) -> list[str]:
        pad, place = "    " * depth, self.place("text")
        if place is None:
            return self.store(depth)
        word, name = self.pick(*map(repr, WORDS)), self.fresh()
        other = self.place("text") or place
        match self.rnd.randrange(8):
            case 0:
                return [f"{pad}{place.text} = {word}"]
            case 1:
                return [f"{pad}{place.text} = {other.text}"]
            case 2:
                return [f"{pad}{name} = {place.text}", f"{pad}{place.text} = {word}", f"{pad}if {name} == {self.pick(*map(repr, WORDS))}:",
                        *self.store(depth + 1)]
            case 3:
                return [f"{pad}{place.text} = f\"{self.formatted()}\""]
            case 4:
                return [f"{pad}{place.text} = {other.text}[{self.pick('1:', ':2', '1:3', '-2:', ':-1', 'u8(g0.value) & 3:', ':u8(g1.value) & 7')}]"]
            case 5:
                return [f"{pad}{place.text} = {other.text} if {self.cond(1)} else {word}"]
            case 6:
                line = f"{pad}{name}: u32 = {place.text}[{self.masked(7)}]"
                self.names[name] = "u32"
                return [line]
        self.names[name] = "u32"
        return [f"{pad}{name}: u32 = len({place.text})"]

    def formatted(self) -> str:
        """The inside of an f-string."""
        parts = []
        for _ in range(self.rnd.randint(1, 2)):
            text = self.place("text")
            with self.quietly():
                number = self.sure(self.rnd.choice(NUMBERS), 1)
                small = self.sure("u32", 0)
            parts.append(self.pick(f"{{{number}}}", f"{{{small}:x}}", f"{{{small}:4}}", f"{{{small}:<3}}", f"{{{small}:03}}", "-", "ab",
                                   f"{{{text.text}}}" if text else ":"))
        return "".join(parts).replace('"', "'")
