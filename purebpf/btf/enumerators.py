"""Enumerators by name: which number it is, and of which enum."""

from __future__ import annotations

from typing import NamedTuple

from . import types as t
from .container import Btf


class Found(NamedTuple):
    """An enumerator: the id of its enum, and its value."""

    enum: int
    value: int


def enumerator(btf: Btf, name: str) -> Found | None:
    """The first enumerator of that name, or None."""
    for type_id in btf.with_enumerator(name):
        one = btf[type_id]
        if isinstance(one, t.Enum | t.Enum64):
            for each in one.values:
                if each.name == name:
                    return Found(type_id, each.value)
    return None
