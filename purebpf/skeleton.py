"""Modules that carry an object: a typed Python module, or a header for C programs with libbpf.

Takes an ObjectSpec and its name; gives text. What is in the object has a name and a type there, so that checkers and
editors know it.
"""

from __future__ import annotations

import keyword
import re
from typing import Final, Iterator

from . import elf
from .btf import Btf
from .btf import types as t
from .btf.ctext import CText
from .btf.layout import resolve, resolved, size_of
from .spec import DataSpec, MapSpec, ObjectSpec, VarSpec
from .uapi.enums import MapType

_M = MapType
_RECORDS: Final = (_M.RINGBUF, _M.PERF_EVENT_ARRAY)
_PER_CPU: Final = (_M.PERCPU_HASH, _M.PERCPU_ARRAY, _M.LRU_PERCPU_HASH)
_KEYED: Final = (_M.HASH, _M.ARRAY, _M.LRU_HASH, _M.LPM_TRIE, *_PER_CPU)
_TAKEN: Final = frozenset({"close", "loaded", "spec"})
_WIDTH: Final = 108


def variables(spec: ObjectSpec) -> Iterator[tuple[DataSpec, VarSpec]]:
    """The exported variables."""
    for section in spec.data.values():
        if section.is_array and section.name != ".kconfig":
            yield from ((section, var) for var in section.vars if not var.static)


def identifier(name: str) -> str:
    """A name as C and Python take it."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{made}" if made[:1].isdigit() or not made else made


# ── Python ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def python(spec: ObjectSpec, name: str) -> str:
    """The source of a module with a class that loads the object: `with Name() as k: k.counts[1]`."""
    types = _Annotations(spec.btf)
    rows = [(one.name, types.of_map(one)) for one in spec.maps.values()]
    rows += [(var.name, f"LiveVariable[{types.of(var.type_id)}]") for _, var in variables(spec)]
    rows += [(program, "LoadedProgram") for program in spec.programs]
    lines = [f"    {member}: {kind}" for member, kind in rows if _is_member(member)]
    cls = "".join(part.capitalize() for part in identifier(name).split("_")) or "Skeleton"
    return "\n".join([
        f'"""{name}: its maps, variables and programs, and the object itself. Written by `purebpf skel`: do not edit."""', "",
        "from __future__ import annotations", "", "from typing import TYPE_CHECKING, Any", "",
        "from purebpf.objects import Table", "", "if TYPE_CHECKING:",
        "    from purebpf.dsl.live import LiveRing, LiveTable, LiveVariable, PerCpuValue",
        "    from purebpf.loader import LoadedProgram", "", *types.classes(), "", f"class {cls}(Table):",
        f'    """`with {cls}() as k:` loads and attaches; what it takes is what `loader.load` takes."""', "", *lines, "",
        f"    _object_name = {name!r}", '    _object_file = """', *_embedded(elf.write(spec)), '    """', ""])


def _is_member(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _TAKEN and not name.startswith("_")


def _embedded(data: bytes) -> list[str]:
    from base64 import b85encode
    from zlib import compress

    text = b85encode(compress(data, 9)).decode()
    return ["    " + text[i:i + _WIDTH] for i in range(0, len(text), _WIDTH)]


class _Annotations:
    """Python types of values, with a class for each struct."""

    def __init__(self, btf: Btf | None) -> None:
        self.btf = btf
        self.known: dict[int, str] = {}
        self.rows: dict[str, list[str]] = {}

    def of_map(self, one: MapSpec) -> str:
        if one.type in _RECORDS:
            return f"LiveRing[{self.of(one.value_type, 'bytes')}]"
        if one.type not in _KEYED:
            return "Any"
        key, value = self._sized(one.key_type, one.key_size), self._sized(one.value_type, one.value_size)
        return f"LiveTable[{key}, {f'PerCpuValue[{value}]' if one.type in _PER_CPU else value}]"

    def _sized(self, type_id: int, size: int) -> str:
        return self.of(type_id, "int" if size in (1, 2, 4, 8) else "bytes")

    def of(self, type_id: int, otherwise: str = "Any") -> str:
        if self.btf is None or not type_id:
            return otherwise
        plain = resolve(self.btf, type_id)
        match self.btf[plain] if plain else None:
            case t.Int() as one:
                return "bool" if one.encoding & t.BOOL else "int"
            case t.Enum() | t.Enum64() | t.Ptr():
                return "int"
            case t.Float():
                return "float"
            case t.Array() as one:
                elem = resolved(self.btf, one.elem)
                if isinstance(elem, t.Int) and elem.size == 1 and (elem.name == "char" or elem.encoding & t.CHAR):
                    return "str"
                return f"list[{self.of(one.elem)}]"
            case t.Struct() as one:
                return self._struct(plain, one)
            case t.Var() as one:
                return self.of(one.type)
            case _:
                return "Any"

    def _struct(self, type_id: int, one: t.Struct) -> str:
        found = self.known.get(type_id)
        if found is None:
            base = identifier(one.name or f"struct_{type_id}")
            base = base if base not in self.rows and not keyword.iskeyword(base) else f"{base}_{type_id}"
            found = self.known[type_id] = base
            self.rows[base] = []
            for m in one.members:
                if m.name and _is_member(m.name):
                    self.rows[base].append(f"        {m.name}: {self.of(m.type)}")
        return found

    def classes(self) -> list[str]:
        out = []
        for name, rows in self.rows.items():
            out += [f"    class {name}:", *(rows or ["        pass"]), ""]
        return out


# ── C ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def c_header(spec: ObjectSpec, name: str) -> str:
    """A header for programs that use libbpf: NAME_bpf with its open, load, attach and destroy functions."""
    base = identifier(name)
    types, sections = _sections(spec, base)
    kinds = [*spec.maps, *(identifier(s.name.strip(".")) for s in sections)]
    guard = f"{base.upper()}_BPF_H"
    return "\n".join([
        f"/* {name}: written by `purebpf skel --c`: do not edit. */", f"#ifndef {guard}", f"#define {guard}",
        "#include <errno.h>", "#include <stdlib.h>", "#include <bpf/libbpf.h>", "",
        f"#ifndef {base.upper()}_BPF_NO_TYPES", types, "#endif", "", f"struct {base}_bpf {{",
        "\tstruct bpf_object_skeleton *skeleton;", "\tstruct bpf_object *obj;",
        _group("bpf_map", kinds, "maps"), _group("bpf_program", list(spec.programs), "progs"),
        _group("bpf_link", list(spec.programs), "links"), *(_data_struct(spec, s, base) for s in sections), "};", "",
        _functions(spec, base, name, sections), "#endif", ""])


def _group(kind: str, names: list[str], group: str) -> str:
    rows = "".join(f"\t\tstruct {kind} *{identifier(n)};\n" for n in names)
    return f"\tstruct {{\n{rows}\t}} {group};" if names else ""


def _sections(spec: ObjectSpec, base: str) -> tuple[str, list[DataSpec]]:
    sections = [s for s in spec.data.values() if s.is_array and s.data]
    if spec.btf is None:
        return "", sections
    text = CText(spec.btf)
    for _, var in variables(spec):
        if var.type_id:
            text.need(var.type_id)
    return "\n\n".join(text.out), sections


def _data_struct(spec: ObjectSpec, section: DataSpec, base: str) -> str:
    """The variables of a section at their places."""
    word = identifier(section.name.strip("."))
    rows, at = [], 0
    text = CText(spec.btf) if spec.btf is not None else None
    for var in sorted(section.vars, key=lambda v: v.offset):
        if var.offset < at:
            continue
        if var.offset > at:
            rows.append(f"\t\tchar __pad{at}[{var.offset - at}];")
        plain = _without_const(spec.btf, var.type_id) if spec.btf is not None else 0
        shown = text.spell(plain, identifier(var.name)).rstrip() if text is not None and plain and not var.static and _sized(
            spec.btf, plain) == var.size else f"char {identifier(var.name)}[{var.size}]"
        align = text.aligns.of(plain) if text is not None and plain else 1
        rows.append(f"\t\t{shown} __attribute__((packed));" if var.offset % align else f"\t\t{shown};")
        at = var.offset + var.size
    if at < len(section.data):
        rows.append(f"\t\tchar __pad{at}[{len(section.data) - at}];")
    return f"\tstruct {base}_bpf__{word} {{\n" + "\n".join(rows) + f"\n\t}} *{word};"


def _without_const(btf: Btf, type_id: int) -> int:
    while type_id and isinstance(one := btf[type_id], (t.Const, t.Volatile, t.Var)):
        type_id = one.type
    return type_id


def _sized(btf: Btf | None, type_id: int) -> int:
    return size_of(btf, type_id) if btf is not None else 0


def _map_name(name: str, section: str) -> str:
    """libbpf's name of a data section's map."""
    return section if section.count(".") > 1 else identifier(name)[:15 - max(7, len(section))] + section


def _functions(spec: ObjectSpec, base: str, name: str, sections: list[DataSpec]) -> str:
    entries = [(one, identifier(one), "") for one in spec.maps]
    entries += [(_map_name(name, s.name), identifier(s.name.strip(".")), identifier(s.name.strip("."))) for s in sections]
    rows = [f"\tstruct {base}_bpf *o = calloc(1, sizeof(*o));", "\tstruct bpf_object_skeleton *s = calloc(1, sizeof(*s));",
            "\tif (!o || !s)\n\t\tgoto failed;", "\to->skeleton = s;", "\ts->sz = sizeof(*s);", f'\ts->name = "{identifier(name)}";',
            "\ts->obj = &o->obj;"]
    if entries:
        rows += [f"\ts->map_cnt = {len(entries)};", "\ts->map_skel_sz = sizeof(*s->maps);",
                 "\ts->maps = calloc(s->map_cnt, s->map_skel_sz);", "\tif (!s->maps)\n\t\tgoto failed;"]
    for number, (shown, member, data) in enumerate(entries):
        rows += [f'\ts->maps[{number}].name = "{shown}";', f"\ts->maps[{number}].map = &o->maps.{member};"]
        rows += [f"\ts->maps[{number}].mmaped = (void **)&o->{data};"] if data else []
    if spec.programs:
        rows += [f"\ts->prog_cnt = {len(spec.programs)};", "\ts->prog_skel_sz = sizeof(*s->progs);",
                 "\ts->progs = calloc(s->prog_cnt, s->prog_skel_sz);", "\tif (!s->progs)\n\t\tgoto failed;"]
    for number, program in enumerate(spec.programs):
        member = identifier(program)
        rows += [f'\ts->progs[{number}].name = "{program}";', f"\ts->progs[{number}].prog = &o->progs.{member};",
                 f"\ts->progs[{number}].link = &o->links.{member};"]
    rows += ["\ts->data = (void *)data;", "\ts->data_sz = sizeof(data);"]
    return _TEMPLATE.replace("NAME", f"{base}_bpf").replace("ROWS", "\n".join(rows)).replace("BYTES", _c_bytes(elf.write(spec)))


def _c_bytes(data: bytes) -> str:
    return "\n".join("\t\t" + "".join(f"{b}," for b in data[i:i + 32]) for i in range(0, len(data), 32))


_TEMPLATE: Final = """static inline void NAME__destroy(struct NAME *o)
{
	if (!o)
		return;
	if (o->skeleton)
		bpf_object__destroy_skeleton(o->skeleton);
	free(o);
}

static inline struct NAME *NAME__open_opts(const struct bpf_object_open_opts *opts)
{
	static const unsigned char data[] __attribute__((aligned(8))) = {
BYTES
	};
	int err;
ROWS
	err = bpf_object__open_skeleton(s, opts);
	if (err) {
		NAME__destroy(o);
		errno = -err;
		return NULL;
	}
	return o;
failed:
	if (o && o->skeleton)
		NAME__destroy(o);
	else {
		free(o);
		free(s);
	}
	errno = ENOMEM;
	return NULL;
}

static inline struct NAME *NAME__open(void)
{
	return NAME__open_opts(NULL);
}

static inline int NAME__load(struct NAME *o)
{
	return bpf_object__load_skeleton(o->skeleton);
}

static inline struct NAME *NAME__open_and_load(void)
{
	struct NAME *o = NAME__open();
	int err;

	if (!o)
		return NULL;
	err = NAME__load(o);
	if (err) {
		NAME__destroy(o);
		errno = -err;
		return NULL;
	}
	return o;
}

static inline int NAME__attach(struct NAME *o)
{
	return bpf_object__attach_skeleton(o->skeleton);
}

static inline void NAME__detach(struct NAME *o)
{
	bpf_object__detach_skeleton(o->skeleton);
}
"""
