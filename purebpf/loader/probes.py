"""Does this kernel have X? Answered by trying: a map made, a program loaded, a command sent; never by the version.

`FEATURES` has one row per feature of the verifier and the interface; map types, program types and helpers come from the
`uapi` tables. Versions there say which kernel has it first, for messages.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from errno import EACCES, EBADF, ENOENT, EPERM
from functools import partial
from typing import NamedTuple

from ..btf import codec
from ..btf import types as t
from ..errors import KernelError
from ..isa import assemble
from ..spec import MapSpec
from ..uapi import attrs, helpers, versions
from ..uapi.enums import AttachType, Cmd, MapFlag, MapType, ProgType, names
from . import bpf, sys
from .create import finished
from .fd import Fd, Made
from .maptypes import row
from .refusals import CAP_BPF, CAP_PERFMON, holds, refuse

ENOTSUPP = sys.ENOTSUPP


class Answer(NamedTuple):
    """One feature: does the kernel have it (None: this process may not ask), since which release kernels do ("" if not
    known), and what else it needs."""

    name: str
    has: bool | None
    since: str
    needs: str = ""


def _may_ask(test: Callable[[], bool]) -> bool | None:
    try:
        return test()
    except KernelError as error:
        if error.errno in (EPERM, EACCES):
            return None
        raise


class Probes:
    """Answers, each found out once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def _ask(self, group: str, name: str, test: Callable[[], bool]) -> bool:
        key = (group, name)
        if key not in self._known:
            self._known[key] = test()
        return self._known[key]

    def feature(self, name: str) -> bool:
        """One of FEATURES."""
        return self._ask("feature", name, FEATURES[name])

    def map_type(self, name: str) -> bool:
        return self._ask("map", name, lambda: _has_map(getattr(MapType, name)))

    def prog_type(self, name: str) -> bool:
        return self._ask("prog", name, lambda: _has_prog(getattr(ProgType, name)))

    def helper(self, name: str, prog_type: int = ProgType.KPROBE) -> bool:
        """May programs of this type call the helper? A helper that depends on other things than the type is a yes."""
        return self._ask("helper", f"{name}/{prog_type}", lambda: _has_helper(name, prog_type))

    def features(self) -> list[Answer]:
        return [Answer(n, _may_ask(partial(self.feature, n)), versions.feature(n)) for n in FEATURES]

    def map_types(self) -> list[Answer]:
        return [Answer(n, _may_ask(partial(self.map_type, n)), versions.map_type(i)) for i, n in names(MapType).items() if i]

    def prog_types(self) -> list[Answer]:
        return [Answer(n, _may_ask(partial(self.prog_type, n)), versions.prog_type(i)) for i, n in names(ProgType).items() if i]

    def attach_kinds(self) -> list[Answer]:
        """What programs can be attached to; the text of one that is missing says what it needs."""
        from .attachable import KINDS

        return [Answer(name, _may_ask(partial(self._ask, "attach", name, kind.test)), kind.since, kind.needs)
                for name, kind in KINDS.items()]

    def all_helpers(self, prog_type: int) -> list[Answer]:
        return [Answer(n, _may_ask(partial(self.helper, n, prog_type)), versions.helper(n)) for n in helpers.IDS if n != "unspec"]


def _opened(result: Made, what: str) -> bool:
    """Was an fd made? EPERM cannot tell: NotSupported."""
    if isinstance(result, Fd):
        result.close()
        return True
    if result == -EPERM:
        raise refuse(EPERM, f"asking the kernel for {what}")
    return False


# ── maps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_M = MapType


def _has_map(kind: int) -> bool:
    if kind == _M.STRUCT_OPS:  # an id that names no struct: ENOENT or ENOTSUPP from who knows the type
        made = bpf.map_create("map", map_type=kind, key_size=4, value_size=4, max_entries=1, btf_vmlinux_value_type_id=1)
        return _opened(made, "map") or made in (-ENOENT, -ENOTSUPP)
    known = row(kind)
    key, value, entries, flags = known.probe
    spec = finished(MapSpec("probe", kind, key, value, entries, flags))
    fields: dict[str, int] = {}
    opened: list[Fd] = []
    try:
        if known.inner:
            inner = bpf.map_create(map_type=_M.ARRAY, key_size=4, value_size=4, max_entries=1)
            if isinstance(inner, int):
                return _opened(inner, "map")
            opened.append(inner)
            fields["inner_map_fd"] = inner.fileno()
        if known.keys == "owner":
            types, _ = bpf.btf_load(codec.encode([t.Int("int", 4, t.SIGNED)], sys.BYTEORDER))
            if isinstance(types, int):
                return _opened(types, "BTF")
            opened.append(types)
            fields.update(btf_fd=types.fileno(), btf_key_type_id=1, btf_value_type_id=1)
        return _opened(bpf.map_create(map_type=kind, key_size=key, value_size=value, max_entries=spec.max_entries,
                                      map_flags=flags, **fields), "map")
    finally:
        for fd in opened:
            fd.close()


# ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_P = ProgType
_ATTACH = {_P.CGROUP_SOCK_ADDR: AttachType.CGROUP_INET4_CONNECT, _P.CGROUP_SOCKOPT: AttachType.CGROUP_GETSOCKOPT,
           _P.SK_LOOKUP: AttachType.SK_LOOKUP, _P.TRACING: AttachType.TRACE_RAW_TP, _P.LSM: AttachType.LSM_MAC,
           _P.NETFILTER: AttachType.NETFILTER}
_FLAGS = {_P.SYSCALL: 16}
_CAPS = (CAP_BPF, CAP_PERFMON)


def _load(code: str | bytes, prog_type: int = _P.SOCKET_FILTER, **fields: int) -> tuple[Made, str]:
    """(fd or −errno, log)."""
    log = sys.buffer(1 << 16)
    machine = assemble(code.replace(";", "\n")) if isinstance(code, str) else code
    result, _ = bpf.prog_load(machine, "GPL", log_level=1, log=log, fields={"prog_type": prog_type, **fields})
    return result, log.value.decode(errors="replace")


def _has_prog(kind: int) -> bool:
    result, log = _load("r0 = 1\nexit" if kind == _P.SK_LOOKUP else "r0 = 0\nexit", kind, prog_flags=_FLAGS.get(kind, 0),
                        expected_attach_type=_ATTACH.get(kind, 0))
    forbidden = kind in (_P.TRACING, _P.LSM, _P.EXT, _P.STRUCT_OPS) and holds(_CAPS)  # some kernels do so to root too
    if isinstance(result, Fd) or result == -EPERM and not forbidden:
        return _opened(result, "program")
    return bool(log.strip())  # the verifier looked at it: the type is known, the target is what lacks


def _has_helper(name: str, prog_type: int) -> bool:
    number = helpers.helper_id(name)
    if number is None:
        return False
    code = struct.pack("=BBhi", 0x85, 0, 0, number) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    result, log = _load(code, prog_type, expected_attach_type=_ATTACH.get(prog_type, 0),
                        prog_flags=_FLAGS.get(prog_type, 0))
    if isinstance(result, Fd) or result == -EPERM:
        return _opened(result, "program")
    refusals = ("invalid func", "unknown func", "program of this type cannot use helper", "helper call is not allowed")
    return bool(log.strip()) and not any(text in log for text in refusals)


def _accepts(code: str | bytes, prog_type: int = _P.SOCKET_FILTER) -> Callable[[], bool]:
    return lambda: _opened(bpf.prog_load(code if isinstance(code, bytes) else assemble(code.replace(";", "\n")), "GPL",
                                         fields={"prog_type": prog_type})[0], "program")


def _makes(kind: int, flags: int = 0, **fields: int | bytes) -> Callable[[], bool]:
    return lambda: _opened(bpf.map_create(map_type=kind, key_size=4, value_size=4, max_entries=1, map_flags=flags,
                                          **fields), "map")


def _types(*kinds: t.Type) -> Callable[[], bool]:
    return lambda: _opened(bpf.btf_load(codec.encode(kinds, sys.BYTEORDER))[0], "BTF")


def _knows(command: int, layout: attrs.Layout, fd_field: str) -> Callable[[], bool]:
    """A command sent with an fd that is none: who knows it says EBADF, who does not EINVAL."""
    def test() -> bool:
        result = sys.bpf(command, bpf.packed(layout, {fd_field: 0xFFFF}), layout.size)
        if result == -EPERM:
            raise refuse(EPERM, "asking the kernel for a command")
        return result == -EBADF
    return test


def _batches() -> bool:
    made = bpf.map_create(map_type=_M.HASH, key_size=4, value_size=4, max_entries=1)
    if isinstance(made, int):
        return _opened(made, "map")
    with made as fd:
        return bpf.map_update_batch(fd.fileno(), [(bytes(4), bytes(4))]) >= 0


_INT = t.Int("int", 4, t.SIGNED)

FEATURES: dict[str, Callable[[], bool]] = {
    "btf": _types(_INT),
    "btf_datasec": _types(_INT, t.Var("v", 1), t.Datasec("d", 4, (t.SecVar(2, 0, 4),))),
    "btf_func_global": _types(_INT, t.FuncProto(0, (t.Param("a", 1),)), t.Func("f", 2, t.GLOBAL)),
    "btf_float": _types(t.Float("float", 4)),
    "btf_decl_tag": _types(_INT, t.Var("v", 1), t.DeclTag("tag", 2)),
    "btf_type_tag": _types(_INT, t.TypeTag("tag", 1), t.Ptr(2)),
    "btf_enum64": _types(t.Enum64("e", 8, False, (t.Enumerator("a", 1),))),
    "prog_name": lambda: _opened(bpf.prog_load(assemble("r0 = 0\nexit"), "GPL", fields={
        "prog_type": _P.SOCKET_FILTER, "prog_name": b"probe"})[0], "program"),
    "jmp32": _accepts("r0 = 0; w1 = 0; if w1 == 0 goto +0; exit"),
    "bounded_loops": _accepts("r0 = 10; r0 += -1; if r0 != 0 goto -2; exit"),
    "million_insns": _accepts(bytes.fromhex("b700000000000000") * 5000 + bytes.fromhex("9500000000000000")),  # r0 = 0; exit
    "atomics": _accepts("r0 = 0; *(u64 *)(r10 - 8) = r0; r1 = 1; r1 = atomic_fetch_add((u64 *)(r10 - 8), r1); exit"),
    "cpu_v4": _accepts("r0 = 1; r0 = (s8)r0; r0 = 0; exit"),
    "may_goto": _accepts("r0 = 0; may_goto +0; exit"),
    "load_acquire": _accepts("*(u64 *)(r10 - 8) = 0; r0 = load_acquire((u64 *)(r10 - 8)); exit"),
    "mmapable_arrays": _makes(_M.ARRAY, MapFlag.MMAPABLE),
    "global_data": _makes(_M.ARRAY, MapFlag.RDONLY_PROG),
    "map_extra": lambda: _opened(bpf.map_create(map_type=_M.BLOOM_FILTER, value_size=4, max_entries=1, map_extra=3), "map"),
    "ringbuf": lambda: _has_map(_M.RINGBUF),
    "user_ringbuf": lambda: _has_map(_M.USER_RINGBUF),
    "arena": lambda: _has_map(_M.ARENA),
    "batches": _batches,
    "links": _knows(Cmd.LINK_CREATE, attrs.LINK_CREATE, "prog_fd"),
    "prog_bind_map": _knows(Cmd.PROG_BIND_MAP, attrs.PROG_BIND_MAP, "prog_fd"),
    "token": _knows(Cmd.TOKEN_CREATE, attrs.TOKEN_CREATE, "bpffs_fd"),
    "log_true_size": lambda: _true_size() > 0,
    "bpf_cookie": lambda: _has_helper("get_attach_cookie", _P.KPROBE),
    "bpf_loop": lambda: _has_helper("loop", _P.SOCKET_FILTER),
    "timers": lambda: _has_helper("timer_init", _P.XDP),
    "dynptr": lambda: _has_helper("dynptr_from_mem", _P.XDP),
}


def _true_size() -> int:
    log = sys.buffer(1 << 12)
    result, size = bpf.prog_load(assemble("r0 = 0\nexit"), "GPL", log_level=1, log=log,
                                 fields={"prog_type": _P.SOCKET_FILTER})
    _opened(result, "program")
    return size
