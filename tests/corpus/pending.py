"""Lists of what does not pass yet: `name | where | reason` a line, `#` for remarks."""

from __future__ import annotations

from pathlib import Path


def pending(file: str) -> dict[str, tuple[str, str]]:
    """name -> (where it fails first: "all" or "kernel", why)."""
    out = {}
    for line in (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, where, reason = (part.strip() for part in line.split("|", 2))
            assert where in ("all", "kernel"), line
            out[name] = where, reason
    return out
