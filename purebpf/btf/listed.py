"""BTF as lines of text and as plain values for JSON: every type with its id, kind, name and fields."""

from __future__ import annotations

from typing import Any, Iterator

from . import types as t
from .container import Btf, kind_name


def as_values(btf: Btf) -> Iterator[dict[str, Any]]:
    """Each type as a dict: id, kind, then the fields of its record; members and the like as lists of dicts."""
    for number, one in btf.items():
        fields = {name: [part._asdict() for part in value] if isinstance(value, tuple) else value
                  for name, value in one._asdict().items()}
        yield {"id": number, "kind": kind_name(btf, number), **fields}


def as_lines(btf: Btf) -> Iterator[str]:
    """Each type as a line, its parts as indented lines below."""
    for number, one in btf.items():
        fields = one._asdict()
        name = fields.pop("name", "")
        parts = {key: value for key, value in fields.items() if isinstance(value, tuple)}
        words = " ".join(f"{key}={value}" for key, value in fields.items() if key not in parts)
        yield f"[{number}] {kind_name(btf, number)} {name or '(anonymous)'} {words}".rstrip()
        for value in parts.values():
            for part in value:
                yield "\t" + _part(part)


def _part(part: Any) -> str:
    fields = part._asdict()
    name = fields.pop("name", None)
    words = " ".join(f"{key}={value}" for key, value in fields.items())
    return words if name is None else f"{name or '(anonymous)'} {words}"


def differences(a: Btf, b: Btf, names: tuple[str, ...] = ()) -> Iterator[str]:
    """How the structs, unions, enums and typedefs of two kernels differ, by name; `names` limits to those."""
    first, second = _named(a), _named(b)
    for key in [k for k in {**first, **second} if not names or k[1] in names]:
        word, name = key
        if key not in second:
            yield f"- {word} {name}"
        elif key not in first:
            yield f"+ {word} {name}"
        else:
            yield from (f"{line[0]} {word} {name}{line[1:]}" for line in _changes(a, first[key], b, second[key]))


def _named(btf: Btf) -> dict[tuple[str, str], int]:
    kinds = (t.Struct, t.Union, t.Enum, t.Enum64)
    out: dict[tuple[str, str], int] = {}
    for number, one in btf.items():
        if isinstance(one, kinds) and one.name:
            out.setdefault(("enum" if isinstance(one, t.Enum64) else kind_name(btf, number), one.name), number)
    return out


def _changes(a: Btf, a_id: int, b: Btf, b_id: int) -> Iterator[str]:
    one, two = _rows(a, a_id), _rows(b, b_id)
    for name in {**one, **two}:
        if name not in two:
            yield f"-.{name}"
        elif name not in one:
            yield f"+.{name}"
        elif one[name] != two[name]:
            yield f"~.{name}: {one[name]} -> {two[name]}"


def _rows(btf: Btf, type_id: int) -> dict[str, str]:
    from .ctext import CText
    from .layout import fields

    one = btf[type_id]
    if isinstance(one, (t.Enum, t.Enum64)):
        return {v.name: str(v.value) for v in one.values}
    assert isinstance(one, (t.Struct, t.Union))
    text = CText(btf)
    return {"size": str(one.size)} | {
        f.name: f"{text.spell(f.type, '').strip()} at bit {f.bit_offset}" for f in fields(btf, type_id) if f.name}
