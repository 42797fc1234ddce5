"""`purebpf load FILE.o`: load an object; attach it, run it on a packet, or pin what it made."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import FormatError, NotSupported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="an object file")
    parser.add_argument("--attach", nargs="?", const="", action="append", metavar="[PROGRAM=]TARGET[,OPTION=VALUE…]",
                        help="attach: to what the section names say; or the programs (or one) to TARGET: an interface, a "
                             "cgroup, …, with options such as mode=generic, direction=egress, pid=12, frequency=99; may be repeated")
    parser.add_argument("--run", dest="packet", metavar="HEX", help="run each program once on this packet (hexadecimal) and print the result")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="value of a .rodata variable")
    parser.add_argument("--pin", metavar="DIRECTORY", help="pin programs, maps and links under a bpffs directory")
    parser.add_argument("--btf", metavar="FILE", help="relocate against these types instead of the kernel's")
    parser.add_argument("--log", type=int, default=0, metavar="LEVEL", help="print the verifier's log: 1, 2, or 4 for statistics")
    parser.epilog = ("examples: purebpf load trace.o --attach    purebpf load xdp.o --attach eth0,mode=generic --pin "
                     "/sys/fs/bpf/x")


def run(args: argparse.Namespace) -> int:
    from .. import elf
    from ..loader import load

    spec = elf.read(args.file)
    constants = dict(assignment(text) for text in args.set)
    with load(spec, constants=constants, btf=args.btf, log_level=args.log) as k:
        for program in k.programs.values():
            info = program.info
            print(f"{program.name:<24} {program.spec.section:<32} id {info.id}, {len(info.xlated) // 8} instructions, "
                  f"{info.verified_insns} verified")
            if args.log:
                print(program.log.rstrip())
        if args.packet is not None:
            _run(k, args.packet)
        for text in args.attach or ():
            _attach(k, text)
        if args.attach and not k.links:
            raise FormatError("nothing was attached: " + "; ".join(f"{n}: {why}" for n, why in k.unattached().items()))
        if args.pin:
            _pin(k, args.pin)
        elif k.links:
            for name, why in k.unattached().items():
                print(f"not attached: {name}: {why}")
            wait_for_the_end(k.links)
    return 0


def assignment(text: str) -> tuple[str, Any]:
    """NAME=VALUE; the value as a number if it is one."""
    name, equals, value = text.partition("=")
    if not equals:
        raise FormatError(f"--set {text}: write NAME=VALUE")
    try:
        return name, int(value, 0)
    except ValueError:
        return name, value


def _run(k: Any, packet: str) -> None:
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


def _attach(k: Any, text: str) -> None:
    if not text:
        k.attach()
        return
    name, _, rest = text.partition("=")
    chosen = [k.programs[name]] if name in k.programs else list(k.programs.values())
    target, *given = (rest if name in k.programs else text).split(",")
    options = dict(assignment(one) for one in given)
    for program in chosen:
        try:
            program.attach(target or None, **options)
        except TypeError:
            raise FormatError(f"--attach {text}: {program.spec.section} takes no such option: "
                              f"{', '.join(options) or 'no target'}") from None


def _pin(k: Any, directory: str) -> None:
    """All of it, or nothing."""
    import os

    from ..loader.create import ensure_directory

    new = not os.path.isdir(directory)
    ensure_directory(directory)
    pinned: list[Any] = []
    try:
        for name, thing in [*k.maps.items(), *k.programs.items(), *((f"link{n}", one) for n, one in enumerate(k.links))]:
            pinned.append(thing)
            thing.pin(os.path.join(directory, name))
    except BaseException:
        for thing in pinned:
            thing.unpin()
        if new:
            os.rmdir(directory)
        raise


def wait_for_the_end(links: list[Any]) -> None:
    """Say what is attached, and wait for Ctrl-C or SIGTERM."""
    import signal

    for link in links:
        print(f"attached {link.kind} {link.target}".rstrip())
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    print("Ctrl-C detaches", flush=True)
    signal.sigwait(ends)
