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
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)
    if t is None:
        return 1
    return t.pid  # error[not-released] return: what bpf_task_from_pid() gave; call bpf_task_release(); it was acquired here
    # fixed: pid = t.pid
    # fixed: bpf_task_release(t)
    # fixed: return pid
# --- used after it was given back
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)
    if t is None:
        return 1
    bpf_task_release(t)
    return t.pid  # error[use-after-release] t.pid: 't'; bpf_task_release
    # fixed: return 0
# --- given back twice
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid(1)
    if t is None:
        return 1
    bpf_task_release(t)
    bpf_task_release(t)  # error[use-after-release] ^t|bpf_task_release: 't'
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
# --- packet without bounds
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = Ptr[Ethernet](ctx.data)
    return eth.proto & 1  # error[packet-bounds] eth: length has not been tested; pull
    # fixed: return 1
# --- byte of a bare pointer
@bpf.xdp
def prog(ctx):
    data = ctx.data
    return data[12]  # error[type-mismatch] data: indexed; pkt[i]
    # fixed: return ctx.packet[12]
# --- slice of the packet
@bpf.xdp
def prog(ctx):
    x = ctx.packet[0:4]  # error[unsupported] ctx: slice of the packet; bytes(0, 4)
    # fixed: x = ctx.packet.bytes(0, 4)
    return 2
# --- pulling a number of bytes
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(14)  # error[type-mismatch] 14: a type; skip
    # fixed: eth = ctx.packet.bytes(0, 14)
    return 2
# --- loop over the packet
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    n = 0
    for b in pkt:  # error[type-mismatch] ^pkt: range; range(len(pkt))
        # fixed: for i in range(4):
        n += 1
    return n
# --- length of the context
@bpf.xdp
def prog(ctx):
    return len(ctx)  # error[type-mismatch] len: len(); len(ctx.packet)
    # fixed: return len(ctx.packet)
# --- buffer that is too small
@bpf.tc
def prog(ctx):
    buf = u8[2]()
    bpf.helpers.skb_load_bytes(ctx, 0, buf, 4)  # error[too-long] 4: 4 bytes are written here; u8[2]
    # fixed: bpf.helpers.skb_load_bytes(ctx, 0, buf, 2)
    return 0
# --- bytes where memory is written
@bpf.tc
def prog(ctx):
    bpf.helpers.skb_load_bytes(ctx, 0, b"abcd", 4)  # error[type-mismatch] b"abcd": writes to memory; u8[16]()
    # fixed: bpf.helpers.skb_load_bytes(ctx, 0, u8[4](), 4)
    return 0
# --- lock taken by a method
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
    v.lock.acquire()  # error[undefined-name] v: SpinLock; with v.lock
    # fixed: with v.lock:
    # fixed:     v.n += 1
    return 0
# --- printing under a lock
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
        print("x")  # error[locked] print: print() cannot be called while a lock is held
        # fixed: v.n += 1
    return 0
# --- socket not given back
@bpf.tc
def prog(ctx):
    t = u8[12]()
    sk = bpf.helpers.sk_lookup_tcp(ctx, t, 12, 0, 0)
    return 0  # error[not-released] return: sk_lookup_tcp; sk_release(); acquired here
    # fixed: if sk is not None:
    # fixed:     bpf.helpers.sk_release(sk)
    # fixed: return 0
# --- struct on the stack
@bpf.struct
class Big:
    data: u8[4096]
@bpf.xdp
def prog(ctx):
    b = Big()  # error[stack-too-large] b|Big: 512; per-CPU array
    # fixed: b = Big
    b.data[ctx.packet[0]] = 1
    # also: pass
    return 2
# --- a helper under a resilient lock
@bpf.struct
class V:
    lock: bpf.ResSpinLock
    n: u64
m = HashMap[u32, V](max_entries=4)
@bpf.tc
def prog(ctx):
    v = m.lookup(1)
    if v is None:
        return 0
    with v.lock:
        v.n = bpf.ktime_ns()  # error[locked] bpf.ktime_ns: cannot be called while a lock is held
        # fixed: v.n += 1
    return 0
# --- acquiring a resilient lock by name
@bpf.struct
class V:
    lock: bpf.ResSpinLock
    n: u64
m = HashMap[u32, V](max_entries=4)
@bpf.tc
def prog(ctx):
    v = m.lookup(1)
    if v is None:
        return 0
    v.lock.acquire()  # error[undefined-name] v: ResSpinLock; with v.lock
    # fixed: with v.lock:
    # fixed:     v.n += 1
    return 0
# --- what an entry owned is forgotten
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.struct
class V:
    task: bpf.Kptr[task_struct]
m = HashMap[u32, V](max_entries=4)
@bpf.syscall
def prog(ctx):
    new = bpf_task_from_pid(1)
    if new is None:
        return 1
    v = m.setdefault(1)
    old = v.task.swap(new)
    return 0  # error[not-released] return: swap; bpf_task_release
    # fixed: if old is not None:
    # fixed:     bpf_task_release(old)
    # fixed: return 0
# --- what was given away is used
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.struct
class V:
    task: bpf.Kptr[task_struct]
m = HashMap[u32, V](max_entries=4)
@bpf.syscall
def prog(ctx):
    new = bpf_task_from_pid(1)
    if new is None:
        return 1
    v = m.setdefault(1)
    old = v.task.swap(new)
    if old is not None:
        bpf_task_release(old)
    return new.pid  # error[use-after-release] new: given
    # fixed: return 0
# --- a task that nobody acquired is given away
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_acquire, bpf_task_release
@bpf.struct
class V:
    task: bpf.Kptr[task_struct]
m = HashMap[u32, V](max_entries=4)
@bpf.tp_btf("sched_process_exec")
def prog(p, old_pid, bprm):
    v = m.setdefault(1)
    old = v.task.swap(p)  # error[untrusted] v: acquired; bpf_task_acquire
    # fixed: mine = bpf_task_acquire(p)
    # fixed: if mine is None:
    # fixed:     return 0
    # fixed: old = v.task.swap(mine)
    if old is not None:
        bpf_task_release(old)
    return 0
# --- an object that an entry owns is assigned
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release
@bpf.struct
class V:
    task: bpf.Kptr[task_struct]
m = HashMap[u32, V](max_entries=4)
@bpf.syscall
def prog(ctx):
    v = m.setdefault(1)
    v.task = None  # error[read-only] v.task: owns is not assigned; .swap(new)
    # fixed: with v.task.swap(None):
    # fixed:     pass
    return 0
# --- what an entry owns is not tested
from purebpf.kernel import task_struct
@bpf.struct
class V:
    task: bpf.Kptr[task_struct]
m = HashMap[u32, V](max_entries=4)
@bpf.syscall
def prog(ctx):
    v = m.setdefault(1)
    with bpf.rcu():
        task = v.task
        n = task.pid  # error[null-pointer] task: may be None
        # fixed: n = task.pid if task is not None else 0
    return n
