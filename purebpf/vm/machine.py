"""An object made live in user space: its maps and variables stay between runs, its programs run with either engine.

Takes an ObjectSpec; gives RunResults like BPF_PROG_TEST_RUN's. What each instruction does stands in plain.py; fast.py
does the same faster.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Final, Iterable, assert_never

from .. import context
from ..errors import FormatError, VmFault
from ..isa import opcodes as op
from ..isa.insn import CoreRef, DataRef, ExternRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef
from ..order import LITTLE, ORDERS
from ..spec import DataSpec, MapSpec, ObjectSpec, RunResult, VarSpec
from ..uapi.enums import MapFlag, MapType
from . import helpers
from .code import Code
from .contexts import prepare
from .core import Core
from .engines import engine_named
from .fakes import Fakes
from .kfuncs import KFUNCS
from .live import LiveMap, Variable, Variables
from .maps import Map
from .memory import M32, Region, Trap
from .routes import Route, checked
from .runtime import INSN_LIMIT, Helper, Program
from .world import Process, World

FIRST_KFUNC: Final = 1 << 20  # kfuncs get helper numbers from here on
Clock = Callable[[], int] | int | None


class Machine:
    """`spec` ready to run.

    `engine`: "auto", "fast" or "plain" (engines.py). `now`: the clock in ns, a function or a fixed number (None: the
    host's). `cpus`: how many values a per-CPU map has. `process`: who is running, for the helpers and for simulated
    kernel objects. `seed` makes bpf_get_prandom_u32 repeatable. `kernel_version` is what LINUX_KERNEL_VERSION says, as
    (6, 18, 0). `routes` are what bpf_fib_lookup finds.
    """

    def __init__(self, spec: ObjectSpec, *, engine: str = "auto", now: Clock = None, cpus: int = 1,
                 process: Process | None = None, seed: int = 0,
                 kernel_version: tuple[int, int, int] | None = None, routes: Iterable[Route] = ()) -> None:
        process = process or Process()
        spec.check()
        self.spec = spec
        self._order = ORDERS[spec.byteorder]
        if self._order is not LITTLE:
            engine = "plain"  # the other one is made for little-endian numbers
        table: dict[int, Helper] = dict(helpers.TABLE)
        names = dict(helpers.NAMES)
        self._kfuncs: dict[str, int] = {}
        world = self._world = World(engine_named(engine), table, process, cpus, now, seed, self._order)
        self._table, self._names = table, names
        world.names, world.routes = names, checked(routes)
        world.tail_target = self._tail_target
        world.task = Fakes(world.memory, spec.btf, process).task
        self._live: dict[int, LiveMap] = {}
        self.maps: dict[str, LiveMap] = {}
        self.vars = Variables(spec.btf)
        self._data: dict[str, Region] = {}
        self._programs: dict[str, Program] = {}
        self._core = Core(spec.btf)
        for one in spec.maps.values():
            self.maps[one.name] = self.new_map(one)
        for section in spec.data.values():
            self._add_data(section, kernel_version)
        for one in spec.maps.values():
            self._fill(one)

    @property
    def trace(self) -> list[str]:
        """Lines printed by programs (bpf_printk), oldest first."""
        return self._world.trace

    def __getitem__(self, key: Any) -> LiveMap | Variable:
        """The map or variable of a name, or of its spec, as in a loaded object."""
        name = key.name if isinstance(key, MapSpec | VarSpec) else key
        if not isinstance(name, str):
            raise TypeError(f"an object knows its maps and variables by name: machine[\"…\"], not machine[{key!r}]")
        if name in self.maps:
            return self.maps[name]
        if name in self.vars:
            return Variable(name, self.vars)
        raise KeyError(f"the object has no map or variable {name!r}")

    def new_map(self, spec: MapSpec) -> LiveMap:
        """A further map, such as an inner one for a map of maps."""
        return LiveMap(self._world.create(spec), self.spec.btf, self._live)

    def wait(self, seconds: float | None = None) -> None:
        """Give the events so far to the callbacks that `on` set; no more come by themselves, so nothing is waited for."""
        for live in self.maps.values():
            if live.callback is not None:
                for event in live.events():
                    live.callback(event)

    def run(self, program: str | None = None, data: bytes = b"", ctx: Any = None, *, repeat: int = 1, cpu: int = 0,
            insn_limit: int = INSN_LIMIT) -> RunResult:
        """Run one program (`program` may be left out if there is only one) `repeat` times on the same packet.

        `ctx` is the context's bytes, a dict or record of its fields (the others are 0), or a list of arguments for raw
        tracepoints, BTF tracing and probes; text and bytes where a pointer is wanted stand for memory that holds them. In
        the result it is bytes with the fields as attributes. Raises VmFault for what the program does wrong, KernelError
        for input that test_run refuses, FormatError for a context that is none."""
        name = self._name_of(program)
        world, spec = self._world, self.spec.programs[name]
        if not 0 <= cpu < world.cpus:
            raise ValueError(f"cpu {cpu} of {world.cpus}")
        code = self._program(name)
        world.limit, world.cpu, world.prog_type, world.redirected = insn_limit, cpu, spec.prog_type, None
        shape = context.shape(spec, self.spec.btf, self._order)
        given = context.to_bytes(shape, ctx, packet=len(data), keep=world.keep)
        prepared = prepare(world, spec.prog_type, bytes(data), given if ctx is not None else None, shape.size)
        result = 0
        try:
            for _ in range(max(1, repeat)):
                result = world.run(code, prepared.address)
        finally:
            out, after = prepared.finish()
            leaked = world.settle()
        if leaked:
            raise VmFault(leaked)
        return RunResult(result & M32, out, context.from_bytes(shape, after), 0, self.maps)

    # -- building

    def _name_of(self, program: str | None) -> str:
        programs = self.spec.programs
        if program is None and len(programs) == 1:
            return next(iter(programs))
        if program is None or program not in programs:
            known = ", ".join(programs) or "none"
            raise FormatError(f"no program {program!r}: the object has {known}" if program else
                              f"which program? The object has {known}")
        return program

    def _add_data(self, section: DataSpec, version: tuple[int, int, int] | None) -> None:
        size = len(section.data)
        flags = MapFlag.RDONLY_PROG if section.read_only else 0
        spec = MapSpec(section.name, MapType.ARRAY, 4, size, 1, flags, value_type=section.btf_id)
        live = self.maps[section.name] = self.new_map(spec)
        live.engine.set(bytes(4), section.data)
        live.engine.lookup(bytes(4), 0)
        region = self._data[section.name] = self._world.memory.regions[live.engine.lookup(bytes(4), 0) >> 32]
        self.vars.add(region, section.vars)
        if section.name == ".kconfig":
            for var in section.vars:
                value = _kconfig(var.name, version)
                held = self._order.bytes(value, var.size)
                region.data[var.offset : var.offset + var.size] = held

    def _fill(self, spec: MapSpec) -> None:
        raw = self.maps[spec.name].engine
        for key, value in spec.contents:
            target: object = value
            if isinstance(value, str) and spec.type != MapType.PROG_ARRAY:
                target = self.maps[value].engine
            error = raw.set(key, target)
            if error:
                raise FormatError(f"map {spec.name}: entry {key.hex()} cannot be set: {os.strerror(-error)}")

    def _program(self, name: str) -> Program:
        if name not in self._programs:
            linked = self.spec.link(name)
            insns = [one for insn in linked.insns for one in self._resolve(insn)]
            names = {slot: func.name for slot, func in linked.starts}
            lines = [(slot, line.span) for slot, line in linked.lines]
            self._programs[name] = self._world.add(Code(insns, name, names, lines))
        return self._programs[name]

    def _tail_target(self, array: int, index: int) -> tuple[Program, int] | None:
        one = self._world.map_at(array)
        if one.spec.type != MapType.PROG_ARRAY:
            raise Trap(f"tail call into map {one.spec.name!r}, which is no program array")
        name = one.get(self._order.bytes(index, 4))
        return None if name is None else (self._program(name), 0)

    def _resolve(self, insn: Insn) -> tuple[Insn, ...]:
        """`insn` with an address or number in place of its symbol, in as many slots."""
        if isinstance(insn.ref, CoreRef):
            return self._core.relocate(insn, insn.ref)
        return (insn if insn.ref is None else self._addressed(insn),)

    def _addressed(self, insn: Insn) -> Insn:
        match insn.ref:
            case MapRef(name):
                return _number(insn, self._map(name).address)
            case DataRef(section, offset):
                if section not in self._data:
                    raise FormatError(f"reference to section {section!r}, which the object lacks")
                return _number(insn, self._data[section].base + offset)
            case KfuncRef(name, weak):
                return self._kfunc(insn, name, weak)
            case KconfigRef(name):
                return _number(insn, self._kconfig_address(name))
            case KsymRef(_, _, weak):
                return _number(insn, 0 if weak else self._world.memory.map(bytearray(), insn.ref.name).base)
            case FuncRef(name):
                raise FormatError(f"reference to function {name!r}, which nothing has linked")
            case CoreRef() | Label() | ExternRef() | None:
                raise FormatError(f"{insn.ref} cannot be resolved")
            case _:
                assert_never(insn.ref)

    def _map(self, name: str) -> Map:
        if name not in self.maps:
            raise FormatError(f"reference to map {name!r}, which the object lacks")
        return self.maps[name].engine

    def _kconfig_address(self, name: str) -> int:
        section = self.spec.data.get(".kconfig")
        for var in section.vars if section else ():
            if var.name == name:
                return self._data[".kconfig"].base + var.offset
        value = bytearray(self._order.bytes(_kconfig(name, None), 8))
        return self._world.memory.map(value, name, writable=False).base

    def _kfunc(self, insn: Insn, name: str, weak: bool) -> Insn:
        known = KFUNCS.get(name)
        if insn.code == op.LD_IMM64:  # is there such a function?
            return _number(insn, 1 if known or not weak else 0)
        if name not in self._kfuncs:
            number = self._kfuncs[name] = FIRST_KFUNC + len(self._kfuncs)
            self._names[number] = name
            if known is not None:
                self._table[number] = known
        return insn._replace(src=op.CALL_HELPER, off=0, imm=self._kfuncs[name], ref=None)


def _number(insn: Insn, value: int) -> Insn:
    return insn._replace(src=op.IMM64_VALUE, imm=value, ref=None)


def _kconfig(name: str, version: tuple[int, int, int] | None) -> int:
    """Value of an extern that a loader fills: the kernel's version; for CONFIG_… nothing is known, so 0."""
    if name != "LINUX_KERNEL_VERSION":
        return 0
    major, minor, patch = version or _release()
    return major << 16 | minor << 8 | min(patch, 255)


def _release() -> tuple[int, int, int]:
    numbers = [int(part) if part.isdigit() else 0 for part in os.uname().release.split("-")[0].split(".")]
    major, minor, patch = (numbers + [0, 0, 0])[:3]
    return major, minor, patch

