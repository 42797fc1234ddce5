"""`purebpf COMMAND …`: arguments and printing only; every command's body calls one room.

One file a command, imported when it is used: `add_arguments(parser)` and `run(args) -> int` (the exit status).
A user's mistake is printed as the typed error it is, on stderr, exit status 1; wrong usage exits 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from .. import __version__
from ..errors import InternalError, PureBpfError

COMMANDS = {  # name -> (module, one line of help)
    "build": ("build", "compile a Python file to an object file"),
    "ir": ("ir", "show a Python file's intermediate representation"),
    "asm": ("asm", "assemble text into an object, raw bytes, hex, a C array or a bytes literal"),
    "dis": ("dis", "disassemble an object, raw bytes, hex, or a program in the kernel"),
    "run": ("run", "run a program in the user-space VM, with no privilege"),
    "ld": ("ld", "link several objects into one"),
    "skel": ("skel", "write a typed Python module (or a C header) that carries an object"),
    "types": ("types", "the types of an object's maps and variables, as classes or in C"),
    "btf": ("btf", "types of a kernel or an object: list, show, search, compare, merge, make small"),
    "load": ("load", "load a program into the kernel; attach it and show its events, run it, pin it"),
    "prog": ("prog", "list the kernel's programs; show, dump, pin, attach, run or measure one"),
    "map": ("maps", "list the kernel's maps; show, dump, watch, change, make or pin one"),
    "mount": ("mount", "the entries of a map as files in a directory, through FUSE"),
    "link": ("link", "list the kernel's links; show, pin, detach or update one"),
    "net": ("net", "list the programs at network interfaces, also those left behind; attach, detach"),
    "cgroup": ("cgroup", "list the programs of cgroups; attach and detach by request"),
    "struct-ops": ("structops", "list tables of functions that the kernel calls; dump, register or unregister one"),
    "iter": ("iter", "run the program of an iterator, or pin it as a file"),
    "perf": ("perf", "list programs at perf events, by process"),
    "token": ("token", "list the bpffs mounts that delegate BPF"),
    "top": ("top", "which programs run how often and how long"),
    "stat": ("stat", "what the verifier says of an object's programs: verdict, instructions, states, time; compare"),
    "trace-pipe": ("trace", "show what programs print"),
    "features": ("features", "try out what this kernel has"),
    "completion": ("completion", "write what a shell needs to complete these commands"),
}


def make_parser(modules: Mapping[str, Any], named: str = "") -> argparse.ArgumentParser:
    """The parser, with the arguments of those commands whose modules are given; of the one `named` alone, where that is
    known: making the others takes as long as what most commands do."""
    parser = argparse.ArgumentParser(prog="purebpf", description="eBPF in Python, without LLVM")
    parser.add_argument("--version", action="version", version=f"purebpf {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary) in COMMANDS.items():
        if named not in ("", name):
            continue
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name in modules:
            modules[name].add_arguments(sub)
            sub.set_defaults(run=modules[name].run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status and prints errors instead of raising them."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["link"] and not {"-o", "--output"}.isdisjoint(argv):  # the other thing that is called so
        argv = ["ld", *argv[1:]]
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    named = argv[0] if argv and argv[0] in COMMANDS else ""  # the others' arguments are never needed: do not import them
    parser = make_parser({named: import_module(f".{COMMANDS[named][0]}", __name__)} if named else {}, named)
    args = parser.parse_args(argv or ["--help"])
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except InternalError:
        raise
    except PureBpfError as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing more to say
    except OSError as error:
        print(f"purebpf: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
