"""`purebpf load FILE`: load an object, Python or assembly; attach it and show its events, run it on a packet, or pin it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import nullcontext
from functools import partial
from typing import Any

from ..errors import FormatError, NotSupported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a Python file, which is attached where its decorators say, an object file or assembly")
    parser.add_argument("--attach", nargs="?", const="", action="append", metavar="[PROGRAM=]TARGET[,OPTION=VALUE…]",
                        help="attach: to what the section names say; or the programs (or one) to TARGET: an interface, a "
                             "cgroup, …, with options such as mode=generic, direction=egress, pid=12, frequency=99; may be repeated")
    parser.add_argument("--run", dest="packet", metavar="HEX", help="run each program once on this packet (hexadecimal) and print the result")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="value of a .rodata variable")
    parser.add_argument("--type", metavar="SECTION",
                        help="what programs are, as a section name says it (xdp, tc, …), whose own section names no type")
    parser.add_argument("--max-entries", action="append", default=[], metavar="MAP=N", help="entries of a map")
    parser.add_argument("--pin", metavar="DIRECTORY", help="pin programs, maps and links under a bpffs directory")
    parser.add_argument("--token", metavar="BPFFS", help="a bpffs mount whose delegation allows it, in a user namespace")
    parser.add_argument("--btf", metavar="FILE", help="relocate against these types instead of the kernel's")
    parser.add_argument("--log", type=int, default=0, metavar="LEVEL", help="print the verifier's log: 1, 2, or 4 for statistics")
    parser.epilog = ("examples: purebpf load trace.o --attach    purebpf load xdp.o --attach eth0,mode=generic --pin "
                     "/sys/fs/bpf/x")


def run(args: argparse.Namespace) -> int:
    from ..loader import Token, load
    from .program import read_object
    from .run import typed

    spec = read_object(args.file)
    if args.file.endswith(".py") and args.attach is None and args.packet is None and not args.pin:
        args.attach = [""]
    spec = typed(spec, args.type, None)
    maps = dict(assignment(text) for text in args.max_entries)
    constants = dict(assignment(text) for text in args.set)
    with (Token(args.token) if args.token else nullcontext()) as token, load(
            spec, constants=constants, maps=maps, btf=args.btf, log_level=args.log, count_lost=not args.pin, token=token) as k:
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
            wait_for_the_end(k.links, k)
            _tell_lost(k)
    return 0


def _tell_lost(k: Any) -> None:
    for one in k.maps.values():
        if lost := getattr(one, "lost", None):
            print(f"{one.name}: {lost} records found no room")


def assignment(text: str) -> tuple[str, Any]:
    """NAME=VALUE; the value as a number if it is one."""
    name, equals, value = text.partition("=")
    if not equals:
        raise FormatError(f"{text}: write NAME=VALUE")
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
        attached(program, target, options)


def attached(program: Any, target: str | None, options: dict[str, Any]) -> Any:
    """The link of a program at a target, with options as the command line has them."""
    try:
        return program.attach(target or None, **options)
    except TypeError:
        raise FormatError(f"{program.spec.section} programs take no such option: {', '.join(options) or 'no target'}") from None
    except ValueError as error:
        raise FormatError(str(error)) from None


def _pin(k: Any, directory: str) -> None:
    """All of it, or nothing."""
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


def wait_for_the_end(links: list[Any], k: Any = None) -> None:
    """Say what is attached, then show the events and prints of an object until Ctrl-C or SIGTERM."""
    for link in links:
        print(f"attached {link.kind} {link.target}".rstrip())
    with _Ends() as ends:
        print("Ctrl-C detaches", flush=True)
        _follow(k, ends)


class _Ends:
    """Readable once SIGINT or SIGTERM came; these do nothing else meanwhile."""

    def __enter__(self) -> _Ends:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._old = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def fileno(self) -> int:
        return self._read

    def __exit__(self, *exc: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for one, handler in self._old.items():
            signal.signal(one, handler)
        os.close(self._read)
        os.close(self._write)


def _print_event(name: str, event: Any) -> None:
    print(f"{name}: {event!r}")


_PRINTS = (6, 177)  # the helpers trace_printk, trace_vprintk


def _follow(k: Any, ends: _Ends) -> None:
    from ..loader.queues import ReaderMap
    from ..loader.reader import wait_readable
    from ..loader.tracepipe import Pipe

    readers = [m for m in k.maps.values() if isinstance(m, ReaderMap)] if k is not None else []
    prints = k is not None and any(i.ref is None and i.imm in _PRINTS and i.code == 0x85 and i.src == 0
                                   for p in k.programs.values() for i in p.linked.insns)
    with Pipe() if prints else nullcontext() as pipe:
        while True:
            for one in readers:
                one.reader().each(partial(_print_event, one.name))
            for line in pipe.lines() if pipe is not None else ():
                print(f"{line.task}-{line.pid}: {line.text}")
            sys.stdout.flush()
            sources = [fd for one in readers for fd in one.reader().sources()]
            wait_readable([ends.fileno(), *sources, *([pipe.fileno()] if pipe is not None else [])], None)
            if wait_readable([ends.fileno()], 0):
                return
