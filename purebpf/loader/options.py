"""How to load: one value with every choice, so that it can be kept, passed on and changed in one place."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..btf import Btf
from ..errors import FormatError
from ..spec import ObjectSpec
from ..uapi.enums import ProgType, name_of
from .maptypes import row

if TYPE_CHECKING:
    from .kernel import Kernel
    from .maps import LiveMap

BPFFS = "/sys/fs/bpf"
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Policy(NamedTuple):
    """What an object that is not trusted may ask for; checked before the first system call.

    prog_types  the program types it may have (ProgType numbers); None: any
    pins        may it pin maps, or use pinned ones?
    sleepable   may its programs be sleepable?
    max_bytes   of all its maps and data together, by keys, values and entries as they stand in the object; None: any"""

    prog_types: frozenset[int] | None = None
    pins: bool = True
    sleepable: bool = True
    max_bytes: int | None = None


class LoadOptions(NamedTuple):
    """The choices of `load`; keys of the mappings are names, or declarations that have one.

    license        instead of the object's
    constants      values of .rodata variables, fixed from here on
    maps           live maps to use instead of new ones (they stay the caller's), or a number of entries to make one with
    targets        program → what a BTF program attaches to: a name, or a LoadedProgram (freplace, fentry of BPF)
    pin_directory  where maps that ask to be pinned by name live
    log_level      1: the verifier's log of each program in `LoadedProgram.log`, 2: with every state, 4: statistics only
    attach         also attach what its section name says where
    btf            types to relocate against instead of the running kernel's: a Btf or a file
    kernel         keeps what was read of the running kernel for several loads; the caller closes it
    policy         what the object may ask for, where it is not trusted"""

    license: str | None = None
    constants: Mapping[Any, Any] = _NOTHING
    maps: Mapping[Any, LiveMap | int] = _NOTHING
    targets: Mapping[Any, Any] = _NOTHING
    pin_directory: str | os.PathLike[str] = BPFFS
    log_level: int = 0
    attach: bool = False
    btf: Btf | str | os.PathLike[str] | None = None
    kernel: Kernel | None = None
    policy: Policy | None = None


def check(spec: ObjectSpec, options: LoadOptions) -> None:
    """Refuse what can be seen to be wrong before the kernel is asked. Raises FormatError."""
    _known("maps", options.maps, spec.maps)
    _known("targets", options.targets, spec.programs)
    for name, one in spec.maps.items():
        if one.pinning and ("/" in one.name or one.name in (".", "..", "")):
            raise FormatError(f"map {name!r} asks to be pinned as {one.name!r}, which is no file name")
        for key, value in one.contents:
            sizes = [(what, len(data), size) for what, data, size in (("key", key, one.key_size),
                     ("value", value, one.value_size)) if isinstance(data, bytes) and len(data) != size]
            if sizes:
                what, have, want = sizes[0]
                raise FormatError(f"a {what} in the initial contents of map {name!r} has {have} bytes instead of {want}")
    if options.policy is not None:
        _allowed(spec, options.policy)


def _known(option: str, given: Iterable[str], there: Iterable[str]) -> None:
    names = list(there)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise FormatError(f"{option}: the object has no {option.rstrip('s') if option == 'maps' else 'program'} {name!r}"
                              + (f": did you mean {near[0]!r}?" if near else f"; it has {', '.join(names) or 'none'}"))


def _allowed(spec: ObjectSpec, policy: Policy) -> None:
    for name, program in spec.programs.items():
        if policy.prog_types is not None and program.prog_type not in policy.prog_types:
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
