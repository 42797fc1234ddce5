"""Names of types in programs: with a flavour, `task_struct___old`, they mean the kernel's `task_struct`."""

from __future__ import annotations


def essential(name: str) -> str:
    """A type's name without its flavour: "task_struct" of "task_struct___old". A flavour is three underscores between
    two characters that are none, the last such three."""
    if "___" in name:
        for at in range(len(name) - 4, 0, -1):
            if name[at:at + 3] == "___" and name[at - 1] != "_" != name[at + 3]:
                return name[:at]
    return name
