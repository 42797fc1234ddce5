"""Functions of a program as Python functions: made, run, and their faults traced back to the instruction.

A fault's place needs no bookkeeping while running: every line of the Python text remembers the slot it was made
from, and the traceback names the line.
"""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Any, Callable, Final

from ...errors import VmFault
from ...isa import opcodes as op
from ...isa.insn import Insn
from ...order import BIG, LITTLE
from ...uapi.helpers import IDS
from ..code import Code, Function, strides
from ..memory import FRAMES, M32, MAX_FRAMES, Trap
from ..plain import SIGNED_FORM
from ..runtime import TAIL_CALL, Runtime
from .emit import CALLS_BACK, Emitter, helper_arguments, new_site
from .facts import CALL, Facts
from .flow import Flow, register_effect
from .shape import Line, TooDeep, dispatched, structured
from .values import Shared

MOVES_MEMORY: Final = frozenset(IDS[name] for name in (
    "xdp_adjust_head", "xdp_adjust_tail", "xdp_adjust_meta", "skb_change_tail", "skb_change_head", "ringbuf_submit",
    "ringbuf_discard"))
FILE: Final = "<bpf program>"
Callable_ = Callable[..., int]


class FastProgram:
    """`code` as Python functions, translated when first called."""

    __slots__ = ("_functions", "_slots", "code", "rt", "source")

    def __init__(self, code: Code, rt: Runtime) -> None:
        self.code, self.rt = code, rt
        self._functions: dict[str, Any] = {}
        self._slots: list[int] = []  # of each line of `source`, -1 for none
        self.source = ""

    def call(self, start: int, args: tuple[int, ...], depth: int) -> int:
        if not self._functions:
            self._translate()
        function: Callable_ = self._functions[f"f{start}"]
        self.rt.depth = depth
        try:
            return function(self.rt, *args, *(0,) * (5 - len(args)), depth)
        except Trap as trap:
            pc = self._place(trap.__traceback__)
            if pc is None:
                raise
            raise VmFault(str(trap), pc, self.code.span(pc)) from None

    def _place(self, traceback: TracebackType | None) -> int | None:
        """The slot of the innermost line of this program; None if it never got to one (the caller's place counts)."""
        found = None
        while traceback is not None:
            if traceback.tb_frame.f_globals is self._functions:
                pc = self._slots[traceback.tb_lineno - 1]
                found = pc if pc >= 0 else found
            traceback = traceback.tb_next
        return found

    def _translate(self) -> None:
        lines: list[Line] = []
        costs = strides(self.code)
        moves = self._moving_calls()
        for function in self.code.functions.values():
            lines += _function(self.code, function, self.rt, costs, moves)
        self._slots = [line.pc for line in lines]
        self.source = "\n".join(" " * line.indent + line.text for line in lines)
        names = self._names()
        exec(compile(self.source, FILE, "exec"), names)
        self._functions = names

    def _moving_calls(self) -> frozenset[int]:
        """Slots of helper calls after which memory may be elsewhere: those that move it, and those that call back if
        anything in the program moves it."""
        calls = {pc: insn for pc, insn in enumerate(self.code.slots)
                 if insn is not None and insn.code == CALL and insn.src == op.CALL_HELPER}
        moving = {pc for pc, insn in calls.items() if insn.imm in MOVES_MEMORY and _own(self.rt, insn)}
        return frozenset(moving | {pc for pc, insn in calls.items() if insn.imm in CALLS_BACK and moving})

    def _names(self) -> dict[str, Any]:
        rt = self.rt
        memory = rt.memory

        def over() -> None:
            raise Trap(rt.over_limit())

        def unresolved() -> None:
            raise Trap("a reference to a map, variable or kernel symbol that nothing has resolved")

        def missing(number: int) -> None:
            raise Trap(f"kernel function {number} does not exist in the VM")

        names: dict[str, Any] = {
            "X": (KeyError, IndexError, struct.error, OverflowError), "E": bytearray(), "ld": memory.load,
            "st": memory.store, "push": memory.push_frame, "pop": memory.pop_frame, "charge": rt.charge, "over": over,
            "unresolved": unresolved, "missing": missing, "CODE": self.code.base,
            "sdiv": SIGNED_FORM[op.DIV], "smod": SIGNED_FORM[op.MOD], "swap32": _swapper("I"), "swap64": _swapper("Q"),
        }
        for size, codec in memory.codecs.items():
            names[f"L{size}"], names[f"P{size}"] = codec.unpack_from, codec.pack_into
        for insn in self.code.slots:
            if insn is not None and insn.code == CALL and insn.src == op.CALL_HELPER:
                names[f"h{insn.imm & M32}"] = rt.helper(insn.imm)
        return names


def _own(rt: Runtime, insn: Insn) -> bool:
    """Is the helper the VM's, and not a function that the caller of vm.run gave this number?"""
    return insn.imm in rt.helpers and rt.tail_target is not None


def _swapper(letter: str) -> Callable[[int], tuple[int]]:
    pack, unpack = struct.Struct(LITTLE.mark + letter).pack, struct.Struct(BIG.mark + letter).unpack

    def swap(value: int) -> tuple[int]:
        result: tuple[int] = unpack(pack(value))
        return result

    return swap


def _function(code: Code, function: Function, rt: Runtime, costs: dict[int, int], moves: frozenset[int]) -> list[Line]:
    """The Python text of one function."""
    flow = Flow(code, function)

    def effect(insn: Insn) -> tuple[int, int]:
        reads, writes = register_effect(insn)
        if insn.code == CALL and insn.src == op.CALL_HELPER:
            takes = 3 if insn.imm == TAIL_CALL and rt.tail_target is not None else helper_arguments(rt, insn.imm)
            reads = (1 << takes + 1) - 2
        return reads, writes

    flow.find_live(effect)
    facts = Facts(flow, moves, bool(moves))
    try:
        emitter = Emitter(flow, facts, rt, costs, private=True)
        body = _body(flow, emitter)
    except Shared:
        emitter = Emitter(flow, facts, rt, costs, private=False)
        body = _body(flow, emitter)
    return [Line(f"def f{function.start}(rt, r1, r2, r3, r4, r5, D):", -1), *_prologue(flow, facts, emitter), *body]


def _body(flow: Flow, emitter: Emitter) -> list[Line]:
    if flow.reducible:
        try:
            return structured(flow, emitter)
        except TooDeep:
            pass
    return dispatched(flow, emitter)


def _prologue(flow: Flow, facts: Facts, emitter: Emitter) -> list[Line]:
    out = ["rd = rt.rd", "wr = rt.wr"]
    live = flow.live[flow.function.start]
    out += [f"r{register} = 0" for register in (0, 6, 7, 8, 9) if live >> register & 1]
    if emitter.private:
        out += [f"if D >= {MAX_FRAMES}: push(D)"]
        out += [f"s{offset} = 0" for offset in emitter.slots]
    else:
        out += ["F = push(D)", f"b0 = {FRAMES} + D << 32"]
        out += [f"{view} = memoryview(F).cast({view[1]!r})" for view in sorted(emitter.views)]
    if emitter.counts:
        out += ["n = rt.charged", "lim = rt.limit + 1"]
    if emitter.budget:
        out += ["mg = rt.may_goto"]
    for register in range(1, 6):
        if -register in facts.sites:
            out += new_site(facts.sites[-register], register)
    return [Line(text, -1, 1) for text in out]
