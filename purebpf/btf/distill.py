"""Split BTF without its whole base: the few of the base's types that it needs, and the way back onto any kernel's.

A module is built once and loaded by kernels whose types are other and numbered otherwise (6.11: .BTF.base). `distill` keeps of the
base what has a name, and of that no more than what tells it apart:

    int, float             as they are                     struct, union    its size, or without any where only pointers go there
    enum                   its size                        anything else    goes into the split part: it has no name to be found by

`relocate` finds these again, by name and size, in another base.
"""

from __future__ import annotations

from typing import Iterator, Mapping

from ..errors import BtfError
from . import types as t
from .container import Btf

_NAMED = (t.Int, t.Float, t.Struct, t.Union, t.Enum, t.Enum64, t.Fwd)
_COMPOSITE = (t.Struct, t.Union)


def distill(split: Btf) -> Btf:
    """`split` on a base of its own, the smallest that does; its types come first and in order. BtfError if it is not split."""
    if split.base is None:
        raise BtfError("only split BTF has a base to be distilled")
    kept, moved, embedded = _needed(split)
    base = Btf([_outline(split[number], number in embedded) for number in kept], byteorder=split.byteorder)
    ids = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    own = [*range(split.first, split.last + 1), *moved]
    ids |= {old: new for new, old in enumerate(own, base.last + 1)}
    return Btf([t.renumber(split[number], ids) for number in own], base, split.byteorder)


def _needed(split: Btf) -> tuple[list[int], list[int], set[int]]:
    """Ids of the base: those that stay there, those that go into the split part, and of the first those that are parts of others."""
    todo = [(ref, _embeds(one)) for one in split for ref in t.references(one)]
    kept, moved, embedded = set[int](), set[int](), set[int]()
    while todo:
        number, inside = todo.pop()
        if not 0 < number < split.first:
            continue
        one = split[number]
        is_named = isinstance(one, _NAMED) and bool(one.name)
        if is_named and inside:
            embedded.add(number)
        if number in kept or number in moved and (not inside or number in embedded):
            continue
        if is_named:
            kept.add(number)
            continue
        if inside:  # a typedef or an array of a struct: what is in it is in the whole
            embedded.add(number)
        moved.add(number)
        todo += ((ref, _embeds(one) and (inside or isinstance(one, _COMPOSITE))) for ref in t.references(one))
    return sorted(kept), sorted(moved), embedded


def _embeds(one: t.Type) -> bool:
    """Are the types that this one refers to parts of it, so that their sizes matter?"""
    return not isinstance(one, (t.Ptr, t.FuncProto, t.Func, t.DeclTag))


def _outline(one: t.Type, embedded: bool) -> t.Type:
    match one:
        case t.Struct() | t.Union():
            return one._replace(members=()) if embedded else t.Fwd(one.name, isinstance(one, t.Union))
        case t.Enum() | t.Enum64():
            return one._replace(values=())
        case _:
            return one


def relocate(split: Btf, base: Btf) -> Btf:
    """`split`, which is on a distilled base, on `base`. BtfError names the type that `base` lacks, or has twice."""
    if split.base is None:
        raise BtfError("only split BTF has a base to be relocated to")
    ids = {0: 0} | {number: _found(one, base) for number, one in split.base.items()}
    ids |= {old: new for new, old in enumerate(range(split.first, split.last + 1), base.last + 1)}
    return Btf(_renumbered(split, ids), base, split.byteorder)


def _renumbered(split: Btf, ids: Mapping[int, int]) -> Iterator[t.Type]:
    return (t.renumber(one, ids) for one in split)


def _found(one: t.Type, base: Btf) -> int:
    name: str = getattr(one, "name", "")
    fitting = [number for number in base.find_all(name) if _fits(one, base[number])] if name else []
    if not fitting or len(fitting) > 1 and not isinstance(one, t.Fwd):
        word, size = type(one).__name__.lower(), getattr(one, "size", None)
        of = "" if size is None else f" of {size} bytes"
        raise BtfError(f"the base has {'several types' if fitting else 'no type'} {word} {name!r}{of}")
    return next((number for number in fitting if isinstance(base[number], _COMPOSITE)), fitting[0])


def _fits(outline: t.Type, one: t.Type) -> bool:
    match outline:
        case t.Fwd(_, union):
            return isinstance(one, t.Union if union else t.Struct) or one == outline
        case t.Enum() | t.Enum64():
            return isinstance(one, (t.Enum, t.Enum64)) and one.size == outline.size
        case t.Struct() | t.Union():
            return type(one) is type(outline) and getattr(one, "size", None) == outline.size
        case _:
            return type(one) is type(outline) and one == outline
