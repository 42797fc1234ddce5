"""`purebpf load FILE.o`: load an object; attach it, run it on a packet, or pin what it made."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="an object file")
    parser.add_argument("--attach", nargs="?", const="", metavar="TARGET",
                        help="attach: to what the section names say, or each program to TARGET (an interface, a cgroup, …)")
    parser.add_argument("--run", dest="packet", metavar="HEX", help="run each program once on this packet (hexadecimal) and print the result")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="value of a .rodata variable")
    parser.add_argument("--type", metavar="SECTION",
                        help="what programs are, as a section name says it (xdp, tc, …), whose own section names no type")
    parser.add_argument("--max-entries", action="append", default=[], metavar="MAP=N", help="entries of a map")
    parser.add_argument("--pin", metavar="DIRECTORY", help="pin programs, maps and links under a bpffs directory")
    parser.add_argument("--btf", metavar="FILE", help="relocate against these types instead of the kernel's")
    parser.add_argument("--log", type=int, default=0, metavar="LEVEL", help="print the verifier's log: 1, 2, or 4 for statistics")


def run(args: argparse.Namespace) -> int:
    from .. import elf
    from ..loader import load

    from .run import typed

    spec = typed(elf.read(args.file), args.type, None)
    maps = dict(_assignment(text) for text in args.max_entries)
    constants = dict(_assignment(text) for text in args.set)
    with load(spec, constants=constants, maps=maps, btf=args.btf, log_level=args.log) as k:
        for program in k.programs.values():
            info = program.info
            print(f"{program.name:<24} {program.spec.section:<32} id {info.id}, {len(info.xlated) // 8} instructions, "
                  f"{info.verified_insns} verified")
            if args.log:
                print(program.log.rstrip())
        if args.packet is not None:
            _run(k, args.packet)
        links = _attach(k, args.attach) if args.attach is not None else []
        if args.pin:
            _pin(k, links, args.pin)
        elif links:
            _wait(links)
    return 0


def _assignment(text: str) -> tuple[str, Any]:
    from ..errors import FormatError

    name, equals, value = text.partition("=")
    if not equals:
        raise FormatError(f"--set {text}: write NAME=VALUE")
    try:
        return name, int(value, 0)
    except ValueError:
        return name, value


def _run(k: Any, packet: str) -> None:
    from ..errors import FormatError, NotSupported

    try:
        data = bytes.fromhex(packet)
    except ValueError:
        raise FormatError(f"--run {packet[:20]}: no hexadecimal bytes") from None
    for program in k.programs.values():
        try:
            got = program.test_run(data)
            print(f"{program.name}: returned {got.retval}, {got.duration_ns} ns, {len(got.data)} bytes out")
        except NotSupported as error:
            print(f"{program.name}: {error}")


def _attach(k: Any, target: str) -> list[Any]:
    if not target:
        return list(k.attach())
    made = [program.attach(target) for program in k.programs.values()]
    k.links.extend(made)
    return made


def _pin(k: Any, links: list[Any], directory: str) -> None:
    import os

    from ..loader.create import ensure_directory

    ensure_directory(directory)
    for name, thing in [*k.maps.items(), *k.programs.items()]:
        thing.pin(os.path.join(directory, name))
    for number, link in enumerate(links):
        link.pin(os.path.join(directory, f"link{number}"))


def _wait(links: list[Any]) -> None:
    import signal

    for link in links:
        print(f"attached {link.kind} {link.target}".rstrip())
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    print("Ctrl-C detaches", flush=True)
    signal.sigwait(ends)
