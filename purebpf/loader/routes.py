"""Programs on routes (lightweight tunnels): what is sent along a route, or comes in by it, goes through the program.

    RTM_NEWROUTE: rtmsg(12) RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_ENCAP_TYPE (u16), RTA_ENCAP { LWT_BPF_OUT { PROG_FD, PROG_NAME } }
"""

from __future__ import annotations

import os
import struct
from errno import EEXIST, EINVAL, ENETUNREACH, ENODEV, EOPNOTSUPP, ESRCH
from typing import TYPE_CHECKING

from ..errors import AttachError, FormatError
from ..uapi.enums import ProgType
from .link import Link, Request
from .netlink import NESTED, NLM_CREATE, NLM_EXCL, Route, attribute
from .refusals import CAP_NET_ADMIN, refuse
from .special import interface

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from .progs import LoadedProgram

RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_ENCAP_TYPE, RTA_ENCAP = 1, 4, 5, 21, 22
ENCAP_BPF, ENCAP_SEG6_LOCAL = 6, 7
XMIT_HEADROOM, PROG_FD, PROG_NAME = 4, 1, 2
SEG6_ACTION, SEG6_BPF, END_BPF = 1, 8, 15
MAIN_TABLE, STATIC, UNICAST, OF_LINK, UNIVERSE = 254, 4, 1, 253, 0
_RTMSG = struct.Struct("=BBBBBBBBI")
_DIRECTIONS = {ProgType.LWT_IN: 1, ProgType.LWT_OUT: 2, ProgType.LWT_XMIT: 3}


def attach_route(program: LoadedProgram, target: str, *, device: str | int = "", via: str = "", headroom: int = 0) -> Link:
    """Add a route for the network `target` ("10.1.0.0/16", "2001:db8::/32") through an interface, to the gateway `via` if there
    is one, on which the program runs; it goes with the link. `headroom`: bytes that a program of lwt_xmit may put in front."""
    from ipaddress import ip_address, ip_network

    try:
        network = ip_network(target)
        gateway = ip_address(via) if via else None
    except ValueError as error:
        raise AttachError(EINVAL, f"route for {target!r}", f"{error}: write a network, attach('10.1.0.0/16', device='eth0')", reason="") from None
    if not device:
        raise AttachError(EINVAL, f"route for {target}", "say through which interface: attach(…, device='eth0')", reason="")
    if headroom and program.spec.prog_type != ProgType.LWT_XMIT:
        raise FormatError("headroom= is for programs of lwt_xmit")
    body = _route(network, interface(device), gateway.packed if gateway is not None else b"")
    name = f"{target} dev {device}"
    held = Request(f"program {program.name!r} on the route {name}", lambda: _remove(body, name))
    try:
        with Route() as route:
            errno, _ = route.request(RTM_NEWROUTE, NLM_CREATE | NLM_EXCL, body + _encapsulation(program, headroom))
        if errno:
            held.disown()
            refused = refuse(errno, f"attaching {program.name!r} to route {name}", caps=(CAP_NET_ADMIN,), hint={
                EEXIST: "there is such a route already", ENETUNREACH: "the gateway is not reached, or the interface is down",
                EOPNOTSUPP: "the kernel is built without CONFIG_LWTUNNEL_BPF"}.get(errno, ""))
            raise AttachError(errno, refused.action, refused.hint) if errno in (EEXIST, ENETUNREACH, EINVAL) else refused
    except BaseException:
        held.close()
        raise
    return Link("route", name, None, held, program=program)


def _route(network: IPv4Network | IPv6Network, index: int, gateway: bytes) -> bytes:
    return (_RTMSG.pack(2 if network.version == 4 else 10, network.prefixlen, 0, 0, MAIN_TABLE, STATIC,
                        UNIVERSE if gateway or network.version == 6 else OF_LINK, UNICAST, 0)
            + attribute(RTA_DST, network.network_address.packed) + attribute(RTA_OIF, struct.pack("=I", index))
            + (attribute(RTA_GATEWAY, gateway) if gateway else b""))


def _encapsulation(program: LoadedProgram, headroom: int) -> bytes:
    code = attribute(PROG_FD, struct.pack("=I", program.fileno())) + attribute(PROG_NAME, os.fsencode(program.name) + b"\0")
    if program.spec.prog_type == ProgType.LWT_SEG6LOCAL:
        kind, inside = ENCAP_SEG6_LOCAL, attribute(SEG6_ACTION, struct.pack("=I", END_BPF)) + attribute(SEG6_BPF | NESTED, code)
    else:
        kind, inside = ENCAP_BPF, attribute(_DIRECTIONS[program.spec.prog_type] | NESTED, code)
        inside += attribute(XMIT_HEADROOM, struct.pack("=I", headroom)) if headroom else b""
    return attribute(RTA_ENCAP_TYPE, struct.pack("=H", kind)) + attribute(RTA_ENCAP | NESTED, inside)


def _remove(body: bytes, name: str) -> None:
    """Fine if the route, or the interface, went before."""
    with Route() as route:
        errno, _ = route.request(RTM_DELROUTE, 0, body)
    if errno not in (0, ESRCH, ENODEV):
        raise refuse(errno, f"removing route {name}", caps=(CAP_NET_ADMIN,))
