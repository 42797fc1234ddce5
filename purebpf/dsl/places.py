"""USDT probes bring a note of where their arguments are: the map that a loader puts it into, and how a program reads one.

`argument` is compiled into programs that ask. The layout is that of libbpf's usdt.bpf.h, so that libbpf fills the map too.
"""

from __future__ import annotations

from typing import Final, Literal

from . import helpers
from .ints import i64, u8, u16, u32, u64
from .maps import Array
from .memory import Ptr, struct

CONSTANT: Final = 0
MEMORY: Final = 2  # between them: a register
MOST: Final = 12  # arguments of a probe


@struct
class Place:
    """Where an argument is: a number, a register (its offset among the saved ones), or memory at a register and `value`."""

    value: u64
    kind: u32
    register: u16
    signed: u8
    shift: u8


@struct
class Spec:
    """The places of a probe's arguments; `cookie`: what the user gave."""

    places: Array[Place, Literal[12]]
    cookie: u64
    count: u16


@struct
class Word:
    number: u64


__bpf_usdt_specs = Array[Spec](max_entries=256)


def argument(number: int, cookie: u64, registers: u64) -> u64:
    """An argument with its sign; 0 where the probe has no such argument, or it cannot be read."""
    spec = __bpf_usdt_specs.lookup(u32(cookie))
    if spec is None or number >= spec.count:
        return u64(0)
    place = spec.places[number]
    word = Word(place.value)
    if place.kind != CONSTANT:
        held = Ptr[u64](registers + place.register).value
        if place.kind == MEMORY:
            helpers.probe_read_user(word, 8, held + word.number)
        else:
            word.number = held
    shift = place.shift & 63
    word.number <<= shift
    return u64(i64(word.number) >> shift) if place.signed else word.number >> shift


def cookie(number: u64) -> u64:
    """What the user gave for a cookie: the kernel keeps which probe this is."""
    spec = __bpf_usdt_specs.lookup(u32(number))
    return spec.cookie if spec is not None else u64(0)
