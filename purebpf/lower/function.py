"""One function of the tree to IR: statements and values. No diagnostics, no guesses: the tree has decided everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, assert_never, cast

from ..dsl.ints import TYPES
from ..errors import Span
from ..ir.builder import Builder
from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import TABLE, Data, Helper, Kfunc, Slot, Symbol, signed
from ..ir.types import I64, MAYBE, PTR, VOID, Type
from ..tree import nodes as n
from ..tree.kinds import NONE, Agg, Choice, Const as Known, Context, Cursor, Int, Kind, Optional, Ptr, Text, Tuple, rep
from ..tree.walk import assigned
from ..uapi.helpers import IDS
from . import arith, places
from .flow import Flow, Join, Words

if TYPE_CHECKING:
    from .module import Lowered

ALIGN = 8


class Open(NamedTuple):
    """A loop, a block or a callback's body that statements inside can leave."""

    scopes: int
    again: Join | None
    done: Join


class Lowering:
    """Lowers one function."""

    def __init__(self, unit: Lowered, fn: Function, tree: n.Function) -> None:
        self.unit, self.fn, self.tree = unit, fn, tree
        self.b = Builder(fn)
        self.flow = Flow(self.b)
        self.slots: dict[n.Slot, Value] = {}
        self.scopes: list[n.Scope] = []
        self.open: dict[n.Stmt, Open] = {}
        self.aborts: list[tuple[Join, tuple[n.Scope, ...]]] = []
        self.allocas = 0
        self.result_types: tuple[Type, ...] = ()
        self.callback: CallbackExit | None = None

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

    def opaque(self, word: Value) -> Value:
        """A number in a form that the verifier does not see through: rounds of a loop that start from it look alike."""
        if not isinstance(word, Const):
            return word
        section, off = self.unit.data.zero()
        zero = self.b.load(self.b.op("dataaddr", type=PTR["data"], attr=Data(section, off)), 8)
        return self.b.op("add", zero, word)

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
            case n.Arith(word=word, a=a, b=b):
                x, y = self.word(a), self.word(b)
                self.at(node.span)
                return (arith.binary(self.b, word, x, y, _int(a), _int(b)),)
            case n.Wrap(value=inner, kind=Int(type=type)):
                return (arith.wrap(self.b, self.word(inner), _int(inner), type),)
            case n.Swap(value=inner, bits=bits):
                return (self.b.op(f"bswap{bits}", self.word(inner)),)
            case n.BitLength(value=inner):
                return (self._bit_length(self.word(inner), _int(inner)),)
            case n.Abs(value=inner):
                return (arith.magnitude(self.b, self.word(inner), _int(inner)),)
            case n.Compare() | n.IsNone() | n.Not():
                return (self.truth(node),)
            case n.SameBytes() | n.OrderBytes() | n.Both() | n.Either():
                return (self._decided(node),)
            case n.IfElse(test=test, yes=yes, no=no):
                return self._if_else(test, yes, no)
            case n.Select(test=test, yes=yes, no=no):
                cond, x, y = self.truth(test), self.word(yes), self.word(no)
                self.at(node.span)
                return (arith.select(self.b, cond, x, y),)
            case n.Seq(body=body, value=inner):
                self.body(body)
                return self.value(inner)
            case n.Load():
                word = places.load(self, value)
                return (word,)
            case n.Move(pointer=pointer, offset=offset):
                base = self.pointer(pointer)
                return (self.move(base, self.word(offset)),)
            case n.Distance(a=a, b=b):
                return (self.b.op("ptrdiff", self.pointer(a), self.pointer(b)),)
            case n.Bits(value=inner):
                return (self._bits(self.word(inner), node.kind),)
            case n.CoreInfo(what=what, root=root, path=path, local=local):
                return (places.core_value(self, (root, path), n.CORE[what], local),)
            case n.MapRef(map=map):
                return (self.b.op("mapaddr", type=PTR["map"], attr=Symbol(self.unit.map_name(map))),)
            case n.Helper(name=name, args=args, pure=pure, writes=writes):
                words = self.arguments(args)
                self.at(node.span)
                return (self.helper(name, words, self.type_of(node.kind), pure, writes),)
            case n.Kfunc(name=name, args=args):
                words = self.arguments(args)
                self.at(node.span)
                return (self.b.op("kfunc", *words, type=self.type_of(node.kind), attr=Kfunc(name), hint=name),)
            case n.Call():
                return self._call(value)
            case n.Record() | n.Row() | n.Filled():
                raise AssertionError("a struct value without a place")
            case (n.Deref() | n.Member() | n.Element() | n.At() | n.GlobalPlace() | n.SlotPlace() | n.Bytes() | n.CtxPlace()
                  | n.Temp()):
                return (places.address(self, places.place(self, node)),)
            case _:
                assert_never(value)

    def arguments(self, args: tuple[n.Expr, ...]) -> Words:
        """The words for a call. Addresses that do not depend on anything come last, next to where they are wanted."""
        words = [None if isinstance(a, n.Bytes | n.MapRef | n.SlotPlace) else self.argument(a) for a in args]
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
        for at, width in places.pieces(left, size) if wanted is not None else places._together(left, right, size):
            want: Value = Const(signed(int.from_bytes(wanted[at : at + width], "little"))) if wanted is not None else \
                self.b.load(right.base, width, right.off + at)
            step = self.flow.join("same")
            self.flow.branch(self.b.op("eq", self.b.load(left.base, width, left.off + at), want), step, no)
            self.flow.enter(step)
        self.flow.goto(yes)

    def _order_bytes(self, a: n.Expr, b: n.Expr, size: int, yes: Join, no: Join) -> None:
        left, right = places.place(self, a), places.place(self, b)
        for at, width in places._together(left, right, size):
            x, y = (self.b.load(p.base, width, p.off + at) for p in (left, right))
            if width > 1:
                x, y = self.b.op(f"bswap{width * 8}", x), self.b.op(f"bswap{width * 8}", y)
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
        caught = node.function.aborts and (bool(self.scopes) or self.callback is not None)
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

    # --- statements

    def body(self, body: Iterable[n.Stmt]) -> None:
        for stmt in body:
            if not self.flow.reachable:
                return
            self.statement(stmt)

    def statement(self, node: n.Stmt) -> None:
        self.at(node.span)
        stmt = cast("n.Statement", node)
        match stmt:
            case n.Set(local=local, value=value):
                self.flow.env[local] = self.value(value)
            case n.Eval(value=value):
                if isinstance(value.kind, Agg):
                    return  # a struct value that nobody takes: its parts have no effects of their own
                self.value(value)
            case n.Store(place=place, value=value):
                self._store(place, value)
            case n.AtomicOp():
                places.atomic(self, stmt)
            case n.If(test=test, body=body, orelse=orelse):
                self._if(test, body, orelse)
            case n.Loop():
                self._loop(stmt)
            case n.Each():
                from . import callbacks

                callbacks.each(self, stmt)
            case n.Block(body=body):
                done = self.flow.join("done")
                self.open[stmt] = Open(len(self.scopes), None, done)
                self.body(body)
                self.flow.goto(done)
                self.flow.enter(done)
            case n.Break(loop=loop, moves=moves):
                self._leave(loop, moves, again=False)
            case n.Continue(loop=loop, moves=moves):
                self._leave(loop, moves, again=True)
            case n.Return():
                self._return(stmt)
            case n.Guard(test=test):
                go_on = self.flow.join("ok")
                self.cond(test, go_on, self.abort_join())
                self.flow.enter(go_on)
            case n.Scope():
                self.scopes.append(stmt)
                self.body(stmt.body)
                self.scopes.pop()
                self.body(stmt.close)
            case _:
                assert_never(stmt)

    def _store(self, place: n.Expr, value: n.Expr) -> None:
        if isinstance(value.kind, Agg) or isinstance(value, n.Bytes) or isinstance(place.kind, Ptr) and places._is_whole_target(place.kind):
            places.store(self, places.place(self, place), value)
            return
        word = self.word(value)
        there = places.place(self, place)
        places.store_word(self, there, word)

    def _if(self, test: n.Expr, body: list[n.Stmt], orelse: list[n.Stmt]) -> None:
        yes, no, end = (self.flow.join(w) for w in ("then", "else", "endif"))
        self.cond(test, yes, no)
        for join, stmts in (yes, body), (no, orelse):
            self.flow.enter(join)
            self.body(stmts)
            self.flow.goto(end)
        self.flow.enter(end)

    def guard(self, cond: Value) -> None:
        """Go on only if `cond` is not 0."""
        go_on = self.flow.join("ok")
        self.flow.branch(cond, go_on, self.abort_join())
        self.flow.enter(go_on)

    def abort_join(self) -> Join:
        """Where a path goes on which the program gives up: what is open is closed, then it ends."""
        now = tuple(self.scopes)
        for join, scopes in self.aborts:
            if scopes == now:
                return join
        join = self.flow.join("abort")
        self.aborts.append((join, now))
        return join

    def _leave(self, loop: n.Stmt, moves: list[n.Stmt], again: bool) -> None:
        target = self.open[loop]
        self._close(target.scopes)
        self.body(moves)
        join = target.again if again else target.done
        assert join is not None
        self.flow.goto(join)

    def _close(self, depth: int) -> None:
        """Close the scopes that are left, innermost first."""
        scopes = self.scopes
        for i in range(len(scopes) - 1, depth - 1, -1):
            self.scopes = scopes[:i]
            self.body(scopes[i].close)
        self.scopes = scopes

    def _return(self, node: n.Return) -> None:
        words = self.value(node.value)
        cursors = [w for cur in node.cursors for w in self.value(cur)]
        self._close(0)
        self.at(node.span)
        if self.callback is not None:
            self.callback.leave(self, (*words, *cursors))
        elif self.flow.reachable:
            self.b.ret(*words, *cursors)

    # --- loops

    def _loop(self, node: n.Loop) -> None:
        head = self.open_loop(node)
        again, done, inside, over = (self.flow.join(w) for w in ("again", "done", "body", "over"))
        self.open[node] = Open(len(self.scopes), again, done)
        if node.test is None:
            self.flow.goto(inside)
        else:
            self.cond(node.test, inside, over)
        self.flow.enter(inside)
        if node.granted:
            go_on = self.flow.join("granted")
            self.flow.may(go_on, self.abort_join())
            self.flow.enter(go_on)
        self.body(node.body)
        self.flow.goto(again)
        self.flow.enter(again)
        self.body(node.step)
        self.close_loop(head)
        self.flow.enter(over)
        self.body(node.orelse)
        self.flow.goto(done)
        self.flow.enter(done)

    def open_loop(self, node: n.Stmt) -> tuple[Block, dict[n.Local, list[Param]]]:
        """Enter the head of a loop: what it sets are parameters there."""
        block = self.b.new_block("loop")
        edge = Edge(block)
        params: dict[n.Local, list[Param]] = {}
        for local in assigned(node):
            words = self.flow.env.get(local)
            if words is None or not words:
                continue
            if getattr(node, "granted", False):
                words = tuple(self.opaque(w) if region == "i64" else w for w, region in zip(words, local.rep))
            params[local] = [Param(head_type(word, kind), local.name) for word, kind in zip(words, local.rep)]
            block.params += params[local]
            edge.args += words
        assert self.b.block is not None
        self.b.block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), self.b.span))
        self.b.place(block)
        self.flow.env.update({local: tuple(ps) for local, ps in params.items()})
        return block, params

    def close_loop(self, head: tuple[Block, dict[n.Local, list[Param]]]) -> None:
        """The back edge."""
        if self.b.block is None:
            return
        block, params = head
        edge = Edge(block)
        for local in params:
            edge.args += self.flow.env[local]
        self.b.block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), self.b.span))
        self.b.block = None

    # --- the whole

    def run(self) -> None:
        """Lower the body, then the ways out by which the program gives up."""
        self.body(self.tree.body)
        if self.flow.reachable:
            self.b.unreachable()
        self.finish()

    def finish(self) -> None:
        for join, scopes in self.aborts:  # closing a scope may add another one
            self.flow.enter(join)
            if not self.flow.reachable:
                continue
            self.at(self.tree.span)
            self.scopes = []
            for scope in reversed(scopes):
                self.body(scope.discard)
            if self.callback is not None:
                self.callback.abort(self)
            elif self.flow.reachable:
                self.b.abort()


class CallbackExit:
    """How `return` and giving up leave a body that the kernel calls."""

    def leave(self, f: Lowering, words: Words) -> None:
        raise NotImplementedError

    def abort(self, f: Lowering) -> None:
        raise NotImplementedError


def head_type(word: Value, region: str) -> Type:
    """The type of a variable at a loop's head, before it is known what comes round: a pointer may be null."""
    if region == "i64":
        return I64
    return PTR[region] if region in ("stack", "packet", "packet_end", "packet_meta", "ctx", "data") else MAYBE[region]


def _int(node: n.Expr) -> Int:
    assert isinstance(node.kind, Int)
    return node.kind


__all__ = ["Context", "Cursor", "Lowering", "TYPES"]
