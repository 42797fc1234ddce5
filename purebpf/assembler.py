"""Assembly text -> ObjectSpec: what `isa.asm` read, with BTF, line info and the kernel's numbers.

    spec = assemble_object(open("count.s").read(), "count.s")

Sections are libbpf's: code in `.text` is subprograms, every function of another code section a program of the type that
its name says (`uapi.hooks`). Takes parsed text from isa, types from btf, tables from uapi; docs/assembler.md has the
language. A mistake is an AsmError with all mistakes of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, Mapping, NamedTuple

from . import whole
from .btf import Builder
from .btf import types as t
from .btf.container import graft
from .errors import AsmError, BtfError, Diagnostic, Span
from .isa import decl
from .isa.asm import Include, parse
from .isa.expr import Cursor, Problem, Scope, Sym, expression, printable
from .isa.insn import CoreRef, DataRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, MapRef
from .isa.opcodes import (
    CALL,
    CALL_KFUNC,
    CALL_LOCAL,
    IMM64_BTF_ID,
    IMM64_FUNC,
    IMM64_MAP_FD,
    IMM64_MAP_VALUE,
    JMP,
    LD_IMM64,
)
from .isa.text import branch_target
from .isa.unit import Code, Data, MapDecl, Unit
from .order import HOST
from .spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from .uapi import enums, hooks
from .uapi.helpers import IDS

_PREFIXES: Final = (  # classes of uapi.enums whose numbers programs use, by their names in C
    ("BPF_", enums.UpdateFlag), ("BPF_F_", enums.MapFlag), ("BPF_MAP_TYPE_", enums.MapType), ("XDP_", enums.XdpAction),
    ("TC_ACT_", enums.TcAction), ("TCX_", enums.TcxAction), ("SK_", enums.SkAction), ("BPF_", enums.RetCode),
    ("BPF_F_", enums.PerfFlag), ("BPF_RB_", enums.RingbufFlag), ("BPF_RB_", enums.RingbufQuery),
    ("BPF_F_", enums.RedirectFlag), ("BPF_F_", enums.SkbFlag), ("BPF_F_", enums.StackFlag), ("NF_", enums.NfVerdict),
)


def constants() -> dict[str, int]:
    """The kernel's numbers that expressions may use by their C names."""
    return {prefix + name: value for prefix, cls in reversed(_PREFIXES)
            for name, value in vars(cls).items() if name[0] != "_" and isinstance(value, int)}


def helper_ids() -> Mapping[str, int]:
    """Helper name (with and without `bpf_`) -> number."""
    return {**IDS, **{"bpf_" + name: number for name, number in IDS.items()}}


def helper_names() -> dict[int, str]:
    """Helper number -> full name."""
    return {number: "bpf_" + name for name, number in IDS.items()}


def read_include(path: str, source: str) -> tuple[str, str]:
    """`.include "path"`: relative to the file that asks."""
    import os

    full = path if os.path.isabs(path) else os.path.join(os.path.dirname(source), path)
    with open(full, encoding="utf-8", errors="surrogateescape") as file:
        return full, file.read()


def assemble_object(text: str, file: str = "<asm>", notation: str = "auto", *, byteorder: str = HOST.name,
                    include: Include | None = read_include, section: str = ".text") -> ObjectSpec:
    """The object that the text describes; `section` is where code without a `.section` goes."""
    unit = parse(text, file, notation, byteorder, helpers=helper_ids(), constants=constants(), include=include,
                 section=section)
    return build(unit, file)


def build(unit: Unit, file: str = "<asm>") -> ObjectSpec:
    """An ObjectSpec from parsed text."""
    base = whole.unpack(unit.object) if unit.object else None
    made = _Build(unit, base)
    functions, programs = made.code()
    maps, data = made.maps(), made.data()
    unit.check()
    if not programs and not functions and not maps:
        raise AsmError([Diagnostic("empty", "the text holds no program", Span(file, 1), source="")])
    if base is not None:
        return whole.rejoin(base, functions, programs, maps, data, made.license())
    name = re.sub(r"\W", "_", file.rpartition("/")[2].partition(".")[0], flags=re.ASCII) or "asm"
    return ObjectSpec(programs, functions, maps, data, made.license(), made.types.builder.build(), name,
                      unit.byteorder)


class _Types:
    """The types of the text in BTF."""

    def __init__(self, types: decl.Types) -> None:
        self.types = types
        self.builder = Builder()
        self.made: dict[tuple[str, str], int] = {}

    def id(self, c: decl.CType) -> int:
        add = self.builder.add
        match c:
            case decl.Void():
                return 0
            case decl.Base(name, size, encoding):
                bits = {"s": t.SIGNED, "char": t.SIGNED, "bool": t.BOOL}.get(encoding, 0)
                return add(t.Int(name, size, bits))
            case decl.Pointer(to):
                return add(t.Ptr(self.id(to)))
            case decl.Array(of, length):
                return add(t.Array(self.id(of), self.id(decl.Base("unsigned int", 4, "u")), length))
            case decl.Named(kind, name):
                return self._named(kind, name)
            case decl.Proto(result, params):
                return add(t.FuncProto(self.id(result), tuple(t.Param(n, self.id(p)) for n, p in params)))

    def _named(self, kind: str, name: str) -> int:
        key = (kind, name)
        if key in self.made:
            return self.made[key]
        if kind == "typedef":
            found = self.made[key] = self.builder.add(t.Typedef(name, self.id(self.types.typedefs[name])))
            return found
        if kind == "enum":
            values = self.types.enums[name].values if name in self.types.enums else ()
            low = min((v for _, v in values), default=0)
            self.made[key] = self.builder.add(t.Enum(_plain(name), 4, low < 0, tuple(t.Enumerator(*v) for v in values)))
            return self.made[key]
        struct = self.types.structs.get(key)
        if struct is None:
            self.made[key] = self.builder.add(t.Fwd(name, kind == "union"))
            return self.made[key]
        self.made[key] = here = self.builder.reserve()  # it may refer to itself
        members = tuple(t.Member(f.name, self.id(f.type), f.bit, f.bits) for f in struct.fields)
        self.builder.set(here, (t.Union if kind == "union" else t.Struct)(_plain(name), struct.size, members))
        return here


def _plain(name: str) -> str:
    return "" if name.startswith("(") else name  # anonymous


class _Function(NamedTuple):
    """A stretch of a code section: items from `first` up to `end`."""

    name: str
    code: Code
    first: int
    end: int


class _Flags(Scope):
    """The names that `flags=` of a map knows."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = known

    def value(self, name: str) -> int | None:
        return self.known.get(name)


class _Build:
    def __init__(self, unit: Unit, base: ObjectSpec | None = None) -> None:
        self.unit, self.base = unit, base
        self.known = {} if base is None else {**base.functions, **base.programs}
        self.types = _Types(unit.types)
        self.starts: dict[int, list[int]] = {id(s): s.starts() for s in unit.sections.values() if isinstance(s, Code)}
        self.entry: dict[tuple[int, int], str] = {}  # (section, item) -> function name
        self.relocated = whole.unpack_types(unit.btf) if unit.btf and base is None else None
        self.grafted: dict[int, int] = {}  # of `relocated`: ids there and here
        self.externs()

    def fail(self, line: int, message: str, help: str = "", code: str = "asm-object") -> None:
        _, number, text = self.unit.place(line)
        lines = text.split("\n")
        shown = lines[number - 1] if number <= len(lines) else ""
        self.unit.problem(Problem(message, len(shown) - len(shown.lstrip()), 1, help, code), line)

    # code

    def code(self) -> tuple[dict[str, FuncSpec], dict[str, ProgramSpec]]:
        """Cut the code sections into functions, and make programs of those outside .text."""
        self._relocate()
        codes = [s for s in self.unit.sections.values() if isinstance(s, Code) and s.items]
        cut = [f for code in codes for f in self._cut(code)]
        functions: dict[str, FuncSpec] = {}
        programs: dict[str, ProgramSpec] = {}
        for f in cut:
            hook = hooks.match(f.code.name) if f.code.name != ".text" else None
            func = self._function(f, hook)
            if f.code.name == ".text" or self.base is not None and func.name in self.base.functions:
                functions[func.name] = func
            elif hook is None and func.name in self.known:
                programs[func.name] = ProgramSpec(func, f.code.name, 0)
            elif hook is None:
                self._unknown_section(f)
            else:
                section = f.code.name
                programs[func.name] = ProgramSpec(func, section, hook.prog_type, hook.attach_type, hooks.target(section),
                                                  hook.flags, hooks.autoload(section))
        for func in [*functions.values(), *(p.func for p in programs.values())]:
            for index, insn in enumerate(func.insns):
                if isinstance(insn.ref, FuncRef) and insn.ref.name not in functions and insn.ref.name not in self.known:
                    line = next(f.code.lines[f.first + index] for f in cut if f.name == func.name)
                    self.fail(line, f"{insn.ref.name!r} is a program: only functions in .text can be called",
                              "put it into .text")
        return functions, programs

    def _unknown_section(self, f: _Function) -> None:
        from difflib import get_close_matches

        close = get_close_matches(f.code.name, [h.name for h in hooks.HOOKS], 1)
        self.fail(f.code.lines[f.first], f"section {f.code.name!r} names no program type",
                  f"did you mean {close[0]!r}?" if close else "sections are named as libbpf does: xdp, tc, kprobe/…",
                  "unknown-section")

    def _cut(self, code: Code) -> list[_Function]:
        """Functions begin at the start, at labels that are functions, and where calls go."""
        unit, starts = self.unit, self.starts[id(code)]
        named = {name: item for name, item in code.labels.items() if item < len(code.items)}
        begins = {0} | {item for name, item in named.items() if name in unit.functions or name in unit.globals}
        for index, item in enumerate(code.items):
            if isinstance(item, Insn) and item.code == JMP | CALL and item.src == CALL_LOCAL and item.ref is None:
                goal = branch_target(item, starts[index])
                if goal in starts[:-1]:
                    begins.add(starts.index(goal))
        order = sorted(begins)
        out = []
        for first, end in zip(order, [*order[1:], len(code.items)]):
            names = [n for n, item in named.items() if item == first]
            names.sort(key=lambda n: (n not in unit.globals, n not in unit.functions))
            fallback = code.name.strip(".").replace("/", "_") + (f"_{starts[first]}" if first else "")
            name = names[0] if names else fallback
            name = name if name in self.known else re.sub(r"\W", "_", name, flags=re.ASCII)
            if name in self.entry.values():
                name = f"{name}_{len(self.entry)}"
            self.entry[id(code), first] = name
            out.append(_Function(name, code, first, end))
        return out

    def _function(self, f: _Function, hook: hooks.Hook | None) -> FuncSpec:
        starts = self.starts[id(f.code)]
        insns: list[Insn] = []
        for index in range(f.first, f.end):
            item, line = f.code.items[index], f.code.lines[index]
            if not isinstance(item, Insn):
                self.fail(line, "this is no instruction", "objects hold whole instructions only")
                continue
            core = self.unit.cores.get((id(f.code), index))
            insns.append(item._replace(ref=self._core(core, line)) if core is not None else self._joined(f, item, starts, index))
        lines = []
        for index in range(f.first, f.end):
            file, number, text = self.unit.place(f.code.lines[index])
            shown = text.split("\n", number)[number - 1] if text else ""
            lines.append(Line(index - f.first, printable(file), number, len(shown) - len(shown.lstrip()) + 1,
                              printable(shown.rstrip())))
        static = hook is None and not (f.name in self.unit.globals and f.name in self.unit.protos)
        linkage = t.STATIC if static else t.GLOBAL
        btf_id = self.types.builder.append(t.Func(f.name, self._proto(f.name, hook), linkage))
        return FuncSpec(f.name, tuple(insns), tuple(lines), btf_id, static)

    def _core(self, ref: CoreRef, line: int) -> CoreRef:
        """A CO-RE relocation by the types of the object that is being made."""
        if self.base is not None:
            return ref
        if self.relocated is None:
            self.fail(line, "a relocation by types that the text does not have", "keep the .btf lines of the listing")
            return ref
        try:
            return ref._replace(type_id=graft(self.types.builder, self.relocated, ref.type_id, self.grafted))
        except BtfError as error:
            self.fail(line, f"the types of .btf do not have {ref.type_id}: {error}")
            return ref

    def _proto(self, name: str, hook: hooks.Hook | None) -> int:
        add = self.types.builder.add
        if name in self.unit.protos:
            return self.types.id(self.unit.protos[name][0])
        result = add(t.Int("int", 4, t.SIGNED))
        if hook is None:
            return add(t.FuncProto(result, ()))
        context = hook.context if re.fullmatch(r"[a-z_]+", hook.context) and "_" in hook.context else ""
        target = add(t.Fwd(context)) if context else 0
        return add(t.FuncProto(result, (t.Param("ctx", add(t.Ptr(target))),)))

    def _joined(self, f: _Function, insn: Insn, starts: list[int], index: int) -> Insn:
        """The instruction with calls by name, and its jumps checked to stay inside the function."""
        if isinstance(insn.ref, FuncRef):
            home = self.unit.symbols.get(insn.ref.name)
            if isinstance(home, Code):
                name = self.entry_of(home, home.labels[insn.ref.name])
                if name:
                    return insn._replace(ref=FuncRef(name))
            self.fail(f.code.lines[index], f"{insn.ref.name!r} is no function")
            return insn
        goal = branch_target(insn, starts[index]) if insn.ref is None else None
        if goal is None:
            return insn
        if insn.code == JMP | CALL:
            at = bisect_right(starts, goal) - 1
            name = self.entry.get((id(f.code), at), "") if at >= 0 and starts[at] == goal else ""
            if not name:
                self.fail(f.code.lines[index], f"the call goes to slot {goal}, where no function begins")
                return insn
            return insn._replace(imm=-1, ref=FuncRef(name))
        if not starts[f.first] <= goal < starts[f.end]:
            self.fail(f.code.lines[index], f"the jump leaves the function {f.name}",
                      "code that is reached from two functions must be a function itself")
        return insn

    def entry_of(self, code: Code, item: int) -> str:
        """The function that begins at an item; sections are cut in any order, so ask again if it is not there yet."""
        if (id(code), item) not in self.entry:
            self._cut(code) if not any(key[0] == id(code) for key in self.entry) else None
        return self.entry.get((id(code), item), "")

    def _relocate(self) -> None:
        """Apply the relocations of a pasted listing."""
        unit = self.unit
        for code, index, symbol, line in unit.relocations:
            insn = code.items[index]
            home, extern = unit.symbols.get(symbol), unit.externs.get(symbol)
            if not isinstance(insn, Insn):
                continue
            done: Insn | None = None
            if insn.code == LD_IMM64:
                if symbol in unit.maps:
                    done = insn._replace(src=IMM64_MAP_FD, imm=0, ref=MapRef(symbol))
                elif isinstance(home, Data):
                    done = insn._replace(src=IMM64_MAP_VALUE, imm=0, ref=DataRef(home.name, home.labels[symbol], symbol))
                elif isinstance(unit.sections.get(symbol), Data):
                    done = insn._replace(src=IMM64_MAP_VALUE, imm=0, ref=DataRef(symbol, insn.imm))
                elif isinstance(home, Code):
                    unit.functions.setdefault(symbol, line)
                    done = insn._replace(src=IMM64_FUNC, imm=0, ref=FuncRef(symbol))
                elif extern is not None and extern.kind == "kconfig":
                    done = insn._replace(src=0, imm=0, ref=KconfigRef(symbol, extern.weak))
                elif extern is not None:
                    typed = extern.type is not None
                    done = insn._replace(src=IMM64_BTF_ID if typed else 0, imm=0, ref=KsymRef(symbol, typed, extern.weak))
            elif insn.code == JMP | CALL:
                done = self._call(insn, symbol)
            if done is None:
                self.fail(line, f"the listing refers to {symbol!r}, which this text does not declare",
                          "declare the map (.map), the variable (.var) or the kernel function (.extern)")
            else:
                code.items[index] = done

    def _call(self, insn: Insn, symbol: str) -> Insn | None:
        unit = self.unit
        extern, section = unit.externs.get(symbol), unit.sections.get(symbol)
        if isinstance(unit.symbols.get(symbol), Code):
            unit.functions.setdefault(symbol, 0)
            return insn._replace(src=CALL_LOCAL, imm=-1, ref=FuncRef(symbol))
        if isinstance(section, Code):  # the distance from the section's start
            at = section.starts().index(insn.imm + 1) if insn.imm + 1 in section.starts() else -1
            name = next((n for n, item in section.labels.items() if item == at), None)
            if name is not None:
                unit.functions.setdefault(name, 0)
                return insn._replace(src=CALL_LOCAL, imm=-1, ref=FuncRef(name))
        if extern is not None and extern.kind == "kfunc":
            return insn._replace(src=CALL_KFUNC, imm=-1, ref=KfuncRef(symbol, extern.weak))
        return None

    # data

    def license(self) -> str:
        section = self.unit.sections.get("license")
        if self.unit.license is None and isinstance(section, Data) and section.image:
            return bytes(section.image).split(b"\0")[0].decode("utf-8", "replace")
        return "GPL" if self.unit.license is None else self.unit.license

    def data(self) -> dict[str, DataSpec]:
        """The sections of global data, with their variables in BTF."""
        out: dict[str, DataSpec] = {}
        for section in self.unit.sections.values():
            if isinstance(section, Data) and section.image and section.name not in ("license", "version"):
                out[section.name] = self._section(section)
        kconfig = [e for e in self.unit.externs.values() if e.kind == "kconfig"]
        if kconfig:
            offset, found = 0, []
            for extern in kconfig:
                assert extern.type is not None
                size, align = self.unit.types.size(extern.type), self.unit.types.align(extern.type)
                offset = -(-offset // align) * align
                found.append((extern.name, offset, size, self.types.id(extern.type), t.EXTERN))
                offset += size
            out[".kconfig"] = self._datasec(".kconfig", bytes(offset), found)
        return out

    def _section(self, section: Data) -> DataSpec:
        order = sorted(section.labels.items(), key=lambda pair: pair[1])
        ends = [offset for _, offset in order[1:]] + [len(section.image)]
        found = []
        for (name, offset), end in zip(order, ends):
            size = section.sizes.get(name, end - offset)
            if size:
                type_id = self.types.id(section.types[name]) if name in section.types else self._guess(section, offset, size)
                if section.name.startswith(".rodata"):
                    type_id = self.types.builder.add(t.Const(type_id))
                found.append((name, offset, size, type_id, t.GLOBAL))
        return self._datasec(section.name, bytes(section.image), found)

    def _guess(self, section: Data, offset: int, size: int) -> int:
        """The type of data that only directives describe: an integer or an array of their width."""
        width = section.units.get(offset, 1)
        width = width if size % width == 0 else 1
        base = decl.Named("typedef", f"u{8 * width}")
        return self.types.id(base if width == size else decl.Array(base, size // width))

    def _datasec(self, name: str, image: bytes, found: list[tuple[str, int, int, int, int]]) -> DataSpec:
        append = self.types.builder.append
        secvars = tuple(t.SecVar(append(t.Var(n, type_id, linkage)), offset, size)
                        for n, offset, size, type_id, linkage in found)
        btf_id = append(t.Datasec(name, len(image), secvars))
        return DataSpec(name, image, tuple(VarSpec(n, offset, size, type_id) for n, offset, size, type_id, _ in found), btf_id)

    def externs(self) -> None:
        """Kernel functions and variables, as clang declares them: in the data section .ksyms of the BTF."""
        secvars = []
        for extern in self.unit.externs.values():
            if extern.kind == "kfunc":
                proto = extern.type or decl.Proto(decl.Base("int", 4, "s"), ())
                func = self.types.builder.append(t.Func(extern.name, self.types.id(proto), t.EXTERN))
                secvars.append(t.SecVar(func, 0, 0))
            elif extern.kind == "ksym":
                size = self._size(extern.type)
                var = self.types.builder.append(t.Var(extern.name, self.types.id(extern.type or decl.Void()), t.EXTERN))
                secvars.append(t.SecVar(var, 0, size))
        if secvars:
            self.types.builder.append(t.Datasec(".ksyms", 0, tuple(secvars)))

    def _size(self, c: decl.CType | None) -> int:
        try:
            return self.unit.types.size(c) if c is not None else 0
        except Problem:
            return 0  # declared, not defined

    # maps

    def maps(self) -> dict[str, MapSpec]:
        out: dict[str, MapSpec] = {}
        for one in self.unit.maps.values():
            try:
                out[one.name] = self._map(one)
            except Problem as problem:
                self.unit.problem(problem, one.line)
        for one in self.unit.maps.values():
            if "inner" in one.words and one.name in out:
                name, col = one.words["inner"]
                if name in out and name != one.name:
                    out[one.name] = out[one.name]._replace(inner=out[name])
                else:
                    self.unit.problem(Problem(f"{name!r} is no map of this text", col, len(name)), one.line)
        return out

    def _map(self, one: MapDecl) -> MapSpec:
        kind = self._word(one, "type", {**{n.lower(): v for n, v in _names(enums.MapType)},
                                        **{n: v for n, v in _names(enums.MapType)},
                                        **{"BPF_MAP_TYPE_" + n: v for n, v in _names(enums.MapType)}}, None)
        flags = self._word(one, "flags", {**{n: v for n, v in _names(enums.MapFlag)},
                                          **{"BPF_F_" + n: v for n, v in _names(enums.MapFlag)}}, 0)
        pinning = self._word(one, "pinning", {"none": 0, "by_name": 1, "name": 1, "LIBBPF_PIN_BY_NAME": 1}, 0)
        sizes = []
        for word, c in (("key", one.key), ("value", one.value)):
            sizes.append(self.unit.types.size(c) if c is not None else one.numbers.get(f"{word}_size", 0))
        key_type, value_type = (self.types.id(c) if c is not None else 0 for c in (one.key, one.value))
        return MapSpec(one.name, kind, sizes[0], sizes[1], one.numbers.get("max_entries", 0), flags, key_type, value_type,
                       pinning=pinning, extra=one.numbers.get("map_extra", 0), numa_node=one.numbers.get("numa_node", 0))

    def _word(self, one: MapDecl, word: str, known: Mapping[str, int], default: int | None) -> int:
        if word not in one.words:
            if default is None:
                raise Problem(f"map {one.name!r} has no {word}", 0, 1, f"write {word}=hash, for instance", "map-attribute")
            return default
        text, col = one.words[word]
        try:
            value = expression(cursor := Cursor(text), _Flags(known))
            if not isinstance(value, Sym) and not cursor.text:
                return value
        except Problem as problem:
            raise Problem(problem.message, col, len(text), problem.help, problem.code) from None
        from difflib import get_close_matches

        close = get_close_matches(text, list(known), 1)
        raise Problem(f"unknown {word} {text!r}", col, len(text), f"did you mean {close[0]!r}?" if close else "",
                      "map-attribute")


def _names(cls: type) -> list[tuple[str, int]]:
    return [(n, v) for n, v in vars(cls).items() if n[0] != "_" and isinstance(v, int)]
