"""What the lowering of one IR function knows: where it is, what its variables are, how to report and what to build on.

`stmts`, `exprs`, `conds` and `calls` are tables of functions that take this as their first argument.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from ..dsl.ints import IntType
from ..dsl.layout import Layout
from ..errors import CompileError, Diagnostic, Span
from ..ir.builder import Builder
from ..ir.function import Const, Function, Op, Value
from ..ir.ops import TABLE, Slot
from ..ir.types import PTR
from .flow import Env, Facts, Join, Loop, branch, enter
from .source import Source
from .values import Int, Poison, Unclear, Val, describe

if TYPE_CHECKING:
    from .unit import Unit


FRAME = 512  # bytes of stack a BPF function has
Cleanup = tuple[int, int, Callable[[bool], None]]  # (loops, frames) open when it was registered; close(done properly?)


class Frame:
    """One Python function being lowered: the IR function's own, or one inlined into it."""

    __slots__ = ("source", "declared", "globals", "loops", "returns")

    def __init__(self, source: Source, returns: Join | None) -> None:
        self.source = source
        self.declared: dict[str, Layout] = {}
        self.globals: set[str] = set()
        self.loops: list[Loop] = []
        self.returns = returns  # None: `return` ends the IR function


class Lowering:
    """Lowers one IR function. `b` appends ops; `env` and `facts` are those of the current path."""

    def __init__(self, unit: Unit, fn: Function, frame: Frame, default: int | None) -> None:
        self.unit, self.fn, self.default = unit, fn, default
        self.b = Builder(fn)
        self.frames = [frame]
        self.env: Env = {}
        self.facts: Facts = frozenset()
        self.node: ast.AST = frame.source.node
        self.results: list[Int] = []
        self.temps = 0
        self.hook_ctx: Val | None = None
        self.cleanups: list[Cleanup] = []
        self._aborts: list[tuple[Join, list[Cleanup]]] = []

    # --- where we are

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def reachable(self) -> bool:
        return self.b.block is not None

    def at(self, node: ast.AST) -> None:
        """Ops built from now on come from `node`."""
        if hasattr(node, "lineno"):
            self.node = node
            self.b.span = self.frame.source.span(node)

    def span(self, node: ast.AST | None = None) -> Span:
        return self.frame.source.span(node if node is not None and hasattr(node, "lineno") else self.node)

    def error(self, code: str, message: str, node: ast.AST | None = None, *, label: str = "", help: str = "") -> CompileError:
        """A CompileError at `node`, to be raised."""
        notes = tuple((site, f"called from here, in {caller}()") for site, caller in reversed(self.unit.call_sites))
        return CompileError([Diagnostic(code, message, self.span(node), label, help, notes)])

    def unsupported(self, what: str, node: ast.AST, help: str = "") -> NoReturn:
        raise self.error("unsupported", f"{what} is not part of the language", node, help=help)

    # --- building

    def op(self, name: str, *args: Value | int) -> Value:
        return self.b.op(name, *args)

    def select(self, cond: Value, yes: Value, no: Value) -> Value:
        if isinstance(cond, Const):
            return yes if cond.value else no
        return self.b.op("select", cond, yes, no, type=yes.type)

    def address(self, ptr: Value, off: Value | int) -> Value:
        """`ptr` moved by `off` bytes. Memory the verifier does not vouch for has a number for an address."""
        if isinstance(off, int) and off == 0:
            return ptr
        return self.b.op("ptradd" if ptr.type.is_ptr else "add", ptr, off)

    def temporary(self, size: int, align: int = 8, hint: str = "") -> Value:
        """The address of a fresh stack slot, allocated in the entry block."""
        if size > FRAME:
            raise self.error("stack-too-large", f"{size} bytes do not fit on the stack, which has {FRAME}",
                             help="keep large data in a map (a per-CPU array of one entry is usual)")
        op = Op(TABLE["alloca"], (), PTR["stack"], Slot(size, align), span=self.b.span, name=hint)
        self.fn.entry.ops.insert(self.temps, op)
        self.temps += 1
        return op

    def join(self, name: str) -> Join:
        return Join(self.b.new_block(name))

    # --- leaving early

    def abort_join(self) -> Join:
        """Where a path goes that the program gives up on (an assert, an index out of its array): what was reserved is
        given back, and the program returns its default."""
        for join, cleanups in self._aborts:
            if cleanups == self.cleanups:
                return join
        join = self.join("abort")
        self._aborts.append((join, list(self.cleanups)))
        return join

    def guard(self, cond: Value) -> None:
        """Go on only if `cond` is not 0."""
        go_on = self.join("ok")
        branch(self, cond, go_on, self.abort_join(), cond)
        enter(self, go_on)

    def leave(self, node: ast.AST, loop: Loop | None) -> None:
        """Close what the block being left has opened: up to `loop` for break and continue, all of the function's for
        return (None)."""
        self.at(node)
        depth = self.frame.loops.index(loop) + 1 if loop is not None else 0
        for loops, frames, close in reversed(self.cleanups):
            if frames == len(self.frames) and loops >= depth:
                close(True)

    def finish(self) -> None:
        """Lower the aborts, once the body is done."""
        for join, cleanups in self._aborts:
            enter(self, join)
            if self.reachable:
                for _, _, close in reversed(cleanups):
                    close(False)
                self.b.ret(self.default or 0)

    # --- variables

    def declared_int(self, name: str) -> IntType | None:
        layout = self.frame.declared.get(name)
        return layout if isinstance(layout, IntType) else None

    def integer(self, value: Val, node: ast.AST) -> Int:
        """`value` as a number; anything else is a type error at `node`."""
        from . import exprs

        return exprs.integer(self, value, node)

    def use(self, value: Val, node: ast.AST) -> Val:
        """A value that is about to be used: reports what only matters now."""
        if isinstance(value, Unclear):
            raise self.error(value.code, value.why, node, help=value.help)
        return value

    def value(self, node: ast.expr) -> Val:
        """Lower an expression."""
        from . import exprs

        return exprs.value(self, node)

    def ir_type_error(self, what: str, value: Val, node: ast.AST, help: str = "") -> CompileError:
        if isinstance(value, Poison):
            return CompileError([])  # already reported
        return self.error("type-mismatch", f"{what}, not {describe(value)}", node, help=help)

