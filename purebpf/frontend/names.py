"""Names that are near a wrong one, for hints."""

from __future__ import annotations

from collections.abc import Iterable


def near(name: str, names: Iterable[str]) -> str:
    """"did you mean 'x'?", or "" when nothing is near. What was written is never proposed."""
    import difflib  # only when something is wrong

    others = [n for n in names if n != name]
    close = [n for n in others if n.casefold() == name.casefold()] or difflib.get_close_matches(name, others, 3)
    return f"did you mean {close[0]!r}?" if close else ""
