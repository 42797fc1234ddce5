"""`purebpf run FILE`: run a program in the user-space VM, with no privilege, and show what it did."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

from ..errors import FormatError
from ..target import MACHINES, VM
from .target import MACHINE

if TYPE_CHECKING:
    from ..spec import ObjectSpec, RunResult
    from ..vm import LiveMap, Machine, Route

ROWS = 20  # map entries shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a .py file, an object, assembly (.s), raw code or hex digits; - is standard input")
    parser.add_argument("--prog", metavar="NAME", help="which program of the object (default: the only one)")
    parser.add_argument("--type", metavar="SECTION", help="what the program is, as a section name says it (xdp, tc, …), if its own does not")
    parser.add_argument("--data", default="", metavar="HEX|@FILE",
                        help="the packet; for bare code the memory that r1 points to")
    parser.add_argument("--pcap", metavar="FILE", help="run it on every packet of a pcap or pcapng file, and count the answers")
    parser.add_argument("--ctx", default="", metavar="HEX|@FILE", help="bytes of the context")
    parser.add_argument("--arg", action="append", default=[], metavar="VALUE",
                        help="instead of --ctx, an argument (raw tracepoints …): a number, or text for a pointer to it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER",
                        help="set a global variable before running")
    parser.add_argument("--repeat", type=int, default=1, metavar="N",
                        help="run this often on the same packet (default 1)")
    parser.add_argument("--engine", choices=("auto", "fast", "plain"), default="auto")
    parser.add_argument("--cpus", type=int, default=1, metavar="N", help="values of a per-CPU map (default 1)")
    parser.add_argument("--route", action="append", default=[], metavar="PREFIX=DEVICE[,NEIGHBOUR[,GATEWAY]]",
                        help="what bpf_fib_lookup finds: 10.0.0.0/8=2,02:00:00:00:00:01,10.0.0.1")
    parser.add_argument("--target", default="bpf", choices=sorted(MACHINES), help=f"byte order of the machine, for a .py file: {MACHINE}")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after about this many instructions")
    parser.epilog = "examples: purebpf run count.py --prog on_openat    purebpf run xdp.py --data @packet.bin"


def run(args: argparse.Namespace) -> int:
    source = load(args.file, args.target)
    if isinstance(source, bytes):
        _run_bare(args, source)
    else:
        _run_object(args, typed(source, args.type, args.prog))
    return 0


def _route(text: str) -> Route:
    """PREFIX=DEVICE[,NEIGHBOUR[,GATEWAY]]"""
    from ..errors import FormatError
    from ..vm import Route

    prefix, _, rest = text.partition("=")
    device, neighbour, gateway, *more = [*rest.split(","), "", ""]
    try:
        if len(more) > 2 or any(more):
            raise ValueError("too many parts")
        return Route(prefix, int(device), bytes.fromhex(neighbour.replace(":", "")) if neighbour else None, gateway=gateway or None)
    except ValueError:
        raise FormatError(f"--route {text}: expected PREFIX=DEVICE, then perhaps a neighbour's address and a gateway: "
                          "10.0.0.0/8=2,02:00:00:00:00:01,10.0.0.1") from None


def typed(spec: ObjectSpec, section: str | None, program: str | None) -> ObjectSpec:
    """The object with the type of a program (of those whose section names none, if no program is given) as `section` says."""
    if section is None:
        return spec
    from ..loader.choices import chosen

    names = [program] if program is not None else [n for n, p in spec.programs.items() if not p.prog_type] or list(spec.programs)
    return chosen(spec, {}, dict.fromkeys(names, section), {})[0]


def load(path: str, machine: str = "bpf") -> ObjectSpec | bytes:
    """What is in a file: an object, or bare code. A Python file is compiled for `machine`."""
    if path.endswith(".py"):
        from .program import compile_file

        return compile_file(path, target=machine, kernel=VM, hooks=None).spec  # the VM has every hook
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    if data.startswith(b"\x7fELF"):
        from .. import elf

        return elf.read(data)
    if path.endswith((".s", ".S", ".asm")):
        return _assembled(data.decode("utf-8", "replace"), path)
    text = data.decode("latin-1")
    if re.fullmatch(r"(0x)?[0-9a-fA-F\s]+", text):
        return _hex(text, path)
    return data


def _assembled(text: str, path: str) -> ObjectSpec | bytes:
    """An object if the text has program sections, else its bare code."""
    from ..assembler import assemble_object, helper_ids
    from ..isa import assemble

    if re.search(r"^\s*\.section\b", text, re.MULTILINE):
        spec = assemble_object(text, path)
        if spec.programs:
            return spec
    return assemble(text, file=path, helpers=helper_ids())


def _hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise FormatError("not an even number of hex digits", source=what) from None


def _bytes(text: str, option: str) -> bytes:
    """Hex digits, or the content of @file."""
    if text.startswith("@"):
        with open(text[1:], "rb") as file:
            return file.read()
    return _hex(text, option)


def _limit(args: argparse.Namespace) -> int:
    from ..vm.runtime import INSN_LIMIT

    return INSN_LIMIT if args.limit is None else int(args.limit)


def _run_bare(args: argparse.Namespace, code: bytes) -> None:
    from ..vm import Bare

    before = _bytes(args.data, "--data")
    memory = bytearray(before)
    bare = Bare(code, engine=args.engine, insn_limit=_limit(args))
    result = 0
    for _ in range(max(1, args.repeat)):
        result = bare.run(memory)
    print(f"r0 = {result:#x} ({result})")
    _show_bytes("memory", before, bytes(memory))


def _run_object(args: argparse.Namespace, spec: ObjectSpec) -> None:
    from ..vm import Machine

    machine = Machine(spec, engine=args.engine, cpus=args.cpus, routes=[_route(text) for text in args.route])
    for text in args.set:
        name, equals, value = text.partition("=")
        if not equals or name not in machine.vars:
            known = ", ".join(machine.vars) or "no variable"
            raise FormatError(f"--set {text}: write NAME=NUMBER, with a name of {known}")
        machine.vars[name] = _number(value, "--set")
    asked = spec.programs.get(args.prog or next(iter(spec.programs), ""))
    if asked is not None and not asked.prog_type and args.data:
        raise FormatError(f"section {asked.section!r} names no program type, so there is no packet in its context: say what it is, "
                          "--type xdp, --type tc …")
    if args.pcap:
        _replay(machine, args)
        return
    data, given = _bytes(args.data, "--data"), _bytes(args.ctx, "--ctx")
    ctx: Any = [_argument(text) for text in args.arg] if args.arg else given or None
    result = machine.run(args.prog, data, ctx, repeat=args.repeat, insn_limit=_limit(args))
    _show(machine, result, data, spec.programs[args.prog or next(iter(spec.programs))].prog_type)


def _replay(machine: Machine, args: argparse.Namespace) -> None:
    """Every packet of a file through one program: how often which answer, then what the program left."""
    from collections import Counter

    from ..vm.pcap import packets

    with open(args.pcap, "rb") as file:
        data = file.read()
    name = args.prog or next(iter(machine.spec.programs))
    answers: Counter[int] = Counter()
    for packet in packets(data):
        answers[machine.run(name, packet, insn_limit=_limit(args)).retval] += 1
    known = _actions(machine.spec.programs[name].prog_type)
    print(f"{answers.total()} packets")
    for answer, count in answers.most_common():
        print(f"  {known.get(answer, answer)}: {count}")
    _show_state(machine)


def _actions(prog_type: int) -> dict[int, str]:
    from ..uapi.enums import ProgType, TcAction, XdpAction, names

    kinds = {ProgType.XDP: XdpAction, ProgType.SCHED_CLS: TcAction, ProgType.SCHED_ACT: TcAction}
    return names(kinds[prog_type]) if prog_type in kinds else {}


def _number(text: str, option: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise FormatError(f"{option}: {text!r} is no number") from None


def _argument(text: str) -> int | bytes:
    try:
        return int(text, 0)
    except ValueError:
        return text.encode() + b"\0"


def _show(machine: Machine, result: RunResult, data: bytes, prog_type: int) -> None:
    name = _actions(prog_type).get(result.retval)
    print(f"retval = {result.retval}" + (f" ({name})" if name else ""))
    if result.data or data:
        _show_bytes("data", data, result.data)
    _show_state(machine)


def _show_state(machine: Machine) -> None:
    """What was printed, variables and maps."""
    for line in machine.trace:
        print(f"trace: {line}")
    if machine.vars:
        print("variables: " + ", ".join(f"{key} = {value!r}" for key, value in machine.vars.items()))
    for live in machine.maps.values():
        if not live.name.startswith("."):
            _show_map(live)


def _show_bytes(what: str, before: bytes, after: bytes) -> None:
    if before != after:
        print(f"{what} changed, {len(after)} bytes: {after.hex()}")


def _show_map(live: LiveMap) -> None:
    from ..uapi.enums import MapType, name_of

    title = f"map {live.name} ({name_of(MapType, live.spec.type).lower()})"
    rows = _rows(live)
    print(f"{title}: empty" if not rows else f"{title}:")
    for row in rows[:ROWS]:
        print(f"  {row}")
    if len(rows) > ROWS:
        print(f"  … {len(rows) - ROWS} more")


def _rows(live: LiveMap) -> list[str]:
    """Entries as text; zero elements of arrays are left out."""
    from ..errors import PureBpfError
    from ..uapi.enums import MapType

    if live.spec.type in (MapType.RINGBUF, MapType.PERF_EVENT_ARRAY):
        return [repr(one) for one in live.read()]
    if live.spec.type in (MapType.QUEUE, MapType.STACK, MapType.BLOOM_FILTER):
        return [one.hex() for one in live.engine.values]  # type: ignore[attr-defined]
    array = live.spec.type in (MapType.ARRAY, MapType.PERCPU_ARRAY)
    try:
        return [f"{key!r}: {value!r}" for key, value in live.items() if not array or _is_set(live, key)]
    except PureBpfError as error:
        return [f"({error})"]


def _is_set(live: LiveMap, key: int) -> bool:
    raw = live.engine.get(live.engine.memory.order.bytes(key, 4))
    return any(map(any, raw)) if isinstance(raw, list) else any(raw or b"")
