"""The assembler: text -> Unit -> bytes. Every instruction of the table in both notations, labels, expressions.

A line that is one plain instruction takes the short way through `Assembler.read`: one scan for the tokens, one
dictionary step for each (see `grammar`). Everything else (labels, directives, expressions, constants, mistakes) goes
through `Assembler.statement`, which knows columns. `directives` has the words that begin with a dot.

Names are resolved when the whole text is read: jumps and calls inside a section become distances, the rest becomes
`Insn.ref` for `purebpf.assembler`. All mistakes of a text are collected and raised together as one AsmError.
"""

from __future__ import annotations

from typing import Any, Callable, Final, Iterator, Mapping, NamedTuple

from .directives import DIRECTIVES
from .expr import Cursor, Problem, Scope, Sym, Value, expression
from .grammar import (
    END,
    LETTERS,
    NOTATIONS,
    NUMBER,
    REG32,
    REG64,
    SIGNED,
    SYMBOL,
    TOKEN,
    Leaf,
    Operands,
    Tree,
    like_register,
    tree,
)
from .insn import DataRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, MapRef
from .opcodes import (
    CALL_KFUNC,
    CALL_LOCAL,
    EXIT,
    IMM64_BTF_ID,
    IMM64_FUNC,
    IMM64_MAP_FD,
    IMM64_MAP_VALUE,
    JMP,
)
from .paste import Listed, prepare
from .unit import Code, Data, Unit

Include = Callable[[str, str], tuple[str, str]]  # (path as written, including file) -> (file name, text)

_M32 = 0xFFFFFFFF
_HELPER_IDS: Final = 1000  # name#number of a log: kernel functions have larger numbers than any helper
_HINTS: Final = 100  # mistakes that get a suggestion: looking for one takes milliseconds


class Use(NamedTuple):
    """A name in an instruction, to be resolved at the end."""

    code: Code
    item: int
    leaf: Leaf
    slot: str
    sym: Sym
    line: int


class Assembler(Scope):
    """One text being read. `helpers`: name -> id; `constants`: names every expression may use."""

    def __init__(self, notation: str = "auto", byteorder: str = "little", helpers: Mapping[str, int] | None = None,
                 constants: Mapping[str, int] | None = None, include: Include | None = None,
                 section: str = ".text") -> None:
        if notation not in ("auto", *NOTATIONS):
            raise ValueError(f"notation {notation!r} is not auto, kernel or mnemonic")
        if byteorder not in ("little", "big"):
            raise ValueError(f"byte order {byteorder!r} is not little or big")
        self.unit = Unit(byteorder)
        self.tree = tree(notation)
        self.operands = Operands()
        self.helpers = helpers or {}
        self.constants = constants or {}
        self.include = include
        self.depth = 0
        self.uses: list[Use] = []
        self.locals: dict[tuple[int, str], list[int]] = {}  # (section, number) -> items
        self.dropped = False  # in a section that we do not keep
        self.more: Iterator[tuple[int, str]] = iter(())  # lines after the one at hand
        self.enter(section)

    # sections and names

    def enter(self, name: str, data: bool = False) -> Code | Data:
        """Go to a section, new or not."""
        self.dropped = False
        self.section = self.unit.sections.setdefault(name, Data(name) if data else Code(name))
        return self.section

    def code(self, cursor: Cursor) -> Code:
        if isinstance(self.section, Code):
            return self.section
        raise cursor.problem(f"an instruction in the data section {self.section.name}", "go back to code: .text or .section xdp")

    def define(self, name: str, line: int, col: int) -> None:
        """A label at the current place."""
        section = self.section
        if name[0] in "0123456789":
            self.locals.setdefault((id(section), name), []).append(section.position)
            return
        if name in self.unit.symbols or name in self.unit.maps or name in self.unit.equs or name in self.unit.externs:
            raise Problem(f"{name!r} is defined twice", col, len(name), code="redefined")
        section.labels[name] = section.position
        self.unit.symbols[name] = section
        if isinstance(section, Data):
            section.lines[name] = line

    def value(self, name: str) -> Value | None:
        found = self.unit.equs.get(name)
        return self.constants.get(name) if found is None else found

    def sizeof(self, cursor: Cursor) -> int:
        return self.unit.types.sizeof(cursor)

    def offsetof(self, cursor: Cursor) -> int:
        return self.unit.types.offsetof(cursor)

    # reading

    def read(self, text: str, file: str) -> None:
        """Read a file, or one more that is included."""
        self.depth += 1
        first = self.unit.open(file, text)
        lines, listed = prepare(text)
        outer, self.more = self.more, iter(enumerate(lines, first))
        section, find = self.section, TOKEN.findall
        for number, line in self.more:
            tokens = find(line)
            if not tokens and number - first not in listed:
                continue
            if listed or self.dropped or section.__class__ is Data or not self.short(section, tokens, line, number):
                self.statement(line, number, listed.get(number - first))
                section = self.section
        self.more = outer
        self.depth -= 1

    def short(self, section: Any, tokens: list[str], line: str, number: int) -> bool:
        """Append the plain instruction that the tokens are, by the short way; False if they are anything else."""
        node: Any = self.tree
        operands = self.operands
        values: list[Any] = []
        for token in tokens:
            following = node.get(token)
            if following is None:
                kind, value = operands[token]
                following = node.get(kind)
                if following is None:
                    return False
                values.append(value)
            node = following
        leaf = node.get(END)
        if leaf is None or not leaf.plain or section.pending:
            return False
        dst, src, off, imm = leaf.pick(values + leaf.fixed)
        if imm.__class__ is not int or not -0x80000000 <= imm <= 0x7FFFFFFF:
            return False
        if off.__class__ is str and leaf.slots[-1] == "j":
            self.uses.append(Use(section, len(section.items), leaf, "j", Sym(off, 0, line.rfind(off)), number))
            off = 0
        if off.__class__ is not int or not -0x8000 <= off <= 0x7FFF:
            return False
        section.items.append(tuple.__new__(Insn, (leaf.row.code, dst, src, off, imm, None)))
        section.lines.append(number)
        return True

    def statement(self, line: str, number: int, listed: Listed | None = None) -> None:
        """Read one line with all it may hold; mistakes are kept in the Unit."""
        cursor = Cursor(line)
        try:
            if self.dropped and cursor.text not in (".section", ".text", ".data", ".bss", ".rodata"):
                return
            if listed is not None:
                self.listed(cursor, number, listed)
            else:
                self.words(cursor, number)
        except Problem as problem:
            before = cursor.joined[:problem.col]
            if "\n" in before:  # in a declaration that goes on over several lines
                number += before.count("\n")
                problem.col = len(before) - before.rfind("\n") - 1
            self.unit.problem(problem, number)

    def words(self, cursor: Cursor, number: int) -> None:
        """Labels, then a directive, an assignment or an instruction."""
        while cursor.tokens[cursor.at + 1:cursor.at + 2] == [":"] and cursor.text[0] in LETTERS | set("0123456789"):
            name, col = cursor.take(), cursor.col
            self.define(name, number, col - len(name))
            cursor.take()
        head = cursor.text
        if not head:
            return
        directive = DIRECTIVES.get(head)
        if directive is not None:
            cursor.take()
            directive(self, cursor, number)
            if cursor.text:
                raise cursor.problem("more than the directive takes")
        elif (cursor.tokens[cursor.at + 1:cursor.at + 2] == ["="] and self.operands[head][0] == SYMBOL
              and not like_register(head)):
            cursor.take()
            cursor.take()
            self.assign(head, cursor)
        elif head[0] == ".":
            from difflib import get_close_matches

            close = get_close_matches(head, DIRECTIVES, 1)
            raise Problem(f"unknown directive {head!r}", cursor.col, len(head),
                          f"did you mean {close[0]!r}?" if close else "", "unknown-directive")
        else:
            self.instruction(cursor, number)

    def assign(self, name: str, cursor: Cursor) -> None:
        """`.equ name, value`: constants may be set again, as in GNU as."""
        col = cursor.col
        if name in self.unit.symbols:
            raise Problem(f"{name!r} is a label already", col, 1, code="redefined")
        value = expression(cursor, self)
        if cursor.text:
            raise cursor.problem("expected the end of the expression")
        if isinstance(value, Sym) and value.name == name:
            raise Problem(f"{name!r} is defined by itself", col, 1)
        self.unit.equs[name] = value

    def instruction(self, cursor: Cursor, number: int) -> None:
        """One instruction, by the long way."""
        code = self.code(cursor)
        if code.pending:
            count = len(code.pending)
            code.pending.clear()
            raise cursor.problem(f"{count} bytes of data before this instruction fill no slot of 8")
        leaf, values, cols = self.parse(cursor)
        self.emit(code, leaf, values, cols, number, cursor)

    def parse(self, cursor: Cursor) -> tuple[Leaf, list[Value], list[int]]:
        """Walk the tree with columns and expressions: the leaf, the operands, their columns."""
        node, values, cols = self.tree, [], []
        first = cursor.at
        while cursor.text:
            token, after = cursor.text, cursor.tokens[cursor.at + 1]
            kind, value = self.operands[token]
            literal = node.get(token)
            numeric = SIGNED in node and (NUMBER in node or token[0] in "+-")
            if literal is not None and numeric and not self._fits(literal, after):
                literal = None
            if literal is not None:
                cursor.take()
                node = literal
            elif kind in (REG64, REG32):
                if kind not in node:
                    raise self._unexpected(cursor, node, first)
                cols.append(cursor.col)
                values.append(value)
                cursor.take()
                node = node[kind]
            elif numeric and token not in (",", ")", "]") and not like_register(token):
                cols.append(cursor.col)
                values.append(expression(cursor, self))
                node = node[SIGNED]
            else:
                raise self._unexpected(cursor, node, first)
        leaf = node.get(END)
        if leaf is None:
            raise self._unexpected(cursor, node, first)
        return leaf, values, cols

    def _fits(self, node: Tree, token: str) -> bool:
        """Whether `token` can follow at `node`."""
        if not token:
            return END in node
        return token in node or self.operands[token][0] in node or (NUMBER in node and token[0] in "(-+~!'")

    def _unexpected(self, cursor: Cursor, node: Tree, first: int) -> Problem:
        if len(self.unit.diagnostics) >= _HINTS:
            return cursor.problem("unexpected text")
        from .mistakes import unexpected

        return unexpected(cursor, node, self.tree, first)

    def emit(self, code: Code, leaf: Leaf, values: list[Value], cols: list[int], number: int, cursor: Cursor) -> None:
        """Append the instruction of a leaf with these operands, checked."""
        from .operands import build

        insn, names = build(leaf, values, cols, cursor.line)
        if leaf.slots[:1] == ("name",):  # name#number, of a log
            name = values[0].name if isinstance(values[0], Sym) else ""
            if insn.imm >= _HELPER_IDS and name not in self.helpers:
                insn = insn._replace(src=CALL_KFUNC)
        for slot, sym in names:
            self.uses.append(Use(code, len(code.items), leaf, slot, sym, number))
        code.items.append(insn)
        code.lines.append(number)

    def listed(self, cursor: Cursor, number: int, listed: Listed) -> None:
        """A line of a pasted listing that also shows the bytes, or a relocation of the line before."""
        code = self.code(cursor)
        if listed.relocation:
            if code.items:
                self.unit.relocations.append((code, len(code.items) - 1, listed.relocation, number))
            return
        from .mistakes import agree

        before, uses = len(code.items), len(self.uses)
        shown = listed.insns(self.unit.byteorder)
        if cursor.text and cursor.text != "<":  # "<unknown>": only the bytes tell
            self.words(cursor, number)
            agree(code.items[before:], shown, cursor, self.unit)
        del code.items[before:], code.lines[before:], self.uses[uses:]
        for slot in shown:
            code.put(slot, number)

    # the end

    def finish(self) -> Unit:
        """Resolve every name; AsmError with all mistakes."""
        for section in self.unit.sections.values():
            if isinstance(section, Code) and section.pending:
                self.unit.problem(Problem(f"{section.name} ends with {len(section.pending)} bytes that fill no slot of 8"),
                                  section.lines[-1] if section.lines else 1)
        starts = {id(s): s.starts() for s in self.unit.sections.values() if isinstance(s, Code)}
        for use in self.uses:
            try:
                use.code.items[use.item] = self._resolve(use, starts[id(use.code)])
            except Problem as problem:
                self.unit.problem(problem, use.line)
        self.unit.check()
        return self.unit

    def _resolve(self, use: Use, starts: list[int]) -> Insn:
        insn, sym = use.code.items[use.item], use.sym
        assert isinstance(insn, Insn)
        constant = self._constant(sym)
        if constant is not None:
            from .operands import place

            return place(insn, use.slot, constant, use.leaf, sym.col, len(sym.name))
        if use.slot in ("j", "J", "f"):
            goal = starts[self._label(use, sym)] + sym.addend - starts[use.item] - 1
            if use.slot == "f" and sym.name in self.unit.symbols and not sym.addend:
                self.unit.functions.setdefault(sym.name, use.line)
                return insn._replace(imm=-1, ref=FuncRef(sym.name))
            if use.slot != "j":
                return insn._replace(imm=goal)
            if not -32768 <= goal <= 32767:
                raise Problem(f"{sym.name!r} is {goal} slots away, more than 16 bits hold", sym.col, len(sym.name),
                              "jump with gotol (-mcpu=v4), or through a goto on the way", "jump-range")
            return insn._replace(off=goal)
        if use.slot == "x":
            return self._call(use, insn, sym)
        if use.slot == "I":
            return self._address(use, insn, sym)
        raise Problem(f"{sym.name!r} is not a constant", sym.col, len(sym.name), self._hint(sym.name, self.unit.equs),
                      "unknown-name")

    def _constant(self, sym: Sym) -> int | None:
        """The value of a name that is a constant, also one defined after its use."""
        value, addend, seen = self.value(sym.name), sym.addend, {sym.name}
        while isinstance(value, Sym):
            if value.name in seen:
                raise Problem(f"{sym.name!r} is defined by itself", sym.col, len(sym.name))
            seen.add(value.name)
            addend += value.addend
            value = self.value(value.name)
        return None if value is None else value + addend

    def _label(self, use: Use, sym: Sym) -> int:
        """The item a label of the same section stands before; "exit" is the first exit, if nothing has that name."""
        name, code = sym.name, use.code
        if name in code.labels:
            return code.labels[name]
        if name[-1] in "bf" and name[:-1].isdigit():
            places = self.locals.get((id(code), name[:-1]), [])
            places = [p for p in places if (p <= use.item) == (name[-1] == "b")]
            if places:
                return places[-1] if name[-1] == "b" else places[0]
            raise Problem(f"there is no label {name[:-1]}: {'before' if name[-1] == 'b' else 'after'} this line", sym.col,
                          len(name), code="unknown-name")
        if name in self.unit.symbols:
            if use.slot == "f" and isinstance(self.unit.symbols[name], Code):
                return 0  # a call into another section: by name
            raise Problem(f"{name!r} is in section {self.unit.symbols[name].name}: a jump cannot leave its section",
                          sym.col, len(name))
        if name == "exit":
            for index, item in enumerate(code.items):
                if item.code == JMP | EXIT:
                    return index
        raise Problem(f"there is no label {name!r}", sym.col, len(name), self._hint(name, code.labels), "unknown-name")

    def _call(self, use: Use, insn: Insn, sym: Sym) -> Insn:
        """`call name`: a function of the text, a helper (with or without "bpf_"), a declared kernel function."""
        name = sym.name
        home = self.unit.symbols.get(name)
        if isinstance(home, Code):
            self.unit.functions.setdefault(name, use.line)
            return insn._replace(src=CALL_LOCAL, imm=-1, ref=FuncRef(name))
        if name[-1] in "bf" and name[:-1].isdigit():
            starts = use.code.starts()
            return insn._replace(src=CALL_LOCAL, imm=starts[self._label(use, sym)] - starts[use.item] - 1)
        extern = self.unit.externs.get(name)
        if extern is not None and extern.kind == "kfunc":
            return insn._replace(src=CALL_KFUNC, imm=-1, ref=KfuncRef(name, extern.weak))
        number = self.helpers.get(name) or self.helpers.get("bpf_" + name)
        if number is not None:
            return insn._replace(imm=number)
        known = {**use.code.labels, **self.helpers, **{n: 0 for n, e in self.unit.externs.items() if e.kind == "kfunc"}}
        raise Problem(f"{name!r} is no function of this text and no helper", sym.col, len(name),
                      self._hint(name, known) or f"declare a kernel function: .extern int {name}(void)", "unknown-name")

    def _address(self, use: Use, insn: Insn, sym: Sym) -> Insn:
        """`r1 = name ll`: a map, a variable, a section, a function, something of the kernel."""
        name, unit = sym.name, self.unit
        home, extern = unit.symbols.get(name), unit.externs.get(name)
        if name in unit.maps and not sym.addend:
            return insn._replace(src=IMM64_MAP_FD, imm=0, ref=MapRef(name))
        if isinstance(home, Data):
            offset = home.labels[name] + sym.addend
            return insn._replace(src=IMM64_MAP_VALUE, imm=0, ref=DataRef(home.name, offset, "" if sym.addend else name))
        if isinstance(unit.sections.get(name), Data):
            return insn._replace(src=IMM64_MAP_VALUE, imm=0, ref=DataRef(name, sym.addend))
        if isinstance(home, Code) and not sym.addend:
            unit.functions.setdefault(name, use.line)
            return insn._replace(src=IMM64_FUNC, imm=0, ref=FuncRef(name))
        if extern is not None and not sym.addend:
            if extern.kind == "kconfig":
                return insn._replace(imm=0, ref=KconfigRef(name, extern.weak))
            typed = extern.type is not None or extern.kind == "kfunc"
            return insn._replace(src=IMM64_BTF_ID if typed else 0, imm=0, ref=KsymRef(name, typed, extern.weak))
        known = {**unit.maps, **unit.symbols, **unit.externs, **unit.equs}
        raise Problem(f"{name!r} is no map, variable, function or constant of this text", sym.col, len(name),
                      self._hint(name, known), "unknown-name")

    def _hint(self, name: str, known: Mapping[str, Any]) -> str:
        if len(self.unit.diagnostics) >= _HINTS:
            return ""
        from difflib import get_close_matches

        close = get_close_matches(name, list(known), 1)
        return f"did you mean {close[0]!r}?" if close else ""


def parse(text: str, file: str = "<asm>", notation: str = "auto", byteorder: str = "little", *,
          helpers: Mapping[str, int] | None = None, constants: Mapping[str, int] | None = None,
          include: Include | None = None, section: str = ".text") -> Unit:
    """Read a whole text; AsmError holds every mistake. `section` is where code without a `.section` goes."""
    assembler = Assembler(notation, byteorder, helpers, constants, include, section)
    assembler.read(text, file)
    return assembler.finish()


def assemble(text: str, notation: str = "auto", byteorder: str = "little", *, file: str = "<asm>",
             helpers: Mapping[str, int] | None = None, constants: Mapping[str, int] | None = None,
             include: Include | None = None) -> bytes:
    """The machine code of assembly text in the "kernel" or the "mnemonic" notation; "auto" reads both, also mixed.

    `helpers` (name -> id) lets calls name helpers. AsmError holds every mistake of the text, with line and column."""
    return parse(text, file, notation, byteorder, helpers=helpers, constants=constants, include=include).raw()


