"""What the variables are, in versions: each path of a function has its own, and they share what is the same.

There is one dict, which holds the version that the lowering stands at. A version knows what it changed of the one above it,
so that to go from one to another costs what differs between them, however many variables there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.function import Value
from ..tree.nodes import Local

Words = tuple[Value, ...]


class Version:
    """What the variables are at one point. `other`: of those that it changed, what they are on the other side: in `up` while
    this version or one below it is current, else here."""

    __slots__ = ("up", "depth", "other")

    def __init__(self, up: Version | None) -> None:
        self.up = up
        self.depth: int = up.depth + 1 if up is not None else 0
        self.other: dict[Local, Words | None] = {}


class Env(dict[Local, Words]):
    """The current version, to be read and written as a dict."""

    __slots__ = ("_at", "_open", "_place")

    def __init__(self) -> None:
        super().__init__()
        self._at = Version(None)
        self._open = True  # nobody has taken the current version yet: it may be written
        self._place: dict[Local, int] = {}  # the order in which variables were set first

    def __setitem__(self, local: Local, words: Words) -> None:
        if not self._open:
            self._at, self._open = Version(self._at), True
        if local not in self._at.other:
            self._at.other[local] = self.get(local)
            self._place.setdefault(local, len(self._place))
        super().__setitem__(local, words)

    def version(self) -> Version:
        """The current one, to come back to."""
        self._open = False
        return self._at

    def go(self, to: Version) -> None:
        """Make `to` the current one."""
        here, self._at, self._open = self._at, to, False
        down: list[Version] = []
        while here is not to:
            if here.depth >= to.depth:
                self._cross(here)
                assert here.up is not None
                here = here.up
            else:
                down.append(to)
                assert to.up is not None
                to = to.up
        for version in reversed(down):
            self._cross(version)

    def _cross(self, version: Version) -> None:
        other = version.other
        for local, words in other.items():
            other[local] = self.get(local)
            if words is None:
                super().__delitem__(local)
            else:
                super().__setitem__(local, words)

    def meet(self, versions: Sequence[Version]) -> dict[Local, list[Words]]:
        """Go to the nearest version that all of these come from. What they have all set, but differently from there: for
        each such variable what it is in each of them, in the order in which the variables were set first."""
        top, below = _above(versions)
        changed = {local for version in below for local in version.other}
        self.go(versions[0])
        found = {local: [words] for local in sorted(changed, key=self._place.__getitem__) if (words := self.get(local)) is not None}
        for version in versions[1:]:
            self.go(version)
            for local, column in list(found.items()):
                words = self.get(local)
                if words is None:
                    del found[local]
                else:
                    column.append(words)
        self.go(top)
        return found


def _above(versions: Sequence[Version]) -> tuple[Version, set[Version]]:
    """The nearest version that all come from, and all those between."""
    top = versions[0]
    below: set[Version] = set()
    for one in versions[1:]:
        while one is not top and one not in below:
            if one.depth > top.depth:
                below.add(one)
                assert one.up is not None
                one = one.up
            else:
                below.add(top)
                assert top.up is not None
                top = top.up
    return top, below
