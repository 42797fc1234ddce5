"""Values of the tree to IR: what an expression gives, word by word; and conditions as jumps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never, cast

from ..errors import Span
from ..ir.builder import Builder
from ..ir.function import Const, Function, Op, Value
from ..ir.ops import M64, TABLE, Data, Helper, Kfunc, Limit, Mem, Slot, Symbol, signed
from ..ir.types import I64, MAYBE, PTR, Type
from ..order import NETWORK
from ..tree import nodes as n
from ..tree.kinds import NONE, Choice, Const as Known, Int, Kind, Optional, Ptr, Text, Tuple, rep
from ..uapi.helpers import IDS
from . import arith, places
from .env import Words
from .flow import Flow, Join

if TYPE_CHECKING:
    from .module import Lowered

ALIGN = 8


class Values:
    """The half of a function's lowering that gives values; `Lowering` adds the statements."""

    def __init__(self, unit: Lowered, fn: Function, tree: n.Function) -> None:
        self.unit, self.fn, self.tree = unit, fn, tree
        self.b = Builder(fn)
        self.flow = Flow(self.b)
        self.slots: dict[n.Slot, Value] = {}
        self.allocas = 0

    def body(self, body: Iterable[n.Stmt]) -> None:
        raise NotImplementedError  # Lowering's

    def abort_join(self) -> Join:
        raise NotImplementedError  # Lowering's

    @property
    def catches(self) -> bool:
        """Must a callee that gives up come back, because something here is to be closed?"""
        raise NotImplementedError  # Lowering's

    # --- words

    def at(self, span: Span) -> None:
        self.b.span = span

    def rep(self, node: n.Expr) -> tuple[str, ...]:
        return rep(node.kind)

    def word(self, node: n.Expr) -> Value:
        """The only word of a value."""
        words = self.value(node)
        assert len(words) == 1, f"{type(node).__name__} of {node.kind} has {len(words)} words"
        return words[0]

    def pointer(self, node: n.Expr) -> Value:
        """A pointer that is there: what may be null in the IR has been tested."""
        return self.sure(self.word(node), node.kind)

    def sure(self, value: Value, kind: Kind) -> Value:
        if isinstance(kind, Ptr) and not kind.null and value.type.null:
            return self.b.op("nonnull", value, type=PTR[value.type.region])
        return value

    def move(self, base: Value, by: Value) -> Value:
        """An address moved by so many bytes. Memory that the verifier does not vouch for has a number for an address."""
        if isinstance(by, Const) and by.value == 0:
            return base
        return self.b.op("ptradd" if base.type.is_ptr else "add", base, by)

    def hidden(self, word: Value) -> Value:
        """A number of which the verifier forgets what it knew, so that rounds of a loop that start from it look alike. Each is
        made of a zero of its own: those of one load would be one to the verifier."""
        section, off = self.unit.data.zero()
        place = self.b.op("dataaddr", type=PTR["data"], attr=Data(section, off))
        return self.b.op("add", self.b.op("load", place, type=I64, attr=Mem(8, volatile=True)), word)

    def slot(self, slot: n.Slot) -> Value:
        if slot not in self.slots:
            size = slot.layout.size
            self.slots[slot] = self.temporary(size, slot.name)
        return self.slots[slot]

    def temporary(self, size: int, hint: str = "") -> Value:
        """The address of a fresh stack slot, allocated in the entry block."""
        op = Op(TABLE["alloca"], (), PTR["stack"], Slot(max(size, 1), min(ALIGN, 1 << max(size - 1, 0).bit_length())), span=self.b.span, name=hint.split("@")[0])
        self.fn.entry.ops.insert(self.allocas, op)
        self.allocas += 1
        return op

    def helper(self, name: str, args: Iterable[Value], type: Type = I64, pure: bool = False, writes: bool = True) -> Value:
        return self.b.op("helper", *args, type=type, attr=Helper(IDS[name], name, pure, writes), hint=name)

    # --- values

    def value(self, node: n.Expr) -> Words:
        """Evaluate an expression: its words."""
        if not self.flow.reachable:
            return tuple(Const(0) for _ in rep(node.kind))
        value = cast("n.Value", node)
        self.at(node.span)
        match value:
            case n.Lit():
                return ()
            case n.Number(value=number):
                return (Const(signed(number)),)
            case n.Undef(kind=kind):
                return tuple(Const(0) for _ in rep(kind))
            case n.Get(local=local, kind=kind):
                words = self.flow.env[local] if local.rep else ()
                return tuple(self.sure(w, kind) for w in words) if isinstance(kind, Ptr) else words
            case n.Cast(value=inner):
                return self._cast(inner, node.kind)
            case n.Maybe(test=test, value=inner):
                there = self.truth(test)
                return (there, *self.value(inner))
            case n.MakeTuple(items=items):
                return tuple(w for item in items for w in self.value(item))
            case n.Item(value=whole, index=index):
                return self._item(whole, index)
            case n.IfElse(test=test, yes=yes, no=no):
                return self._if_else(test, yes, no)
            case n.Seq(body=body, value=inner):
                self.body(body)
                return self.value(inner)
            case n.Call():
                return self._call(value)
            case n.Arith() | n.Wrap() | n.Below() | n.Vague() | n.Swap() | n.BitLength() | n.Abs() | n.Select():
                return (self._number(value),)
            case n.Compare() | n.IsNone() | n.Not():
                return (self.truth(node),)
            case n.SameBytes() | n.OrderBytes() | n.Both() | n.Either():
                return (self._decided(node),)
            case n.Load() | n.Move() | n.Distance() | n.Bits() | n.CoreInfo() | n.MapRef() | n.FuncRef() | n.Helper() | n.Kfunc():
                return (self._outside(value),)
            case n.Record() | n.Row() | n.Blank() | n.Filled() | n.Formatted():
                raise AssertionError("a struct value without a place")
            case (n.Deref() | n.Member() | n.Element() | n.At() | n.GlobalPlace() | n.SlotPlace() | n.Bytes() | n.CtxPlace()
                  | n.Temp()):
                return (places.address(self, places.place(self, node)),)
            case _:
                assert_never(value)

    def _number(self, node: n.Arith | n.Wrap | n.Below | n.Vague | n.Swap | n.BitLength | n.Abs | n.Select) -> Value:
        match node:
            case n.Arith(word=word, a=a, b=b):
                x, y = self.word(a), self.word(b)
                self.at(node.span)
                return arith.binary(self.b, word, x, y, _int(a), _int(b))
            case n.Wrap(value=inner):
                return arith.wrap(self.b, self.word(inner), _int(inner), _int(node).type)
            case n.Below(value=inner, limit=limit):
                return self.below(self.word(inner), limit)
            case n.Vague(value=inner) if not node.needed:
                return self.word(inner)
            case n.Vague(value=inner):
                return self._vague(self.word(inner), _int(node))
            case n.Swap(value=inner, bits=bits):
                return self.network(self.word(inner), bits)
            case n.BitLength(value=inner):
                return self._bit_length(self.word(inner), _int(inner))
            case n.Abs(value=inner):
                return arith.magnitude(self.b, self.word(inner), _int(inner))
            case n.Select(test=test, yes=yes, no=no):
                cond, x, y = self.truth(test), self.word(yes), self.word(no)
                self.at(node.span)
                return arith.select(self.b, cond, x, y)
            case _:
                assert_never(node)

    def network(self, word: Value, bits: int) -> Value:
        """The low `bits` bits between the target's byte order and that of the network."""
        if self.unit.order is not NETWORK:
            return self.b.op(f"bswap{bits}", word)
        return word if bits == 64 else self.b.op("and", word, (1 << bits) - 1)

    def _vague(self, word: Value, kind: Int) -> Value:
        """The number, after something that the verifier does not know was added to it, within its bounds again. It stays
        where it is: what follows is to see nothing else."""
        most = kind.hi - kind.lo
        if most >= M64:
            return self.hidden(word)
        some = self.b.op("add", self.hidden(word), -kind.lo)
        inside = arith.select(self.b, self.b.op("ule", some, most), some, Const(most))
        return self.b.op("add", self.below(inside, most + 1), kind.lo)

    def _outside(self, node: n.Load | n.Move | n.Distance | n.Bits | n.CoreInfo | n.MapRef | n.FuncRef | n.Helper | n.Kfunc) -> Value:
        """What comes from memory, from addresses, from the kernel."""
        match node:
            case n.Load():
                return places.load(self, node)
            case n.Move(pointer=pointer, offset=offset):
                base = self.pointer(pointer)
                return self.move(base, self.word(offset))
            case n.Distance(a=a, b=b):
                return self.b.op("ptrdiff", self.pointer(a), self.pointer(b))
            case n.Bits(value=inner):
                return self._bits(self.word(inner), node.kind)
            case n.CoreInfo(what=what, root=root, path=path, local=local):
                return places.core_value(self, (root, places.numbers(root, path)), n.CORE[what], local)
            case n.MapRef(map=map):
                return self.b.op("mapaddr", type=PTR["map"], attr=Symbol(self.unit.map_name(map)))
            case n.FuncRef(function=function):
                return self.b.op("funcaddr", type=PTR["func"], attr=Symbol(self.unit.function(function).name))
            case n.Helper(name=name, args=args, pure=pure, writes=writes):
                words = self.arguments(args)
                self.at(node.span)
                return self.helper(name, words, self.type_of(node.kind), pure, writes)
            case n.Kfunc(name=name, args=args, proto=proto):
                self.unit.types.extern(name, proto)
                words = self.arguments(args)
                self.at(node.span)
                return self.b.op("kfunc", *words, type=self.type_of(node.kind), attr=Kfunc(name), hint=name)
            case _:
                assert_never(node)

    def arguments(self, args: tuple[n.Expr, ...]) -> Words:
        """The words for a call. Addresses that do not depend on anything come last, next to where they are wanted."""
        words = [None if isinstance(a, n.Bytes | n.MapRef | n.FuncRef | n.SlotPlace) else self.argument(a) for a in args]
        return tuple(self.argument(a) if word is None else word for a, word in zip(args, words))

    def argument(self, node: n.Expr) -> Value:
        if node.kind == NONE:
            self.value(node)
            return Const(0)
        return self.word(node)

    def type_of(self, kind: Kind) -> Type:
        if isinstance(kind, Ptr) and kind.region:
            return MAYBE[kind.region] if kind.null else PTR[kind.region]
        return I64

    def _bits(self, word: Value, kind: Kind) -> Value:
        if isinstance(kind, Int | Text) or isinstance(kind, Ptr) and not kind.region:
            return self.b.op("cast", word, type=I64) if word.type.is_ptr else word
        assert isinstance(kind, Ptr)
        return word if word.type.is_ptr else self.b.op("cast", word, type=PTR[kind.region])

    def _cast(self, inner: n.Expr, kind: Kind) -> Words:
        have, words = inner.kind, self.value(inner)
        return self._as(words, have, kind)

    def _as(self, words: Words, have: Kind, kind: Kind) -> Words:
        """The words of a value of one kind as those of another."""
        if isinstance(have, Optional) and not isinstance(kind, Optional):
            if isinstance(kind, Ptr) and kind.null:
                return (arith.select(self.b, words[0], words[1], Const(0)),)
            if kind == NONE:
                return ()
            return tuple(self.sure(w, kind) for w in self._as(words[1:], have.some, kind))
        if isinstance(kind, Optional) and not isinstance(have, Optional):
            if have == NONE:
                return tuple(Const(0) for _ in rep(kind))
            if isinstance(have, Ptr) and have.null:
                return (self.b.op("ne", words[0], 0), *words)
            return (Const(1), *self._as(words, have, kind.some))
        if isinstance(kind, Optional) and isinstance(have, Optional):
            return (words[0], *self._as(words[1:], have.some, kind.some))
        if isinstance(kind, Choice):
            if isinstance(have, Known):
                return (Const(kind.options.index(have)),)
            assert isinstance(have, Choice)
            return (self._renumber(words[0], have, kind),)
        if isinstance(have, Choice) and isinstance(kind, Int):
            return words
        if isinstance(kind, Tuple) and isinstance(have, Tuple):
            out: list[Value] = []
            at = 0
            for a, b in zip(have.items, kind.items):
                size = len(rep(a))
                out += self._as(words[at : at + size], a, b)
                at += size
            return tuple(out)
        if isinstance(kind, Int) and isinstance(have, Known) and isinstance(have.value, int):
            return (Const(signed(int(have.value))),)
        if isinstance(kind, Ptr) and have == NONE:
            return (Const(0),)
        if isinstance(kind, Ptr):
            return tuple(self.sure(w, kind) for w in words)
        return words if rep(kind) else ()

    def _renumber(self, word: Value, have: Choice, kind: Choice) -> Value:
        """An option of a smaller choice as one of a larger: `join` adds at the end, or puts a constant in front."""
        places_ = [kind.options.index(o) for o in have.options]
        if places_ == list(range(len(places_))):
            return word
        result: Value = Const(places_[-1])
        for i in range(len(places_) - 2, -1, -1):
            result = arith.select(self.b, self.b.op("eq", word, i), Const(places_[i]), result)
        return result

    def _item(self, whole: n.Expr, index: int) -> Words:
        words, kind = self.value(whole), whole.kind
        assert isinstance(kind, Tuple)
        start = sum(len(rep(k)) for k in kind.items[:index])
        return words[start : start + len(rep(kind.items[index]))]

    def _bit_length(self, x: Value, a: Int) -> Value:
        """By halving: at most six shifts, each by what a comparison gives."""
        top = max(abs(a.lo), a.hi)
        bits, count = arith.magnitude(self.b, x, a), None
        for step in (32, 16, 8, 4, 2, 1):
            if top < 1 << step:
                continue
            many, few, end = (self.flow.join(w) for w in ("many", "few", "bits"))
            self.flow.branch(self.b.op("uge", bits, signed(1 << step)), many, few)
            now = count if count is not None else Const(0)
            self.flow.enter(many)
            self.flow.goto(end, (self.b.op("shr", bits, step), self.b.op("add", now, step)))
            self.flow.enter(few)
            self.flow.goto(end, (bits, now))
            bits, count = self.flow.enter(end, ("i64", "i64"))
            top = max(top >> step, (1 << step) - 1) if top >= 1 << (2 * step) else top >> step if top >> step else 1
            top = max(top, (1 << step) - 1)
        return self.b.op("add", count if count is not None else Const(0), self.b.op("ne", bits, 0))

    # --- conditions

    def truth(self, node: n.Expr) -> Value:
        """A condition as one word that is not 0 where it holds."""
        match node:
            case n.Compare(word=word, a=a, b=b):
                x, y = self.word(a), self.word(b)
                self.at(node.span)
                if isinstance(a.kind, Int) and isinstance(b.kind, Int):
                    return arith.compare(self.b, word, x, y, a.kind, b.kind)
                return self.b.op(word if word in ("eq", "ne") else "u" + word, x, y)
            case n.IsNone(value=inner):
                return self._none(inner, "eq")
            case n.Not(value=n.IsNone(value=inner)):
                return self._none(inner, "ne")
            case n.Not(value=inner):
                x = self.truth(inner)
                zero_one = isinstance(inner.kind, Int) and inner.kind.lo >= 0 and inner.kind.hi <= 1
                return self.b.op("xor", x, 1) if zero_one else self.b.op("eq", x, 0)
            case n.Seq(body=body, value=inner):
                self.body(body)
                return self.truth(inner)
            case n.Lit(kind=Known(v)):
                return Const(int(bool(v)))
            case _:
                return self.word(node)

    def _none(self, inner: n.Expr, word: str) -> Value:
        words = self.value(inner)
        if isinstance(inner.kind, Optional) and word == "ne":
            return words[0]
        return self.b.op(word, words[0], 0)

    def cond(self, node: n.Expr, yes: Join, no: Join) -> None:
        """End this path: to `yes` if the condition holds."""
        self.at(node.span)
        match node:
            case n.Both(a=a, b=b):
                step = self.flow.join("and")
                self.cond(a, step, no)
                self.flow.enter(step)
                self.cond(b, yes, no)
            case n.Either(a=a, b=b):
                step = self.flow.join("or")
                self.cond(a, yes, step)
                self.flow.enter(step)
                self.cond(b, yes, no)
            case n.Not(value=inner):
                self.cond(inner, no, yes)
            case n.Seq(body=body, value=inner):
                self.body(body)
                self.cond(inner, yes, no)
            case n.IfElse(test=test, yes=first, no=second):
                then, other = self.flow.join("then"), self.flow.join("else")
                self.cond(test, then, other)
                self.flow.enter(then)
                self.cond(first, yes, no)
                self.flow.enter(other)
                self.cond(second, yes, no)
            case n.SameBytes(a=a, b=b, size=size):
                self._same_bytes(a, b, size, yes, no)
            case n.OrderBytes(a=a, b=b, size=size):
                self._order_bytes(a, b, size, yes, no)
            case _:
                self.flow.branch(self.truth(node), yes, no)

    def _decided(self, node: n.Expr) -> Value:
        yes, no, end = (self.flow.join(w) for w in ("true", "false", "end"))
        self.cond(node, yes, no)
        for join, value in (yes, 1), (no, 0):
            self.flow.enter(join)
            self.flow.goto(end, (Const(value),))
        return self.flow.enter(end, ("i64",))[0]

    def _same_bytes(self, a: n.Expr, b: n.Expr, size: int, yes: Join, no: Join) -> None:
        wanted = b.data if isinstance(b, n.Bytes) else None
        left = places.place(self, a)
        right = places.place(self, b) if wanted is None else left
        for at, width in places.pieces(size, *([left] if wanted is not None else [left, right])):
            want: Value = Const(signed(self.unit.order.number(wanted[at : at + width]))) if wanted is not None else \
                self.b.load(right.base, width, right.off + at)
            step = self.flow.join("same")
            self.flow.branch(self.b.op("eq", self.b.load(left.base, width, left.off + at), want), step, no)
            self.flow.enter(step)
        self.flow.goto(yes)

    def _order_bytes(self, a: n.Expr, b: n.Expr, size: int, yes: Join, no: Join) -> None:
        left, right = places.place(self, a), places.place(self, b)
        for at, width in places.pieces(size, left, right):
            x, y = (self.b.load(p.base, width, p.off + at) for p in (left, right))
            if width > 1:
                x, y = self.network(x, width * 8), self.network(y, width * 8)
            differ, step = self.flow.join("differ"), self.flow.join("same")
            self.flow.branch(self.b.op("ne", x, y), differ, step)
            self.flow.enter(differ)
            self.flow.branch(self.b.op("ult", x, y), yes, no)
            self.flow.enter(step)
        self.flow.goto(no)

    def _if_else(self, test: n.Expr, yes: n.Expr, no: n.Expr) -> Words:
        then, other, end = (self.flow.join(w) for w in ("then", "else", "end"))
        self.cond(test, then, other)
        for join, value in (then, yes), (other, no):
            self.flow.enter(join)
            words = self.value(value)
            self.flow.goto(end, words)
        return self.flow.enter(end, rep(yes.kind))

    # --- calls

    def _call(self, node: n.Call) -> Words:
        callee = self.unit.function(node.function)
        args = [w for a in node.args for w in self.value(a)]
        self.at(node.span)
        caught = node.function.aborts and self.catches
        words = self.b.call(callee, args, caught=caught, hint=node.function.name)
        if caught:
            flag, *words = words
            go_on = self.flow.join("ok")
            self.flow.branch(flag, self.abort_join(), go_on)
            self.flow.enter(go_on)
        count = len(rep(node.kind))
        for local, word in zip(node.cursors, words[count:]):
            self.flow.env[local] = (word,)
        return tuple(words[:count])

    def below(self, word: Value, limit: int) -> Value:
        """A number that has been tested, in the form in which no pass forgets it."""
        return word if isinstance(word, Const) else self.b.op("below", word, type=I64, attr=Limit(limit))

    def guard(self, cond: Value) -> None:
        """Go on only if `cond` is not 0."""
        go_on = self.flow.join("ok")
        self.flow.branch(cond, go_on, self.abort_join())
        self.flow.enter(go_on)


def _int(node: n.Expr) -> Int:
    assert isinstance(node.kind, Int)
    return node.kind
