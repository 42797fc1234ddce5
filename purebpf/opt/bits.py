"""What a value's computation alone says of its bits: `Bits.may(v)` is the mask of bits that may be 1.

Asked for by rules that drop masks and extensions. Values must not change while a `Bits` is in use. `Bits(kernel=True)`
says only what the kernel's verifier knows too: what may take the place of a test that bounds an index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..ir.function import Const, Op, Param, Value
from ..ir.ops import M32, M64, TABLE, Limit, Mem
from ..order import reverse

_DEPTH: Final = 8  # how far up operands are followed


def fill(n: int) -> int:
    """The smallest 2**k - 1 that is at least `n`: the bits that numbers up to `n` may have."""
    return (1 << n.bit_length()) - 1


class Bits:
    """Memoises. `known` gives masks of parameters (see `narrow`), and masks that hold by other knowledge."""

    def __init__(self, known: dict[Value, int] | None = None, *, kernel: bool = False) -> None:
        self._kernel = kernel
        self._memo: dict[Value, int] = known if known is not None else {}

    def may(self, v: Value, depth: int = 0) -> int:
        """The bits of `v` that may be 1, as an unsigned 64-bit mask; also an upper bound of `v` read unsigned."""
        if isinstance(v, Const):
            return v.value & M64
        mask = self._memo.get(v)
        if mask is not None:
            return mask
        if isinstance(v, Param) or depth > _DEPTH:
            return M64
        assert isinstance(v, Op)
        mask = self._op(v, depth + 1)
        self._memo[v] = mask
        return mask

    def fits(self, v: Value, mask: int) -> bool:
        """Whether `v` has no bits outside `mask`."""
        return not self.may(v) & ~mask

    def _op(self, op: Op, depth: int) -> int:
        if self._kernel and obscure(op):
            return M64
        rule = _RULES.get(op.row.name)
        if rule is not None:
            return rule(self, op, depth) & M64
        if op.row.name.endswith("32") and op.row.evaluate is not None and op.row.name != "sext32":
            wide = _RULES.get(op.row.name[:-2])
            narrow = wide(self, op, depth) & M32 if wide and op.row.name not in _NOT_WIDE else M32
            return narrow
        return M64


# What gives the verifier a number of which it knows nothing: division and remainder (until 6.19, and of constants only
# there), byte swaps, sign extension (by shifts before cpu v4).
_OBSCURE: Final = frozenset(TABLE[n] for n in (
    "udiv", "umod", "sdiv", "smod", "udiv32", "umod32", "sdiv32", "smod32", "bswap16", "bswap32", "bswap64", "neg", "neg32",
    "sext8", "sext16", "sext32"))
_SHIFTS: Final = frozenset(TABLE[n] for n in ("shl", "shr", "sar", "shl32", "shr32", "sar32"))  # by what is not constant


def obscure(op: Op) -> bool:
    """Whether the verifier knows nothing of the result."""
    return op.row in _OBSCURE or op.row in _SHIFTS and not isinstance(op.args[1], Const)


# Where the 32-bit form's result is no part of the wide form's.
_NOT_WIDE: Final = frozenset(("shr32", "sar32", "udiv32", "umod32", "sdiv32", "smod32", "shl32", "neg32"))

Rule = Callable[[Bits, Op, int], int]


def _both(f: Callable[[int, int], int]) -> Rule:
    return lambda b, op, d: f(b.may(op.args[0], d), b.may(op.args[1], d))


def _shl(b: Bits, op: Op, d: int) -> int:
    match op.args[1]:
        case Const(c):
            return b.may(op.args[0], d) << (c & 63)
    return M64


def _shr(b: Bits, op: Op, d: int) -> int:
    mask = b.may(op.args[0], d)
    match op.args[1]:
        case Const(c):
            return mask >> (c & 63)
    return fill(mask)


def _sar(b: Bits, op: Op, d: int) -> int:
    return _shr(b, op, d) if not b.may(op.args[0], d) >> 63 else M64


def _shl32(b: Bits, op: Op, d: int) -> int:
    match op.args[1]:
        case Const(c):
            return (b.may(op.args[0], d) << (c & 31)) & M32
    return M32


def _shr32(b: Bits, op: Op, d: int) -> int:
    mask = b.may(op.args[0], d) & M32
    match op.args[1]:
        case Const(c):
            return mask >> (c & 31)
    return fill(mask)


def _add(a: int, b: int) -> int:
    return a | b if not a & b else fill(a + b)


def _div(b: Bits, op: Op, d: int) -> int:
    mask = fill(b.may(op.args[0], d))
    match op.args[1]:
        case Const(c) if c > 0:
            return fill(mask // c)
    return mask


def _mod(b: Bits, op: Op, d: int) -> int:
    mask = fill(b.may(op.args[0], d))
    match op.args[1]:
        case Const(c) if c > 0:
            return min(mask, fill(c - 1))
    return mask


def _low32(rule: Rule) -> Rule:
    """For a division in 32 bits: right if both operands fit, else 32 bits of anything."""
    return lambda b, op, d: rule(b, op, d) if not (b.may(op.args[0], d) | b.may(op.args[1], d)) >> 32 else M32


def _sext(bits: int) -> Rule:
    def rule(b: Bits, op: Op, d: int) -> int:
        mask = b.may(op.args[0], d) & ((1 << bits) - 1)
        return mask if not mask >> (bits - 1) else mask | (M64 << bits & M64)
    return rule


def _bswap(size: int) -> Rule:
    return lambda b, op, d: reverse(b.may(op.args[0], d), size)


def _load(b: Bits, op: Op, d: int) -> int:
    assert isinstance(op.attr, Mem)
    return M64 if op.attr.sext else (1 << 8 * op.attr.size) - 1


def _below(b: Bits, op: Op, d: int) -> int:
    assert isinstance(op.attr, Limit)
    return b.may(op.args[0], d) & fill(op.attr.limit - 1)


def _one(b: Bits, op: Op, d: int) -> int:
    return 1


_RULES: Final[dict[str, Rule]] = {
    "and": _both(lambda a, b: a & b),
    "or": _both(lambda a, b: a | b),
    "xor": _both(lambda a, b: a | b),
    "add": _both(_add),
    "mul": _both(lambda a, b: fill(fill(a) * fill(b))),
    "shl": _shl, "shr": _shr, "sar": _sar, "shl32": _shl32, "shr32": _shr32,
    "udiv": _div, "umod": _mod, "udiv32": _low32(_div), "umod32": _low32(_mod),
    "sext8": _sext(8), "sext16": _sext(16), "sext32": _sext(32),
    "bswap16": _bswap(2), "bswap32": _bswap(4), "bswap64": _bswap(8),
    "load": _load, "below": _below,
    "select": lambda b, op, d: b.may(op.args[1], d) | b.may(op.args[2], d),
    **{f"{c}{s}": _one for s in ("", "32") for c in ("eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge")},
}
