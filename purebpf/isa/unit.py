"""What assembly text says, before it becomes bytes or an object: sections, symbols, declarations, and their places.

`asm` fills a Unit; `raw` gives its machine code; `purebpf.assembler` makes an ObjectSpec of it. Nothing here knows of
BTF, ELF or the kernel's numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from ..errors import AsmError, Diagnostic, Span
from .codec import encode
from .decl import CType, Proto, Types
from .expr import Problem, Value
from .insn import CoreRef, FuncRef, Insn
from .opcodes import CALL, JMP, LD_IMM64


class RawSlot(NamedTuple):
    """Eight bytes of code that are no instruction: half of an ld_imm64, for instance."""

    code: int
    dst: int
    src: int
    off: int
    imm: int
    slots: int = 1


Item = Insn | RawSlot


class Code:
    """A section of instructions. `labels` and `lines` count items; `starts()` gives their slots. `pending` are bytes of
    data directives that do not fill a slot yet."""

    __slots__ = ("name", "items", "lines", "labels", "pending")

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[Item] = []
        self.lines: list[int] = []  # line number in the Unit, per item
        self.labels: dict[str, int] = {}
        self.pending = bytearray()

    @property
    def position(self) -> int:
        return len(self.items)

    def starts(self) -> list[int]:
        """The slot of every item, and the number of slots at the end."""
        out, slot = [0], 0
        for item in self.items:
            slot += 2 if item.__class__ is Insn and item.code == LD_IMM64 else 1
            out.append(slot)
        return out

    def put(self, slot: RawSlot, line: int) -> None:
        """Append a slot given as numbers; two that make an ld_imm64 become one."""
        last = self.items[-1] if self.items else None
        whole: Item = Insn(*slot[:5])
        if isinstance(last, RawSlot) and last.code == LD_IMM64 and len(self.items) not in self.labels.values():
            if slot[:4] == (0, 0, 0, 0):
                self.items[-1] = Insn(*last[:4], (last.imm & 0xFFFFFFFF) | (slot.imm & 0xFFFFFFFF) << 32)
                return
        elif slot.code == LD_IMM64:
            whole = slot
        self.items.append(slot if slot.code == LD_IMM64 else whole)
        self.lines.append(line)


class Data:
    """A section of data. `labels` are byte offsets; `types` what `.var` said of a label, `sizes` its bytes."""

    __slots__ = ("name", "image", "labels", "types", "sizes", "lines", "units")

    def __init__(self, name: str) -> None:
        self.name = name
        self.image = bytearray()
        self.labels: dict[str, int] = {}
        self.types: dict[str, CType] = {}
        self.sizes: dict[str, int] = {}
        self.lines: dict[str, int] = {}
        self.units: dict[int, int] = {}  # offset -> width of the numbers that a directive put there

    @property
    def position(self) -> int:
        return len(self.image)


class MapDecl(NamedTuple):
    """`.map name, type=…, key=…`: the words as written, types parsed. `line` for messages."""

    name: str
    line: int
    words: dict[str, tuple[str, int]]  # attribute -> (its text, column)
    key: CType | None
    value: CType | None
    numbers: dict[str, int]  # the attributes that are expressions


class Extern(NamedTuple):
    """`.extern`, `.ksym` or `.kconfig`: `kind` is "kfunc", "ksym" or "kconfig"."""

    name: str
    kind: str
    type: CType | None
    weak: bool
    line: int


class Unit:
    """A whole text. Line numbers count over all files of it; `span` and `problem` give them back their names."""

    def __init__(self, byteorder: str = "little") -> None:
        self.byteorder = byteorder
        self.sections: dict[str, Code | Data] = {}
        self.symbols: dict[str, Code | Data] = {}  # label -> the section that has it
        self.globals: dict[str, int] = {}  # name -> line of .globl
        self.functions: dict[str, int] = {}  # names that are functions for sure -> line
        self.protos: dict[str, tuple[Proto, int]] = {}
        self.equs: dict[str, Value] = {}
        self.types = Types()
        self.maps: dict[str, MapDecl] = {}
        self.externs: dict[str, Extern] = {}
        self.license: str | None = None
        self.object = b""  # text of .object
        self.btf = b""  # text of .btf: the types of `cores`
        self.cores: dict[tuple[int, int], CoreRef] = {}  # section, item
        self.relocations: list[tuple[Code, int, str, int]] = []  # of a pasted listing: section, item, symbol, line
        self.files: list[tuple[int, str, str]] = []  # first line number, name, text
        self.diagnostics: list[Diagnostic] = []

    def open(self, file: str, text: str) -> int:
        """Register a file; the number of its first line."""
        first = self.files[-1][0] + self.files[-1][2].count("\n") + 2 if self.files else 1
        self.files.append((first, file, text))
        return first

    def place(self, line: int) -> tuple[str, int, str]:
        """File, line in it (from 1), and the file's text, of a line number."""
        at = bisect_right([f[0] for f in self.files], line) - 1
        first, file, text = self.files[max(0, at)]
        return file, line - first + 1, text

    def problem(self, problem: Problem, line: int) -> None:
        """Keep a mistake of a line."""
        file, n, text = self.place(line)
        span = Span(file, n, problem.col, n, problem.col + problem.width)
        self.diagnostics.append(Diagnostic(problem.code, problem.message, span, help=problem.help, source=text))

    def check(self) -> None:
        """Raise AsmError if there were mistakes: all of them, in order."""
        if self.diagnostics:
            order = {file: n for n, (_, file, _) in enumerate(self.files)}
            raise AsmError(sorted(self.diagnostics, key=lambda d: (order.get(d.span.file, 0), d.span.line, d.span.col)))

    def raw(self) -> bytes:
        """The code sections in the order of their first lines as machine code, calls between them resolved. AsmError if something
        needs an object (a map, a global variable, a kernel function)."""
        codes = sorted((s for s in self.sections.values() if isinstance(s, Code) and s.items), key=lambda s: s.lines[0])
        base: dict[int, int] = {}
        at = 0
        for code in codes:
            base[id(code)] = at
            at += code.starts()[-1]
        parts = []
        for code in codes:
            if any(item.__class__ is RawSlot or item[5] is not None for item in code.items):
                parts += self._resolved(code, base)
            else:
                parts.append(encode(code.items, self.byteorder))  # type: ignore[arg-type]
        self.check()
        return b"".join(parts)

    def _resolved(self, code: Code, base: dict[int, int]) -> list[bytes]:
        parts = []
        starts = code.starts()
        for index, item in enumerate(code.items):
            if isinstance(item, RawSlot):
                insn = Insn(0, item.dst, item.src, item.off, item.imm)
                data = bytearray(encode([insn], self.byteorder))
                data[0] = item.code
                parts.append(bytes(data))
                continue
            if item.ref is not None:
                item = self._linked(code, index, item, base, starts[index])
            parts.append(encode([item], self.byteorder))
        return parts

    def _linked(self, code: Code, index: int, insn: Insn, base: dict[int, int], slot: int) -> Insn:
        name = getattr(insn.ref, "name", "") or getattr(insn.ref, "section", "")
        home = self.symbols.get(name)
        if isinstance(insn.ref, FuncRef) and isinstance(home, Code) and id(home) in base:
            goal = base[id(home)] + home.starts()[home.labels[name]]
            delta = goal - (base[id(code)] + slot) - 1
            return insn._replace(imm=delta if insn.code == JMP | CALL else delta & 0xFFFFFFFF, ref=None)
        self.problem(Problem(f"{name!r} has no address in raw code", code="needs-object",
                             help="write an object instead: only the loader knows the address"), code.lines[index])
        return insn
