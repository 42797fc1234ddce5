"""SSA for variables that are written in several places: stack slots, values of blocks that were copied.

After Braun et al., "Simple and Efficient Construction of Static Single Assignment Form" (2013), for a graph that is
complete. Parameters are made where a variable is asked for; superfluous ones go with `cfgclean.drop_trivial_params`.
"""

from __future__ import annotations

from collections.abc import Hashable

from ..ir.function import Block, Const, Edge, Function, Param, Value
from ..ir.types import Type
from .cfgclean import incoming


class Variables:
    """`write` what variables hold at the end of blocks, then read (`at_start`, `at_end`), then `finish` once. A variable is
    any hashable. All blocks can be reached: on a cycle that cannot, reading would not end."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.into: dict[Block, list[tuple[Block, Edge]]] = incoming(fn)
        self._end: dict[tuple[Hashable, Block], Value] = {}
        self._start: dict[tuple[Hashable, Block], Value] = {}
        self._pending: list[tuple[Hashable, Block, Type, str]] = []

    def write(self, var: Hashable, block: Block, value: Value) -> None:
        """`value` is what `var` holds at the end of `block`."""
        self._end[var, block] = value

    def at_end(self, var: Hashable, block: Block, type: Type, name: str = "") -> Value:
        value = self._end.get((var, block))
        return self.at_start(var, block, type, name) if value is None else value

    def at_start(self, var: Hashable, block: Block, type: Type, name: str = "") -> Value:
        """What `var` holds when `block` begins: maybe a new parameter. Nothing written means 0."""
        path: list[Block] = []
        while True:
            found = self._end.get((var, block)) if path else None
            if found is None:
                found = self._start.get((var, block))
            if found is not None:
                break
            path.append(block)
            preds = self.into[block]
            if block is self.fn.entry or not preds:
                found = Const(0)
                break
            if len(preds) > 1:
                found = Param(type, name)
                block.params.append(found)
                self._pending.append((var, block, type, name))
                break
            block = preds[0][0]
        for b in path:
            self._start[var, b] = found
        return found

    def finish(self) -> None:
        """Give every new parameter its arguments."""
        while self._pending:
            pending, self._pending = self._pending, []
            for var, block, type, name in pending:
                for pred, edge in self.into[block]:
                    edge.args.append(self.at_end(var, pred, type, name))
