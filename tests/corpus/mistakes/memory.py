# Memory: the stack, packets that move, what is owned.
# --- stack
@bpf.xdp
def prog(ctx):
    big = u8[600]()  # error[stack-too-large] u8|big: 512; map
    # fixed: big = u8[60]()
    big[ctx.packet[0]] = 1
    return big[3]
# --- stale header
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 1
    bpf.helpers.xdp_adjust_head(ctx, -4)
    return eth.proto & 1  # error[stale-pointer] eth: 'eth'; xdp_adjust_head
    # fixed: return 1
# --- stale header after a subprogram
from purebpf.net import Ethernet
@bpf.func
def grow(ctx) -> i64:
    return bpf.helpers.xdp_adjust_head(ctx, -4)
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 1
    grow(ctx)
    return eth.proto & 1  # error[stale-pointer] eth: 'eth'; grow
    # fixed: return 1
# --- stale through a tuple
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 1
    pair = eth, 5
    bpf.helpers.xdp_adjust_head(ctx, -4)
    return pair[0].proto & 1  # error[stale-pointer] pair: 'pair'; xdp_adjust_head()
    # fixed: return 1
# --- pointer kept in a map
from purebpf.net import Ethernet
m = HashMap[u32, u64](max_entries=4)
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 1
    m[1] = eth  # error[type-mismatch] eth|m: pointer
    # fixed: m[1] = eth.proto
    return 2
# --- record used after the block
@bpf.struct
class E:
    a: u32
rb = RingBuf[E](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with rb.reserve() as e:
        e.a = 1
    return e.a  # error[stale-pointer|unassigned] e.a: 'e'
    # fixed: return 1
# --- reference not given back
from purebpf.kernel.kfuncs import bpf_task_from_pid
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)  # error[*] t|bpf_task_from_pid: bpf_task_release
    # fixed: with bpf_task_from_pid(1) as t:
    # fixed:     pass
    return 0
# --- used after it was given back
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)
    if t is None:
        return 1
    bpf_task_release(t)
    return t.pid  # error[stale-pointer] t.pid: 't'; bpf_task_release
    # fixed: return 0
# --- given back twice
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)
    if t is None:
        return 1
    bpf_task_release(t)
    bpf_task_release(t)  # error[stale-pointer] ^t|bpf_task_release: 't'
    # fixed: -
    return 0
# --- a call under a lock
@bpf.struct
class V:
    lock: bpf.SpinLock
    n: u64
m = HashMap[u32, V](max_entries=4)
@bpf.tc
def prog(ctx):
    v = m.lookup(1)
    if v is None:
        return 0
    with v.lock:
        v.n = bpf.ktime_ns()  # error[*] bpf: lock
        # fixed: v.n += 1
    return 0
# --- two locks
@bpf.struct
class V:
    lock: bpf.SpinLock
    n: u64
m = HashMap[u32, V](max_entries=4)
@bpf.tc
def prog(ctx):
    a = m.lookup(1)
    b = m.lookup(2)
    if a is None or b is None:
        return 0
    with a.lock:
        with b.lock:  # error[*] with|b: lock
            # fixed: if True:
            a.n += 1
    return 0
# --- unbounded copy
@bpf.struct
class E:
    data: u8[16]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    part = ctx.packet.bytes(0, 32)
    if part is not None:
        e.data = part  # error[too-long|type-mismatch] part|e: u8[16]; 32
        # fixed: e.data = part[:16]
    return 2
