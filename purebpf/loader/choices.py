"""What the caller chooses about an object before anything is made: sizes of maps, types of programs, what is loaded; and a
policy for objects that are not trusted.

All of it is decided on the spec, before the first system call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ..errors import FormatError
from ..spec import MapSpec, ObjectSpec, ProgramSpec
from ..uapi import hooks
from ..uapi.enums import ProgType, name_of

_FIELDS = ("type", "max_entries", "flags", "pinning", "extra", "numa_node", "key_size", "value_size")


class Policy(NamedTuple):
    """What an object may ask for. `prog_types`: names or numbers of program types, None: any. `pins`: may it use the pin
    directory. `max_bytes`: of all its maps and data together, as their sizes say; None: any."""

    prog_types: Collection[str | int] | None = None
    pins: bool = True
    max_bytes: int | None = None

    def check(self, spec: ObjectSpec) -> None:
        """FormatError for the first thing that is not allowed."""
        allowed = None if self.prog_types is None else {_prog_type(one) for one in self.prog_types}
        for program in spec.programs.values():
            if program.autoload and allowed is not None and program.prog_type not in allowed:
                raise FormatError(f"program {program.name!r} is of type {name_of(ProgType, program.prog_type)}, which the "
                                  "policy does not allow")
        for one in spec.maps.values():
            if one.pinning and not self.pins:
                raise FormatError(f"map {one.name!r} is pinned by name, which the policy does not allow")
        total = sum(_footprint(one) for one in spec.maps.values()) + sum(len(one.data) for one in spec.data.values())
        if self.max_bytes is not None and total > self.max_bytes:
            raise FormatError(f"the object's maps and data take {total} bytes, the policy allows {self.max_bytes}")


def _footprint(one: MapSpec) -> int:
    return max(1, one.max_entries) * max(1, one.key_size + one.value_size)


def _prog_type(one: str | int) -> int:
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
    made, live = dict(spec.maps), dict[str, Any]()
    for name, value in maps.items():
        if name not in made:
            raise FormatError(f"the object has no map {name!r}; it has {', '.join(made) or 'none'}")
        if isinstance(value, int) and not isinstance(value, bool):
            made[name] = made[name]._replace(max_entries=value)
        elif isinstance(value, Mapping) and not hasattr(value, "fileno"):
            made[name] = _changed(made[name], value)
        else:
            live[name] = value
    programs = dict(spec.programs)
    for name, section in types.items():
        programs[name] = _typed(_known(programs, name), section)
    for name, wanted in autoload.items():
        programs[name] = _known(programs, name)._replace(autoload=wanted)
    return spec._replace(maps=made, programs=programs), live


def _changed(one: MapSpec, fields: Mapping[str, Any]) -> MapSpec:
    for field in fields:
        if field not in _FIELDS:
            raise FormatError(f"map {one.name!r}: {field!r} cannot be chosen, only {', '.join(_FIELDS)}")
    return one._replace(**fields)


def _known(programs: Mapping[str, ProgramSpec], name: str) -> ProgramSpec:
    if name not in programs:
        raise FormatError(f"the object has no program {name!r}; it has {', '.join(programs) or 'none'}")
    return programs[name]


def _typed(program: ProgramSpec, section: str) -> ProgramSpec:
    hook = hooks.match(section)
    if hook is None:
        raise FormatError(f"{section!r} names no program type: say it as a section name does, such as 'xdp' or 'tc'")
    return program._replace(section=section, prog_type=hook.prog_type, attach_type=hook.attach_type,
                            attach_to=hooks.target(section), flags=hook.flags)
