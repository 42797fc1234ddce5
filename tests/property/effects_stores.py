"""Random statements about maps, records and packets."""

from __future__ import annotations

from .effects_flow import Flow


class Stores(Flow):
    def hash(self, depth: int) -> list[str]:
        pad = "    " * depth
        match self.rnd.randrange(9):
            case 0:
                return [f"{pad}h[{self.key()}] = {self.stored('u64', 2)}"]
            case 1:
                with self.quietly():
                    value = self.number("u64", 1)
                return [f"{pad}h[{self.key()}] += {value}"]
            case 2:
                return [f"{pad}del h[{self.key()}]"]
            case 3:
                return [f"{pad}h.setdefault({self.key()}, {self.number('u64', 1)})"]
            case 4:
                return [f"{pad}am[{self.index(4)}] {self.pick('=', '+=')} {self.number('i32', 1)}"]
            case 5:
                place = self.place("P")
                return [f"{pad}ap[{self.index(3)}] = {place.text}"] if place else self.store(depth)
            case 6:
                return [f"{pad}h.update({self.key()}, {self.number('u64', 1)}, bpf.{self.pick('NOEXIST', 'EXIST')})"]
            case 7:
                key, field = self.key(), self.pick("n", "m")
                with self.quietly():
                    value = self.number("u16", 1)
                return [f"{pad}hs[{key}].{field} += {value}"] if "hs" not in self.locked else self.store(depth)
        place = self.place("S")
        if place is None or "hs" in self.locked:
            return self.store(depth)
        return [f"{pad}hs[{self.key()}] = {place.text}"]

    def keyed(self, depth: int) -> list[str]:
        """Keys that are structs and text: what is between fields and behind text counts, too."""
        pad, struct, text = "    " * depth, self.place("P"), self.place("text")
        key = f"P({self.fields['P'][0][0]}={self.sure('u8', 0)})" if struct is None or self.chance(0.3) else struct.text
        word = repr(self.pick("a", "ab", "eth0")) if text is None or self.chance(0.3) else text.text
        match self.rnd.randrange(5):
            case 0:
                return [f"{pad}hp[{key}] = {self.number('u32', 1)}"]
            case 1:
                return [f"{pad}ht[{word}] = {self.number('i32', 1)}"]
            case 2:
                return [f"{pad}if {key} in hp:", *self.store(depth + 1)]
            case 3:
                return [f"{pad}g1.value ^= ht.get({word}, {self.number('i32', 1)})"]
        return [f"{pad}del {self.pick(f'hp[{key}]', f'ht[{word}]')}"]

    def per_cpu(self, depth: int) -> list[str]:
        pad = "    " * depth
        match self.rnd.randrange(4):
            case 0:
                return [f"{pad}pa[{self.index(3)}] {self.pick('=', '+=')} {self.number('u64', 1)}"]
            case 1:
                return [f"{pad}ph[{self.key()}] {self.pick('=', '+=')} {self.number('i32', 1)}"]
            case 2:
                return [f"{pad}g0.value += pa[{self.index(3)}]"]
        return [f"{pad}g1.value ^= ph.get({self.key()}, {self.number('i32', 1)})"]

    def waiting(self, depth: int) -> list[str]:
        """Queues and stacks."""
        pad, q, name = "    " * depth, self.pick("qu", "st"), self.fresh()
        if self.chance(0.5):
            return [f"{pad}{q}.push({self.number('u32', 1)})"]
        with self.scope(**{name: "u32"}):
            lines = [f"{pad}{name} = {q}.{self.pick('pop', 'peek')}()", f"{pad}if {name} is not None:", *self.store(depth + 1)]
        return lines + ([f"{pad}else:", *self.store(depth + 1)] if self.chance(0.3) else [])

    def over_map(self, depth: int) -> list[str]:
        """Over entries: of a hash, what does not depend on their order."""
        pad, k, v = "    " * depth, self.fresh(), self.fresh()
        over = self.pick("h", "h.items()")
        match self.rnd.randrange(4):
            case 0:
                return [f"{pad}{k}t: u64 = {self.sure('u64', 0)}", f"{pad}for {k}, {v} in {over}:", f"{pad}    {k}t += {v}.value * u64({k} + 1)",
                        f"{pad}g0.value = {k}t"]
            case 1:
                with self.scope(**{k: "u32"}), self.quietly():
                    return [f"{pad}for {k}, {v} in {over}:", f"{pad}    {v}.value ^= u64({k}) * {self.rnd.randint(1, 9)}"]
            case 2 if "hs" not in self.locked:
                return [f"{pad}for {k}, {v} in hs:", f"{pad}    {v}.n += {dict(self.fields['S'])['n']}({v}.m)", f"{pad}    if {v}.name == 'ab':", f"{pad}        continue",
                        f"{pad}    {v}.name = 'ab'"]
        with self.scope(**{k: "u32"}):
            return [f"{pad}for {k}, {v} in am:", *self.store(depth + 1), f"{pad}    {v}.value = {self.number('i32', 1)}"]

    def looked_up(self, depth: int) -> list[str]:
        """A value in place, used where it is there."""
        name, pad = self.fresh(), "    " * depth
        if "hs" in self.locked:
            return self.store(depth)
        key = self.key()
        lines = self.rnd.choice((
            [f"{pad}{name} = hs.lookup({key})", f"{pad}if {name} is not None:"], [f"{pad}if ({name} := hs.lookup({key})) is not None:"],
            [f"{pad}{name} = hs.lookup({key}) or hs.lookup({self.key()})", f"{pad}if {name}:"],
            [f"{pad}{name} = hs.setdefault({key}, S())", f"{pad}if {self.cond(1)}:"]))
        with self.scope(**{name: "S"}):
            self.locked.add("hs")
            lines += self.store(depth + 1) + self.rnd.choice((self.aggregate, self.call, self.store))(depth + 1)
            self.locked.discard("hs")
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
        with self.scope(**{name: "u64" if number else "S"}):
            lines += self.store(depth + 1)
        return lines

    def call(self, depth: int) -> list[str]:
        place = self.place("S")
        if place is None:
            return self.store(depth)
        name = self.fresh()
        value = self.rnd.choice((f"sub({place.text}, {self.sure('u32', 1)})", f"perhaps({self.pick(place.text, 'None')}, {self.sure('u32', 1)})",
                                 f"wide({self.sure('u32', 1)}, {self.sure('i64', 1)})"))
        self.names[name] = "i64"
        return ["    " * depth + f"{name}: i64 = {value}"]

    def guarded(self, depth: int) -> list[str]:
        """Under a lock."""
        pad, name = "    " * depth, self.fresh()
        numbers = [f"{n}" for n, k in self.names.items() if k in ("u32", "i64", "u8")] + ["7"]
        return [f"{pad}{name} = al.lookup({self.key()})", f"{pad}if {name} is not None:", f"{pad}    with {name}.lock:",
                f"{pad}        {name}.a {self.pick('=', '+=', '^=')} u64({self.rnd.choice(numbers)})", f"{pad}        if {name}.a > {name}.b:",
                f"{pad}            {name}.b = {self.pick(f'{name}.a', f'u64({self.rnd.choice(numbers)})')}"]

    def record(self, depth: int) -> list[str]:
        pad = "    " * depth
        place = self.place("P")
        if place is not None and self.chance(0.4):
            return [f"{pad}ring.output({place.text})"]
        name = self.fresh()
        field, width = self.rnd.choice(self.fields["P"])
        lines = [f"{pad}with ring.reserve() as {name}:", f"{pad}    {name}.{field} = {self.stored(width, 1)}"]
        if self.chance(0.25):
            lines += [f"{pad}    if {self.cond(1)}:", f"{pad}        ring.discard({name})"]
        return lines

    # --- packets

    def header(self, depth: int) -> list[str]:
        """A header pulled, peeked at or looked for at an offset: read and written where it is there."""
        pad, name = "    " * depth, self.fresh()
        if depth > 1:
            return self.store(depth)
        what = self.pick("pkt.pull(P)", "pkt.peek(P)", f"pkt.at({self.rnd.randrange(20)}, P)", f"pkt.at({self.masked(31)}, P)",
                         "pkt.pull(u16)", "pkt.pull(be32)", "front(pkt)", "pkt[]", "len", "bytes", "skip")
        match what:
            case "pkt[]":
                return [f"{pad}{name}: u8 = u8(pkt[{self.pick(str(self.rnd.randrange(24)), self.masked(15))}])"]
            case "len":
                self.names[name] = "u32"
                return [f"{pad}{name}: u32 = len(pkt)"]
            case "skip":
                return [f"{pad}pkt.skip({self.pick(str(self.rnd.randrange(9)), self.masked(3))})"]
            case "bytes":
                offset = self.pick(str(self.rnd.randrange(20)), self.masked(15))
                return [f"{pad}{name} = pkt.bytes({offset}, 4)", f"{pad}if {name} is not None{self.pick('', f' and {name}[1] > 100')}:",
                        f"{pad}    gs.raw = {name}", f"{pad}    {name}[{self.index(4)}] = {self.stored('u8', 1)}",
                        f"{pad}    if gs.raw == {name}:", *self.store(depth + 2)]
        lines = [f"{pad}{name} = {what}", f"{pad}if {name} is not None:"]
        if what in ("pkt.pull(u16)", "pkt.pull(be32)"):
            return [*lines, f"{pad}    {name}.value {self.pick('=', '+=', '^=')} {self.number('u16', 1)}"]
        with self.scope(**{name: "P"}):
            return lines + self.store(depth + 1) + self.aggregate(depth + 1)

    def headers(self, depth: int) -> list[str]:
        """A cursor that moves in a loop."""
        pad, name = "    " * depth, self.fresh()
        if depth > 1:
            return self.store(depth)
        kind = self.pick("u16", "P", "u8")
        lines = [f"{pad}for {name}i in range({self.pick('2', '4', self.masked(3))}):", f"{pad}    {name} = pkt.pull({kind})",
                 f"{pad}    if {name} is None:", f"{pad}        break"]
        with self.scope(**({name: "P"} if kind == "P" else {})):
            seen = f"u64({name}.{'value' if kind != 'P' else self.fields['P'][0][0]})"
            lines += [f"{pad}    g0.value += {seen}", *self.store(depth + 1)]
        return lines
