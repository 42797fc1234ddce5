"""Which variables a piece of the tree sets and reads: what a loop changes, what a callback captures."""

from __future__ import annotations

from collections.abc import Iterator

from . import nodes as n
from .nodes import Local

_SKIPPED = ("span", "kind", "loop", "function")


def walk(node: n.Node) -> Iterator[n.Node]:
    """The node and everything below it."""
    todo: list[n.Node] = [node]
    while todo:
        one = todo.pop()
        yield one
        for cls in type(one).__mro__:
            for name in getattr(cls, "__slots__", ()):
                if name in _SKIPPED:
                    continue
                todo += _nodes(getattr(one, name, None))


def _nodes(value: object) -> list[n.Node]:
    if isinstance(value, n.Node):
        return [value]
    if isinstance(value, list | tuple):
        return [node for item in value for node in _nodes(item)]
    return []


def assigned(node: n.Node) -> list[Local]:
    """The variables that are set, in order, each once."""
    found: dict[Local, None] = {}
    for one in walk(node):
        if isinstance(one, n.Set):
            found[one.local] = None
        elif isinstance(one, n.Call):
            found.update(dict.fromkeys(one.cursors))
        elif isinstance(one, n.Each):
            found.update(dict.fromkeys(one.params))
    return list(found)


def read(node: n.Node) -> list[Local]:
    """The variables that are read, in order, each once."""
    return list(dict.fromkeys(one.local for one in walk(node) if isinstance(one, n.Get)))
