"""Random programs with effects: globals, arrays, hashes, structs, unions, bit-fields, strings, tuples, records, packets, pointers.

`Writer(seed).program()` is a module's text with a program `prog`, of XDP or tc; `model.run` says what it must do, and the VM
(both levels) and the kernel are held to it. Everything that Python orders is seen: functions write what the expression that
calls them reads, names are aliases, aggregates are swapped and overlap.

    python -m tests.property.effects 1000 [seed]      that many programs, counts, and the smallest that fails
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from .effects_exprs import NUMBERS, WIDTHS, Place
from .effects_stores import Stores

HEAD = '''from typing import Literal
import purebpf as bpf
from purebpf import Array, Const, Global, HashMap, LruHash, PerCpuArray, PerCpuHash, Ptr, Queue, RingBuf, Stack
from purebpf import be16, be32, be64, char, i8, i16, i32, i64, u8, u16, u32, u64
'''
MAPS = '''h = {hash}[u32, u64](max_entries=1024)
hs = HashMap[u16, S](max_entries=64)
hp = HashMap[P, u32](max_entries=64)
ht = HashMap[Array[char, Literal[8]], i32](max_entries=64)
am = Array[i32](max_entries=4)
ap = Array[P](max_entries=3)
al = Array[L](max_entries=4)
pa = PerCpuArray[u64](max_entries=3)
ph = PerCpuHash[u32, i32](max_entries=16)
qu = Queue[u32](max_entries=4)
st = Stack[u32](max_entries=4)
ring = RingBuf[P](max_entries=65536)
'''


class Program(NamedTuple):
    """Declarations, functions, the statements of `prog`, each a block of lines that can be left out, and its end."""

    head: str
    statements: list[str]
    packet: bytes
    end: str = "    return 2\n"

    @property
    def text(self) -> str:
        return self.head + "\n".join(self.statements) + "\n" + self.end


class Writer(Stores):
    """Writes one program."""

    def program(self) -> Program:
        r = self.rnd
        text = HEAD + self.structs()
        text += f"g0 = Global[u64]({r.randint(0, 9)})\ng1 = Global[i32](-3)\nga = Global[Array[{self.fields['ga'][0][1]}, Literal[4]]]()\n"
        text += f"gs = Global[S]()\ngt = Global[S]()\nc0 = Const[u32]({r.randint(0, 300)})\nc1 = Const[i16]({r.randint(-9, 9)})\n"
        text += MAPS.format(hash=self.pick("HashMap", "HashMap", "LruHash"))
        self.globals = [Place("g0.value", "u64"), Place("g1.value", "i32"), Place("ga", self.fields.pop("ga")[0][1] + "*4"), Place("gs", "S"),
                        Place("gt", "S")]
        for write in (lambda: self.function("f0"), lambda: self.function("f1"), self.given, self.both, self.maybe, self.either, self.front,
                      self.subprogram, self.perhaps, self.wide):
            text += write()
        kind = "tc" if self.chance(0.3) else "xdp"
        text += f"\n@bpf.{kind}\ndef prog(ctx):\n    pkt = ctx.packet\n"
        self.names = {}
        statements = ["\n".join(self.statement(1, 2)) for _ in range(r.randint(3, 8))]
        end = f"    return u32({self.expr(1).text}) & 7\n" if self.chance(0.3) else f"    return {0 if kind == 'tc' else 2}\n"
        return Program(text, statements, bytes(r.randrange(256) for _ in range(r.choice((20, 40, 64, 90)))), end)

    # --- declarations

    def structs(self) -> str:
        r = self.rnd
        self.fields["P"] = small = [(f"f{i}", r.choice(list(WIDTHS))) for i in range(r.randint(2, 4))]
        a = r.choice(NUMBERS[:3])
        self.fields["U"] = [("word", "u32"), ("half", "u16*2"), ("byte", "u8*4")]
        self.fields["S"] = [("n", r.choice(NUMBERS)), ("p", "P"), ("q", "P"), ("arr", f"{a}*4"), ("name", "text"), ("nick", "text"), ("ps", "P*3"),
                            ("u", "U"), ("bits", "bits:u32"), ("low", "bits:i32"), ("m", r.choice(NUMBERS)), ("raw", "u8*4"), ("grid", "i16*3*2")]
        self.fields["ga"] = [("", r.choice(NUMBERS))]
        packed = self.chance(0.3)
        text = f"\n@bpf.struct{'(packed=True)' if packed else ''}\nclass P:\n" + "".join(f"    {n}: {w}\n" for n, w in small)
        text += self.total() + self.put()
        text += "\n@bpf.union\nclass U:\n    word: u32\n    half: Array[u16, Literal[2]]\n    byte: Array[u8, Literal[4]]\n"
        text += "\n@bpf.struct\nclass S:\n" + "".join(f"    {n}: {self.declared(w, n)}\n" for n, w in self.fields["S"])
        return text + "\n@bpf.struct\nclass L:\n    lock: bpf.SpinLock\n    a: u64\n    b: u64\n\n"

    def declared(self, kind: str, name: str) -> str:
        if kind.startswith("bits:"):
            return f"{kind[5:]}[:{3 if name == 'bits' else 5}]"
        if kind == "text":
            return "Array[char, Literal[8]]" if name == "name" else "Array[char, Literal[12]]"
        if "*" not in kind:
            return kind
        elem, count = kind.rsplit("*", 1)
        return f"Array[{self.declared(elem, name)}, Literal[{count}]]"

    def total(self) -> str:
        """A method that reads."""
        fields = [f"u8(self.{n})" for n, _ in self.fields["P"]]
        self.methods.append(("total", False))
        return f"\n    def total(self) -> i64:\n        return i64({' + '.join(fields)})\n"

    def put(self) -> str:
        """A method that writes to itself."""
        name, _ = self.rnd.choice(self.fields["P"])
        self.methods.append(("put", True))
        return f"\n    def put(self, k: u32) -> i64:\n        self.{name} {self.pick('=', '+=', '^=')} u8(k)\n        return i64(self.{name} & 0xFFFF)\n"

    def defined(self, head: str, names: dict[str, str], result: str | Callable[[], str], stores: int = 1) -> str:
        """A function that writes and returns."""
        self.names = names
        lines = [f"\n{head}"]
        for _ in range(stores):
            lines += self.store(1)
        return "\n".join([*lines, f"    return {result if isinstance(result, str) else result()}"]) + "\n"

    def value(self) -> str:
        return f"i64({self.expr(1).text})"

    def function(self, name: str) -> str:
        """A plain function of one number that writes a global."""
        text = self.defined(f"def {name}(k: u32) -> i64:", {"k": "u32"}, self.value, self.rnd.randint(1, 2))
        self.functions.append(name)
        return text

    def given(self) -> str:
        """One with defaults, and a parameter that goes by name only."""
        text = self.defined(f"def given(k: u32, m: i16 = {self.rnd.randint(-9, 9)}, *, n: i16 = 3) -> i64:", {"k": "u32", "m": "i16", "n": "i16"},
                            self.value)
        self.ready.add("given")
        return text

    def both(self) -> str:
        """Two results."""
        return self.defined("def both(k: u32):", {"k": "u32"}, lambda: f"u32({self.expr(1).text}), {self.value()}")

    def maybe(self) -> str:
        """A function that gives a number or None."""
        self.names = {"k": "u32"}
        lines = ["\ndef maybe(k: u32):", f"    if {self.cond(1)}:", *self.store(2), "        return None", f"    return i32({self.expr(1).text})"]
        self.ready.add("maybe")
        return "\n".join(lines) + "\n"

    def either(self) -> str:
        """One that writes to a struct and gives it, or the other one, back."""
        self.names = {"a": "P", "b": "P", "k": "u32"}
        return "\n".join(["\ndef either(a: P, b: P, k: u32):", *self.store(1), f"    if {self.cond(1)}:", f"        a.put({self.sure('u32', 1)})",
                          "        return b", "    return a"]) + "\n"

    def front(self) -> str:
        """One that is given the packet."""
        return f"\ndef front(pkt):\n    g0.value += {self.rnd.randint(1, 9)}\n    return pkt.{self.pick('pull', 'peek')}(P)\n"

    def subprogram(self) -> str:
        """A subprogram that writes through a pointer."""
        return self.defined("@bpf.func\ndef sub(s: Ptr[S], k: u32) -> i64:", {"s": "S", "k": "u32"}, self.value, self.rnd.randint(1, 3))

    def perhaps(self) -> str:
        """A subprogram whose pointer may be None."""
        self.names = {"s": "S", "k": "u32"}
        lines = ["\n@bpf.func\ndef perhaps(s: Ptr[S] | None, k: u32) -> i64:", f"    if s is None{self.pick('', ' or k > 200')}:",
                 f"        return {self.rnd.randint(0, 9)}", *self.store(1)]
        return "\n".join([*lines, f"    return {self.value()}"]) + "\n"

    def wide(self) -> str:
        """A global subprogram: the verifier looks at it by itself."""
        places, functions, self.pure = self.globals, self.functions, True
        self.globals, self.functions = places[:2], []  # it cannot end the program
        text = self.defined("@bpf.func(global_=True)\ndef wide(k: u32, m: i64) -> i64:", {"k": "u32", "m": "i64"}, self.value)
        self.globals, self.functions, self.pure = places, functions, False
        return text

    # --- statements

    def statement(self, depth: int, nest: int) -> list[str]:
        if nest > 0 and self.chance(0.2):
            return self.rnd.choice((self.branches, self.branches, self.counted))(depth, nest)
        if depth == 1 and self.chance(0.08):
            return self.rnd.choice((self.callback, self.closure))(depth)
        plain = (self.store, self.local, self.aggregate, self.swap, self.alias, self.fresh_struct, self.pair, self.order, self.two_results,
                 self.tuples, self.optional, self.chosen, self.passed, self.strings)
        flow = (self.countdown, self.forever, self.each, self.each, self.several_ways, self.several_ways)
        stores = (self.hash, self.hash, self.keyed, self.per_cpu, self.waiting, self.over_map, self.looked_up, self.copied, self.call, self.guarded,
                  self.record, self.header, self.headers)
        return self.rnd.choice(self.rnd.choice((plain, plain, flow, stores, stores)))(depth)


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
