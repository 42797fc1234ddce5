"""Random statements about control flow: branches, every form of loop, `match`, nested functions."""

from __future__ import annotations

from .effects_exprs import NUMBERS, WORDS
from .effects_values import Values


class Flow(Values):
    def statement(self, depth: int, nest: int) -> list[str]:
        raise NotImplementedError

    def block(self, depth: int, nest: int) -> list[str]:
        with self.scope():
            return [line for _ in range(self.rnd.randint(1, 3)) for line in self.statement(depth, nest)]

    def branches(self, depth: int, nest: int) -> list[str]:
        pad = "    " * depth
        lines = [f"{pad}if {self.cond(2)}:", *self.block(depth + 1, nest - 1)]
        if self.chance(0.2):
            lines += [f"{pad}elif {self.cond(1)}:", *self.block(depth + 1, nest - 1)]
        return lines + ([f"{pad}else:", *self.block(depth + 1, nest - 1)] if self.chance(0.5) else [])

    def counted(self, depth: int, nest: int) -> list[str]:
        """Over a range: up or down, known or not."""
        pad, name, n = "    " * depth, self.fresh(), self.rnd.randint(1, 4)
        match self.rnd.randrange(6):
            case 0:
                over, width = f"range(u8({self.leaf().text}) & 3)", "u32"
            case 1:
                over, width = f"range({n}, {-n}, -{self.rnd.randint(1, 3)})", "i32"
            case 2:
                over, width = f"range(u8({self.leaf().text}) & 3, {n}, {self.rnd.randint(1, 3)})", "u32"
            case 3:
                over, width = f"reversed(range({n}))", "u32"
            case _:
                over, width = f"range({n})", "u32"
        with self.scope():
            heads = [f"{pad}for {name}_ in {over}:", f"{pad}    {name}: {width} = {name}_"]
            self.names[name] = width
            lines = heads + self.block(depth + 1, nest - 1) + self.leave(depth + 1)
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.25) else [])

    def leave(self, depth: int) -> list[str]:
        """Perhaps out of the loop, or on with it."""
        if self.chance(0.75):
            return []
        return ["    " * depth + f"if {self.cond(1)}:", "    " * (depth + 1) + self.pick("break", "continue"), *self.store(depth)]

    def countdown(self, depth: int) -> list[str]:
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name}: u32 = u32({self.rnd.randint(1, 4)})", f"{pad}while {name} > 0:", f"{pad}    {name} = u32({name} - 1)"]
        with self.scope():
            lines += self.store(depth + 1)
            if self.chance(0.3):
                lines += [f"{pad}    if {self.cond(1)}:", f"{pad}        {self.pick('break', 'continue')}"]
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.3) else [])

    def forever(self, depth: int) -> list[str]:
        """`while True`, left from the middle."""
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name} = 0", f"{pad}while True:"]
        with self.scope():
            lines += [*self.store(depth + 1), f"{pad}    {name} += 1", f"{pad}    if {name} > {self.rnd.randint(1, 5)}{self.pick('', f' or {self.cond(1)}')}:",
                      f"{pad}        break", *self.store(depth + 1)]
        return lines

    def each(self, depth: int) -> list[str]:
        """Over arrays, constants and text, with or without the index."""
        pad, place, name = "    " * depth, self.place("array"), self.fresh()
        if place is None or place.kind.split("*")[0] not in NUMBERS:
            return self.store(depth)
        text, again = self.place("text"), self.place(place.kind)
        heads, over = name, place.text
        match self.rnd.randrange(7):
            case 0:
                heads, over = f"{name}i, {name}", f"enumerate({place.text}{self.pick('', ', 1')})"
            case 1:
                over = "(3, 1, 255, -2)"
            case 2:
                over = f"reversed({place.text})"
            case 3 if again is not None:
                heads, over = f"{name}, {name}z", f"zip({place.text}, {again.text})"
            case 4 if text is not None:
                over = text.text
        with self.scope():
            lines = [f"{pad}for {heads} in {over}:", f"{pad}    {name}x: i64 = i64({name})"]
            self.names[f"{name}x"] = "i64"
            lines += self.store(depth + 1) + self.leave(depth + 1)
        return lines

    def several_ways(self, depth: int) -> list[str]:
        """`match` on a number, a tuple, text or a struct."""
        pad, name = "    " * depth, self.fresh()
        text, struct = self.place("text"), self.place("P")
        fields = self.fields["P"]
        match self.rnd.randrange(4):
            case 0 if text is not None:
                head, patterns = text.text, [repr(self.pick(*WORDS)), f"{self.pick(*WORDS[1:4])!r} | {self.pick(*WORDS[4:])!r}", "_"]
            case 1:
                head = f"({self.sure('u8', 1)} & 3, {self.sure('u8', 0)} & 3)"
                patterns = ["(0, 1)", f"(1, {name})", f"({name}, 0)", "(0 | 2, _)", "_"]
            case 2 if struct is not None:
                head, patterns = struct.text, [f"P({fields[0][0]}=0)", f"P({fields[1][0]}=0 | 1, {fields[0][0]}={name})", "_"]
            case _:
                head, patterns = f"u8({self.expr(1).text}) & 7", ["0", "1 | 2", f"3 if {self.cond(1)}", f"{name} if {name} > 5", "_"]
        lines = [f"{pad}match {head}:"]
        for pattern in patterns:
            with self.scope():
                lines += [f"{pad}    case {pattern}:", *self.store(depth + 2)]
        return lines

    # --- functions in functions

    def callback(self, depth: int) -> list[str]:
        """A nested function for `bpf.loop`, that writes what it captures."""
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name}: u32 = {self.sure('u32', 1)}", f"{pad}def {name}f(i):", f"{pad}    nonlocal {name}"]
        outer, self.names = self.names, {name: "u32"}
        lines += [*self.store(depth + 1), f"{pad}    {name} = u32({self.expr(1).text} + i)"]
        if self.chance(0.3):
            lines.append(f"{pad}    return {self.cond(1)}")
        self.names = {**outer, name: "u32"}
        return [*lines, f"{pad}bpf.loop({self.rnd.randint(1, 4)}, {name}f)", *self.store(depth)]

    def closure(self, depth: int) -> list[str]:
        """A nested function or a lambda that is called: it sees what it captures as it is then."""
        pad, name = "    " * depth, self.fresh()
        lines = [f"{pad}{name}: i32 = {self.sure('i32', 1)}"]
        outer, self.names = self.names, {name: "i32", f"{name}k": "u32"}
        if self.chance(0.4):
            lines += [f"{pad}{name}f = lambda {name}k: i64({self.sure('i32', 1)} + u8({name}k))"]
        else:
            lines += [f"{pad}def {name}f({name}k: u32) -> i64:", f"{pad}    nonlocal {name}", *self.store(depth + 1),
                      f"{pad}    {name} = {self.sure('i32', 1)}", f"{pad}    return i64({self.expr(1).text})"]
        self.names = {**outer, name: "i32"}
        lines += self.store(depth)
        return [*lines, f"{pad}g0.value ^= u64({name}f({self.sure('u32', 1)}))", *self.store(depth)]
