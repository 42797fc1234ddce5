"""Structs, unions, arrays and pointers: the shapes of memory a user declares.

`@struct` turns an annotated class into a C struct. It stays a class: `Event(pid=1)` makes an object in Python and a
stack value in a program, and user space gets such objects back.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, dataclass_transform, get_args, overload

from ..order import HOST, NETWORK, Order
from .ints import BOOL, TYPES, IntType
from .layout import ArrayType, BitField, Field, Layout, PtrType, StructType, lay_out

T = TypeVar("T")
C = TypeVar("C", bound=type)
if TYPE_CHECKING:
    from collections.abc import Callable

    from .ints import char


class Forward(Layout):
    """The name of a type that does not exist yet, behind a pointer."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, 0, 1)


if TYPE_CHECKING:

    class Ptr(Generic[T]):
        """A pointer to T: attributes and indexing go through it; `.value` is a pointed-to scalar.

        As a field of a struct it is, for a checker, the struct that it points to, so that `a.parent.pid` has a type; a
        pointer to a number stays one."""

        value: T

        def __init__(self, address: Any) -> None: ...
        @overload
        def __get__(self: Ptr[int], obj: object, owner: Any = None) -> Ptr[int]: ...
        @overload
        def __get__(self: Ptr[char], obj: object, owner: Any = None) -> Ptr[char]: ...
        @overload
        def __get__(self: Ptr[None], obj: object, owner: Any = None) -> Ptr[None]: ...
        @overload
        def __get__(self, obj: object, owner: Any = None) -> T: ...
        def __get__(self: Any, *args: Any, **options: Any) -> Any: ...
        def __set__(self, obj: Any, value: T | Ptr[T] | int | None) -> None: ...
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __getitem__(self, index: int) -> T: ...
        def __setitem__(self, index: int, value: T) -> None: ...
        def __bool__(self) -> bool: ...
        def __add__(self, bytes: int) -> Ptr[T]: ...
        def __sub__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> bool: ...
        def __le__(self, other: Any) -> bool: ...
        def __gt__(self, other: Any) -> bool: ...
        def __ge__(self, other: Any) -> bool: ...

else:

    class _PtrWord:
        """`Ptr[T]`"""

        type_word = True

        def __getitem__(self, target: Any) -> PtrType:
            if isinstance(target, str):  # a class that is being defined: `_make` knows it
                return PtrType(Forward(target))
            return PtrType(None if target is None else layout_of(target))

        def __repr__(self) -> str:
            return "Ptr"

    Ptr = _PtrWord()


class SpinLock:
    """A lock in a struct of a map or a global: `lock: bpf.SpinLock`, taken by `with entry.lock:`."""

    layout = StructType("bpf_spin_lock", (Field("val", TYPES["u32"], 0),), 4, 4)
    __bpf_layout__ = layout

    if TYPE_CHECKING:

        def __enter__(self) -> None: ...
        def __exit__(self, *args: object) -> None: ...


class ResSpinLock:
    """A lock that is not got where waiting for it would never end, by any program anywhere (Linux 6.15): `with entry.lock:` is then
    skipped."""

    layout = StructType("bpf_res_spin_lock", (Field("val", TYPES["u32"], 0),), 4, 4)
    __bpf_layout__ = layout

    if TYPE_CHECKING:

        def __enter__(self) -> None: ...
        def __exit__(self, *args: object) -> bool: ...


def layout_of(word: Any, where: str = "") -> Layout:
    """The layout a type word stands for: a word of the language, a struct class, `int`-like ctypes names, `bool`.

    Raises TypeError, naming `where`, when the word is no type of the language."""
    if isinstance(word, Layout):
        return word
    layout = getattr(word, "__bpf_layout__", None)
    if isinstance(layout, Layout):
        return layout
    if word is bool:
        return BOOL
    if word is int:
        return TYPES["i64"]
    if "ctypes" in sys.modules and isinstance(word, type) and hasattr(word, "_type_"):
        return _ctypes_layout(word, where)
    if isinstance(word, type) and issubclass(word, int):  # enum.IntEnum: a number, in memory as C has it
        values = [int(v) for v in getattr(word, "__members__", {}).values()] or [0]
        if min(values) < -(1 << 31) or max(values) >= 1 << 32:
            return TYPES["i64"]
        return TYPES["i32" if min(values) < 0 else "u32"]
    shown = word.__name__ if isinstance(word, type) else repr(word)
    raise TypeError(f"{where + ': ' if where else ''}{shown} is not a type that memory can hold")


def _ctypes_layout(word: Any, where: str) -> Layout:
    ct = sys.modules["ctypes"]
    if hasattr(word, "_length_"):
        return ArrayType(layout_of(word._type_, where), word._length_)
    code = word._type_
    if code == "?":
        return BOOL
    if code == "c":
        return TYPES["char"]
    if code in "bhilqBHILQ":
        return TYPES[("u" if code.isupper() else "i") + str(ct.sizeof(word) * 8)]
    raise TypeError(f"{where + ': ' if where else ''}ctypes type {word.__name__} has no place in BPF memory")


def _annotations(cls: type) -> list[tuple[str, Any]]:
    """The class's own annotations, evaluated if they are strings, in order."""
    module = sys.modules.get(cls.__module__)
    scope = dict(vars(module)) if module else {}
    scope.setdefault(cls.__name__, cls)
    out = []
    for base in cls.__bases__:
        inherited = getattr(base, "__bpf_layout__", None)
        if isinstance(inherited, StructType):
            out += [(f.name, BitField(f.type, f.bits) if f.bits else f.type) for f in inherited.fields]
    mangled = f"_{cls.__name__.lstrip('_')}__"  # what Python makes of two underscores in a class
    for name, word in own_annotations(cls).items():
        name = "__" + name.removeprefix(mangled) if name.startswith(mangled) else name
        if isinstance(word, str):
            try:
                word = eval(word, scope)  # what typing.get_type_hints does, without its refusals
            except NameError:
                word = _forward_pointer(word, f"{cls.__name__}.{name}")
        out.append((name, word))
    return out


def own_annotations(cls: type) -> dict[str, Any]:
    """The annotations of the class itself; from Python 3.14 on they are made when asked for."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    found: dict[str, Any] = cls.__dict__.get("__annotations__", {})
    return found


def _forward_pointer(word: str, where: str) -> Any:
    if word.startswith(("Ptr[", "bpf.Ptr[")):
        return PtrType(None)
    raise TypeError(f"{where}: {word!r} is not defined")


def _make(cls: Any, *, union: bool, packed: bool, core: bool) -> Any:
    members: list[tuple[str, Layout]] = []
    own = StructType(cls.__name__, (), 0, 1, union=union, core=core, cls=cls)
    cls.__bpf_layout__ = own  # so that Ptr["Self"] inside works
    for name, word in _annotations(cls):
        args = get_args(word)
        if args and type(None) in args:
            word = next(a for a in args if a is not type(None))
        layout = layout_of(word, f"{cls.__name__}.{name}")
        if isinstance(layout, PtrType) and isinstance(layout.target, Forward):
            layout = PtrType(own if layout.target.name == own.name else None, layout.user)
        members.append((name, layout))
    laid = lay_out(cls.__name__, members, union=union, packed=packed, core=core, cls=cls)
    own.fields, own.size, own.align = laid.fields, laid.size, laid.align
    return _finished(cls, own)


def from_fields(name: str, fields: tuple[Field, ...], size: int, align: int, *, union: bool) -> StructType:
    """A struct class of fields that somebody else has laid out, as a C compiler does; they may overlap."""
    cls = type(name, (), {"__module__": __name__})
    own = cls.__bpf_layout__ = StructType(name, fields, size, align, union=union, cls=cls)  # type: ignore[attr-defined]  # it gets one
    _finished(cls, own)
    return own


def _finished(cls: Any, own: StructType) -> Any:
    """The class with what its objects need in Python: construction, comparison, bytes."""
    members = [(f.name, f.type) for f in own.fields]
    names = tuple(name for name, _ in members)
    defaults = {n: base.__dict__[n] for base in reversed(cls.__mro__[:-1]) for n in names if n in base.__dict__}
    cls.__bpf_defaults__ = defaults
    cls.__match_args__ = names  # type: ignore[misc]  # a plain attribute of the user's class

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__} has {len(names)} fields, {len(args)} values given")
        given = dict(zip(names, args))
        for name in kwargs:
            if name not in names or name in given:
                raise TypeError(f"{cls.__name__} has no field {name!r}" if name not in names else f"{name} given twice")
        for name, kind in members:
            setattr(self, name, {**given, **kwargs}.get(name, defaults.get(name, _zero(kind))))

    cls.__init__ = __init__
    cls.__class_getitem__ = classmethod(lambda cls, count: ArrayType(own, count))
    cls.__repr__ = lambda self: f"{cls.__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in names)})"
    cls.__eq__ = lambda self, other: all(getattr(self, n) == getattr(other, n, None) for n in names)
    cls.__bytes__ = lambda self: encode(own, self, cls.__name__)
    cls.__hash__ = None
    return cls


def _zero(kind: Layout) -> Any:
    if isinstance(kind, ArrayType):
        return "" if isinstance(kind.elem, IntType) and kind.elem.is_char else [_zero(kind.elem)] * kind.count
    if isinstance(kind, StructType):
        return kind.cls() if kind.cls else None
    return 0


@overload
@dataclass_transform(kw_only_default=False)
def struct(cls: C, /) -> C: ...
@overload
@dataclass_transform(kw_only_default=False)
def struct(*, packed: bool = False) -> Callable[[C], C]: ...
def struct(cls: Any = None, *, packed: bool = False) -> Any:
    """`@struct class Event: pid: u32; comm: char[16]`: a struct with C layout; `@struct(packed=True)` without padding."""
    return _make(cls, union=False, packed=packed, core=False) if cls else lambda c: _make(c, union=False, packed=packed, core=False)


@overload
@dataclass_transform(kw_only_default=False)
def union(cls: C, /) -> C: ...
@overload
@dataclass_transform(kw_only_default=False)
def union(*, packed: bool = False) -> Callable[[C], C]: ...
def union(cls: Any = None, *, packed: bool = False) -> Any:
    """`@union`: all members at offset 0."""
    return _make(cls, union=True, packed=packed, core=False) if cls else lambda c: _make(c, union=True, packed=packed, core=False)


@dataclass_transform(kw_only_default=False)
def kernel_struct(cls: C) -> C:
    """A kernel type of which the class names the fields it uses; real offsets are found when loading (CO-RE)."""
    made: C = _make(cls, union=False, packed=False, core=True)
    return made


def _no_base(word: str) -> Callable[[Any], NoReturn]:
    def refuse(bases: Any) -> NoReturn:
        raise TypeError(f"'{word}' is a decorator, no base: write '@bpf.{word}' above the class; its own bases are other structs")

    return refuse


for _word in (struct, union, kernel_struct):
    _word.__mro_entries__ = _no_base(_word.__name__)  # type: ignore[union-attr]  # what Python asks of a base that is no class


def encode(layout: Layout, value: Any, where: str, order: Order = HOST) -> bytes:
    """A Python value as the layout's bytes, on a machine of that byte order. Raises ValueError or TypeError, naming `where`, if it does not fit."""
    if isinstance(layout, IntType):
        number = int(value)
        if not layout.lo <= number <= layout.hi:
            raise ValueError(f"{where}: {number} does not fit into {layout.name}")
        return (NETWORK if layout.big_endian else order).bytes(number, layout.size)
    if isinstance(layout, ArrayType):
        if isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            if len(raw) > layout.size:
                raise ValueError(f"{where}: {len(raw)} bytes do not fit into {layout.name}")
            return raw.ljust(layout.size, b"\0")
        if value == 0:
            return bytes(layout.size)
        items = list(value)
        if len(items) > layout.count:
            raise ValueError(f"{where}: {len(items)} values do not fit into {layout.name}")
        return b"".join(encode(layout.elem, v, f"{where}[{i}]", order) for i, v in enumerate(items)).ljust(layout.size, b"\0")
    if isinstance(layout, StructType):
        image = bytearray(layout.size)
        for f in layout.fields:
            item = value.get(f.name, 0) if isinstance(value, dict) else getattr(value, f.name, 0)
            if f.bits:
                unit = order.number(image[f.offset : f.offset + f.type.size])
                unit |= (int(item) & ((1 << f.bits) - 1)) << order.lowest(f.bit, f.bits, f.type.size)
                image[f.offset : f.offset + f.type.size] = order.bytes(unit, f.type.size)
            elif any(raw := encode(f.type, item, f"{where}.{f.name}", order)):  # members of a union overlap: those left out are zero
                image[f.offset : f.offset + f.type.size] = raw
        return bytes(image)
    return order.bytes(int(value or 0), layout.size)


def sizeof(word: Any) -> int:
    """Bytes of a type, of a struct object, or of a value's type; a constant in programs."""
    return layout_of(word if isinstance(word, Layout) or isinstance(word, type) else type(word)).size
