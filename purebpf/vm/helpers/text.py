"""Formatting and comparing text: trace_printk, snprintf, strncmp, strtol."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Callable, Final, Iterator, Mapping

from ..code import signed
from ..memory import M32, M64, Trap

if TYPE_CHECKING:
    from ..world import World

_SPEC: Final = re.compile(
    rb"%(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d+))?(?P<length>hh|h|ll|l)?"
    rb"(?P<kind>pI4|pi4|pI6|pi6|pks|pus|pK|px|pB|pS|ps|p|[diouxXcs%])")
_NUMBER: Final = re.compile(rb"([ \t\n\v\f\r]*)([-+]?)(0[xX][0-9a-fA-F]+|[0-9a-fA-F]+)")
_WIDTH: Final = {b"hh": 8, b"h": 16, b"": 32, b"l": 64, b"ll": 64}


class _BadFormat(Exception):
    """The kernel's -EINVAL."""


def render(w: World, form: bytes, values: Iterator[int]) -> bytes:
    """`form` with its conversions filled, as the kernel's bpf_bprintf does."""
    out, at = b"", 0
    while (percent := form.find(b"%", at)) >= 0:
        out += form[at:percent]
        found = _SPEC.match(form, percent)
        if found is None:
            raise _BadFormat
        out += b"%" if found["kind"] == b"%" else _one(w, found, values)
        at = found.end()
    return out + form[at:]


def _one(w: World, found: re.Match[bytes], values: Iterator[int]) -> bytes:
    try:
        value = next(values)
    except StopIteration:
        raise _BadFormat from None
    kind, flags = found["kind"], found["flags"]
    width = int(found["width"] or 0)
    if kind in (b"s", b"pks", b"pus"):
        body = _string(w, value, int(found["precision"]) if found["precision"] else 512)
    elif kind in (b"pI4", b"pi4"):
        body = ".".join(map(str, w.memory.read(value, 4))).encode()
    elif kind in (b"pI6", b"pi6"):
        words = w.memory.read(value, 16).hex()
        body = ":".join(words[i : i + 4] for i in range(0, 32, 4)).encode() if kind == b"pI6" else words.encode()
    elif kind == b"c":
        body = bytes((value & 0xFF,))
    elif kind.startswith(b"p"):
        body = b"%016x" % (value & M64)
    else:
        return _number(kind, flags, width, found["precision"], value, _WIDTH[found["length"] or b""])
    return body.ljust(width) if b"-" in flags else body.rjust(width)


def _number(kind: bytes, flags: bytes, width: int, precision: bytes | None, value: int, bits: int) -> bytes:
    value = signed(value, bits) if kind in b"di" else value & ((1 << bits) - 1)
    conversion = b"d" if kind in b"diu" else kind
    template = b"%" + flags + (str(width).encode() if width else b"") + (b"." + precision if precision else b"")
    if kind == b"o":  # C's %#o writes 017 where Python's writes 0o17
        template = template.replace(b"#", b"")
    return (template + conversion) % value


def _string(w: World, address: int, limit: int) -> bytes:
    try:
        return w.memory.string(address, limit)
    except Trap:
        return b"(null)" if address == 0 else b"(efault)"


def trace_printk(w: World, form: int, size: int, *values: int) -> int:
    return _print(w, w.memory.read(form, size & M32), list(values))


def trace_vprintk(w: World, form: int, size: int, data: int, length: int, *_: int) -> int:
    if length & 7 or length > 96:
        return -errno.EINVAL
    return _print(w, w.memory.read(form, size & M32), _words(w, data, length))


def _print(w: World, form: bytes, values: list[int]) -> int:
    if not form.endswith(b"\0"):
        return -errno.EINVAL
    try:
        line = render(w, form.split(b"\0")[0], iter(values))
    except _BadFormat:
        return -errno.EINVAL
    w.trace.append(line.decode("utf-8", "surrogateescape").removesuffix("\n"))
    return len(line)


def _words(w: World, data: int, length: int) -> list[int]:
    raw = w.memory.read(data, length)
    return [w.memory.order.number(raw[i : i + 8]) for i in range(0, length, 8)]


def snprintf(w: World, to: int, size: int, form: int, data: int, length: int) -> int:
    """Bytes the whole text needs, with its NUL; what does not fit is cut."""
    size &= M32
    if length & 7 or length > 96:
        return -errno.EINVAL
    try:
        text = render(w, w.memory.string(form, 4096), iter(_words(w, data, length & M32)))
    except _BadFormat:
        return -errno.EINVAL
    if size:
        w.memory.write(to, text[: size - 1] + b"\0")
    return len(text) + 1


def strncmp(w: World, one: int, size: int, other: int, *_: int) -> int:
    size &= M32
    a, b = _bounded(w, one, size), _bounded(w, other, size)
    for x, y in zip(a, b):
        if x != y:
            return -1 if x < y else 1
        if x == 0:
            break
    return 0


def _bounded(w: World, address: int, size: int) -> bytes:
    text = w.memory.string(address, size)
    return text + b"\0" if len(text) < size else text


def _parse(w: World, text: int, size: int, flags: int, to: int, negative_too: bool) -> int:
    """Digits read, with blanks and sign; -EINVAL for none, -ERANGE if they do not fit."""
    base = flags & 0x1F
    if base not in (0, 8, 10, 16) or flags & ~0x1F:
        return -errno.EINVAL
    found = _NUMBER.match(w.memory.read(text, size & M32).split(b"\0")[0])
    if found is None or (found[2] and not negative_too) or found[2] == b"+":
        return -errno.EINVAL
    digits = found[3]
    if base == 0:
        base = 16 if digits[:2].lower() == b"0x" else 8 if digits[:1] == b"0" else 10
    prefix = 2 if base == 16 and digits[:2].lower() == b"0x" else 0
    allowed = b"0123456789abcdef"[:base]
    count = next((i for i, c in enumerate(digits[prefix:].lower()) if c not in allowed), len(digits) - prefix)
    if not count:
        return -errno.EINVAL
    value = int(digits[prefix : prefix + count], base)
    value = -value if found[2] == b"-" else value
    if not (-(1 << 63) <= value < 1 << 63 if negative_too else value <= M64):
        return -errno.ERANGE
    w.memory.store(to, 8, value & M64)
    return len(found[1]) + len(found[2]) + prefix + count


def strtol(w: World, text: int, size: int, flags: int, to: int, *_: int) -> int:
    return _parse(w, text, size, flags, to, negative_too=True)


def strtoul(w: World, text: int, size: int, flags: int, to: int, *_: int) -> int:
    return _parse(w, text, size, flags, to, negative_too=False)


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "trace_printk": trace_printk,
    "trace_vprintk": trace_vprintk,
    "snprintf": snprintf,
    "strncmp": strncmp,
    "strtol": strtol,
    "strtoul": strtoul,
}
