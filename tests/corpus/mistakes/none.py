# Values that may be None, used before a test.
# --- lookup
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    v.value += 1  # error[null-pointer] v: 'v' may be None; absent; if v is not None
    # fixed: if v is not None:
    # fixed:     v.value += 1
    return 2
# --- lookup struct
@bpf.struct
class Stats:
    n: u64
stats = HashMap[u32, Stats](max_entries=16)
@bpf.xdp
def prog(ctx):
    s = stats.lookup(1)
    return s.n  # error[null-pointer] s: 's' may be None; absent
    # fixed: return s.n if s else 0
# --- chained lookup
@bpf.struct
class Stats:
    n: u64
stats = HashMap[u32, Stats](max_entries=16)
@bpf.xdp
def prog(ctx):
    return stats.lookup(1).n  # error[null-pointer] stats: may be None; absent
    # fixed: s = stats.lookup(1)
    # fixed: return s.n if s else 0
# --- pull
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth.proto == 0x0800:  # error[null-pointer] eth: 'eth' may be None; if eth is not None
        # fixed: if eth is not None and eth.proto == 0x0800:
        return 1
    return 2
# --- wrong test
from purebpf.net import Ethernet, IPv4
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    ip = pkt.pull(IPv4)
    if eth is None:
        return 1
    return ip.ttl  # error[null-pointer] ip: 'ip' may be None; if ip is not None
    # fixed: return ip.ttl if ip else 1
# --- or instead of and
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth or eth.proto == 5:  # error[null-pointer] ^eth: 'eth' is None here; 'if eth and
        # fixed: if eth and eth.proto == 5:
        return 1
    return 2
# --- get in arithmetic
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    return calls.get(1) + 1  # error[null-pointer] calls: may be None; get(
    # fixed: return calls.get(1, 0) + 1
# --- get compared by size
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    if calls.get(1) > 5:  # error[null-pointer] calls: may be None
        # fixed: if calls.get(1, 0) > 5:
        return 1
    return 2
# --- hash entry read by index
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    return calls[1]  # error[null-pointer] calls: may be absent; get(
    # fixed: return calls.get(1, 0)
# --- test forgotten in one branch
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    if v is None:
        calls[1] = 1
    v.value += 1  # error[null-pointer] v: 'v' may be None
    # fixed: else:
    # fixed:     v.value += 1
    return 2
# --- none on one path
@bpf.xdp
def prog(ctx):
    port = None
    if ctx.packet[0] == 1:
        port = 80
    return port + 1  # error[null-pointer] port: 'port' may be None
    # fixed: return port + 1 if port is not None else 0
# --- result that may be none
def find(n):
    if n > 3:
        return n
    return None
@bpf.xdp
def prog(ctx):
    return find(ctx.packet[0]) * 2  # error[null-pointer] find: may be None
    # fixed: n = find(ctx.packet[0])
    # fixed: return n * 2 if n is not None else 0
# --- none passed on
@bpf.struct
class Stats:
    n: u64
stats = HashMap[u32, Stats](max_entries=16)
@bpf.func
def bump(s: Ptr[Stats]) -> u64:
    s.n += 1
    return s.n
@bpf.xdp
def prog(ctx):
    s = stats.lookup(1)
    bump(s)  # error[null-pointer] ^s: 's' may be None
    # fixed: if s is not None:
    # fixed:     bump(s)
    return 2
# --- queue pop
q = Queue[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    job = q.pop()
    return job + 1  # error[null-pointer] job: 'job' may be None; empty
    # fixed: return job + 1 if job is not None else 0
# --- bytes of the packet stored
mac = Global[u8[6]]()
@bpf.xdp
def prog(ctx):
    mac.value = ctx.packet.bytes(0, 6)  # error[null-pointer] ctx: may be None
    # fixed: m = ctx.packet.bytes(0, 6)
    # fixed: if m is not None:
    # fixed:     mac.value = m
    return 2
# --- loop over a chain
@bpf.kernel_struct
class task_struct:
    pid: i32
    real_parent: Ptr["task_struct"]
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    v = calls.lookup(1)
    while v.value > 0:  # error[null-pointer] v: 'v' may be None
        # fixed: while v is not None and v.value > 0:
        v.value -= 1
# --- none as an answer
q = Queue[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    while (job := q.pop()) is not None:
        pass
    return job  # error[null-pointer] job: this is None
    # fixed: return 2
# --- None where a helper wants memory
@bpf.tc
def prog(ctx):
    sk = bpf.helpers.sk_lookup_tcp(ctx, None, 12, 0, 0)  # error[type-mismatch] None: sk_lookup_tcp() takes memory here; not None; a struct
    # fixed: sk = bpf.helpers.sk_lookup_tcp(ctx, b"012345678901", 12, 0, 0)
    if sk is not None:
        bpf.helpers.sk_release(sk)
    return 0
