"""What the checking of one function knows: where it is, what its variables are on this path, how to report and emit.

An expression's check gives a node; statements that it needs on the way (`emit`) land in front of just that node, so that
the tree's order is Python's. Every path has its own `env`; where paths meet, `merge` makes one of several, putting moves
at the ends of the paths where a variable is represented differently.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ..dsl.layout import Layout
from ..errors import CompileError, Diagnostic, Span
from ..tree.convert import coerce
from ..tree.kinds import Broken, Const, Kind, Optional, Ptr, Resource, describe, is_callable, join, mapped, rep
from ..tree.nodes import Block, Break, Each, Eval, Expr, Function, Get, Lit, Local, Loop, Return, Seq, Set, Slot, SlotPlace, Stmt, Undef, Vague
from .source import Source

if TYPE_CHECKING:
    from ..dsl.maps import Map
    from ..uapi.callees import Callee
    from .unit import Unit


class Binding(NamedTuple):
    """What a name stands for on a path. `local` is None where there is nothing to hold at run time."""

    local: Local | None
    kind: Kind


Env = dict[str, Binding]


class Path(NamedTuple):
    """The end of a path into a join: what is known there, and where moves go."""

    env: Env
    held: frozenset[Resource]
    moves: list[Stmt]


class Target:
    """Where `break` and `continue` of a loop, or `return` of an inlined function, lead."""

    __slots__ = ("loop", "breaks", "continues")

    def __init__(self, loop: Loop | Each | Block) -> None:
        self.loop = loop
        self.breaks: list[Path] = []
        self.continues: list[Path] = []


class Frame:
    """One Python function: the one being checked, or a nested one whose body stands in its place. `outer`: the frame whose
    variables a nested function sees."""

    __slots__ = ("source", "declared", "globals", "nonlocals", "loops", "key", "outer", "result", "function")

    def __init__(self, source: Source, key: int = 0, outer: Frame | None = None, result: Target | None = None) -> None:
        self.source, self.key, self.outer, self.result = source, key, outer, result
        self.declared: dict[str, Layout] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.loops: list[Target] = []
        self.function: Function | None = None  # the one whose variables hold this frame's


class Closure:
    """A nested function or lambda as a value: its syntax, the frame it was made in, the variables that hold its defaults."""

    __slots__ = ("source", "frame", "defaults")

    def __init__(self, source: Source, frame: Frame | None, defaults: dict[str, str]) -> None:
        self.source, self.frame, self.defaults = source, frame, defaults

    @property
    def __name__(self) -> str:
        return self.source.name


class Effects:
    """What calling a function does to its caller's values. `released`: parameters given back; `overwritten`: (parameter,
    lo, hi) bytes that another value has replaced; `calls`, `sleeps`: something outside that it calls, and that may sleep;
    `callees`: the kernel's functions that it calls which not every program may, `maps`: the maps that it uses, and where."""

    __slots__ = ("moves_packet", "released", "overwritten", "writes", "calls", "sleeps", "callees", "maps")

    def __init__(self) -> None:
        self.moves_packet = False
        self.writes = False
        self.calls = self.sleeps = ""
        self.released: set[str] = set()
        self.overwritten: set[tuple[str, int, int]] = set()
        self.callees: dict[Callee, Span] = {}
        self.maps: dict[Map, Span] = {}


class Checker:
    """Checks one function. `handlers` are the tables of expressions and statements."""

    def __init__(self, unit: Unit, function: Function, frame: Frame) -> None:
        self.unit, self.function, self.frame = unit, function, frame
        frame.function = function
        self.env: Env | None = {}
        self.held: frozenset[Resource] = frozenset()
        self.out: list[Stmt] = function.body
        self.node: ast.AST = frame.source.node
        self.returns: list[tuple[Return, Path]] = []
        self.effects = Effects()
        self.hook: str = ""  # the section of the program this is part of
        self.entered: ast.expr | None = None  # what a 'with' is about to hold
        self.ctx: Expr | None = None
        self.sleeps: bool | None = None  # may it sleep? None: as the hook says
        self.slots: dict[tuple[str, Layout], Slot] = {}
        self.trail: list[Slot] = []  # all memory of the frame in the order in which it is asked for,
        self.asked = 0  # and how many of it: another round of a loop asks for the same again
        self.inlined = 0
        self.kept: set[int] = set()  # keys of frames that have been left, and that a nested function still sees
        self.sections: tuple[str, ...] = ()  # of `sections.NAMES`, the innermost last
        self.fixed: set[Local] = set()  # those that `hold` has made: set once
        self.vague = False  # has a number been made vague?
        self.cursors: list[str] = []  # variables of cursors that came as parameters

    # --- where we are

    @property
    def reachable(self) -> bool:
        return self.env is not None

    def span(self, node: ast.AST | Span | None = None) -> Span:
        if isinstance(node, Span):
            return node
        return self.frame.source.span(node if node is not None and hasattr(node, "lineno") else self.node)

    def at(self, node: ast.AST) -> None:
        if hasattr(node, "lineno"):
            self.node = node

    def error(self, code: str, message: str, node: ast.AST | Span | None = None, *, label: str = "", help: str = "",
              notes: Iterable[tuple[Span, str]] = ()) -> CompileError:
        """A CompileError at `node` (or at a value's span), to be raised."""
        called = tuple((site, f"called from here, in {caller}()") for site, caller in reversed(self.unit.call_sites))
        return CompileError([Diagnostic(code, message, self.span(node), label, help, (*notes, *called))])

    def unsupported(self, what: str, node: ast.AST, help: str = "") -> NoReturn:
        raise self.error("unsupported", f"{what} is not part of the language", node, help=help)

    def mismatch(self, what: str, kind: Kind, node: ast.AST | Span, help: str = "") -> CompileError:
        """A type error: `what` is wanted, `kind` is there."""
        if isinstance(kind, Broken) and not kind.code:
            return CompileError([])  # already reported
        if not help and isinstance(kind, Const) and is_callable(kind.value):
            help = f"call it: '{self.frame.source.text_at(self.span(node))}()'"
        return self.error("type-mismatch", f"{what}, not {describe(kind)}", node, help=help)

    # --- nodes

    def emit(self, stmt: Stmt) -> None:
        """A statement happens here."""
        self.out.append(stmt)
        if type(stmt) is Set and type(stmt.value) is Vague:
            self.vague = True

    def expr(self, node: ast.expr) -> Expr:
        """Check an expression."""
        return self._around(node, self.unit.tables.expr)

    def place(self, node: ast.expr) -> Expr:
        """Check an expression that names memory: what stands there is not read."""
        return self._around(node, self.unit.tables.place)

    def _around(self, node: ast.expr, check: Callable[[Checker, ast.expr], Expr]) -> Expr:
        outer, self.out = self.out, []
        before, self.node = self.node, node
        try:
            value = check(self, node)
            if isinstance(value.kind, Const) and not isinstance(value, Lit | Seq):
                self.emit(Eval(value.span, value))
                value = Lit(value.span, value.kind.value)
            return Seq(self.span(node), self.out, value) if self.out else value
        finally:
            self.out, self.node = outer, before

    def lit(self, value: Any, node: ast.AST | None = None, *of: Expr) -> Lit:
        """A constant; `of` what it was computed from."""
        return Lit(self.span(node), value, all(getattr(o, "written", True) for o in of))

    # --- variables

    def key(self, name: str, frame: Frame | None = None) -> str:
        """The name that a variable of a frame has in `env`."""
        frame = frame or self.frame
        return f"{name}@{frame.key}" if frame.key else name

    def find(self, name: str) -> str | None:
        """The `env` key that a name refers to: a variable of this frame, or of one around it; None for a global name."""
        frame: Frame | None = self.frame
        while frame is not None:
            if name in frame.globals:
                return None
            if name in self.unit.locals_of(frame.source) and name not in frame.nonlocals:
                if frame.function is not self.function:
                    raise self.outlives(frame, self.node)
                return self.key(name, frame)
            frame = frame.outer
        return None

    def outlives(self, frame: Frame, node: ast.AST) -> CompileError:
        """A nested function is used where the variables that it sees are not."""
        return self.error("outlives", f"this function outlives {frame.source.name}(), whose variables it uses", node,
                          help=f"drop @bpf.func from {frame.source.name}(): of a plain function the variables are kept")

    def read(self, key: str, node: ast.AST) -> Expr:
        """A variable's value."""
        assert self.env is not None
        binding = self.env[key]
        if isinstance(binding.kind, Broken) and binding.kind.code:
            broken = binding.kind
            raise self.error(broken.code, broken.message, node, help=broken.help, notes=broken.notes)
        return held(binding, self.span(node))

    def bind(self, key: str, value: Expr, name: str = "") -> None:
        """A variable gets a value, which stands in a local of the right shape."""
        assert self.env is not None
        kind = value.kind
        old = self.env.get(key)
        words = rep(kind)
        local = old.local if old is not None and old.local is not None and old.local.rep == words else None
        if local is None:
            local = Local(name or key, words)
        if words or isinstance(value, Seq) or has_effects(value):
            self.emit(Set(self.span(), local, value))
        self.env[key] = Binding(local, kind)

    def flat(self, value: Expr) -> Expr:
        """What is known of the value without the statements that lead to it, which happen here."""
        while isinstance(value, Seq):
            self.out += value.body
            value = value.value
        return value

    def drop(self, value: Expr) -> None:
        """The expression happens here, though its value is known or not wanted."""
        if has_effects(value):
            self.emit(Eval(value.span, value))

    def happened(self, value: Expr) -> Expr:
        """The value; if it is known now, what computing it does happens here, and the rest is a literal."""
        if not isinstance(value.kind, Const) or not has_effects(value):
            return value
        self.drop(value)
        return Lit(value.span, value.kind.value, False)

    def hold(self, value: Expr, name: str = "$t") -> Expr:
        """The value, evaluated here and now, to be used several times."""
        if isinstance(value, Lit) or isinstance(value, Get) and value.local in self.fixed:
            return value
        local = Local(name, rep(value.kind))
        self.fixed.add(local)
        self.emit(Set(value.span, local, value))
        return Get(value.span, value.kind, local)

    def slot(self, layout: Layout, name: str = "") -> SlotPlace:
        """Fresh memory in the frame: a place."""
        from ..tree.kinds import Origin  # the type, where it is made

        if self.asked == len(self.trail) or self.trail[self.asked].layout != layout:
            self.trail[self.asked:] = [Slot(name, layout)]
        slot = self.trail[self.asked]
        self.asked += 1
        return SlotPlace(self.span(), Ptr(layout, "stack", fresh=True, origin=frozenset((Origin(slot, 0, layout.size),))), slot)

    # --- paths

    def path(self) -> Path | None:
        """The end of the current path."""
        return Path(self.env, self.held, self.out) if self.env is not None else None

    def fork(self, env: Env | None, held: frozenset[Resource], check: Callable[[], None]) -> tuple[list[Stmt], Path | None]:
        """Check a branch that starts with `env`: its statements, and its end if it has one."""
        outer, self.out = self.out, []
        self.env, self.held = dict(env) if env is not None else None, held
        try:
            check()
            return self.out, self.path()
        finally:
            self.out = outer

    def merge(self, paths: Iterable[Path | None]) -> None:
        """Go on where the paths meet."""
        there = [p for p in paths if p is not None]
        if not there:
            self.env = None
            return
        self.held = frozenset().union(*(p.held for p in there))
        if len(there) == 1:
            self.env = dict(there[0].env)
            return
        first = there[0].env
        env = dict(first)
        others = [p.env for p in there[1:]]
        new = dict.fromkeys(name for other in others for name in other if name not in first)
        for name in (*differing(first, others), *new):
            merged = self._merge(name, [p.env.get(name) for p in there], there)
            if merged is not None:
                env[name] = merged
            else:
                env.pop(name, None)
        self.env = env

    def _merge(self, name: str, bindings: list[Binding | None], paths: list[Path]) -> Binding | None:
        known = [b for b in bindings if b is not None]
        shown = name.split("@")[0]
        if len(known) < len(bindings):
            if int(name.partition("@")[2] or 0) in self.kept:  # the nested function that sees it comes from the other paths
                return self._partly(shown, bindings, paths)
            if name.startswith("$"):
                return None
            broken = next((b.kind for b in known if isinstance(b.kind, Broken)), None)
            return Binding(None, broken or Broken("unassigned", f"{shown!r} is not assigned on every path to here",
                                                  "give it a value before the branch"))
        kind = known[0].kind
        for binding in known[1:]:
            kind = join(kind, binding.kind, shown)
        room = self.unit.tables.common_room([b.kind for b in known]) if isinstance(kind, Broken | Ptr) else 0
        return self._roomy(shown, room, known, paths) if room else self.settle(shown, kind, known, paths)

    def _partly(self, name: str, bindings: list[Binding | None], paths: list[Path]) -> Binding:
        """A variable that is only wanted where it has been assigned."""
        known = [b for b in bindings if b is not None]
        kind = known[0].kind
        for binding in known[1:]:
            kind = join(kind, binding.kind, name)
        merged = self.settle(name, kind, known, [p for b, p in zip(bindings, paths) if b is not None])
        for there, path in zip(bindings, paths):
            if there is None and merged.local is not None and merged.local.rep:
                path.moves.append(Set(self.span(), merged.local, Undef(self.span(), merged.kind)))
        return merged

    def _roomy(self, name: str, room: int, bindings: list[Binding], paths: list[Path]) -> Binding:
        """A variable that is text of different room on the paths: it gets memory for all of them."""
        local, kind = Local(name, ("stack",)), None
        for binding, path in zip(bindings, paths):
            text = self.unit.tables.roomy(self, held(binding, self.span()), room, self.node)
            kind = kind or text.kind
            path.moves.append(Set(self.span(), local, text))
        assert isinstance(kind, Ptr)
        origin = frozenset().union(*(p.moves[-1].value.kind.origin for p in paths))  # type: ignore[attr-defined]  # set in the loop
        return Binding(local, kind._replace(origin=origin, fresh=False))

    def settle(self, name: str, kind: Kind, bindings: list[Binding], paths: list[Path]) -> Binding:
        """One local for a variable of `kind` that comes in as `bindings` on `paths`."""
        words = rep(kind)
        local = bindings[0].local
        if isinstance(kind, Broken):
            return Binding(None, kind)
        if all(b.local is local for b in bindings) and local is not None and local.rep == words:
            return Binding(local, kind)
        local = Local(name, words)
        for binding, path in zip(bindings, paths):
            if words:
                path.moves.append(Set(self.span(), local, coerce(held(binding, self.span()), kind)))
        return Binding(local, kind)

    def leave(self, target: Target, stmt: Break) -> None:
        """End this path at a `break`."""
        self.emit(stmt)
        assert self.env is not None
        target.breaks.append(Path(self.env, self.held, stmt.moves))
        self.env = None

    def change(self, affects: Callable[[Kind], bool], become: Callable[[str, Kind], Broken]) -> None:
        """Variables with a part that is affected become unusable."""
        if self.env is None:
            return
        for name, binding in list(self.env.items()):
            hit: list[Kind] = []

            def look(kind: Kind, hit: list[Kind] = hit) -> Kind:
                if affects(kind):
                    hit.append(kind)
                return kind

            mapped(binding.kind, look)
            if hit:
                self.env[name] = Binding(None, become(name.split("@")[0], hit[0]))


def differing(first: Env, others: Iterable[Env]) -> list[str]:
    """The variables of `first` that are not the same in all others, in their order."""
    changed: set[str] = set()
    for other in others:
        get = other.get
        changed.update([name for name, binding in first.items() if get(name) is not binding])
    return [name for name in first if name in changed] if changed else []


def held(binding: Binding, span: Span) -> Expr:
    """What a variable holds, as a node."""
    kind, local = binding.kind, binding.local
    if isinstance(kind, Const):
        return Lit(span, kind.value, False)
    if local is None:
        return Get(span, kind, Local("$none", ()))
    return Get(span, kind, local) if local.rep == rep(kind) else _narrow(span, kind, local)


def _narrow(span: Span, kind: Kind, local: Local) -> Expr:
    """A variable whose kind a test has narrowed: it still holds the words of the wider one."""
    assert local.rep == ("i64", *rep(kind)), f"{local.name} holds {local.rep}, is {kind}"
    from ..tree.nodes import Cast

    return Cast(span, kind, Get(span, Optional(kind), local))


def has_effects(value: Expr) -> bool:
    """Must the expression be evaluated although its value is known?"""
    return not isinstance(value, Lit | Get)


def plain_function(function: Any) -> FunctionType:
    """The Python function behind decorators of others."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    assert isinstance(function, FunctionType)
    return function
