"""Loops that ask an iterator over numbers in every round: how kernels from 6.4 on let a loop go round for long."""

from __future__ import annotations

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, Field, FuncType, PtrType, StructType
from ..tree import nodes as n
from ..tree.kinds import Int, Kind, Ptr
from .flow import Join
from .function import ROUNDS, Lowering

I32 = TYPES["i32"]
NUMBERS = PtrType(StructType("bpf_iter_num", (Field("__opaque", ArrayType(TYPES["u64"], 1), 0),), 8, 8))
NEW, NEXT, DESTROY = (FuncType((("it", NUMBERS), *more), ret) for more, ret in (
    ((("start", I32), ("end", I32)), I32), ((), PtrType(I32)), ((), None)))  # bpf_iter_num_new, …_next, …_destroy


def loop(f: Lowering, node: n.Loop) -> None:
    """A loop that asks an iterator over numbers in every round: the verifier follows until nothing new shows."""
    span = node.span
    state = n.SlotPlace(span, Ptr(ArrayType(TYPES["u64"], 1), "stack"), n.Slot("rounds", ArrayType(TYPES["u64"], 1)))
    ints = Int.of(I32)

    def call(name: str, proto: FuncType, kind: Kind, *args: n.Expr) -> n.Expr:
        return n.Kfunc(span, kind, f"bpf_iter_num_{name}", (state, *args), proto)

    def grant(go_on: Join) -> None:
        element = f.word(call("next", NEXT, Ptr(I32, "mem", null=True)))
        f.flow.branch(f.b.op("ne", element, 0), go_on, f.abort_join())

    end: list[n.Stmt] = [n.Eval(span, call("destroy", DESTROY, ints))]
    f.word(call("new", NEW, ints, n.Number(span, 0), n.Number(span, ROUNDS)))
    scope = n.Scope(span, [], list(end), list(end))
    f.scopes.append(scope)
    f.loop(node, grant)
    f.scopes.pop()
    f.body(scope.close)
