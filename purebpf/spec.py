"""A BPF object as inert data: what the compiler, the assembler and the ELF reader give, and the ELF writer, the VM and
the loader take. Equal on every machine; nothing here talks to a kernel.

`ObjectSpec.link` is the one place that joins a program with the subprograms it reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Mapping, NamedTuple

from .errors import FormatError, Span
from .order import HOST
from .isa.insn import DataRef, ExternRef, FuncRef, Insn, KsymRef, MapRef
from .isa.opcodes import CALL, IMM64_FUNC, JMP, LD_IMM64

if TYPE_CHECKING:
    import os

    from .btf import Btf
    from .btf.view import View


class Line(NamedTuple):
    """Source line of the instruction at `insn` (an index into the function's `insns`) and those after it.
    `col` is 1-based, as .BTF.ext wants it; `text` is the line itself."""

    insn: int
    file: str
    line: int
    col: int
    text: str

    @property
    def span(self) -> Span:
        return Span(self.file, self.line, max(0, self.col - 1))


class FuncSpec(NamedTuple):
    """Code with a name: a subprogram, or the body of a program. Jumps are resolved; calls of other functions, maps and
    data are symbolic (`Insn.ref`). `btf_id` is its FUNC in the object's BTF (0: none).

    `static`: not exported from the object. `hidden`: static to the kernel, but other objects may be linked to it. `weak`:
    gives way to another definition when objects are linked."""

    name: str
    insns: tuple[Insn, ...]
    lines: tuple[Line, ...] = ()
    btf_id: int = 0
    static: bool = True
    hidden: bool = False
    weak: bool = False

    @property
    def slots(self) -> int:
        return len(self.insns) + [i[0] for i in self.insns].count(LD_IMM64)


class ProgramSpec(NamedTuple):
    """An entry program: its body and what the kernel must be told. `section` is libbpf's name ("xdp",
    "tracepoint/syscalls/sys_enter_openat") and decides the rest through `uapi.hooks`; the numbers are kept so that a
    reader of the spec needs no table."""

    func: FuncSpec
    section: str
    prog_type: int
    attach_type: int = 0
    attach_to: str = ""
    flags: int = 0
    autoload: bool = True

    @property
    def name(self) -> str:
        return self.func.name


class MapSpec(NamedTuple):
    """A map before it exists. Type ids are of the object's BTF (0: none). `inner` is the template of map-in-map;
    `contents` initial entries (key bytes, value bytes, or the name of a map or program for map-in-map and prog arrays).
    `pinning`: 0 no, 1 by name."""

    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    key_type: int = 0
    value_type: int = 0
    inner: MapSpec | None = None
    contents: tuple[tuple[bytes, bytes | str], ...] = ()
    pinning: int = 0
    extra: int = 0
    numa_node: int = 0


class VarSpec(NamedTuple):
    """A global variable inside a data section. `static`: not exported (STB_LOCAL). `weak`: gives way to another
    definition when objects are linked."""

    name: str
    offset: int
    size: int
    type_id: int = 0
    static: bool = False
    weak: bool = False


class Pointer(NamedTuple):
    """The 8 bytes at `offset` of a data section stand for the address of what `ref` names: a program or function, a
    map, a place in data, a kernel symbol, something of another object. They are 0 in the section's image."""

    offset: int
    ref: FuncRef | MapRef | DataRef | KsymRef | ExternRef


STRUCT_OPS: Final = (".struct_ops.link", ".struct_ops", "?.struct_ops.link", "?.struct_ops")
ARENA: Final = ".addr_space.1"


class DataSpec(NamedTuple):
    """A section of global data. `data` is always the full image (zeros for .bss). `btf_id` is its DATASEC (0: none).

        .data… .rodata… .bss… .kconfig       an array map
        .struct_ops… ?.struct_ops…           a struct_ops map a variable; its `relocations` are the programs of the members
        .addr_space.1                        the beginning of the object's arena"""

    name: str
    data: bytes
    vars: tuple[VarSpec, ...] = ()
    btf_id: int = 0
    relocations: tuple[Pointer, ...] = ()

    @property
    def read_only(self) -> bool:
        return self.name.startswith((".rodata", ".kconfig"))

    @property
    def is_array(self) -> bool:
        """Whether the section becomes an array map of its own."""
        return self.name not in STRUCT_OPS and self.name != ARENA


class RunResult(NamedTuple):
    """What one run of a program gave, in the kernel (BPF_PROG_TEST_RUN) and in the VM alike. `data` and `ctx` are the
    packet and the context afterwards (b"" if the program type has none), `ctx` with its fields as attributes; `duration_ns` the kernel's average per run
    (0 in the VM), `maps` the maps of the object by name, readable as Python mappings."""

    retval: int
    data: bytes = b""
    ctx: View = b""  # type: ignore[assignment]  # a View that sees nothing
    duration_ns: int = 0
    maps: Mapping[str, Any] = {}


class Linked(NamedTuple):
    """A program with its subprograms appended, as the verifier sees it. `starts` and `lines` count *slots* from the
    start; local calls are resolved to numbers, all other refs are still symbolic."""

    insns: tuple[Insn, ...]
    starts: tuple[tuple[int, FuncSpec], ...]
    lines: tuple[tuple[int, Line], ...]


class ObjectSpec(NamedTuple):
    """Everything one object file holds. Mappings are keyed by name and ordered. `byteorder`: the name of an
    `order.Order`, this machine's unless said."""

    programs: Mapping[str, ProgramSpec]
    functions: Mapping[str, FuncSpec] = {}
    maps: Mapping[str, MapSpec] = {}
    data: Mapping[str, DataSpec] = {}
    license: str = "GPL"
    btf: "Btf | None" = None
    name: str = "purebpf"
    byteorder: str = HOST.name

    def check(self) -> None:
        """Whatever the parts say of each other is true: names, sizes, offsets, what is referred to. FormatError if not.

        The loader and the VM ask this once, before anything is made."""
        from .checks import check

        check(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the object file, in one step; see `elf.save`."""
        from .elf import save

        save(self, path)

    def link(self, program: str) -> Linked:
        """`program` followed by every subprogram it reaches, each once, in order of first reach.

        Raises FormatError when a called function is not in the object."""
        return link(self.programs[program].func, self.functions)


def link(main: FuncSpec, functions: Mapping[str, FuncSpec]) -> Linked:
    """Join `main` with the functions it reaches through FuncRef; see `Linked`."""
    order, start = [main], {main.name: 0}
    size = main.slots
    for func in order:  # grows while it is walked
        for insn in func.insns:
            if isinstance(insn.ref, FuncRef) and insn.ref.name not in start:
                callee = functions.get(insn.ref.name)
                if callee is None:
                    raise FormatError(f"{func.name} refers to function {insn.ref.name!r}, which the object lacks")
                start[callee.name] = size
                size += callee.slots
                order.append(callee)
    insns: list[Insn] = []
    lines: list[tuple[int, Line]] = []
    for func in order:
        slot = start[func.name]
        at = []
        for insn in func.insns:
            at.append(slot)
            insns.append(insn if insn[5] is None else _resolve(insn, slot, start))
            slot += 2 if insn[0] == LD_IMM64 else 1
        last = {line[0]: line for line in func.lines}
        lines += [(at[index], last[index]) for index in sorted(last) if index < len(at)]
    return Linked(tuple(insns), tuple((start[f.name], f) for f in order), tuple(lines))


def _resolve(insn: Insn, slot: int, start: Mapping[str, int]) -> Insn:
    if not isinstance(insn.ref, FuncRef):
        return insn
    delta = start[insn.ref.name] - slot - 1
    if insn.code == JMP | CALL:
        return insn._replace(imm=delta, ref=None)
    if insn.code == LD_IMM64 and insn.src == IMM64_FUNC:
        return insn._replace(imm=delta & 0xFFFFFFFF, ref=None)
    raise FormatError(f"instruction {insn} cannot refer to a function")
