"""What `load` gives: the live maps, programs, variables and links of one object, and their common end."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..spec import ObjectSpec
from . import links as kinds
from .link import Link
from .fd import close_all
from .maps import LiveMap
from .progs import LoadedProgram
from .queues import ReaderMap
from .reader import wait_readable
from .tracepipe import TraceLine, trace
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


class ProgramStats(NamedTuple):
    """How often a program ran and for how long in all (ns), while statistics were on (`loader.statistics()`); how many
    runs it missed because it ran already on that CPU."""

    runs: int
    time_ns: int
    missed: int

    @property
    def average_ns(self) -> float:
        """0 where it never ran."""
        return self.time_ns / self.runs if self.runs else 0.0


class Object:
    """A loaded object. `with load(…) as k:` detaches and closes everything at the end. `links`: every link that its
    programs made and that is neither closed nor disowned."""

    def __init__(self, spec: ObjectSpec, maps: Mapping[str, LiveMap], programs: Mapping[str, LoadedProgram],
                 variables: Mapping[str, Variable], sections: Mapping[str, Section | ArenaSection], links: list[Link],
                 opened: list[Any]) -> None:
        self.spec, self.maps, self.programs = spec, maps, programs
        self.variables, self.sections, self.links = variables, sections, links
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

    def attach(self) -> list[Link]:
        """Attach every program whose section names its hook; the new links. Others are left for
        `programs[name].attach(target)`: see `unattached`. If one cannot be attached, none of these stays."""
        made: list[Link] = []
        try:
            for program in self.programs.values():
                if not kinds.why_not_alone(program):
                    made.append(program.attach())
            for one in self.maps.values():
                if isinstance(one, StructOpsMap):
                    made.append(one.attach().owned_by(self.links))
        except BaseException:
            close_all(made)
            raise
        return made

    def unattached(self) -> dict[str, str]:
        """The programs that no link of this object attaches, and what is missing to attach each."""
        attached = {id(link.program) for link in self.links}
        return {name: kinds.why_not_alone(p) or "attach() was not called" for name, p in self.programs.items()
                if id(p) not in attached}

    def wait(self, seconds: float | None = None) -> None:
        """Let time pass, `seconds` or until Ctrl-C, and give events to the callbacks that `on` set meanwhile."""
        try:
            _serve([m for m in self.maps.values() if isinstance(m, ReaderMap) and m.callback is not None], seconds)
        except KeyboardInterrupt:
            if seconds is not None:
                raise

    def stats(self) -> dict[str, ProgramStats]:
        """What the kernel counted of each program since it was loaded; it counts within `with loader.statistics():`."""
        infos = {name: program.info for name, program in self.programs.items()}
        return {name: ProgramStats(one.run_count, one.run_time_ns, one.recursion_misses) for name, one in infos.items()}

    def trace(self, seconds: float | None = None) -> Iterator[TraceLine]:
        """What programs print, this object's and all others', as it comes, for `seconds` (None: for ever)."""
        return trace(seconds)

    def close(self) -> None:
        """Detach, unmap, close. Pinned things stay, and links that were disowned."""
        opened, self._opened = self._opened, []
        close_all([*opened, *self.links])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._opened else " closed"
        return f"<Object {self.spec.name!r}: {len(self.maps)} maps, {len(self.programs)} programs{state}>"


def _serve(maps: list[ReaderMap], seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        for one in maps:
            if one.callback is not None:
                one.reader().each(one.callback)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return
        if not maps:
            time.sleep(3600 if left is None else left)
        else:
            wait_readable([fd for one in maps for fd in one.reader().sources()], left)


def wait(*maps: ReaderMap, timeout: float | None = None) -> list[ReaderMap]:
    """Until one of several ring or perf buffers has events, at most `timeout` seconds: those that have some. Their
    callbacks, if they have any, are called."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        ready = [one for one in maps if one.reader().wait(0)]
        for one in ready:
            if one.callback is not None:
                one.reader().each(one.callback)
        left = None if deadline is None else deadline - time.monotonic()
        if ready or left is not None and left <= 0:
            return ready
        wait_readable([fd for one in maps for fd in one.reader().sources()], left)
