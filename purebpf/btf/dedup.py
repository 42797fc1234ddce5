"""Types that say the same become one: BTF of many compilation units in the size of one.

Two types are the same if nothing that can be reached from them tells them apart. Classes of types are refined until they
stand: at first types of one kind, name and shape are together; a class is split where its types refer to different
classes. What is left together is the same, cycles or not (partition refinement, as Hopcroft's for automata: of a class that
is split the largest part keeps the number, so that a type is looked at again at most log n times).

A forward declaration is the struct of that name, if all structs of that name have one shape; so is an enum without values.
VARs and DATASECs are never merged: each stands for memory of its own.
"""

from __future__ import annotations

import itertools
from typing import Callable, Mapping, NamedTuple, Sequence

from ..errors import BtfError
from . import types as t
from .container import Btf


class Deduped(NamedTuple):
    """`ids[old]` is the id of an old type in `btf`; void (0) stays."""

    btf: Btf
    ids: Mapping[int, int]


def dedup(btf: Btf, keep: Callable[[int], bool] | None = None) -> Deduped:
    """The types without repetitions, in order of first appearance. `keep(id)` False: the type goes, with nothing left
    that refers to it (else BtfError). Of split BTF what the base has goes too; the base stays as it is."""
    types: list[t.Type] = [t.Ptr(0), *(btf[i] for i in range(1, btf.first)), *btf]  # index is id; 0 is never looked at
    aliases = {one: target for one, target in _aliases(types).items() if one >= btf.first}
    classes = _refine(types, aliases)
    return _rebuild(types, aliases, classes, keep, btf)


def merge(many: Sequence[Btf]) -> tuple[Btf, list[dict[int, int]]]:
    """One after another, without deduplication: (all types, {old id: new id} for each)."""
    out: list[t.Type] = []
    memos = []
    for one in many:
        if one.base is not None:
            raise BtfError("split BTF cannot be merged without its base")
        shift = len(out)
        memo = {0: 0} | {i: i + shift for i in range(1, one.last + 1)}
        out += (t.renumber(x, memo) for x in one)
        memos.append(memo)
    return Btf(out, byteorder=many[0].byteorder if many else "little"), memos


def _shape(one: t.Type) -> object:
    """A type without what it refers to."""
    return type(one), t.renumber(one, _ZEROES)


class _Zeroes(dict[int, int]):
    def __missing__(self, key: int) -> int:
        return 0


_ZEROES = _Zeroes()


def _aliases(types: list[t.Type]) -> dict[int, int]:
    """Forward declaration → the first definition of that name, if all definitions have one shape."""
    shapes: dict[tuple[object, str], set[object]] = {}
    first: dict[tuple[object, str], int] = {}
    for number, one in enumerate(types[1:], 1):
        key = _definition(one)
        if key is not None:
            shapes.setdefault(key, set()).add(_shape(one))
            first.setdefault(key, number)
    out = {}
    for number, one in enumerate(types[1:], 1):
        key = _declaration(one)
        if key is not None and len(shapes.get(key, ())) == 1:
            out[number] = first[key]
    return out


def _definition(one: t.Type) -> tuple[object, str] | None:
    match one:
        case t.Struct() | t.Union() if one.name:
            return type(one), one.name
        case t.Enum() | t.Enum64() if one.name and one.values:
            return t.Enum, one.name
        case _:
            return None


def _declaration(one: t.Type) -> tuple[object, str] | None:
    match one:
        case t.Fwd():
            return t.Union if one.union else t.Struct, one.name
        case t.Enum() if one.name and not one.values:
            return t.Enum, one.name
        case _:
            return None


def _refine(types: list[t.Type], aliases: Mapping[int, int]) -> list[int]:
    """The class of each type; types of one class are the same."""
    numbers: dict[object, int] = {}
    classes = [0] * len(types)
    refs: list[tuple[int, ...]] = [()] * len(types)
    for number in range(1, len(types)):
        one = types[number]
        shape: object = number if isinstance(one, (t.Var, t.Datasec)) and not _is_extern(one) else _shape(one)
        classes[number] = numbers.setdefault(shape, len(numbers) + 1)
        refs[number] = tuple(aliases.get(r, r) for r in t.references(one))
    _split(classes, refs, _settle(classes, refs))
    return classes


def _split(classes: list[int], refs: list[tuple[int, ...]], circular: list[int]) -> None:
    """Give final classes to the types of which each refers, over others or not, to a circle.

    At every moment the types of a class that wait in no `todo` refer to the same classes, number for number.
    """
    fresh = itertools.count(max(classes) + 1)
    members: dict[int, set[int]] = {}
    users: dict[int, list[int]] = {}
    for n in circular:
        members.setdefault(classes[n], set()).add(n)
        for target in refs[n]:
            users.setdefault(target, []).append(n)
    todo = circular
    while todo:
        groups: dict[int, dict[tuple[int, ...], set[int]]] = {}
        for n in todo:
            groups.setdefault(classes[n], {}).setdefault(tuple([classes[r] for r in refs[n]]), set()).add(n)
        todo = []
        for number, parts in groups.items():
            moved = _all_but_the_largest(members[number], list(parts.values()))
            for part in moved:
                new = next(fresh)
                members[new] = part
                members[number] -= part
                for n in part:
                    classes[n] = new
                    todo += users.get(n, ())


def _all_but_the_largest(members: set[int], parts: list[set[int]]) -> list[set[int]]:
    """Of the parts of a class, and what is in none of them, those that leave it."""
    if sum(map(len, parts)) < len(members):
        largest = max(map(len, parts))
        if largest <= len(members) - sum(map(len, parts)):
            return parts
        parts.append(members.difference(*parts))
    parts.sort(key=len)
    return parts[:-1]


def _settle(classes: list[int], refs: list[tuple[int, ...]]) -> list[int]:
    """Give final classes to the types that are in no circle and refer to none, leaves first; the others."""
    users: dict[int, list[int]] = {}
    waits = [0] * len(refs)
    for n, targets in enumerate(refs):
        waits[n] = len(targets)
        for target in targets:
            users.setdefault(target, []).append(n)
    known: dict[object, int] = {}
    base = max(classes, default=0) + 1
    todo = [n for n in range(len(refs)) if not waits[n]]
    for n in todo:  # grows while it is walked
        if refs[n]:
            classes[n] = known.setdefault((classes[n], *[classes[r] for r in refs[n]]), base + len(known))
        for user in users.get(n, ()):
            waits[user] -= 1
            if not waits[user]:
                todo.append(user)
    return [n for n in range(len(refs)) if waits[n]]


def _is_extern(one: t.Type) -> bool:
    return isinstance(one, t.Var) and one.linkage == t.EXTERN


def _rebuild(types: list[t.Type], aliases: Mapping[int, int], classes: list[int], keep: Callable[[int], bool] | None,
             btf: Btf) -> Deduped:
    ids: dict[int, int] = {number: number for number in range(btf.first)}
    new_of: dict[int, int] = {classes[number]: number for number in range(btf.first - 1, 0, -1)}
    chosen: list[int] = []
    kept = [number < btf.first or keep is None or keep(number) for number in range(len(types))]
    for number in range(btf.first, len(types)):
        if not kept[number] or kept[aliases.get(number, 0)] and number in aliases:
            continue
        found = new_of.get(classes[number])
        if found is None:
            chosen.append(number)
            found = new_of[classes[number]] = btf.first - 1 + len(chosen)
        ids[number] = found
    ids |= {number: ids[target] for number, target in aliases.items() if kept[target]}
    try:
        return Deduped(Btf([t.renumber(types[n], ids) for n in chosen], btf.base, btf.byteorder), ids)
    except KeyError as error:
        raise BtfError(f"type {error.args[0]} is dropped, but something refers to it") from None


def reachable(btf: Btf, roots: set[int]) -> set[int]:
    """The ids that are needed for `roots`, with the tags on them."""
    tags: dict[int, list[int]] = {}
    for number, one in btf.items():
        if isinstance(one, t.DeclTag):
            tags.setdefault(one.type, []).append(number)
    todo, seen = [r for r in roots if r], set[int]()
    while todo:
        number = todo.pop()
        if number and number not in seen:
            seen.add(number)
            todo += t.references(btf[number])
            todo += tags.get(number, ())
    return seen
