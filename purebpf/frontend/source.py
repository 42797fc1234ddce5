"""A function object -> its syntax tree, with spans, and the names it sees.

No `inspect`: it takes longer to import than most programs take to compile. A file is parsed once per compilation.
"""

from __future__ import annotations

import ast
import builtins
import linecache
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

from ..errors import CompileError, Diagnostic, Span


class Text:
    """The text of a file, and where the nodes of its tree stand."""

    __slots__ = ("file", "text", "_wide", "_spans")

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file, self.text = file, "".join(lines)
        self._wide = {} if self.text.isascii() else {i: line for i, line in enumerate(lines, 1) if not line.isascii()}
        self._spans: dict[ast.AST, Span] = {}

    def span(self, node: ast.AST) -> Span:
        """`ast` counts bytes in a line, people count characters."""
        found = self._spans.get(node)
        if found is None:
            line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 0) or 0
            found = self._spans[node] = Span(self.file, line, self._column(line, getattr(node, "col_offset", 0)),
                                             end, self._column(end or line, getattr(node, "end_col_offset", 0) or 0))
        return found

    def _column(self, line: int, offset: int) -> int:
        text = self._wide.get(line)
        return offset if text is None else len(text.encode()[:offset].decode(errors="ignore"))


class Source:
    """A function of the user: its `node` (FunctionDef or Lambda) and the text of its file. `function` is the Python function
    whose names it sees: itself, or for a nested one the function around it."""

    __slots__ = ("function", "node", "text", "name", "file")

    def __init__(self, function: FunctionType, node: ast.FunctionDef | ast.Lambda, text: Text, name: str = "") -> None:
        self.function, self.node, self.text = function, node, text
        self.name = name or function.__name__
        self.file = text.file

    def span(self, node: ast.AST) -> Span:
        """Where `node` stands."""
        return self.text.span(node)

    @staticmethod
    def text_at(span: Span) -> str:
        """What is written there; "" where it goes over several lines."""
        return linecache.getline(span.file, span.line)[span.col : span.end_col] if span.end_line == span.line else ""

    def lookup(self, name: str) -> tuple[bool, Any]:
        """(found, object) of a free name: closure, module, builtins, as Python would at this moment."""
        free = self.function.__code__.co_freevars
        if name in free and self.function.__closure__:
            try:
                return True, self.function.__closure__[free.index(name)].cell_contents
            except ValueError:  # an empty cell: not assigned yet
                return False, None
        if name in self.function.__globals__:
            return True, self.function.__globals__[name]
        if hasattr(builtins, name):
            return True, getattr(builtins, name)
        return False, None

    def scope(self) -> Mapping[str, Any]:
        """All free names as a dict, for evaluating annotations."""
        cells = self.function.__closure__ or ()
        closure = {}
        for name, cell in zip(self.function.__code__.co_freevars, cells):
            try:
                closure[name] = cell.cell_contents
            except ValueError:
                continue
        return {**self.function.__globals__, **closure}


def assigned(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that statements assign; what nested functions assign is theirs."""
    names: set[str] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name):
                names.add(name)
                continue
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                names.add(name)
            case ast.Lambda():
                continue
        todo.extend(ast.iter_child_nodes(node))
    return names


def _definitions(tree: ast.Module, lambdas: bool) -> Iterator[ast.AST]:
    """All statements; with `lambdas` all expressions, too."""
    todo: deque[ast.AST] = deque([tree])
    while todo:
        node = todo.popleft()
        yield node
        if lambdas:
            todo.extend(ast.iter_child_nodes(node))
        else:
            for field in _LISTS:
                todo.extend(getattr(node, field, ()))


_LISTS = ("body", "handlers", "orelse", "finalbody", "cases")  # where a node has statements, or what has some


class Sources:
    """The files of one compilation, each parsed once."""

    def __init__(self) -> None:
        self._defs: dict[str, dict[int, list[ast.FunctionDef | ast.Lambda]]] = {}
        self._classes: dict[str, dict[str, ast.ClassDef]] = {}
        self._text: dict[str, Text] = {}

    def of(self, function: FunctionType) -> Source:
        """The source of `function`. Raises CompileError (code "no-source") when its text is not to be had."""
        code = function.__code__
        file = code.co_filename
        if file not in self._defs:
            self._parse(file, function.__name__)
        found = self._defs[file].get(code.co_firstlineno, [])
        matching = [n for n in found if getattr(n, "name", "<lambda>") == code.co_name]
        if not matching and code.co_flags & 0x80:  # CO_COROUTINE
            raise CompileError([Diagnostic("unsupported", "an async function is not part of the language",
                                           self._async_def(file, code.co_firstlineno), help="the kernel calls it and waits: write 'def'")])
        if not matching:
            raise CompileError([Diagnostic(
                "no-source", f"the source of {function.__name__}() is not in {file} any more", Span(file, code.co_firstlineno),
                help="reload the module after editing it")])
        if len(matching) > 1:  # several lambdas on a line: the one with the same parameters
            names = code.co_varnames[: code.co_argcount]
            matching = [n for n in matching if tuple(a.arg for a in n.args.args) == names] or matching
        return Source(function, matching[0], self._text[file])

    @staticmethod
    def _async_def(file: str, line: int) -> Span:
        """The line of `async def`, below the decorators that begin at `line`."""
        while (text := linecache.getline(file, line)) and not text.lstrip().startswith("async"):
            line += 1
        column = len(text) - len(text.lstrip())
        return Span(file, line, column, line, column + len("async def"))

    def class_of(self, file: str, name: str) -> ast.ClassDef | None:
        """The class of that name, the last one in a file; None where there is none, or no text."""
        if file not in self._classes:
            try:
                self._parse(file, name)
            except (CompileError, SyntaxError):
                self._classes[file] = {}
        return self._classes[file].get(name)

    def _parse(self, file: str, name: str) -> None:
        lines = linecache.getlines(file)
        if not lines:
            raise CompileError([Diagnostic(
                "no-source", f"the source of {name}() is not to be had ({file})", Span(file, 1),
                help="programs are compiled from their text: write them in a file or a notebook cell")])
        text = self._text[file] = Text(file, lines)
        defs: dict[int, list[ast.FunctionDef | ast.Lambda]] = {}
        classes = self._classes[file] = {}
        for node in _definitions(ast.parse(text.text, file), "lambda" in text.text):
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                defs.setdefault(first, []).append(node)
            elif isinstance(node, ast.Lambda):
                defs.setdefault(node.lineno, []).append(node)
            elif isinstance(node, ast.ClassDef):
                classes[node.name] = node
        self._defs[file] = defs
