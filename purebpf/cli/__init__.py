"""`purebpf COMMAND …`: arguments and printing only; every command's body calls one room.

One file a command, imported when it is used: `add_arguments(parser)` and `run(args) -> int` (the exit status).
A user's mistake is printed as the typed error it is, on stderr, exit status 1; wrong usage exits 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from ..errors import InternalError, PureBpfError

COMMANDS = {  # name -> (module, one line of help)
    "build": ("build", "compile a Python file to an object file"),
    "ir": ("ir", "show a Python file's intermediate representation"),
    "asm": ("asm", "assemble text into an object, raw bytes, hex, a C array or a bytes literal"),
    "dis": ("dis", "disassemble an object, raw bytes, hex, or a program in the kernel"),
    "run": ("run", "run a program in the user-space VM, with no privilege"),
    "link": ("link", "join several objects into one"),
    "skel": ("skel", "write a typed Python module (or a C header) that carries an object"),
    "types": ("types", "the types of an object's maps and variables, as classes or in C"),
    "btf": ("btf", "types of a kernel or an object: show, search, compare, merge, make small"),
    "load": ("load", "load an object file into the kernel; attach it, run it, pin it"),
    "map": ("maps", "list the kernel's maps, or dump one"),
    "features": ("features", "try out what this kernel has"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status and prints errors instead of raising them."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="purebpf", description="eBPF in Python, without LLVM")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if argv and argv[0] == name:  # the others' arguments are never needed: do not import them
            command = import_module(f".{module}", __name__)
            command.add_arguments(sub)
            sub.set_defaults(run=command.run)
    args = parser.parse_args(argv)
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
