"""What the caller chooses about an object before anything is made: sizes of maps, types of programs, what is loaded.

All of it is decided on the spec, before the first system call.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import FormatError
from ..spec import MapSpec, ObjectSpec, ProgramSpec
from ..uapi import hooks
from ..uapi.enums import ProgType

_FIELDS = ("type", "max_entries", "flags", "pinning", "extra", "numa_node", "key_size", "value_size")


def prog_type(one: str | int) -> int:
    """The number of a program type, by it, its name or a section name. Raises FormatError."""
    if isinstance(one, int):
        return one
    known = {name.lower(): number for name, number in vars(ProgType).items() if isinstance(number, int)}
    hook = hooks.match(one)
    number = known.get(one.lower(), hook.prog_type if hook is not None else None)
    if number is None:
        raise FormatError(f"there is no program type {one!r}")
    return number


def chosen(spec: ObjectSpec, maps: Mapping[str, Any], types: Mapping[str, str],
           autoload: Mapping[str, bool]) -> tuple[ObjectSpec, dict[str, Any]]:
    """(the spec as the caller wants it, the live maps among `maps`).

    `maps`   a live map to use, a number of entries, or fields of MapSpec to change
    `types`  program → section name ("xdp") that says its type
    `autoload`  program → whether it is loaded"""
    known("maps", maps, spec.maps)
    known("types", types, spec.programs)
    known("autoload", autoload, spec.programs)
    made, live = dict(spec.maps), dict[str, Any]()
    for name, value in maps.items():
        if isinstance(value, int) and not isinstance(value, bool):
            made[name] = made[name]._replace(max_entries=value)
        elif isinstance(value, Mapping) and not hasattr(value, "fileno"):
            made[name] = _changed(made[name], value)
        else:
            live[name] = value
    programs = dict(spec.programs)
    for name, section in types.items():
        programs[name] = _typed(programs[name], section)
    for name, wanted in autoload.items():
        programs[name] = programs[name]._replace(autoload=wanted)
    return spec._replace(maps=made, programs=programs), live


def _changed(one: MapSpec, fields: Mapping[str, Any]) -> MapSpec:
    for field in fields:
        if field not in _FIELDS:
            raise FormatError(f"map {one.name!r}: {field!r} cannot be chosen, only {', '.join(_FIELDS)}")
    return one._replace(**fields)


def known(option: str, given: Iterable[str], there: Iterable[str]) -> None:
    """FormatError for a name in an option of `load` that is not among the object's."""
    names = list(there)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise FormatError(f"{option}: the object has no {option.rstrip('s') if option == 'maps' else 'program'} {name!r}"
                              + (f": did you mean {near[0]!r}?" if near else f"; it has {', '.join(names) or 'none'}"))


def _typed(program: ProgramSpec, section: str) -> ProgramSpec:
    hook = hooks.match(section)
    if hook is None:
        raise FormatError(f"{section!r} names no program type: say it as a section name does, such as 'xdp' or 'tc'")
    return program._replace(section=section, prog_type=hook.prog_type, attach_type=hook.attach_type,
                            attach_to=hooks.target(section), flags=hook.flags)
