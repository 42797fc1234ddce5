"""Values of kconfig externs: variables that the loader fills from the kernel's configuration.

A value is written by the variable's type: bool and the tristate enum from y, m, n; integers from numbers; char arrays
from text.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..btf import Btf
from ..btf import types as t
from ..btf.layout import resolved
from ..errors import FormatError, NotSupported
from ..isa.insn import KconfigRef
from ..spec import DataSpec, Linked, VarSpec
from . import sys
from .kernel import Kernel, missing
from .refusals import older_than

_TRISTATE = {"n": 0, "y": 1, "m": 2}


def weak_names(linked: Iterable[Linked]) -> frozenset[str]:
    """Externs to which every reference is weak."""
    weak: set[str] = set()
    strong: set[str] = set()
    for one in linked:
        for insn in one.insns:
            if isinstance(insn.ref, KconfigRef):
                (weak if insn.ref.weak else strong).add(insn.ref.name)
    return frozenset(weak - strong)


def fill_kconfig(spec: DataSpec, btf: Btf | None, kernel: Kernel, weak: frozenset[str] = frozenset()) -> DataSpec:
    """The section with the running kernel's values. A setting that is not there is 0 if it is `weak`, else
    NotSupported."""
    image = bytearray(spec.data)
    for var in spec.vars:
        raw = _virtual(var.name)
        if raw is None:
            raw = _setting(var.name, kernel, var.name in weak)
        if raw is None:
            continue
        image[var.offset:var.offset + var.size] = _encode(var, raw, btf)
    return spec._replace(data=bytes(image))


def _setting(name: str, kernel: Kernel, weak: bool) -> str | None:
    try:
        raw = kernel.config(name)
    except NotSupported:
        if not weak:
            raise
        return None
    if raw is None and not weak:
        raise missing(name, "configuration value")
    return raw


def _virtual(name: str) -> str | None:
    if name == "LINUX_KERNEL_VERSION":
        major, minor, patch = sys.kernel_version()
        return str(major << 16 | minor << 8 | min(patch, 255))
    if name == "LINUX_HAS_BPF_COOKIE":
        return "0" if older_than("5.15") else "1"
    if name == "LINUX_HAS_SYSCALL_WRAPPER":
        return "1"  # since 4.17 on every machine that has BTF
    return None


def _encode(var: VarSpec, raw: str, btf: Btf | None) -> bytes:
    kind = resolved(btf, _type(btf, var)) if btf is not None and var.type_id else None
    if raw.startswith('"'):
        if not isinstance(kind, t.Array):
            raise FormatError(f"{var.name} is text in this kernel, the variable is none")
        return raw.strip('"').encode()[:var.size - 1].ljust(var.size, b"\0")
    boolean = isinstance(kind, t.Int) and bool(kind.encoding & t.BOOL)
    if raw in _TRISTATE:
        if isinstance(kind, t.Int) and kind.size == 1 and not boolean:
            return raw.encode()  # a char shows the letter
        number = int(raw == "y") if boolean else _TRISTATE[raw]
    else:
        try:
            number = int(raw, 0)
        except ValueError:
            raise FormatError(f"{var.name} is {raw} in this kernel, which is no number") from None
    try:
        return (number & (1 << 64) - 1 if number < 0 else number).to_bytes(var.size, sys.BYTEORDER)
    except OverflowError:
        raise FormatError(f"{var.name} is {raw} in this kernel, more than {var.size} bytes hold") from None


def _type(btf: Btf, var: VarSpec) -> int:
    one = btf[var.type_id]
    return one.type if isinstance(one, t.Var) else var.type_id
