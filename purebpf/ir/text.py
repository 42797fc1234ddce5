"""IR to text and back. `parse(print_module(m))` gives an equal module; `docs/ir.md` has the grammar.

    func @count(%ctx: ptr.ctx) -> i64 {
    entry:
      %key = alloca 4 align 4 : ptr.stack
      store.u32 %key, 1
      %m = mapaddr @counts : ptr.map
      %v = helper.readonly 1 map_lookup_elem(%m, %key) : ptr.value
      %0 = ne %v, 0
      br %0, found, done
    ...

A value's hint is its name when that is free, else it gets a number; unnamed values are numbered. Spans are not part of
the text (with `spans` they stand in comments).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from ..errors import Diagnostic, IrSyntaxError, Span
from ..order import LITTLE, ORDERS
from .function import Block, Const, Edge, Function, Module, Op, Param, Value
from .ops import TABLE, OpRow
from .optext import READ, SHOW, number, quoted
from .types import BY_NAME, I64, VOID, Type

# --- printing ---------------------------------------------------------------------------------------------------------

_HINT = re.compile(r"[A-Za-z_][\w.]*\Z", re.ASCII)


def print_module(module: Module, *, spans: bool = False) -> str:
    return "\n".join(print_function(f, spans=spans) for f in module.functions.values())


def print_function(fn: Function, *, spans: bool = False) -> str:
    """The function as text, ending in a newline. Works on broken functions too: it is how they are shown."""
    return Printer(fn, spans).text()


def print_op(fn: Function, op: Op) -> str:
    """One op as it reads in `print_function(fn)`."""
    return Printer(fn, False).op(op)


class Printer:
    def __init__(self, fn: Function, spans: bool) -> None:
        self.fn, self.spans = fn, spans
        self.names: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.next = 0
        for block in fn.blocks:
            for value in (*block.params, *block.ops):
                if value.type is not VOID:
                    self.names[value] = self._pick(getattr(value, "name", ""))

    def _pick(self, hint: str) -> str:
        if not _HINT.match(hint):
            name = str(self.next)
            self.next += 1
            return name
        name, n = hint, 0
        while name in self.taken:
            n += 1
            name = f"{hint}.{n}"
        self.taken.add(name)
        return name

    def value(self, v: Value) -> str:
        if isinstance(v, Const):
            return number(v.value)
        return f"%{self.names[v]}" if v in self.names else f"%?{getattr(v, 'name', '')}"

    def values(self, vs: Sequence[Value]) -> str:
        return ", ".join(map(self.value, vs))

    def params(self, params: Sequence[Param]) -> str:
        return f"({', '.join(f'{self.value(p)}: {p.type}' for p in params)})"

    def edge(self, e: Edge) -> str:
        return quoted(e.block.name) + (f"({self.values(e.args)})" if e.args else "")

    def op(self, op: Op) -> str:
        text = SHOW[op.row.attr](self, op)
        edges = ", ".join(map(self.edge, op.edges))
        text += (", " if edges and op.args else " " if edges else "") + edges
        if op.type is VOID:
            return text
        implied = op.args[0].type if op.row.result == "first" and op.args else I64
        return f"%{self.names.get(op, '?')} = {text}" + (f" : {op.type}" if op.type is not implied else "")

    def text(self) -> str:
        fn = self.fn
        flags = "".join((f" inline={fn.inline}" if fn.inline != "never" else "", "" if fn.static else " global",
                         f" default={fn.default}" if fn.default is not None else "",
                         f" btf_id={fn.btf_id}" if fn.btf_id else "", f" order={fn.order.name}" if fn.order is not LITTLE else ""))
        params = self.params(fn.params if fn.blocks else [])
        lines = [f"func @{quoted(fn.name)}{params} -> {_results(fn)}{flags} {{"]
        for i, block in enumerate(fn.blocks):
            lines.append(quoted(block.name) + (self.params(block.params) if i and block.params else "") + ":")
            for op in block.ops:
                where = f"  # {op.span}" if self.spans and op.span else ""
                lines.append(f"  {self.op(op)}{where}")
        return "\n".join((*lines, "}", ""))


def _results(fn: Function) -> str:
    return str(fn.result) if len(fn.results) < 2 else f"({', '.join(map(str, fn.results))})"


# --- parsing ----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"""[ \t]+ | (?P<comment>\#.*) | (?P<nl>\n) | (?P<arrow>->) | (?P<value>%[\w.]+)
    | (?P<number>-?0x[0-9a-fA-F]+ | -?\d+) | (?P<word>[A-Za-z_.$<>][\w.$<>]*\??) | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<punct>[(){}=,:@+-])""", re.VERBOSE)


class _Token(NamedTuple):
    kind: str
    text: str
    pos: int


def _fail(source: str, pos: int, message: str) -> NoReturn:
    line = source.count("\n", 0, pos) + 1
    col = pos - (source.rfind("\n", 0, pos) + 1)
    d = Diagnostic("ir-syntax", message, Span("<ir>", line, col), source=source)
    raise IrSyntaxError(f"line {line}: {message}", position=pos, diagnostics=(d,))


def _scan(source: str) -> list[_Token]:
    tokens, pos = [], 0
    while pos < len(source):
        m = _TOKEN.match(source, pos)
        if m is None:
            _fail(source, pos, f"unexpected character {source[pos]!r}")
        if m.lastgroup and m.lastgroup != "comment":
            tokens.append(_Token(m.lastgroup, m.group(), pos))
        pos = m.end()
    return [*tokens, _Token("nl", "\n", pos), _Token("eof", "", pos)]


def parse(source: str) -> Module:
    """The module a text describes. Raises IrSyntaxError; legality beyond names and shapes is `verify`'s business."""
    parser = Parser(source)
    functions: list[Function] = []
    names: set[str] = set()
    while not parser.at_end():
        at = parser.peek.pos
        fn = parser.function()
        if fn.name in names:
            _fail(source, at, f"function @{fn.name} is defined twice")
        names.add(fn.name)
        functions.append(fn)
    return Module(functions)


class Parser:
    def __init__(self, source: str) -> None:
        self.source, self.tokens, self.i = source, _scan(source), 0
        self.values: dict[str, Value] = {}
        self.blocks: dict[str, Block] = {}
        self.uses: list[tuple[list[Value], int, str, int]] = []  # list, index, name, position: bound at the end
        self.targets: list[tuple[str, int]] = []

    # tokens
    @property
    def peek(self) -> _Token:
        return self.tokens[self.i]

    def fail(self, message: str) -> NoReturn:
        _fail(self.source, self.peek.pos, message)

    def at(self, text: str) -> bool:
        return self.peek.text == text and self.peek.kind != "string"

    def accept(self, text: str) -> bool:
        found = self.at(text)
        self.i += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected {text!r}")

    def take(self, kind: str, what: str) -> str:
        if self.peek.kind != kind:
            self.fail(f"expected {what}")
        self.i += 1
        return self.tokens[self.i - 1].text

    def lines(self) -> None:
        """Skip line ends."""
        while self.peek.kind == "nl":
            self.i += 1

    def end_line(self) -> None:
        if self.peek.kind != "nl" and not self.at("}"):
            self.fail("expected the end of the line")
        self.lines()

    def at_end(self) -> bool:
        self.lines()
        return self.peek.kind == "eof"

    def number(self) -> int:
        text = self.take("number", "a number")
        return int(text, 16 if "x" in text else 10)

    def string(self) -> str:
        at = self.peek.pos
        try:
            return str(json.loads(self.take("string", "a string")))
        except ValueError:
            _fail(self.source, at, "bad escape in string")

    def name(self) -> str:
        return self.string() if self.peek.kind == "string" else self.take("word", "a name")

    def symbol(self) -> str:
        self.expect("@")
        return self.name()

    def type(self) -> Type:
        text = self.take("word", "a type")
        if text not in BY_NAME:
            self.i -= 1
            self.fail(f"unknown type {text!r}")
        return BY_NAME[text]

    def offset(self) -> int:
        if self.accept("+"):
            return self.number()
        if self.accept("-"):
            return -self.number()
        return 0

    # values
    def define(self, token: _Token, value: Value) -> None:
        name = token.text[1:]
        if name in self.values:
            _fail(self.source, token.pos, f"%{name} is defined twice")
        self.values[name] = value

    def operand(self, into: list[Value]) -> None:
        """Append a value to `into`; names are bound once the function is read, for they may come later."""
        if self.peek.kind == "number":
            at, n = self.peek.pos, self.number()
            if not -(1 << 63) <= n < 1 << 64:
                _fail(self.source, at, "the number does not fit into 64 bits")
            into.append(Const(n))
            return
        at = self.peek.pos
        name = self.take("value", "a value")[1:]
        self.uses.append((into, len(into), name, at))
        into.append(_HOLE)

    def operands(self, into: list[Value], close: str = "") -> None:
        """Values with commas between, to the token `close` or the end of the line."""
        if close and self.accept(close):
            return
        self.operand(into)
        while self.accept(","):
            self.operand(into)
        if close:
            self.expect(close)

    def params(self) -> list[Param]:
        params: list[Param] = []
        self.expect("(")
        while not self.accept(")"):
            if params:
                self.expect(",")
            token = self.peek
            hint = self.take("value", "a parameter")[1:]
            self.expect(":")
            params.append(Param(self.type(), "" if hint.isdigit() else hint))
            self.define(token, params[-1])
        return params

    # structure
    def function(self) -> Function:
        self.values, self.blocks, self.uses, self.targets = {}, {}, [], []
        self.expect("func")
        fn = Function(self.symbol(), order=LITTLE)
        params = self.params()
        self.expect("->")
        fn.results = self.result_types()
        while not self.accept("{"):
            word = self.take("word", "'{'")
            if word == "global":
                fn.static = False
            elif word == "inline":
                self.expect("=")
                fn.inline = self.take("word", "auto, must or never")
            elif word == "default":
                self.expect("=")
                fn.default = self.number()
            elif word == "btf_id":
                self.expect("=")
                fn.btf_id = self.number()
            elif word == "order":
                self.expect("=")
                name = self.take("word", "a byte order")
                fn.order = ORDERS.get(name) or self.fail(f"no byte order {name!r}")
            else:
                self.fail(f"unknown word {word!r}")
        self.lines()
        placed: set[str] = set()
        while not self.accept("}"):
            self.block(fn, placed)
        if not fn.blocks:
            self.fail("a function has at least one block")
        if fn.blocks[0].params:
            self.fail("the entry block's parameters stand at the function")
        fn.blocks[0].params = params
        self.bind(placed)
        return fn

    def result_types(self) -> tuple[Type, ...]:
        if not self.accept("("):
            only = self.type()
            return () if only is VOID else (only,)
        types = [self.type()]
        while not self.accept(")"):
            self.expect(",")
            types.append(self.type())
        return tuple(types)

    def block(self, fn: Function, placed: set[str]) -> None:
        name = self.name()
        if name in placed:
            self.fail(f"block {name} is defined twice")
        placed.add(name)
        block = self.blocks.setdefault(name, Block(name))
        fn.blocks.append(block)
        if self.at("("):
            block.params = self.params()
        self.expect(":")
        self.lines()
        while not self.at("}") and self.peek.kind != "eof" and not self.is_label():
            block.ops.append(self.op())
            self.end_line()

    def is_label(self) -> bool:
        """A block starts here: a name, then ':' or a parenthesis that holds parameters (`name(%x: type`)."""
        if self.peek.kind not in ("word", "string"):
            return False
        after = self.tokens[self.i + 1: self.i + 4]
        if after[0].text == ":":
            return True
        return after[0].text == "(" and len(after) == 3 and after[1].kind == "value" and after[2].text == ":"

    def bind(self, placed: set[str]) -> None:
        for into, index, name, at in self.uses:
            if name not in self.values:
                _fail(self.source, at, f"%{name} is not defined")
            into[index] = self.values[name]
        for name, at in self.targets:
            if name not in placed:
                _fail(self.source, at, f"there is no block {name}")

    def edges(self, op: Op, count: int) -> None:
        for i in range(count):
            if i or op.args:
                self.expect(",")
            self.targets.append((self.peek.text.strip('"'), self.peek.pos))
            name = self.name()
            self.targets[-1] = (name, self.targets[-1][1])
            edge = Edge(self.blocks.setdefault(name, Block(name)))
            if self.accept("("):
                self.operands(edge.args, ")")
            op.edges.append(edge)

    def op(self) -> Op:
        target = self.peek if self.peek.kind == "value" else None
        if target is not None:
            self.i += 1
            self.expect("=")
        at = self.peek.pos
        head, *suffixes = self.take("word", "an operation").split(".")
        if head not in TABLE:
            _fail(self.source, at, f"unknown operation {head!r}")
        row = TABLE[head]
        op = Op(row, (), I64)
        if target is not None:
            hint = target.text[1:]
            op.name = "" if hint.isdigit() else hint
            self.define(target, op)
        READ[row.attr](self, op, suffixes)
        if suffixes:
            _fail(self.source, at, f"{head} knows no suffix .{suffixes[0]}")
        op.type = self.result(row, op, target)
        if (op.type is VOID) != (target is None):
            _fail(self.source, at, f"{head} gives {'no ' if op.type is VOID else 'a '}result")
        return op

    def result(self, row: OpRow, op: Op, target: _Token | None) -> Type:
        if row.result == "void" or (row.result == "any" and target is None):
            return VOID
        if self.accept(":"):
            return self.type()
        if row.result == "first" and op.args:
            first = op.args[0]
            if first is _HOLE:
                first = self.values.get(self.first_name(op), _HOLE)
            if first is _HOLE:
                self.fail("write the type: the operand is defined further down")
            return first.type
        return I64

    def first_name(self, op: Op) -> str:
        return next((name for into, index, name, _ in reversed(self.uses) if into is op.args and index == 0), "")


_HOLE = Value(VOID)
