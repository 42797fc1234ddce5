"""`for x in bpf.iter.NAME(…)`: the loop. Three kernel functions each: `_new` fills a place in the frame, `_next` gives an
element or None, `_destroy` must follow, whichever way the loop is left."""

from __future__ import annotations

import ast

from ..dsl.ints import TYPES
from ..dsl.kernel import KernelFunction
from ..dsl.layout import ArrayType, PtrType, StructType
from ..tree.kinds import I64, Int, Ptr
from ..tree.nodes import Cast, Eval, Expr, Get, Load, Local, Loop, Scope, Seq, Set, SlotPlace
from . import arith, kfuncs, memory, rounds, sections, stmts, trust
from .context import Checker
from .iterators import Iteration

LONGEST = 16  # words that the state of an iterator may take on the stack


def loop(c: Checker, node: ast.For, over: Iteration) -> None:
    """The loop."""
    new, following, destroy = (kfuncs.signature(c, KernelFunction(f"bpf_iter_{over.name}_{step}"), over.node)
                               for step in ("new", "next", "destroy"))
    if "in_rcu" in new.row.flags and not trust.protected(c):
        sections.hold(c, "rcu", node, lambda: _loop(c, node, over, new, following, destroy))
    else:
        _loop(c, node, over, new, following, destroy)


def _loop(c: Checker, node: ast.For, over: Iteration, new: kfuncs.Signature, following: kfuncs.Signature, destroy: kfuncs.Signature) -> None:
    span = c.span(node)
    state = _state(c, new, node)
    c.emit(Eval(span, kfuncs.emit(c, new, (state, *over.args), over.node)))

    def check(this: rounds.Round) -> None:
        loop = this.target.loop
        assert isinstance(loop, Loop) and c.env is not None
        c.at(node)
        element = kfuncs.emit(c, following, (state,), over.node)
        assert isinstance(element.kind, Ptr)
        kind = element.kind._replace(trust="rcu" if "in_rcu" in new.row.flags else "trusted")
        local = Local("element", (kind.region,))
        element.kind = kind
        got = Get(span, kind, local)
        loop.test = Seq(span, [Set(span, local, element)], memory.present(c, got))
        this.over = (dict(c.env), c.held)

        def body() -> None:
            there: Expr = Cast(span, kind._replace(null=False), got)
            if not isinstance(kind.target, StructType):
                there = _number(over, memory.load(c, memory.deref(c, there, node), node))
            stmts.assign(c, node.target, there)
            stmts.body(c, node.body)

        rounds._loop_body(c, this, (dict(c.env), c.held), body)

    def inside() -> None:
        this, _ = rounds.settle(c, lambda: Loop(span), check, node)
        made = this.target.loop
        assert isinstance(made, Loop)
        c.emit(made)
        rounds._finish(c, this, node.orelse, made.orelse, node)

    body, path = c.fork(dict(c.env or {}), c.held, inside)
    end = [Eval(span, kfuncs.emit(c, destroy, (state,), over.node))]
    c.emit(Scope(span, body, list(end), list(end)))
    c.env, c.held = (dict(path.env), path.held) if path is not None else (None, frozenset())


def _number(over: Iteration, value: Expr) -> Expr:
    """An element that is a number. Those of `num` lie between its bounds, which is for us to know, not for the verifier."""
    if over.name == "num" and isinstance(value, Load):
        lo, hi = (arith.kind_of(a) for a in over.args)
        value.kind = Int(I64, min(lo.lo, hi.hi - 1), max(hi.hi - 1, lo.lo))
    return value


def _state(c: Checker, new: kfuncs.Signature, node: ast.AST) -> SlotPlace:
    """Where the iterator stands: memory of the frame, of the size that this kernel says."""
    first = new.proto.params[0][1]
    layout = first.target if isinstance(first, PtrType) else None
    words = layout.size // 8 if layout is not None else 0
    if not 0 < words <= LONGEST:
        raise c.error("unsupported", f"an iterator of {words * 8} bytes", node)
    return c.slot(ArrayType(TYPES["u64"], words), "it")

