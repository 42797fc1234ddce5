"""struct_ops: tables of functions that the kernel calls. A variable of a `.struct_ops` section is a map of one value, the
kernel's own struct with programs in place of functions.

The object's struct is matched with the kernel's member by member, by name; a member that this kernel lacks must be 0.
Registering is attaching: by a link (`.struct_ops.link`), or by filling the map.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..btf import Btf
from ..btf import types as t
from ..btf.container import essential
from ..btf.layout import resolve, resolved, size_of
from ..btf.values import codec
from ..errors import FormatError
from ..isa.insn import FuncRef
from ..spec import STRUCT_OPS, DataSpec, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from ..uapi.enums import AttachType, Cmd, MapFlag, MapType, ProgType
from . import bpf, sys
from .kbtf import KernelBtf
from .kernel import Kernel, missing
from .link import Link, Request, duplicate
from .maps import MapInfo
from .refusals import refuse
from .tables import OpsTable
from .token import Token, given

_PREFIX = "bpf_struct_ops_"


class Table(NamedTuple):
    """One struct_ops variable. `type_id` is the kernel's struct, `value_id` the map's value around it, at `offset` of which
    the struct lies; `module` whose BTF they are of. `programs`: kernel member index → program. `data` is the value."""

    name: str
    struct: str
    type_id: int
    value_id: int
    module: str
    offset: int
    linked: bool
    programs: Mapping[int, str]
    data: bytes


def tables(spec: ObjectSpec, kernel: Kernel) -> list[Table]:
    """Every struct_ops variable that is to be made (those of `?` sections are not). Raises FormatError or NotSupported."""
    out = []
    for section in spec.data.values():
        if section.name in STRUCT_OPS and not section.name.startswith("?"):
            out += [_table(spec, section, var, kernel) for var in section.vars]
    return out


def optional_programs(spec: ObjectSpec) -> set[str]:
    """Programs that only structs of `?` sections name: they are not loaded."""
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for section in spec.data.values():
        if section.name in STRUCT_OPS:
            named[section.name.startswith("?")] |= {p.ref.name for p in section.relocations if isinstance(p.ref, FuncRef)}
    return named[True] - named[False]


def _table(spec: ObjectSpec, section: DataSpec, var: VarSpec, kernel: Kernel) -> Table:
    btf = spec.btf
    local = resolved(btf, var.type_id) if btf is not None and var.type_id else None
    if btf is None or not isinstance(local, t.Struct):
        raise FormatError(f"{section.name}: the object's BTF does not say the type of {var.name!r}")
    name = essential(local.name)
    found = kernel.find(_PREFIX + name, t.Struct)
    if found is None:
        raise missing(name, "struct_ops", kernel.near(_PREFIX + name, t.Struct, _PREFIX))
    value_id, module = found
    types = kernel.types(module)
    value = types[value_id]
    assert isinstance(value, t.Struct)
    inner = next((m for m in value.members if m.name == "data"), None)
    if inner is None:
        raise missing(name, "struct_ops")
    offset, type_id = inner.bit_offset // 8, resolve(types, inner.type)
    image = bytearray(size_of(types, value_id))
    programs = _fill(_Both(btf, local, types, types[type_id], var, section), image, offset)
    return Table(var.name, name, type_id, value_id, module, offset, section.name.endswith(".link"), programs, bytes(image))


class _Both(NamedTuple):
    btf: Btf
    local: t.Struct
    types: Btf
    kernel: t.Type
    var: VarSpec
    section: DataSpec


def _fill(both: _Both, image: bytearray, offset: int) -> dict[int, str]:
    """Copy the object's members into the kernel's struct; the programs by the kernel's member index."""
    assert isinstance(both.kernel, t.Struct)
    pointers = {p.offset: p.ref for p in both.section.relocations}
    theirs = {m.name: (n, m) for n, m in enumerate(both.kernel.members)}
    programs: dict[int, str] = {}
    for member in both.local.members:
        where = both.var.offset + member.bit_offset // 8
        size = size_of(both.btf, member.type)
        raw, ref = both.section.data[where:where + size], pointers.get(where)
        label = f"{both.var.name}.{member.name}"
        if member.name not in theirs:
            if any(raw) or ref is not None:
                raise missing(label, "struct_ops member", "only members that are 0 may be missing")
            continue
        index, other = theirs[member.name]
        if member.bits or other.bits:
            if any(raw):
                raise FormatError(f"{label} is a bit-field, which struct_ops cannot have")
        elif isinstance(ref, FuncRef):
            if not isinstance(resolved(both.types, other.type), t.Ptr):
                raise FormatError(f"{label} is a program, but no function in the kernel's {both.kernel.name}")
            programs[index] = ref.name
        elif size != size_of(both.types, other.type):
            raise FormatError(f"{label} has {size} bytes, in this kernel {size_of(both.types, other.type)}")
        else:
            at = offset + other.bit_offset // 8
            image[at:at + size] = raw
    return programs


def targets(made: list[Table]) -> dict[str, tuple[Table, int]]:
    """Program → the table and the index of the member it is for. FormatError if one is for two different members."""
    out: dict[str, tuple[Table, int]] = {}
    for table in made:
        for index, program in table.programs.items():
            other = out.setdefault(program, (table, index))
            if (other[0].type_id, other[0].module, other[1]) != (table.type_id, table.module, index):
                raise FormatError(f"program {program!r} is used for two different members of struct_ops")
    return out


def check_program(spec: ProgramSpec, found: tuple[Table, int] | None) -> None:
    """FormatError for a struct_ops program that no struct names: the kernel cannot know what it is for."""
    if spec.prog_type == ProgType.STRUCT_OPS and found is None:
        raise FormatError(f"program {spec.name!r} ({spec.section}) is in no struct of .struct_ops")


class StructOpsMap(OpsTable):
    """A struct_ops table in the kernel. `set` changes members that are data; `attach` registers it."""

    table: Table
    types: Btf
    _programs: Mapping[str, Any]
    _data: bytearray

    def set(self, **members: Any) -> None:
        """Give members that are no functions their values, until it is attached. FormatError for others."""
        struct = self.types[self.table.type_id]
        assert isinstance(struct, t.Struct)
        for name, value in members.items():
            index = next((n for n, m in enumerate(struct.members) if m.name == name), None)
            if index is None:
                raise FormatError(f"struct {struct.name} of this kernel has no member {name!r}")
            if isinstance(resolved(self.types, struct.members[index].type), t.Ptr) or struct.members[index].bits:
                raise FormatError(f"{struct.name}.{name} is no plain value")
            size = size_of(self.types, struct.members[index].type)
            at = self.table.offset + struct.members[index].bit_offset // 8
            self._data[at:at + size] = codec(self.types, struct.members[index].type, size).encode(value)

    def _put(self) -> None:
        struct = self.types[self.table.type_id]
        assert isinstance(struct, t.Struct)
        for index, program in self.table.programs.items():
            at = self.table.offset + struct.members[index].bit_offset // 8
            self._data[at:at + 8] = self._programs[program].fileno().to_bytes(8, sys.BYTEORDER)
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fileno(), sys.buffer(4), sys.buffer(bytes(self._data)))
        if result < 0 and not (self.table.linked and result == -errno.EBUSY):  # it is filled once, attached many times
            raise refuse(-result, f"registering {self.table.struct} {self.table.name!r}",
                         hint="a table of this name is registered already" if result == -errno.EEXIST else "")

    def attach(self) -> Link:
        """Register it; closing the link takes it back. Raises the kernel's refusal."""
        if not self.table.linked:
            mine = duplicate(self, f"map {self.name}")  # the link may outlive the map's own
            request = Request(f"struct_ops {self.table.name!r}", lambda: _unregister(mine.fileno()))
            try:
                self._put()
            except BaseException:
                request.disown()
                mine.close()
                raise
            return Link("struct_ops", self.table.name, None, mine, request)
        self._put()
        result = bpf.link_create(self.fileno(), 0, AttachType.STRUCT_OPS)
        if isinstance(result, int):
            raise refuse(-result, f"registering {self.table.struct} {self.table.name!r}")
        return Link("struct_ops", self.table.name, result)

    def replace(self, link: Link) -> None:
        """Take the place of the table that `link` registered, without a gap."""
        self._put()
        result = bpf.link_update(link.fileno(), self.fileno())
        if result < 0:
            raise refuse(-result, f"replacing {self.table.struct} by {self.table.name!r}")


def _unregister(map_fd: int) -> None:
    """A table that is no link stays registered until its value is deleted."""
    bpf.map_elem(Cmd.MAP_DELETE_ELEM, map_fd, sys.buffer(4), None)


def create(table: Table, kernel: Kernel, btf: KernelBtf | None, programs: Mapping[str, Any], token: Token | None = None) -> StructOpsMap:
    """The map of a table; `programs` will hold those it names when it is attached."""
    if btf is None:
        raise FormatError(f"struct_ops {table.name!r} needs the object's BTF")
    flags = MapFlag.LINK if table.linked else 0
    spec = MapSpec(table.name, MapType.STRUCT_OPS, 4, len(table.data), 1, flags)
    module = {"value_type_btf_obj_fd": kernel.module_fd(table.module)} if table.module else {}
    fd = bpf.map_create(
        f"map {spec.name}", map_type=spec.type, key_size=4, value_size=spec.value_size, max_entries=1,
        **given(token, "map_token_fd", "map_flags", flags | (MapFlag.VTYPE_BTF_OBJ_FD if table.module else 0)), map_name=bpf.object_name(spec.name),
        btf_fd=btf.fd.fileno(), btf_vmlinux_value_type_id=table.value_id, **module)
    if isinstance(fd, int):
        raise refuse(-fd, f"creating struct_ops {table.name!r} ({table.struct})")
    number = bpf.map_info(fd.fileno()).id
    types = kernel.types(table.module)
    info = MapInfo(spec.type, number, 4, spec.value_size, 1, flags, spec.name, 0, 0, 0, 0)
    made = StructOpsMap(fd, info, codec(None, 0, 4), codec(types, table.value_id, spec.value_size), spec.value_size)
    made.table, made.types, made._programs, made._data = table, types, programs, bytearray(table.data)
    return made
