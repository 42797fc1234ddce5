"""The form of a loop that the verifier does not walk to its end: chosen for the whole object, by what its kernel has.

Such a loop goes round as long as the kernel grants it, 8 million times at most; then the program is given up.

    granted     the kernel counts the rounds in place (may_goto, Linux 6.9)
    numbered    an iterator over numbers is asked in every round (6.4; GPL programs)
    called      the kernel calls the body, its variables travel in a block of the frame (bpf_loop, 5.17); only for kernels
                that have no other, as a name that stands for another struct in every round cannot travel
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..uapi import versions

if TYPE_CHECKING:
    from ..tree.nodes import Loop
    from .context import Checker
    from .unit import Unit

FORMS: Final = (  # cheapest first: form, the feature behind it, what it is called
    ("granted", "may_goto", "may_goto"), ("numbered", "open_coded_iterators", "bpf_iter_num"), ("called", "bpf_loop", "bpf_loop"),
)
GPL_ONLY: Final = ("numbered",)


def ask(c: Checker, loop: Loop) -> None:
    """A loop wants to be granted its rounds. An error if the stated kernel has no way to do that."""
    unit, span = c.unit, loop.span
    unit.granted.append(span)
    if unit.target.kernel and not unit.target.takes(versions.feature("open_coded_iterators")):
        for local in loop.carried:
            raise c.error("target", f"{local.name!r} stands for another struct in every round of this loop, which takes Linux "
                          f"{versions.feature('open_coded_iterators')}, and this is for {unit.target.kernel}", span,
                          help="copy its fields into one struct instead")
    if unit.target.kernel and not any(unit.target.takes(versions.feature(feature)) for _, feature, _ in FORMS):
        raise c.error("target", f"this loop may go round more often than the verifier of Linux {unit.target.kernel} follows", span,
                      help="bound it by a constant of a few hundred rounds, as in 'for i in range(100)', with 'break'; "
                           f"Linux {versions.feature('bpf_loop')} and later take it as it is")


def choose(unit: Unit) -> str:
    """The form for the object's loops, once it is known what its kernel must have anyway. "" if no loop asks."""
    if not unit.granted:
        return ""
    kernel = unit.target.kernel or unit.needs.oldest()
    allowed = [row for row in FORMS if unit.gpl or row[0] not in GPL_ONLY]
    usual = next(row for row in reversed(allowed) if row[0] != "called")  # of the forms for every loop, that of the oldest kernel
    form, feature, name = next((row for row in allowed if versions.has(kernel, versions.feature(row[1])) and (
        unit.target.kernel or row[0] != "called")), usual)
    for span in dict.fromkeys(unit.granted):
        unit.needs.add(versions.feature(feature), f"loops without a small bound ({name})", span)
        unit.needs.choices.append((span, f"loop: {form} by the kernel ({name})" if form != "numbered" else f"loop: an iterator ({name})"))
    return form
