"""The control flow of machine code: basic blocks, and the graph as DOT text for Graphviz."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from .insn import Insn
from .opcodes import CALL, EXIT, JA, JCOND, JMP, JMP32
from .text import branch_target


class Block(NamedTuple):
    """Instructions `first` up to `end` (indexes); `next` are (index of a block, "jump", "taken", "not taken" or "")."""

    first: int
    end: int
    next: tuple[tuple[int, str], ...]


def slots_of(insns: Sequence[Insn]) -> list[int]:
    """The slot of every instruction, and the number of slots."""
    out = [0]
    for insn in insns:
        out.append(out[-1] + insn.slots)
    return out


def ends_block(insn: Insn) -> bool:
    """Whether control may go elsewhere than to the next instruction (calls come back)."""
    return insn.code & 7 in (JMP, JMP32) and insn.code & 0xF0 != CALL


def falls_through(insn: Insn) -> bool:
    """Whether the next instruction may follow."""
    return not (insn.code & 7 in (JMP, JMP32) and insn.code & 0xF0 in (JA, EXIT) and insn.code not in (0x0E, 0x96, 0x9E))


def blocks(insns: Sequence[Insn]) -> list[Block]:
    """The basic blocks in program order. Jumps out of the code, or into the middle of an ld_imm64, have no edge."""
    slots = slots_of(insns)
    index = {slot: n for n, slot in enumerate(slots)}
    goals: dict[int, int] = {}
    leaders = {0}
    for n, insn in enumerate(insns):
        if not ends_block(insn):
            continue
        leaders.add(n + 1)
        goal = branch_target(insn, slots[n])
        if goal is not None and goal in index and index[goal] < len(insns):
            goals[n] = index[goal]
            leaders.add(index[goal])
    order = sorted(n for n in leaders if n < len(insns))
    number = {first: n for n, first in enumerate(order)}
    out = []
    for first, end in zip(order, [*order[1:], len(insns)]):
        last = insns[end - 1]
        conditional = ends_block(last) and falls_through(last) and end - 1 in goals
        edges = []
        if falls_through(last) and end < len(insns):
            edges.append((number[end], "not taken" if conditional and last.code & 0xF0 != JCOND else ""))
        if end - 1 in goals:
            edges.append((number[goals[end - 1]], "taken" if conditional else "jump"))
        out.append(Block(first, end, tuple(edges)))
    return out


_COLOURS = {"taken": "darkgreen", "not taken": "firebrick", "jump": "black", "": "black"}


def dot(functions: Sequence[tuple[str, Sequence[Insn], Sequence[str]]]) -> str:
    """The graphs of functions (name, instructions, their texts) as one DOT file, a cluster each."""
    out = ["digraph cfg {", '  node [shape=box, fontname="monospace", fontsize=10];', "  edge [fontsize=9];"]
    for number, (name, insns, texts) in enumerate(functions):
        out += [f"  subgraph cluster_{number} {{", f"    label={_quote(name)};"]
        slots = slots_of(insns)
        graph = blocks(insns)
        for n, block in enumerate(graph):
            body = "".join(f"{slots[i]:>4}: {texts[i]}\n" for i in range(block.first, block.end))
            out.append(f"    f{number}_{n} [label={_quote(body, left=True)}];")
        for n, block in enumerate(graph):
            for goal, kind in block.next:
                label = f", label={_quote(kind)}" if kind in ("taken", "not taken") else ""
                out.append(f"    f{number}_{n} -> f{number}_{goal} [color={_COLOURS[kind]}{label}];")
        out.append("  }")
    return "\n".join([*out, "}"]) + "\n"


def _quote(text: str, left: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\l" if left else "\\n") + '"'
