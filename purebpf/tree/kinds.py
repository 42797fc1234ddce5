"""What a value is: a closed union, with one `join` for where paths meet and one `widen` for loops.

`rep(kind)` says what a value of the kind is made of when the program runs: a list of machine words, each "i64" or the
name of a memory region for a pointer. A constant has none.

    Int             [i64]                 Tuple(a, b)     [*a, *b]
    Ptr             [region or i64]       Optional(a)     [i64: is it there?, *a]
    Const           []                    Choice          [i64: which]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple, assert_never

from ..dsl.flow import Word
from ..dsl.helpers import Helper
from ..dsl.hooks import Func
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout, StructType
from ..dsl.maps import Map
from ..errors import Span

I64, U64, BOOL, U8, CHAR = TYPES["i64"], TYPES["u64"], TYPES["bool"], TYPES["u8"], TYPES["char"]
MOST_CHOICES = 8  # different constants that a variable may hold at run time


class Const:
    """A compile-time object: a number, text, None, a tuple, a type, a map, a function. Equal when type and value are."""

    __slots__ = ("value",)
    __match_args__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Const) or type(self.value) is not type(other.value):
            return False
        if self.value is other.value:
            return True
        return isinstance(self.value, _BY_VALUE) and bool(self.value == other.value)

    def __hash__(self) -> int:
        try:
            return hash((type(self.value), self.value)) if isinstance(self.value, _BY_VALUE) else id(self.value)
        except TypeError:
            return hash(type(self.value))

    def __repr__(self) -> str:
        return f"Const({self.value!r})"


_BY_VALUE = (int, str, bytes, tuple, list, range)


class Int(NamedTuple):
    """A 64-bit number. `type` decides what arithmetic with it means; `lo`..`hi` is what is known of it. `seen`: 1 if the
    kernel's verifier knows the range as well, so that a guard of an access may be left out; 2 if it knows the number itself
    on every way here, as it knows a counter of a loop that it walks round by round."""

    type: IntType
    lo: int
    hi: int
    seen: int = 0

    @staticmethod
    def of(type: IntType) -> Int:
        return Int(type, type.lo, type.hi)


class Resource:
    """Something acquired that must be given back: what it is called, what acquired it and where. By identity. `keep`: the
    variable (a tree Local) that says whether a record is wanted, where it can be discarded."""

    __slots__ = ("what", "release", "span", "keep")

    def __init__(self, what: str, release: str, span: Span, keep: Any = None) -> None:
        self.what, self.release, self.span, self.keep = what, release, span, keep


class Origin(NamedTuple):
    """Memory that a pointer may lead to: somewhere in bytes `lo`..`hi` of `root` (a slot, a map, a variable, a parameter).
    `size`: how many of these bytes are meant, where that matters."""

    root: Any
    lo: int = 0
    hi: int = 1 << 32
    size: int = 0

    def overlaps(self, other: Origin) -> bool:
        return self.root is other.root and self.lo < other.hi and other.lo < self.hi


class Ptr(NamedTuple):
    """The address of a `target` (None: nothing is known of it); for a struct or an array also the thing itself.

    `region`: a row of ir's regions, "" for a bare number that only fault-safe reads may follow. `access`: "direct",
    "probe" (kernel memory, fault-safe) or "user". `null`: it may be 0, which is when `why`. `fresh`: a temporary nobody
    else has a name for. `thing`: read as a field, an element, an entry: the object that stood there, which keeps its
    contents when another is put in its place. `origin`: what it may lead to, for telling what an assignment overwrites.
    `trust`: of a kernel object, how long it is there: "trusted", "rcu", or "" if nobody knows."""

    target: Layout | None
    region: str
    access: str = "direct"
    null: bool = False
    writable: bool = True
    why: str = ""
    fresh: bool = False
    thing: bool = False
    origin: frozenset[Origin] = frozenset()
    resource: Resource | None = None
    trust: str = ""


class Text(NamedTuple):
    """The address of a NUL-terminated string that only a fault-safe read reaches; `user`: in user memory."""

    user: bool


class Agg(NamedTuple):
    """A struct or array value that has no place yet: whatever stores it gives it one."""

    layout: Layout


class Optional(NamedTuple):
    """`some`, or None: which is when `why`."""

    some: Kind
    why: str = ""


class Tuple(NamedTuple):
    items: tuple[Kind, ...]


class Cursor(NamedTuple):
    """The packet as a cursor; position and end are hidden variables named after `name`."""

    name: str


class Context(NamedTuple):
    """The program's context: `name` is a row of uapi.contexts, or "tracepoint/category/name"."""

    name: str


class Choice(NamedTuple):
    """One of a few constants, which one is known at run time."""

    options: tuple[Const, ...]


class Broken(NamedTuple):
    """A variable that cannot be used here: an error (code, message, help, notes) only if it is. With no code the error
    has been reported."""

    code: str = ""
    message: str = ""
    help: str = ""
    notes: tuple[tuple[Span, str], ...] = ()


Kind = Const | Int | Ptr | Text | Agg | Optional | Tuple | Cursor | Context | Choice | Broken
NONE, POISON = Const(None), Broken()


def rep(kind: Kind) -> tuple[str, ...]:
    """The machine words a value consists of."""
    match kind:
        case Const() | Cursor() | Broken() | Agg():
            return ()
        case Int() | Text() | Choice():
            return ("i64",)
        case Ptr(region=region):
            return (region or "i64",)
        case Optional(some=some):
            return ("i64", *rep(some))
        case Tuple(items=items):
            return tuple(word for item in items for word in rep(item))
        case Context():
            return ("ctx",)
        case _:
            assert_never(kind)


def exact(value: int) -> Int:
    """A literal: it has no type of its own, so the type is as narrow as it is."""
    return Int(I64 if value <= I64.hi else U64, value, value, 2)


def is_exact(kind: Kind) -> bool:
    return isinstance(kind, Int) and kind.lo == kind.hi or isinstance(kind, Const) and isinstance(kind.value, int)


def fits(lo: int, hi: int, type: IntType) -> bool:
    return type.lo <= lo and hi <= type.hi


def number(kind: Kind) -> Int | None:
    """The kind as a number's, if it is one; a constant int is an exact one."""
    if isinstance(kind, Int):
        return kind
    if isinstance(kind, Const) and isinstance(kind.value, int) and I64.lo <= kind.value <= U64.hi:
        return exact(int(kind.value)) if not isinstance(kind.value, bool) else Int(BOOL, int(kind.value), int(kind.value), True)
    return None


def is_string(layout: Layout | None) -> bool:
    """Is it text: an array of char, a value where other arrays are things?"""
    return isinstance(layout, ArrayType) and isinstance(layout.elem, IntType) and layout.elem.is_char


def is_bytes(layout: Layout | None) -> bool:
    return isinstance(layout, ArrayType) and isinstance(layout.elem, IntType) and layout.elem.size == 1


def is_maybe(kind: Kind) -> bool:
    """May it be None?"""
    return isinstance(kind, Optional) or isinstance(kind, Ptr) and kind.null or kind == NONE


def narrowed(kind: Kind) -> Kind:
    """The kind where it is known not to be None."""
    if isinstance(kind, Optional):
        return kind.some
    if isinstance(kind, Ptr) and kind.null:
        return kind._replace(null=False)
    return kind


def optional(kind: Kind, why: str) -> Kind:
    """The kind, or None."""
    match kind:
        case Optional() | Broken() | Const(None):
            return kind
        case Ptr(region=region) if region not in ("packet", "packet_meta", "stack"):
            return kind._replace(null=True, why=kind.why or why)
        case _:
            return Optional(kind, why)


# --- join ------------------------------------------------------------------------------------------------------------


def join(a: Kind, b: Kind, name: str = "this") -> Kind:
    """What a variable is after paths on which it was `a` and `b`."""
    if a is b or a == b:
        return a
    if isinstance(a, Broken) or isinstance(b, Broken):
        return a if isinstance(a, Broken) else b
    x, y = _carried(a), _carried(b)
    if x is not None and y is not None:
        return _join_numbers(x, y, name)
    if a == NONE or b == NONE:
        return optional(b if a == NONE else a, "it is None on one of the paths to here")
    if isinstance(a, Optional) or isinstance(b, Optional):
        return _join_optional(a, b, name)
    match a, b:
        case Ptr(), Ptr():
            return _join_pointers(a, b, name)
        case Tuple(items=p), Tuple(items=q) if len(p) == len(q):
            return _join_items(p, q, name)
        case Const(tuple() as p), Tuple(items=q) if len(p) == len(q):
            return _join_items(tuple(map(Const, p)), q, name)
        case Tuple(items=p), Const(tuple() as q) if len(p) == len(q):
            return _join_items(p, tuple(map(Const, q)), name)
        case Const(tuple() as p), Const(tuple() as q) if len(p) == len(q) and p:
            return _join_items(tuple(map(Const, p)), tuple(map(Const, q)), name)
        case (Const() | Choice(), Const() | Choice()):
            options = tuple(dict.fromkeys((*_options(a), *_options(b))))
            return Choice(options) if len(options) <= MOST_CHOICES else _conflict(a, b, name)
        case Text(user=p), Text(user=q) if p == q:
            return a
        case _:
            return _conflict(a, b, name)


def _carried(kind: Kind) -> Int | None:
    """A number as a variable carries it. A constant that has outgrown 64 bits in the rounds of a loop would have wrapped."""
    if isinstance(kind, Const) and isinstance(kind.value, int) and number(kind) is None:
        return Int.of(U64 if kind.value >= 0 else I64)
    return number(kind)


def _options(kind: Const | Choice) -> tuple[Const, ...]:
    return kind.options if isinstance(kind, Choice) else (kind,)


def _join_items(p: Iterable[Kind], q: Iterable[Kind], name: str) -> Kind:
    items = tuple(join(x, y, name) for x, y in zip(p, q))
    return next((i for i in items if isinstance(i, Broken)), None) or Tuple(items)


def _join_optional(a: Kind, b: Kind, name: str) -> Kind:
    some = join(narrowed(a), narrowed(b), name)
    why = next(k.why for k in (a, b) if isinstance(k, Optional))
    return some if isinstance(some, Broken) else Optional(narrowed(some), why)


def _join_numbers(a: Int, b: Int, name: str) -> Kind:
    lo, hi = min(a.lo, b.lo), max(a.hi, b.hi)
    types = {k.type for k in (a, b) if k.lo != k.hi or k.type is BOOL} or {a.type, b.type}
    seen = min(a.seen, b.seen, 1)
    if len(types) == 1 and fits(lo, hi, next(iter(types))):
        return Int(types.pop(), lo, hi, seen)
    for type in (I64, U64):
        if fits(lo, hi, type):
            return Int(type, lo, hi, seen)
    return Broken("mixed-sign", f"{name!r} is a u64 on one path and maybe negative on another",
                  "annotate the variable, or cast one side: 'u64(x)' or 'i64(x)'")


def _join_pointers(a: Ptr, b: Ptr, name: str) -> Kind:
    if (a.region, a.access) != (b.region, b.access):
        return Broken("type-conflict", f"{name!r} points into different kinds of memory on different paths",
                      "use two variables, or copy one of them")
    target = a.target if a.target == b.target else _common(a.target, b.target)
    resource = a.resource if a.resource is b.resource else a.resource or b.resource
    return Ptr(target, a.region, a.access, a.null or b.null, a.writable and b.writable, a.why or b.why, a.fresh and b.fresh,
               a.thing or b.thing, a.origin | b.origin, resource,
               a.trust if a.trust == b.trust else min(a.trust, b.trust, key=("", "current", "rcu", "trusted").index))


def _common(a: Layout | None, b: Layout | None) -> Layout | None:
    """What two structs share at the same place: TCP and UDP headers both begin with their ports."""
    if not (isinstance(a, StructType) and isinstance(b, StructType)) or a.core or b.core:
        return None
    shared = tuple(f for f in a.fields if b.field(f.name) == f)
    if not shared:
        return None
    for whole in (a, b):
        if whole.cls is None and shared == whole.fields:
            return whole  # has been joined before
    names = dict.fromkeys((*a.name.split(" | "), *b.name.split(" | ")))
    return StructType(" | ".join(names), shared, min(a.size, b.size), min(a.align, b.align))


def _conflict(a: Kind, b: Kind, name: str) -> Broken:
    return Broken("type-conflict", f"{name!r} is {describe(a)} on one path and {describe(b)} on another", "use two variables")


def widen(old: Kind, new: Kind) -> Kind:
    """`new`, with every bound that still moves taken to the end of its type: loops settle in a few rounds."""
    if isinstance(old, Int) and isinstance(new, Int):
        lo = new.type.lo if new.lo < old.lo else new.lo
        hi = new.type.hi if new.hi > old.hi else new.hi
        return Int(new.type, lo, hi, new.seen)
    if isinstance(old, Optional) and isinstance(new, Optional):
        return new._replace(some=widen(old.some, new.some))
    if isinstance(old, Tuple) and isinstance(new, Tuple) and len(old.items) == len(new.items):
        return Tuple(tuple(map(widen, old.items, new.items)))
    return new


def mapped(kind: Kind, change: Callable[[Kind], Kind]) -> Kind:
    """`change` applied to the kind and everything inside it."""
    match kind:
        case Tuple(items=items):
            return change(Tuple(tuple(mapped(i, change) for i in items)))
        case Optional(some=some):
            inner = mapped(some, change)
            return change(kind._replace(some=inner)) if not isinstance(inner, Broken) else inner
        case _:
            return change(kind)


# --- words -----------------------------------------------------------------------------------------------------------


def describe(kind: Kind) -> str:
    """A kind in the words of an error message."""
    match kind:
        case Const(None):
            return "None"
        case Const(int() as v):
            return f"the number {v}" if not isinstance(v, bool) else repr(v)
        case Const(str() | bytes() as v):
            return f"the constant {v!r}"
        case Const(v):
            return _thing(v)
        case Int(type=type):
            return f"a number ({type.name})"
        case Ptr(target=target, region=region, null=null, fresh=fresh):
            if is_string(target):
                return f"a string ({target})"
            if target is not None and not null and (isinstance(target, ArrayType) or fresh or region == "stack"):
                return an(str(target))
            return f"a pointer to {target.name or 'a struct without a name' if target else 'void'}" + (" or None" if null else "")
        case Text():
            return "a string in kernel or user memory"
        case Agg(layout=layout):
            return an(layout.name)
        case Optional(some=some):
            return f"{describe(some)} or None"
        case Tuple(items=items):
            return f"a tuple of {len(items)}"
        case Cursor():
            return "the packet"
        case Context():
            return "the program's context"
        case Choice(options=options):
            return f"one of {', '.join(describe(o) for o in options)}"
        case Broken():
            return "a value that has an error"
        case _:
            assert_never(kind)


def _thing(value: Any) -> str:
    """A compile-time object that is neither a number nor text."""
    if isinstance(value, list | tuple | dict | set | float):
        return f"the constant {value!r}" if len(repr(value)) < 20 else f"a constant {type(value).__name__}"
    if isinstance(value, Layout | type):
        return f"the type {getattr(value, '__name__', None) or value}"
    if isinstance(value, Map):
        return repr(value)
    name = getattr(value, "__name__", None) or getattr(value, "name", None)
    return f"the function {name}" if name and callable(value) or is_callable(value) else name or an(type(value).__name__)


def is_callable(value: object) -> bool:
    """Is it a function, or a word of the language that is called?"""
    return isinstance(value, Word | Helper | Func | FunctionType | BuiltinFunctionType)


def an(word: str) -> str:
    """A word with its article."""
    return f"{'an' if word[:1].lower() in 'aeio' else 'a'} {word}"
