"""What an expression of the user's program is while it is compiled.

`Known` is a compile-time Python object, `Int` and `Pointer` are IR values with what is known about them, `Place` is
memory that can be read or written, the rest are things that only make sense where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import Layout, StructType
from ..ir.function import Value
from ..ir.types import Type

if TYPE_CHECKING:
    from .context import Lowering

I64, U64 = TYPES["i64"], TYPES["u64"]
BOOL = TYPES["bool"]


class Known(NamedTuple):
    """A constant: an int, str, bytes, None, tuple, a declaration, a function, a module."""

    value: Any


class Int(NamedTuple):
    """A 64-bit IR value. `type` decides what arithmetic with it means (language.md, "Integers mean what Python means");
    `lo`..`hi` is what is known about the number, never wider than the type."""

    ir: Value
    type: IntType
    lo: int
    hi: int

    @staticmethod
    def of(ir: Value, type: IntType) -> Int:
        return Int(ir, type, type.lo, type.hi)


class Pointer(NamedTuple):
    """An address. `present` is the IR value that is non-zero when the pointer may be used (None: always); `why` says
    when it is not. `access`: how memory behind it is read ("direct", "probe", "user"). `percpu`/`origin` for messages."""

    ir: Value
    target: Layout | None
    present: Value | None = None
    why: str = ""
    access: str = "direct"
    writable: bool = True
    copy: bool = False  # made by `get`: stands for the value itself once it is known to be there

    @property
    def type(self) -> Type:
        return self.ir.type


class Place(NamedTuple):
    """Memory at `ptr` + `off` holding `layout`. `bit`, `bits`: a bit-field. `core`: (root type, path) when the offset is
    the running kernel's business."""

    ptr: Value
    off: int
    layout: Layout
    access: str = "direct"
    bit: int = 0
    bits: int = 0
    core: tuple[StructType, tuple[int, ...]] | None = None
    writable: bool = True


class Text(NamedTuple):
    """The address of a NUL-terminated string that only a fault-safe read reaches; `user`: in user memory."""

    address: Value
    user: bool


class Fill(NamedTuple):
    """Something that writes itself into memory: the running thread's name, say. `size` 0: any."""

    what: str
    size: int
    emit: Callable[[Lowering, Value, int], None]  # (context, address, bytes)


class Many(NamedTuple):
    """A tuple of values."""

    items: tuple[Val, ...]


class Cursor(NamedTuple):
    """The packet: `var` is the hidden variable with the current position."""

    var: str


class Context(NamedTuple):
    """The program's ctx."""

    ir: Value
    kind: str


class Method(NamedTuple):
    """`receiver.name`, to be called."""

    receiver: Any
    name: str


class Entry(NamedTuple):
    """`map[key]`, before it is known whether it is read, written, added to or deleted."""

    map: Any
    key: Val


class Record(NamedTuple):
    """A struct value to be built in place: `Event(pid=1, …)`."""

    layout: StructType
    fields: tuple[tuple[str, Val], ...]


class Poison(NamedTuple):
    """What an expression with a reported error is: silences the errors that would follow from it."""


class Unclear(NamedTuple):
    """A variable that differs between paths in a way that only matters if it is used: `code`, `why`, `help`."""

    code: str
    why: str
    help: str


Val = (
    Known | Int | Pointer | Place | Text | Fill | Many | Cursor | Context | Method | Entry | Record | Poison | Unclear
)


def describe(value: Val) -> str:
    """A value in the words of an error message."""
    match value:
        case Known(None):
            return "None"
        case Known(int() | str() | bytes() as v):
            return f"the constant {v!r}"
        case Known(v):
            return getattr(v, "__name__", None) or repr(v)
        case Int(_, type):
            return f"a number ({type.name})"
        case Pointer(_, target):
            return f"a pointer to {target.name if target else 'void'}"
        case Place(_, _, layout):
            return f"memory ({layout.name})"
        case Text():
            return "a string in kernel or user memory"
        case Many(items):
            return f"a tuple of {len(items)}"
        case Cursor():
            return "the packet"
        case Context():
            return "the program's context"
        case Method(_, name):
            return f"the method {name}"
        case Record(layout):
            return f"a {layout.name}"
        case Entry():
            return "a map entry"
        case Fill(what):
            return what
    return "a value that has an error"
