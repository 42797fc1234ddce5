"""rtnetlink: tc programs through a clsact qdisc (before 6.6), XDP without a link (before 5.9), and who is at an interface.

    message = nlmsghdr(16) tcmsg(20) or ifinfomsg(16) attributes;  attribute = u16 length, u16 type, payload, padding to 4
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from errno import EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, EOPNOTSUPP
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AttachError, FormatError
from .link import Link, Request, duplicate
from .refusals import CAP_NET_ADMIN, refuse

if TYPE_CHECKING:
    from .progs import LoadedProgram

RTM_SETLINK, RTM_NEWLINK, RTM_GETLINK = 19, 16, 18
RTM_NEWQDISC, RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 36, 44, 45, 46
NLM_REQUEST, NLM_ACK, NLM_EXCL, NLM_CREATE, NLM_ECHO, NLM_DUMP = 0x1, 0x4, 0x200, 0x400, 0x8, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
CLSACT_PARENT = 0xFFFFFFF1
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_BPF_FD, TCA_BPF_NAME, TCA_BPF_FLAGS, TCA_BPF_ID = 6, 7, 8, 11
IFLA_XDP = 43
XDP_FD, XDP_FLAGS, XDP_EXPECTED_FD = 1, 3, 8
XDP_IDS = {5: "native", 6: "generic", 7: "offload"}
XDP_UPDATE_IF_NOEXIST, XDP_REPLACE, XDP_MODES = 1, 16, 0xE
NESTED = 0x8000
DIRECT_ACTION = 1
ETH_P_ALL = 0x0003
_HEADER, _TCMSG, _IFINFO = struct.Struct("=IHHII"), struct.Struct("=BxxxiIII"), struct.Struct("=BxHiII")


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to 4 bytes."""
    return struct.pack("=HH", len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, payload) one after the other; a broken rest is a FormatError."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise FormatError(f"netlink attribute of {length} bytes does not fit", position=at)
        yield kind & 0x3FFF, data[at + 4:at + length]
        at += (length + 3) & ~3


class Route:
    """A netlink socket to the routing tables; one request, one answer. Making it raises KernelError."""

    __slots__ = ("_socket", "_sequence")

    def __init__(self) -> None:
        self._sequence = 0
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        except OSError as error:
            raise refuse(error.errno or EINVAL, "opening a netlink socket", caps=()) from None
        try:
            self._socket.bind((0, 0))
        except OSError as error:
            self._socket.close()
            raise refuse(error.errno or EINVAL, "opening a netlink socket", caps=()) from None

    def __enter__(self) -> Route:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def request(self, kind: int, flags: int, body: bytes) -> tuple[int, list[bytes]]:
        """(errno, the bodies of what came before the acknowledgement, or the end of a dump)."""
        self._sequence += 1
        flags |= NLM_REQUEST | (0 if flags & NLM_DUMP == NLM_DUMP else NLM_ACK)
        echoed: list[bytes] = []
        try:
            self._socket.send(_HEADER.pack(16 + len(body), kind, flags, self._sequence, 0) + body)
            while True:
                for kind, message in self._messages():
                    if kind == NLMSG_DONE:
                        return 0, echoed
                    if kind == NLMSG_ERROR:
                        return -struct.unpack_from("=i", message)[0], echoed
                    echoed.append(message)
        except OSError as error:
            return error.errno or EINVAL, echoed

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        """(type, body) of the answers to the last request in one datagram."""
        answer, at = self._socket.recv(1 << 18), 0
        while at + 16 <= len(answer):
            length, kind, _, sequence, _ = _HEADER.unpack_from(answer, at)
            if sequence == self._sequence:
                yield kind, answer[at + 16:at + length]
            at += (max(length, 16) + 3) & ~3


# ── tc ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TcFilter(NamedTuple):
    """A cls_bpf filter: where it is, its program's id (0: not told) and the name given when it was made."""

    ifindex: int
    parent: int
    info: int
    handle: int
    prog_id: int = 0
    name: str = ""

    @property
    def direction(self) -> str:
        return {INGRESS: "ingress", EGRESS: "egress"}.get(self.parent, f"parent {self.parent:#x}")

    @property
    def priority(self) -> int:
        return self.info >> 16

    def remove(self) -> None:
        """Take it off; the clsact qdisc stays, which others may use. Fine if it, or the interface, went before."""
        body = _TCMSG.pack(0, self.ifindex, self.handle, self.parent, self.info) + attribute(TCA_KIND, b"bpf\0")
        with Route() as route:
            errno, _ = route.request(RTM_DELTFILTER, 0, body)
        if errno in (0, ENOENT, ENODEV) or errno == EINVAL and not any(
                (one.handle, one.info) == (self.handle, self.info) for one in tc_filters(self.ifindex, self.parent)):
            return  # EINVAL: the qdisc went, and all filters with it
        raise refuse(errno, "removing a tc filter", caps=(CAP_NET_ADMIN,))


def tc_filters(ifindex: int, parent: int) -> list[TcFilter]:
    """The BPF filters of INGRESS or EGRESS of an interface; [] where there is no clsact qdisc."""
    with Route() as route:
        errno, found = route.request(RTM_GETTFILTER, NLM_DUMP, _TCMSG.pack(0, ifindex, 0, parent, 0))
    if errno not in (0, EINVAL, ENOENT, ENODEV):
        raise refuse(errno, f"listing the filters of interface {ifindex}", caps=())
    return [one for one in map(_filter, found) if one is not None]


def _filter(message: bytes) -> TcFilter | None:
    _, ifindex, handle, parent, info = _TCMSG.unpack_from(message)
    parts = dict(attributes(message[_TCMSG.size:]))
    if parts.get(TCA_KIND, b"").rstrip(b"\0") != b"bpf" or not handle:
        return None
    options = dict(attributes(parts.get(TCA_OPTIONS, b"")))
    number = struct.unpack("=I", options[TCA_BPF_ID])[0] if TCA_BPF_ID in options else 0
    return TcFilter(ifindex, parent, info, handle, number, options.get(TCA_BPF_NAME, b"").rstrip(b"\0").decode(errors="replace"))


def _remove(filters: list[TcFilter]) -> None:
    for one in filters:
        one.remove()


def attach_tc(program: LoadedProgram, ifindex: int, target: str, *, ingress: bool, priority: int = 0) -> Link:
    """Add a filter of its own to an interface, making the clsact qdisc if there is none. `priority` 0: after the others."""
    parent = INGRESS if ingress else EGRESS
    action = f"attaching {program.name!r} to tc {target}"
    made: list[TcFilter] = []
    held = Request(f"tc filter {program.name!r} on {target}", lambda: _remove(made))
    try:
        with Route() as route:
            body = _TCMSG.pack(0, ifindex, 0xFFFF0000, CLSACT_PARENT, 0) + attribute(TCA_KIND, b"clsact\0")
            errno, _ = route.request(RTM_NEWQDISC, NLM_CREATE | NLM_EXCL, body)
            if errno not in (0, EEXIST):
                raise refuse(errno, action, feature="tc (clsact qdisc)", caps=(CAP_NET_ADMIN,))
            options = (attribute(TCA_BPF_FD, struct.pack("=I", program.fileno()))
                       + attribute(TCA_BPF_NAME, os.fsencode(program.name) + b"\0")
                       + attribute(TCA_BPF_FLAGS, struct.pack("=I", DIRECT_ACTION)))
            body = (_TCMSG.pack(0, ifindex, 0, parent, priority << 16 | socket.htons(ETH_P_ALL))
                    + attribute(TCA_KIND, b"bpf\0") + attribute(TCA_OPTIONS | NESTED, options))
            errno, echoed = route.request(RTM_NEWTFILTER, NLM_CREATE | NLM_EXCL | NLM_ECHO, body)
        made += [one for one in map(_filter, echoed) if one is not None]
        if errno or not made:
            raise refuse(errno or EINVAL, action, caps=(CAP_NET_ADMIN,),
                         hint="another filter has this priority" if errno == EEXIST else "")
    except BaseException:
        held.close()
        raise
    return Link("tc", target, None, held, program=program)


# ── XDP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _set_xdp(ifindex: int, fd: int, flags: int, expected: int = -1) -> int:
    """0 or an errno. `fd` -1: no program; `expected` -1: whatever is there now."""
    parts = attribute(XDP_FD, struct.pack("=i", fd)) + attribute(XDP_FLAGS, struct.pack("=I", flags))
    if expected >= 0:
        parts += attribute(XDP_EXPECTED_FD, struct.pack("=i", expected))
    with Route() as route:
        return route.request(RTM_SETLINK, 0, _IFINFO.pack(0, 0, ifindex, 0, 0) + attribute(IFLA_XDP | NESTED, parts))[0]


def attach_xdp(program: LoadedProgram, ifindex: int, target: str, mode: int, replace: Any = None) -> Link:
    """The request of old. Refused while another program is there, unless that is `replace`. Undone only while ours is
    there (5.7), as others may have put theirs in its place."""
    number = program.info.id
    own = duplicate(program, f"program {program.name!r} on {target}")

    def undo() -> None:
        if not own.closed and any(one == number for _, one in xdp_of(ifindex)):
            errno = _set_xdp(ifindex, -1, mode & XDP_MODES | XDP_REPLACE, own.fileno())
            if errno == EINVAL:  # before 5.7
                errno = _set_xdp(ifindex, -1, mode & XDP_MODES)
            if errno not in (0, ENODEV) and any(one == number for _, one in xdp_of(ifindex)):
                raise refuse(errno, f"detaching {program.name!r} from {target}", caps=(CAP_NET_ADMIN,))
        own.close()

    held = Request(f"XDP program {program.name!r} on {target}", undo)
    flags = mode | (XDP_REPLACE if replace is not None else XDP_UPDATE_IF_NOEXIST)
    try:
        errno = _set_xdp(ifindex, program.fileno(), flags, replace.fileno() if replace is not None else -1)
    except BaseException:
        held.close()
        raise
    if errno:
        held.disown()
        own.close()
        there = ", ".join(f"{m} program {i}" for m, i in xdp_of(ifindex))
        error = refuse(errno, f"attaching {program.name!r} to XDP of {target}", caps=(CAP_NET_ADMIN,), hint={
            EBUSY: f"{target} has {there or 'one'}", EEXIST: f"{target} has {there or 'another one'}",
            EOPNOTSUPP: "the driver has no native XDP: use mode='generic'"}.get(errno, ""))
        raise error if errno not in (EBUSY, EEXIST, EINVAL) else AttachError(errno, error.action, error.hint)
    return Link("xdp", target, None, own, held, program=program)


def xdp_of(ifindex: int) -> list[tuple[str, int]]:
    """(mode, program id) of the XDP programs of an interface."""
    with Route() as route:
        errno, found = route.request(RTM_GETLINK, 0, _IFINFO.pack(0, 0, ifindex, 0, 0))
    if errno not in (0, ENODEV):
        raise refuse(errno, f"asking for the XDP programs of interface {ifindex}", caps=())
    return _xdp(found[0]) if found else []


def remove_xdp(ifindex: int, mode: str) -> bool:
    """Take off a program that no link holds; False where a link does. Raises KernelError."""
    errno = _set_xdp(ifindex, -1, {"generic": 2, "native": 4, "offload": 8}[mode])
    if errno not in (0, EBUSY):
        raise refuse(errno, f"removing the XDP program of interface {ifindex}", caps=(CAP_NET_ADMIN,))
    return not errno


def xdp_everywhere() -> list[tuple[int, str, int]]:
    """(interface, mode, program id) of all interfaces of this network namespace."""
    with Route() as route:
        errno, found = route.request(RTM_GETLINK, NLM_DUMP, _IFINFO.pack(0, 0, 0, 0, 0))
    if errno:
        raise refuse(errno, "listing network interfaces", caps=(CAP_NET_ADMIN,))
    return [(_IFINFO.unpack_from(one)[2], mode, number) for one in found for mode, number in _xdp(one)]


def _xdp(message: bytes) -> list[tuple[str, int]]:
    nested = dict(attributes(message[_IFINFO.size:])).get(IFLA_XDP, b"")
    return [(XDP_IDS[kind], struct.unpack("=I", data)[0]) for kind, data in attributes(nested)
            if kind in XDP_IDS and len(data) == 4]
