"""Register allocation by graph colouring, after Chaitin, Briggs and George.

    liveness -> interference graph -> coalesce copies -> colour -> (spill what got no colour, again) -> rewrite

The ten registers R0-R9 are nodes of the graph themselves: a value that lives across a call meets R0-R5 there and so ends up
in R6-R9; a copy to or from a call's registers is coalesced like any other. Copies are first all coalesced that can be; only if the
result finds no colours, again conservatively, which never makes a colourable graph uncolourable. Choice of colour prefers what a copy wants, then the registers that calls destroy.
Knows mach, not ir.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace

from ..errors import InternalError
from ..isa.insn import FP
from .liveness import live_out
from .mach import COLOURS, DST_DEF, DST_USE, FIRST_VIRTUAL, NOWHERE, SRC_DEF, SRC_USE, MBlock, MFunc, MInsn, bits
from .remat import price, weight
from .spill import spill

CROWD = 64  # neighbours from which it pays to look which side of a copy has fewer
ROUNDS = 40
HOPELESS = 8  # after so many registers without a colour, bold coalescing is not tried in the next round
FOREVER = 1e30  # the cost of spilling what a spill has made
# which register to take when no copy wants one: R0 least wanted by arguments, then the last arguments, then those kept
PREFERENCE = (0, 5, 4, 3, 2, 1, 6, 7, 8, 9)


class Graph:
    """Interference of registers 0..n-1 (machine registers included). `alias` leads to the register a coalesced one became;
    `moves` are (weight, dst, src). `degree`: neighbours of each; a machine register has as many as can be."""

    __slots__ = ("adj", "alias", "cost", "moves", "degree")

    def __init__(self, n: int) -> None:
        self.adj: list[set[int]] = [set() for _ in range(n)]
        self.alias = list(range(n))
        self.cost = [0.0] * n
        self.moves: list[tuple[float, int, int]] = []
        self.degree: list[int] = []

    def copy(self) -> Graph:
        """As it was built, before coalescing."""
        twin = Graph(0)
        twin.adj, twin.alias, twin.cost, twin.moves = [set(met) for met in self.adj], self.alias[:], self.cost[:], self.moves[:]
        return twin

    def find(self, reg: int) -> int:
        alias = self.alias
        while (up := alias[reg]) != reg:
            alias[reg] = reg = alias[up]
        return reg


def allocate(mf: MFunc) -> None:
    """Replace every virtual register of `mf` (numbered, pool placed) by a machine register, adding spill code as needed.

    A copy whose two sides got the same register stays, with both operands `NOWHERE` or equal, until emission: the checker
    wants to see it."""
    temps: set[int] = set()
    failed: list[int] = []
    outs = live_out(mf)
    for _ in range(ROUNDS):
        built = _build(mf, temps, outs)
        for careful in (False, True) if len(failed) < HOPELESS else (True,):
            graph = built if careful else built.copy()
            _coalesce(graph, mf, careful)
            colours, failed = _colour(graph)
            if not failed:
                return _rewrite(mf, graph, colours)
        groups: dict[int, list[int]] = {reg: [] for reg in failed}
        for reg in range(FIRST_VIRTUAL, len(graph.alias)):
            root = graph.find(reg)
            if root in groups:
                groups[root].append(reg)
        spill(mf, temps, list(groups.values()))
        spilled = {reg for members in groups.values() for reg in members}
        for live in outs:  # what comes in their place lives within a block
            live -= spilled
    raise InternalError("codegen.regalloc", f"{mf.name}: no allocation after {ROUNDS} rounds", mf.dump())


def _build(mf: MFunc, temps: set[int], outs: list[set[int]]) -> Graph:
    """The interference graph: a register written meets all that are alive behind the instruction, but not the source of
    the copy that it is. `outs`: the registers alive at the end of each block."""
    graph = Graph(mf.registers)
    for block in mf.blocks:
        live = _scan(graph, block, set(outs[block.index]))
        if block.index == 0:
            for reg in live:
                graph.adj[reg] |= live
    _symmetric(graph.adj)
    for reg, template in mf.pool.items():
        graph.cost[reg] *= weight(template) * 0.5
    for reg in temps:
        graph.cost[reg] = FOREVER
    return graph


def _scan(graph: Graph, block: MBlock, live: set[int]) -> set[int]:
    """Add a block's instructions, backwards; the registers alive at its start."""
    adj, cost, unit = graph.adj, graph.cost, price(block)
    for insn in reversed(block.insns):
        dst, src, shape = insn.dst, insn.src, insn.shape
        if dst == NOWHERE:
            continue
        if shape & DST_DEF:
            met = adj[dst]
            if insn.is_copy and src != FP:
                known = src in met
                met |= live
                if not known:
                    met.discard(src)
                if src != dst:
                    graph.moves.append((block.freq, dst, src))
            else:
                met |= live
            cost[dst] += unit
        if insn.clobbers or shape & SRC_DEF:
            _write_more(graph, insn, live, unit)
        elif shape & DST_DEF:
            live.discard(dst)
        if shape & DST_USE and dst != FP:
            live.add(dst)
            cost[dst] += unit
        if shape & SRC_USE and src != FP:
            live.add(src)
            cost[src] += unit
        if insn.uses:
            for reg in bits(insn.uses):
                live.add(reg)
                cost[reg] += unit
    return live


def _write_more(graph: Graph, insn: MInsn, live: set[int], unit: float) -> None:
    """What an instruction writes besides its destination; all that it writes meets."""
    more = bits(insn.clobbers) + ([insn.src] if insn.shape & SRC_DEF else [])
    written = {*more, insn.dst} if insn.shape & DST_DEF else set(more)
    for reg in more:
        graph.adj[reg] |= live
        graph.cost[reg] += unit
    for reg in written:
        graph.adj[reg] |= written
    live -= written


def _symmetric(adj: list[set[int]]) -> None:
    for reg in range(COLOURS):
        adj[reg].update(range(COLOURS))
    for reg, others in enumerate(adj):
        others.discard(reg)
        for other in others:
            adj[other].add(reg)


def _coalesce(graph: Graph, mf: MFunc, careful: bool) -> None:
    """Merge the two sides of copies, most frequent first: wherever they do not meet, or only where that is surely
    harmless (`careful`)."""
    graph.degree = [len(met) for met in graph.adj]
    graph.degree[:COLOURS] = [len(graph.adj)] * COLOURS
    graph.moves.sort(key=lambda m: -m[0])
    pending = [(d, s) for _, d, s in graph.moves if d not in mf.pool and s not in mf.pool]
    while pending:
        rest = []
        for d, s in pending:
            a, b = graph.find(d), graph.find(s)
            if a == b or b in graph.adj[a]:
                continue
            if b < COLOURS:
                a, b = b, a
            if not careful or _harmless(graph, a, b):
                _merge(graph, a, b)
            else:
                rest.append((d, s))
        if len(rest) == len(pending):
            break
        pending = rest


def _harmless(graph: Graph, a: int, b: int) -> bool:
    """Whether `b` may become `a`. George: every heavy neighbour of b already meets a. Briggs: fewer than ten heavy
    neighbours in all; one that meets both and has degree ten loses a neighbour, so it does not count."""
    one, two, degree = graph.adj[a], graph.adj[b], graph.degree
    only_two = sum(degree[reg] >= COLOURS for reg in two - one)
    if not only_two:
        return True
    if a < COLOURS:
        return False
    only_one = sum(degree[reg] >= COLOURS for reg in one - two)
    return not only_one or only_one + only_two + sum(degree[reg] > COLOURS for reg in one & two) < COLOURS


def _merge(graph: Graph, a: int, b: int) -> None:
    adj, degree = graph.adj, graph.degree
    if a >= COLOURS and len(adj[a]) < len(adj[b]) > CROWD:
        a, b = b, a  # the work is that of b's neighbours
    graph.alias[b] = a
    mine = adj[a]
    for reg in adj[b]:
        others = adj[reg]
        others.discard(b)
        if a in others:
            if reg >= COLOURS:
                degree[reg] -= 1
        else:
            others.add(a)
    mine |= adj[b]
    adj[b] = set()
    if a >= COLOURS:
        degree[a] = len(mine)
    one, two = graph.cost[a], graph.cost[b]
    if FOREVER in (one, two) and one != two and a >= COLOURS:
        graph.cost[a] = min(one, two)  # a long value does not become unspillable because a short one joins it
    else:
        graph.cost[a] = one + two


def _colour(graph: Graph) -> tuple[list[int], list[int]]:
    """(the colour of every root, the roots that got none)."""
    adj = graph.adj
    roots = [r for r in range(FIRST_VIRTUAL, len(adj)) if graph.alias[r] == r]
    wishes = _wishes(graph)
    colours = [-1] * len(adj)
    colours[:COLOURS] = range(COLOURS)
    failed = []
    for reg in reversed(_elimination_order(graph, roots)):
        taken = 0
        wanted = 0
        for other in adj[reg]:
            colour = colours[other]
            if colour >= 0:
                taken |= 1 << colour
            else:
                for wish in wishes.get(other, ()):
                    wanted |= 1 << colours[wish] if colours[wish] >= 0 else 0
        colour = _pick(reg, taken, wanted, wishes, colours)
        if colour < 0:
            failed.append(reg)
        else:
            colours[reg] = colour
    return colours, failed


def _wishes(graph: Graph) -> dict[int, list[int]]:
    """Roots that a copy still joins, the most frequent copies first."""
    out: dict[int, list[int]] = {}
    for _, d, s in graph.moves:
        a, b = graph.find(d), graph.find(s)
        if a != b and b not in graph.adj[a]:
            out.setdefault(a, []).append(b)
            out.setdefault(b, []).append(a)
    return out


def _pick(reg: int, taken: int, wanted: int, wishes: dict[int, list[int]], colours: list[int]) -> int:
    for other in wishes.get(reg, ()):
        colour = colours[other]
        if colour >= 0 and not taken >> colour & 1:
            return colour
    for mask in (taken | wanted, taken):
        for colour in PREFERENCE:
            if not mask >> colour & 1:
                return colour
    return -1


def _elimination_order(graph: Graph, roots: list[int]) -> list[int]:
    """Take nodes of low degree out first; when only heavy ones are left, the cheapest to spill per neighbour."""
    adj, cost = graph.adj, graph.cost
    degree = [len(met) for met in adj]
    left = set(roots)
    light = [reg for reg in reversed(roots) if degree[reg] < COLOURS]
    heavy = {reg for reg in roots if degree[reg] >= COLOURS}
    heap = [(cost[reg] / degree[reg], reg) for reg in heavy]
    heapify(heap)
    order = []
    while light or heavy:
        if light:
            reg = light.pop()
        else:
            price_then, reg = heap[0]
            if reg not in heavy:
                heappop(heap)
                continue
            price_now = cost[reg] / degree[reg]  # only ever rises, as neighbours go
            if price_now > price_then:
                heapreplace(heap, (price_now, reg))
                continue
            heappop(heap)
            heavy.discard(reg)
        order.append(reg)
        left.discard(reg)
        lighter = []
        for other in adj[reg]:
            if other in left:
                degree[other] -= 1
                if degree[other] == COLOURS - 1:
                    lighter.append(other)
        heavy.difference_update(lighter)
        light += sorted(lighter)
    return order


def _rewrite(mf: MFunc, graph: Graph, colours: list[int]) -> None:
    final = [colours[graph.find(r)] if r != FP else FP for r in range(len(graph.alias))]
    for block in mf.blocks:
        for insn in block.insns:
            if insn.dst != NOWHERE:
                insn.dst = final[insn.dst]
                insn.src = final[insn.src]
