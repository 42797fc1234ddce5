"""Live programs: loading one with the verifier's whole log, running it on given input, its facts."""

from __future__ import annotations

import struct
from array import array
from errno import E2BIG, EAGAIN, EINTR, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .. import context
from ..errors import KernelError, NotSupported
from ..order import HOST
from ..spec import Linked, ProgramSpec, RunResult
from ..uapi import hooks, versions
from ..uapi.enums import AttachType, LogLevel, ProgType, name_of
from . import bpf, links, sys
from .fd import Fd, Holder, Made, close_all
from .fixups import Loadable
from .kbtf import KernelBtf
from .link import Link
from .logs import complains, rejection
from .pins import Pinned
from .refusals import CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN, older_than, refuse
from .token import Token, given

if TYPE_CHECKING:
    from ..btf import Btf

FIRST_LOG, LAST_LOG = 1 << 24, 0xFFFFFFFF >> 2  # bytes; a second try verifies all over again
SMALLEST_LOG = 1 << 16
_PASSING = (EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN, ENOSYS)  # never the verifier's verdict
_P = ProgType
_SKB = frozenset({_P.SOCKET_FILTER, _P.SCHED_CLS, _P.SCHED_ACT, _P.CGROUP_SKB, _P.LWT_IN, _P.LWT_OUT, _P.LWT_XMIT,
                  _P.LWT_SEG6LOCAL})
_PACKET = _SKB | {_P.XDP, _P.FLOW_DISSECTOR, _P.NETFILTER}
_IP_HEADERS = {b"\x08\x00": 20, b"\x86\xdd": 40}  # bytes of a header, by EtherType
_TRACING = frozenset({_P.KPROBE, _P.TRACEPOINT, _P.PERF_EVENT, _P.RAW_TRACEPOINT, _P.RAW_TRACEPOINT_WRITABLE,
                      _P.TRACING, _P.LSM})


_KERNEL_CODE = (AttachType.TRACE_FENTRY, AttachType.TRACE_FEXIT, AttachType.MODIFY_RETURN, AttachType.LSM_MAC,
                AttachType.LSM_CGROUP)


class Target(NamedTuple):
    """What BPF_PROG_LOAD is told about a BTF target: the type id, and the fd of the module's BTF or of the program."""

    btf_id: int = 0
    object_fd: int = 0


class LoadedCode(NamedTuple):
    fd: Fd
    log: str


def load_program(spec: ProgramSpec, linked: Linked, code: Loadable, *, license: str, btf: KernelBtf | None,
                 target: Target, log_level: int, token: Token | None = None) -> LoadedCode:
    """BPF_PROG_LOAD. Without `log_level` no log is made unless the program is refused; then it is loaded again for the
    whole log, whatever its length. Raises VerifierError, NotSupported or KernelError."""
    fields, held = _fields(spec, linked, code, btf, target)
    fields.update(given(token, "prog_token_fd", "prog_flags", spec.flags))
    what = f"program {spec.name}"
    made, log = _attempt(code.code, license, log_level, fields, what)
    if made == -EINVAL and not log and not log_level:
        made = _without_extras(spec, code.code, license, fields, what) or made
    if isinstance(made, int) and made != -EPERM and not log:
        again, log = _attempt(code.code, license, LogLevel.BRANCH, fields, what)
        made = again if log or isinstance(again, Fd) else made  # accepted: what refused it passed: memory, a signal
    del held
    if isinstance(made, Fd):
        return LoadedCode(made, log)
    raise _refused(spec, linked, made, log, code.absent)


def _attempt(code: bytes, license: str, level: int, fields: dict[str, Any], what: str) -> tuple[Made, str]:
    """(fd or −errno, the log). The buffer, of which only what is written takes memory, grows until the log fits: to the
    size that the kernel names (6.4), else fourfold; where this process may not have so much, its end is kept."""
    if not level:
        return bpf.prog_load(code, license, fields=fields, what=what)[0], ""
    size, most, last = FIRST_LOG, LAST_LOG, ""
    while True:
        try:
            memory = sys.Scratch(size)
        except OSError:  # RLIMIT_AS, or an overcommit policy
            if last or size <= SMALLEST_LOG:
                return -ENOSPC, last
            size = most = size >> 2
            continue
        with memory as log:
            made, needed = bpf.prog_load(code, license, log_level=level, log=log.buffer, fields=fields, what=what)
            if made != -ENOSPC or size >= most:
                return made, log.text()
            last = log.text()
        size = min(most, needed if needed > size else size * 4)


def _without_extras(spec: ProgramSpec, code: bytes, license: str, fields: dict[str, Any], what: str) -> Fd | None:
    """What older kernels do not know and the program can do without; None if nothing helped."""
    hook = hooks.match(spec.section)
    if hook is not None and hook.optional and spec.attach_type:
        made, _ = bpf.prog_load(code, license, fields={**fields, "expected_attach_type": 0}, what=what)
        return made if isinstance(made, Fd) else None
    return None


def _fields(spec: ProgramSpec, linked: Linked, code: Loadable, btf: KernelBtf | None,
            target: Target) -> tuple[dict[str, Any], list[Any]]:
    fields: dict[str, Any] = {
        "prog_type": spec.prog_type, "expected_attach_type": spec.attach_type, "prog_flags": spec.flags,
        "prog_name": bpf.object_name(spec.name), "attach_btf_id": target.btf_id,
        "attach_btf_obj_fd": target.object_fd, "kern_version": _version_code()}
    held: list[Any] = []

    def pointer(data: bytes) -> int:
        held.append(sys.buffer(data))
        return sys.address(held[-1])

    if code.modules:
        fields["fd_array"] = pointer(sys.pack_u32(0, *code.modules))
    if btf is not None and "func" not in btf.lacks:
        fields["prog_btf_fd"] = btf.fd.fileno()
        funcs = func_info(linked)
        if funcs:
            fields.update(func_info=pointer(funcs), func_info_rec_size=8, func_info_cnt=len(funcs) // 8)
        lines = line_info(linked, btf)
        if lines:
            fields.update(line_info=pointer(lines), line_info_rec_size=16, line_info_cnt=len(lines) // 16)
    return fields, held


def _version_code() -> int:
    major, minor, patch = sys.kernel_version()
    return major << 16 | minor << 8 | min(patch, 255)


def func_info(linked: Linked) -> bytes:
    """Records of (slot, FUNC id); all functions or none."""
    if not all(f.btf_id for _, f in linked.starts):
        return b""
    return b"".join(sys.pack_u32(slot, f.btf_id) for slot, f in linked.starts)


def line_info(linked: Linked, btf: KernelBtf) -> bytes:
    """Records of (slot, file, text, line << 10 | column); b"" unless every function has one at its first slot."""
    have = {slot for slot, _ in linked.lines}
    if not all(slot in have for slot, _ in linked.starts):
        return b""
    add, known, out, last = btf.strings.add, btf.strings.at, array("I"), -1
    for slot, (_, file, number, col, text) in linked.lines:
        if slot > last:
            place = number << 10 | col if number <= 0x3FFFFF and col <= 0x3FF else min(number, 0x3FFFFF) << 10 | min(col, 0x3FF)
            out.extend((slot, known.get(file) or add(file), known.get(text) or add(text), place))
            last = slot
    return out.tobytes()


def _refused(spec: ProgramSpec, linked: Linked, result: int, log: str, absent: Mapping[int, str]) -> KernelError:
    caps = (CAP_BPF, CAP_PERFMON) if spec.prog_type in _TRACING else (
        (CAP_BPF, CAP_NET_ADMIN) if spec.prog_type in _PACKET else (CAP_BPF,))
    if complains(log) and -result not in _PASSING:
        return rejection(-result, spec.name, log, linked.lines, absent)
    kind = name_of(ProgType, spec.prog_type)
    action = f"loading program {spec.name!r} ({spec.section})"
    size = sum(i.slots for i in linked.insns)
    hint = f"{size} instructions are too many" if -result == E2BIG else (
        "the verifier accepted it" if -result in (EMFILE, ENFILE) and log else "")
    if -result == EPERM and (
            spec.prog_type == _P.EXT or spec.attach_type in _KERNEL_CODE and spec.prog_type in (_P.TRACING, _P.LSM)):
        error = refuse(EPERM, action, caps=caps)
        return error if isinstance(error, NotSupported) else NotSupported(
            EPERM, f"trampolines into functions ({spec.section})", hint="this kernel forbids it even to root")
    if -result == EINVAL:
        feature, since = f"program type {kind}", versions.prog_type(spec.prog_type)
        if not (since and older_than(since)) and spec.attach_type:
            feature, since = f"attach type {name_of(AttachType, spec.attach_type)}", versions.attach_type(spec.attach_type)
        return refuse(EINVAL, action, feature=feature, since=since, caps=caps,
                      hint="the kernel does not know the program type, the attach type or a flag")
    return refuse(-result, action, hint=hint, caps=caps)


# ── a loaded program ─────────────────────────────────────────────────────────────────────────────────────────────────


class ProgramInfo(NamedTuple):
    """What the kernel tells about a program; `xlated` and `jited` are machine code ("" without privilege), times in ns.
    `run_count` and `run_time_ns` count only while statistics are on (`statistics()`)."""

    id: int
    type: int
    name: str
    tag: bytes
    xlated: bytes
    jited: bytes
    map_ids: tuple[int, ...]
    btf_id: int
    verified_insns: int
    run_count: int
    run_time_ns: int
    recursion_misses: int


class LoadedProgram(Holder, Pinned):
    """A program in the kernel. `log` is the verifier's, if one was asked for; `core` what CO-RE put where. `links`: those
    that `attach` made, of the whole object where it has one; closing the program closes those that are its alone."""

    def __init__(self, spec: ProgramSpec, linked: Linked, code: LoadedCode, maps: Mapping[str, Any],
                 core: tuple[tuple[int, int | None], ...] = (), links: list[Link] | None = None,
                 outputs: tuple[str, ...] = (), btf: Btf | None = None) -> None:
        self._btf = btf
        self.spec, self.linked, self.log, self.core = spec, linked, code.log, core
        self._outputs = outputs
        self._fd, self._maps = code.fd, maps
        self.links: list[Link] = [] if links is None else links
        self._own_links = links is None

    @property
    def name(self) -> str:
        return self.spec.name

    def __repr__(self) -> str:
        return f"<LoadedProgram {self.name!r} ({self.spec.section}){' closed' if self._fd.closed else ''}>"

    def map_named(self, name: str) -> Any:
        """A live map of the program's object, None if it has none of this name."""
        return self._maps.get(name)

    def _title(self) -> str:
        return f"program {self.name!r}"

    def close(self) -> None:
        close_all([self._fd, *(self.links if self._own_links else ())])

    def attach(self, target: Any = None, **options: Any) -> Link:
        """Put it at its hook; see `links.attach`. It stays until the link is closed, or the object whose program it is,
        or this process ends; `link.disown()` and `link.pin(path)` keep it longer."""
        for name in self._outputs:
            self._maps[name].be_ready()
        return links.attach(self, target, **options).owned_by(self.links)

    @property
    def info(self) -> ProgramInfo:
        first = bpf.prog_info(self.fileno())
        xlated, jited = sys.buffer(first.xlated_prog_len), sys.buffer(first.jited_prog_len)
        ids = sys.buffer(4 * first.nr_map_ids)
        got = bpf.prog_info(self.fileno(), xlated_prog_insns=sys.address(xlated), xlated_prog_len=first.xlated_prog_len,
                            jited_prog_insns=sys.address(jited), jited_prog_len=first.jited_prog_len,
                            map_ids=sys.address(ids), nr_map_ids=first.nr_map_ids)
        maps = struct.unpack_from(f"={got.nr_map_ids}I", ids.raw) if got.nr_map_ids else ()
        return ProgramInfo(got.id, got.type, got.name, got.tag, xlated.raw[:first.xlated_prog_len],
                           jited.raw[:first.jited_prog_len], maps, got.btf_id, got.verified_insns, got.run_cnt,
                           got.run_time_ns, got.recursion_misses)

    def test_run(self, data: bytes = b"", ctx: Any = None, *, repeat: int = 1,
                 data_size_out: int | None = None, flags: int = 0, cpu: int = 0, batch_size: int = 0) -> RunResult:
        """Run it once, or `repeat` times on the same input, in the kernel (BPF_PROG_TEST_RUN).

        `data` is a packet for the packet types; `ctx` the context's bytes, a dict or record of its fields, or a tuple of
        arguments, and in the result bytes with the fields as attributes; `retval` is an unsigned 32-bit number. Raises
        NotSupported for program types that the kernel cannot run this way, FormatError for a context that is none."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"test_run takes bytes, not data={type(data).__name__}")
        if not 1 <= repeat <= 0xFFFFFFFF:
            raise ValueError(f"test_run: repeat is 1 or more, not {repeat}")
        data = bytes(data)
        packet = self.spec.prog_type in _PACKET
        shape = context.shape(self.spec, self._btf, HOST)
        given = context.to_bytes(shape, ctx, packet=len(data))
        out_size = (len(data) + 4096 if packet else 0) if data_size_out is None else data_size_out
        out = sys.buffer(out_size) if out_size else None
        held_ctx = sys.buffer(given) if given else None
        ctx_out = sys.buffer(given) if given and (self.spec.prog_type in _SKB or self.spec.prog_type == _P.XDP) else None
        got = bpf.prog_test_run(
            self.fileno(), data=sys.buffer(data) if data else None, data_size=len(data), out=out, out_size=out_size,
            ctx=held_ctx, ctx_size=len(given), ctx_out=ctx_out, repeat=repeat if repeat > 1 else 0, flags=flags,
            cpu=cpu, batch_size=batch_size)
        if got.result < 0:
            raise self._cannot_run(-got.result, data)
        after = ctx_out or (held_ctx if self.spec.prog_type == _P.SYSCALL else None)
        return RunResult(got.retval, out.raw[:got.data_size] if out is not None else b"",
                         context.from_bytes(shape, after.raw[:len(given)] if after is not None else b""), got.duration, self._maps)

    def _cannot_run(self, errno: int, data: bytes) -> KernelError:
        action = f"running {self.name!r} with test_run"
        kind = name_of(ProgType, self.spec.prog_type)
        if errno in (sys.ENOTSUPP, EOPNOTSUPP):
            return NotSupported(errno, f"test_run of program type {kind}", hint="no kernel runs this type on given input: attach "
                                "it and cause the event, or use the VM (simulate)")
        hint = ""
        least = _IP_HEADERS.get(data[12:14], 0) if self.spec.prog_type in _SKB else 0
        if errno == EINVAL and self.spec.prog_type in _PACKET and len(data) < 14:
            hint = f"give a packet of at least 14 bytes (an Ethernet header), not {len(data)}"
        elif errno == EINVAL and len(data) < 14 + least:
            hint = f"the frame says it is IP: give the whole IP header, {least} bytes after the Ethernet header's 14"
        elif errno == EINVAL:
            hint = f"the kernel takes this data, context or repeat count for no valid input of {kind}"
        elif errno == ENOSPC:
            hint = "the program made the packet longer than data_size_out"
        return refuse(errno, action, hint=hint)


class Statistics:
    """While open, the kernel counts and times every program's runs (5.8); see `LoadedProgram.info`."""

    def __init__(self) -> None:
        made = bpf.enable_stats()
        if isinstance(made, int):
            raise refuse(-made, "turning on program statistics", since="5.8", caps=(CAP_SYS_ADMIN,))
        self._fd = made

    def close(self) -> None:
        self._fd.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def statistics() -> Statistics:
    """`with statistics(): …` turns run counts and times on."""
    return Statistics()
