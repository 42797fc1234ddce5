"""Expressions of the checked program: calls, of the kernel's functions and of the program's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..dsl.layout import FuncType
from ..dsl.maps import Map
from ..errors import Span
from .kinds import Kind
from .values import Expr, Local

if TYPE_CHECKING:
    from .stmts import Function


class MapRef(Expr):
    """The address of a map."""

    __slots__ = ("map",)

    def __init__(self, span: Span, kind: Kind, map: Map) -> None:
        self.span, self.kind, self.map = span, kind, map


class Helper(Expr):
    """A kernel helper called: each argument is one word. `pure`: no effects, the same answer for the whole run;
    `writes`: may change memory that the program sees."""

    __slots__ = ("name", "args", "pure", "writes")

    def __init__(self, span: Span, kind: Kind, name: str, args: Iterable[Expr], pure: bool = False, writes: bool = True) -> None:
        self.span, self.kind, self.name, self.args = span, kind, name, tuple(args)
        self.pure, self.writes = pure, writes


class Kfunc(Expr):
    """A kernel function called: each argument is one word. `proto`: its type, for the object's BTF."""

    __slots__ = ("name", "args", "proto")

    def __init__(self, span: Span, kind: Kind, name: str, args: Iterable[Expr], proto: FuncType) -> None:
        self.span, self.kind, self.name, self.args, self.proto = span, kind, name, tuple(args), proto


class FuncRef(Expr):
    """The address of a function of the program, which the kernel calls."""

    __slots__ = ("function",)

    def __init__(self, span: Span, kind: Kind, function: Function) -> None:
        self.span, self.kind, self.function = span, kind, function


class Call(Expr):
    """A function of the program called. `cursors`: variables (of this function) that the callee moves, in the order of
    `Function.cursors`."""

    __slots__ = ("function", "args", "cursors")

    def __init__(self, span: Span, kind: Kind, function: Function, args: Iterable[Expr], cursors: Iterable[Local] = ()) -> None:
        self.span, self.kind, self.function = span, kind, function
        self.args, self.cursors = tuple(args), tuple(cursors)
