"""Bytes in, a number out: instructions run by themselves, without maps, contexts or an object around them."""

from __future__ import annotations

from types import CodeType
from typing import Callable, Mapping

from ..errors import DecodeError
from ..isa.codec import decode
from ..isa.insn import Insn
from ..order import NETWORK
from .code import Code
from .engines import engine_named
from .memory import M64, Buffer
from .runtime import INSN_LIMIT, Helper, Runtime

Memory = bytes | bytearray | memoryview
Source = bytes | bytearray | tuple[Insn, ...] | list[Insn]
Functions = Mapping[int, Callable[..., int]]


def run(code: Source, memory: Memory = b"", *, helpers: Functions | None = None, engine: str = "auto",
        insn_limit: int = INSN_LIMIT) -> int:
    """Run `code` once with r1 = the address of `memory`, r2 = its length and r10 = the top of a 512-byte stack; r0 as
    an unsigned 64-bit number.

    A writable `memory` (bytearray) is changed in place. `helpers` maps numbers to functions of up to five unsigned
    64-bit integers. Raises DecodeError for code the kernel refuses by its looks, VmFault for what goes wrong running.
    """
    return Bare(code, helpers=helpers, engine=engine, insn_limit=insn_limit).run(memory)


class Bare:
    """Checked code, to run more than once. `runtime` and `program` are what runs it."""

    __slots__ = ("program", "runtime")

    def __init__(self, code: Source, *, helpers: Functions | None = None, engine: str = "auto",
                 insn_limit: int = INSN_LIMIT) -> None:
        insns = code if isinstance(code, (tuple, list)) else decode(bytes(code))
        for insn in insns:
            if insn.ref is not None:
                raise DecodeError(f"{insn.ref} is a symbol; only a Machine resolves those")
        table = {number: _adapt(function) for number, function in (helpers or {}).items()}
        self.runtime = Runtime(engine_named(engine), table, insn_limit)
        self.program = self.runtime.add(Code(insns))

    def run(self, memory: Memory = b"") -> int:
        """One run; see `run`."""
        runtime = self.runtime
        buffer = _writable(memory)
        region = runtime.memory.map(buffer, "memory")

        def packet(offset: int, size: int) -> int | None:
            if offset + size > len(buffer):
                return None
            return NETWORK.number(buffer[offset : offset + size])

        runtime.packet = packet
        try:
            return runtime.run(self.program, region.base, len(buffer))
        finally:
            runtime.memory.unmap(region)


def _writable(memory: Memory) -> Buffer:
    if isinstance(memory, bytearray):
        return memory
    view = memoryview(memory).cast("B")
    return bytearray(view) if view.readonly else view


def _adapt(function: Callable[..., int]) -> Helper:
    """`function` called with as many of r1-r5 as it takes."""
    code: CodeType | None = getattr(function, "__code__", None)
    takes = 5
    if code is not None and not code.co_flags & 0x04:  # no *args
        takes = min(5, code.co_argcount - (1 if getattr(function, "__self__", None) is not None else 0))

    def helper(rt: Runtime, *args: int) -> int:
        return int(function(*args[:takes])) & M64

    return helper
