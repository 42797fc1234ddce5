"""Network interfaces for tests, through netlink and ioctl: no tool need be installed."""

from __future__ import annotations

import fcntl
import socket
import struct

from purebpf.loader.netlink import NLM_CREATE, NLM_EXCL, Route, attribute

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
RTM_NEWLINK, IFLA_IFNAME, IFLA_LINKINFO = 16, 3, 18
NESTED = 0x8000


def up(name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", name.encode(), 0)
        flags = struct.unpack_from("H", fcntl.ioctl(sock, SIOCGIFFLAGS, request), 16)[0]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), flags | IFF_UP))


def add_veth(one: str, two: str) -> None:
    """A pair of virtual Ethernet devices, both up."""
    header = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
    peer = attribute(1 | NESTED, header + attribute(IFLA_IFNAME, two.encode() + b"\0"))  # VETH_INFO_PEER
    info = attribute(1, b"veth\0") + attribute(2 | NESTED, peer)  # IFLA_INFO_KIND, IFLA_INFO_DATA
    body = header + attribute(IFLA_IFNAME, one.encode() + b"\0") + attribute(IFLA_LINKINFO | NESTED, info)
    with Route() as route:
        errno, _ = route.request(RTM_NEWLINK, NLM_CREATE | NLM_EXCL, body)
    assert errno == 0, errno
    up(one)
    up(two)


def add_netkit(name: str) -> str:
    """A pair of netkit devices, both up: the name of the other one; "" where the kernel has none."""
    header = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
    before = {one for _, one in socket.if_nameindex()}
    with Route() as route:
        errno, _ = route.request(RTM_NEWLINK, NLM_CREATE | NLM_EXCL, header + attribute(IFLA_IFNAME, name.encode() + b"\0")
                                 + attribute(IFLA_LINKINFO | NESTED, attribute(1, b"netkit\0")))
    if errno:
        return ""
    other, = {one for _, one in socket.if_nameindex()} - before - {name}
    up(name)
    up(other)
    return other


def send_raw(interface: str, frame: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        sock.send(frame)
