"""Sockets of connections: kept in maps, told where data goes, counted, each with a value of its own."""

import purebpf as bpf
from purebpf import CgroupArray, HashMap, ReusePortArray, SkStorage, SockHash, SockMap, u32, u64

JUDGES = ["kernel"]


@bpf.struct
class Flow:
    local: u32
    remote: u32


by_flow = SockHash[Flow](max_entries=1024)
by_port = SockMap(max_entries=65536)
listeners = ReusePortArray(max_entries=4)
groups = CgroupArray(max_entries=1)
events = SkStorage[u64]()
marks = HashMap[u32, u64](max_entries=64)


@bpf.sock_ops
def connections(ctx):
    if ctx.op == bpf.BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB or ctx.op == bpf.BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
        by_flow[Flow(ctx.local_port, ctx.remote_port)] = ctx
        by_port.update(ctx, ctx.local_port & 0xFFFF, flags=bpf.ANY)
    elif ctx.op == bpf.BPF_SOCK_OPS_STATE_CB:
        del by_flow[Flow(ctx.local_port, ctx.remote_port)]
    if sk := ctx.sk:
        events[sk] += 1
    return 1


@bpf.sk_msg
def to_peer(ctx):
    return by_flow.redirect(ctx, Flow(ctx.remote_port, ctx.local_port), bpf.F_INGRESS)


@bpf.section("sk_skb/stream_verdict")
def to_port(ctx):
    return by_port.redirect(ctx, ctx.remote_port & 0xFFFF)


@bpf.sk_reuseport
def choose(ctx):
    if listeners.select(ctx, ctx.hash & 3) < 0:
        return bpf.SK_DROP
    return bpf.SK_PASS


@bpf.cgroup_connect4
def proxied(ctx):
    events[ctx.sk] += 1
    if ctx.sk.family == 2 and ctx.user_port == 80:
        ctx.user_port = 8080
    return 1


@bpf.tc
def classify(ctx):
    if groups.holds(0, ctx):
        return bpf.TC_ACT_SHOT
    sk = ctx.sk
    if sk is None:
        return bpf.TC_ACT_OK
    full = bpf.helpers.sk_fullsock(sk)
    if full is not None:
        marks[full.mark] += 1
        tcp = bpf.helpers.tcp_sock(full)
        if tcp is not None and tcp.snd_cwnd > 10:
            marks[sk.src_ip4] += 1
    return bpf.TC_ACT_OK


@bpf.sk_lookup
def steer(ctx):
    if ctx.sk is None and ctx.local_port == 7:
        return bpf.SK_DROP
    return bpf.SK_PASS


@bpf.flow_dissector
def dissect(ctx):
    keys = ctx.flow_keys
    keys.thoff = keys.nhoff + 20
    keys.sport = 53
    return 0


@bpf.netfilter
def filter(ctx):
    if ctx.state.hook == 1 and ctx.skb.len > 1000:
        return bpf.NF_DROP
    return bpf.NF_ACCEPT


CASES = [{"run": "classify", "retval": 0}]
