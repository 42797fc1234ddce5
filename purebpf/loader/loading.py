"""ObjectSpec → Object: everything in the kernel, or nothing.

    BTF → maps → data sections → initial map contents → programs → slots of program arrays → (links)

Each step needs those before it. Whatever fails, all that was made is closed again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any

from ..btf import Btf
from ..btf import types as t
from ..btf.values import codec
from ..errors import FormatError, NotSupported
from ..isa.insn import KsymRef
from ..spec import ARENA, DataSpec, Linked, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from ..uapi import hooks
from ..uapi.enums import MapType, ProgType
from . import bpf, create, structops, sys
from .arena import ArenaSection, arena_of, map_arena
from .choices import Policy, chosen
from .fd import Fd, close_all
from .fixups import Environment, resolve
from .kbtf import KernelBtf, upload
from .kconfig import fill_kconfig, weak_names
from .kernel import Kernel, missing
from .livemaps import live
from .maps import LiveMap
from .object import Object, name_of
from .progs import LoadedProgram, Target, load_program
from .refusals import older_than, refuse
from .variables import Section, Variable

BPFFS = "/sys/fs/bpf"
_OF_MAPS = create.OF_MAPS


def load(spec: ObjectSpec, *, license: str | None = None, constants: Mapping[Any, Any] | None = None,
         maps: Mapping[Any, LiveMap] | None = None, targets: Mapping[Any, Any] | None = None,
         pin_directory: str = BPFFS, log_level: int = 0, attach: bool = False,
         btf: Btf | str | os.PathLike[str] | None = None, kernel: Kernel | None = None,
         types: Mapping[Any, str] | None = None, autoload: Mapping[Any, bool] | None = None,
         policy: Policy | None = None) -> Object:
    """Put `spec` into the kernel.

    license     instead of the spec's
    constants   values of .rodata variables by name (or by the declaration), fixed from here on
    maps        by name: a live map to use instead of a new one, which stays the caller's; or a number of entries, or
                fields of MapSpec to change, as in {"max_entries": 4096}
    targets     program name → what a BTF program attaches to: a name, or a LoadedProgram (freplace, fentry of BPF)
    log_level   1: the verifier's log of each program in `LoadedProgram.log`, 2: with every state, 4: statistics only
    attach      also attach what its section name says where
    btf         types to relocate against instead of the running kernel's: a Btf or a file
    kernel      keeps what was read of the running kernel for several loads; the caller closes it
    types       program name → section name, for programs whose own names no type: {"f": "xdp"}
    autoload    program name → whether to load it, instead of what the object says
    policy      what the object may ask for; asked before the first system call

    Raises VerifierError, NotSupported, AttachError, KernelError, or FormatError for a broken spec."""
    if kernel is not None and btf is not None:
        raise FormatError("load: give either `btf` or `kernel`, which has types of its own")
    spec, live_maps = chosen(spec, _by_name(maps), _by_name(types), _by_name(autoload))
    spec.check()
    if policy is not None:
        policy.check(spec)
    if spec.byteorder != sys.BYTEORDER:
        raise NotSupported(errno.ENOEXEC, f"loading {spec.name!r}", reason="", hint=f"it is a {spec.byteorder}-endian object, "
                           f"this machine is {sys.BYTEORDER}-endian; the VM runs both (prog.simulate, purebpf run)")
    loading = _Loading(spec, kernel or Kernel(btf), license if license is not None else spec.license,
                       _by_name(targets), pin_directory, log_level)
    try:
        loading.everything(_by_name(constants), live_maps)
        made = loading.object()
        if attach:
            made.attach()
        return made
    except BaseException:
        for path in loading.new_pins:
            os.unlink(path)
        close_all(loading.opened)
        raise
    finally:
        close_all([loading.btf.fd] if loading.btf is not None else [])
        if kernel is None:
            loading.kernel.close()


def _by_name(given: Mapping[Any, Any] | None) -> dict[str, Any]:
    return {name_of(key): value for key, value in (given or {}).items()}


class _Loading:
    """One load under way; if it fails, `opened` is closed and `new_pins` are removed."""

    def __init__(self, spec: ObjectSpec, kernel: Kernel, license: str, targets: Mapping[str, Any], pins: str,
                 log_level: int) -> None:
        self.spec, self.kernel, self.license, self.targets = spec, kernel, license, targets
        self.pins, self.log_level = pins, log_level
        self.opened: list[Any] = []
        self.new_pins: list[str] = []
        self.btf: KernelBtf | None = None
        self.maps: dict[str, LiveMap] = {}
        self.sections: dict[str, Section | ArenaSection] = {}
        self.members: dict[str, tuple[structops.Table, int]] = {}
        self.programs: dict[str, LoadedProgram] = {}
        self.kconfig: dict[str, int] = {}

    def everything(self, constants: dict[str, Any], given: dict[str, LiveMap]) -> None:
        raise_memlock()
        wanted = self._wanted()
        linked = {name: self.spec.link(name) for name in wanted}
        data = set_constants(self.spec, constants)
        if ".kconfig" in data:
            data[".kconfig"] = fill_kconfig(data[".kconfig"], self.spec.btf, self.kernel,
                                            weak_names(linked.values()))
            self.kconfig = {v.name: v.offset for v in data[".kconfig"].vars}
        self.btf = upload(self.spec._replace(data=data), linked)
        for name, one in self.spec.maps.items():
            self._map(name, one, given.get(name))
        for name, section in data.items():
            if section.data and section.is_array:
                self._section(name, section)
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
        return Object(self.spec, self.maps, self.programs, variables, self.sections, self.opened)

    def _wanted(self) -> dict[str, ProgramSpec]:
        """The programs to load. FormatError for one whose section names no type."""
        optional = structops.optional_programs(self.spec)
        wanted = {name: p for name, p in self.spec.programs.items() if p.autoload and name not in optional}
        for name, one in wanted.items():
            if not one.prog_type:
                raise FormatError(f"section {one.section!r} of program {name!r} names no program type: say it, "
                                  f"load(…, types={{{name!r}: 'xdp'}}), purebpf load --type")
        return wanted

    def _struct_ops(self, data: Mapping[str, DataSpec]) -> None:
        made = structops.tables(self.spec._replace(data=data), self.kernel)
        self.members = structops.targets(made)
        for table in made:
            self.maps[table.name] = structops.create(table, self.kernel, self.btf, self.programs)
            self.opened.append(self.maps[table.name])

    # maps

    def _map(self, name: str, spec: MapSpec, given: LiveMap | None) -> None:
        if given is not None:
            self.maps[name] = given
            return
        if spec.pinning:
            create.ensure_directory(self.pins)
        reused = create.pinned(spec, self.pins) if spec.pinning else None
        made = reused or create.create_map(spec, self.btf)
        self.opened.append(made.fd)
        self.maps[name] = live(made.fd, made.spec, self.spec.btf)
        self.opened[-1] = self.maps[name]
        if spec.pinning and reused is None:
            path = os.path.join(self.pins, spec.name)
            self.maps[name].pin(path)
            self.new_pins.append(path)
        if spec.type == MapType.ARENA:
            data = self.spec.data.get(ARENA)
            memory = map_arena(spec, self.maps[name], data)
            self.opened.append(memory)
            if data is not None:
                arena_of(dict(self.spec.maps))
                self.sections[ARENA] = ArenaSection(data, self.maps[name], memory)

    def _section(self, name: str, spec: DataSpec) -> None:
        spec = self._addresses(spec)
        fd, mapped = create.create_section(spec, self.spec.name, self.btf)
        self.sections[name] = Section(spec, fd, mapped)
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
        result = bpf.map_elem(2, self.maps[name].fileno(), sys.buffer(key), sys.buffer(value))
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
                                log_level=self.log_level)
        finally:
            if owner is not None:
                owner.close()
        self.programs[name] = LoadedProgram(spec, linked, made, self.maps, code.core)
        self.opened.append(self.programs[name])

    def _at_target(self, name: str, spec: ProgramSpec) -> ProgramSpec:
        given = self.targets.get(name)
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
        other = self.targets.get(name)
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
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    raise FormatError(f"the object has no global variable {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
