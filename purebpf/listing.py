"""Machine code and objects -> listings: assembly text that assembles again, JSON, control-flow graphs.

Takes an ObjectSpec, or bare code with what is known of it (names, source lines); gives text to the command line. The
inverse of `assembler`: what it reads of an object is written here.
"""

from __future__ import annotations

import re
from typing import Any, Container, Final, Mapping, NamedTuple, Sequence

from .errors import FormatError
from .isa import flow
from .isa.codec import decode, encode
from .isa.insn import CoreRef, DataRef, ExternRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef
from .isa.opcodes import CALL, CALL_LOCAL, IMM64_FUNC, JMP, LD_IMM64
from .isa.table import lookup
from .isa.text import branch_target, format_insn
from .order import HOST, ORDERS
from .spec import DataSpec, FuncSpec, MapSpec, ObjectSpec


class Routine(NamedTuple):
    """A named stretch of code. `sources`: per instruction index, the source line that begins there ("file:line  text");
    `notes`: remarks on an instruction. `entry`: the name is a symbol of its own, not only a place."""

    name: str
    section: str
    insns: tuple[Insn, ...]
    sources: Mapping[int, str] = {}
    notes: Mapping[int, str] = {}
    exported: bool = False
    byteorder: str = HOST.name


class Style(NamedTuple):
    """How to print: `bytes` and `source` as comments, `labels` instead of distances, helper names by number."""

    notation: str = "kernel"
    labels: bool = True
    source: bool = False
    bytes: bool = False
    helpers: Mapping[int, str] = {}
    colour: bool = False
    core: bool = False  # CO-RE relocations as words for the assembler, which need `footer`'s types or the whole object


_INDENT: Final = "    "


# what to list


def routines_of_code(code: bytes, byteorder: str = HOST.name, names: Mapping[int, str] | None = None,
                     sources: Mapping[int, str] | None = None, notes: Mapping[int, str] | None = None,
                     section: str = "", relocated: Container[int] = ()) -> list[Routine]:
    """Bare code, cut where local calls go to and where `names` (slot -> name) say; `sources` and `notes` are by slot. What
    instructions at `relocated` slots refer to is not in their fields."""
    insns = decode(code, byteorder)
    if not insns:
        return []
    slots = flow.slots_of(insns)
    index = {slot: n for n, slot in enumerate(slots[:-1])}
    starts = {0: ""} | {slot: "" for slot in (
        _reached(i, s) for i, s in zip(insns, slots) if s not in relocated) if slot in index}
    goals = set(starts) if any(_reached(i, s) == 0 for i, s in zip(insns, slots) if s not in relocated) else set(starts) - {0}
    starts |= {slot: name for slot, name in (names or {}).items() if slot in index}
    order = sorted(starts)
    called = {slot: starts[slot] or f"func_{slot}" for slot in order}
    out = []
    for slot, after in zip(order, [*order[1:], slots[-1]]):
        first, end = index[slot], index.get(after, len(insns))
        body = []
        for n in range(first, end):
            insn = insns[n]
            goal = _reached(insn, slots[n]) if slots[n] not in relocated else -1
            body.append(insn._replace(ref=FuncRef(called[goal])) if goal in called else insn)
        out.append(Routine(called[slot] if slot or starts[slot] or slot in goals else "", section, tuple(body),
                           {index[s] - first: text for s, text in (sources or {}).items() if slot <= s < after and s in index},
                           {index[s] - first: text for s, text in (notes or {}).items() if slot <= s < after and s in index},
                           byteorder=byteorder))
    return out


def _reached(insn: Insn, slot: int) -> int:
    """The slot of the function that an instruction calls or takes the address of; -1 for others."""
    if insn.code == LD_IMM64 and insn.src == IMM64_FUNC and insn.imm >> 32 == 0:
        return slot + 1 + (insn.imm - (insn.imm >> 31 << 32))
    goal = branch_target(insn, slot) if insn.code == JMP | CALL and insn.src == CALL_LOCAL else None
    return -1 if goal is None else goal


def routines_of_object(spec: ObjectSpec) -> list[Routine]:
    """Every function of an object: programs by section, then subprograms."""
    out = [_routine(p.func, p.section, True, spec) for p in spec.programs.values()]
    return out + [_routine(f, ".text", not f.static, spec) for f in spec.functions.values()]


def _routine(func: FuncSpec, section: str, exported: bool, spec: ObjectSpec) -> Routine:
    sources = _sources(func)
    notes = {n: _relocation(i.ref, spec) for n, i in enumerate(func.insns) if isinstance(i.ref, CoreRef)}
    places = {v.name: v.offset for d in spec.data.values() for v in d.vars}
    insns = tuple(_named_data(i, places) for i in func.insns)
    return Routine(func.name, section, insns, sources, notes, exported, spec.byteorder)


def _sources(func: FuncSpec) -> dict[int, str]:
    """The source line that begins at an instruction, once as long as it goes on; its file by its last name."""
    out: dict[int, str] = {}
    last = ("", 0)
    for line in func.lines:
        if (line.file, line.line) != last:
            out[line.insn] = f"{line.file.rpartition('/')[2]}:{line.line}  {line.text.strip()}"
        last = (line.file, line.line)
    return out


def _relocation(ref: CoreRef, spec: ObjectSpec) -> str:
    """A CO-RE relocation: its kind, type and path, by name."""
    from .btf import core
    from .errors import BtfError

    try:
        what = core.describe(spec.btf, ref.type_id, ref.access, ref.kind) if spec.btf is not None else ""
    except BtfError:
        what = ""
    return f"CO-RE <{core.KIND_NAMES.get(ref.kind, ref.kind)}> [{ref.type_id}] {what} ({ref.access})".replace("  ", " ")


def _named_data(insn: Insn, places: Mapping[str, int]) -> Insn:
    """A reference into a variable keeps the section's name and offset, so that the text says the same."""
    if isinstance(insn.ref, DataRef) and insn.ref.symbol and places.get(insn.ref.symbol) != insn.ref.offset:
        return insn._replace(ref=insn.ref._replace(symbol=""))
    return insn


# assembly text


def header(spec: ObjectSpec, whole: bool = False) -> list[str]:
    """The declarations of an object: licence, types, maps, externs, data. Types that our C does not cover are left out:
    maps then have sizes only, data bytes only. `whole`: with all that the object is besides its code."""
    if whole:
        from .whole import pack

        return [*_Declarations(spec, False).lines(), "", *pack(spec)]
    if spec.btf is not None:
        typed = _Declarations(spec, True).lines()
        if _reads_back(spec, typed):
            return typed
    return _Declarations(spec, False).lines()


def footer(spec: ObjectSpec) -> list[str]:
    """The lines behind the code of an object that is not listed whole: the types of its CO-RE relocations."""
    from .whole import pack_types

    return pack_types(spec)


def _reads_back(spec: ObjectSpec, lines: list[str]) -> bool:
    """Whether the assembler makes the same maps and data of these lines."""
    from .isa.asm import parse
    from .isa.unit import Data

    try:
        unit = parse("\n".join(lines), byteorder=spec.byteorder)
    except FormatError:
        return False
    for name, one in spec.maps.items():
        made = unit.maps[name]
        if (made.key is not None and unit.types.size(made.key) != one.key_size) or (
                made.value is not None and unit.types.size(made.value) != one.value_size):
            return False
    for name, data in spec.data.items():
        section = unit.sections.get(name)
        if isinstance(section, Data) and bytes(section.image) != data.data:
            return False
    return True


class _Declarations:
    """Writes the declarations of an object, with the types of its BTF or without any."""

    def __init__(self, spec: ObjectSpec, typed: bool) -> None:
        self.spec = spec
        self.btf = spec.btf if typed else None
        self.order = ORDERS[spec.byteorder]

    def lines(self) -> list[str]:
        spec = self.spec
        out = [f".license {_string(spec.license.encode('utf-8', 'surrogateescape'))}"]
        if self.btf is not None:
            out += self._types()
        for one in spec.maps.values():
            out += self._map(one)
        out += self._externs()
        for data in spec.data.values():
            if data.name == ".kconfig":
                out += [f".kconfig u{8 * v.size} {v.name}" for v in data.vars]
            elif data.name not in ("license", "version"):
                out += self._data(data)
        return out

    def _functions(self) -> list[FuncSpec]:
        return [p.func for p in self.spec.programs.values()] + list(self.spec.functions.values())

    def _types(self) -> list[str]:
        """C definitions of the types of maps and variables, and prototypes."""
        assert self.btf is not None
        from .btf import declare
        from .btf import types as t
        from .errors import BtfError

        ids = [i for one in self.spec.maps.values() for i in (one.key_type, one.value_type) if i]
        ids += [v.type_id for d in self.spec.data.values() for v in d.vars if v.type_id and d.name != ".kconfig"]
        try:
            text = declare.c_header(self.btf, dict.fromkeys(ids)).strip()
        except BtfError:
            return [".bad"]  # does not read back
        out = [""] + [line.expandtabs(4) for line in text.split("\n")] if text else []
        for func in self._functions():
            one = self.btf[func.btf_id] if func.btf_id else None
            if isinstance(one, t.Func) and not func.static:
                try:
                    out.append(f".proto {declare.spell(self.btf, one.proto, func.name)}")
                except BtfError:
                    continue
        return [*out, ""]

    def _spelled(self, type_id: int, name: str) -> str:
        """A declaration of `name`; "" without types."""
        if self.btf is None or not type_id:
            return ""
        from .btf import declare

        return declare.spell(self.btf, type_id, name)

    def _map(self, one: MapSpec) -> list[str]:
        from .uapi import enums

        kind = enums.names(enums.MapType).get(one.type, str(one.type)).lower()
        words = [f"type={kind}"]
        for word, type_id, size in (("key", one.key_type, one.key_size), ("value", one.value_type, one.value_size)):
            spelled = self._spelled(type_id, "")
            words += [f"{word}={spelled}"] if spelled else [f"{word}_size={size}"] if size else []
        words += [f"max_entries={one.max_entries}"] if one.max_entries else []
        for word, value in (("flags", one.flags), ("map_extra", one.extra), ("numa_node", one.numa_node)):
            words += [f"{word}={value:#x}"] if value else []
        words += ["pinning=by_name"] if one.pinning else []
        before: list[str] = []
        if one.inner is not None:
            inner = one.inner.name if one.inner.name in self.spec.maps else f"{one.name}_inner"
            before = self._map(one.inner._replace(name=inner)) if inner not in self.spec.maps else []
            words.append(f"inner={inner}")
        return [*before, f".map {one.name}, " + ", ".join(words)]

    def _externs(self) -> list[str]:
        externs: dict[str, str] = {}
        insns = [i for f in self._functions() for i in f.insns]
        for insn in sorted(insns, key=lambda i: not isinstance(i.ref, KfuncRef)):  # some have their address taken, too
            match insn.ref:
                case KfuncRef(name, weak):
                    externs.setdefault(name, f".extern {'weak ' * weak}{self._extern(name) or name}")
                case ExternRef(name, _, weak):
                    word = "extern" if insn.code == JMP | CALL else "ksym"
                    externs.setdefault(name, f".{word} {'weak ' * weak}{name}")
                case KsymRef(name, typed, weak):
                    shown = self._extern(name) or (f"int {name}" if typed else name)
                    externs.setdefault(name, f".ksym {'weak ' * weak}{shown if typed else name}")
        return list(externs.values())

    def _extern(self, name: str) -> str:
        """The declaration that BTF has of a kernel function or variable."""
        from .btf import types as t

        if self.btf is None:
            return ""
        for _, one in self.btf.items():
            if isinstance(one, (t.Func, t.Var)) and one.name == name:
                return self._spelled(one.proto if isinstance(one, t.Func) else one.type, name)
        return ""

    def _data(self, data: DataSpec) -> list[str]:
        out = ["", f'.section "{data.name}"']
        at = 0
        for var in sorted(data.vars, key=lambda v: v.offset):
            if var.offset < at or var.offset + var.size > len(data.data):
                continue  # overlaps the one before: the bytes are there
            out += self._bytes(data.data[at:var.offset])
            chunk = data.data[var.offset:var.offset + var.size]
            spelled = self._spelled(var.type_id, var.name)
            if spelled:
                out.append(f".var {spelled}" + (f" = {self._initial(var.type_id, chunk)}" if any(chunk) else ""))
            else:
                out += [f"{var.name}:", *self._bytes(chunk)]
            at = var.offset + var.size
        return out + self._bytes(data.data[at:])

    def _bytes(self, chunk: bytes) -> list[str]:
        """Directives for some data."""
        if not any(chunk):
            return [f"{_INDENT}.zero {len(chunk)}"] if chunk else []
        if len(chunk) in (2, 4, 8):
            word = {2: ".2byte", 4: ".4byte", 8: ".8byte"}[len(chunk)]
            return [f"{_INDENT}{word} {self.order.number(chunk):#x}"]
        return [f"{_INDENT}.ascii {_string(chunk[i:i + 64])}" for i in range(0, len(chunk), 64)]

    def _initial(self, type_id: int, chunk: bytes) -> str:
        """A number for an integer, its bytes for anything else."""
        from .btf import layout
        from .btf import types as t

        kind = layout.resolved(self.btf, type_id) if self.btf is not None else None
        if isinstance(kind, t.Int) and kind.size == len(chunk):
            return str(self.order.number(chunk, signed=bool(kind.encoding & t.SIGNED)))
        return _string(chunk)


def _string(data: bytes) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in data) + '"'


def text(routines: list[Routine], style: Style, declarations: list[str] | None = None, after: Sequence[str] = ()) -> str:
    """The listing. With `declarations` it is a whole object for the assembler, with sections and symbols; `after` are lines for its end."""
    out = list(declarations or ())
    section = ""
    counter = 0
    taken = {r.name for r in routines}
    for routine in routines:
        if declarations is not None:
            if routine.section != section:
                out += ["", f'.section "{routine.section}"']
                section = routine.section
            if routine.name:
                out += [f".globl {routine.name}"] if routine.exported else [f".type {routine.name}, @function"]
        if routine.name:
            out.append(f"{routine.name}:")
        labels, counter = _labels(routine, style, counter, taken)
        out += _body(routine, style, labels)
    out += ["", *after] if after else []
    if style.colour:
        out = [coloured(line) for line in out]
    return "\n".join(out) + "\n" if out else ""


def _labels(routine: Routine, style: Style, counter: int, taken: set[str]) -> tuple[dict[int, str], int]:
    """Names for the slots that jumps go to."""
    if not style.labels:
        return {}, counter
    slots = flow.slots_of(routine.insns)
    goals = {branch_target(i, s) for i, s in zip(routine.insns, slots) if i.ref is None and i.code != JMP | CALL}
    labels = {}
    for goal in sorted(g for g in goals if g in slots):
        counter += 1
        while f"L{counter}" in taken:
            counter += 1
        labels[goal] = f"L{counter}"
    return labels, counter


def _body(routine: Routine, style: Style, labels: Mapping[int, str]) -> list[str]:
    out = []
    slots = flow.slots_of(routine.insns)
    for n, insn in enumerate(routine.insns):
        if slots[n] in labels:
            out.append(f"{labels[slots[n]]}:")
        if style.source and n in routine.sources:
            out.append(f"{_INDENT}; {routine.sources[n]}")
        if style.core and isinstance(insn.ref, CoreRef):
            out.append(f'{_INDENT}.core {insn.ref.kind}, {insn.ref.type_id}, "{insn.ref.access}"')
        shown = line_text(insn, slots[n], labels, style)
        remarks = []
        if style.bytes:
            remarks.append(f"{slots[n]}: {encode([_bare(insn)], routine.byteorder).hex(' ')}")
        if n in routine.notes:
            remarks.append(routine.notes[n])
        for part in shown.split("\n"):
            out.append(_INDENT + part + (f"{' ' * max(1, 40 - len(part))}; {'  '.join(remarks)}" if remarks else ""))
            remarks = []
    if slots[-1] in labels:
        out.append(f"{labels[slots[-1]]}:")
    return out


def line_text(insn: Insn, slot: int, labels: Mapping[int, str], style: Style) -> str:
    """One instruction; jumps to a label by its name."""
    goal = branch_target(insn, slot) if labels and insn.ref is None else None
    target = labels.get(goal) if goal is not None else None
    return format_insn(insn, style.notation, target=target, helpers=style.helpers)


def _bare(insn: Insn) -> Insn:
    return insn._replace(imm=insn.imm & 0xFFFFFFFFFFFFFFFF) if insn.slots == 2 else insn


# JSON and graphs


def as_json(routines: list[Routine], style: Style) -> list[dict[str, Any]]:
    """The listing as plain values."""
    out = []
    for routine in routines:
        labels, _ = _labels(routine, style, 0, set())
        slots = flow.slots_of(routine.insns)
        rows = []
        for n, insn in enumerate(routine.insns):
            row = lookup(*insn[:5])
            one: dict[str, Any] = {
                "slot": slots[n], "bytes": encode([_bare(insn)], routine.byteorder).hex(),
                "text": line_text(insn, slots[n], labels, style), "name": row.name if row else None, "opcode": insn.code,
                "dst": insn.dst, "src": insn.src, "off": insn.off, "imm": insn.imm,
            }
            goal = branch_target(insn, slots[n]) if insn.ref is None else None
            if goal is not None:
                one["target"] = goal
            if slots[n] in labels:
                one["label"] = labels[slots[n]]
            if insn.ref is not None:
                one["ref"] = _ref(insn)
            if n in routine.sources:
                one["source"] = routine.sources[n]
            if n in routine.notes:
                one["note"] = routine.notes[n]
            rows.append(one)
        out.append({"name": routine.name, "section": routine.section, "insns": rows})
    return out


def _ref(insn: Insn) -> dict[str, Any]:
    kinds = {MapRef: "map", DataRef: "data", FuncRef: "function", KfuncRef: "kfunc", KsymRef: "ksym", KconfigRef: "kconfig",
             CoreRef: "core", ExternRef: "extern", Label: "label"}
    assert insn.ref is not None
    return {"kind": kinds[type(insn.ref)], **insn.ref._asdict()}


def graph(routines: list[Routine], style: Style) -> str:
    """The control-flow graphs as DOT."""
    return flow.dot([(r.name or "code", r.insns, [line_text(i, 0, {}, style) for i in r.insns]) for r in routines])


# colour

_PAINT: Final = re.compile(
    r"(?P<comment>;.*$)|(?P<label>^[\w.$]+:)|(?P<directive>(?<!\w)\.[a-z]\w*)|(?P<register>%?\b[rw]\d+\b)"
    r"|(?P<string>\"[^\"]*\")|(?P<number>(?<![\w.])[-+]?(?:0x[0-9a-f]+|\d+)\b)"
    r"|(?P<word>\b(?:if|goto|gotol|may_goto|gotox|call|callx|exit|lock|ll|local|runtime|kfunc)\b)")
_SGR: Final = {"comment": "90", "label": "33;1", "directive": "35", "register": "36", "string": "32", "number": "34",
               "word": "31;1"}


def coloured(line: str) -> str:
    """A line of a listing with terminal colours."""
    return _PAINT.sub(lambda m: f"\033[{_SGR[m.lastgroup or 'number']}m{m[0]}\033[0m", line)
