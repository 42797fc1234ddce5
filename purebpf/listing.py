"""Machine code and objects -> listings: assembly text that assembles again, JSON, control-flow graphs.

Takes an ObjectSpec, or bare code with what is known of it (names, source lines); gives text to the command line. The
inverse of `assembler`: what it reads of an object is written here.
"""

from __future__ import annotations

import re
from typing import Any, Final, Mapping, NamedTuple

from .isa import flow
from .isa.codec import decode, encode
from .isa.insn import CoreRef, DataRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef
from .isa.opcodes import CALL, CALL_LOCAL, JMP
from .isa.table import lookup
from .isa.text import branch_target, format_insn
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
    byteorder: str = "little"


class Style(NamedTuple):
    """How to print: `bytes` and `source` as comments, `labels` instead of distances, helper names by number."""

    notation: str = "kernel"
    labels: bool = True
    source: bool = False
    bytes: bool = False
    helpers: Mapping[int, str] = {}
    colour: bool = False


_INDENT: Final = "    "


# what to list


def routines_of_code(code: bytes, byteorder: str = "little", names: Mapping[int, str] | None = None,
                     sources: Mapping[int, str] | None = None, notes: Mapping[int, str] | None = None,
                     section: str = "") -> list[Routine]:
    """Bare code, cut where local calls go to and where `names` (slot -> name) say; `sources` and `notes` are by slot."""
    insns = decode(code, byteorder)
    slots = flow.slots_of(insns)
    index = {slot: n for n, slot in enumerate(slots[:-1])}
    starts = {0: ""} | {slot: "" for slot in (
        branch_target(i, s) for i, s in zip(insns, slots) if i.code == JMP | CALL and i.src == CALL_LOCAL)
        if slot is not None and slot in index}
    starts |= {slot: name for slot, name in (names or {}).items() if slot in index}
    order = sorted(starts)
    called = {slot: starts[slot] or f"func_{slot}" for slot in order}
    out = []
    for slot, after in zip(order, [*order[1:], slots[-1]]):
        first, end = index[slot], index.get(after, len(insns))
        body = []
        for n in range(first, end):
            insn = insns[n]
            goal = branch_target(insn, slots[n]) if insn.code == JMP | CALL else None
            body.append(insn._replace(imm=-1, ref=FuncRef(called[goal])) if goal is not None and goal in called else insn)
        out.append(Routine(called[slot] if slot or starts[slot] else "", section, tuple(body),
                           {index[s] - first: text for s, text in (sources or {}).items() if slot <= s < after and s in index},
                           {index[s] - first: text for s, text in (notes or {}).items() if slot <= s < after and s in index},
                           byteorder=byteorder))
    return out


def routines_of_object(spec: ObjectSpec) -> list[Routine]:
    """Every function of an object: programs by section, then subprograms."""
    out = [_routine(p.func, p.section, True, spec) for p in spec.programs.values()]
    return out + [_routine(f, ".text", not f.static, spec) for f in spec.functions.values()]


def _routine(func: FuncSpec, section: str, exported: bool, spec: ObjectSpec) -> Routine:
    sources = {line.insn: f"{line.file}:{line.line}  {line.text.strip()}" for line in func.lines}
    notes = {n: f"CO-RE kind {i.ref.kind} of type {i.ref.type_id} at {i.ref.access}"
             for n, i in enumerate(func.insns) if isinstance(i.ref, CoreRef)}
    places = {v.name: v.offset for d in spec.data.values() for v in d.vars}
    insns = tuple(_named_data(i, places) for i in func.insns)
    return Routine(func.name, section, insns, sources, notes, exported)


def _named_data(insn: Insn, places: Mapping[str, int]) -> Insn:
    """A reference into a variable keeps the section's name and offset, so that the text says the same."""
    if isinstance(insn.ref, DataRef) and insn.ref.symbol and places.get(insn.ref.symbol) != insn.ref.offset:
        return insn._replace(ref=insn.ref._replace(symbol=""))
    return insn


# assembly text


def header(spec: ObjectSpec) -> list[str]:
    """The declarations of an object: licence, maps, externs, data."""
    out = [f".license {_string(spec.license.encode('utf-8', 'surrogateescape'))}"]
    for one in spec.maps.values():
        out += _map(one, spec)
    externs: dict[str, str] = {}
    funcs = [p.func for p in spec.programs.values()] + list(spec.functions.values())
    for insn in (i for f in funcs for i in f.insns):
        match insn.ref:
            case KfuncRef(name, weak):
                externs.setdefault(name, f".extern {'weak ' * weak}{name}")
            case KsymRef(name, typed, weak):
                externs.setdefault(name, f".ksym {'weak ' * weak}{'int ' * typed}{name}")
    out += externs.values()
    for data in spec.data.values():
        if data.name == ".kconfig":
            out += [f".kconfig u{8 * v.size} {v.name}" for v in data.vars]
        else:
            out += _data(data)
    return out


def _map(one: MapSpec, spec: ObjectSpec) -> list[str]:
    from .uapi import enums

    kind = enums.names(enums.MapType).get(one.type, str(one.type)).lower()
    words = [f"type={kind}", f"key_size={one.key_size}", f"value_size={one.value_size}", f"max_entries={one.max_entries}"]
    for word, value in (("flags", one.flags), ("map_extra", one.extra), ("numa_node", one.numa_node)):
        words += [f"{word}={value:#x}"] if value else []
    words += ["pinning=by_name"] if one.pinning else []
    before: list[str] = []
    if one.inner is not None:
        inner = one.inner.name if one.inner.name in spec.maps else f"{one.name}_inner"
        before = _map(one.inner._replace(name=inner), spec) if inner not in spec.maps else []
        words.append(f"inner={inner}")
    return [*before, f".map {one.name}, " + ", ".join(words)]


def _string(data: bytes) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in data) + '"'


def _data(data: DataSpec) -> list[str]:
    if data.name in ("license", "version"):
        return []
    out = ["", f'.section "{data.name}"']
    marks = sorted({v.offset for v in data.vars} | {0, len(data.data)})
    for at, end in zip(marks, marks[1:]):
        out += [f"{v.name}:" for v in data.vars if v.offset == at]
        chunk = data.data[at:end]
        if not any(chunk):
            out.append(f"{_INDENT}.zero {len(chunk)}")
        elif len(chunk) in (2, 4, 8):
            word = {2: ".2byte", 4: ".4byte", 8: ".8byte"}[len(chunk)]
            out.append(f"{_INDENT}{word} {int.from_bytes(chunk, 'little'):#x}")
        else:
            out += [f"{_INDENT}.ascii {_string(chunk[i:i + 64])}" for i in range(0, len(chunk), 64)]
    return out


def text(routines: list[Routine], style: Style, declarations: list[str] | None = None) -> str:
    """The listing. With `declarations` it is a whole object for the assembler, with sections and symbols."""
    out = list(declarations or ())
    section = ""
    counter = 0
    taken = {r.name for r in routines}
    for routine in routines:
        if declarations is not None:
            if routine.section != section:
                out += ["", f'.section "{routine.section}"']
                section = routine.section
            out += [f".globl {routine.name}"] if routine.exported else [f".type {routine.name}, @function"]
        if routine.name:
            out.append(f"{routine.name}:")
        labels, counter = _labels(routine, style, counter, taken)
        out += _body(routine, style, labels)
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
             CoreRef: "core", Label: "label"}
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
