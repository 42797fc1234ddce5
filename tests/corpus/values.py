"""Values as a corpus file writes them, and as maps, globals and records give them: compared, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Wrong(AssertionError):
    """What a run gave is not what the file says, with the build and the judge."""


def plain(value: Any) -> Any:
    """Numbers, text and tuples: what structs, records, arrays and per-CPU values amount to."""
    if callable(getattr(value, "sum", None)) and isinstance(value, list):
        value = value.sum()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    layout = getattr(type(value), "__bpf_layout__", None)
    if layout is not None:
        value = {f.name: getattr(value, f.name) for f in layout.fields}
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, bytes, bytearray)):
        return tuple(plain(one) for one in value)
    if isinstance(value, int):
        return int(value)
    return value


def parts(value: Any) -> Any:
    """A record's members by name, an array's elements in order; anything else as it is."""
    if isinstance(value, list) and callable(getattr(value, "sum", None)):
        value = value.sum()  # type: ignore[attr-defined]
    layout = getattr(type(value), "__bpf_layout__", None)
    names = getattr(value, "_fields", None) or getattr(value, "_slots", None)
    if layout is not None:
        names = [f.name for f in layout.fields]
    if names:
        return {name: getattr(value, name) for name in names}
    return tuple(value) if isinstance(value, (list, tuple, bytes, bytearray)) else value


def same(got: Any, wanted: Any) -> bool:
    """A function asks; a dict names the members that matter; everything else is equal."""
    if callable(wanted) and not hasattr(type(wanted), "__bpf_layout__"):
        return bool(wanted(got))
    got, wanted = parts(got), parts(wanted)
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(name in got and same(got[name], one) for name, one in wanted.items())
    if isinstance(wanted, tuple) and isinstance(got, dict):
        got = tuple(got.values())
    if isinstance(wanted, tuple) and isinstance(got, tuple):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    if isinstance(wanted, str) and isinstance(got, tuple):
        return bytes(got).rstrip(b"\0") == wanted.encode()
    return bool(got == wanted)


def expect(what: str, got: Any, wanted: Any) -> None:
    if not same(got, wanted):
        raise Wrong(f"{what} is {shown(got)}, not {shown(wanted)}")


def shown(value: Any) -> str:
    """As a person reads it: bytes in hex, a question as such."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex().rstrip("0") + "…"
    return "as asked" if callable(value) else repr(plain(value))
