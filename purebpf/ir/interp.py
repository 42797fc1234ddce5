"""Runs IR. The meaning of integer ops is `ops.TABLE[...].evaluate`; memory is byte-addressed, bounded, of the functions' byte order.

Addresses are plain ints below 2**32, so that a 32-bit context field can hold one. Every region starts on a page of its
own with an unmapped page behind: going past its end is a fault, not the neighbour. Fresh memory is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..errors import PureBpfError
from ..order import HOST, Order
from .function import Block, Const, Function, Module, Op, Value
from .ops import CoreConst, Data, Helper, Index, Kfunc, Limit, Mem, Rmw, Slot, Symbol, signed
from .types import VOID

_PAGE: Final = 16  # bits

External = Callable[..., int]


class InterpFault(PureBpfError):
    """The function did what has no meaning: a wild access, a missing helper, too many steps, `unreachable`."""


class _Abort(Exception):
    """The program ends, from whatever depth."""


class _Frame:
    """One function as it runs: what its values are, the further results of its calls, the addresses of its slots."""

    __slots__ = ("values", "more", "slots")

    def __init__(self, values: dict[Value, int]) -> None:
        self.values = values
        self.more: dict[Value, Sequence[int]] = {}
        self.slots: list[int] = []


class Memory:
    """Regions of bytes at addresses. `read` and `write` are what loads and stores, and helpers in tests, use."""

    def __init__(self, order: Order = HOST) -> None:
        self.order = order
        self._pages: dict[int, tuple[int, bytearray]] = {}
        self._next = 1

    def add(self, data: bytes | bytearray | int) -> int:
        """A new region (a bytearray is shared, an int is a size); its address."""
        content = data if isinstance(data, bytearray) else bytearray(data)
        base = self._next << _PAGE
        count = (len(content) >> _PAGE) + 1
        for page in range(count):
            self._pages[self._next + page] = (base, content)
        self._next += count + 1
        if self._next >> (32 - _PAGE):
            raise InterpFault("out of addresses")
        return base

    def remove(self, address: int) -> None:
        """Forget a region; its addresses fault from now on and are not given out again."""
        _, content = self._pages[address >> _PAGE]
        for page in range((len(content) >> _PAGE) + 1):
            del self._pages[(address >> _PAGE) + page]

    def _find(self, address: int, size: int) -> tuple[bytearray, int]:
        base, content = self._pages.get(address >> _PAGE, (0, None))
        if content is None or address - base + size > len(content):
            raise InterpFault(f"access to {size} bytes at {address:#x}")
        return content, address - base

    def read(self, address: int, size: int) -> bytes:
        content, at = self._find(address, size)
        return bytes(content[at:at + size])

    def write(self, address: int, data: bytes) -> None:
        content, at = self._find(address, len(data))
        content[at:at + len(data)] = data

    def load(self, address: int, size: int) -> int:
        content, at = self._find(address, size)
        return self.order.number(content[at:at + size])

    def store(self, address: int, size: int, value: int) -> None:
        content, at = self._find(address, size)
        content[at:at + size] = self.order.bytes(value, size)


class Interp:
    """Runs functions of a module. `helpers` and `kfuncs`: by name, called as f(interp, *args); `data`: the content of
    sections; `maps`: what `mapaddr` gives for a name (default: a handle). `steps` is the budget for all runs together."""

    def __init__(self, module: Module, *, helpers: Mapping[str, External] | None = None,
                 kfuncs: Mapping[str, External] | None = None, data: Mapping[str, bytes | bytearray] | None = None,
                 maps: Mapping[str, int] | None = None, memory: Memory | None = None, steps: int = 1_000_000) -> None:
        self.module, self.steps = module, steps
        self.memory = memory or Memory(next((fn.order for fn in module.functions.values()), HOST))
        self.helpers, self.kfuncs = helpers or {}, kfuncs or {}
        self.sections = {name: self.memory.add(content) for name, content in (data or {}).items()}
        self.maps = dict(maps or {})
        self._functions: dict[str, int] = {}

    def run(self, name: str, *args: int) -> int:
        """The first result of function `name` (0 if it has none), as a signed 64-bit number; its default if it aborts."""
        fn = self.module.functions[name]
        try:
            results = self._run(fn, [signed(a) for a in args])
        except _Abort:
            return fn.default or 0
        return results[0] if results else 0

    def call(self, address: int, *args: int) -> int:
        """Run the function that `funcaddr` gave `address` for (what a helper does with a callback)."""
        for name, at in self._functions.items():
            if at == address:
                return self.run(name, *args)
        raise InterpFault(f"no function at {address:#x}")

    def _handle(self, names: dict[str, int], name: str) -> int:
        if name not in names:
            names[name] = self.memory.add(0)
        return names[name]

    def _run(self, fn: Function, args: Sequence[int]) -> Sequence[int]:
        frame = _Frame(dict(zip(fn.params, args, strict=True)))
        block: Block | None = fn.entry
        try:
            while block is not None:
                results, block = self._block(block, frame)
            return results
        finally:
            for slot in frame.slots:
                self.memory.remove(slot)

    def _block(self, block: Block, frame: _Frame) -> tuple[Sequence[int], Block | None]:
        """Run one block: what it returned, or nothing and the next block, whose parameters are set."""
        values = frame.values
        for op in block.ops:
            self.steps -= 1
            if self.steps < 0:
                raise InterpFault("too many steps")
            got = [a.value if isinstance(a, Const) else values[a] for a in op.args]
            if op.row.evaluate is not None:
                values[op] = op.row.evaluate(*got)
            elif op.edges:
                edge = op.edges[0 if op.row.name != "br" or got[0] else 1]
                new = [a.value if isinstance(a, Const) else values[a] for a in edge.args]
                values.update(zip(edge.block.params, new))
                return (), edge.block
            elif op.row.name == "ret":
                return got, None
            elif op.row.name == "abort":
                raise _Abort
            else:
                result = signed(self._special(op, got, frame))
                if op.type is not VOID:
                    values[op] = result
        raise InterpFault(f"{block.name} has no end")

    def _special(self, op: Op, args: list[int], frame: _Frame) -> int:
        match op.row.name, op.attr:
            case "select", _:
                return args[1] if args[0] else args[2]
            case "ptradd", _:
                return args[0] + args[1]
            case "ptrdiff", _:
                return args[0] - args[1]
            case "nonnull", _ if args[0] == 0:
                raise InterpFault("null where a test said otherwise")
            case "cast" | "nonnull", _:
                return args[0]
            case "below", Limit(limit):
                if not 0 <= args[0] < limit:
                    raise InterpFault(f"{args[0]} is not below {limit}")
                return args[0]
            case "result", Index(index):
                return frame.more[op.args[0]][index]
            case "alloca", Slot(size, _):
                frame.slots.append(self.memory.add(size))
                return frame.slots[-1]
            case "load", Mem(size, off, sext):
                value = self.memory.load(args[0] + off, size)
                return signed(value, size * 8) if sext else value
            case "store", Mem(size, off):
                self.memory.store(args[0] + off, size, args[1])
                return 0
            case "rmw", Rmw():
                return self._rmw(op.attr, args)
            case "core", CoreConst(_, local):
                return local
            case "mapaddr", Symbol(name):
                return self._handle(self.maps, name)
            case "funcaddr", Symbol(name):
                return self._handle(self._functions, name)
            case "dataaddr", Data(section, off):
                if section not in self.sections:
                    raise InterpFault(f"no section {section}")
                return self.sections[section] + off
            case "call", Symbol():
                results = frame.more[op] = self._call(op.attr, args)
                return results[0] if results else 0
        return self._outside(op, args)

    def _call(self, attr: Symbol, args: list[int]) -> Sequence[int]:
        if attr.name not in self.module.functions:
            raise InterpFault(f"no function @{attr.name}")
        fn = self.module.functions[attr.name]
        if not attr.caught:
            return self._run(fn, args)
        try:
            return 0, *self._run(fn, args)
        except _Abort:
            return 1, *(0 for _ in fn.results)

    def _outside(self, op: Op, args: list[int]) -> int:
        match op.row.name, op.attr:
            case "helper", Helper(_, name) if name in self.helpers:
                return self.helpers[name](self, *args)
            case "kfunc", Kfunc(name) if name in self.kfuncs:
                return self.kfuncs[name](self, *args)
            case "helper", Helper(_, name):
                raise InterpFault(f"no helper {name}")
            case "kfunc", Kfunc(name):
                raise InterpFault(f"no kfunc {name}")
        raise InterpFault(f"{op.row.name} has no meaning")

    def _rmw(self, attr: Rmw, args: list[int]) -> int:
        address, size, mask = args[0] + attr.off, attr.size, (1 << 8 * attr.size) - 1
        old, value = self.memory.load(address, size), args[1] & mask
        match attr.op:
            case "add":
                new = old + value
            case "and":
                new = old & value
            case "or":
                new = old | value
            case "xor":
                new = old ^ value
            case "xchg":
                new = value
            case _:  # cmpxchg
                new = args[2] if old == value else old
        self.memory.store(address, size, new)
        return old
