"""Sockets: lookup, options, TCP, sockmap messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from typing import Any

    from ..ints import i32, i64, u32, u64
    from ..memory import Ptr
    from .kinds import AnyMap, Ctx, Kernel, Mem, Out, Sock


@helper(region="socket", target="bpf_sock")
def sk_lookup_tcp(ctx: Ctx, tuple: Mem, tuple_size: u32, netns: u64, flags: u64) -> Ptr[Any] | None:
    """The TCP socket of an address tuple in network namespace `netns`; release it with sk_release."""


@helper(region="socket", target="bpf_sock")
def sk_lookup_udp(ctx: Ctx, tuple: Mem, tuple_size: u32, netns: u64, flags: u64) -> Ptr[Any] | None:
    """The UDP socket of an address tuple in network namespace `netns`; release it with sk_release."""


@helper(region="socket", target="bpf_sock")
def skc_lookup_tcp(ctx: Ctx, tuple: Mem, tuple_size: u32, netns: u64, flags: u64) -> Ptr[Any] | None:
    """The same as sk_lookup_tcp, also finding request and time-wait sockets."""


@helper()
def sk_release(sock: Sock) -> i64:
    """Give back a socket that a lookup gave."""


@helper(region="socket", target="bpf_sock")
def sk_fullsock(sk: Sock) -> Ptr[Any] | None:
    """The socket if it is a full one, else None."""


@helper(region="socket", target="bpf_tcp_sock")
def tcp_sock(sk: Sock) -> Ptr[Any] | None:
    """The TCP side of a socket; None if it is no TCP socket."""


@helper(region="socket", target="bpf_sock")
def get_listener_sock(sk: Sock) -> Ptr[Any] | None:
    """The listening socket that a request socket belongs to."""


@helper(region="kernel", target="tcp6_sock")
def skc_to_tcp6_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel tcp6_sock; None if it is of another kind."""


@helper(region="kernel", target="tcp_sock")
def skc_to_tcp_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel tcp_sock; None if it is of another kind."""


@helper(region="kernel", target="tcp_timewait_sock")
def skc_to_tcp_timewait_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel tcp_timewait_sock; None if it is of another kind."""


@helper(region="kernel", target="tcp_request_sock")
def skc_to_tcp_request_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel tcp_request_sock; None if it is of another kind."""


@helper(region="kernel", target="udp6_sock")
def skc_to_udp6_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel udp6_sock; None if it is of another kind."""


@helper(region="kernel", target="unix_sock")
def skc_to_unix_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel unix_sock; None if it is of another kind."""


@helper(region="kernel", target="mptcp_sock")
def skc_to_mptcp_sock(sk: Sock) -> Ptr[Any] | None:
    """The socket as a kernel mptcp_sock; None if it is of another kind."""


@helper(region="kernel", target="socket")
def sock_from_file(file: Kernel) -> Ptr[Any] | None:
    """The socket behind a file; None if it is none."""


@helper()
def sk_assign(ctx: Ctx, sk: Sock, flags: u64) -> i64:
    """Let this socket have the packet or the connection."""


@helper()
def sk_select_reuseport(reuse: Ctx, map: AnyMap, key: Mem, flags: u64) -> i64:
    """Choose the socket in slot `key` for the packet."""


@helper()
def sk_redirect_map(skb: Ctx, map: AnyMap, key: u32, flags: u64) -> i64:
    """Let the socket in slot `key` have the data (flag 1: on its receiving side)."""


@helper()
def sk_redirect_hash(skb: Ctx, map: AnyMap, key: Mem, flags: u64) -> i64:
    """Let the socket under `key` have the data (flag 1: on its receiving side)."""


@helper()
def sock_map_update(skops: Ctx, map: AnyMap, key: Mem, flags: u64) -> i64:
    """Put this connection's socket into a sockmap."""


@helper()
def sock_hash_update(skops: Ctx, map: AnyMap, key: Mem, flags: u64) -> i64:
    """Put this connection's socket into a sockhash."""


@helper()
def msg_redirect_map(msg: Ctx, map: AnyMap, key: u32, flags: u64) -> i64:
    """Let the socket in slot `key` have the message (flag 1: on its receiving side)."""


@helper()
def msg_redirect_hash(msg: Ctx, map: AnyMap, key: Mem, flags: u64) -> i64:
    """Let the socket under `key` have the message (flag 1: on its receiving side)."""


@helper()
def msg_apply_bytes(msg: Ctx, bytes: u32) -> i64:
    """Let this verdict hold for the next `bytes` bytes."""


@helper()
def msg_cork_bytes(msg: Ctx, bytes: u32) -> i64:
    """Call again when `bytes` bytes have gathered."""


@helper()
def msg_pull_data(msg: Ctx, start: u32, end: u32, flags: u64) -> i64:
    """Make bytes `start` to `end` of the message directly accessible."""


@helper()
def msg_push_data(msg: Ctx, start: u32, len: u32, flags: u64) -> i64:
    """Make room for `len` bytes at `start` of the message."""


@helper()
def msg_pop_data(msg: Ctx, start: u32, len: u32, flags: u64) -> i64:
    """Remove `len` bytes at `start` of the message."""


@helper()
def setsockopt(bpf_socket: Ctx, level: i32, optname: i32, optval: Mem, optlen: i32) -> i64:
    """Set a socket option; like setsockopt(2) for the options that BPF may set."""


@helper()
def getsockopt(bpf_socket: Ctx, level: i32, optname: i32, optval: Out, optlen: i32) -> i64:
    """Read a socket option; like getsockopt(2) for the options that BPF may read."""


@helper()
def bind(ctx: Ctx, addr: Mem, addr_len: i32) -> i64:
    """Choose the local address before connecting."""


@helper()
def sock_ops_cb_flags_set(bpf_sock: Ctx, argval: i32) -> i64:
    """Choose which callbacks this connection's sock_ops program gets."""


@helper()
def load_hdr_opt(skops: Ctx, searchby_res: Out, len: u32, flags: u64) -> i64:
    """Find a TCP header option of the packet and copy it to `searchby_res`."""


@helper()
def store_hdr_opt(skops: Ctx, from_: Mem, len: u32, flags: u64) -> i64:
    """Write a TCP header option into the packet being built."""


@helper()
def reserve_hdr_opt(skops: Ctx, len: u32, flags: u64) -> i64:
    """Ask for room for TCP header options in the packet to come."""


@helper()
def tcp_check_syncookie(sk: Sock, iph: Mem, iph_len: u32, th: Mem, th_len: u32) -> i64:
    """Is this ACK the answer to a SYN cookie of the listening socket?"""


@helper()
def tcp_gen_syncookie(sk: Sock, iph: Mem, iph_len: u32, th: Mem, th_len: u32) -> i64:
    """Make a SYN cookie for a SYN; MSS in the high, cookie in the low 32 bits."""


@helper()
def tcp_raw_gen_syncookie_ipv4(iph: Mem, th: Mem, th_len: u32) -> i64:
    """Make a SYN cookie from the headers alone."""


@helper()
def tcp_raw_gen_syncookie_ipv6(iph: Mem, th: Mem, th_len: u32) -> i64:
    """Make a SYN cookie from the headers alone."""


@helper()
def tcp_raw_check_syncookie_ipv4(iph: Mem, th: Mem) -> i64:
    """Check a SYN cookie from the headers alone."""


@helper()
def tcp_raw_check_syncookie_ipv6(iph: Mem, th: Mem) -> i64:
    """Check a SYN cookie from the headers alone."""


@helper()
def tcp_send_ack(tp: Kernel, rcv_nxt: u32) -> i64:
    """Send an ACK for `rcv_nxt` (congestion control programs)."""


@helper()
def get_socket_cookie(sk: Ctx) -> u64:
    """A number that stays with this socket and no other."""


@helper()
def get_socket_uid(skb: Ctx) -> u32:
    """User id of the packet's socket, 65534 if it has none."""


@helper()
def get_netns_cookie(ctx: Ctx | None) -> u64:
    """A number that stays with this network namespace and no other."""
