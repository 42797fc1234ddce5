"""Names that are near a wrong one, for hints."""

from __future__ import annotations

from collections.abc import Iterable


def near(name: str, names: Iterable[str]) -> str:
    """"did you mean 'x'?", or "" when nothing is near. What was written is never proposed."""
    import difflib  # only when something is wrong

    close = [n for n in difflib.get_close_matches(name, list(names), 3) if n != name]
    return f"did you mean {close[0]!r}?" if close else ""
