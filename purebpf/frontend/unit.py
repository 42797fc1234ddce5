"""One compilation: what its programs reach (maps, variables, functions), and what is wrong with them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dsl import maps as decl
from ..dsl.globals import Variable
from ..btf import types as bt
from ..dsl.hooks import Program
from ..dsl.layout import ArrayType, Layout, OptionalType, PtrType
from ..dsl.memory import layout_of
from ..dsl.packet import Packet
from ..errors import CompileError, Diagnostic, Span
from ..target import Needs, Target
from ..tree.kinds import Kind
from ..tree.nodes import Expr, Function
from ..uapi import hooks
from . import instead
from .agreement import Claims
from .context import Checker
from .hook import Contexts
from .ktypes import KernelFacts
from .names import near
from .source import Source, Sources, assigned

if TYPE_CHECKING:
    from ..btf import Btf
    from .results import Instance
    from .hook import TracepointFormat
    from .hooknames import HookNames


class Tables:
    """What the checker dispatches to, put together where all of it is known."""

    expr: Callable[[Checker, ast.expr], Expr]
    place: Callable[[Checker, ast.expr], Expr]
    stmts: dict[type[ast.stmt], Callable[[Checker, Any], None]]
    body: Callable[[Checker, Sequence[ast.stmt]], None]
    attribute: Callable[[Checker, Expr, ast.Attribute], Expr]
    call_value: Callable[[Checker, Expr, ast.Call], Expr]
    assign_name: Callable[[Checker, ast.Name, Expr], None]
    give_back: Callable[[Checker, Expr, ast.AST], None]
    member: Callable[[Checker, Expr, Expr, ast.AST], Expr | None]
    for_each: Callable[..., Expr]
    loop: Callable[..., Expr]
    release: Callable[..., Expr]
    discard: Callable[..., Expr]
    dict_get: Callable[..., Expr]
    packet_element: Callable[..., Expr]
    packet_copy: Callable[..., Expr]
    common_room: Callable[[Sequence[Kind]], int]
    roomy: Callable[..., Expr]


class Unit:
    """What one call of `check_programs` builds."""

    def __init__(self, license: str, kernel: Callable[[], Iterable[Btf]], formats: TracepointFormat, tables: Tables, target: Target,
                 hook_names: HookNames | None = None) -> None:
        self.license, self.tables, self.target, self.hook_names = license, tables, target, hook_names or (lambda kind, name, prefix: None)
        self.needs = Needs()
        self.granted: list[Span] = []  # loops that the kernel must count, or call
        self.forgotten: set[ast.AST] = set()  # those of which the counter turned out to be forgotten
        self.around: set[ast.AST] = set()  # those whose bound, known at run time, the verifier must not learn about
        self.sources = Sources()
        self.kernel = KernelFacts(kernel)
        self.contexts = Contexts(self.kernel, formats)
        self.claims = Claims()
        self.bounded = False  # has anything been compared with the packet's end,
        self.unbounded: list[CompileError] = []  # and where is the packet read through a bare pointer into it
        self.entries: list[Program[..., Any]] = []
        self.programs: list[Function] = []  # of the entries, in their order
        self.diagnostics: list[Diagnostic] = []
        self.call_sites: list[tuple[Span, str]] = []
        self.instances: dict[tuple[Any, ...], Instance] = {}
        self.active: list[FunctionType] = []
        self.inlining: list[ast.AST] = []
        self.generators: dict[ast.Call, ast.FunctionDef] = {}  # calls with a generator -> the function that it is
        self._nested: dict[ast.AST, Source] = {}
        self._maps: dict[int, tuple[str, decl.Map]] = {}
        self._variables: dict[int, tuple[str, Variable[Any]]] = {}
        self._locals: dict[ast.AST, set[str]] = {}
        self._types: dict[str, int] = {}

    # --- diagnostics

    def report(self, error: CompileError) -> None:
        """Keep an error and go on: the user gets all of them at once."""
        self.report_all(error.diagnostics)

    def report_all(self, diagnostics: Sequence[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            if not any(d[:3] == diagnostic[:3] for d in self.diagnostics):
                self.diagnostics.append(diagnostic)

    def mark(self) -> int:
        """A point to come back to: what is reported after it may be taken back."""
        return len(self.diagnostics)

    def reset(self, mark: int) -> None:
        del self.diagnostics[mark:]

    def since(self, mark: int) -> list[Diagnostic]:
        return self.diagnostics[mark:]

    # --- names

    def locals_of(self, source: Source) -> set[str]:
        """The names that a function assigns somewhere: Python makes them local everywhere in it."""
        node = source.node
        if node not in self._locals:
            names = assigned(node.body if isinstance(node, ast.FunctionDef) else [node.body])
            a = node.args
            names |= {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)))}
            self._locals[node] = names
        return self._locals[node]

    def nested(self, outer: Source, node: ast.FunctionDef | ast.Lambda) -> Source:
        """The source of a function inside a function."""
        if node not in self._nested:
            self._nested[node] = Source(outer.function, node, outer.text, getattr(node, "name", "<lambda>"))
        return self._nested[node]

    def annotation(self, c: Checker, node: ast.expr, source: Source, text: bool = False) -> Layout | None:
        """The layout that an annotation names; None for `Any` and the like, which say nothing in memory. `text`: may be
        `str` or `bytes`, of whatever room the value has."""
        word = self.evaluate(c, node, source)
        if word is None or word is Packet or getattr(word, "__module__", "") in ("typing", "builtins") and word not in (int, bool):
            if word in (str, bytes) and text:
                return None
            if word in (str, bytes, list, dict, set, tuple, float):
                raise c.error("type-mismatch", f"{word.__name__!r} is no type of memory", node,
                              help=instead.INTEGERS if word is float else "text is 'char[16]', bytes are 'u8[16]', what grows is a map")
            return None
        args = getattr(word, "__args__", ())
        if type(None) in args:
            word = next(a for a in args if a is not type(None))
        try:
            layout = layout_of(word)
            self.claims.reach(c, layout, node)
            return self.resolved(c, layout, node)
        except TypeError as error:
            raise c.error("type-mismatch", str(error), node) from None

    def resolved(self, c: Checker, layout: Layout, node: ast.AST) -> Layout:
        """The layout with the kernel's types in place of their names; an error if the kernel has no such type."""
        found = self.kernel.resolve(layout)
        if found is None:
            raise no_type(c, layout, node)
        return found

    def evaluate(self, c: Checker, node: ast.expr, source: Source) -> Any:
        """A type expression, evaluated by Python in the function's scope."""
        from ..tree.kinds import Const

        local = {n.split("@")[0]: b.kind.value for n, b in (c.env or {}).items() if isinstance(b.kind, Const)}
        scope = {**source.scope(), **local}
        try:
            result = eval(compile(ast.Expression(node), source.file, "eval"), scope)
            return eval(result, scope) if isinstance(result, str) else result
        except Exception as error:  # noqa: BLE001 - whatever a user's annotation raises is a mistake in it
            raise c.error("type-mismatch", f"this type cannot be evaluated: {error}", node) from None

    # --- maps and variables

    @staticmethod
    def is_map(obj: Any) -> bool:
        return isinstance(obj, decl.Map)

    def reach(self, obj: Any) -> None:
        """A program, or another thing that a map begins with, belongs to the object."""
        if isinstance(obj, Program) and obj not in self.entries:
            self.entries.append(obj)

    def map_name(self, map: decl.Map, name: str = "") -> str:
        """The name that a map has in the object: that of the Python variable it was first reached by."""
        found = self._maps.get(id(map))
        if found is None:
            name = _free(name or f"map{len(self._maps)}", {n for n, _ in self._maps.values()})
            found = self._maps[id(map)] = name, map
            for key, value in map.values.items():
                self.reach(value)
                if isinstance(value, decl.Map):
                    self.map_name(value, f"{name}_{key}")
        return found[0]

    def variable_name(self, variable: Variable[Any], name: str) -> str:
        """The name of a global variable in the object."""
        found = self._variables.get(id(variable))
        if found is None:
            name = _free(name or f"var{len(self._variables)}", {n for n, _ in self._variables.values()})
            found = self._variables[id(variable)] = name, variable
        return found[0]

    @property
    def maps(self) -> list[tuple[str, decl.Map]]:
        return list(self._maps.values())

    def names(self) -> dict[Any, str]:
        """Declaration -> name in the object."""
        return {obj: name for name, obj in (*self._maps.values(), *self._variables.values())}

    def prog_type(self, section: str) -> int:
        """The type of the programs of a section."""
        if section not in self._types:
            hook = hooks.match(section)
            self._types[section] = hook.prog_type if hook is not None else 0
        return self._types[section]

    def need(self, c: Checker, since: str, what: str, node: ast.AST) -> None:
        """The program asks for something that kernels have from `since` on; an error if the stated one has it not."""
        if self.target.kernel and not self.target.takes(since):
            raise c.error("target", f"{what} is there from Linux {since} on, and this is for {self.target.kernel}", node)
        self.needs.add(since, what, c.span(node))

    @property
    def gpl(self) -> bool:
        """Is the licence one that the kernel takes for GPL-compatible (license_is_gpl_compatible)?"""
        return self.license in GPL


GPL = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def no_type(c: Checker, layout: Layout, node: ast.AST) -> CompileError:
    """The kernel has no type of this name, or shows none."""
    while isinstance(layout, PtrType | ArrayType | OptionalType):
        layout = layout.target or layout if isinstance(layout, PtrType) else layout.elem if isinstance(layout, ArrayType) else layout.some
    types = c.unit.kernel.types
    if types is None:
        return c.error("kernel-type", f"what {layout.name!r} is cannot be seen: this machine shows no BTF of its kernel", node,
                       help="build with '--btf FILE', or declare the fields: '@bpf.kernel_struct'")
    names = {one.name for _, one in types.btf.of_kind(bt.Struct, bt.Union, bt.Typedef) if isinstance(one, bt.Struct | bt.Union | bt.Typedef)}
    return c.error("kernel-type", f"the kernel has no type {layout.name!r}", node, help=near(layout.name, names))
