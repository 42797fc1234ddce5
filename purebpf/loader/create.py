"""MapSpec and DataSpec → maps in the kernel, with the quirks of each type and of older kernels."""

from __future__ import annotations

import os
from errno import E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP
from typing import Callable, NamedTuple

from ..checks import is_file_name
from ..errors import FormatError, KernelError, NotSupported
from ..spec import DataSpec, MapSpec
from ..uapi import versions
from ..uapi.enums import Cmd, MapFlag, MapType, name_of
from . import bpf, sys
from .fd import Fd
from .kbtf import KernelBtf
from .maptypes import row
from .refusals import older_than, refuse
from .token import Token, given

_M = MapType
MMAPABLE_SINCE = "5.5"
_UNTYPED = (-EINVAL, -E2BIG, -EOPNOTSUPP, -sys.ENOTSUPP)  # no map of this kind with types, or an older kernel


class Created(NamedTuple):
    """A new or reused map: its fd and the spec as it was made (sizes rounded)."""

    fd: Fd
    spec: MapSpec


def finished(spec: MapSpec) -> MapSpec:
    """The spec with what only the running system knows: ring sizes as powers of two in pages, one perf slot per CPU."""
    kind = row(spec.type)
    if kind.ring:
        size = sys.PAGE
        while size < spec.max_entries:
            size *= 2
        return spec._replace(max_entries=size, value_size=0)  # the value type is that of records: theirs is the size
    if spec.type in (_M.PERF_EVENT_ARRAY, _M.CPUMAP) and not spec.max_entries:
        return spec._replace(max_entries=sys.possible_cpus())
    if kind.inner and not spec.value_size:
        return spec._replace(value_size=4)
    return spec


def create_map(spec: MapSpec, btf: KernelBtf | None, token: Token | None = None) -> Created:
    """Make one map. Raises NotSupported or KernelError, saying what the kernel dislikes where that is known."""
    spec = finished(spec)
    inner = None
    if row(spec.type).inner:
        if spec.inner is None:
            raise KernelError(EINVAL, f"creating map {spec.name!r}", "a map of maps needs the template of its inner maps")
        inner = create_map(spec.inner, btf, token).fd
    try:
        typed = btf is not None and row(spec.type).types and "var" not in btf.lacks
        fields = _fields(spec, inner)
        types = {"btf_fd": btf.fd.fileno(), "btf_key_type_id": spec.key_type,
                 "btf_value_type_id": spec.value_type} if btf is not None and typed and spec.value_type else {}
        what = f"map {spec.name}"
        fields.update(given(token, "map_token_fd", "map_flags", spec.flags))
        made = bpf.map_create(what, **fields, **types)
        if made in _UNTYPED and types:
            retried = bpf.map_create(what, **fields)  # without names of fields rather than not at all
            made = retried if isinstance(retried, Fd) else made
        if isinstance(made, int):
            raise _refused(spec, made)
        return Created(made, spec)
    finally:
        if inner is not None:
            inner.close()


def _fields(spec: MapSpec, inner: Fd | None) -> dict[str, int | bytes]:
    return {"map_type": spec.type, "key_size": spec.key_size, "value_size": spec.value_size,
            "max_entries": spec.max_entries, "map_flags": spec.flags, "numa_node": spec.numa_node,
            "map_extra": spec.extra, "map_name": bpf.object_name(spec.name),
            "inner_map_fd": inner.fileno() if inner is not None else 0}


def _refused(spec: MapSpec, result: int) -> KernelError:
    kind = name_of(MapType, spec.type)
    action = f"creating map {spec.name!r} ({kind})"
    since = versions.map_type(spec.type)
    hint = next((text for test, text in _CHECKS if test(spec)), "")
    if not hint and -result == EINVAL:
        hint = f"key {spec.key_size}, value {spec.value_size} bytes, {spec.max_entries} entries, flags {spec.flags:#x}: " \
               f"the kernel takes this for no valid {kind}"
    elif not hint and -result == E2BIG and spec.type == _M.CPUMAP:
        hint = f"a cpumap has at most one entry for each possible CPU ({sys.possible_cpus()}), not {spec.max_entries}"
    elif not hint and -result in (E2BIG, ENOMEM):
        hint = f"{spec.max_entries} entries of {spec.key_size + spec.value_size} bytes are too much memory"
    return refuse(-result, action, feature=f"map type {kind}", since=since, hint=hint)


_CHECKS: tuple[tuple[Callable[[MapSpec], bool], str], ...] = (
    (lambda s: row(s.type).keys == "index" and s.key_size != 4, "the key of an array is a 32-bit index: key_size must be 4"),
    (lambda s: row(s.type).keys == "none" and s.type != _M.STRUCT_OPS and s.key_size != 0, "this type has no key: key_size must be 0"),
    (lambda s: row(s.type).keys == "owner" and s.max_entries != 0, "local storage has no limit of its own: max_entries must be 0"),
    (lambda s: row(s.type).keys == "owner" and not s.flags & MapFlag.NO_PREALLOC, "local storage needs BPF_F_NO_PREALLOC"),
    (lambda s: row(s.type).keys == "owner" and not s.value_type, "local storage needs BTF types for key and value"),
    (lambda s: row(s.type).keys == "prefix" and not s.flags & MapFlag.NO_PREALLOC, "an LPM trie needs BPF_F_NO_PREALLOC"),
    (lambda s: row(s.type).keys == "prefix" and not 5 <= s.key_size <= 260,
     "the key of an LPM trie is a 32-bit prefix length and up to 256 bytes"),
    (lambda s: row(s.type).keys != "owner" and not row(s.type).ring and s.max_entries == 0, "max_entries must not be 0"),
    (lambda s: row(s.type).values in ("typed", "each cpu", "devices") and not s.value_size, "value_size must not be 0"),
    (lambda s: row(s.type).values == "each cpu" and s.value_size > 32768, "a per-CPU value may have at most 32 KiB"),
    (lambda s: row(s.type).values == "addresses" and s.value_size % 8 != 0, "the value of a stack trace map is a multiple of 8"),
)


def section_name(object_name: str, section: str) -> str:
    """The kernel's name of a data section's map: "prog.rodata"; a section with a second dot goes alone."""
    return section if section.count(".") > 1 else object_name.split(".")[0][:15 - max(7, len(section))] + section


def create_section(spec: DataSpec, object_name: str, btf: KernelBtf | None, token: Token | None = None) -> tuple[Fd, bool]:
    """The map of a data section, filled, and frozen if it is read-only; and whether it can be mapped."""
    flags = MapFlag.RDONLY_PROG if spec.read_only else 0
    mapped = not older_than(MMAPABLE_SINCE) and any(not v.static for v in spec.vars)  # as libbpf has it
    as_map = MapSpec(section_name(object_name, spec.name), MapType.ARRAY, 4, len(spec.data), 1,
                     flags | (MapFlag.MMAPABLE if mapped else 0), 0, spec.btf_id)
    fd = create_map(as_map, btf, token).fd
    try:
        if spec.data.count(0) != len(spec.data):
            result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, fd.fileno(), sys.buffer(4), sys.buffer(spec.data))
            if result < 0:
                raise refuse(-result, f"filling section {spec.name}")
        if spec.read_only:
            result = bpf.map_freeze(fd.fileno())
            if result < 0 and not older_than("5.2"):
                raise refuse(-result, f"freezing section {spec.name}")
    except BaseException:
        fd.close()
        raise
    return fd, mapped


# ── pinning by name ──────────────────────────────────────────────────────────────────────────────────────────────────


def pinned(spec: MapSpec, directory: str) -> Created | None:
    """The map that is pinned under the spec's name, if there is one. KernelError if it is another kind of map."""
    if not is_file_name(spec.name):
        raise FormatError(f"map {spec.name!r} is pinned by its name, which is no file name")
    path = os.path.join(directory, spec.name)
    if not os.path.exists(path):
        return None
    spec = finished(spec)
    fd = bpf.get_pinned(path)
    try:
        got = bpf.map_info(fd.fileno(), path)
        added = row(spec.type).added
        differ = [f"{name} {have} instead of {want}" for name, have, want in (
            ("type", name_of(MapType, got.type), name_of(MapType, spec.type)), ("key_size", got.key_size, spec.key_size),
            ("value_size", got.value_size, spec.value_size), ("max_entries", got.max_entries, spec.max_entries),
            ("flags", got.map_flags & ~added, spec.flags & ~added), ("map_extra", got.map_extra, spec.extra))
            if have != want]
        if differ:
            raise KernelError(EEXIST, f"reusing map {spec.name!r} pinned at {path}",
                              f"it has {', '.join(differ)}: remove the pin, or load with another pin directory")
    except BaseException:
        fd.close()
        raise
    return Created(fd, spec)


def ensure_directory(directory: str) -> None:
    """Pins need a directory on a bpffs. Raises NotSupported with the way to mount one."""
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise NotSupported(error.errno or ENOENT, f"pin directory {directory}",
                           hint="mount a bpffs: mount -t bpf bpf /sys/fs/bpf") from error
