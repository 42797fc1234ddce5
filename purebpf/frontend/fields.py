"""Fields that the kernel keeps for a program: where they stand, and which maps and programs may have them."""

from __future__ import annotations

from collections.abc import Iterator

from ..dsl.fields import KEPT
from ..dsl.layout import ArrayType, Layout, StructType
from ..dsl.memory import ResSpinLock, SpinLock
from ..tree.kinds import Kind, Ptr

LOCKS = (SpinLock, ResSpinLock)
OWNERS = {one.layout: one for one in (*LOCKS, *KEPT)}  # what has methods
LATER = tuple(one.layout for one in KEPT)


def kept(layout: Layout) -> Iterator[StructType]:
    """The fields that the kernel keeps, in what is the program's own."""
    if isinstance(layout, ArrayType):
        yield from kept(layout.elem)
    elif isinstance(layout, StructType):
        if layout in OWNERS:
            yield layout
        elif not layout.core:
            for field in layout.fields:
                yield from kept(field.type)


def tied(kind: Kind) -> bool:
    """Does the value lead to an entry with a timer or a work queue? Then it matters of which map it is."""
    return isinstance(kind, Ptr) and kind.target is not None and any(one in LATER for one in kept(kind.target))
