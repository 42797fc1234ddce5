"""What a running program has around it, the same for both engines: memory, helpers, limits, other programs.

Takes `Code` from code.py and an engine; gives `call`, which starts one function, and the few operations that are too
rare to be worth two implementations (atomics, function pointers, tail calls, legacy packet loads).
"""

from __future__ import annotations

from typing import Callable, Final, Mapping, Protocol

from ..isa import opcodes as op
from ..order import LITTLE, Order
from .code import Code
from .memory import M32, M64, Memory, Trap

Helper = Callable[["Runtime", int, int, int, int, int], int]

INSN_LIMIT: Final = 1 << 26
"""Default limit. The verifier looks at 1M instructions, but lets programs run longer: bpf_loop and may_goto go round
8M times. This is enough for either and still ends a runaway in seconds."""

MAY_GOTO: Final = 8 * 1024 * 1024  # BPF_MAX_LOOPS: rounds that may_goto grants a function
MAX_TAIL_CALLS: Final = 33
TAIL_CALL: Final = 12  # the helper that does not come back
ENOENT: Final = 2


class Program(Protocol):
    """A `Code` translated by an engine for one runtime."""

    code: Code

    def call(self, start: int, args: tuple[int, ...], depth: int) -> int:
        """Run the function at slot `start` with r1… = args in frame number `depth`; r0 afterwards."""


Engine = Callable[[Code, "Runtime"], Program]


class Runtime:
    """`limit` counts instructions in strides: each backward jump costs the slots it goes back over, each call the
    callee's length. Both engines count alike, so they stop at the same place."""

    __slots__ = ("charged", "depth", "engine", "helpers", "limit", "may_goto", "memory", "names", "packet", "programs",
                 "rd", "tail_calls", "tail_target", "wr")

    def __init__(self, engine: Engine, helpers: Mapping[int, Helper], limit: int = INSN_LIMIT,
                 order: Order = LITTLE) -> None:
        self.engine, self.helpers, self.limit = engine, helpers, limit
        self.memory = Memory(order)
        self.rd, self.wr = self.memory.rd, self.memory.wr
        self.names: Mapping[int, str] = {}
        self.programs: dict[int, Program] = {}
        self.packet: Callable[[int, int], int | None] | None = None
        self.tail_target: Callable[[int, int], tuple[Program, int] | None] | None = None
        self.charged = self.depth = self.tail_calls = 0
        self.may_goto = MAY_GOTO

    def add(self, code: Code) -> Program:
        """Translate `code` and give it addresses, so that pointers to its functions mean something."""
        region = self.memory.map_special(bytearray(), code.name, _no_load, _no_store)
        code.base = region.base
        program = self.programs[region.base >> 32] = self.engine(code, self)
        return program

    def run(self, program: Program, *args: int) -> int:
        """One run of `program` from its start, with fresh limits; r0. Raises VmFault."""
        self.charged = self.depth = self.tail_calls = 0
        try:
            return program.call(0, args, 0)
        finally:
            self.memory.drop_frames()

    def charge(self, slots: int) -> None:
        """Count instructions; Trap beyond the limit."""
        self.charged += slots
        if self.charged > self.limit:
            raise Trap(self.over_limit())

    def over_limit(self) -> str:
        return f"more than {self.limit:,} instructions"

    def helper(self, number: int) -> Helper:
        """The helper, or one that traps with its name: it is an error only when called."""
        known = self.helpers.get(number)
        if known is not None:
            return known
        name = self.names.get(number, "")

        def unknown(*_: object) -> int:
            raise Trap(f"helper {number}{f' ({name})' if name else ''} does not exist in the VM")

        return unknown

    def callback(self, address: int, *args: int) -> int:
        """Call the program's function at `address` (a ld_imm64 of a function), one frame deeper; its r0."""
        program = self.programs.get(address >> 32)
        start = (address & M32) >> 3
        if program is None or start not in program.code.functions or address & 7:
            raise Trap(f"call of {address:#x}, which is no function")
        depth = self.depth
        function = program.code.functions[start]
        self.charge(function.end - start)
        result = program.call(start, args, depth + 1)
        self.depth = depth
        return result

    def tail_call(self, ctx: int, array: int, index: int, depth: int) -> int | None:
        """bpf_tail_call: the result of the program called, or None when there is none and the caller goes on."""
        if self.tail_target is None:
            return None
        target = self.tail_target(array, index & M32)
        if target is None or self.tail_calls >= MAX_TAIL_CALLS:
            return None
        self.tail_calls += 1
        return target[0].call(target[1], (ctx,), depth)

    def legacy_load(self, offset: int, size: int) -> int | None:
        """LD_ABS and LD_IND: the big-endian value in the packet, or None, which ends the function with 0."""
        if self.packet is None:
            raise Trap("legacy packet load without a packet")
        return self.packet(offset & M32, size)

    def load_acquire(self, addr: int, size: int) -> int:
        self._aligned(addr, size)
        return self.memory.load(addr, size)

    def store_release(self, addr: int, size: int, value: int) -> None:
        self._aligned(addr, size)
        self.memory.store(addr, size, value)

    def atomic(self, what: int, addr: int, size: int, operand: int, r0: int) -> int:
        """Read-modify-write of `size` bytes; the old value, zero-extended."""
        self._aligned(addr, size)
        memory, mask = self.memory, M32 if size == 4 else M64
        old = memory.load(addr, size)
        if what == op.CMPXCHG:
            memory.store(addr, size, operand if old == r0 & mask else old)
            return old
        memory.store(addr, size, ATOMICS[what](old, operand))
        return old

    def _aligned(self, addr: int, size: int) -> None:
        if addr % size:
            raise Trap(f"atomic access of {size} bytes at {addr:#x} is not aligned")


ATOMICS: Final[Mapping[int, Callable[[int, int], int]]] = {
    what | fetch: does
    for fetch in (0, op.FETCH)
    for what, does in (
        (op.ADD, lambda old, new: old + new), (op.OR, lambda old, new: old | new),
        (op.AND, lambda old, new: old & new), (op.XOR, lambda old, new: old ^ new),
    )
} | {op.XCHG: lambda old, new: new}


def _no_load(offset: int, size: int) -> int:
    raise Trap("program code cannot be read")


def _no_store(offset: int, size: int, value: int) -> None:
    raise Trap("program code cannot be written")
