"""One function of the tree to IR: statements and values. No diagnostics, no guesses: the tree has decided everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, assert_never, cast

from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import TABLE
from ..ir.types import I64, MAYBE, PTR, VOID, Type
from ..tree import nodes as n
from ..tree.kinds import Agg, Ptr
from ..tree.walk import assigned, places_of, read, sources, walk
from . import places
from .flow import Join, Words
from .values import Values

if TYPE_CHECKING:
    from .module import Lowered

ALIGN = 8


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
        # Numbers begin as ones of which the verifier knows nothing, so that two rounds look the same to it. A packet
        # pointer that moves never lets them; then a counter with a limit is what ends its walk.
        moves = any("packet" in local.rep and self.flow.env.get(local) for local in assigned(node))
        counters = _limited(node) if moves else set()
        followed = _followed(node) if isinstance(node, n.Loop) and node.granted else set()
        for local in assigned(node):
            words = self.flow.env.get(local)
            if words is None or not words:
                continue
            if isinstance(node, n.Loop) and node.granted and local not in counters:
                words = tuple(self.opaque(w) if region == "i64" and (isinstance(w, Const) or local in followed) else w
                              for w, region in zip(words, local.rep))
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


def _followed(node: n.Loop) -> set[n.Local]:
    """The variables whose range the verifier follows from round to round: those that the loop's test orders, and those that
    places are computed from."""
    nodes = [one for stmt in node.body for one in walk(stmt)]
    ordered = [one for one in (walk(node.test) if node.test is not None else ()) if isinstance(one, n.Compare) and one.word not in ("eq", "ne")]
    return sources([one for one in nodes if isinstance(one, n.Set)], places_of(nodes)) | {local for one in ordered for local in read(one)}


def _limited(node: n.Stmt) -> set[n.Local]:
    """The variables that a loop's own test compares with a constant."""
    found: set[n.Local] = set()
    for one in walk(node.test) if isinstance(node, n.Loop) and node.test is not None else ():
        if isinstance(one, n.Compare) and one.word not in ("eq", "ne") and any(isinstance(x, n.Number) for x in (one.a, one.b)):
            found.update(read(one))
    return found
