"""The routes of a simulated kernel: what `bpf_fib_lookup` finds."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Iterable, NamedTuple

from ..errors import FormatError


class Route(NamedTuple):
    """Where packets to `to` ("10.0.0.0/8", "2001:db8::/32") go: out of interface `device`, to the neighbour with the
    hardware address `neighbour` (None: not known yet) behind `gateway` (None: the destination itself), from `source`."""

    to: str
    device: int
    neighbour: bytes | None = None
    source: bytes = bytes(6)
    gateway: str | None = None
    mtu: int = 1500


def checked(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The routes, most specific first. FormatError for what is no prefix, address or hardware address."""
    out = list(routes)
    for route in out:
        try:
            ip_network(route.to)
            if route.gateway is not None:
                ip_address(route.gateway)
        except ValueError as error:
            raise FormatError(f"route {route.to}: {error}") from None
        if len(route.neighbour or bytes(6)) != 6 or len(route.source) != 6:
            raise FormatError(f"route {route.to}: a hardware address has 6 bytes")
    return tuple(sorted(out, key=lambda route: -ip_network(route.to).prefixlen))


def find(routes: Iterable[Route], destination: bytes) -> Route | None:
    """The route to an address of 4 or 16 bytes; `routes` are `checked`."""
    wanted = ip_address(destination)
    return next((route for route in routes if wanted in ip_network(route.to)), None)
