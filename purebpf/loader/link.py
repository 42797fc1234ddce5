"""A link: a program at its hook. And what stands for one where the kernel has only a request to undo.

A link of the kernel is a descriptor: the program stays while one is open, or pinned. Where a hook is changed by a request
(a socket option, netlink, PROG_ATTACH), a `Request` undoes it: when it is closed, when it is forgotten, when the process
ends; not in a process forked later.
"""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from ..errors import KernelError, NotSupported
from ..uapi.enums import AttachFlag, AttachType, LinkType, name_of
from . import bpf, sys
from .fd import Fd, close_all
from .pins import Pinned
from .refusals import refuse

if TYPE_CHECKING:
    from .progs import LoadedProgram


class Closable(Protocol):
    def close(self) -> None: ...


class Request:
    """What was asked for and will be undone once: by `close`, by the garbage collector or when Python ends. Made before
    the asking, so that no signal comes in between; `undo` takes it well when there is nothing to undo."""

    __slots__ = ("_finalizer", "__weakref__")

    def __init__(self, what: str, undo: Callable[[], None]) -> None:
        self._finalizer = weakref.finalize(self, _forgotten, what, os.getpid(), undo)

    def close(self) -> None:
        """Undo it; what a passing shortage refuses is tried once more, and by the garbage collector after that."""
        found = self._finalizer.peek()
        if found is not None:
            _, _, (_, pid, undo), _ = found
            if pid == os.getpid():
                try:
                    undo()
                except OSError:
                    undo()
            self._finalizer.detach()

    def disown(self) -> None:
        """It stays, whoever undoes it; also when the asking failed."""
        self._finalizer.detach()


def duplicate(thing: bpf.HasFd, what: str) -> Fd:
    """Another descriptor of the same object. Raises KernelError."""
    try:
        return Fd.owning(what, os.dup, thing.fileno())
    except OSError as error:
        raise refuse(error.errno or EINVAL, f"another descriptor of {what}", caps=()) from None


def _forgotten(what: str, pid: int, undo: Callable[[], None]) -> None:
    if pid == os.getpid():
        try:
            warnings.warn(f"{what} was never detached", ResourceWarning, stacklevel=2)
        finally:
            undo()


class LinkInfo(NamedTuple):
    """What the kernel tells of a link. `target`: the interface, tracepoint, file, … as text; `cookie` 0 if there is none;
    `details`: the other fields of the kernel's record, by its names."""

    id: int
    type: str
    prog_id: int
    attach_type: str
    target: str
    cookie: int
    details: dict[str, int]


class Link(Pinned):
    """An attachment. Closing it gives the link back, which detaches the program unless a pin or another process holds the
    link too. `fd` is the kernel's link, None where the hook has none. `parts`: the links of one that consists of several
    (a perf event on each CPU)."""

    def __init__(self, kind: str, target: str, fd: Fd | None, *holds: Closable, program: LoadedProgram | None = None,
                 parts: tuple[Link, ...] = ()) -> None:
        self.kind, self.target, self.fd, self.program, self.parts = kind, target, fd, program, parts
        self._holds: list[Closable] = [*holds, *parts, *([fd] if fd is not None else [])]
        self._owner: list[Link] | None = None
        self._closed = False

    def owned_by(self, links: list[Link]) -> Self:
        """Enter it into the list that closes it."""
        links.append(self)
        self._owner = links
        return self

    def disown(self) -> Self:
        """From now on it is the caller's: the object whose program it attaches does not detach it."""
        owner, self._owner = self._owner, None
        if owner is not None and self in owner:
            owner.remove(self)
        return self

    def leave(self) -> None:
        """It stays attached, whoever takes it off: an attachment by request, when this process is long gone too. KernelError
        for a link, which stays by its pin."""
        if self.fd is not None or self.parts:
            raise KernelError(EINVAL, f"leaving {self._title()}", "a link stays while it is pinned: link.pin(path)", reason="")
        for one in self._holds:
            if isinstance(one, Request):
                one.disown()
        self.close()

    @property
    def closed(self) -> bool:
        return self._closed

    def fileno(self) -> int:
        """Of the kernel's link. ValueError when closed, NotSupported where there is none."""
        if self._closed:
            raise ValueError(f"the link of {self.kind} {self.target} is closed".replace("  ", " "))
        if self.fd is None:
            hint = f"it consists of {len(self.parts)} links: see its `parts`" if self.parts else ""
            raise NotSupported(EOPNOTSUPP, f"{self.kind} {self.target}: this attachment is no link of the kernel", hint=hint,
                               reason="")
        return self.fd.fileno()

    def close(self) -> None:
        """Give it back; a second time is fine."""
        self._closed = True
        self.disown()
        holds, self._holds = self._holds, []
        close_all(holds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def detach(self) -> None:
        """Take the program off its hook, whoever else holds the link (5.9: XDP, tcx, netkit, cgroup, network namespace,
        netfilter; others go with their last holder), and close it."""
        if self.fd is not None and not self._closed:
            result = bpf.link_detach(self.fileno())
            if result < 0 and -result not in (EOPNOTSUPP, EINVAL):
                raise refuse(-result, f"detaching {self.kind} {self.target}", since="5.9")
            if result < 0 and self._pins:
                self.unpin()
        elif self.parts:
            for part in self.parts:
                part.detach()
        self.close()

    def update(self, program: LoadedProgram, *, expected: LoadedProgram | None = None) -> None:
        """Put `program` in place of the one that is there, in one step; only if that is `expected`, where given.
        NotSupported for kinds that the kernel cannot change (all tracing)."""
        result = bpf.link_update(self.fileno(), program.fileno(), flags=AttachFlag.REPLACE if expected else 0,
                                 old=expected.fileno() if expected else 0)
        action = f"updating {self.kind} {self.target} with {program.name!r}"
        if result in (-EINVAL, -EOPNOTSUPP):
            raise NotSupported(-result, action, hint="the kernel changes programs of XDP, tcx, netkit, cgroup, network "
                                                     "namespace and iterator links, and only to the same type")
        if result < 0:
            raise refuse(-result, action, hint="another program is there by now" if expected else "")
        self.program = program

    def _title(self) -> str:
        return f"link {self.kind} {self.target}".rstrip()

    @property
    def id(self) -> int:
        number: int = bpf.link_info(self.fileno()).id
        return number

    @property
    def info(self) -> LinkInfo:
        """What the kernel says of it now."""
        return describe(self.fileno())

    def read(self) -> str:
        """What an iterator program writes when it is run now; only for links of kind "iter"."""
        return self.read_bytes().decode(errors="surrogateescape")

    def read_bytes(self) -> bytes:
        """The same as bytes: records of a program that uses seq_write."""
        made = bpf.iter_create(self.fileno())
        if isinstance(made, int):
            raise refuse(-made, f"running iterator {self.target}")
        with made:
            try:
                return b"".join(iter(lambda: os.read(made.fileno(), 1 << 16), b""))
            except OSError as error:
                raise refuse(error.errno or EINVAL, f"reading iterator {self.target}") from None

    def __repr__(self) -> str:
        return f"<Link {self.kind} {self.target}".rstrip() + (" closed>" if self._closed else ">")


# ── what the kernel says of a link ───────────────────────────────────────────────────────────────────────────────────

_L = LinkType
_PERF = {1: "uprobe", 2: "uretprobe", 3: "kprobe", 4: "kretprobe", 5: "tracepoint", 6: "event"}
_TEXTS = {  # type -> (field of the pointer, field of its length) of the name that the kernel copies out
    _L.RAW_TRACEPOINT: ("raw_tracepoint.tp_name", "raw_tracepoint.tp_name_len"),
    _L.ITER: ("iter.target_name", "iter.target_name_len"),
    _L.PERF_EVENT: ("perf_event.tracepoint.tp_name", "perf_event.tracepoint.name_len"),  # of all its kinds
    _L.UPROBE_MULTI: ("uprobe_multi.path", "uprobe_multi.path_size"),
}
_PATH = 4096


def describe(fd: int) -> LinkInfo:
    """The record of a link. Raises KernelError."""
    got = bpf.link_info(fd)
    text = ""
    if got.type in _TEXTS:
        pointer, length = _TEXTS[got.type]
        room = sys.buffer(_PATH)
        fields = {pointer: sys.address(room), length: _PATH}
        try:
            got = bpf.link_info(fd, fields)
            text = os.fsdecode(room.value)
        except KernelError:
            pass  # before the kernel told names
    group = name_of(LinkType, got.type).lower()
    if got.type == _L.PERF_EVENT:
        group += "." + _PERF.get(got["perf_event.type"], "event")
    details = got.group(group) if got.type != _L.PERF_EVENT else got.group("perf_event")
    kind = details.get("attach_type")
    return LinkInfo(got.id, group.partition(".")[2] or group, got.prog_id,
                    name_of(AttachType, kind).lower() if kind is not None else "", text or _target(got.type, details),
                    next((v for k, v in details.items() if k.rpartition(".")[2] == "cookie"), 0), details)


def _target(kind: int, details: dict[str, Any]) -> str:
    if "ifindex" in details:
        import socket

        try:
            return socket.if_indextoname(details["ifindex"])
        except OSError:
            return f"interface {details['ifindex']}" if details["ifindex"] else "(gone)"
    if "cgroup_id" in details:
        from .cgroups import path_of

        return path_of(details["cgroup_id"]) or f"cgroup {details['cgroup_id']}"
    for name, text in (("netns_ino", "netns"), ("target_btf_id", "BTF id"), ("map_id", "map")):
        if name in details:
            return f"{text} {details[name]}"
    if kind == _L.NETFILTER:
        return f"family {details['pf']} hook {details['hooknum']} priority {details['priority']}"
    return ""
