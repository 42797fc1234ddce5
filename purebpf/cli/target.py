"""The arguments that say what an object is for; the same for every command that compiles."""

from __future__ import annotations

import argparse

from ..target import MACHINES, Target, target

MACHINE = "bpfel is little-endian, bpfeb big-endian, bpf as this machine (default)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """[--target T] [--cpu N] [--kernel X]"""
    parser.add_argument("--target", default="bpf", choices=sorted(MACHINES), help=f"byte order: {MACHINE}")
    parser.add_argument("--cpu", type=int, default=3, choices=(1, 2, 3, 4), help="instruction set version (default 3)")
    parser.add_argument("--kernel", default="", metavar="X.Y", type=release,
                        help="the release that it is for (default: the oldest from 5.10 on that has what the programs ask for)")


def release(text: str) -> str:
    """A kernel's release, "6.1" or longer."""
    from ..uapi import versions

    if text and versions.number(text) < (4, 0):
        raise argparse.ArgumentTypeError(f"a release such as 6.1 is needed, not {text!r}")
    return text


def chosen(args: argparse.Namespace) -> Target:
    """What the arguments say."""
    return target(args.target, args.cpu, args.kernel)
