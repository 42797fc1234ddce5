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
        for name in _fields(type(one)):
            todo += _nodes(getattr(one, name, None))


def _fields(cls: type) -> tuple[str, ...]:
    """Where the parts of a node of this class are."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = tuple(name for one in cls.__mro__ for name in getattr(one, "__slots__", ()) if name not in _SKIPPED)
    return found


_known: dict[type, tuple[str, ...]] = {}


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


def begins(body: list[n.Stmt], local: Local) -> bool:
    """Whether the statements set the variable anew before they read it, if they read it at all: in the innermost list that
    has all its reads, what comes first sets it."""
    using = [stmt for stmt in body if any(isinstance(one, n.Get | n.Set) and one.local is local for one in walk(stmt))]
    if not using:
        return True
    first = using[0]
    if isinstance(first, n.Set) and first.local is local and local not in read(first.value):
        return True
    reading = [stmt for stmt in using if local in read(stmt)]
    if len(reading) != 1:
        return not reading
    inner = [part for part in lists(reading[0]) if any(local in read(stmt) for stmt in part)]
    inside = [one for part in inner for stmt in part for one in walk(stmt) if isinstance(one, n.Get) and one.local is local]
    all_ = [one for one in walk(reading[0]) if isinstance(one, n.Get) and one.local is local]
    return len(inner) == 1 and len(inside) == len(all_) and begins(inner[0], local)


def lists(node: n.Node) -> Iterator[list[n.Stmt]]:
    """The lists of statements below the node, not those inside them."""
    for name in _fields(type(node)):
        value = getattr(node, name, None)
        if isinstance(value, list) and value and isinstance(value[0], n.Stmt):
            yield value
        else:
            for part in _nodes(value):
                yield from lists(part)


def sources(sets: list[n.Set], locals: set[Local]) -> set[Local]:
    """The variables that these are computed from by the sets, themselves included."""
    read_for: dict[Local, list[Local]] = {}
    for one in sets:
        read_for.setdefault(one.local, []).extend(read(one.value))
    return _reached(read_for, locals)


def _reached(steps: dict[Local, list[Local]], begin: set[Local]) -> set[Local]:
    found, todo = set(begin), list(begin)
    while todo:
        new = set(steps.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def places_of(nodes: list[n.Node]) -> set[Local]:
    """The variables that places are computed from: indices and offsets."""
    return {local for one in nodes if isinstance(one, n.Move | n.At | n.Element)
            for local in read(one.index if isinstance(one, n.Element) else one.offset)}


def settle_vague(body: list[n.Stmt]) -> None:
    """A function is complete: which numbers that were made vague lead to places, or are still wanted behind another loop, is
    known. What that one's rounds are told apart by would be walked once for each of the others."""
    nodes = list(_in_order(body))
    vague = [(at, one) for at, one in enumerate(nodes) if isinstance(one, n.Set) and isinstance(one.value, n.Vague)]
    sets = [one for one in nodes if isinstance(one, n.Set)]
    wanted = sources(sets, places_of(nodes))
    loops = [at for at, one in enumerate(nodes) if isinstance(one, n.Loop | n.Each)]
    reads = {one.local: at for at, one in enumerate(nodes) if isinstance(one, n.Get)}
    results: dict[Local, list[Local]] = {}  # what is computed from each
    for one in sets:
        for local in read(one.value):
            results.setdefault(local, []).append(one.local)
    for at, one in vague:
        assert isinstance(one.value, n.Vague)
        last = max(reads.get(local, 0) for local in _reached(results, {one.local}))
        one.value.needed |= one.local in wanted or any(at < loop < last for loop in loops)


def _in_order(body: list[n.Stmt]) -> Iterator[n.Node]:
    """All nodes, in the order in which they come."""
    todo: list[n.Node] = list(reversed(body))
    while todo:
        one = todo.pop()
        yield one
        todo += reversed([part for name in _fields(type(one)) for part in _nodes(getattr(one, name, None))])
