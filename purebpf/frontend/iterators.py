"""`bpf.iter.NAME(…)`: the kernel's open-coded iterators, whichever it has, as values that a `for` goes through."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..dsl.hooks import Iterator
from ..dsl.kernel import KernelFunction
from ..dsl.layout import PtrType
from ..tree.kinds import Ptr
from ..tree.nodes import Expr, Lit, Number
from . import kfuncs
from .context import Checker
from .names import near
from .rows import in_order

class Iteration:
    """An iterator with its arguments, as a value: what `for` goes through."""

    __slots__ = ("name", "args", "node")

    def __init__(self, name: str, args: Sequence[Expr], node: ast.Call) -> None:
        self.name, self.args, self.node = name, tuple(args), node

    @property
    def __name__(self) -> str:
        return f"an iterator ({self.name})"


def begin(c: Checker, word: Iterator, node: ast.Call) -> Expr:
    """`bpf.iter.NAME(…)`: checked and evaluated here, begun by the loop."""
    name = word.name
    known = c.unit.kernel.function(f"bpf_iter_{name}_new")
    if known is None and c.unit.kernel.types is not None:
        names = [f.removeprefix("bpf_iter_").removesuffix("_new") for f in c.unit.kernel.functions("bpf_iter_") if f.endswith("_new")]
        raise c.error("kernel-function", f"the kernel has no iterator {name!r}", node.func,
                      help=near(name, names) or f"it has {', '.join(sorted(names))}")
    new = kfuncs.signature(c, KernelFunction(f"bpf_iter_{name}_new"), node.func)
    wanted = new.proto.params[1:]
    nodes = in_order(c, f"iter.{name}", [kfuncs.bare(n) for n, _ in wanted], node, new.text)
    if name == "num" and len(nodes) == 1:  # as range() has it
        args: list[Expr] = [Number(c.span(node), 0)]
        wanted_now = wanted[1:]
    else:
        args, wanted_now = [], wanted
    if len(nodes) > len(wanted_now):
        raise c.error("arguments", f"iter.{name}() takes {len(wanted)} argument{'s' * (len(wanted) != 1)}, {len(nodes)} given", node)
    for (param, layout), arg in zip(wanted_now, nodes):
        args.append(c.hold(kfuncs.argument(c, new, param, layout, False, arg), "$arg"))
    for param, layout in wanted_now[len(nodes):]:
        if isinstance(layout, PtrType) and kfuncs.suffix(param) not in ("nullable", "opt", "ign"):
            raise c.error("arguments", f"iter.{name}() needs {kfuncs.bare(param)!r}, a {layout.name}", node, help=new.text)
        args.append(Number(c.span(node), _words(args) if param == "nr_words" else 0))
    return Lit(c.span(node), Iteration(name, args, node))


def _words(args: Sequence[Expr]) -> int:
    """How many words the array before has."""
    kind = args[-1].kind if args else None
    return kind.target.size // 8 if isinstance(kind, Ptr) and kind.target is not None else 0
