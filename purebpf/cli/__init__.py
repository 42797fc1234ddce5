"""`purebpf COMMAND …`: arguments and printing only; every command's body calls one room.

One file a command, imported when it is used: `add_arguments(parser)` and `run(args) -> int` (the exit status).
A user's mistake is printed as the typed error it is, on stderr, exit status 1; wrong usage exits 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from .. import __version__
from ..errors import InternalError, PureBpfError

COMMANDS = {  # name -> (module, one line of help)
    "build": ("build", "compile a Python file to an object file"),
    "ir": ("ir", "show a Python file's intermediate representation"),
    "asm": ("asm", "assemble text into an object, raw bytes, hex, a C array or a bytes literal"),
    "dis": ("dis", "disassemble an object, raw bytes, hex, or a program in the kernel"),
    "run": ("run", "run a program in the user-space VM, with no privilege"),
    "load": ("load", "load a program into the kernel; attach it and show its events, run it, pin it"),
    "prog": ("prog", "list the kernel's programs; show, pin, attach or run one"),
    "map": ("maps", "list the kernel's maps; show, dump, change or pin one"),
    "link": ("link", "list the kernel's links; show, pin, detach or update one"),
    "btf": ("btf", "list the kernel's type information, or dump one"),
    "net": ("net", "list the programs at network interfaces, also those left behind; detach"),
    "cgroup": ("cgroup", "list the programs of cgroups"),
    "top": ("top", "which programs run how often and how long"),
    "trace-pipe": ("trace", "show what programs print"),
    "features": ("features", "try out what this kernel has"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status and prints errors instead of raising them."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    parser = argparse.ArgumentParser(prog="purebpf", description="eBPF in Python, without LLVM")
    parser.add_argument("--version", action="version", version=f"purebpf {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if argv and argv[0] == name:  # the others' arguments are never needed: do not import them
            command = import_module(f".{module}", __name__)
            command.add_arguments(sub)
            sub.set_defaults(run=command.run)
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
