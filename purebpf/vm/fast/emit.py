"""One function of a program as lines of Python: registers are local variables, memory is indexed directly.

Three ideas make the result fast and keep it exact:
* numbers are cut to 64 (or 32) bits late: until someone can see the difference, a variable may hold a value that is
  only right modulo 2**width (values.py);
* an access through a pointer whose region is known (facts.py) is one index into a buffer; whatever goes wrong there is
  done again by `Memory.load` and `store`, which know everything and raise the fault;
* a stack that nobody else can see is a set of variables (`private`, access.py).
"""

from __future__ import annotations

from typing import Final

from ...isa import opcodes as op
from ...isa.insn import Insn
from ...uapi.helpers import IDS
from ..code import callee
from ..memory import M32, M64
from ..runtime import ENOENT, TAIL_CALL, Runtime
from .access import Access
from .facts import CALL, Facts, Kind, Num, Ptr, State
from .flow import Flow
from .operators import compare
from .shape import Line, Parts

CALLS_BACK: Final = frozenset(IDS[name] for name in ("loop", "for_each_map_elem"))


class Emitter(Access, Parts):
    """Writes the blocks of one function. `strides` is what backward jumps cost; `private`: try without a frame."""

    def __init__(self, flow: Flow, facts: Facts, rt: Runtime, strides: dict[int, int], private: bool) -> None:
        super().__init__(flow, facts, private)
        self.rt, self.strides = rt, strides
        self.counts = any(flow.function.start <= slot < flow.function.end for slot in strides)
        self.budget = False
        self._ends: dict[int, State] = {}
        self._counted: dict[int, bool] = {}
        self._conditions: dict[int, tuple[str, str, int]] = {}

    # -- Parts

    def lines(self, block: int) -> tuple[list[Line], bool]:
        one = self.flow.blocks[block]
        self._state, self._dirty, self._out = list(self.facts.at_start[block]), {}, []
        last = self.flow.code.slots[one.last]
        assert last is not None
        for pc, insn in self.flow.instructions(block):
            self._pc = pc
            if insn.code == op.JMP | op.EXIT:
                self._return(self._value(0))
            elif len(one.succ) == 2 and pc == one.last:
                self._conditions[block] = self._condition(insn)
            elif insn.code not in (op.JMP | op.JA, op.JMP32 | op.JA):
                self._instruction(insn)
                self.facts.step(self._state, pc, insn)
        for register in list(self._dirty):
            if self.flow.live_after(block) >> register & 1:
                self._clean(register)
        self._ends[block] = self._state
        return self._out, not one.succ

    def condition(self, block: int) -> tuple[str, str, int]:
        return self._conditions[block]

    def edge(self, block: int, target: int, taken: bool) -> list[Line]:
        one = self.flow.blocks[block]
        last = self.flow.code.slots[one.last]
        assert last is not None
        pc, self._out, self._pc = one.last, [], one.last
        if last.code == op.JMP | op.JCOND and not taken:
            self._add("mg -= 1")
        if taken and target <= pc and not (self._is_counted(target) and self.flow.is_back(block, target)):
            self._add(f"n += {self.strides[target]}")
            self._add("if n >= lim: over()")
        wanted, live = self.facts.at_start[target], self.flow.live[target]
        for register in range(10):
            if live >> register & 1:
                self._convert(register, self._ends[block][register], wanted[register])
        return self._out

    def loop_head(self, block: int) -> tuple[Line, list[Line]]:
        if not self._is_counted(block):
            return Line("while True:", -1), []
        latch = next(p for p in self.flow.preds[block] if self.flow.is_back(p, block))
        pc = self.flow.blocks[latch].last
        return Line(f"for n in range(n, lim, {self.strides[block]}):", pc), [Line("over()", pc)]

    def _is_counted(self, header: int) -> bool:
        """Can a `for` count the rounds? If one backward jump closes the loop, and nothing else in it counts."""
        if header not in self._counted:
            body = self.flow.loop_of(header)
            charged = [(block, target) for block in body for target in self.flow.blocks[block].succ[-1:]
                       if target <= self.flow.blocks[block].last]
            closing = [block for block in body if header in self.flow.blocks[block].succ]
            self._counted[header] = len(closing) == 1 and charged == [(closing[0], header)] and not any(
                self._counts_itself(insn) for block in body for _, insn in self.flow.instructions(block))
        return self._counted[header]

    def _counts_itself(self, insn: Insn) -> bool:
        """Does a call run instructions of its own?"""
        return insn.code == CALL and (insn.src == op.CALL_LOCAL or insn.imm in CALLS_BACK or insn.imm == TAIL_CALL)

    def _convert(self, register: int, have: Kind, want: Kind) -> None:
        """Bring a register into the form that the next block expects."""
        if not isinstance(have, Ptr):
            return
        if isinstance(want, Num):
            self._add(f"r{register} = {self._address(register, have)}")
        elif have.const is not None and want.const is None:
            self._add(f"r{register} = {have.const}")

    def _condition(self, insn: Insn) -> tuple[str, str, int]:
        if insn.code == op.JMP | op.JCOND:
            self.budget = True
            return "mg == 0", "mg", self._pc
        width = 64 if insn.code & 7 == op.JMP else 32
        what = insn.code & 0xF0
        kind = self._state[insn.dst]
        null = not insn.code & op.X and insn.imm == 0 and width == 64 and what in (op.JEQ, op.JNE)
        if null and isinstance(kind, Ptr) and kind.const is None and kind.low == 0 and kind.high == M32:
            either = f"r{insn.dst} or b{kind.site}"  # an address as it came: both parts are 0 only together
            yes, no = f"not ({either})", either
            return (yes, no, self._pc) if what == op.JEQ else (no, yes, self._pc)
        a = self._low(insn.dst, width)
        b = self._exact_operand(insn, width)
        narrow = isinstance(kind, Num) and kind.bits < width and insn.dst not in self._dirty
        other = self._state[insn.src] if insn.code & op.X else Num(width)
        narrow_b = insn.code & op.X and isinstance(other, Num) and other.bits < width and insn.src not in self._dirty
        yes, no = compare(what, a, b, width, bool(narrow and narrow_b), not insn.code & op.X)
        return yes, no, self._pc

    # -- instructions

    def _instruction(self, insn: Insn) -> None:
        kind = insn.code & 7
        if kind in (op.ALU, op.ALU64):
            self._alu(insn, 64 if kind == op.ALU64 else 32)
        elif kind == op.LDX:
            self._load(insn)
            self._new_site(insn.dst)
        elif kind == op.LD:
            self._load_other(insn)
        elif kind in (op.ST, op.STX):
            if insn.code & 0xE0 == op.ATOMIC:
                self._atomic(insn)
            else:
                self._store(insn)
        elif insn.code == CALL:
            self._call(insn)
        elif insn.code == op.JMP | op.JCOND:  # to the next instruction: only the budget changes
            self.budget = True
            self._add("if mg: mg -= 1")

    def _load_other(self, insn: Insn) -> None:
        if insn.code != op.LD_IMM64:
            where = f"{insn.imm} + {self._value(insn.src)}" if insn.code & 0xE0 == op.IND else str(insn.imm)
            self._set(0, f"rt.legacy_load({where}, {op.SIZE_BYTES[insn.code & op.DW]})")
            self._add("if r0 is None:")
            self._return("0", 1)
            return
        target = callee(self._pc, insn)
        if target is not None:
            self._set(insn.dst, f"CODE + {target * op.SLOT}")
        elif insn.src:
            self._add("unresolved()")
        elif self._pc in self.facts.sites:
            site = self.facts.sites[self._pc]
            self._dirty.pop(insn.dst, None)
            number = insn.imm >> 32
            self._add(f"b{site} = {number << 32:#x}")
            self._add(f"m{site} = rd.get({number}, E)")
            self._add(f"w{site} = wr.get({number}, E)")
        else:
            self._set(insn.dst, f"{insn.imm & M64:#x}")

    # -- sites

    def _new_site(self, dst: int) -> None:
        site = self.facts.sites.get(self._pc)
        if site is not None:
            self._dirty.pop(dst, None)
            for text in new_site(site, dst):
                self._add(text)

    # -- calls and returns

    def _call(self, insn: Insn) -> None:
        if insn.src == op.CALL_KFUNC:
            self._add(f"missing({insn.imm})")
            return
        target = callee(self._pc, insn)
        if self.facts.forgets(self._pc, insn):
            for register in range(10):
                kind = self._state[register]
                if isinstance(kind, Ptr):
                    self._add(f"r{register} = {self._address(register, kind)}")
                    self._state[register] = Num(64)
        if target is not None:
            self._local_call(target)
        elif insn.imm == TAIL_CALL and self.rt.tail_target is not None:
            self._tail_call()
        else:
            self._helper(insn.imm & M32)
        self._new_site(0)

    def _arguments(self, count: int) -> str:
        return "".join(f", {self._value(register)}" for register in range(1, count + 1))

    def _local_call(self, target: int) -> None:
        function = self.flow.code.functions[target]
        arguments = self._arguments(5)
        self._sync_out()
        self._add(f"charge({function.end - target})")
        self._set(0, f"f{target}(rt{arguments}, D + 1)")
        self._sync_in()

    def _tail_call(self) -> None:
        arguments = self._arguments(3)
        self._sync_out()
        self._dirty.pop(0, None)
        self._add(f"r0 = rt.tail_call({arguments[2:]}, D)")
        self._sync_in()
        self._add("if r0 is not None:")
        self._return("r0", 1)
        self._add(f"r0 = {-ENOENT & M64:#x}")

    def _helper(self, number: int) -> None:
        arguments = self._arguments(helper_arguments(self.rt, number))
        if number not in CALLS_BACK:
            self._set(0, f"h{number}(rt{arguments}) & {M64:#x}")
            return
        self._add("rt.depth = D")
        self._sync_out()
        self._set(0, f"h{number}(rt{arguments}) & {M64:#x}")
        self._sync_in()

    def _sync_out(self) -> None:
        if self.counts:
            self._add("rt.charged = n")

    def _sync_in(self) -> None:
        if self.counts:
            self._add("n = rt.charged")

    def _return(self, value: str, indent: int = 0) -> None:
        lines = ["rt.charged = n"] if self.counts else []
        lines += [] if self.private else ["pop(D)"]
        for text in (*lines, f"return {value}"):
            self._out.append(Line(text, self._pc, indent))


def new_site(site: int, register: int) -> list[str]:
    """Split the address in a register: base and buffers into the site's variables, the offset stays."""
    r = f"r{register}"
    return [f"b{site} = {r} >> 32", f"m{site} = rd.get(b{site}, E)", f"w{site} = wr.get(b{site}, E)", f"b{site} <<= 32",
            f"{r} &= {M32:#x}"]


def helper_arguments(rt: Runtime, number: int) -> int:
    """How many of r1-r5 a helper looks at: its named parameters, if its *rest is called _."""
    function = rt.helpers.get(number)
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & 4 or code.co_varnames[code.co_argcount] != "_":
        return 5
    return int(code.co_argcount) - 1

