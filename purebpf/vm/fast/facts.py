"""What the fast engine knows of each register before it writes code: how wide a number is, or what it points to.

A pointer is kept as an offset from the start of its region, so that an access is one index into a buffer. Where such a
pointer comes from is a *site*: a function's argument, a call's result, a loaded pointer, an address constant, or r10.
At run time a site holds the base address and the buffers of its latest value.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple, Union

from ...isa import opcodes as op
from ...isa.insn import Insn
from ..code import signed
from ..memory import FIRST, M32, M64, STACK
from ..plain import ARITHMETIC, SIGNED_FORM
from .flow import Flow

STACK_SITE: Final = 0
CALL: Final = op.JMP | op.CALL
ADD64, SUB64, MOV64 = op.ALU64 | op.ADD, op.ALU64 | op.SUB, op.ALU64 | op.MOV
WIDEN_AFTER: Final = 3


class Num(NamedTuple):
    """A number below 2**bits; `const` if it is known."""

    bits: int
    const: int | None = None


class Ptr(NamedTuple):
    """An offset into the region of `site`; `const` if it is known (then no variable holds it). `low` and `high` bound
    it, None if nothing does. Offsets are not cut to 64 bits; base + offset is right modulo 2**64."""

    site: int
    const: int | None
    low: int | None
    high: int | None

    def moved(self, low: int, high: int | None, const: int | None) -> Ptr:
        """Plus a number between `low` and `high`; exactly `const`, if given."""
        return Ptr(self.site, None if self.const is None or const is None else self.const + const,
                   None if self.low is None else self.low + low,
                   None if self.high is None or high is None else self.high + high)


Kind = Union[Num, Ptr]
State = list[Kind]
ANY: Final = Num(64)
ZERO: Final = Num(0, 0)


def known(value: int) -> Num:
    return Num(value.bit_length(), value)


class Facts:
    """`at_start[block]` is the state of r0 … r10; `sites` maps the slot where a site gets its value (-n: argument rn on
    entry) to its number. `step` moves a state over one instruction."""

    __slots__ = ("_packet_moves", "at_start", "flow", "sites")

    def __init__(self, flow: Flow, moves: frozenset[int], local_moves: bool) -> None:
        """`moves`: slots of calls that may take memory away, so that no site survives them; `local_moves`: calls of the
        program's own functions may."""
        self.flow = flow
        self._packet_moves = (moves, local_moves)
        self.sites = self._find_sites()
        self.at_start = self._solve()

    # -- where pointers come from

    def _find_sites(self) -> dict[int, int]:
        strong, weak = self._wanted()
        sites: dict[int, int] = {}
        entry = self.flow.function.start
        for register in range(1, 6):
            if (strong[entry] | weak[entry]) >> register & 1:
                sites[-register] = len(sites) + 1
        for block in self.flow.order:
            instructions = self.flow.instructions(block)
            for index, (pc, insn) in enumerate(instructions):
                after_strong, after_weak = self._after(block, instructions, index, strong, weak)
                if self._is_source(insn, after_strong, after_weak):
                    sites[pc] = len(sites) + 1
        return sites

    def _after(self, block: int, instructions: list[tuple[int, Insn]], index: int, strong: dict[int, int],
               weak: dict[int, int]) -> tuple[int, int]:
        if index + 1 < len(instructions):
            following = instructions[index + 1][0]
            return strong[following], weak[following]
        succ = self.flow.blocks[block].succ
        return _union(strong, succ), _union(weak, succ)

    @staticmethod
    def _is_source(insn: Insn, strong: int, weak: int) -> bool:
        if insn.code == CALL:
            return bool((strong | weak) & 1)
        if insn.code == op.LD_IMM64:
            return insn.src == 0 and insn.imm >> 32 >= FIRST and bool((strong | weak) >> insn.dst & 1)
        wide = insn.code == op.LDX | op.MEM | op.DW
        context = insn.code == op.LDX | op.MEM | op.W and insn.off in (0, 76)  # data of xdp_md and __sk_buff
        return (wide or context) and bool(strong >> insn.dst & 1)

    def _wanted(self) -> tuple[dict[int, int], dict[int, int]]:
        """For each slot, registers whose value may later be the base of an access: as themselves (strong), or added to
        something else (weak)."""
        flow = self.flow
        strong, weak = dict.fromkeys(flow.order, 0), dict.fromkeys(flow.order, 0)
        changed = True
        while changed:
            changed = False
            for block in reversed(flow.order):
                a, b = _union(strong, flow.blocks[block].succ), _union(weak, flow.blocks[block].succ)
                for pc, insn in reversed(flow.instructions(block)):
                    a, b = _want(insn, a, b)
                    changed |= pc not in strong or (strong[pc], weak[pc]) != (a, b)
                    strong[pc], weak[pc] = a, b
        return strong, weak

    # -- the fixed point

    def _solve(self) -> dict[int, tuple[Kind, ...]]:
        flow = self.flow
        entry: State = [ZERO] + [ANY] * 5 + [ZERO] * 4 + [Ptr(STACK_SITE, STACK, STACK, STACK)]
        for register in range(1, 6):
            if -register in self.sites:
                entry[register] = fresh(self.sites[-register])
        at_start: dict[int, tuple[Kind, ...]] = {flow.function.start: tuple(entry)}
        visits = dict.fromkeys(flow.order, 0)
        todo = [0]  # ranks: what comes first is done first
        while todo:
            block = flow.order[heappop(todo)]
            state = list(at_start[block])
            for pc, insn in flow.instructions(block):
                self.step(state, pc, insn)
            for target in flow.blocks[block].succ:
                old = at_start.get(target)
                new = tuple(state) if old is None else tuple(
                    [a if a == b else _merge(a, b, visits[target] > WIDEN_AFTER) for a, b in zip(old, state)])
                if new != old:
                    visits[target] += 1
                    at_start[target] = new
                    if flow.rank[target] not in todo:
                        heappush(todo, flow.rank[target])
        return at_start

    def forgets(self, pc: int, insn: Insn) -> bool:
        """Does the call at `pc` invalidate what sites hold?"""
        moves, local_moves = self._packet_moves
        return pc in moves or (insn.src == op.CALL_LOCAL and local_moves)

    def step(self, state: State, pc: int, insn: Insn) -> None:
        """Change `state` as the instruction at `pc` does."""
        kind = insn.code & 7
        if kind in (op.ALU64, op.ALU):
            state[insn.dst] = arithmetic(state, insn)
        elif kind == op.LDX:
            bits = 8 * op.SIZE_BYTES[insn.code & op.DW]
            state[insn.dst] = Num(bits if insn.code & 0xE0 == op.MEM else 64)
        elif kind == op.LD:
            if insn.code == op.LD_IMM64:
                state[insn.dst] = known(insn.imm & M64) if insn.src == 0 else ANY
            else:
                state[0] = Num(8 * op.SIZE_BYTES[insn.code & op.DW])
        elif kind == op.STX and insn.code & 0xE0 == op.ATOMIC:
            self._atomic(state, insn)
        elif insn.code == CALL:
            if self.forgets(pc, insn):
                for register in range(10):
                    state[register] = ANY if isinstance(state[register], Ptr) else state[register]
            state[0] = ANY
        site = self.sites.get(pc)
        if site is not None:
            self._new_value(state, site, insn)

    @staticmethod
    def _new_value(state: State, site: int, insn: Insn) -> None:
        """No other register can still point into the site's earlier region: on the way that reaches the site for
        the first time there was none, so where ways meet such a register is only a number."""
        if insn.code == op.LD_IMM64:
            offset = insn.imm & M32
            state[insn.dst] = Ptr(site, offset, offset, offset)
        else:
            state[0 if insn.code == CALL else insn.dst] = fresh(site)

    @staticmethod
    def _atomic(state: State, insn: Insn) -> None:
        bits = 8 * op.SIZE_BYTES[insn.code & op.DW]
        if insn.imm == op.LOAD_ACQ:
            state[insn.dst] = Num(bits)
        elif insn.imm == op.CMPXCHG:
            state[0] = Num(bits)
        elif insn.imm & op.FETCH and insn.imm != op.STORE_REL:
            state[insn.src] = Num(bits)


def fresh(site: int) -> Ptr:
    return Ptr(site, None, 0, M32)


def _union(masks: dict[int, int], blocks: tuple[int, ...]) -> int:
    out = 0
    for block in blocks:
        out |= masks[block]
    return out


def _want(insn: Insn, strong: int, weak: int) -> tuple[int, int]:
    """What is wanted before an instruction, from what is wanted after it."""
    kind, dst, src = insn.code & 7, 1 << insn.dst, 1 << insn.src
    if kind == op.LDX:
        return strong & ~dst | src, weak & ~dst
    if kind in (op.ST, op.STX):
        if insn.code & 0xE0 != op.ATOMIC:
            return strong | dst, weak
        written = dst if insn.imm == op.LOAD_ACQ else 1 if insn.imm == op.CMPXCHG else src if insn.imm & op.FETCH else 0
        return strong & ~written, weak & ~written
    if insn.code == MOV64 | op.X:
        return (strong & ~dst | (src if strong & dst else 0), weak & ~dst | (src if weak & dst else 0))
    if insn.code & ~op.X in (ADD64, SUB64):
        adds = insn.code == ADD64 | op.X and (strong | weak) & dst
        return strong, weak | (src if adds else 0)
    if kind in (op.ALU, op.ALU64) or insn.code == op.LD_IMM64:
        return strong & ~dst, weak & ~dst
    if insn.code == CALL or kind == op.LD:
        return strong & ~1, weak & ~1
    return strong, weak


def _merge(a: Kind, b: Kind, widen: bool) -> Kind:
    """What holds of both of two different kinds."""
    if isinstance(a, Num) and isinstance(b, Num):
        bits = max(a.bits, b.bits)
        if widen and bits > a.bits:
            bits = 32 if bits <= 32 else 64
        return Num(bits, a.const if a.const == b.const else None)
    if isinstance(a, Ptr) and isinstance(b, Ptr) and a.site == b.site:
        low = None if a.low is None or b.low is None else min(a.low, b.low)
        high = None if a.high is None or b.high is None else max(a.high, b.high)
        if widen:
            low, high = (low if low == a.low else None), (high if high == a.high else None)
        return Ptr(a.site, a.const if a.const == b.const else None, low, high)
    return ANY


# -- arithmetic on kinds


def arithmetic(state: State, insn: Insn) -> Kind:
    """The kind of dst after an ALU or ALU64 instruction."""
    wide, what = insn.code & 7 == op.ALU64, insn.code & 0xF0
    width = 64 if wide else 32
    if what == op.END:
        return Num(insn.imm)
    if what == op.NEG:
        return Num(width)
    a = state[insn.dst]
    b: Kind = state[insn.src] if insn.code & op.X else known(signed(insn.imm, 32) & (M64 if wide else M32))
    if wide and what in (op.MOV, op.ADD, op.SUB):
        if what == op.MOV:
            return b if insn.off <= 1 else ANY
        if isinstance(a, Ptr) or isinstance(b, Ptr):
            return _pointer_sum(a, b, what)
    if what == op.MOV:
        if insn.off or isinstance(b, Ptr):
            return Num(width)
        return Num(min(b.bits, width)) if b.const is None else known(b.const & M32)
    x, y = _number(a, width), _number(b, width)
    if x.const is not None and y.const is not None:
        does = SIGNED_FORM.get(what, ARITHMETIC[what]) if insn.off else ARITHMETIC[what]
        return known(does(x.const, y.const, width) & (M64 if wide else M32))
    return Num(width) if insn.off else Num(min(width, _width(what, x, y, width)))


def _number(kind: Kind, width: int) -> Num:
    if isinstance(kind, Ptr):
        return Num(width)
    return Num(min(kind.bits, width), None if kind.const is None else kind.const & ((1 << width) - 1))


def _width(what: int, a: Num, b: Num, width: int) -> int:
    """Bits of the result of an unsigned operation on `a` and `b`."""
    shift = None if b.const is None else b.const & (width - 1)
    if what == op.ADD:
        return max(a.bits, b.bits) + 1
    if what == op.MUL:
        return a.bits + b.bits
    if what in (op.OR, op.XOR):
        return max(a.bits, b.bits)
    if what == op.AND:
        return min(a.bits, b.bits)
    if what == op.LSH:
        return width if shift is None else a.bits + shift
    if what == op.RSH or (what == op.ARSH and a.bits < width):
        return a.bits if shift is None else max(0, a.bits - shift)
    if what == op.MOD:
        return min(a.bits, b.bits) if b.const else a.bits
    return a.bits if what == op.DIV else width


def _pointer_sum(a: Kind, b: Kind, what: int) -> Kind:
    if isinstance(a, Ptr) and isinstance(b, Num):
        if b.const is not None:
            by = signed(b.const, 64) * (1 if what == op.ADD else -1)
            return a.moved(by, by, by)
        most = (1 << b.bits) - 1 if b.bits <= 32 else None
        if what == op.ADD:
            return a.moved(0, most, None)
        return Ptr(a.site, None, None if a.low is None or most is None else a.low - most, a.high)
    if isinstance(b, Ptr) and isinstance(a, Num) and what == op.ADD:
        return _pointer_sum(b, a, what)
    if isinstance(a, Ptr) and isinstance(b, Ptr) and a.const is not None and b.const is not None and what == op.SUB \
            and a.site == b.site:
        return known(a.const - b.const & M64)
    return ANY
