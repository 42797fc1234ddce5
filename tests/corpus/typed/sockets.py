"""Hooks of sockets and cgroups, each with its context."""

import purebpf as bpf
from purebpf import Global, HashMap, be32, u16, u32, u64

allowed = HashMap[u16, bool](max_entries=16)
dialled = HashMap[be32, u64](max_entries=16)
states = Global[u32](0)
marked = Global[u32](0)


@bpf.cgroup_connect4
def connect(ctx: bpf.SockAddrContext) -> int:
    dialled[ctx.user_ip4] += 1
    ok = allowed.lookup(ctx.user_port)
    if ok is not None and ok.value:
        ctx.user_port = 8080
        return 1
    return 0


@bpf.cgroup_bind4(default=1)
def bind(ctx: bpf.SockAddrContext) -> int:
    assert ctx.family == 2
    return 1


@bpf.sock_ops
def watch(ctx: bpf.SockOpsContext) -> int:
    if ctx.op == bpf.BPF_SOCK_OPS_STATE_CB:
        states.value += ctx.args[1]
    ctx.reply = 1
    return 1


@bpf.socket_filter
def head(ctx: bpf.TcContext) -> int:
    return min(ctx.len, 32)


@bpf.cgroup_skb("egress")
def leaving(ctx: bpf.TcContext) -> bpf.SkAction:
    marked.value = ctx.mark
    return bpf.SK_PASS if ctx.protocol == 0x800 else bpf.SK_DROP


@bpf.cgroup_sysctl
def sysctl(ctx: bpf.SysctlContext) -> int:
    return 0 if ctx.write else 1


@bpf.cgroup_dev
def device(ctx: bpf.DeviceContext) -> int:
    return int(ctx.major == 1 and ctx.minor in (3, 5))


@bpf.sk_lookup
def look(ctx: bpf.SkLookupContext) -> bpf.SkAction:
    return bpf.SK_DROP if ctx.local_port == 7 else bpf.SK_PASS


CASES = [{"run": "head", "retval": 32}]
