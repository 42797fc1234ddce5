"""What r1 points to when a program starts, by program type: BPF_PROG_TEST_RUN's conventions, for all types.

A context is made from the packet (`data`) and the caller's bytes (`ctx`), and gives both back afterwards.
For XDP and skb programs it is a structure that exists only on paper: the kernel rewrites each load of it, so every
access is a decision by field. For the others it is memory, writable where the kernel lets programs write.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping, NamedTuple

from ..errors import KernelError
from ..order import NETWORK, Order
from ..uapi.contexts import Context, Field, context
from ..uapi.enums import ProgType
from .memory import Memory, Region, Trap
from .packet import ETH_HLEN, Packet
from .skb import SK_BUFF, Skb, bytes_of

if TYPE_CHECKING:
    from .world import World

LOOPBACK: Final = 1  # ifindex of lo, the device of test_run


def _known(name: str) -> Context:
    found = context(name)
    assert found is not None
    return found


IP_HEADERS: Final = {b"\x08\x00": 20, b"\x86\xdd": 40}  # the shortest that test_run takes, by EtherType (6.18)
XDP_MD: Final = _known("xdp_md")
TC: Final = (ProgType.SCHED_CLS, ProgType.SCHED_ACT)
SKB_TYPES: Final = frozenset((ProgType.SOCKET_FILTER, *TC, ProgType.CGROUP_SKB, ProgType.LWT_IN, ProgType.LWT_OUT,
                              ProgType.LWT_XMIT, ProgType.LWT_SEG6LOCAL))
SKB_WRITABLE: Final[Mapping[int, tuple[str, ...]]] = {
    ProgType.SOCKET_FILTER: ("cb",),
    ProgType.CGROUP_SKB: ("mark", "priority", "cb", "tstamp"),
    **{kind: ("mark", "queue_mapping", "priority", "tc_index", "cb", "tc_classid", "tstamp") for kind in TC},
    **{kind: ("mark", "priority", "cb") for kind in (ProgType.LWT_IN, ProgType.LWT_OUT, ProgType.LWT_XMIT,
                                                     ProgType.LWT_SEG6LOCAL)},
}
SKB_FROM_CALLER: Final = ("mark", "priority", "ingress_ifindex", "ifindex", "cb", "tstamp", "wire_len", "gso_segs",
                          "gso_size", "hwtstamp")
ARGUMENTS: Final = frozenset((ProgType.RAW_TRACEPOINT, ProgType.RAW_TRACEPOINT_WRITABLE, ProgType.TRACING, ProgType.LSM,
                              ProgType.EXT, ProgType.STRUCT_OPS))
READ_ONLY: Final = ARGUMENTS | {ProgType.TRACEPOINT, ProgType.KPROBE, ProgType.PERF_EVENT}


class Prepared(NamedTuple):
    """A context ready for a run: its address, and what takes the results and gives its memory back."""

    address: int
    finish: Callable[[], tuple[bytes, bytes]]


def prepare(world: World, prog_type: int, data: bytes, ctx: bytes | None, size: int = 0) -> Prepared:
    """The context of one run: the given bytes, or `size` zeros. KernelError where test_run refuses the input."""
    if prog_type == ProgType.XDP:
        return _xdp(world, data, ctx or b"")
    if prog_type in SKB_TYPES:
        return _skb(world, prog_type, data, ctx or b"")
    return _plain(world, prog_type, bytes(size) if ctx is None else ctx)


def _pointers(packet: Packet) -> Callable[[str], int]:
    def value(kind: str) -> int:
        match kind:
            case "packet":
                return packet.data_address
            case "packet_end":
                return packet.end_address
            case "packet_meta":
                return packet.meta_address
        return 0  # sockets, flow keys: there are none here

    return value


def _accessor(memory: Memory, layout: Context, backing: bytearray, pointer: Callable[[str], int],
              writable: tuple[str, ...]) -> tuple[Callable[[int, int], int], Callable[[int, int, int], None]]:
    """Load and store of a context that exists on paper. Numbers may be read in part, pointers only whole."""
    owner = {at: f for f in layout.fields.values() for at in range(f.offset, f.offset + f.size * f.elems)}

    def find(verb: str, offset: int, size: int) -> Field:
        found = owner.get(offset)
        if found is None or owner.get(offset + size - 1) is not found or offset % size:
            raise Trap(f"{verb} of {size} bytes at offset {offset} of the context is no field")
        return found

    def load(offset: int, size: int) -> int:
        field = find("read", offset, size)
        if field.kind != "int":
            if (offset, size) != (field.offset, field.size):
                raise Trap(f"read of a part of the pointer {field.name} in the context")
            return pointer(field.kind)
        value: int = memory.codecs[size].unpack_from(backing, offset)[0]
        return value

    def store(offset: int, size: int, value: int) -> None:
        field = find("write", offset, size)
        if field.name not in writable:
            raise Trap(f"write to {field.name} in the context, which is read-only")
        memory.codecs[size].pack_into(backing, offset, value)

    return load, store


def _xdp(world: World, data: bytes, ctx: bytes) -> Prepared:
    order = world.memory.order
    given = [order.number(ctx[i : i + 4]) for i in range(0, 24, 4)]
    meta = given[0]
    if len(ctx) not in (0, 24) or len(data) - meta < ETH_HLEN or (ctx and given[1] != len(data)) or given[2]:
        raise KernelError(errno.EINVAL, f"running an XDP program on {len(data)} bytes with this context")
    if meta % 4 or meta > 255:
        raise KernelError(errno.EINVAL, f"{meta} bytes of metadata: at most 252, a multiple of 4")
    packet = world.frame = Packet(world.memory, data, meta)
    backing = bytearray(24)
    backing[12:24] = ctx[12:24].ljust(12, b"\0") if ctx else order.bytes(LOOPBACK, 4) + bytes(8)
    load, store = _accessor(world.memory, XDP_MD, backing, _pointers(packet), ())
    region = world.memory.map_special(backing, "xdp_md", load, store)

    def finish() -> tuple[bytes, bytes]:
        meta_len = packet.data - packet.meta
        out = bytes(packet.region.data)
        borders = order.bytes(meta_len, 4) + order.bytes(len(out), 4) + bytes(4)
        return out, borders + bytes(backing[12:])

    return Prepared(region.base, _then_release(world, finish, packet, region))


def _then_release(world: World, finish: Callable[[], tuple[bytes, bytes]], packet: Packet | None,
                  region: Region) -> Callable[[], tuple[bytes, bytes]]:
    def both() -> tuple[bytes, bytes]:
        result = finish()
        world.memory.unmap(region)
        if packet is not None:
            packet.close()
            world.frame = world.skb = None
        return result

    return both


def _skb(world: World, prog_type: int, data: bytes, ctx: bytes) -> Prepared:
    if len(data) < ETH_HLEN:
        raise KernelError(errno.EINVAL, f"a packet of {len(data)} bytes has no Ethernet header")
    least = IP_HEADERS.get(data[12:14], 0)
    if len(data) < ETH_HLEN + least:
        raise KernelError(errno.EINVAL, f"a frame that says it is IP, with {len(data) - ETH_HLEN} bytes after its Ethernet "
                          f"header: test_run wants the whole IP header, {least} bytes")
    backing = bytearray(SK_BUFF.size)
    ctx = ctx[:SK_BUFF.size].ljust(SK_BUFF.size, b"\0")
    for part in map(bytes_of, SKB_FROM_CALLER):
        backing[part] = ctx[part]
    if bytes(backing) != ctx:
        raise KernelError(errno.EINVAL, f"a __sk_buff with more than {', '.join(SKB_FROM_CALLER)}")
    link_layer = prog_type in TC
    packet = world.frame = Packet(world.memory, data if link_layer else data[ETH_HLEN:])
    skb = world.skb = Skb(packet, world.memory.order, backing, link_layer)
    skb.put("protocol", ether_type(data, world.memory.order))
    skb.put("pkt_type", packet_type(data))
    skb.put("ifindex", skb.get("ifindex") or LOOPBACK)
    skb.put("wire_len", skb.get("wire_len") or len(packet))
    fields_load, store = _accessor(world.memory, SK_BUFF, backing, _pointers(packet), SKB_WRITABLE[prog_type])

    def load(offset: int, size: int) -> int:
        if offset < 4:
            skb.put("len", len(packet))
        return fields_load(offset, size)

    region = world.memory.map_special(backing, "__sk_buff", load, store)

    def finish() -> tuple[bytes, bytes]:
        out = packet.content()
        given = bytearray(ctx)
        for part in map(bytes_of, SKB_FROM_CALLER):
            given[part] = backing[part]
        return (out if link_layer else bytes(ETH_HLEN) + out), bytes(given)

    return Prepared(region.base, _then_release(world, finish, packet, region))


def ether_type(frame: bytes, order: Order) -> int:
    """skb->protocol as eth_type_trans sets it, as a number read from its big-endian bytes in memory."""
    value = NETWORK.number(frame[12:14])
    if value < 0x600:  # a length: 802.2, or raw 802.3
        value = 0x0001 if frame[14:16] == b"\xff\xff" else 0x0004
    return order.network(value, 2)


def packet_type(frame: bytes) -> int:
    """PACKET_HOST 0, MULTICAST 2 or OTHERHOST 3, for lo: its address is all zeros, and so is its broadcast address."""
    if frame[0] & 1:
        return 2
    return 0 if frame[:6] == bytes(6) else 3


def _plain(world: World, prog_type: int, ctx: bytes) -> Prepared:
    raw = bytearray(ctx)
    region = world.memory.map(raw, "context", prog_type not in READ_ONLY)

    def finish() -> tuple[bytes, bytes]:
        return b"", bytes(raw)

    return Prepared(region.base, _then_release(world, finish, None, region))
