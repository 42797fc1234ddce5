"""The tree of one object to IR: every function once, with the object's types, maps and data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..dsl.globals import Variable
from ..dsl.ints import TYPES
from ..dsl.layout import Layout
from ..dsl.maps import Map
from ..ir.function import Function, Module, Param
from ..ir.types import I64, MAYBE, PTR, Type
from ..order import HOST, Order
from ..spec import MapSpec
from ..tree import nodes as n
from ..tree.kinds import Int, Kind, Optional, Ptr, Tuple, rep
from .data import Data, Types, contents, map_spec
from .function import Lowering

NULLABLE = ("value", "mem", "kernel", "map", "sock", "arg")


class Lowered:
    """What `lower` gives: the IR module, and the object's types, maps and data. `form`: of loops that want to be granted
    their rounds ("granted", "numbered" or "called"); `order`: of bytes, on the machine that it is for."""

    def __init__(self, maps: Sequence[tuple[str, Map]], form: str = "granted", order: Order = HOST) -> None:
        self.form, self.order = form, order
        self.module = Module()
        self.types = Types(order)
        self.data = Data(self.types)
        self.u64, self.i64 = TYPES["u64"], TYPES["i64"]
        self.names: dict[n.Function, str] = {}
        self._maps = {id(map): (name, map) for name, map in maps}
        self._functions: dict[n.Function, Function] = {}

    # --- names

    def free_name(self, name: str) -> str:
        """A name that no function of the object has."""
        name = re.sub(r"\W", "_", name, flags=re.ASCII) if not name.isidentifier() or not name.isascii() else name
        taken = self.module.functions
        found, i = name, 1
        while found in taken:
            i += 1
            found = f"{name}_{i}"
        return found

    def map_name(self, map: Map) -> str:
        return self._maps[id(map)][0]

    def map_specs(self, programs: Mapping[Any, str]) -> dict[str, MapSpec]:
        """The maps, with what they begin with; `programs`: the names that programs have in the object."""
        names = {**programs, **{map: name for name, map in self._maps.values()}}
        return {name: map_spec(self.types, map, name)._replace(contents=contents(map, names, self.order)) for name, map in self._maps.values()}

    # --- functions

    def add(self, fn: Function) -> None:
        self.module.functions[fn.name] = fn

    def program(self, tree: n.Function) -> str:
        """Lower an entry program; gives its name in the object."""
        return self.function(tree).name

    def function(self, tree: n.Function) -> Function:
        """The IR function of a function of the tree, lowered at first sight."""
        fn = self._functions.get(tree)
        if fn is not None:
            return fn
        name = self.free_name("lambda" if tree.name == "<lambda>" else tree.name)
        entry = tree.role == "program"
        alone = tree.role in ("global", "callback")
        results = [I64] if entry or alone else _types(tree.result, sure=False)
        results += [PTR["packet"] for _ in tree.cursors]
        fn = Function(name, results, inline=_inline(tree), static=tree.role not in ("program", "global"),
                      default=tree.default if entry or tree.role == "callback" else None, order=self.order, span=tree.span)
        self._functions[tree], self.names[tree] = fn, name
        self.module.functions[name] = fn
        f = Lowering(self, fn, tree)
        f.at(tree.span)
        entry_block = f.b.place(f.b.new_block("entry"))
        for local in tree.params:
            params = [Param(_param_type(region, tree.role), local.name) for region in local.rep]
            entry_block.params += params
            f.flow.env[local] = tuple(params)
        f.run()
        fn.btf_id = self.types.func(name, self._btf_params(tree), tree.returns or _btf_result(tree.result), int(not fn.static))
        self.module.functions[name] = self.module.functions.pop(name)  # callees first, as they are called
        return fn

    def _btf_params(self, tree: n.Function) -> list[tuple[str, Layout | None]]:
        if tree.types:
            return tree.types
        return [(local.name.strip("$") or "arg", None if word != "i64" else self.u64) for local in tree.params for word in local.rep]


def _btf_result(kind: Kind) -> Layout | None:
    return kind.type if isinstance(kind, Int) else TYPES["i64"]


def _param_type(region: str, role: str) -> Type:
    if region == "i64":
        return I64
    return MAYBE[region] if region in NULLABLE and role != "callback" else PTR[region]


def _types(kind: Kind, sure: bool) -> list[Type]:
    return [I64 if word == "i64" else MAYBE[word] if word in NULLABLE else PTR[word] for word in rep(kind)]


def _inline(tree: n.Function) -> str:
    """May it become a call? Whether a packet pointer may be used is something that no call can pass along with it."""
    if tree.role != "plain":
        return "never"
    through = any(len(local.rep) > 1 and "packet" in local.rep for local in tree.params)
    return "must" if through or _maybe_packet(tree.result) else "auto"


def _maybe_packet(kind: Kind) -> bool:
    match kind:
        case Optional(some=some):
            return isinstance(some, Ptr) and some.region.startswith("packet") or _maybe_packet(some)
        case Tuple(items=items):
            return any(map(_maybe_packet, items))
        case _:
            return False


__all__ = ["Any", "Lowered", "Variable"]
