"""Socket buffers: room in front of headers, protocols, VLAN tags, tunnel metadata, types and hashes of packets; and sockets in
maps. As net/core/filter.c has it, but for what only a real network stack knows: docs/vm.md says what is simulated."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ...order import NETWORK
from ...uapi.enums import SkAction
from ..code import signed
from ..memory import M32
from ..skb import BASE_LENGTH, IP, IPV6, VLAN, Skb

if TYPE_CHECKING:
    from ..world import World

ENOTSUPP: Final = 524  # the kernel's own
COOKIE: Final = 1  # of the one socket that there is
MAX_PACKET: Final = 0xFFFF  # BPF_SKB_MAX_LEN, for a device without a smaller limit
PACKET_OTHERHOST: Final = 3
_TO_NET, _TO_MAC = 0, 1
_FIXED_GSO, _ENCAP_IP, _ENCAP_IPV6, _GRE, _UDP, _NO_CSUM, _ETH = 1, 2, 4, 8, 16, 32, 64
_DECAP_IP, _DECAP_IPV6 = 128, 256
_ENCAP: Final = _ENCAP_IP | _ENCAP_IPV6
_DECAP: Final = {_DECAP_IP: BASE_LENGTH[IP], _DECAP_IPV6: BASE_LENGTH[IPV6]}
_ROOM_FLAGS: Final = _FIXED_GSO | _ENCAP | _GRE | _UDP | _NO_CSUM | _ETH | _DECAP_IP | _DECAP_IPV6
_KEY, _TUNNEL_IPV6 = 44, 1  # sizeof(struct bpf_tunnel_key), BPF_F_TUNINFO_IPV6
_KEY_PARTS: Final = (28, 24, 22)  # what older programs know of it
_SET_FLAGS: Final = 0x3F


def skb_adjust_room(w: World, ctx: int, change: int, mode: int, flags: int, *_: int) -> int:
    skb = w.the_skb()
    delta, inner = signed(change, 32), flags >> 56
    flags &= (1 << 56) - 1
    size, base = abs(delta), BASE_LENGTH.get(skb.protocol)
    if flags & ~_ROOM_FLAGS:
        return -errno.EINVAL
    if size > 0xFFF:
        return -errno.EFAULT
    if base is None or mode & M32 not in (_TO_NET, _TO_MAC):
        return -ENOTSUPP
    decap = flags & sum(_DECAP)
    if decap and (delta >= 0 or decap not in _DECAP):
        return -errno.EINVAL
    left = len(skb.packet) - skb.link - size
    if delta < 0 and left < _DECAP.get(decap, base) or delta >= 0 and len(skb.packet) + size > MAX_PACKET:
        return -ENOTSUPP
    at = skb.link + (base if mode & M32 == _TO_NET else 0)
    if delta < 0:
        return _shrink(skb, at, size, flags)
    return _grow(skb, at, size, flags, inner)


def _shrink(skb: Skb, at: int, size: int, flags: int) -> int:
    if flags & ~(_FIXED_GSO | _NO_CSUM | sum(_DECAP)):
        return -errno.EINVAL
    skb.packet.remove(at, size)
    if flags & _DECAP_IP:
        skb.protocol = IP
    elif flags & _DECAP_IPV6:
        skb.protocol = IPV6
    return 0


def _grow(skb: Skb, at: int, size: int, flags: int, inner: int) -> int:
    if flags & _ENCAP:
        both = flags & _ENCAP == _ENCAP or flags & (_GRE | _UDP) == _GRE | _UDP
        if both or inner > size or flags & _ETH and inner < 14:
            return -errno.EINVAL
    skb.packet.insert(at, size)
    if flags & _ENCAP:
        skb.protocol = IP if flags & _ENCAP_IP else IPV6
    return 0


def skb_change_proto(w: World, ctx: int, proto: int, flags: int, *_: int) -> int:
    """IPv4 to IPv6 or back: 20 bytes more or less of network header, whose content is the program's to write."""
    skb = w.the_skb()
    to = skb.order.bytes(proto & 0xFFFF, 2)
    if flags:
        return -errno.EINVAL
    if {to, skb.protocol} != {IP, IPV6}:
        return -ENOTSUPP
    move = skb.packet.insert if to == IPV6 else skb.packet.remove
    move(skb.link, BASE_LENGTH[IPV6] - BASE_LENGTH[IP])
    skb.protocol = to
    return 0


def skb_change_type(w: World, ctx: int, kind: int, *_: int) -> int:
    skb = w.the_skb()
    if skb.get("pkt_type") > PACKET_OTHERHOST or kind & M32 > PACKET_OTHERHOST:
        return -errno.EINVAL
    skb.put("pkt_type", kind & M32)
    return 0


def skb_vlan_push(w: World, ctx: int, proto: int, tci: int, *_: int) -> int:
    """The tag is beside the packet, as a device would add it; one that was there goes into the packet."""
    skb = w.the_skb()
    wire = skb.order.bytes(proto & 0xFFFF, 2)
    if wire not in VLAN:
        wire = VLAN[0]
    if skb.get("vlan_present"):
        outer = skb.order.bytes(skb.get("vlan_proto") & 0xFFFF, 2)
        skb.packet.insert(12, 4)
        skb.packet.write(12, outer + NETWORK.bytes(skb.get("vlan_tci"), 2))
        skb.protocol = outer
    skb.put("vlan_present", 1)
    skb.put("vlan_proto", skb.order.number(wire))
    skb.put("vlan_tci", tci & 0xFFFF)
    return 0


def skb_vlan_pop(w: World, ctx: int, *_: int) -> int:
    skb = w.the_skb()
    if skb.get("vlan_present"):
        for name in ("vlan_present", "vlan_proto", "vlan_tci"):
            skb.put(name, 0)
    elif skb.protocol in VLAN:
        _take_out(skb)
    if skb.protocol not in VLAN or len(skb.packet) < 18:
        return 0
    wire, tci = skb.protocol, skb.packet.read(14, 2)  # the next one is beside the packet from now on
    _take_out(skb)
    skb.put("vlan_present", 1)
    skb.put("vlan_proto", skb.order.number(wire))
    skb.put("vlan_tci", NETWORK.number(tci or b""))
    return 0


def _take_out(skb: Skb) -> None:
    """The tag that is in the packet."""
    inner = skb.packet.read(16, 2)
    if inner is not None:
        skb.packet.remove(12, 4)
        skb.protocol = inner


def skb_get_tunnel_key(w: World, ctx: int, to: int, size: int, flags: int, *_: int) -> int:
    """What `skb_set_tunnel_key` set: no packet comes through a tunnel here."""
    tunnel, size = w.the_skb().tunnel, size & M32
    error = 0
    if tunnel is None or flags & ~(_TUNNEL_IPV6 | 16):
        error = -errno.EINVAL
    elif tunnel[1] != bool(flags & _TUNNEL_IPV6):
        error = -errno.EPROTO
    elif size != _KEY and size not in _KEY_PARTS and (size != 8 or tunnel[1]):
        error = -errno.EINVAL
    w.memory.write(to, bytes(size) if error or tunnel is None else tunnel[0][:size])
    return error


def skb_set_tunnel_key(w: World, ctx: int, source: int, size: int, flags: int, *_: int) -> int:
    skb, size = w.the_skb(), size & M32
    if flags & ~_SET_FLAGS or size != _KEY and size not in _KEY_PARTS and size != 8:
        return -errno.EINVAL
    key = w.memory.read(source, size).ljust(_KEY, b"\0")
    order, is_ipv6 = skb.order, bool(flags & _TUNNEL_IPV6)
    label = order.number(key[24:28])
    if label and not is_ipv6 or any(key[22:24]):
        return -errno.EINVAL
    address = 16 if is_ipv6 else 4
    remote, local = (key[at:at + address].ljust(16, b"\0") for at in (4, 28))
    skb.tunnel = (key[:4] + local + key[20:24] + order.bytes(label & 0xFFFFF, 4) + remote, is_ipv6)  # as the other end has it
    return 0


def get_hash_recalc(w: World, ctx: int, *_: int) -> int:
    skb = w.the_skb()
    if not skb.get("hash"):
        skb.put("hash", skb.flow())
    return skb.get("hash")


def set_hash(w: World, ctx: int, value: int, *_: int) -> int:
    w.the_skb().put("hash", value & M32)
    return 0


def set_hash_invalid(w: World, ctx: int, *_: int) -> int:
    w.the_skb().put("hash", 0)
    return 0


def sock_map_update(w: World, ctx: int, at: int, key: int, flags: int, *_: int) -> int:
    """The program's socket into a map of sockets: there it is COOKIE."""
    one = w.map_at(at)
    size = one.spec.value_size
    return one.update(w.memory.read(key, one.spec.key_size), w.memory.order.bytes(COOKIE, size), flags, w.cpu)


def _redirect(w: World, at: int, key: bytes, flags: int) -> int:
    if flags & ~1 or w.map_at(at).get(key) is None:
        return SkAction.DROP
    w.redirected = w.memory.order.number(key)
    return SkAction.PASS


def redirect_map(w: World, ctx: int, at: int, index: int, flags: int, *_: int) -> int:
    return _redirect(w, at, w.memory.order.bytes(index, 4), flags)


def redirect_hash(w: World, ctx: int, at: int, key: int, flags: int, *_: int) -> int:
    return _redirect(w, at, w.memory.read(key, w.map_at(at).spec.key_size), flags)


def get_socket_cookie(w: World, *_: int) -> int:
    return COOKIE


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "skb_adjust_room": skb_adjust_room,
    "skb_change_proto": skb_change_proto,
    "skb_change_type": skb_change_type,
    "skb_vlan_push": skb_vlan_push,
    "skb_vlan_pop": skb_vlan_pop,
    "skb_get_tunnel_key": skb_get_tunnel_key,
    "skb_set_tunnel_key": skb_set_tunnel_key,
    "get_hash_recalc": get_hash_recalc,
    "set_hash": set_hash,
    "set_hash_invalid": set_hash_invalid,
    "sock_map_update": sock_map_update,
    "sock_hash_update": sock_map_update,
    "sk_redirect_map": redirect_map,
    "msg_redirect_map": redirect_map,
    "sk_redirect_hash": redirect_hash,
    "msg_redirect_hash": redirect_hash,
    "get_socket_cookie": get_socket_cookie,
}
