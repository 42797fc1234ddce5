"""Orders and dominators of any flow graph: of IR blocks (`cfg`) and of machine blocks (codegen)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

N = TypeVar("N")


def reverse_postorder(entry: N, successors: Callable[[N], Iterable[N]]) -> list[N]:
    """The reachable nodes, each before those it dominates; the first successor comes first where it can."""
    seen = {entry}
    order: list[N] = []
    stack: list[tuple[N, Iterator[N]]] = [(entry, reversed(list(successors(entry))))]
    while stack:
        node, rest = stack[-1]
        for target in rest:
            if target not in seen:
                seen.add(target)
                stack.append((target, reversed(list(successors(target)))))
                break
        else:
            order.append(node)
            stack.pop()
    order.reverse()
    return order


def dominators(preds: list[list[int]]) -> list[int]:
    """Immediate dominators of nodes numbered in reverse postorder (node 0 is the entry, its own dominator), after
    Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001)."""
    idom = [-1] * len(preds)
    idom[0] = 0
    changed = True
    while changed:
        changed = False
        for i in range(1, len(preds)):
            new = common(idom, [p for p in preds[i] if idom[p] >= 0])
            if idom[i] != new:
                idom[i] = new
                changed = True
    return idom


def common(idom: list[int], nodes: list[int]) -> int:
    """The nearest node that dominates all of these. No node is passed twice, however many there are."""
    top = nodes[0]
    if len(nodes) == 2:
        other = nodes[1]
        while top != other:
            if top > other:
                top = idom[top]
            else:
                other = idom[other]
        return top
    below: set[int] = set()
    for node in nodes[1:]:
        while node != top and node not in below:
            if node > top:
                below.add(node)
                node = idom[node]
            else:
                below.add(top)
                top = idom[top]
    return top
