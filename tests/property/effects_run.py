"""A random program with effects against the model: in the VM at both levels, and in the kernel where there is one."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import Any

from purebpf.api import compile_all
from purebpf.errors import CompileError, KernelError, PureBpfError, VerifierError
from purebpf.order import HOST, ORDERS, Order
from purebpf.spec import ObjectSpec
from purebpf.target import Target

from . import model
from .effects import Program
from .model import State

FILE = "<effects>"
MAY_BE_REFUSED = ("constant", "stack-too-large")  # literals that do not fit together, more than the kernel has room for


def judge(program: Program, kernel: bool = True) -> str:
    """"" if all agree, else "kind: what": refused, crash, rejected, wrong, or `model` where the text itself is no good."""
    try:
        wanted = {order: model.run(program.text, program.packet, order) for order in ORDERS.values()}
    except Exception as error:
        return f"model: {type(error).__name__} {error}"
    found = []
    try:
        for order in ORDERS.values():
            plain, optimised = (spec(program.text, level, order) for level in (0, 2))
            found += [(order, f"VM, level {level}", vm(one, program.packet)) for level, one in ((0, plain), (2, optimised))]
            if kernel and order is HOST:
                found.append((order, "kernel", in_kernel(optimised, program.packet)))
    except CompileError as error:
        return "" if all(d.code in MAY_BE_REFUSED for d in error.diagnostics) else f"refused: {_line(error)}"
    except VerifierError as error:
        return f"rejected: {_line(error)}"
    except KernelError as error:
        return f"kernel error: {error}"
    except PureBpfError as error:
        return f"fault: {_line(error)}"
    except Exception as error:
        return f"crash: {type(error).__name__} {error}"
    for order, where, state in found:
        if difference := differs(state, wanted[order]):
            return f"wrong: {where}, {order.name}-endian: {difference}"
    return ""


def _line(error: Exception) -> str:
    return str(error).splitlines()[0]


def differs(got: State, wanted: State) -> str:
    for name in State._fields:
        a, b = getattr(got, name), getattr(wanted, name)
        if isinstance(b, dict):
            for key, value in a.items():  # what the program never mentions is not in the object
                if key in b and value != b[key]:
                    return f"{name} {key} is {_shown(value)}, not {_shown(b[key])}"
        elif a != b:
            return f"{name} is {_shown(a)}, not {_shown(b)}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return str({k.hex(): v.hex() for k, v in value.items()})
    return str([v.hex() for v in value]) if isinstance(value, list) else str(value)


KERNELS = ("", "6.9", "5.17")  # what loops look like depends on it


def spec(text: str, level: int, order: Order = HOST) -> ObjectSpec:
    """The program's object, for a kernel that the text chooses."""
    linecache.cache[FILE] = (len(text), None, text.splitlines(True), FILE)
    module = ModuleType("effects_program")
    sys.modules[module.__name__] = module
    exec(compile(text, FILE, "exec", dont_inherit=True), module.__dict__)
    kernel = KERNELS[len(text) % 3]
    try:
        return compile_all(module.__dict__["prog"], level=level, verify=True, target=Target(3, kernel, order)).spec
    except CompileError as error:
        if all(d.code != "target" for d in error.diagnostics):
            raise
        return compile_all(module.__dict__["prog"], level=level, verify=True, target=Target(3, "", order)).spec


NAMES = ("h", "hs", "hp", "ht", "am", "ap", "al")


def vm(spec: ObjectSpec, packet: bytes) -> State:
    from purebpf.vm import Machine

    machine = Machine(spec, engine="plain")
    result = machine.run("prog", packet)
    maps = {}
    for name in NAMES:
        if name in machine.maps:
            raw = machine.maps[name].engine
            maps[name] = {bytes(key): bytes(raw.get(key)) for key in raw.keys()}
    ring = machine.maps.get("ring")
    records = [bytes(one) for one in ring.engine.records()] if ring is not None else []  # type: ignore[attr-defined]
    variables = {name: machine.vars.raw(name) for name in machine.vars}
    return State(result.retval, variables, maps, records, result.data)


def in_kernel(spec: ObjectSpec, packet: bytes) -> State:
    from purebpf.loader import load

    with load(spec) as live:
        result = live.programs["prog"].test_run(packet)
        maps = {name: dict(live.maps[name]._entries()) for name in NAMES if name in live.maps}  # type: ignore[attr-defined]
        records = live.maps["ring"].ring.raw() if "ring" in live.maps else []  # type: ignore[attr-defined]
        variables = {name: one.raw for name, one in live.variables.items()}
        return State(result.retval, variables, maps, [bytes(one) for one in records], result.data)


def shrunk(program: Program, kind: str) -> Program:
    """The program without every statement (and line of one) that its failure does not need."""

    def fails(candidate: Program) -> bool:
        return judge(candidate).split(":")[0] == kind

    statements = list(program.statements)
    for i in reversed(range(len(statements))):
        fewer = statements[:i] + statements[i + 1 :]
        if fails(program._replace(statements=fewer)):
            statements = fewer
    lines = "\n".join(statements).split("\n") if statements else []
    for i in reversed(range(len(lines))):
        fewer = lines[:i] + lines[i + 1 :]
        if fails(program._replace(statements=fewer)):
            lines = fewer
    return program._replace(statements=lines)
