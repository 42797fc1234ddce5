"""The words of the language in CPython, as the contract has them: what a random program with effects must do.

A program's text runs with these words in place of purebpf's. Integers know their type and wrap at 64 bits, memory is
bytes behind views (so that unions, bit-fields and aliases are what they are), names bound to an aggregate that is then
replaced keep the old contents, `get` copies, `lookup` does not. Layouts are purebpf's own; everything else is written anew.

    state = run(text, packet)      the answer, globals, maps, records and the packet afterwards, as bytes
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

from purebpf.dsl import ints, memory
from purebpf.dsl.layout import ArrayType
from purebpf.order import LITTLE, Order

from . import model_maps as maps
from .model_maps import Cursor, Ctx, Table, Variable
from .model_memory import METHODS, Abort, Block, Cast, Formatted, Maker, layout_of, machine
from .model_text import rewritten

XDP_ABORTED, TC_ACT_SHOT = 0, 2  # what is answered when a program is ended
CASTS = ("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "be16", "be32", "be64", "char")


class State(NamedTuple):
    """What is left of one run."""

    retval: int
    globals: dict[str, bytes]
    maps: dict[str, dict[bytes, bytes]]
    records: list[bytes]
    packet: bytes


class _Indexable:
    def __class_getitem__(cls, words: Any) -> Any:
        return cls.make(*words) if isinstance(words, tuple) else cls.make(words)

    @staticmethod
    def make(*words: Any) -> Any:
        raise NotImplementedError


class Array(_Indexable):
    @staticmethod
    def make(elem: Any, length: Any = None) -> Any:
        if length is not None:
            return ArrayType(layout_of(elem), get_args(length)[0])
        return lambda max_entries: maps.ArrayMap(layout_of(elem), max_entries)


class HashMap(_Indexable):
    @staticmethod
    def make(key: Any, value: Any) -> Any:  # type: ignore[override]
        return lambda max_entries: maps.Hash(layout_of(key), layout_of(value))


class Queue(_Indexable):
    last_first = False

    @classmethod
    def make(cls, value: Any) -> Any:  # type: ignore[override]
        return lambda max_entries: maps.Waiting(layout_of(value), max_entries, cls.last_first)


class Stack(Queue):
    last_first = True


class Global(_Indexable):
    @staticmethod
    def make(word: Any) -> Any:  # type: ignore[override]
        return lambda init=None: Variable(layout_of(word), init)


class Const(_Indexable):
    @staticmethod
    def make(word: Any) -> Any:  # type: ignore[override]
        return lambda value: maps.Constant(int(word(value)), word.r)


class Ptr(_Indexable):
    @staticmethod
    def make(word: Any) -> Any:  # type: ignore[override]
        return word


def _least(*values: Any, default: Any = None) -> Any:
    return _best(lambda a, b: a < b, values, default)


def _most(*values: Any, default: Any = None) -> Any:
    return _best(lambda a, b: a > b, values, default)


def _best(better: Any, values: tuple[Any, ...], default: Any) -> Any:
    found = list(values[0] if len(values) == 1 else values)
    if not found and default is None:
        raise Abort
    best = found[0] if found else default
    for value in found[1:]:
        best = value if better(value, best) else best
    return best


def _loop(count: int, body: Any) -> None:
    for i in range(int(count)):
        if body(i):
            break


def _made(union: bool) -> Any:
    def decorate(cls: type | None = None, *, packed: bool = False) -> Any:
        return Maker(cls, union, packed) if cls is not None else lambda cls: Maker(cls, union, packed)
    return staticmethod(decorate)


class Bpf:
    struct, union = _made(False), _made(True)
    xdp = tc = staticmethod(lambda f: f)
    loop = staticmethod(_loop)
    SpinLock = memory.SpinLock
    NOEXIST, EXIST = maps.NOEXIST, maps.EXIST

    @staticmethod
    def func(f: Any = None, *, global_: bool = False) -> Any:
        return f if f is not None else lambda f: f


def _namespace(records: list[bytes]) -> dict[str, Any]:
    class RingBuf(_Indexable):
        @staticmethod
        def make(word: Any) -> Any:  # type: ignore[override]
            return lambda max_entries: maps.Ring(layout_of(word), records)

    return {**{name: Cast(getattr(ints, name)) for name in CASTS}, "bpf": Bpf, "Array": Array, "HashMap": HashMap, "LruHash": HashMap,
            "PerCpuHash": HashMap, "PerCpuArray": Array, "Queue": Queue, "Stack": Stack, "RingBuf": RingBuf, "Global": Global,
            "Const": Const, "Ptr": Ptr, "Literal": Literal, "min": _least, "max": _most, "formatted": Formatted, "sum": _sum}


def _sum(values: Iterable[Any]) -> Any:
    total: Any = 0
    for value in values:
        total = total + value
    return total


def run(text: str, packet: bytes, order: Order = LITTLE) -> State:
    """The program `prog` of a module's text on a packet, on a machine of that byte order. Raises whatever the text does wrong as Python."""
    METHODS.clear()
    machine.order = order
    records: list[bytes] = []
    block, scope = Block(packet), _namespace(records)
    exec(compile(rewritten(text), "<model>", "exec", dont_inherit=True), scope)
    try:
        retval = int(scope["prog"](Ctx(Cursor(block)))) & 0xFFFFFFFF
    except (Abort, AssertionError):
        retval = TC_ACT_SHOT if "@bpf.tc\n" in text else XDP_ABORTED
    variables = {n: bytes(v.block.data) for n, v in scope.items() if isinstance(v, Variable)}
    held = {n: {k: bytes(b.data) for k, b in v.entries.items()} for n, v in scope.items() if isinstance(v, Table)}
    return State(retval, variables, held, records, bytes(block.data))

