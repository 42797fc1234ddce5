"""Round-trip times at the end of connections, the state as an enumerator."""

import purebpf as bpf
from purebpf import HashMap, be32, u32, u64


@bpf.struct
class Peer:
    addr: be32
    port: u32


rtt = HashMap[Peer, u64](max_entries=128)


@bpf.sock_ops
def watch(ctx):
    if ctx.op == bpf.BPF_SOCK_OPS_TCP_CONNECT_CB:
        bpf.helpers.sock_ops_cb_flags_set(ctx, bpf.BPF_SOCK_OPS_STATE_CB_FLAG)
    elif ctx.op == bpf.BPF_SOCK_OPS_STATE_CB and ctx.args[1] == 7:
        rtt[Peer(ctx.remote_ip4, ctx.local_port)] = ctx.srtt_us >> 3
    return 1


CASES = []
