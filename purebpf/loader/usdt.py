"""USDT: the probes that a program or library brings itself, as notes of its ELF file, with the places of their arguments.

    note "stapsdt", type 3:  u64 address of the probe (a nop), u64 base, u64 semaphore (0: none),
                             provider NUL name NUL arguments NUL           "-4@%edi 8@$5 8@-16(%rbp)"

`base` is where the linker put section .stapsdt.base; if it moved since (prelink), the addresses moved as far. An argument
is SIZE@PLACE, a negative size one of a signed number. Programs that clang built with usdt.bpf.h find the places in a map,
by the number that the attachment has as its cookie; what others do with the cookie is theirs.
"""

from __future__ import annotations

import difflib
import platform
import re
import struct
from collections.abc import Iterator
from errno import EINVAL, ENOENT, ENOSPC
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AttachError, ElfError, KernelError
from . import perf
from .fd import close_all
from .link import Link
from .symbols import ElfFile, find_file
from .tracing import on_event

if TYPE_CHECKING:
    from .progs import LoadedProgram

SPECS = "__bpf_usdt_specs"  # the map of usdt.bpf.h: number -> places of the arguments
_ARGUMENT, _SPEC_SIZE, MOST = struct.Struct("=QIhbb"), 208, 12
CONST, REGISTER, MEMORY = 0, 1, 2


class Probe(NamedTuple):
    """One place of a probe; `offset` in the file, `semaphore` the file offset of its counter (0: none)."""

    provider: str
    name: str
    offset: int
    semaphore: int
    arguments: str


class Argument(NamedTuple):
    """Where an argument is: a constant, a register (offset in struct pt_regs), or memory at a register plus `value`."""

    kind: int
    value: int
    register: int
    size: int
    signed: bool


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def probes(path: str) -> list[Probe]:
    """The probes of an ELF file. Raises AttachError, ElfError."""
    file = ElfFile.open(path)
    try:
        return list(_notes(file))
    except (struct.error, IndexError, ValueError):
        raise ElfError("the notes of its probes are malformed", source=path) from None


def _notes(file: ElfFile) -> Iterator[Probe]:
    base = next((s.address for s in file.sections() if s.name == ".stapsdt.base"), 0)
    for section in file.sections():
        if section.name != ".note.stapsdt":
            continue
        data, at = file.data[section.offset:section.offset + section.size], 0
        while at + 12 <= len(data):
            name_size, size, kind = struct.unpack_from(file.order + "III", data, at)
            start = at + 12 + (name_size + 3 & ~3)
            if kind == 3 and data[at + 12:at + 12 + name_size] == b"stapsdt\0":
                address, linked, semaphore = struct.unpack_from(file.order + "QQQ", data, start)
                provider, name, arguments = data[start + 24:start + size].split(b"\0")[:3]
                moved = base - linked if base and linked else 0
                offset = file.offset(address + moved)
                counter = file.offset(semaphore + moved) if semaphore else 0
                if offset is not None:
                    yield Probe(provider.decode(), name.decode(), offset, counter or 0, arguments.decode())
            at = start + (size + 3 & ~3)


_REGISTERS = {
    "x86_64": {name: 8 * n for n, names in enumerate((
        "r15 r15d r15w r15b", "r14 r14d r14w r14b", "r13 r13d r13w r13b", "r12 r12d r12w r12b", "rbp ebp bp bpl",
        "rbx ebx bx bl", "r11 r11d r11w r11b", "r10 r10d r10w r10b", "r9 r9d r9w r9b", "r8 r8d r8w r8b", "rax eax ax al",
        "rcx ecx cx cl", "rdx edx dx dl", "rsi esi si sil", "rdi edi di dil", "", "rip eip", "", "", "rsp esp sp spl"))
        for name in names.split()},
    "aarch64": {"sp": 248, "xzr": -1, **{f"{letter}{n}": 8 * n for n in range(31) for letter in "xw"}},
}
_FORMS = {
    "x86_64": re.compile(r"\$(?P<const>-?(?:0x)?[0-9a-fA-F]+)|%(?P<reg>\w+)|(?P<off>-?(?:0x)?[0-9a-fA-F]*)\(%(?P<base>\w+)\)"),
    "aarch64": re.compile(r"(?P<const>-?\d+)|\[(?P<base>\w+)(?:, ?#?(?P<off>-?\d+))?\]|(?P<reg>\w+)"),
}


def arguments(text: str, machine: str = "") -> list[Argument]:
    """The places that a note names. ElfError for a form that is not known."""
    machine = machine or platform.machine()
    form, registers = _FORMS.get(machine), _REGISTERS.get(machine, {})
    if form is None:
        raise ElfError(f"the places of USDT arguments on {machine} are not known here")
    found = []
    for size, place in re.findall(r"(-?\d+)f?@((?:\[[^\]]*\]|\S)+)", text):
        m = form.fullmatch(place)
        register = (m["reg"] or m["base"]) if m is not None else None
        if m is None or register is not None and register not in registers or abs(int(size)) not in (1, 2, 4, 8):
            raise ElfError(f"USDT argument {size}@{place}: this form is not known")
        width, signed = abs(int(size)), int(size) < 0
        if m["const"] is not None:
            found.append(Argument(CONST, int(m["const"], 0), 0, width, signed))
        elif m["reg"] is not None:
            found.append(Argument(REGISTER, 0, registers[m["reg"]], width, signed))
        else:
            found.append(Argument(MEMORY, int(m["off"] or "0", 0), registers[m["base"]], width, signed))
    return found


def spec_bytes(places: list[Argument], cookie: int) -> bytes:
    """The value of the map of usdt.bpf.h."""
    rows = b"".join(_ARGUMENT.pack(a.value & (1 << 64) - 1, a.kind, a.register, a.signed, 64 - 8 * a.size) for a in places)
    return rows.ljust(MOST * _ARGUMENT.size, b"\0") + struct.pack("=Qh6x", cookie & (1 << 64) - 1, len(places))


# ── attaching ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Numbers:
    """Entries of the map of places that one attachment uses; given back when it ends."""

    def __init__(self, specs: Any) -> None:
        self._specs, self._own = specs, set[int]()
        self._used: set[int] = specs.__dict__.setdefault("usdt_numbers", set())

    def put(self, value: bytes) -> int:
        if len(value) != self._specs.info.value_size:
            raise KernelError(EINVAL, f"map {SPECS}", f"its values have {self._specs.info.value_size} bytes, not {_SPEC_SIZE}: "
                              "another usdt.bpf.h than is known here", reason="")
        number = next((n for n in range(self._specs.info.max_entries) if n not in self._used), -1)
        if number < 0:
            raise KernelError(ENOSPC, f"map {SPECS} is full", "define BPF_USDT_MAX_SPEC_CNT larger when building", reason="")
        self._used.add(number)
        self._own.add(number)
        self._specs.raw[number] = value
        return number

    def close(self) -> None:
        self._used -= self._own
        self._own = set()


def attach_usdt(program: LoadedProgram, target: str | None, *, pid: int = -1, cookie: int = 0) -> Link:
    """`target` is "path:provider:name"; a path without "/" is looked up as of uprobes. At every place of the probe; those
    with a semaphore count it up meanwhile. `pid` limits it to one process."""
    path, provider, name = (["", "", *(target or "").rsplit(":", 2)])[-3:]
    if not path or not provider or not name:
        raise AttachError(EINVAL, f"program {program.name!r} ({program.spec.section})", "say where: attach('path:provider:name')")
    path = find_file(path, pid)
    known = probes(path)
    places = [one for one in known if (one.provider, one.name) == (provider, name)]
    if not places:
        raise AttachError(ENOENT, f"{path} has no USDT probe '{provider}:{name}'", _near(f"{provider}:{name}", known), reason="")
    specs = program.map_named(SPECS)
    numbers = _Numbers(specs) if specs is not None else None
    by_arguments: dict[str, int] = {}
    made: list[Link] = []
    try:
        for one in places:
            if numbers is not None and one.arguments not in by_arguments:
                by_arguments[one.arguments] = numbers.put(spec_bytes(arguments(one.arguments), cookie))
            event = perf.open_uprobe(path, one.offset, pid=pid, ref_ctr=one.semaphore)
            made.append(on_event(program, "usdt", target or "", event, by_arguments.get(one.arguments, cookie)))
    except BaseException:
        close_all([*([numbers] if numbers is not None else []), *made])
        raise
    held = [numbers] if numbers is not None else []
    return Link("usdt", target or "", None, *held, program=program, parts=tuple(made))


def _near(wanted: str, known: list[Probe]) -> str:
    names = {f"{one.provider}:{one.name}" for one in known}
    near = difflib.get_close_matches(wanted, names, 3)
    if near:
        return "did you mean " + " or ".join(map(repr, near)) + "?"
    return f"it has {', '.join(sorted(names)[:8])}" if names else "it has none at all"
