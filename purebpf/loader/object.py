"""What `load` gives: the live maps, programs, variables and links of one object, and their common end."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ..spec import ObjectSpec
from . import links
from .fd import close_all
from .maps import LiveMap
from .progs import LoadedProgram
from .structops import StructOpsMap
from .variables import Section, Variable

if TYPE_CHECKING:
    from .arena import ArenaSection


def name_of(key: Any) -> str:
    """A name, or the name of a declaration (anything with a `name`)."""
    name = key if isinstance(key, str) else getattr(key, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"{key!r} is neither a name nor something declared with one")
    return name


class Object:
    """A loaded object. `with load(…) as k:` detaches and closes everything at the end."""

    def __init__(self, spec: ObjectSpec, maps: Mapping[str, LiveMap], programs: Mapping[str, LoadedProgram],
                 variables: Mapping[str, Variable], sections: Mapping[str, Section | ArenaSection], opened: list[Any]) -> None:
        self.spec, self.maps, self.programs = spec, maps, programs
        self.variables, self.sections = variables, sections
        self.links: list[links.Link] = []
        self._opened = opened

    def __getitem__(self, key: Any) -> Any:
        """The live map, global variable or program of a name or declaration."""
        name = name_of(key)
        for table in (self.maps, self.variables, self.programs):
            if name in table:
                return table[name]
        known = [*self.maps, *self.variables, *self.programs]
        near = difflib.get_close_matches(name, known, 1)
        raise KeyError(f"the object has no map, variable or program {name!r}"
                       + (f": did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none at all'}"))

    def __contains__(self, key: Any) -> bool:
        name = name_of(key)
        return name in self.maps or name in self.variables or name in self.programs

    def attach(self) -> list[links.Link]:
        """Attach every program whose section names its hook; the new links. Others are left for
        `programs[name].attach(target)`. If one cannot be attached, none of these stays."""
        made: list[links.Link] = []
        try:
            for program in self.programs.values():
                kind = links.kind_of(program)
                if kind is not None and kind.auto and program.spec.attach_to:
                    made.append(program.attach())
            for one in self.maps.values():
                if isinstance(one, StructOpsMap):
                    made.append(one.attach())
        except BaseException:
            close_all(made)
            raise
        self.links += made
        return made

    def close(self) -> None:
        """Detach, unmap, close. Pinned things stay."""
        made, self.links = self.links, []
        opened, self._opened = self._opened, []
        close_all([*opened, *made])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._opened else " closed"
        return f"<Object {self.spec.name!r}: {len(self.maps)} maps, {len(self.programs)} programs{state}>"
