"""How to load: one value with every choice, so that it can be kept, passed on and changed in one place."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..btf import Btf
from ..errors import FormatError
from ..spec import ObjectSpec
from ..uapi.enums import ProgType, name_of
from .choices import known, prog_type
from .maptypes import row

if TYPE_CHECKING:
    from .kernel import Kernel
    from .token import Token

BPFFS = "/sys/fs/bpf"
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Policy(NamedTuple):
    """What an object that is not trusted may ask for; checked before the first system call.

    prog_types  the program types that are loaded may have, as numbers or names ("xdp"); None: any
    pins        may it pin maps, or use pinned ones?
    sleepable   may its programs be sleepable?
    max_bytes   of all its maps and data together, by keys, values and entries as they stand in the object; None: any"""

    prog_types: Collection[int | str] | None = None
    pins: bool = True
    sleepable: bool = True
    max_bytes: int | None = None


class LoadOptions(NamedTuple):
    """The choices of `load`; keys of the mappings are names, or declarations that have one.

    license        instead of the object's
    constants      values of .rodata variables, fixed from here on
    maps           live maps to use instead of new ones (they stay the caller's), a number of entries to make one with, or
                   fields of MapSpec to change: {"max_entries": 4096}
    types          program → section name, for programs whose own name no type: {"f": "xdp"}
    autoload       program → whether to load it, instead of what the object says
    targets        program → what a BTF program attaches to: a name, or a LoadedProgram (freplace, fentry of BPF)
    pin_directory  where maps that ask to be pinned by name live
    log_level      1: the verifier's log of each program in `LoadedProgram.log`, 2: with every state, 4: statistics only
    attach         also attach what its section name says where
    btf            types to relocate against instead of the running kernel's: a Btf or a file
    kernel         keeps what was read of the running kernel for several loads; the caller closes it
    policy         what the object may ask for, where it is not trusted
    count_lost     count the records that find no room in its ring buffers (`map.lost`), by counters that the loader puts
                   behind the calls (see `drops`): the programs are not to the byte what the object has
    token          by which a process in a user namespace may load (6.9); the caller closes it"""

    license: str | None = None
    constants: Mapping[Any, Any] = _NOTHING
    maps: Mapping[Any, Any] = _NOTHING
    types: Mapping[Any, str] = _NOTHING
    autoload: Mapping[Any, bool] = _NOTHING
    targets: Mapping[Any, Any] = _NOTHING
    pin_directory: str | os.PathLike[str] = BPFFS
    log_level: int = 0
    attach: bool = False
    btf: Btf | str | os.PathLike[str] | None = None
    kernel: Kernel | None = None
    policy: Policy | None = None
    count_lost: bool = False
    token: Token | None = None


def check(spec: ObjectSpec, options: LoadOptions) -> None:
    """Refuse what can be seen to be wrong before the kernel is asked. Raises FormatError."""
    known("targets", options.targets, spec.programs)
    spec.check()
    if options.policy is not None:
        _allowed(spec, options.policy)


def _allowed(spec: ObjectSpec, policy: Policy) -> None:
    types = None if policy.prog_types is None else {prog_type(one) for one in policy.prog_types}
    for name, program in spec.programs.items():
        if not program.autoload:
            continue
        if types is not None and program.prog_type not in types:
            raise FormatError(f"the policy forbids program {name!r}: it is of type {name_of(ProgType, program.prog_type)}")
        if not policy.sleepable and program.flags & 16:  # BPF_F_SLEEPABLE
            raise FormatError(f"the policy forbids program {name!r}: it is sleepable")
    total = sum(len(section.data) for section in spec.data.values())
    for name, one in spec.maps.items():
        if one.pinning and not policy.pins:
            raise FormatError(f"the policy forbids map {name!r}: it asks to be pinned")
        rings = row(one.type).ring
        total += one.max_entries * (1 if rings else max(1, one.key_size + one.value_size))
    if policy.max_bytes is not None and total > policy.max_bytes:
        raise FormatError(f"the policy forbids the object: its maps take {total} bytes, {policy.max_bytes} are allowed")
