"""Keys and values on a command line, and objects that stand for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..errors import FormatError

HOW = "as Python or JSON writes it: 7, '\"text\"', '{\"pid\": 1}'; bytes as hex:0a0b"


def value(text: str) -> Any:
    """A number, text, list or record as written on a command line."""
    try:
        return bytes.fromhex(text[4:]) if text.startswith("hex:") else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text.startswith("hex:"):
            raise FormatError(f"{text}: no hexadecimal bytes") from None
        return text


@contextmanager
def value_or_object(text: str) -> Iterator[Any]:
    """The same, or map:WHICH, program:WHICH: an object of the kernel, open meanwhile; cgroup:PATH, a directory."""
    import os

    from ..loader import open_map, open_program
    from ..loader.fd import Fd

    kind, _, which = text.partition(":")
    with ExitStack() as held:
        if kind == "map":
            yield held.enter_context(open_map(which))
        elif kind == "program":
            yield held.enter_context(open_program(which))
        elif kind == "cgroup":
            yield held.enter_context(Fd.owning(f"cgroup {which}", os.open, which, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        else:
            yield value(text)
