"""Expressions of the checked program: values, places, calls; and what nodes have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..dsl.globals import Variable
from ..dsl.layout import Field, FuncType, Layout, StructType
from ..dsl.maps import Map
from ..errors import Span
from .kinds import Const, Int, Kind, Ptr, exact

if TYPE_CHECKING:
    from .stmts import Function


class Local:
    """A variable of one function: a name for messages and the machine words it consists of. By identity."""

    __slots__ = ("name", "rep")

    def __init__(self, name: str, rep: tuple[str, ...]) -> None:
        self.name, self.rep = name, rep

    def __repr__(self) -> str:
        return self.name


class Slot:
    """Memory in the function's frame for a value of `layout`. By identity."""

    __slots__ = ("name", "layout")

    def __init__(self, name: str, layout: Layout) -> None:
        self.name, self.layout = name, layout

    def __repr__(self) -> str:
        return self.name or "tmp"


class Node:
    """Anything in a tree. `span`: the source it stands for."""

    __slots__ = ("span",)
    span: Span


class Expr(Node):
    __slots__ = ("kind",)
    kind: Kind


class Stmt(Node):
    __slots__ = ()




# --- values ----------------------------------------------------------------------------------------------------------


class Lit(Expr):
    """A constant: nothing at run time. `written`: it stands in the source, and is not what a variable happens to be."""

    __slots__ = ("written",)

    def __init__(self, span: Span, value: Any, written: bool = True) -> None:
        self.span, self.kind, self.written = span, Const(value), written


class Number(Expr):
    """A number known now, as a machine word."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: int, kind: Int | None = None) -> None:
        self.span, self.kind, self.value = span, kind or exact(value), value


class Undef(Expr):
    """Words of a kind that nobody will look at."""

    __slots__ = ()

    def __init__(self, span: Span, kind: Kind) -> None:
        self.span, self.kind = span, kind


class Get(Expr):
    """What a variable holds."""

    __slots__ = ("local",)

    def __init__(self, span: Span, kind: Kind, local: Local) -> None:
        self.span, self.kind, self.local = span, kind, local


class Cast(Expr):
    """The value as another kind: a number of a constant, None or something as something-or-None, something-or-None as
    something (known to be there), an option of a Choice. Changes how it is represented, tests nothing."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Kind, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Maybe(Expr):
    """`value`, which is evaluated in any case, where `test` (a condition) holds; else None."""

    __slots__ = ("test", "value")

    def __init__(self, span: Span, kind: Kind, test: Expr, value: Expr) -> None:
        self.span, self.kind, self.test, self.value = span, kind, test, value


class MakeTuple(Expr):
    __slots__ = ("items",)

    def __init__(self, span: Span, kind: Kind, items: tuple[Expr, ...]) -> None:
        self.span, self.kind, self.items = span, kind, items


class Item(Expr):
    """One part of a tuple."""

    __slots__ = ("value", "index")

    def __init__(self, span: Span, kind: Kind, value: Expr, index: int) -> None:
        self.span, self.kind, self.value, self.index = span, kind, value, index


class Arith(Expr):
    """`a word b` of numbers: + - * // % & | ^ << >>, in 64 bits, with Python's meaning for the kinds' ranges."""

    __slots__ = ("word", "a", "b")

    def __init__(self, span: Span, kind: Int, word: str, a: Expr, b: Expr) -> None:
        self.span, self.kind, self.word, self.a, self.b = span, kind, word, a, b


class Wrap(Expr):
    """A number as the kind's type holds it: cut to its width, sign-extended, 0 or 1 for bool."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Int, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Below(Expr):
    """A number that a test on the way here has shown to be less than `limit`, unsigned."""

    __slots__ = ("value", "limit")

    def __init__(self, span: Span, kind: Int, value: Expr, limit: int) -> None:
        self.span, self.kind, self.value, self.limit = span, kind, value, limit


class Vague(Expr):
    """A number, of which the verifier only gets to know the kind's bounds: what follows is walked once, and not once for
    every value that it has on some way here. Not `needed`: nobody computes a place from it, for which alone it matters."""

    __slots__ = ("value", "needed")

    def __init__(self, span: Span, kind: Int, value: Expr, needed: bool = True) -> None:
        self.span, self.kind, self.value, self.needed = span, kind, value, needed


class Swap(Expr):
    """The low `bits` of a number, its bytes reversed."""

    __slots__ = ("value", "bits")

    def __init__(self, span: Span, kind: Int, value: Expr, bits: int) -> None:
        self.span, self.kind, self.value, self.bits = span, kind, value, bits


class BitLength(Expr):
    """The number of bits of the magnitude of a number."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Int, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Abs(Expr):
    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Int, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Compare(Expr):
    """1 or 0: two numbers, exact whatever their signs, or two pointers; `word` is eq ne lt le gt ge."""

    __slots__ = ("word", "a", "b")

    def __init__(self, span: Span, kind: Int, word: str, a: Expr, b: Expr) -> None:
        self.span, self.kind, self.word, self.a, self.b = span, kind, word, a, b


class SameBytes(Expr):
    """1 if `size` bytes at two places are equal."""

    __slots__ = ("a", "b", "size")

    def __init__(self, span: Span, kind: Int, a: Expr, b: Expr, size: int) -> None:
        self.span, self.kind, self.a, self.b, self.size = span, kind, a, b, size


class OrderBytes(Expr):
    """1 if `size` bytes at `a`, compared one after another as unsigned numbers, come before those at `b`."""

    __slots__ = ("a", "b", "size")

    def __init__(self, span: Span, kind: Int, a: Expr, b: Expr, size: int) -> None:
        self.span, self.kind, self.a, self.b, self.size = span, kind, a, b, size


class IsNone(Expr):
    """1 if the value is None."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Int, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Not(Expr):
    """1 if the condition (a number) is 0."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Int, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class Both(Expr):
    """Conditions: 1 if both are not 0; `b` is evaluated only if `a` is not 0."""

    __slots__ = ("a", "b")

    def __init__(self, span: Span, kind: Int, a: Expr, b: Expr) -> None:
        self.span, self.kind, self.a, self.b = span, kind, a, b


class Either(Expr):
    """Conditions: 1 if one is not 0; `b` is evaluated only if `a` is 0."""

    __slots__ = ("a", "b")

    def __init__(self, span: Span, kind: Int, a: Expr, b: Expr) -> None:
        self.span, self.kind, self.a, self.b = span, kind, a, b


class IfElse(Expr):
    """`yes` or `no`, both of this kind; only one is evaluated."""

    __slots__ = ("test", "yes", "no")

    def __init__(self, span: Span, kind: Kind, test: Expr, yes: Expr, no: Expr) -> None:
        self.span, self.kind, self.test, self.yes, self.no = span, kind, test, yes, no


class Select(Expr):
    """`yes` or `no`, both evaluated, numbers or pointers."""

    __slots__ = ("test", "yes", "no")

    def __init__(self, span: Span, kind: Kind, test: Expr, yes: Expr, no: Expr) -> None:
        self.span, self.kind, self.test, self.yes, self.no = span, kind, test, yes, no


class Seq(Expr):
    """Statements, then a value."""

    __slots__ = ("body", "value")

    def __init__(self, span: Span, body: Iterable[Stmt], value: Expr) -> None:
        self.span, self.kind, self.body, self.value = span, value.kind, list(body), value


# --- memory ----------------------------------------------------------------------------------------------------------


class Deref(Expr):
    """A place: where a pointer points."""

    __slots__ = ("pointer",)

    def __init__(self, span: Span, kind: Ptr, pointer: Expr) -> None:
        self.span, self.kind, self.pointer = span, kind, pointer


class Member(Expr):
    """A place: a field of the struct at `place`."""

    __slots__ = ("place", "field")

    def __init__(self, span: Span, kind: Ptr, place: Expr, field: Field) -> None:
        self.span, self.kind, self.place, self.field = span, kind, place, field


class Element(Expr):
    """A place: element `index` (a number) of the array at `place`. `check`: an index outside it aborts; it may only be
    left out for an index that a `Guard` has compared."""

    __slots__ = ("place", "index", "check")

    def __init__(self, span: Span, kind: Ptr, place: Expr, index: Expr, check: bool = True) -> None:
        self.span, self.kind, self.place, self.index, self.check = span, kind, place, index, check


class At(Expr):
    """A place: `offset` bytes (a number) behind a place, seen as the kind's target."""

    __slots__ = ("place", "offset")

    def __init__(self, span: Span, kind: Ptr, place: Expr, offset: Expr) -> None:
        self.span, self.kind, self.place, self.offset = span, kind, place, offset


class GlobalPlace(Expr):
    """A place: a global variable."""

    __slots__ = ("variable", "name")

    def __init__(self, span: Span, kind: Ptr, variable: Variable[Any], name: str) -> None:
        self.span, self.kind, self.variable, self.name = span, kind, variable, name


class SlotPlace(Expr):
    """A place: a slot of the frame."""

    __slots__ = ("slot",)

    def __init__(self, span: Span, kind: Ptr, slot: Slot) -> None:
        self.span, self.kind, self.slot = span, kind, slot


class Bytes(Expr):
    """A place: constant bytes in .rodata, seen as the kind's target."""

    __slots__ = ("data",)

    def __init__(self, span: Span, kind: Ptr, data: bytes) -> None:
        self.span, self.kind, self.data = span, kind, data


class CtxPlace(Expr):
    """A place: `offset` bytes into the context."""

    __slots__ = ("ctx", "offset", "root")

    def __init__(self, span: Span, kind: Ptr, ctx: Expr, offset: int, root: StructType | None = None) -> None:
        self.span, self.kind, self.ctx, self.offset, self.root = span, kind, ctx, offset, root


class Load(Expr):
    """The number or pointer at a place."""

    __slots__ = ("place",)

    def __init__(self, span: Span, kind: Kind, place: Expr) -> None:
        self.span, self.kind, self.place = span, kind, place


class Temp(Expr):
    """A place: the slot, after `value` has been stored into it."""

    __slots__ = ("slot", "value")

    def __init__(self, span: Span, kind: Ptr, slot: Slot, value: Expr) -> None:
        self.span, self.kind, self.slot, self.value = span, kind, slot, value


class Record(Expr):
    """A struct value (kind Agg): what it does not name is zero, padding included. `fields` are (field, value)."""

    __slots__ = ("fields",)

    def __init__(self, span: Span, kind: Kind, fields: tuple[tuple[Field, Expr], ...]) -> None:
        self.span, self.kind, self.fields = span, kind, fields


class Row(Expr):
    """An array value (kind Agg): its first elements; the rest is zero."""

    __slots__ = ("items",)

    def __init__(self, span: Span, kind: Kind, items: tuple[Expr, ...]) -> None:
        self.span, self.kind, self.items = span, kind, items


class Blank(Expr):
    """An array of zeros (kind Agg) that a loop is to write: the verifier is not told that they are zeros, so that what stands
    there does not tell it how far the loop came."""

    __slots__ = ()

    def __init__(self, span: Span, kind: Kind) -> None:
        self.span, self.kind = span, kind


class Filled(Expr):
    """An array value (kind Agg) that a helper writes: `helper(address, size)`, or with `source` a fault-safe read
    `helper(address, size, source)`."""

    __slots__ = ("helper", "source")

    def __init__(self, span: Span, kind: Kind, helper: str, source: Expr | None = None) -> None:
        self.span, self.kind, self.helper, self.source = span, kind, helper, source


class Formatted(Expr):
    """Text (kind Agg) that the kernel formats into the place it is stored to, cut to fit: `text` is its format, with a zero
    at the end, `values` are what it formats, `most` the characters that it becomes if nothing is cut."""

    __slots__ = ("text", "values", "most")

    def __init__(self, span: Span, kind: Kind, text: bytes, values: Iterable[Expr], most: int) -> None:
        self.span, self.kind, self.text, self.values, self.most = span, kind, text, tuple(values), most


class Move(Expr):
    """A pointer moved by `offset` bytes (a number); the result may be out of bounds until compared."""

    __slots__ = ("pointer", "offset")

    def __init__(self, span: Span, kind: Kind, pointer: Expr, offset: Expr) -> None:
        self.span, self.kind, self.pointer, self.offset = span, kind, pointer, offset


class Distance(Expr):
    """`a - b` of two pointers, in bytes."""

    __slots__ = ("a", "b")

    def __init__(self, span: Span, kind: Int, a: Expr, b: Expr) -> None:
        self.span, self.kind, self.a, self.b = span, kind, a, b


class Bits(Expr):
    """The same word as a number, or a number as a pointer."""

    __slots__ = ("value",)

    def __init__(self, span: Span, kind: Kind, value: Expr) -> None:
        self.span, self.kind, self.value = span, kind, value


class CoreInfo(Expr):
    """A CO-RE question about a kernel type, answered at load: `what` is a row of `CORE`, `path` the way to a member."""

    __slots__ = ("what", "root", "path", "local")

    def __init__(self, span: Span, kind: Int, what: str, root: Layout, path: tuple[Field, ...], local: int) -> None:
        self.span, self.kind, self.what, self.root, self.path, self.local = span, kind, what, root, path, local


CORE = {"byte_off": 0, "byte_size": 1, "field_exists": 2, "lshift_u64": 4, "rshift_u64": 5, "type_id_local": 6, "type_id_target": 7, "type_exists": 8, "type_size": 9,
        "enum_exists": 10, "enum_value": 11, "type_matches": 12}


# --- calls -----------------------------------------------------------------------------------------------------------


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


class Call(Expr):
    """A function of the program called. `cursors`: variables (of this function) that the callee moves, in the order of
    `Function.cursors`."""

    __slots__ = ("function", "args", "cursors")

    def __init__(self, span: Span, kind: Kind, function: Function, args: Iterable[Expr], cursors: Iterable[Local] = ()) -> None:
        self.span, self.kind, self.function = span, kind, function
        self.args, self.cursors = tuple(args), tuple(cursors)
