"""One function of the tree to IR: statements and values. No diagnostics, no guesses: the tree has decided everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, assert_never, cast

from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import TABLE
from ..ir.types import I64, MAYBE, PTR, VOID, Type
from ..tree import nodes as n
from ..tree.kinds import Agg, Ptr
from ..tree.hiding import deciding, hidden_at_start, hidden_in_rounds
from ..tree.walk import assigned, walk
from . import places
from .env import Words
from .flow import Join
from .values import Values

if TYPE_CHECKING:
    from .module import Lowered

ALIGN = 8
ROUNDS = 1 << 23  # that a loop which is granted its rounds goes at most


PACKET = 0xF000  # bytes into a packet from where a round begins; the verifier follows to 0xFFFF


class Head:
    """The head of a loop: its block, for each variable its parameters, for words that come round as a distance what
    that is measured from, and which numbers come round as unknown ones."""

    __slots__ = ("block", "params", "bases", "vague")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.params: dict[n.Local, list[Param]] = {}
        self.bases: dict[n.Local, list[Value | None]] = {}
        self.vague: set[n.Local] = set()


class Open(NamedTuple):
    """A loop, a block or a callback's body that statements inside can leave."""

    scopes: int
    again: Join | None
    done: Join


class Lowering(Values):
    """Lowers one function."""

    def __init__(self, unit: Lowered, fn: Function, tree: n.Function) -> None:
        super().__init__(unit, fn, tree)
        self.scopes: list[n.Scope] = []
        self.open: dict[n.Stmt, Open] = {}
        self.aborts: list[tuple[Join, tuple[n.Scope, ...]]] = []
        self.callback: CallbackExit | None = None

    @cached_property
    def deciding(self) -> set[n.Local]:
        return deciding(self.tree.body)

    @property
    def catches(self) -> bool:
        return bool(self.scopes) or self.callback is not None

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
            case n.Set(value=n.Vague(value=n.Get(local=local))) if local not in self.flow.env:
                pass  # not set on every path to here: nobody reads it
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
        target = self.open.get(loop)
        if target is None:
            assert self.callback is not None
            self._close(0)
            self.body(moves)
            self.callback.go_out(self, loop)
            return
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
        from . import callbacks, numbered

        form = self.unit.form if node.granted else ""
        if form == "called":
            callbacks.called(self, node)
        elif form == "numbered":
            numbered.loop(self, node)
        else:
            self.loop(node, self.may if form else None)

    def may(self, go_on: Join) -> None:
        """To `go_on` while the kernel grants another round; else the program is given up."""
        self.flow.may(go_on, self.abort_join())

    def loop(self, node: n.Loop, grant: Callable[[Join], None] | None) -> None:
        """A loop in place. `grant` asks for every round."""
        head = self.open_loop(node)
        again, done, inside, over = (self.flow.join(w) for w in ("again", "done", "body", "over"))
        self.open[node] = Open(len(self.scopes), again, done)
        if node.test is None:
            self.flow.goto(inside)
        else:
            self.cond(node.test, inside, over)
        self.flow.enter(inside)
        if grant is not None:
            go_on = self.flow.join("granted")
            grant(go_on)
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

    def open_loop(self, node: n.Loop) -> Head:
        """Enter the head of a loop: what it sets are parameters there. Where rounds are granted, two of them must look the
        same to the verifier: numbers begin as ones of which it knows nothing, and a packet pointer that moves comes round as
        its distance from where it was before the loop. Of the numbers of another loop those begin so that a round changes by
        one way or by another: all their values would be states of their own."""
        head = Head(self.b.new_block("loop"))
        edge = Edge(head.block)
        rides = node.granted and not refetches(node)
        vague, head.vague = hidden_at_start(node, self.deciding), hidden_in_rounds(node, self.deciding)
        for local in assigned(node):
            words = self.flow.env.get(local)
            if words is None or not words:
                continue
            if local in vague:
                words = tuple(self.hidden(w) if region == "i64" else w for w, region in zip(words, local.rep))
            head.bases[local] = [w if rides and region == "packet" and w.type.region == "packet" else None
                                 for w, region in zip(words, local.rep)]
            words = tuple(w if base is None else self.hidden(Const(0)) for w, base in zip(words, head.bases[local]))
            head.params[local] = [Param(I64 if base is not None else head_type(word, kind), local.name)
                                  for word, kind, base in zip(words, local.rep, head.bases[local])]
            head.block.params += head.params[local]
            edge.args += words
        assert self.b.block is not None
        self.b.block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), self.b.span))
        self.b.place(head.block)
        for local, bases in head.bases.items():
            self.flow.env[local] = tuple(p if base is None else base for p, base in zip(head.params[local], bases))
        for local, bases in head.bases.items():
            self.flow.env[local] = tuple(p if base is None else self.moved(base, p) for p, base in zip(head.params[local], bases))
        return head

    def moved(self, base: Value, distance: Value) -> Value:
        """A packet pointer so far behind another; no packet is longer than the verifier follows."""
        self.guard(self.b.op("ult", distance, PACKET))
        return self.move(base, self.below(distance, PACKET))

    def close_loop(self, head: Head) -> None:
        """The back edge."""
        if self.b.block is None:
            return
        edge = Edge(head.block)
        for local, bases in head.bases.items():
            words = self.flow.env[local]
            if local in head.vague:
                words = tuple(self.hidden(w) if region == "i64" else w for w, region in zip(words, local.rep))
            edge.args += tuple(w if base is None else self.b.op("ptrdiff", w, base) for w, base in zip(words, bases))
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
            self.flow.enter(join, forget=not scopes)
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

    def go_out(self, f: Lowering, target: n.Stmt) -> None:
        raise NotImplementedError


def head_type(word: Value, region: str) -> Type:
    """The type of a variable at a loop's head, before it is known what comes round: a pointer may be null."""
    if region == "i64":
        return I64
    return PTR[region] if region in ("stack", "packet", "packet_end", "packet_meta", "ctx", "data") else MAYBE[region]


def refetches(node: n.Stmt) -> bool:
    """Does the loop take the packet's edges anew? Then what was a pointer into it before may be none."""
    return any(isinstance(one, n.Load) and isinstance(one.kind, Ptr) and one.kind.region.startswith("packet") for one in walk(node))
