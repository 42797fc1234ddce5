"""frontend: Python to IR, unoptimised · errors: the diagnostics of a wrong program · object: the whole way to
instructions with their references · run: `# run: f(1, 2) == 3` lines in CPython, the IR interpreter and the VM."""

from __future__ import annotations

import builtins
import linecache
import re
import sys
from types import ModuleType

from purebpf.api import module_programs
from purebpf.compiler import Options, compile
from purebpf.dsl.hooks import Func, Program
from purebpf.errors import CompileError
from purebpf.target import VM, Target
from purebpf.compiler import to_ir, to_tree
from purebpf.tree.text import print_tree
from purebpf.ir.interp import Interp
from purebpf.ir.ops import signed
from purebpf.ir.text import print_module
from purebpf.isa.text import format_insn

FILE = "test.py"
PRELUDE = "import purebpf as bpf\nfrom purebpf import *\n"


def module(source: str) -> ModuleType:
    """The text as a module, its lines known to linecache. The first two lines import the language."""
    text = PRELUDE + source
    linecache.cache[FILE] = (len(text), None, text.splitlines(True), FILE)
    made = ModuleType("filetest")
    sys.modules[made.__name__] = made
    exec(builtins.compile(text, FILE, "exec"), made.__dict__)
    return made


def _frontend(source: str, args: list[str]) -> str:
    options = Options(target=Target(kernel=args[0] if args else ""))
    return print_module(to_ir(module_programs(module(source)), options)[1].module)


def _errors(source: str, args: list[str]) -> str:
    kernel = next((a for a in args if a[:1].isdigit()), "")
    options = Options(license=" ".join(a for a in args if a != kernel) or "GPL", target=Target(kernel=kernel))
    try:
        compile(module_programs(module(source)), options)
    except CompileError as error:
        return str(error)
    return "no error"


def _object(source: str, args: list[str]) -> str:
    spec = compile(module_programs(module(source)), Options(target=Target(int(args[0]) if args else 3), verify=True)).spec
    lines = []
    for name, program in spec.programs.items():
        linked = spec.link(name)
        lines.append(f"{program.section}: {name}")
        slot = 0
        for insn in linked.insns:
            lines.append(f"{slot:4}  {format_insn(insn)}" + (f"    ; {insn.ref}" if insn.ref else ""))
            slot += insn.slots
    lines += [f"map {m.name}: type {m.type}, {m.key_size} -> {m.value_size}, {m.max_entries}" for m in spec.maps.values()]
    lines += [f"{d.name}: {d.data.hex()} {[v.name for v in d.vars]}" for d in spec.data.values()]
    return "\n".join(lines)


def _run(source: str, args: list[str]) -> str:
    """Every `# run:` line holds in CPython, the IR interpreter and the optimised VM, or says where not."""
    made = module(source)
    functions = {n: v for n, v in vars(made).items() if isinstance(v, Func)}
    out = []
    for name, given, wanted in re.findall(r"^# run: (\w+)\((.*)\) == (.+)$", source, re.M):
        arguments = [int(a, 0) for a in given.split(",") if a.strip()]
        right = int(wanted, 0)
        answers = {"CPython": int(functions[name](*arguments))}
        probe = _probe(made, functions[name], arguments)
        lowered = to_ir([probe], Options(target=Target(kernel=VM)))[1]
        images = {section: bytearray(data.data) for section, data in lowered.data.specs().items()}
        answers["IR"] = signed(Interp(lowered.module, data=images).run(name, *map(signed, arguments)))
        answers["VM"] = signed(_in_vm(made, probe, arguments))
        wrong = {k: v for k, v in answers.items() if signed(v) != signed(right)}
        out.append(f"{name}({given}) == {wanted}" + (f": but {wrong}" if wrong else ": agreed"))
    return "\n".join(out)


def _probe(made: ModuleType, func: Func, arguments: list[int]) -> Program:  # type: ignore[type-arg]
    """A program that calls the function with arguments from globals and keeps the answer in a global."""
    names = func.function.__code__.co_varnames[: func.function.__code__.co_argcount]
    noted = func.function.__annotations__
    fields = "\n".join(f"    {n}: {noted[n].name if hasattr(noted[n], 'name') else 'i64'}" for n in names)
    text = (f"@bpf.struct\nclass _Args:\n    result: i64\n    pad: u64\n{fields}\n\n@bpf.xdp\ndef _probe(ctx):\n"
            f"    a = ctx.packet.pull(_Args)\n    if a is None:\n        return 1\n"
            f"    a.result = {func.__name__}({', '.join(f'a.{n}' for n in names)})\n    return 2\n")
    name = f"probe of {func.__name__}"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(builtins.compile(text, name, "exec"), made.__dict__)
    return made.__dict__["_probe"]  # type: ignore[no-any-return]


def _in_vm(made: ModuleType, probe: Program, arguments: list[int]) -> int:  # type: ignore[type-arg]
    from purebpf.vm import Machine

    layout = made.__dict__["_Args"].__bpf_layout__
    packet = bytearray(layout.size)
    for field, value in zip(layout.fields[2:], arguments):
        size = field.type.size
        packet[field.offset : field.offset + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    data = Machine(compile([probe]).spec, engine="plain").run("_probe", bytes(packet)).data
    return int.from_bytes(data[:8], "little")


def _check(source: str, args: list[str]) -> str:
    return print_tree(to_tree(module_programs(module(source)), Options(target=Target(kernel=args[0] if args else ""))).programs)


COMMANDS = {"check": _check, "frontend": _frontend, "errors": _errors, "object": _object, "run": _run}
