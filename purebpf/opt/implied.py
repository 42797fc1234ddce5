"""What a branch has told about values holds below it: comparisons that it decides go, tested values become constants.

    %c = ult %x, 10                       %c = ult %x, 10
    br %c, small, big                     br %c, small, big
    small:                         ==>    small:
      %d = ult %x, 20                       ret 1
      ret %d

Known per value: a range, read unsigned; per packet pointer: how many bytes lie before packet_end. A check of more bytes
than are known stays, and so does the order in which pointers are compared: the kernel follows exactly that.
Masks are not dropped because of a branch: programs write them for the kernel's verifier. Tests of what indexes are made of
(`shape.guarded`) are decided in a walk of their own, which knows only what the kernel knows.

And of two packet checks in a row that fail alike, the first goes if the second asks for more.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import Cfg
from ..ir.function import Block, Const, Edge, Function, Op, Value
from ..ir.ops import M64, Limit, signed
from ..ir.types import I64
from .bits import Bits
from .cfgclean import incoming, same
from .rows import R
from .rules_int import WIDEN
from .shape import guarded

Range = tuple[int, int]
_FULL: Final[Range] = (0, M64)
_IMM: Final = 1 << 31
_NEVER: Final = 4  # operands are followed so far
_POSITIVE: Final = (1 << 63) - 1
_UNSIGNED: Final = {R.slt: R.ult, R.sle: R.ule, R.sgt: R.ugt, R.sge: R.uge}
_ORDER: Final = frozenset((R.ult, R.ule, R.ugt, R.uge))


def implied(fn: Function) -> bool:
    changed = _drop_weaker_checks(fn)
    indexes = guarded(fn)
    changed |= _Implied(fn, indexes, Bits()).run()
    if indexes:
        changed |= _Implied(fn, set(), Bits(kernel=True)).run()
    return changed


class _Implied:
    """`indexes`: values of which comparisons are left alone, for what is known of them is not all known to the kernel."""

    def __init__(self, fn: Function, indexes: set[Value], bits: Bits) -> None:
        self.fn, self.cfg, self.indexes = fn, Cfg(fn), indexes
        self.bits = bits
        self.facts: dict[object, object] = {}  # Value -> Range; (pointer, packet_end) -> bytes
        self.undo: list[tuple[object, object]] = []
        self.changed = False

    def run(self) -> bool:
        stack: list[tuple[Block | None, int]] = [(self.fn.entry, 0)]
        while stack:
            block, mark = stack.pop()
            if block is None:
                while len(self.undo) > mark:
                    key, old = self.undo.pop()
                    if old is None:
                        del self.facts[key]
                    else:
                        self.facts[key] = old
                continue
            stack.append((None, len(self.undo)))
            preds = self.cfg.preds[block]
            if len(preds) == 1 and preds[0].terminator.row is R.br:
                end = preds[0].terminator
                self.assume(end.args[0], end.edges[0].block is block, 0)
            self.block(block)
            stack.extend((c, 0) for c in reversed(self.cfg.children[block]))
        return self.changed

    # facts
    def learn(self, key: object, fact: object) -> None:
        self.undo.append((key, self.facts.get(key)))
        self.facts[key] = fact

    def range(self, v: Value, depth: int = 0) -> Range:
        """The least and the largest that `v` can be here, unsigned."""
        if isinstance(v, Const):
            n = v.value & M64
            return n, n
        lo, hi = 0, self.bits.may(v)
        if depth < _NEVER and isinstance(v, Op):
            lo, hi = _meet((lo, hi), self.computed(v, depth + 1))
        found = self.facts.get(v)
        if found is not None:
            assert isinstance(found, tuple)
            lo, hi = _meet((lo, hi), found)
        return lo, hi

    def known(self, v: Value) -> Range:
        """`range`, by what was said of `v` itself: all that the verifier takes from a branch."""
        return self.range(v, _NEVER)

    def computed(self, op: Op, depth: int) -> Range:
        match op:
            case Op(R.add, [x, Const(c)]):
                lo, hi = self.range(x, depth)
                if 0 <= lo + c and hi + c <= M64:
                    return lo + c, hi + c
            case Op(R.shr, [x, Const(k)]):
                lo, hi = self.range(x, depth)
                return lo >> (k & 63), hi >> (k & 63)
            case Op(R.shl, [x, Const(k)]):
                lo, hi = self.range(x, depth)
                if hi << (k & 63) <= M64:
                    return lo << (k & 63), hi << (k & 63)
            case Op(R.and_, [x, Const(c)]):
                return 0, min(self.range(x, depth)[1], c & M64)
            case Op(R.or_, [x, Const(c)]):
                return c & M64, M64
            case Op(R.below, [x]) if isinstance(op.attr, Limit):
                return self.range(x, depth)[0], op.attr.limit - 1
        return _FULL

    def limit(self, v: Value, lo: int, hi: int) -> None:
        """`v` is at least `lo` and at most `hi`."""
        if isinstance(v, Const) or v.type is not I64:
            return
        old = self.range(v)
        new = _meet(old, (lo, hi))
        if new != old:
            self.learn(v, new)

    def assume(self, cond: Value, true: bool, depth: int) -> None:
        """`cond` is not 0, or is 0, from here on down."""
        if true:
            self.limit(cond, 1, M64)
        else:
            self.limit(cond, 0, 0)
        if not isinstance(cond, Op):
            return
        row = WIDEN.get(cond.row, cond.row) if self.narrow(cond) else cond.row
        match row, cond.args:
            case R.and_, [x, y] if true and self.bits.may(x) == 1 == self.bits.may(y) and depth < 8:
                self.assume(x, True, depth + 1)
                self.assume(y, True, depth + 1)
            case R.or_, [x, y] if not true and depth < 8:
                self.assume(x, False, depth + 1)
                self.assume(y, False, depth + 1)
            case R.eq | R.ne, [x, y]:
                self.equal(x, y, (row is R.eq) == true)
            case R.ult | R.ugt | R.ule | R.uge, [x, y]:
                if row in (R.ugt, R.uge):
                    x, y = y, x
                strict = row in (R.ult, R.ugt)
                if not true:  # not x < y: y <= x
                    x, y, strict = y, x, not strict
                self.less(x, y, strict)
            case R.slt | R.sgt, [x, Const(c)]:
                self.compared(x, c, row is R.slt, true)

    def narrow(self, op: Op) -> bool:
        """Whether a 32-bit comparison says the same in 64 bits: operands fit (signed ones as positive numbers)."""
        top = 31 if op.row.name.startswith("s") else 32
        return op.row in WIDEN and all(not self.bits.may(a) >> top for a in op.args)

    def equal(self, x: Value, y: Value, true: bool) -> None:
        a, b = self.range(x), self.range(y)
        if true:
            lo, hi = _meet(a, b)
            self.limit(x, lo, hi)
            self.limit(y, lo, hi)
        elif b[0] == b[1]:
            self.limit(x, a[0] + (a[0] == b[0]), a[1] - (a[1] == b[0]))

    def less(self, x: Value, y: Value, strict: bool) -> None:
        """x < y, or x <= y."""
        if y.type.region == "packet_end" and isinstance(x, Op):
            root, off = _step(x)
            known = self.facts.get((root, y))
            if known is None or (isinstance(known, int) and known < off):
                self.learn((root, y), off)
            return
        if x.type is I64 and y.type is I64:
            self.limit(x, 0, self.range(y)[1] - strict)
            self.limit(y, self.range(x)[0] + strict, M64)

    def compared(self, x: Value, c: int, less: bool, true: bool) -> None:
        """x < c or x > c, signed, or the contrary."""
        if less != true:  # x >= c, or x > c
            low = c + (not less)
            if low >= 0:
                self.limit(x, low, _POSITIVE)
        elif self.range(x)[1] <= _POSITIVE:  # x < c, or x <= c
            self.limit(x, 0, max(c - less, 0))

    # use
    def block(self, block: Block) -> None:
        for op in block.ops:
            if op.row is R.result:  # of the call, whatever its value is
                continue
            for i, arg in enumerate(op.args):
                op.args[i] = self.constant(arg)
            for edge in op.edges:
                for i, arg in enumerate(edge.args):
                    edge.args[i] = self.constant(arg)
            if op.row in _UNSIGNED and all(a.type is I64 and self.range(a)[1] <= _POSITIVE for a in op.args):
                op.row = _UNSIGNED[op.row]
                self.changed = True
            if op.row is R.br:
                cond = op.args[0]
                known = self.decided(cond) if isinstance(cond, Op) else None
                if known is not None:  # it was not yet, where it was computed
                    op.args[0] = Const(known)
                    self.changed = True
                continue
            known = self.decided(op)
            if known is not None:
                self.learn(op, (known, known))

    def constant(self, v: Value) -> Value:
        found = self.facts.get(v)
        if found is not None and v.type is I64:
            assert isinstance(found, tuple)
            if found[0] == found[1] and -_IMM <= signed(found[0]) < _IMM:
                self.changed = True
                return Const(signed(found[0]))
        return v

    def decided(self, op: Op) -> int | None:
        """What a comparison gives here, if that is known."""
        if self.indexes and any(a in self.indexes for a in op.args):
            return None
        row = WIDEN.get(op.row, op.row) if self.narrow(op) else op.row
        if row in _ORDER and op.args[1].type.region == "packet_end":
            root, off = _step(op.args[0])
            known = self.facts.get((root, op.args[1]))
            if isinstance(known, int) and row in (R.ugt, R.ule) and off <= known:
                return int(row is R.ule)
            return None
        if len(op.args) != 2 or op.args[0].type is not I64 or op.args[1].type is not I64:
            return None
        if row in (R.eq, R.ne):
            a, b = self.range(op.args[0]), self.range(op.args[1])
            if a[0] > b[1] or b[0] > a[1]:
                return int(row is R.ne)
            return int(row is R.eq) if a[0] == a[1] == b[0] == b[1] else None
        if row not in _ORDER:
            return None
        x, y = op.args if row in (R.ult, R.ule) else reversed(op.args)
        (low, high), (least, most) = self.known(x), self.known(y)
        if row in (R.ult, R.ugt):
            return 1 if high < least else 0 if low >= most else None
        return 1 if high <= least else 0 if low > most else None


def _meet(a: Range, b: Range) -> Range:
    """Both; where they contradict (code that cannot run), the first."""
    lo, hi = max(a[0], b[0]), min(a[1], b[1])
    return (lo, hi) if lo <= hi else a


def _step(p: Value) -> tuple[Value, int]:
    """A pointer as another one and a constant number of bytes from it."""
    off = 0
    while isinstance(p, Op) and p.row is R.ptradd and isinstance(p.args[1], Const):
        off += p.args[1].value
        p = p.args[0]
    return p, off


# --- packet checks in a row -------------------------------------------------------------------------------------------


def _drop_weaker_checks(fn: Function) -> bool:
    into = incoming(fn)
    changed = False
    for block in reversed(fn.blocks):  # a chain of checks collapses from its end
        first = _check(block)
        if first is None:
            continue
        key, bytes_, ok, fail = first
        second = _check_after(ok.block, into)
        if second is None or second[0] != key or second[1] < bytes_:
            continue
        other = second[3]
        if other.block is not fail.block or not all(same(a, b) for a, b in zip(other.args, fail.args)):
            continue
        end = block.terminator
        end.row, end.args, end.edges = R.jump, [], [ok]
        into[fail.block] = [(b, e) for b, e in into[fail.block] if e is not fail]
        changed = True
    return changed


def _check_after(block: Block, into: dict[Block, list[tuple[Block, Edge]]]) -> Check | None:
    """The check that comes next, on the only way on from `block`, with nothing before it that has an effect."""
    for _ in range(len(into)):
        if len(into[block]) != 1 or not all(op.row.pure for op in block.ops[:-1]):
            return None
        if block.terminator.row is not R.jump or block.edges[0].args:
            return _check(block)
        block = block.edges[0].block
    return None


Check = tuple[tuple[Value, Value], int, Edge, Edge]


def _check(block: Block) -> Check | None:
    """(pointer, packet_end), bytes, the edge where they are there, the edge where they are not."""
    end = block.terminator
    if end.row is not R.br:
        return None
    cond = end.args[0]
    if not isinstance(cond, Op) or cond.row not in (R.ugt, R.ule) or cond.args[1].type.region != "packet_end":
        return None
    root, off = _step(cond.args[0])
    ok, fail = end.edges if cond.row is R.ule else reversed(end.edges)
    return (root, cond.args[1]), off, ok, fail
