"""rtnetlink: attaching tc programs through a clsact qdisc where the kernel has no tcx (before 6.6).

    message = nlmsghdr(16) tcmsg(20) attributes;  attribute = u16 length, u16 type, payload, padding to 4
"""

from __future__ import annotations

import os
import socket
import struct

from .refusals import CAP_NET_ADMIN, refuse

RTM_NEWQDISC, RTM_NEWTFILTER, RTM_DELTFILTER = 36, 44, 45
NLM_REQUEST, NLM_ACK, NLM_EXCL, NLM_CREATE, NLM_ECHO = 0x1, 0x4, 0x200, 0x400, 0x8
NLMSG_ERROR = 2
CLSACT_PARENT = 0xFFFFFFF1
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_BPF_FD, TCA_BPF_NAME, TCA_BPF_FLAGS = 6, 7, 8
DIRECT_ACTION = 1
ETH_P_ALL = 0x0003
EEXIST = 17
_HEADER, _TCMSG = struct.Struct("=IHHII"), struct.Struct("=BxxxiIII")


def _attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("=HH", len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


class Route:
    """A netlink socket to the routing tables; one request, one answer."""

    __slots__ = ("_socket", "_sequence")

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._sequence = 0
        try:
            self._socket.bind((0, 0))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Route:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def request(self, kind: int, flags: int, body: bytes) -> tuple[int, list[bytes]]:
        """(errno, the bodies of echoed messages). The answer ends with the acknowledgement."""
        self._sequence += 1
        flags |= NLM_REQUEST | NLM_ACK
        self._socket.send(_HEADER.pack(16 + len(body), kind, flags, self._sequence, 0) + body)
        echoed: list[bytes] = []
        while True:
            answer, at = self._socket.recv(1 << 16), 0
            while at + 16 <= len(answer):
                length, got, _, sequence, _ = _HEADER.unpack_from(answer, at)
                if sequence == self._sequence:
                    if got == NLMSG_ERROR:
                        return -struct.unpack_from("=i", answer, at + 16)[0], echoed
                    echoed.append(answer[at + 16:at + length])
                at += (max(length, 16) + 3) & ~3


class TcFilter:
    """A cls_bpf filter in direct-action mode; `close()` removes it and leaves the clsact qdisc, which others may use."""

    __slots__ = ("ifindex", "parent", "info", "handle")

    def __init__(self, ifindex: int, parent: int, info: int, handle: int) -> None:
        self.ifindex, self.parent, self.info, self.handle = ifindex, parent, info, handle

    def close(self) -> None:
        handle, self.handle = self.handle, 0
        if handle:
            body = _TCMSG.pack(0, self.ifindex, handle, self.parent, self.info) + _attribute(TCA_KIND, b"bpf\0")
            with Route() as route:
                errno, _ = route.request(RTM_DELTFILTER, 0, body)
            if errno not in (0, 2, 19):  # the filter or its interface went before us
                raise refuse(errno, "removing a tc filter", caps=(CAP_NET_ADMIN,))


def attach_tc(ifindex: int, *, ingress: bool, program_fd: int, name: str) -> TcFilter:
    """Add a filter of its own priority to an interface, making the clsact qdisc if there is none."""
    parent = INGRESS if ingress else EGRESS
    action = f"attaching {name} to {'ingress' if ingress else 'egress'} of interface {ifindex} with tc"
    with Route() as route:
        body = _TCMSG.pack(0, ifindex, 0xFFFF0000, CLSACT_PARENT, 0) + _attribute(TCA_KIND, b"clsact\0")
        errno, _ = route.request(RTM_NEWQDISC, NLM_CREATE | NLM_EXCL, body)
        if errno not in (0, EEXIST):
            raise refuse(errno, action, feature="tc (clsact qdisc)", caps=(CAP_NET_ADMIN,))
        options = (_attribute(TCA_BPF_FD, struct.pack("=I", program_fd))
                   + _attribute(TCA_BPF_NAME, os.fsencode(name) + b"\0")
                   + _attribute(TCA_BPF_FLAGS, struct.pack("=I", DIRECT_ACTION)))
        body = (_TCMSG.pack(0, ifindex, 0, parent, socket.htons(ETH_P_ALL)) + _attribute(TCA_KIND, b"bpf\0")
                + _attribute(TCA_OPTIONS | 0x8000, options))
        errno, echoed = route.request(RTM_NEWTFILTER, NLM_CREATE | NLM_EXCL | NLM_ECHO, body)
    if errno or not echoed:
        raise refuse(errno, action, caps=(CAP_NET_ADMIN,))
    _, _, handle, _, info = _TCMSG.unpack_from(echoed[-1])
    return TcFilter(ifindex, parent, info, handle)
