"""One random program in five runners: CPython, the IR interpreter, the VM without and with optimisation, the kernel."""

from __future__ import annotations

import builtins
import linecache
import struct
import sys
from types import ModuleType
from typing import Any

from purebpf.api import module_programs
from purebpf.target import VM, Target
from purebpf.compiler import Options, compile
from purebpf.errors import PureBpfError
from purebpf.compiler import to_ir
from purebpf.ir.interp import Interp
from purebpf.ir.ops import signed

from .programs import WIDTHS, arguments, program

CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i", "i64": "q"}


class Mismatch(AssertionError):
    """A runner that differs from CPython, with the seed and the program."""


def module(seed: int) -> tuple[ModuleType, dict[str, str], str]:
    """The program of a seed as a module whose text `linecache` (and so the compiler) can see."""
    text, params = program(seed)
    name = f"<program {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    made = ModuleType(f"program_{seed}")
    sys.modules[made.__name__] = made
    exec(builtins.compile(text, name, "exec"), made.__dict__)
    return made, params, text





def packet(params: dict[str, str], values: tuple[int, ...]) -> bytes:
    """The Args struct with C alignment, as the program reads it."""
    out = bytearray(16)
    for width, value in zip(params.values(), values):
        code = struct.Struct("<" + CODES[width])
        out += bytes(-len(out) % code.size) + code.pack(value)
    return bytes(out + bytes(-len(out) % 8))


class Runners:
    """Checks seeds; `kernel` False leaves the kernel out (where bpf(2) is refused)."""

    def __init__(self, kernel: bool = True) -> None:
        self.kernel = kernel
        self.names = ["CPython", "IR", "VM unoptimised", "VM optimised", *(["kernel"] if kernel else [])]

    def check(self, seed: int, inputs: int = 6) -> None:
        """Raise Mismatch if any runner differs from CPython on any input."""
        made, params, text = module(seed)
        try:
            rows = arguments(seed, params, inputs)
            wanted = [made.f(*row) for row in rows]
            self._compare(made, params, rows, wanted)
        except Mismatch as error:
            raise Mismatch(f"seed {seed}: {error}\n{text}") from None
        except PureBpfError as error:
            raise Mismatch(f"seed {seed}: {type(error).__name__}: {error}\n{getattr(error, 'log', '')[-1500:]}\n{text}") from error
        finally:
            sys.modules.pop(made.__name__, None)
            linecache.cache.pop(f"<program {seed}>", None)

    def _compare(self, made: ModuleType, params: dict[str, str], rows: list[tuple[int, ...]], wanted: list[int]) -> None:
        programs = module_programs(made)
        lowered = to_ir(programs, Options(target=Target(kernel=VM)))[1]
        interp = Interp(lowered.module, data={name: bytearray(section.data) for name, section in lowered.data.specs().items()})
        got = [signed(interp.run("root", *(signed(v) for v in row))) for row in rows]
        self._same("IR", rows, wanted, got)
        plain = compile(programs, Options(level=0)).spec
        best = compile(programs, Options(target=Target(kernel="6.9"), verify=True)).spec
        for name, spec in ("VM unoptimised", plain), ("VM optimised", best):
            self._same(name, rows, wanted, self._in_vm(spec, params, rows))
        if self.kernel:
            self._same("kernel", rows, wanted, self._in_kernel(best, params, rows))

    @staticmethod
    def _in_vm(spec: Any, params: dict[str, str], rows: list[tuple[int, ...]]) -> list[int]:
        from purebpf.vm import Machine

        machine = Machine(spec, engine="plain")
        return [struct.unpack_from("<q", machine.run("run", packet(params, row)).data)[0] for row in rows]

    @staticmethod
    def _in_kernel(spec: Any, params: dict[str, str], rows: list[tuple[int, ...]]) -> list[int]:
        from purebpf.loader import load

        with load(spec) as k:
            run = k.programs["run"]
            return [struct.unpack_from("<q", run.test_run(packet(params, row)).data)[0] for row in rows]

    @staticmethod
    def _same(name: str, rows: list[tuple[int, ...]], wanted: list[int], got: list[int]) -> None:
        for row, right, answer in zip(rows, wanted, got):
            if right != answer:
                raise Mismatch(f"{name}: f{row} is {answer}, CPython says {right}")


__all__ = ["Mismatch", "Runners", "WIDTHS", "module", "packet"]
