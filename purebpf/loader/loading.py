"""ObjectSpec → Object: everything in the kernel, or nothing.

    BTF → maps → data sections → initial map contents → programs → slots of program arrays → (links)

Each step needs those before it. Whatever fails, all that was made is closed again.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from errno import EEXIST, ENOEXEC
from functools import partial
from typing import Any

from ..btf import Btf
from ..btf import types as t
from ..btf.values import codec
from ..errors import FormatError, KernelError, NotSupported, PureBpfError
from ..isa import MapRef
from ..isa.insn import KsymRef
from ..isa.opcodes import CALL, JMP
from ..spec import ARENA, DataSpec, Linked, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from ..uapi import hooks
from ..uapi.enums import Cmd, MapType, ProgType
from ..uapi.enums import name_of as type_name
from . import bpf, create, drops, structops, sys
from .arena import ArenaMap, ArenaSection, arena_of, map_arena
from .choices import chosen as as_chosen
from .fd import Fd, close_all
from .fixups import Environment, resolve
from .kbtf import KernelBtf, upload
from .kconfig import fill_kconfig, weak_names
from .kernel import Kernel, missing
from .link import Link
from .livemaps import live
from .maps import LiveMap
from .object import Object, name_of
from .options import LoadOptions, check
from .progs import LoadedProgram, Target, load_program
from .queues import RingMap
from .refusals import older_than, refuse
from .variables import Section, Variable

_RECORD_HELPERS = (25, 111, 121)  # perf_event_output, skb_output, xdp_output


def load(spec: ObjectSpec, options: LoadOptions | None = None, **choices: Any) -> Object:
    """Put `spec` into the kernel. `choices` are fields of LoadOptions, instead of `options` or on top of them.

    Raises VerifierError, NotSupported, AttachError, KernelError, or FormatError for a broken spec."""
    if not isinstance(spec, ObjectSpec):
        raise TypeError(f"load() takes an ObjectSpec, not {type(spec).__name__}: purebpf.elf.read(path) makes one of a file")
    for name in choices.keys() - set(LoadOptions._fields):
        near = difflib.get_close_matches(name, LoadOptions._fields, 1)
        raise TypeError(f"load() has no option {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    options = (options or LoadOptions())._replace(**{k: v for k, v in choices.items() if v is not None})
    spec, chosen = _checked(spec, options)
    kernel = chosen.kernel or Kernel(chosen.btf)
    loading = _Loading(spec, kernel, chosen)
    try:
        loading.everything()
        made = loading.object()
        if chosen.attach:
            made.attach()
        return made
    except BaseException:
        loading.undo()
        raise
    finally:
        close_all([loading.btf.fd] if loading.btf is not None else [])
        if chosen.kernel is None:
            kernel.close()


def _checked(spec: ObjectSpec, options: LoadOptions) -> tuple[ObjectSpec, LoadOptions]:
    """The object as the caller wants it, with what is chosen for the rest; all that can be refused now is."""
    if options.kernel is not None and options.btf is not None:
        raise FormatError("load: either kernel= or btf=: a Kernel has its types already; make it with Kernel(btf)")
    named = options._replace(constants=_by_name(options.constants), maps=_by_name(options.maps),
                             targets=_by_name(options.targets), types=_by_name(options.types),
                             autoload=_by_name(options.autoload))
    spec, live_maps = as_chosen(spec, named.maps, named.types, named.autoload)
    check(spec, named)
    if spec.byteorder != sys.BYTEORDER:
        raise NotSupported(ENOEXEC, f"loading {spec.name!r}", reason="", hint=f"it is a {spec.byteorder}-endian object, "
                           f"this machine is {sys.BYTEORDER}-endian; the VM runs both (prog.simulate, purebpf run)")
    return spec, named._replace(maps=live_maps)


def _by_name(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {name_of(key): value for key, value in given.items()}


class _Loading:
    """One load under way; if it fails, `undo` closes `opened` and removes `new_pins`."""

    def __init__(self, spec: ObjectSpec, kernel: Kernel, options: LoadOptions) -> None:
        self.spec, self.kernel, self.options = spec, kernel, options
        self.license = spec.license if options.license is None else options.license
        self.pins = os.fspath(options.pin_directory)
        self.opened: list[Any] = []
        self.links: list[Link] = []
        self.new_pins: list[tuple[str, int]] = []
        self.btf: KernelBtf | None = None
        self.maps: dict[str, LiveMap] = {}
        self.sections: dict[str, Section | ArenaSection] = {}
        self.members: dict[str, tuple[structops.Table, int]] = {}
        self.programs: dict[str, LoadedProgram] = {}
        self.kconfig: dict[str, int] = {}
        self.counters: list[str] = []  # rings, in the order of their counters

    def undo(self) -> None:
        """Nothing stays. What goes wrong meanwhile must not hide why the load failed."""
        for path, number in self.new_pins:
            try:
                with bpf.get_pinned(path) as fd:
                    ours = bpf.map_info(fd.fileno(), path).id == number
                if ours:
                    os.unlink(path)
            except (PureBpfError, OSError):
                pass  # gone, or never made
        try:
            close_all([*self.opened, *self.links])
        except Exception:  # noqa: BLE001 - the failure of the load is the one to tell
            pass

    def everything(self) -> None:
        raise_memlock()
        wanted = self._wanted()
        linked = self._counted({name: self.spec.link(name) for name in wanted})
        data = set_constants(self.spec, self.options.constants)
        if ".kconfig" in data:
            data[".kconfig"] = fill_kconfig(data[".kconfig"], self.spec.btf, self.kernel,
                                            weak_names(linked.values()))
            self.kconfig = {v.name: v.offset for v in data[".kconfig"].vars}
        self.btf = upload(self.spec._replace(data=data), linked, self.options.token)
        for name, one in self.spec.maps.items():
            self._map(name, one, self.options.maps.get(name))
        for name, section in data.items():
            if section.data and section.is_array:
                self._section(name, section)
        if self.counters:
            self._lost()
        self._struct_ops(data)
        self._fill_maps_of_maps()
        for name, program in wanted.items():
            self._program(name, program, linked[name])
        self._fill_program_arrays()

    def object(self) -> Object:
        variables = {}
        for section in self.sections.values():
            for var in section.spec.vars:
                variables[var.name] = Variable(section, var, codec(self.spec.btf, var.type_id, var.size))
        return Object(self.spec, self.maps, self.programs, variables, self.sections, self.links, self.opened)

    def _wanted(self) -> dict[str, ProgramSpec]:
        """The programs to load. FormatError for one whose section names no type."""
        optional = structops.optional_programs(self.spec)
        wanted = {name: p for name, p in self.spec.programs.items() if p.autoload and name not in optional}
        for name, one in wanted.items():
            if not one.prog_type:
                raise FormatError(f"section {one.section!r} of program {name!r} names no program type: say it, "
                                  f"load(…, types={{{name!r}: 'xdp'}}), purebpf load --type")
        return wanted

    def _counted(self, linked: dict[str, Linked]) -> dict[str, Linked]:
        """The programs with counters of what found no room in a ring buffer, if that is chosen."""
        rings = [name for name, one in self.spec.maps.items() if one.type == MapType.RINGBUF]
        if not self.options.count_lost or not rings:
            return linked
        found = {name: drops.calls(one, rings) for name, one in linked.items()}
        counters = [*rings, drops.UNKNOWN]
        made = {name: drops.counted(one, found[name], counters) for name, one in linked.items()}
        if None not in made.values() and any(calls.rings for calls in found.values()):
            self.counters = counters
            return {name: one for name, one in made.items() if one is not None}
        return linked

    def _lost(self) -> None:
        made = Section(DataSpec(drops.SECTION, bytes(8 * len(self.counters))), *create.create_section(
            DataSpec(drops.SECTION, bytes(8 * len(self.counters))), self.spec.name, self.btf, self.options.token))
        self.opened.append(made)
        self.sections[drops.SECTION] = made
        for number, name in enumerate(self.counters):
            ring = self.maps.get(name)
            if isinstance(ring, RingMap):
                ring.counted_by(partial(made.read, 8 * number, 8))

    def _struct_ops(self, data: Mapping[str, DataSpec]) -> None:
        made = structops.tables(self.spec._replace(data=data), self.kernel)
        self.members = structops.targets(made)
        for table in made:
            self.maps[table.name] = structops.create(table, self.kernel, self.btf, self.programs, self.options.token)
            self.opened.append(self.maps[table.name])

    # maps

    def _map(self, name: str, spec: MapSpec, given: LiveMap | None) -> None:
        if given is not None:
            self.maps[name] = _fitting(name, spec, given)
            return
        if spec.pinning:
            create.ensure_directory(self.pins)
        found = create.pinned(spec, self.pins) if spec.pinning else None
        made = self._open(name, found or create.create_map(spec, self.btf, self.options.token))
        if not spec.pinning or found is not None:
            return
        path = os.path.join(self.pins, spec.name)
        self.new_pins.append((path, made.info.id))
        try:
            made.pin(path)
        except KernelError as error:
            self.new_pins.pop()
            found = create.pinned(spec, self.pins) if error.errno == EEXIST else None
            if found is None:
                raise
            self.opened.pop().close()  # another process was faster: its map is the one to use
            self._open(name, found)

    def _open(self, name: str, made: create.Created) -> LiveMap:
        try:
            self.maps[name] = live(made.fd, made.spec, self.spec.btf)
        except BaseException:
            made.fd.close()
            raise
        self.opened.append(self.maps[name])
        opened = self.maps[name]
        if isinstance(opened, ArenaMap):
            self._arena(made.spec, opened)
        return self.maps[name]

    def _arena(self, spec: MapSpec, made: ArenaMap) -> None:
        data = self.spec.data.get(ARENA)
        memory = map_arena(spec, made, data)
        if data is not None:
            arena_of(dict(self.spec.maps))
            self.sections[ARENA] = ArenaSection(data, made, memory)

    def _section(self, name: str, spec: DataSpec) -> None:
        spec = self._addresses(spec)
        self.sections[name] = Section(spec, *create.create_section(spec, self.spec.name, self.btf, self.options.token))
        self.opened.append(self.sections[name])

    def _addresses(self, spec: DataSpec) -> DataSpec:
        """The section with addresses of kernel symbols in its pointers; programs cannot follow others, which stay 0."""
        image = bytearray(spec.data)
        for pointer in spec.relocations:
            if isinstance(pointer.ref, KsymRef) and not pointer.ref.typed:
                address = self.kernel.symbol(pointer.ref.name)
                if address is None and not pointer.ref.weak:
                    raise missing(pointer.ref.name, "kernel symbol")
                image[pointer.offset:pointer.offset + 8] = (address or 0).to_bytes(8, sys.BYTEORDER)
        return spec._replace(data=bytes(image))

    def _fill_maps_of_maps(self) -> None:
        for name, spec in self.spec.maps.items():
            if spec.type == MapType.PROG_ARRAY:
                continue
            for key, value in spec.contents:
                raw = self._inner(name, value) if isinstance(value, str) else value
                self._put(name, key, raw)

    def _inner(self, name: str, inner: str) -> bytes:
        if inner not in self.maps:
            raise FormatError(f"map {name!r} holds map {inner!r}, which the object lacks")
        return sys.pack_u32(self.maps[inner].fileno())

    def _fill_program_arrays(self) -> None:
        for name, spec in self.spec.maps.items():
            if spec.type == MapType.PROG_ARRAY:
                for key, value in spec.contents:
                    program = self.programs.get(value) if isinstance(value, str) else None
                    if program is None:
                        raise FormatError(f"map {name!r} holds program {value!r}, which is not loaded")
                    self._put(name, key, sys.pack_u32(program.fileno()))

    def _put(self, name: str, key: bytes, value: bytes) -> None:
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.maps[name].fileno(), sys.buffer(key), sys.buffer(value))
        if result < 0:
            raise refuse(-result, f"filling map {name!r}")

    # programs

    def _program(self, name: str, spec: ProgramSpec, linked: Linked) -> None:
        spec = self._at_target(name, spec)
        member = self.members.get(name)
        structops.check_program(spec, member)
        if member is not None:
            spec = spec._replace(attach_type=member[1])
        env = Environment({n: m.fileno() for n, m in self.maps.items()},
                          {n: s.fileno() for n, s in self.sections.items()}, self.kconfig, self.kernel, self.spec.btf)
        code = resolve(linked, env)
        target, owner = self._target(name, spec)
        try:
            made = load_program(spec, linked, code, license=self.license, btf=self.btf, target=target,
                                log_level=self.options.log_level, token=self.options.token)
        finally:
            if owner is not None:
                owner.close()
        self.programs[name] = LoadedProgram(spec, linked, made, self.maps, code.core, self.links, _outputs(linked, self.spec.maps), self.spec.btf)
        self.opened.append(self.programs[name])

    def _at_target(self, name: str, spec: ProgramSpec) -> ProgramSpec:
        given = self.options.targets.get(name)
        if isinstance(given, str):
            return spec._replace(attach_to=given)
        return spec if spec.attach_to else spec._replace(attach_to=hooks.target(spec.section))

    def _target(self, name: str, spec: ProgramSpec) -> tuple[Target, Fd | None]:
        """The BTF id of what the program will hang on, and an fd to close after the load."""
        if name in self.members:
            table, _ = self.members[name]
            return Target(table.type_id, self.kernel.module_fd(table.module) if table.module else 0), None
        hook = hooks.match(spec.section)
        if hook is None or hook.target != "btf":
            return Target(), None
        other = self.options.targets.get(name)
        if other is not None and not isinstance(other, str):
            return _program_target(spec, other)
        if spec.prog_type == ProgType.EXT:
            raise FormatError(f"program {name!r} replaces a function of another program: give it, "
                              f"load(…, targets={{{name!r}: other_program}})")
        if not spec.attach_to:
            raise FormatError(f"program {name!r} ({spec.section}) does not say what to attach to: "
                              f"load(…, targets={{{name!r}: 'name'}})")
        kind = t.Typedef if hook.btf_prefix == "btf_trace_" else t.Func
        module, colon, bare = spec.attach_to.rpartition(":")
        found = self.kernel.find(module + colon + hook.btf_prefix + bare, kind)
        if found is None:
            what = {"btf_trace_": "tracepoint", "bpf_lsm_": "LSM hook", "bpf_iter_": "iterator"}.get(
                hook.btf_prefix, "kernel function")
            raise missing(spec.attach_to, what, self.kernel.near(bare, kind, hook.btf_prefix))
        return Target(found[0], self.kernel.module_fd(found[1]) if found[1] else 0), None


def _outputs(linked: Linked, maps: Mapping[str, MapSpec]) -> tuple[str, ...]:
    """The maps of a program that sends records to perf event arrays: its reader has to be there before it runs."""
    if not any(i.code == JMP | CALL and i.src == 0 and i.imm in _RECORD_HELPERS for i in linked.insns):
        return ()
    used = {i.ref.name: None for i in linked.insns if isinstance(i.ref, MapRef)}
    return tuple(name for name in used if maps[name].type == MapType.PERF_EVENT_ARRAY)


def _fitting(name: str, spec: MapSpec, given: LiveMap) -> LiveMap:
    """A map of the caller, if the programs can use it as theirs. FormatError if not."""
    differ = [f"{what} {have} instead of {want}" for what, have, want in (
        ("type", type_name(MapType, given.info.type), type_name(MapType, spec.type)),
        ("key_size", given.info.key_size, spec.key_size),
        ("value_size", given.info.value_size, create.finished(spec).value_size)) if have != want]
    if differ:
        raise FormatError(f"maps: {given!r} cannot stand for map {name!r}: it has {', '.join(differ)}")
    return given


def _program_target(spec: ProgramSpec, other: Any) -> tuple[Target, Fd | None]:
    """A function inside a loaded BPF program."""
    btf_id = bpf.prog_info(other.fileno()).btf_id
    with bpf.fd_by_id("btf", btf_id) as fd:
        types = Btf.from_bytes(bpf.btf_data(fd.fileno())[1])
    name = spec.attach_to or other.name
    found = types.find(name, t.Func)
    if found is None:
        raise missing(name, f"function of program {other.name!r}:")
    return Target(found, other.fileno()), None


def raise_memlock() -> None:
    """Before 5.11 maps and programs count against RLIMIT_MEMLOCK, whose usual 64 KiB hold next to nothing."""
    if older_than("5.11"):
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            pass  # not allowed to: if it matters, the refusal will say so


# ── constants ────────────────────────────────────────────────────────────────────────────────────────────────────────


def set_constants(spec: ObjectSpec, constants: Mapping[str, Any]) -> dict[str, DataSpec]:
    """The data sections with `constants` put into .rodata. FormatError for a name that is none, or a value that does
    not fit."""
    data = dict(spec.data)
    for name, value in constants.items():
        section, var = _find_constant(spec, name)
        image = bytearray(data[section].data)
        image[var.offset:var.offset + var.size] = codec(spec.btf, var.type_id, var.size).encode(value)
        data[section] = data[section]._replace(data=bytes(image))
    return data


def _find_constant(spec: ObjectSpec, name: str) -> tuple[str, VarSpec]:
    known = []
    for section, one in spec.data.items():
        for var in one.vars:
            if var.name == name and section != ".kconfig":
                return section, var  # .data too: its initial value
            known.append(var.name)
    near = difflib.get_close_matches(name, known, 1)
    raise FormatError(f"the object has no global variable {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
