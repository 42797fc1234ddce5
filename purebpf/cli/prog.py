"""`purebpf prog VERB`: the programs in the kernel."""

from __future__ import annotations

import argparse
from typing import Any

from .output import details, show
from .verbs import PATH, WHICH_PROGRAM, Verb, act as run, add_verbs, arg, unpin

__all__ = ["add_arguments", "run"]


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "name": entry.name, "tag": info.tag.hex(), "bytes": info.xlated_prog_len,
            "maps": info.nr_map_ids, "uid": info.created_by_uid, "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _list(args: argparse.Namespace) -> None:
    from ..loader.listed import programs

    show(map(_row, programs()), args.json)


def _open(args: argparse.Namespace) -> Any:
    from ..loader import open_program

    return open_program(args.which, section=getattr(args, "section", ""))


def _show(args: argparse.Namespace) -> None:
    from ..loader import bpf
    from ..loader.listed import links
    from ..uapi.enums import ProgType, name_of

    with _open(args) as program:
        info, raw = program.info, bpf.prog_info(program.fileno())
        details({"id": info.id, "type": name_of(ProgType, info.type).lower(), "name": info.name, "tag": info.tag.hex(),
                 "gpl": bool(raw.gpl_compatible & 1), "uid": raw.created_by_uid, "instructions": len(info.xlated) // 8,
                 "verified_instructions": info.verified_insns, "jited_bytes": len(info.jited), "btf_id": info.btf_id,
                 "map_ids": list(info.map_ids), "run_count": info.run_count, "run_time_ns": info.run_time_ns,
                 "recursion_misses": info.recursion_misses,
                 "links": [f"{e.id} {e.type} {e.name}".rstrip() for e in links() if e.info.prog_id == info.id]}, args.json)


def _dump(args: argparse.Namespace) -> int:
    from . import main

    with _open(args) as program:
        number = program.info.id
    return main(["dis", "--id", str(number), "--jited" if args.jited else "--source"])


def _pin(args: argparse.Namespace) -> None:
    with _open(args) as program:
        program.pin(args.path)


def _attach(args: argparse.Namespace) -> None:
    from .load import assignment, attached, wait_for_the_end

    target, *given = (args.target or "").split(",")
    with _open(args) as program:
        link = attached(program, target, dict(assignment(one) for one in given))
        if args.pin:
            link.pin(args.pin)
        else:
            wait_for_the_end([link])


def _run(args: argparse.Namespace) -> None:
    from ..errors import FormatError

    try:
        data = bytes.fromhex(args.data)
    except ValueError:
        raise FormatError(f"--data {args.data[:20]}: no hexadecimal bytes") from None
    with _open(args) as program:
        got = program.test_run(data, repeat=args.repeat)
    details({"retval": got.retval, "duration_ns": got.duration_ns, "data": got.data}, args.json)


def _profile(args: argparse.Namespace) -> None:
    import time

    from ..loader import statistics

    with _open(args) as program, statistics():
        before, start = program.info, time.monotonic()
        try:
            time.sleep(args.seconds)
        except KeyboardInterrupt:
            pass
        after, seconds = program.info, time.monotonic() - start
    runs, spent = after.run_count - before.run_count, after.run_time_ns - before.run_time_ns
    details({"program": after.name, "seconds": round(seconds, 3), "runs": runs, "runs_per_second": round(runs / seconds, 1),
             "time_ns": spent, "average_ns": round(spent / runs, 1) if runs else None, "cpu_percent": round(spent / seconds / 1e7, 3),
             "recursion_misses": after.recursion_misses - before.recursion_misses}, args.json)


VERBS = (
    Verb("list", "every program in the kernel, and who holds it", _list, json=True),
    Verb("show", "all that the kernel tells of one", _show, (WHICH_PROGRAM,), True, "on_openat"),
    Verb("dump", "its instructions as the kernel runs them, with source lines", _dump, (WHICH_PROGRAM, arg(
        "--jited", action="store_true", help="machine code of the processor, as bytes")), example="on_openat"),
    Verb("pin", "keep one under a path of a bpffs", _pin, (WHICH_PROGRAM, PATH), example="on_openat /sys/fs/bpf/again"),
    unpin("program"),
    Verb("attach", "attach one, and detach it at Ctrl-C; or pin the link", _attach, (WHICH_PROGRAM, arg(
        "target", nargs="?", metavar="TARGET[,OPTION=VALUE…]", help="an interface, a cgroup, a tracepoint, …"), arg(
        "--section", default="", help="what the kernel does not tell, as a section name: cgroup_skb/egress"), arg(
        "--pin", metavar="PATH", help="pin the link there instead of waiting")),
         example="pass_all lo,mode=generic --pin /sys/fs/bpf/at_lo"),
    Verb("run", "run one once on given input", _run, (WHICH_PROGRAM, arg(
        "--data", default="", metavar="HEX", help="a packet"), arg("--repeat", type=int, default=1, metavar="N")), True,
         "pass_all --data 0102030405060708090a0b0c0800"),
    Verb("profile", "how often and how long one runs, measured for a while", _profile, (WHICH_PROGRAM, arg(
        "--seconds", type=float, default=1.0, metavar="SECONDS", help="for how long (default 1)")), True, "on_openat --seconds 0.5"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
