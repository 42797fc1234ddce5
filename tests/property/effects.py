"""Random programs with effects: globals, arrays, hashes, structs, unions, bit-fields, strings, records, packets, pointers.

`Writer(seed).program()` is a module's text with an XDP program `prog`; `model.run` says what it must do, and the VM (both
levels) and the kernel are held to it. Everything that Python orders is seen: functions write what the expression that
calls them reads, names are aliases, aggregates are swapped and overlap.

    python -m tests.property.effects 1000 [seed]      that many programs, counts, and the smallest that fails
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import NamedTuple

from .effects_exprs import NUMBERS, WIDTHS, WORDS, Exprs, Place
from .model_ints import result_type

HEAD = '''from typing import Literal
import purebpf as bpf
from purebpf import Array, Global, HashMap, Ptr, RingBuf, be16, be32, char, i8, i16, i32, i64, u8, u16, u32, u64
'''


class Program(NamedTuple):
    """Declarations, functions, and the statements of `prog`, each a block of lines that can be left out."""

    head: str
    statements: list[str]
    packet: bytes

    @property
    def text(self) -> str:
        return self.head + "\n".join(self.statements) + "\n    return 2\n"


class Writer(Exprs):
    """Writes one program."""

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
        text += self.both() + self.maybe() + self.subprogram() + "\n@bpf.xdp\ndef prog(ctx):\n    pkt = ctx.packet\n"
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

    def both(self) -> str:
        """A function with two results, that writes."""
        self.names = {"k": "u32"}
        return "\n".join(["\ndef both(k: u32):", *self.store(1),
                          f"    return u32({self.expr(1).text}), i64({self.expr(1).text})"]) + "\n"

    def maybe(self) -> str:
        """A function that gives a number or None."""
        self.names = {"k": "u32"}
        return "\n".join(["\ndef maybe(k: u32):", f"    if {self.cond(1)}:", *self.store(2), "        return None",
                          f"    return i32({self.expr(1).text})"]) + "\n"

    def subprogram(self) -> str:
        """A subprogram that writes through a pointer."""
        self.names = {"s": "S", "k": "u32"}
        lines = ["\n@bpf.func\ndef sub(s: Ptr[S], k: u32) -> i64:"]
        for _ in range(self.rnd.randint(1, 3)):
            lines += self.store(1)
        lines.append(f"    return i64({self.expr(1).text})")
        return "\n".join(lines) + "\n"

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
                 self.hash, self.looked_up, self.copied, self.strings, self.record, self.header, self.order, self.pair,
                 self.optional, self.two_results, self.several_ways, self.countdown, self.each)
        if depth == 1 and self.chance(0.05):
            return self.callback(depth)
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
                return [f"{pad}{place.text} = {other.text}"] if other else self.store(depth)
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

    def optional(self, depth: int) -> list[str]:
        """A name that is None on one path, and a number on the other."""
        pad, name = "    " * depth, self.fresh()
        if self.chance(0.5):
            lines = [f"{pad}{name} = maybe(u32({self.expr(1).text}))"]
        else:
            lines = [f"{pad}{name} = None", f"{pad}if {self.cond(1)}:", f"{pad}    {name} = i32({self.expr(1).text})"]
        outer, self.names = self.names, {**self.names, name: "i32"}
        lines += [f"{pad}if {name} is not None:", *self.store(depth + 1)]
        self.names = outer
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.4) else [])

    def two_results(self, depth: int) -> list[str]:
        """Names of their own kind: they are not annotated, so nothing else is assigned to them."""
        self.counter += 1
        a, b = f"t{self.counter}", f"s{self.counter}"
        line = "    " * depth + f"{a}, {b} = both(u32({self.expr(1).text}))"
        self.names[a], self.names[b] = "u32", "i64"
        return [line, *self.store(depth)]

    def several_ways(self, depth: int) -> list[str]:
        pad = "    " * depth
        lines = [f"{pad}match u8({self.expr(1).text}) & 7:"]
        for pattern in ("0", "1 | 2", f"3 if {self.cond(1)}", "_"):
            outer = dict(self.names)
            lines += [f"{pad}    case {pattern}:", *self.store(depth + 2)]
            self.names = outer
        return lines

    def countdown(self, depth: int) -> list[str]:
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name}: u32 = u32({self.rnd.randint(1, 4)})", f"{pad}while {name} > 0:", f"{pad}    {name} = u32({name} - 1)"]
        outer = dict(self.names)
        lines += self.store(depth + 1)
        if self.chance(0.3):
            lines += [f"{pad}    if {self.cond(1)}:", f"{pad}        {self.pick('break', 'continue')}"]
        self.names = outer
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.3) else [])

    def each(self, depth: int) -> list[str]:
        """Over an array, with or without the index."""
        pad, place, name = "    " * depth, self.place("array"), self.fresh()
        if place is None or place.kind.split("*")[0] not in NUMBERS:
            return self.store(depth)
        over = place.text if self.chance(0.5) else f"enumerate({place.text})"
        heads = f"{name}i, {name}" if over.startswith("enum") else name
        outer, self.names = self.names, {**self.names, name: place.kind.split("*")[0]}
        lines = [f"{pad}for {heads} in {over}:", f"{pad}    {name}x: i64 = i64({name})"]
        self.names[f"{name}x"] = "i64"
        del self.names[name]
        lines += self.store(depth + 1)
        self.names = outer
        return lines

    def callback(self, depth: int) -> list[str]:
        """A nested function for `bpf.loop`, that writes what it captures."""
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name}: u32 = u32({self.expr(1).text})", f"{pad}def {name}f(i):", f"{pad}    nonlocal {name}"]
        outer = dict(self.names)
        self.names = {name: "u32"}
        lines += [*self.store(depth + 1), f"{pad}    {name} = u32({self.expr(1).text})"]
        self.names = {**outer, name: "u32"}
        return [*lines, f"{pad}bpf.loop({self.rnd.randint(1, 4)}, {name}f)", *self.store(depth)]

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
