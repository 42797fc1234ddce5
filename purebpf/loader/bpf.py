"""One function per bpf(2) command: fields in, what the kernel gave out. Layouts come from `uapi.attrs`.

A command that makes an fd gives its owner or a negative errno (`Made`); the others give 0 or more, or a negative errno.
Who calls knows what was tried, and makes the error. What only a signal or a passing shortage interrupted is tried again. Attributes are passed at their full size: an old kernel takes one
that is longer than its own as long as the rest is zero.
"""

from __future__ import annotations

import os
import struct
from errno import E2BIG, EAGAIN, EEXIST, EINTR, EINVAL, ENOENT, EPERM
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from ..errors import KernelError
from ..uapi import attrs
from ..uapi.enums import Cmd
from . import sys
from .fd import Fd, Made
from .refusals import CAP_SYS_ADMIN, refuse

_ELEM = struct.Struct("=I4xQQQ")  # map_fd, key, value or next_key, flags: the hot ones
_PASSING = (-EINTR, -EAGAIN)  # a signal came, or another was faster: the same again may succeed
_TRIES = 5
_LOG = 1 << 20


class HasFd(Protocol):
    def fileno(self) -> int: ...


def packed(layout: attrs.Layout, values: dict[str, Any]) -> sys.Buffer:
    """`perf_event__bpf_cookie=1` sets the nested field "perf_event.bpf_cookie"."""
    attr = sys.buffer(layout.size)
    for name, value in values.items():
        if value:
            offset, size = layout[name.replace("__", ".")]
            raw = value if isinstance(value, bytes) else (value & (1 << 8 * size) - 1).to_bytes(size, sys.BYTEORDER)
            attr[offset:offset + len(raw)] = raw  # type: ignore[assignment]
    return attr


def _get(layout: attrs.Layout, attr: sys.Buffer, name: str) -> int:
    offset, size = layout[name]
    return int.from_bytes(attr.raw[offset:offset + size], sys.BYTEORDER)


def _call(command: int, layout: attrs.Layout, **values: Any) -> int:
    return _send(command, packed(layout, values), layout.size)


def _send(command: int, attr: sys.Buffer, size: int) -> int:
    for _ in range(_TRIES):
        result = sys.bpf(command, attr, size)
        if result not in _PASSING:
            break
    return result


def _make(what: str, command: int, layout: attrs.Layout, **values: Any) -> Made:
    return _again(what, command, packed(layout, values), layout.size)


def _again(what: str, command: int, attr: sys.Buffer, size: int) -> Made:
    for _ in range(_TRIES):
        made = sys.bpf_fd(what, command, attr, size)
        if made not in _PASSING:
            break
    return made


def object_name(text: str) -> bytes:
    """A name as the kernel allows it: 15 of [A-Za-z0-9_.]."""
    return "".join(c if c.isascii() and c.isalnum() or c in "_." else "_" for c in text)[:15].encode()


# ── maps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def map_create(what: str = "map", /, **values: int | bytes) -> Made:
    """Fields as in `attrs.MAP_CREATE`; `map_name` through `object_name`."""
    return _make(what, Cmd.MAP_CREATE, attrs.MAP_CREATE, **values)


def map_elem(command: int, fd: int, key: sys.Buffer | None, value: sys.Buffer | None, flags: int = 0) -> int:
    """LOOKUP, UPDATE, DELETE, GET_NEXT_KEY (`value` takes the next key), LOOKUP_AND_DELETE."""
    attr = sys.buffer(_ELEM.pack(fd, sys.address(key), sys.address(value), flags))
    return sys.bpf(command, attr, _ELEM.size)


def map_freeze(fd: int) -> int:
    return _call(Cmd.MAP_FREEZE, attrs.MAP_FREEZE, map_fd=fd)


class Batch(NamedTuple):
    """A part of a map: `result` (−ENOENT with the last part), `position` for the next call."""

    result: int
    position: bytes
    length: int
    keys: sys.Buffer
    values: sys.Buffer

    def entries(self, key_size: int, value_size: int) -> Iterator[tuple[bytes, bytes]]:
        keys, values = self.keys.raw, self.values.raw
        for n in range(self.length):
            yield keys[n * key_size:(n + 1) * key_size], values[n * value_size:(n + 1) * value_size]

    def only_keys(self, key_size: int) -> Iterator[bytes]:
        keys = self.keys.raw
        return (keys[at:at + key_size] for at in range(0, self.length * key_size, key_size))


def map_lookup_batch(fd: int, position: bytes, count: int, key_size: int, value_size: int) -> Batch:
    """Up to `count` entries from `position` on (b"": the start)."""
    keys, values = sys.buffer(count * key_size), sys.buffer(count * value_size)
    here, after = sys.buffer(position) if position else None, sys.buffer(max(8, key_size))
    layout = attrs.MAP_LOOKUP_BATCH
    attr = packed(layout, {"in_batch": sys.address(here), "out_batch": sys.address(after), "keys": sys.address(keys),
                          "values": sys.address(values), "count": count, "map_fd": fd})
    result = _send(Cmd.MAP_LOOKUP_BATCH, attr, layout.size)
    got = _get(layout, attr, "count") if result >= 0 or result == -ENOENT else 0
    return Batch(result, after.raw, got, keys, values)


def map_update_batch(fd: int, pairs: list[tuple[bytes, bytes]]) -> int:
    keys, values = sys.buffer(b"".join(k for k, _ in pairs)), sys.buffer(b"".join(v for _, v in pairs))
    return _call(Cmd.MAP_UPDATE_BATCH, attrs.MAP_UPDATE_BATCH, keys=sys.address(keys), values=sys.address(values),
                 count=len(pairs), map_fd=fd)


def map_delete_batch(fd: int, keys: list[bytes]) -> int:
    held = sys.buffer(b"".join(keys))
    return _call(Cmd.MAP_DELETE_BATCH, attrs.MAP_DELETE_BATCH, keys=sys.address(held), count=len(keys), map_fd=fd)


# ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def prog_load(code: bytes, license: str, *, log_level: int = 0, log: sys.Buffer | None = None,
              fields: dict[str, Any], what: str = "program") -> tuple[Made, int]:
    """(fd or −errno, size that the whole log needs, 0 if the kernel does not say). `fields` as in `attrs.PROG_LOAD`;
    bytes among them that the kernel wants a pointer to are given as buffers' addresses."""
    insns, text = sys.buffer(code), sys.buffer(license.encode() + b"\0")
    values = {"insn_cnt": len(code) // 8, "insns": sys.address(insns), "license": sys.address(text),
              "log_level": log_level, "log_buf": sys.address(log), "log_size": len(log) if log is not None else 0,
              **fields}
    layout = attrs.PROG_LOAD
    attr = packed(layout, values)
    return _again(what, Cmd.PROG_LOAD, attr, layout.size), _get(layout, attr, "log_true_size")


class TestRun(NamedTuple):
    """What BPF_PROG_TEST_RUN wrote back; the sizes may exceed the buffers (ENOSPC)."""

    result: int
    retval: int
    duration: int
    data_size: int
    ctx_size: int


def prog_test_run(fd: int, *, data: sys.Buffer | None, data_size: int, out: sys.Buffer | None, out_size: int,
                  ctx: sys.Buffer | None, ctx_size: int, ctx_out: sys.Buffer | None, repeat: int, flags: int,
                  cpu: int, batch_size: int) -> TestRun:
    layout = attrs.PROG_TEST_RUN
    attr = packed(layout, {
        "prog_fd": fd, "data_in": sys.address(data), "data_size_in": data_size, "data_out": sys.address(out),
        "data_size_out": out_size, "ctx_in": sys.address(ctx), "ctx_size_in": ctx_size,
        "ctx_out": sys.address(ctx_out), "ctx_size_out": ctx_size if ctx_out is not None else 0, "repeat": repeat,
        "flags": flags, "cpu": cpu, "batch_size": batch_size})
    result = _send(Cmd.PROG_TEST_RUN, attr, layout.size)
    return TestRun(result, *(_get(layout, attr, name) for name in (
        "retval", "duration", "data_size_out", "ctx_size_out")))


def prog_bind_map(prog: int, map_fd: int) -> int:
    return _call(Cmd.PROG_BIND_MAP, attrs.PROG_BIND_MAP, prog_fd=prog, map_fd=map_fd)


def prog_attach(target: int, prog: int, kind: int, flags: int = 0) -> int:
    return _call(Cmd.PROG_ATTACH, attrs.PROG_ATTACH, target_fd=target, attach_bpf_fd=prog, attach_type=kind,
                 attach_flags=flags)


def prog_detach(target: int, prog: int, kind: int) -> int:
    return _call(Cmd.PROG_DETACH, attrs.PROG_DETACH, target_fd=target, attach_bpf_fd=prog, attach_type=kind)


def prog_query(target: int, kind: int, *, effective: bool = False, most: int = 256) -> list[int]:
    """The ids of the programs at a hook of a cgroup, network namespace or interface. Raises KernelError."""
    room, layout = sys.buffer(4 * most), attrs.PROG_QUERY
    attr = packed(layout, {"target_fd": target, "attach_type": kind, "query_flags": int(effective),
                           "prog_ids": sys.address(room), "prog_cnt": most})
    result = _send(Cmd.PROG_QUERY, attr, layout.size)
    if result < 0:
        raise refuse(-result, "asking which programs are at a hook")
    return list(struct.unpack_from(f"={_get(layout, attr, 'prog_cnt')}I", room.raw))


class TaskFd(NamedTuple):
    """What hangs at a perf event of a process: `fd_type` 0 raw tracepoint, 1 tracepoint, 2 kprobe, 3 kretprobe, 4 uprobe, 5
    uretprobe; `name` of the tracepoint, function or file, and the `offset` in it."""

    prog_id: int
    fd_type: int
    name: str
    offset: int


def task_fd_query(pid: int, fd: int) -> TaskFd | None:
    """None where no program hangs, or the event is of another kind, or gone. Raises KernelError without the privilege."""
    room, layout = sys.buffer(4096), attrs.TASK_FD_QUERY
    attr = packed(layout, {"pid": pid, "fd": fd, "buf": sys.address(room), "buf_len": 4096})
    result = _send(Cmd.TASK_FD_QUERY, attr, layout.size)
    if result == -EPERM:
        raise refuse(EPERM, "asking which programs are at perf events", caps=(CAP_SYS_ADMIN,))
    if result < 0:
        return None
    return TaskFd(_get(layout, attr, "prog_id"), _get(layout, attr, "fd_type"), os.fsdecode(room.value), _get(layout, attr, "probe_offset"))


def enable_stats() -> Made:
    """An fd; while it is open every program's runs are counted and timed (5.8)."""
    return _make("program statistics", Cmd.ENABLE_STATS, attrs.ENABLE_STATS)


# ── BTF and links ────────────────────────────────────────────────────────────────────────────────────────────────────


def token_create(bpffs: int) -> Made:
    return _make("token", Cmd.TOKEN_CREATE, attrs.TOKEN_CREATE, bpffs_fd=bpffs)


def btf_load(data: bytes, **fields: int) -> tuple[Made, str]:
    """(fd or −errno, the log of a refusal)."""
    held = sys.buffer(data)
    result = _make("BTF", Cmd.BTF_LOAD, attrs.BTF_LOAD, btf=sys.address(held), btf_size=len(data), **fields)
    if isinstance(result, Fd) or result == -EPERM:
        return result, ""
    log = sys.buffer(_LOG)
    again = _make("BTF", Cmd.BTF_LOAD, attrs.BTF_LOAD, btf=sys.address(held), btf_size=len(data), btf_log_level=1,
                  btf_log_buf=sys.address(log), btf_log_size=_LOG, **fields)
    return again, log.value.decode(errors="replace")


def link_create(prog: int, target: int, kind: int, **fields: Any) -> Made:
    return _make("link", Cmd.LINK_CREATE, attrs.LINK_CREATE, prog_fd=prog, target_fd=target, attach_type=kind, **fields)


def link_update(link: int, prog: int, *, flags: int = 0, old: int = 0) -> int:
    return _call(Cmd.LINK_UPDATE, attrs.LINK_UPDATE, link_fd=link, new_prog_fd=prog, flags=flags, old_prog_fd=old)


def link_detach(link: int) -> int:
    """Take the program off its hook, whoever else holds the link (5.9)."""
    return _call(Cmd.LINK_DETACH, attrs.LINK_DETACH, link_fd=link)


def raw_tracepoint_open(prog: int, name: str, cookie: int = 0) -> Made:
    """`name` "": the target that was fixed when the program was loaded (fentry, lsm, tp_btf)."""
    text = sys.buffer(name.encode() + b"\0") if name else None
    return _make("link", Cmd.RAW_TRACEPOINT_OPEN, attrs.RAW_TRACEPOINT_OPEN, name=sys.address(text), prog_fd=prog,
                 cookie=cookie)


def iter_create(link: int) -> Made:
    return _make("iterator", Cmd.ITER_CREATE, attrs.ITER_CREATE, link_fd=link)


# ── pins, ids, information ───────────────────────────────────────────────────────────────────────────────────────────


def pin(thing: HasFd, path: str | os.PathLike[str], what: str) -> None:
    """Put `thing` under `path` of a bpffs. Raises KernelError with a hint."""
    text = sys.buffer(os.fsencode(path) + b"\0")
    result = _call(Cmd.OBJ_PIN, attrs.OBJ_PIN, pathname=sys.address(text), bpf_fd=thing.fileno())
    if result < 0:
        hint = {-EINVAL: "is the directory on a bpffs? mount -t bpf bpf /sys/fs/bpf; names there have no dots",
                -EPERM: "is the directory on a bpffs? mount -t bpf bpf /sys/fs/bpf", -EEXIST: "the path is taken",
                -ENOENT: "the directory does not exist"}.get(result, "")
        raise refuse(-result, f"pinning {what} at {os.fspath(path)}", hint=hint)


def get_pinned(path: str | os.PathLike[str]) -> Fd:
    """What is pinned at `path`, as an fd. Raises KernelError."""
    text = sys.buffer(os.fsencode(path) + b"\0")
    made = _make(f"pin {os.fspath(path)}", Cmd.OBJ_GET, attrs.OBJ_GET, pathname=sys.address(text))
    if isinstance(made, int):
        raise refuse(-made, f"opening pin {os.fspath(path)}", hint={
            -ENOENT: "nothing is pinned there", -EINVAL: "the path is not on a bpffs"}.get(made, ""))
    return made


_BY_ID = {"prog": (Cmd.PROG_GET_FD_BY_ID, Cmd.PROG_GET_NEXT_ID), "map": (Cmd.MAP_GET_FD_BY_ID, Cmd.MAP_GET_NEXT_ID),
          "btf": (Cmd.BTF_GET_FD_BY_ID, Cmd.BTF_GET_NEXT_ID), "link": (Cmd.LINK_GET_FD_BY_ID, Cmd.LINK_GET_NEXT_ID)}


_WORDS = {"prog": "program", "btf": "BTF object"}


def fd_by_id(kind: str, number: int) -> Fd:
    """`kind` "prog", "map", "btf" or "link". Raises KernelError."""
    made = _make(f"{kind} {number}", _BY_ID[kind][0], attrs.ID, start_id=number)
    if isinstance(made, int):
        hint = f"no {kind} has this id" if made == -ENOENT else ""
        raise refuse(-made, f"opening {kind} {number}", hint=hint, caps=(CAP_SYS_ADMIN,))
    return made


def ids(kind: str) -> Iterator[int]:
    """The ids of every `kind` ("prog", "map", "btf", "link") in the kernel."""
    layout, number = attrs.ID, 0
    while True:
        attr = packed(layout, {"start_id": number})
        result = _send(_BY_ID[kind][1], attr, layout.size)
        if result == -ENOENT:
            return
        if result < 0:
            raise refuse(-result, f"listing {_WORDS.get(kind, kind)}s", caps=(CAP_SYS_ADMIN,))
        number = _get(layout, attr, "next_id")
        yield number


_KINDS = {"bpf-map": "map", "bpf-prog": "program", "bpf-link": "link", "btf": "btf", "bpf-token": "token"}


_COMMANDS = {"map": "map", "program": "prog", "link": "link"}


def kind_of(fd: int) -> str:
    """"map", "program", "link", "btf" or "token" by what /proc says of a descriptor; "" where it says nothing."""
    try:
        text = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""
    return _KINDS.get(text.removeprefix("anon_inode:").replace("_", "-"), "other file" if text else "")


def check_kind(fd: int, kind: str, which: object) -> None:
    """Is the descriptor what the caller takes it for? The kernel would answer a question about a map with the facts of a
    program, field by field. KernelError if it is another kind of object."""
    found = kind_of(fd)
    if found not in (kind, ""):
        raise KernelError(EINVAL, f"opening {kind} {os.fspath(which) if isinstance(which, os.PathLike) else which}",
                          f"it is a {found}: open_{found}(), purebpf {_COMMANDS[found]}" if found in _COMMANDS else f"it is a {found}",
                          reason=f"not a {kind}")


class Info:
    """An *_info struct as the kernel filled it; fields by name as attributes, numbers but for "name" and "tag"."""

    __slots__ = ("_layout", "_data")

    def __init__(self, layout: attrs.Layout, data: bytes) -> None:
        self._layout, self._data = layout, data

    def __getattr__(self, name: str) -> Any:
        if name not in self._layout:
            raise AttributeError(name)
        return self[name]

    def group(self, prefix: str) -> dict[str, int]:
        """The numbers among the nested fields of a part: `group("tcx")` has "ifindex" and "attach_type"."""
        start = prefix + "."
        return {name[len(start):]: self[name] for name in self._layout if name.startswith(start)}

    def __getitem__(self, name: str) -> Any:
        offset, size = self._layout[name]
        raw = self._data[offset:offset + size]
        if size == 16:
            return raw.split(b"\0")[0].decode(errors="replace")
        return int.from_bytes(raw, sys.BYTEORDER) if name != "tag" else raw


def info(fd: int, layout: attrs.Layout, given: dict[str, int] | None = None, /, **pointers: int) -> Info:
    """OBJ_GET_INFO_BY_FD into a struct whose `pointers` (and lengths) are set. Raises KernelError."""
    struct_ = packed(layout, {**(given or {}), **pointers})
    result = _call(Cmd.OBJ_GET_INFO_BY_FD, attrs.OBJ_GET_INFO_BY_FD, bpf_fd=fd, info_len=layout.size,
                   info=sys.address(struct_))
    if result < 0:
        raise refuse(-result, "reading information of a BPF object")
    return Info(layout, struct_.raw[:layout.size])


def prog_info(fd: int, **pointers: int) -> Info:
    return info(fd, attrs.PROG_INFO, **pointers)


def map_info(fd: int, path: str | os.PathLike[str] = "") -> Info:
    """`path`: the pin that was opened, checked to be a map's."""
    if path:
        check_kind(fd, "map", path)
    return info(fd, attrs.MAP_INFO)


def link_info(fd: int, pointers: dict[str, int] | None = None) -> Info:
    """`pointers` by the kernel's dotted names."""
    return info(fd, attrs.LINK_INFO, pointers)


def btf_info(fd: int) -> Info:
    return info(fd, attrs.BTF_INFO)


def btf_name(fd: int) -> tuple[str, Info]:
    """The name of a BTF object and its record; before 5.11 there are no names."""
    name = sys.buffer(64)
    try:
        got = info(fd, attrs.BTF_INFO, name=sys.address(name), name_len=64)
    except KernelError as error:
        if error.errno != E2BIG:
            raise
        got = btf_info(fd)
    return name.value.decode(), got


def btf_data(fd: int) -> tuple[str, bytes]:
    """(name, bytes) of a BTF object; the name is a module's, "vmlinux", or "" for a program's."""
    size = info(fd, attrs.BTF_INFO).btf_size
    data, name = sys.buffer(size), sys.buffer(64)
    try:
        got = info(fd, attrs.BTF_INFO, btf=sys.address(data), btf_size=size, name=sys.address(name), name_len=64)
    except KernelError as error:
        if error.errno != E2BIG:
            raise
        got = info(fd, attrs.BTF_INFO, btf=sys.address(data), btf_size=size)  # before 5.11 BTF has no names
    return name.value.decode(), data.raw[:got.btf_size]


def module_btf(module: str) -> Fd:
    """The BTF fd of a loaded kernel module. Raises KernelError."""
    for number in ids("btf"):
        try:
            fd = fd_by_id("btf", number)
        except KernelError as error:
            if error.errno != ENOENT:
                raise
            continue  # gone meanwhile
        name = sys.buffer(64)
        try:
            got = info(fd.fileno(), attrs.BTF_INFO, name=sys.address(name), name_len=64)
            if got.kernel_btf and name.value.decode() == module:
                return fd
        except BaseException:
            fd.close()
            raise
        fd.close()
    raise refuse(ENOENT, f"finding the BTF of module {module}")
