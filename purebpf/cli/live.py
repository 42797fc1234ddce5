"""A program in the kernel for `purebpf dis`: its translated code with names, source lines and what numbers mean."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..btf import Btf
from ..btf import types as t
from ..errors import FormatError, PureBpfError
from ..isa.codec import decode, encode
from ..isa.opcodes import (
    ALU,
    CALL,
    CALL_HELPER,
    CALL_KFUNC,
    CALL_LOCAL,
    IMM64_FUNC,
    IMM64_MAP_FD,
    IMM64_MAP_VALUE,
    JMP,
    LD_IMM64,
    MOV,
    X,
)
from ..loader import bpf, sys
from ..loader.fd import Fd


class Live(NamedTuple):
    """`names`, `sources` and `notes` are by slot of the translated code."""

    name: str
    id: int
    xlated: bytes
    jited: bytes
    names: dict[int, str]
    sources: dict[int, str]
    notes: dict[int, str]


def find(number: int | None, name: str | None, pinned: str | None) -> Fd:
    """The program with this id, name (which must be unique) or pin. Raises KernelError, FormatError."""
    if pinned is not None:
        return bpf.get_pinned(pinned)
    if number is not None:
        return bpf.fd_by_id("prog", number)
    found: list[Fd] = []
    try:
        for one in bpf.ids("prog"):
            try:
                fd = bpf.fd_by_id("prog", one)
            except PureBpfError:
                continue  # gone meanwhile
            if name in (bpf.prog_info(fd.fileno()).name, _full_name(fd)):
                found.append(fd)
            else:
                fd.close()
        if len(found) == 1:
            return found.pop()
        ids = ", ".join(str(bpf.prog_info(fd.fileno()).id) for fd in found)
        raise FormatError(f"no program is called {name!r}" if not found else
                          f"{len(found)} programs are called {name!r}: choose one by --id: {ids}")
    finally:
        for fd in found:
            fd.close()


def _full_name(fd: Fd) -> str:
    """The name that BTF has: bpf_prog_info cuts names to 15 characters."""
    info = bpf.prog_info(fd.fileno())
    if not info.btf_id or len(info.name) < 15:
        return str(info.name)
    btf = _btf(info.btf_id)
    records = _records(fd, "func_info", "nr_func_info", "func_info_rec_size")
    return _func_name(btf, records[0][1]) if btf and records else str(info.name)


def read(fd: Fd) -> Live:
    """Everything about a program's code. KernelError if the kernel does not let us see it."""
    first = bpf.prog_info(fd.fileno())
    xlated, jited = sys.buffer(first.xlated_prog_len), sys.buffer(first.jited_prog_len)
    info = bpf.prog_info(fd.fileno(), xlated_prog_insns=sys.address(xlated), xlated_prog_len=first.xlated_prog_len,
                         jited_prog_insns=sys.address(jited), jited_prog_len=first.jited_prog_len)
    code = _as_loaded(xlated.raw[:info.xlated_prog_len])
    btf = _btf(info.btf_id) if info.btf_id else None
    names: dict[int, str] = {}
    sources: dict[int, str] = {}
    if btf is not None:
        for slot, type_id, *_ in _records(fd, "func_info", "nr_func_info", "func_info_rec_size"):
            names[slot] = _func_name(btf, type_id)
        for slot, file, line, place, *_ in _records(fd, "line_info", "nr_line_info", "line_info_rec_size"):
            sources[slot] = f"{btf.string(file)}:{place >> 10}  {btf.string(line).strip()}"
    return Live(info.name, info.id, code, jited.raw[:info.jited_prog_len], names, sources, _notes(code))


def _as_loaded(code: bytes) -> bytes:
    """Undo what the kernel leaves of its own in translated code, so that it is instructions again: the distance of local
    calls in off, the number of a subprogram beside its distance, the mark of a zero extension."""
    out = []
    for insn in decode(code, sys.BYTEORDER):
        if insn.code == JMP | CALL and insn.src == CALL_LOCAL and insn.off:
            insn = insn._replace(off=0, imm=insn.off)
        elif insn.code == LD_IMM64 and insn.src == IMM64_FUNC:
            insn = insn._replace(imm=insn.imm & 0xFFFFFFFF)
        elif insn.code == ALU | MOV | X and insn.dst == insn.src and insn.imm == 1:
            insn = insn._replace(imm=0)
        out.append(insn)
    return encode(out, sys.BYTEORDER)


def _records(fd: Fd, field: str, count: str, size: str) -> list[tuple[int, ...]]:
    """An array of records that bpf_prog_info points to, as tuples of u32."""
    info = bpf.prog_info(fd.fileno())
    number, width = getattr(info, count), getattr(info, size)
    if not number or not width:
        return []
    data = sys.buffer(number * width)
    bpf.prog_info(fd.fileno(), **{field: sys.address(data), count: number, size: width})
    return [struct.unpack_from(f"={width // 4}I", data.raw, n * width) for n in range(number)]


def _btf(number: int) -> Btf | None:
    try:
        with bpf.fd_by_id("btf", number) as fd:
            return Btf.from_bytes(bpf.btf_data(fd.fileno())[1])
    except PureBpfError:
        return None


def _func_name(btf: Btf, type_id: int) -> str:
    one = btf[type_id]
    return one.name if isinstance(one, t.Func) else ""


def _notes(code: bytes) -> dict[int, str]:
    """What the numbers of translated code stand for: maps by id, kernel functions by their distance from
    __bpf_call_base."""
    notes: dict[int, str] = {}
    calls: dict[int, int] = {}
    slot = 0
    for insn in decode(code, sys.BYTEORDER):
        if insn.code == LD_IMM64 and insn.src in (IMM64_MAP_FD, IMM64_MAP_VALUE):
            notes[slot] = _map_note(insn.imm & 0xFFFFFFFF)
        elif insn.code == JMP | CALL and insn.src in (CALL_HELPER, CALL_KFUNC) and insn.imm not in range(1, 1000):
            calls[slot] = insn.imm
        slot += insn.slots
    if calls:
        symbols = _symbols(set(calls.values()))
        notes |= {slot: symbols[imm] for slot, imm in calls.items() if imm in symbols}
    return notes


def _map_note(number: int) -> str:
    try:
        with bpf.fd_by_id("map", number) as fd:
            return f"map id {number} {bpf.map_info(fd.fileno()).name}".rstrip()
    except PureBpfError:
        return f"map id {number}"


def _symbols(distances: set[int]) -> dict[int, str]:
    """Names of kernel functions by their distance from __bpf_call_base, as far as /proc/kallsyms tells."""
    base, all_symbols = 0, {}
    try:
        with open("/proc/kallsyms") as file:
            for line in file:
                address, _, name = line.split(None, 3)[:3]
                if name == "__bpf_call_base":
                    base = int(address, 16)
                all_symbols[int(address, 16)] = name
    except (OSError, ValueError):
        return {}
    return {d: all_symbols[base + d] for d in distances if base and base + d in all_symbols}


