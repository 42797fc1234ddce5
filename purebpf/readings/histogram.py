"""Histograms that a program counted, as text, as SVG, and what they say of the numbers counted.

    print(k[latency].histogram())              slots are powers of two: slot n counts what has n bits (`x.bit_length()`)
    print(k[sizes].histogram(100))             slots are 100 wide: slot n counts n*100 … n*100 + 99
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from ..errors import FormatError

Scale = Literal["log2"] | int
_WIDTH = 40  # characters of the longest bar


class Bar(NamedTuple):
    """One slot: how many (`hits`) numbers from `low` to `high`, both included, were counted."""

    low: int
    high: int
    hits: int


class Histogram(Sequence[Bar]):
    """Counts by slot. `scale` "log2": slot 0 is 0, slot n the numbers of n bits; or the width of a slot."""

    def __init__(self, counts: Mapping[int, int] | Sequence[int], scale: Scale = "log2") -> None:
        if scale != "log2" and (not isinstance(scale, int) or scale < 1):
            raise FormatError(f"scale {scale!r}: 'log2', or the width of a slot")
        self.scale = scale
        pairs = counts.items() if isinstance(counts, Mapping) else enumerate(counts)
        self.counts = {slot: count for slot, count in sorted(pairs) if count}
        if scale == "log2" and any(slot < 0 for slot in self.counts):
            raise FormatError("a number cannot have fewer than 0 bits: slots count from 0")

    def bounds(self, slot: int) -> tuple[int, int]:
        """(lowest, highest) number of a slot."""
        if self.scale == "log2":
            return (1 << slot - 1, (1 << slot) - 1) if slot else (0, 0)
        return slot * self.scale, (slot + 1) * self.scale - 1

    @property
    def total(self) -> int:
        """How many numbers were counted."""
        return sum(self.counts.values())

    def percentile(self, percent: float) -> int:
        """The highest number of the slot in which the `percent`th of hundred numbers lies: an upper bound. ValueError for an
        empty histogram."""
        if not self.counts or not 0 <= percent <= 100:
            raise ValueError("no numbers were counted" if not self.counts else f"{percent} is no percentage")
        below = accumulate(self.counts.values())
        slot = next(slot for slot, seen in zip(self.counts, below) if seen >= self.total * percent / 100)
        return self.bounds(slot)[1]

    def _bars(self) -> Iterator[Bar]:
        if self.counts:
            for slot in range(min(self.counts), max(self.counts) + 1):
                yield Bar(*self.bounds(slot), self.counts.get(slot, 0))

    def __len__(self) -> int:
        return max(self.counts) - min(self.counts) + 1 if self.counts else 0

    def __getitem__(self, index: int | slice) -> Bar | list[Bar]:  # type: ignore[override]
        return list(self._bars())[index]

    def __iter__(self) -> Iterator[Bar]:
        return self._bars()

    def __str__(self) -> str:
        """A line a slot, the empty ones between others too."""
        bars = list(self._bars())
        most = max((bar.hits for bar in bars), default=0)
        names = [f"{bar.low} … {bar.high}" if bar.low != bar.high else f"{bar.low}" for bar in bars]
        wide, wide_count = max(map(len, names), default=0), len(str(most))
        return "\n".join(f"{name:>{wide}}  {bar.hits:>{wide_count}}  {'#' * -(-_WIDTH * bar.hits // most)}".rstrip()
                         for name, bar in zip(names, bars))

    def __repr__(self) -> str:
        return f"<Histogram of {self.total} numbers in {len(self.counts)} slots>"

    def svg(self, title: str = "") -> str:
        """A picture of it."""
        from html import escape

        bars, row, left, full = list(self._bars()), 20, 150, 400
        most = max((bar.hits for bar in bars), default=1)
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + full + 100}" height="{row * (len(bars) + 2)}" '
                 'font-family="monospace" font-size="12">',
                 f'<text x="10" y="{row}" font-weight="bold">{escape(title)}</text>']
        for n, bar in enumerate(bars, 1):
            text = f"{bar.low} … {bar.high}" if bar.low != bar.high else f"{bar.low}"
            lines += [f'<text x="{left - 10}" y="{row * n + 19}" text-anchor="end">{text}</text>',
                      f'<rect x="{left}" y="{row * n + 7}" width="{full * bar.hits / most:.1f}" height="{row - 5}" fill="#4878a8"/>',
                      f'<text x="{left + full * bar.hits / most + 6:.1f}" y="{row * n + 19}">{bar.hits}</text>']
        return "\n".join([*lines, "</svg>"]) + "\n"
