"""Whether the kernel's verifier can follow a function: IR walked the way it walks instructions.

Each number has a range, as far as the kernel knows it where it stands: computed once, narrowed by branches that compare it
(not what it was computed from, nor what was computed from it before). Each packet pointer has a root, and a root the bytes
that a comparison with packet_end has shown. Where ways join, what holds on all of them is left; a way that contradicts what
is known is walked no more than the kernel walks it. What constants alone are computed into is a constant, for a pass may
leave it to the next one to compute it. `unproved` lists what would be refused: a number that is not `below` its limit, packet bytes that nobody compared, a step made of a number that is
`below` something, and may leave its slot all the same.

Null pointers need no walk: types tell them, and `nonnull` stays in its block. The kernel walks paths one by one and knows
some things that are lost at joins here, so what is unproved from the start means nothing; what becomes so in a pass does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from .cfg import reverse_postorder
from .function import Block, Const, Edge, Function, Op, Value
from .ops import INVERSE, M32, M64, SWAPPED, TABLE, Limit, Mem, OpRow, Rmw, Slot, signed
from .types import I64

Range = tuple[int, int, int]  # the least, the largest, and the bits that may be 1; read unsigned
Facts = dict[Value, Range]  # numbers: their range; packet roots: (0, bytes known, 0); absent: anything
Finding = tuple[str, object]  # what, and the place: a span, or a name where there is none

FULL: Final[Range] = (0, M64, M64)
_NONE: Final[Range] = (0, 0, 0)
_POSITIVE: Final = (1 << 63) - 1
_FAR: Final = 0xFFFF  # a packet pointer that may be moved farther has no bytes
_WIDEN: Final = 4  # rounds of a loop after which a range that still grows does so in large steps
_LARGEST: Final = 20_000  # ops; larger functions are not walked

_T = {name: row for name, row in TABLE.items()}
_ORDER: Final = {_T["ult"]: True, _T["ule"]: False}  # x < y: strict?
_TESTS: Final = frozenset(SWAPPED)
_SELECT: Final = _T["select"]
_JUDGED: Final = frozenset(row for row in TABLE.values() if row.attr is Limit or row.name in ("load", "store", "rmw"))


def unproved(fn: Function) -> list[Finding]:
    """What the kernel would refuse, with where."""
    if sum(len(b.ops) for b in fn.blocks) > _LARGEST:
        return []
    return _Walk(fn).run()


def base(v: Value) -> Value:
    """`v` as the register it is in: without casts and the like."""
    while isinstance(v, Op) and v.row.same:
        v = v.args[0]
    return v


def step(v: Value) -> tuple[Value, int]:
    """A pointer as a root and a constant number of bytes from it."""
    off = 0
    v = base(v)
    while isinstance(v, Op) and v.row.name == "ptradd" and isinstance(v.args[1], Const):
        off += v.args[1].value
        v = base(v.args[0])
    return v, off


class _Asked:
    """Of which values a function's walk asks what is known, and at the start of which blocks: those that something from there
    on asks. What is kept for a block is about these alone, so a walk takes as long as the function is."""

    def __init__(self, fn: Function, order: list[Block]) -> None:
        self.live: dict[Block, set[Value]] = {block: set() for block in order}
        self._about: dict[Value, tuple[Value, ...]] = {}
        preds: dict[Block, list[Block]] = {block: [] for block in order}
        home: dict[Value, Block] = {}
        for block in order:
            home.update(dict.fromkeys((*block.params, *block.ops), block))
            for edge in block.edges:
                preds[edge.block].append(block)
        for block in order:
            for v in self._of_block(block):
                work = [block] if home.get(v) is not block else []
                while work:
                    at = work.pop()
                    if v not in self.live[at]:
                        self.live[at].add(v)
                        work += [p for p in preds[at] if home.get(v) is not p]

    def _of_block(self, block: Block) -> set[Value]:
        out: set[Value] = set()
        for op in block.ops:
            for a in op.args if not op.edges else [*op.args, *(a for e in op.edges for a in e.args)]:
                if a.__class__ is Op:
                    if a.type is I64 and not a.row.same:
                        out.add(a)
                    else:
                        out.update(self._about.get(a) or self.about(a))
                elif a.__class__ is not Const:
                    out.add(a)
            if op.row is _SELECT or op.row.name == "br":
                self._cond(op.args[0], out, 8)
        return out

    def _cond(self, cond: Value, out: set[Value], depth: int) -> None:
        """What `_Walk.assume` looks at."""
        cond = base(cond)
        if isinstance(cond, Op) and depth and (cond.row in _TESTS or cond.row.name in ("and", "or")):
            for a in cond.args:
                out.update(self.about(a))
                self._cond(a, out, depth - 1)

    def about(self, v: Value) -> tuple[Value, ...]:
        """The values that what is known of `v` is kept with: itself, or the root of a pointer and the steps to it."""
        found: list[Value] = []
        at = base(v)
        if at.type.is_ptr:
            at, _ = step(at)
            while isinstance(at, Op) and at.row.name == "ptradd":
                found += (at, base(at.args[1]))
                at, _ = step(at.args[0])
        found.append(at)
        self._about[v] = out = tuple(one for one in found if not isinstance(one, Const))
        return out


class _Walk:
    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.order = reverse_postorder(fn)
        self.live = _Asked(fn, self.order).live
        self.at_start: dict[Block, Facts] = {}
        self.visits: dict[Block, int] = {}
        self.found: dict[Block, dict[Finding, None]] = {}  # as of the last visit
        self.constants: dict[Value, int] = {}
        limits = {a.value & M64 for op in fn.ops() if op.row in _TESTS for a in op.args if isinstance(a, Const)}
        self.limits = sorted(limits | {n - 1 for n in limits if n})

    def run(self) -> list[Finding]:
        index = {b: i for i, b in enumerate(self.order)}
        self.at_start[self.fn.entry] = {}
        work, waiting = [0], {0}
        while work:
            i = heappop(work)
            waiting.discard(i)
            for edge, facts in self.block(self.order[i]):
                to = index[edge.block]
                if self.flow(edge, facts, back=to <= i) and to not in waiting:
                    heappush(work, to)
                    waiting.add(to)
        return list(dict.fromkeys(finding for block in self.order for finding in self.found.get(block, ())))

    def flow(self, edge: Edge, facts: Facts, back: bool) -> bool:
        """Take `edge` (round a loop, if `back`) with `facts`: whether that changes what holds at its block's start."""
        new = {v: facts[v] for v in facts.keys() & self.live[edge.block]}
        for param, arg in zip(edge.block.params, edge.args):
            got = self.pointer(arg, facts) if param.type.is_ptr else self.range(arg, facts)
            if got != FULL:
                new[param] = got
        old = self.at_start.get(edge.block)
        if old is None:
            self.at_start[edge.block] = new
            return True
        count = self.visits[edge.block] = self.visits.get(edge.block, 0) + back
        joined: Facts = {}
        for v, was in old.items():
            now = new.get(v)
            if now is None:
                continue
            if v.type.is_ptr:
                both = (0, min(was[1], now[1]), 0)
            else:
                both = min(was[0], now[0]), max(was[1], now[1]), was[2] | now[2]
                if both != was and back and count >= _WIDEN:
                    hi = self.wider(both[1])
                    both = both[0] if both[0] == was[0] else 0, hi, _mask(hi)
            if both != FULL and (both[1] or not v.type.is_ptr):
                joined[v] = both
        self.at_start[edge.block] = joined
        return joined != old

    def block(self, block: Block) -> list[tuple[Edge, Facts]]:
        """The ways out of a block, and what holds on each. What is unproved in it is noted anew."""
        facts = dict(self.at_start[block])
        found: dict[Finding, None] = {}
        for op in block.ops[:-1]:
            if op.row in _JUDGED and (finding := self.judge(op, facts)):
                found[finding] = None
            if op.type is I64 and not op.row.same:
                got = self.computed(op, facts)
                if got != FULL:
                    facts[op] = got
        self.found[block] = found
        end = block.terminator
        if end.row.name != "br":
            return [(e, facts) for e in end.edges]
        out = []
        for edge, true in zip(end.edges, (True, False)):
            there = dict(facts)
            if self.assume(end.args[0], true, there):
                out.append((edge, there))
        return out

    def wider(self, hi: int) -> int:
        """A bound for what grows in a loop: a number that something is compared with, else all of its bits."""
        at = bisect_left(self.limits, hi)
        return self.limits[at] if at < len(self.limits) else _mask(hi)

    # what is known
    def range(self, v: Value, facts: Facts) -> Range:
        v = base(v)
        if isinstance(v, Const):
            return v.value & M64, v.value & M64, v.value & M64
        return facts.get(v, FULL) if v.type is I64 else FULL

    def pointer(self, v: Value, facts: Facts) -> Range:
        """(0, bytes that are there from `v` on, 0)."""
        root, off = step(v)
        known = facts.get(root, _NONE)[1] - off if root.type.region == "packet" else 0
        return (0, known, 0) if known > 0 else FULL

    def computed(self, op: Op, facts: Facts) -> Range:
        """The range that the kernel computes for the result of `op`."""
        row, attr = op.row, op.attr
        if isinstance(attr, Mem):
            return FULL if attr.sext else _below((1 << 8 * attr.size) - 1)
        if row.evaluate is not None and (known := self.constant(op)) is not None:
            return known & M64, known & M64, known & M64
        if row in _TESTS:
            return _below(1)
        if row is _SELECT:
            return self.chosen(op, facts)
        rule = _BY_ROW.get(row)
        if rule is not None:
            return _tight(rule(*[self.range(a, facts) for a in op.args]))
        if row in _WORDS:
            wide = _WORDS[row]
            return _low(_tight(wide(*[_low(self.range(a, facts)) for a in op.args]))) if wide else _below(M32)
        return FULL

    def chosen(self, op: Op, facts: Facts) -> Range:
        """What a select gives: a jump decides it, which tells of both values what a branch would."""
        ways = []
        for value, true in ((op.args[1], True), (op.args[2], False)):
            there = dict(facts)
            if self.assume(op.args[0], true, there):
                ways.append(self.range(value, there))
        return (min(w[0] for w in ways), max(w[1] for w in ways), ways[0][2] | ways[-1][2]) if ways else FULL

    def constant(self, op: Op) -> int | None:
        """The number that `op`, which can be computed, computes from constants alone."""
        assert op.row.evaluate is not None
        args = []
        for a in op.args:
            value = a.value if isinstance(a, Const) else self.constants.get(base(a))
            if value is None:
                return None
            args.append(value)
        self.constants[op] = value = op.row.evaluate(*args)
        return value

    def narrow(self, v: Value, lo: int, hi: int, facts: Facts) -> bool:
        """`v` is in `lo` to `hi`: whether it can be."""
        v = base(v)
        was = self.range(v, facts)
        new = max(lo, was[0]), min(hi, was[1]), was[2] & _mask(min(hi, was[1]))
        if v.type is I64 and not isinstance(v, Const):
            facts[v] = new
        return new[0] <= new[1]

    def assume(self, cond: Value, true: bool, facts: Facts, depth: int = 8) -> bool:
        """`cond` is not 0, or is 0: what the jump that decides it tells the kernel, and whether it can be."""
        cond = base(cond)
        if not isinstance(cond, Op) or not depth:
            return self.narrow(cond, *((1, M64) if true else (0, 0)), facts)
        name, args = cond.row.name, cond.args
        if name in ("and", "or") and all(isinstance(a, Op) and a.row in _TESTS for a in args):
            return true != (name == "and") or all(self.assume(a, true, facts, depth - 1) for a in args)
        if cond.row not in _TESTS:
            return self.narrow(cond, *((1, M64) if true else (0, 0)), facts)
        if name in ("eq", "ne") and isinstance(args[1], Const) and args[1].value == 0 and isinstance(args[0], Op) and args[0].row in _TESTS:
            return self.assume(args[0], true == (name == "ne"), facts, depth - 1)
        return self.compared(cond.row if true else INVERSE[cond.row], args[0], args[1], facts)

    def compared(self, row: OpRow, x: Value, y: Value, facts: Facts) -> bool:
        """`x row y` holds: what that tells, and whether it can be."""
        if row.name[1:3] in ("gt", "ge"):
            row, x, y = SWAPPED[row], y, x
        a, b = self.range(x, facts), self.range(y, facts)
        if a[0] == a[1] and b[0] == b[1] and row.evaluate is not None and x.type is I64 and y.type is I64:
            return bool(row.evaluate(signed(a[0]), signed(b[0])))
        narrow = row.name.endswith("32")
        if narrow and max(a[1], b[1]) > M32 >> (row.name[0] == "s"):
            return True
        name = row.name[:-2] if narrow else row.name
        if name in ("ult", "ule"):
            if y.type.region == "packet_end":
                root, off = step(x)
                if root.type.region == "packet" and off > facts.get(root, _NONE)[1] and self.near(root, facts):
                    facts[root] = (0, off, 0)
                return True
            strict = name == "ult"
            return self.narrow(x, 0, b[1] - strict, facts) and self.narrow(y, a[0] + strict, M64, facts)
        if name == "eq":
            return self.narrow(x, b[0], b[1], facts) and self.narrow(y, a[0], a[1], facts)
        if name in ("slt", "sle"):
            strict = name == "slt"
            if isinstance(x, Const) and x.value + strict >= 0:  # c < y: y is not negative
                return self.narrow(y, x.value + strict, _POSITIVE, facts)
            if a[1] <= _POSITIVE and isinstance(y, Const) and signed(y.value) - strict >= 0:
                return self.narrow(x, 0, y.value - strict, facts)
        return True

    def near(self, root: Value, facts: Facts) -> bool:
        """Whether a packet pointer may have bytes: moved by little, if at all."""
        while isinstance(root, Op) and root.row.name == "ptradd":
            if self.range(root.args[1], facts)[1] > _FAR:
                return False
            root = base(root.args[0])
        return True

    # judgement
    def judge(self, op: Op, facts: Facts) -> Finding | None:
        what = ""
        if isinstance(op.attr, Limit):
            hi = self.range(op.args[0], facts)[1]
            if hi >= op.attr.limit:
                what = f"a number that may be {hi} as below {op.attr.limit}"
        elif isinstance(op.attr, (Mem, Rmw)):
            root, off = step(op.args[0])
            off += op.attr.off
            if root.type.region == "packet":
                if off + op.attr.size > facts.get(root, _NONE)[1]:
                    what = f"{op.attr.size} packet bytes that were not compared"
            elif isinstance(root, Op) and root.row.name == "ptradd":
                what = self.inside(root, off + op.attr.size, facts)
        return (what.split(" that ")[0], op.span or op.name or op.row.name) if what else None

    def inside(self, at: Op, end: int, facts: Facts) -> str:
        """What is wrong with an access that ends `end` bytes after `at`, which is a variable step away from something."""
        if not _promised(at.args[1]):
            return ""
        root, off = step(at.args[0])
        hi = self.range(at.args[1], facts)[1]
        if hi >= 1 << 29:
            return "a step that may be of any size"
        if isinstance(root, Op) and isinstance(root.attr, Slot) and hi + off + end > root.attr.size:
            return "a step that may leave the slot"
        return ""


def _promised(v: Value) -> bool:
    """Whether a step is computed from what is `below` something: then it stays provable (see ops)."""
    work, seen = [v], set[Value]()
    while work:
        v = work.pop()
        if isinstance(v, Op) and v not in seen and v.row.pure:
            if isinstance(v.attr, Limit):
                return True
            seen.add(v)
            work += v.args
    return False


def _mask(n: int) -> int:
    return (1 << n.bit_length()) - 1


def _below(hi: int) -> Range:
    return 0, hi, _mask(hi)


def _tight(r: Range) -> Range:
    return (r[0], r[2], r[2]) if r[2] < r[1] else r


def _low(r: Range) -> Range:
    """The lower half of a number."""
    return r if r[1] <= M32 else (0, r[2] & M32, r[2] & M32)


def _add(a: Range, b: Range) -> Range:
    if b[0] == b[1] and b[0] >> 63 and a[0] >= (-b[0] & M64):  # minus a constant
        hi = a[1] - (-b[0] & M64)
        return a[0] - (-b[0] & M64), hi, _mask(hi)
    hi = a[1] + b[1]
    return (a[0] + b[0], hi, _mask(hi) if a[2] & b[2] else a[2] | b[2]) if hi <= M64 else FULL


def _sub(a: Range, b: Range) -> Range:
    return (a[0] - b[1], a[1] - b[0], _mask(a[1] - b[0])) if a[0] >= b[1] else FULL


def _mul(a: Range, b: Range) -> Range:
    return (a[0] * b[0], a[1] * b[1], _mask(a[1] * b[1])) if max(a[1], b[1]) <= M32 else FULL


def _shl(a: Range, b: Range) -> Range:
    if b[0] != b[1] or b[0] > 63:
        return FULL
    may = a[2] << b[0] & M64
    return (a[0] << b[0], a[1] << b[0], may) if a[1] << b[0] <= M64 else (0, M64, may)


def _shr(a: Range, b: Range) -> Range:
    return (a[0] >> b[0], a[1] >> b[0], a[2] >> b[0]) if b[0] == b[1] < 64 else _below(a[1])


# As the kernel computes them; what is not here (division, byte swaps, sign extension, calls) may be anything.
_RULES: Final[dict[str, Callable[..., Range]]] = {
    "and": lambda a, b: (0, min(a[1], b[1]), a[2] & b[2]),
    "or": lambda a, b: (max(a[0], b[0]), _mask(a[1] | b[1]), a[2] | b[2]),
    "xor": lambda a, b: (0, _mask(a[1] | b[1]), a[2] | b[2]),
    "add": _add, "sub": _sub, "mul": _mul, "shl": _shl, "shr": _shr,
    "sar": lambda a, b: _shr(a, b) if a[1] <= _POSITIVE else FULL,
}
_BY_ROW: Final[dict[OpRow, Callable[..., Range]]] = {_T[name]: rule for name, rule in _RULES.items()}
_WORDS: Final = {row: _RULES.get(name[:-2]) for name, row in TABLE.items()  # 32-bit forms: the rule of their lower halves
                 if name.endswith("32") and row.evaluate is not None and name not in ("sext32", "bswap32")} | {
    _T["sar32"]: lambda a, b: _shr(a, b) if a[1] <= M32 >> 1 else FULL}
