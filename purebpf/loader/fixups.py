"""Symbolic references → the numbers of this kernel and this process: map fds, data addresses, kfunc ids, kernel symbols,
CO-RE relocations. `Linked` instructions in, bytes for BPF_PROG_LOAD out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from ..btf import Btf
from ..btf import types as t
from ..btf.container import essential
from ..errors import FormatError, NotSupported
from ..isa import codec
from ..isa.insn import CoreRef, DataRef, ExternRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef
from ..isa.opcodes import (
    ALU,
    ALU64,
    CALL,
    CALL_KFUNC,
    IMM64_BTF_ID,
    IMM64_MAP_FD,
    IMM64_MAP_VALUE,
    IMM64_VALUE,
    JMP,
    LD_IMM64,
    LDX,
    MEMSX,
    SIZE_BITS,
    SIZE_BYTES,
    ST,
    STX,
    X,
)
from ..spec import Linked
from . import sys
from .kernel import Kernel, missing

if TYPE_CHECKING:
    from ..btf import core

POISON = 0xBAD2310  # a helper number that no kernel has: refused if it can be reached
MISSING_KFUNC = 2_002_000_000  # + n: call of a weak kfunc that is not there
_CLASS, _SIZE, _MODE = 0x07, 0x18, 0xE0


class Environment(NamedTuple):
    """What references resolve to: fds of maps and of data sections by name, offsets of kconfig externs, the kernel, and
    the object's own BTF."""

    maps: Mapping[str, int]
    data: Mapping[str, int]
    kconfig: Mapping[str, int]
    kernel: Kernel
    btf: Btf | None


class Loadable(NamedTuple):
    """A program as BPF_PROG_LOAD takes it: `code`, and the BTF fds of modules that kfunc calls index. `core` are the
    CO-RE relocations as (slot, value or None if the kernel has no such thing), for reports; `absent` says for the slots
    that must not be reached what is not in this kernel."""

    code: bytes
    modules: tuple[int, ...]
    core: tuple[tuple[int, int | None], ...]
    absent: Mapping[int, str]


def resolve(linked: Linked, env: Environment) -> Loadable:
    """Replace every reference. Raises FormatError for one that the object cannot satisfy, NotSupported for one that this
    kernel cannot."""
    fixer = _Fixer(env)
    slot, out = 0, []
    for insn in linked.insns:
        if insn[5] is None:
            out.append(insn)
        elif isinstance(insn.ref, CoreRef):
            out.extend(fixer.relocate(insn, insn.ref, slot))
        else:
            out.append(fixer.fix(insn, slot))
        slot += 2 if insn[0] == LD_IMM64 else 1
    return Loadable(codec.encode(out, sys.BYTEORDER), tuple(fixer.modules), tuple(fixer.core), fixer.absent)


class _Fixer:
    def __init__(self, env: Environment) -> None:
        self.env = env
        self.modules: list[int] = []
        self.core: list[tuple[int, int | None]] = []
        self.absent: dict[int, str] = {}
        self._relocator: core.Relocator | None = None

    def fix(self, insn: Insn, slot: int) -> Insn:
        match insn.ref:
            case MapRef(name):
                return insn._replace(src=IMM64_MAP_FD, imm=_known(self.env.maps, name, "map"), ref=None)
            case DataRef(section, offset):
                fd = _known(self.env.data, section, "data section")
                return insn._replace(src=IMM64_MAP_VALUE, imm=fd | (offset & 0xFFFFFFFF) << 32, ref=None)
            case KconfigRef(name):
                fd = _known(self.env.data, ".kconfig", "data section")
                offset = _known(self.env.kconfig, name, "kconfig extern")
                return insn._replace(src=IMM64_MAP_VALUE, imm=fd | offset << 32, ref=None)
            case KfuncRef():
                return self._kfunc(insn, insn.ref, slot)
            case KsymRef():
                return self._ksym(insn, insn.ref)
            case FuncRef() | Label() | CoreRef() | ExternRef() | None:
                raise FormatError(f"an instruction still refers to {insn.ref}")
            case _:
                assert_never(insn.ref)

    def _kfunc(self, insn: Insn, ref: KfuncRef, slot: int) -> Insn:
        kernel, bare = self.env.kernel, essential(ref.name)
        found = kernel.find(bare, t.Func)
        problem = self._mismatch(ref.name, found) if found is not None else ""
        if problem and not ref.weak:
            raise missing(bare, "kernel function", problem)
        if found is None or problem:
            if not ref.weak:
                raise missing(bare, "kernel function", kernel.near(bare, t.Func))
            if insn.code == LD_IMM64:
                return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
            self.absent[slot] = f"kernel function {bare}"
            return Insn(JMP | CALL, imm=MISSING_KFUNC)
        type_id, module = found
        if insn.code == LD_IMM64:
            fd = kernel.module_fd(module) if module else 0
            return insn._replace(src=IMM64_BTF_ID, imm=type_id | fd << 32, ref=None)
        return insn._replace(src=CALL_KFUNC, imm=type_id, off=self._module_index(module), ref=None)

    def _mismatch(self, name: str, found: tuple[int, str]) -> str:
        """How the object's declaration of a kernel function or variable differs from the kernel's; "" if it does not, or
        if the object declares no types."""
        from ..btf import core, declare

        own = self.env.btf
        local = next((i for i in own.find_all(name, (t.Func, t.Var)) if getattr(own[i], "linkage", 0) == t.EXTERN),
                     0) if own is not None else 0
        if own is None or not local:
            return ""
        kernel_btf = self.env.kernel.types(found[1])
        mine, theirs = t.references(own[local])[0], t.references(kernel_btf[found[0]])[0]
        if _undeclared(own, mine) or core.compatible(own, mine, kernel_btf, theirs):
            return ""
        return (f"it is declared as {declare.spell(own, mine, name)}, but the kernel's is "
                f"{declare.spell(kernel_btf, theirs, essential(name))}")

    def _module_index(self, module: str) -> int:
        """Index into fd_array, which the kernel counts from 1: 0 is vmlinux."""
        if not module:
            return 0
        fd = self.env.kernel.module_fd(module)
        if fd not in self.modules:
            self.modules.append(fd)
        return self.modules.index(fd) + 1

    def _ksym(self, insn: Insn, ref: KsymRef) -> Insn:
        kernel, bare = self.env.kernel, essential(ref.name)
        if ref.typed:
            found = kernel.find(bare, t.Var) or kernel.find(bare, t.Func)
            problem = self._mismatch(ref.name, found) if found is not None else ""
            if problem and not ref.weak:
                raise missing(bare, "kernel symbol", problem)
            if found is not None and not problem:
                fd = kernel.module_fd(found[1]) if found[1] else 0
                return insn._replace(src=IMM64_BTF_ID, imm=found[0] | fd << 32, ref=None)
        else:
            try:
                address = kernel.symbol(bare)
            except NotSupported:
                if not ref.weak:
                    raise
                address = None
            if address is not None:
                return insn._replace(src=IMM64_VALUE, imm=address, ref=None)
        if ref.weak:
            return insn._replace(src=IMM64_VALUE, imm=0, ref=None)
        raise missing(bare, "kernel symbol", "" if ref.typed else "kernels without CONFIG_KALLSYMS_ALL list functions only")

    def relocate(self, insn: Insn, ref: CoreRef, slot: int) -> tuple[Insn, ...]:
        """The instruction with the kernel's number in it, or poison of the same length."""
        from ..btf import core

        if self.env.btf is None:
            raise FormatError(f"instruction {slot} has a CO-RE relocation, but the object has no BTF")
        if self._relocator is None:
            self._relocator = core.Relocator(self.env.btf, Targets(self.env.kernel))
        found = self._relocator.relocate(ref.type_id, ref.access, ref.kind)
        out = patch(insn._replace(ref=None), found, slot)
        poisoned = out[0].imm == POISON and out[0].code == JMP | CALL
        self.core.append((slot, None if poisoned else found.value))
        if poisoned:
            what = core.describe(self.env.btf, ref.type_id, ref.access, ref.kind)
            self.absent[slot] = what if found.poison else f"{what} of the size and signedness that the program was built for"
        return out


def _undeclared(btf: Btf, type_id: int) -> bool:
    """Is it `f(...)`, how a function is declared of which nothing is known?"""
    one = btf[type_id] if type_id else None
    return isinstance(one, t.FuncProto) and one.params == (t.Param("", 0),)


class Targets(Sequence[Btf]):
    """The kernel's types, then those of its modules, which are opened when it comes to them."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __iter__(self) -> Iterator[Btf]:
        yield self._kernel.target
        if self._kernel.target is self._kernel.vmlinux:
            yield from (btf for _, btf in self._kernel.modules())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: Any) -> Any:
        return self._kernel.target if index == 0 else list(self)[index]


def patch(insn: Insn, found: core.Relocation, slot: int = 0) -> tuple[Insn, ...]:
    """`insn` with a relocated number in the field it stands for: imm of arithmetic and ld_imm64, off of a load or store,
    whose size follows the field's. A field that holds neither 0 nor the local number is a FormatError."""
    poison = (Insn(JMP | CALL, imm=POISON),) * insn.slots
    if found.poison:
        return poison
    form = insn.code & _CLASS
    if insn.code == LD_IMM64:
        _expect(insn.imm, found, slot)
        return (insn._replace(imm=found.value),)
    if form in (ALU, ALU64) and not insn.code & X:
        _expect(insn.imm, found, slot)
        if not -1 << 31 <= found.value < 1 << 32:
            raise FormatError(f"instruction {slot}: relocated value {found.value} does not fit in 32 bits")
        return (insn._replace(imm=found.value),)
    if form not in (LDX, ST, STX):
        raise FormatError(f"instruction {slot} ({insn.code:#04x}) cannot hold a CO-RE relocation")
    _expect(insn.off, found, slot)
    if not 0 <= found.value <= 0x7FFF:
        raise FormatError(f"instruction {slot}: field offset {found.value} is over 32767")
    width = SIZE_BYTES[insn.code & _SIZE]
    code = insn.code
    if found.size != found.old_size and found.size:
        if not found.resize or found.size not in SIZE_BITS or insn.code & _MODE == MEMSX:
            return poison
        if found.old_size != width:
            raise FormatError(f"instruction {slot} accesses {width} bytes of a field that has {found.old_size} in the object's "
                              f"types and {found.size} in the kernel's: which part is meant cannot be told")
        code = insn.code & ~_SIZE | SIZE_BITS[found.size]
    return (insn._replace(code=code, off=found.value),)


def _expect(have: int, found: core.Relocation, slot: int) -> None:
    if found.old is not None and have not in (0, found.old):
        raise FormatError(f"instruction {slot} holds {have}, but the object's own types say {found.old}")


def _known(table: Mapping[str, int], name: str, what: str) -> int:
    try:
        return table[name]
    except KeyError:
        raise FormatError(f"the program refers to {what} {name!r}, which the object lacks") from None
