"""Routes: `bpf_fib_lookup` in the routes that the machine was given."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..memory import M32
from ..routes import Route, find

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from ..world import World

SIZE: Final = 64  # struct bpf_fib_lookup
_FLAGS: Final = 0x3F
_SKIP_NEIGH: Final = 4
_NOT_FWDED, _NO_NEIGH, _FRAG_NEEDED = 4, 7, 8  # BPF_FIB_LKUP_RET_…
_DESTINATION: Final = {2: slice(32, 36), 10: slice(32, 48)}  # by address family


def fib_lookup(w: World, ctx: int, at: int, size: int, flags: int, *_: int) -> int:
    """The kernel's numbers: 0 and the way filled in, 4 without a route, 7 with no neighbour known, 8 for too long a packet."""
    if size & M32 < SIZE or flags & ~_FLAGS:
        return -errno.EINVAL
    data, order = bytearray(w.memory.read(at, SIZE)), w.memory.order
    family = data[0]
    if family not in _DESTINATION:
        return -errno.EAFNOSUPPORT
    route = find(w.routes, bytes(data[_DESTINATION[family]]))
    if route is None:
        return _NOT_FWDED
    length = order.number(data[6:8])
    data[6:8] = order.bytes(route.mtu, 2)
    if length > route.mtu:
        w.memory.write(at, bytes(data))
        return _FRAG_NEEDED
    data[8:12] = order.bytes(route.device, 4)
    _to_gateway(data, route)
    result = 0
    if not flags & _SKIP_NEIGH:
        data[48:52] = bytes(4)  # no VLAN
        data[52:58] = route.source
        data[58:64] = route.neighbour or bytes(6)
        result = 0 if route.neighbour is not None else _NO_NEIGH
    w.memory.write(at, bytes(data))
    return result


def _to_gateway(data: bytearray, route: Route) -> None:
    """The next hop in the destination's place, and its family."""
    if route.gateway is None:
        return
    from ipaddress import ip_address

    hop: IPv4Address | IPv6Address = ip_address(route.gateway)
    data[0] = 2 if hop.version == 4 else 10
    data[_DESTINATION[data[0]]] = hop.packed


HELPERS: Final[Mapping[str, Callable[..., int]]] = {"fib_lookup": fib_lookup}
