"""Statements of the checked program, functions and modules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..dsl.layout import Layout
from ..errors import Span
from .kinds import NONE, Kind, rep
from .values import Expr, Local, Stmt


class Set(Stmt):
    """A variable gets a value of its representation."""

    __slots__ = ("local", "value")

    def __init__(self, span: Span, local: Local, value: Expr) -> None:
        assert rep(value.kind) == local.rep, f"{local.name}: {value.kind} in {local.rep}"
        self.span, self.local, self.value = span, local, value


class Eval(Stmt):
    """An expression for its effects."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span, self.value = span, value


class Store(Stmt):
    """`place = value`: the value first, then the place. A whole struct or array is copied, also where the two overlap."""

    __slots__ = ("place", "value")

    def __init__(self, span: Span, place: Expr, value: Expr) -> None:
        self.span, self.place, self.value = span, place, value


class AtomicOp(Stmt):
    """An atomic add, or, and, xor of a number to the 4 or 8 bytes at a place."""

    __slots__ = ("word", "place", "value")

    def __init__(self, span: Span, word: str, place: Expr, value: Expr) -> None:
        self.span, self.word, self.place, self.value = span, word, place, value


class If(Stmt):
    __slots__ = ("test", "body", "orelse")

    def __init__(self, span: Span, test: Expr, body: list[Stmt], orelse: list[Stmt]) -> None:
        self.span, self.test, self.body, self.orelse = span, test, body, orelse


class Loop(Stmt):
    """`test`, then `body`, then `step`, again; `orelse` once the test fails (None: never). `Break` goes behind `orelse`,
    `Continue` to `step`. `once`: the test holds the first time. `granted`: only as many rounds as the kernel grants
    (8 million), in the form that the object's kernel has; then the program is given up. `walked`: the body relies on the
    verifier's walking round by round. `carried`: variables that lead to different slots of the frame in different rounds.
    `ways`: the decisions that the verifier comes by on a way through the whole loop, or through a round that is granted."""

    __slots__ = ("test", "body", "step", "orelse", "once", "granted", "walked", "carried", "ways")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.test: Expr | None = None
        self.body: list[Stmt] = []
        self.step: list[Stmt] = []
        self.orelse: list[Stmt] = []
        self.once = self.granted = self.walked = False
        self.carried: list[Local] = []
        self.ways = 1


class Each(Stmt):
    """A loop whose rounds the kernel calls: `helper` bpf_loop (`args`: the number of rounds) or for_each_map_elem (the
    map). `params` are set anew in each round. Break, Continue and Return in `body` mean what they mean in a Loop."""

    __slots__ = ("helper", "args", "params", "body", "orelse", "carried")

    def __init__(self, span: Span, helper: str, args: Iterable[Expr], params: Iterable[Local]) -> None:
        self.span, self.helper, self.args, self.params = span, helper, tuple(args), tuple(params)
        self.body: list[Stmt] = []
        self.carried: list[Local] = []  # as of a Loop
        self.orelse: list[Stmt] = []


class Block(Stmt):
    """Statements that Break can leave: an unrolled loop, or a function's body in its caller's place."""

    __slots__ = ("body",)

    def __init__(self, span: Span) -> None:
        self.span = span
        self.body: list[Stmt] = []


class Break(Stmt):
    """Behind `loop`. What stands in `moves` happens first."""

    __slots__ = ("loop", "moves")

    def __init__(self, span: Span, loop: Loop | Each | Block) -> None:
        self.span, self.loop = span, loop
        self.moves: list[Stmt] = []


class Continue(Stmt):
    """To the loop's next round. What stands in `moves` happens first."""

    __slots__ = ("loop", "moves")

    def __init__(self, span: Span, loop: Loop | Each) -> None:
        self.span, self.loop = span, loop
        self.moves: list[Stmt] = []


class Return(Stmt):
    """The function's answer, of kind `Function.result` once that is known, and where its cursors are."""

    __slots__ = ("value", "cursors")

    def __init__(self, span: Span, value: Expr) -> None:
        self.span, self.value = span, value
        self.cursors: tuple[Expr, ...] = ()


class Guard(Stmt):
    """Goes on if the condition is not 0; else the whole program ends with its default answer."""

    __slots__ = ("test",)

    def __init__(self, span: Span, test: Expr) -> None:
        self.span, self.test = span, test


class Scope(Stmt):
    """`body`, and whichever way it is left `close` (`discard` when the program is given up)."""

    __slots__ = ("body", "close", "discard")

    def __init__(self, span: Span, body: list[Stmt], close: list[Stmt], discard: list[Stmt]) -> None:
        self.span, self.body, self.close, self.discard = span, body, close, discard


# --- functions -------------------------------------------------------------------------------------------------------


class Function:
    """One function to be lowered. `params`: its variables in order; `cursors`: those of them that it gives back moved.
    `result`: the kind of its answer. `role`: "program", "subprogram" (a BPF function), "global", "callback" (the
    kernel calls it), or "plain" (inlined as the optimiser likes). `default`: a program's answer when it is given up. `aborts`: it may give the program up.
    `types`: the parameters as BTF has them, (name, layout or None for an untyped pointer)."""

    __slots__ = ("name", "span", "role", "params", "cursors", "result", "body", "default", "aborts", "types", "returns")

    def __init__(self, name: str, span: Span, role: str) -> None:
        self.name, self.span, self.role = name, span, role
        self.params: list[Local] = []
        self.cursors: list[Local] = []
        self.result: Kind = NONE
        self.body: list[Stmt] = []
        self.default = 0
        self.aborts = False
        self.types: list[tuple[str, Layout | None]] = []
        self.returns: Layout | None = None


class Module:
    """The functions of one object, and the names that maps and variables have in it."""

    __slots__ = ("functions", "maps", "variables")

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.maps: dict[Any, str] = {}
        self.variables: dict[Any, str] = {}
