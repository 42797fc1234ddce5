"""Folded stacks, "main;outer;inner 12" a line, as a flame graph: an SVG that needs nothing but a browser.

A frame is as wide as the share of the samples in which it, called the way that is below it, was on the stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from zlib import crc32

_ROW, _WIDE, _MARGIN = 17, 1200, 10
_CHARACTER = 7.2  # of the font, in pixels


class _Frame:
    __slots__ = ("name", "count", "callees")

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.callees: dict[str, _Frame] = {}

    def depth(self) -> int:
        deepest, todo = 0, [(self, 1)]
        while todo:
            frame, depth = todo.pop()
            deepest = max(deepest, depth)
            todo += [(one, depth + 1) for one in frame.callees.values()]
        return deepest


def _tree(folded: str) -> _Frame:
    root = _Frame("all")
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        if not stack or not count.isdigit():
            raise ValueError(f"{line!r} is no folded stack: frames with ; between them, a space, how often it was seen")
        here = root
        here.count += int(count)
        for name in stack.split(";"):
            here = here.callees.setdefault(name, _Frame(name))
            here.count += int(count)
    return root


def flame_graph(folded: str, title: str = "", *, least: float = 0.1) -> str:
    """The SVG of folded stacks, the outermost frames at the bottom. Frames narrower than `least` pixels are left out; the
    full name and count of one show when the mouse is over it. ValueError for text that is no folded stacks."""
    root = _tree(folded)
    height = _ROW * (root.depth() + 2) + _MARGIN
    scale = (_WIDE - 2 * _MARGIN) / max(1, root.count)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE}" height="{height}" font-family="monospace" font-size="12">',
             f'<text x="{_WIDE // 2}" y="{_ROW}" text-anchor="middle" font-weight="bold">{escape(title)}</text>']
    todo = [(root, float(_MARGIN), 1)]
    while todo:
        frame, left, depth = todo.pop()
        if frame.count * scale < least:
            continue
        lines += _drawn(frame, left, height - _ROW * depth - _MARGIN, frame.count * scale, root.count)
        for one in frame.callees.values():
            todo.append((one, left, depth + 1))
            left += one.count * scale
    return "\n".join([*lines, "</svg>"]) + "\n"


def _drawn(frame: _Frame, x: float, y: float, width: float, whole: int) -> Iterator[str]:
    name, tint = escape(frame.name), crc32(frame.name.encode()) % 80
    yield (f'<g><title>{name}: {frame.count} of {whole} samples, {100 * frame.count / max(1, whole):.2f} %</title>'
           f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" fill="rgb({205 + tint // 2},{90 + tint},60)" rx="2"/>')
    room = int((width - 6) / _CHARACTER)
    if room >= 3:
        text = frame.name if len(frame.name) <= room else frame.name[:room - 1] + "…"
        yield f'<text x="{x + 3:.1f}" y="{y + _ROW - 5}">{escape(text)}</text>'
    yield "</g>"
