"""Integers of the language in CPython: numbers that know their type, results as the contract types them."""

from __future__ import annotations

from collections.abc import Callable

Range = tuple[int, int]
I64, U64 = (-(2**63), 2**63 - 1), (0, 2**64 - 1)


class Mixed(Exception):
    """Arithmetic that the language refuses: the generator must not write it."""


class N(int):
    """A number of a type with the range `r`."""

    r: Range

    def __new__(cls, value: int, r: Range) -> N:
        self = int.__new__(cls, value)
        self.r = r
        return self


def fits(r: Range, width: Range) -> bool:
    return width[0] <= r[0] and r[1] <= width[1]


def results(word: str, a: Range, b: Range) -> Range:
    """Every result that the operands' ranges allow."""
    both = a[0] >= 0 and b[0] >= 0
    bits = max(x.bit_length() for x in (*a, *b))
    match word:
        case "+":
            return a[0] + b[0], a[1] + b[1]
        case "-":
            return a[0] - b[1], a[1] - b[0]
        case "*":
            corners = [x * y for x in a for y in b]
            return min(corners), max(corners)
        case "&":
            return (0, min(a[1], b[1])) if both else (0, a[1]) if a[0] >= 0 else (0, b[1]) if b[0] >= 0 else (-(1 << bits), (1 << bits) - 1)
        case "|" | "^":
            return (0, (1 << bits) - 1) if both else (-(1 << bits), (1 << bits) - 1)
        case ">>":
            return min(a[0], 0), max(a[1] >> max(b[0], 0), 0)
        case "<<":
            far = max(0, min(b[1], 128))
            return min(a[0], a[0] << far), max(a[1], a[1] << far)
    if b[0] > 0 and word == "//":
        corners = [x // y for x in a for y in b]
        return min(corners), max(corners)
    if b[0] > 0:
        return 0, b[1] - 1 if a[0] < 0 else min(b[1] - 1, a[1])
    top = max(abs(x) for x in (*a, *(b if word == "%" else ())))
    return (0, top) if both else (-top, top)


def result_type(word: str, a: Range, b: Range) -> Range | None:
    """The type of a result: i64 if it holds all, else u64, else the wrapping one; None where the language refuses."""
    if a[0] == a[1] and b[0] == b[1]:
        return None
    r = results(word, a, b)
    if fits(r, I64):
        return I64
    if fits(r, U64):
        return U64
    if word in ("<<", ">>"):
        return U64 if a[0] >= 0 else I64
    return U64 if a[0] >= 0 and b[0] >= 0 else I64 if a[1] <= I64[1] and b[1] <= I64[1] else None


def wrap(value: int, r: Range) -> int:
    """`value` stored into a type with this range."""
    return (value - r[0]) % (r[1] - r[0] + 1) + r[0]


def _range(x: int) -> Range:
    return x.r if isinstance(x, N) else (int(x), int(x))


COMPUTE: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__, "-": int.__sub__, "*": int.__mul__, "&": int.__and__, "|": int.__or__, "^": int.__xor__,
    "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b, "//": lambda a, b: a // b if b else 0,
    "%": lambda a, b: a % b if b else a,
}
METHODS = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
           "floordiv": "//", "mod": "%"}


def compute(word: str, a: int, b: int) -> N:
    type = result_type(word, _range(a), _range(b))
    if type is None:
        raise Mixed(f"{a!r} {word} {b!r}")
    return N(wrap(COMPUTE[word](int(a), int(b)), type), type)


for _name, _word in METHODS.items():
    setattr(N, f"__{_name}__", lambda a, b, word=_word: compute(word, a, b))
    setattr(N, f"__r{_name}__", lambda a, b, word=_word: compute(word, b, a))
