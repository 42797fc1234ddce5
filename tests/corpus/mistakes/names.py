# Names that are not there.
# --- variable
@bpf.xdp
def prog(ctx):
    total = 1
    return totl  # error[undefined-name] totl: 'totl' is not defined; did you mean 'total'
    # fixed: return total
# --- map method
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lokup(1)  # error[undefined-name] calls|lokup: 'lokup'; did you mean 'lookup'
    # fixed: v = calls.lookup(1)
    return 2
# --- module word
@bpf.xdp
def prog(ctx):
    return bpf.curent_pid()  # error[undefined-name] bpf|curent_pid: 'curent_pid'; did you mean 'current_pid'
    # fixed: return bpf.current_pid()
# --- field
@bpf.struct
class Event:
    pid: u32
events = RingBuf[Event](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with events.reserve() as e:
        e.pdi = 1  # error[no-field] e|pdi: Event has no field 'pdi'; did you mean 'pid'
        # fixed: e.pid = 1
    return 2
# --- header field
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth and eth.h_proto == 8:  # error[no-field] ^eth|h_proto: Ethernet has no field 'h_proto'; proto
        # fixed: if eth and eth.proto == 8:
        return 1
    return 2
# --- context field
@bpf.xdp
def prog(ctx):
    return ctx.ifindex  # error[no-field] ctx|ifindex: 'ifindex'; did you mean
    # fixed: return ctx.ingress_ifindex
# --- context field of tc
@bpf.tc
def prog(ctx):
    return ctx.length  # error[no-field] ctx|length: 'length'; did you mean 'len'
    # fixed: return ctx.len
# --- tracepoint field
@bpf.tracepoint("sched:sched_process_exec")
def prog(ctx):
    n = ctx.pidd  # error[no-field] ctx|pidd: 'pidd'; did you mean 'pid'
    # fixed: n = ctx.pid
# --- constructor field
@bpf.struct
class Event:
    pid: u32
m = HashMap[u32, Event](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = Event(pdi=1)  # error[no-field|arguments] Event|pdi: 'pdi'; did you mean 'pid'
    # fixed: m[1] = Event(pid=1)
    return 2
# --- assigned on one path only
@bpf.xdp
def prog(ctx):
    if ctx.packet[0] > 3:
        n = 1
    return n  # error[unassigned] ^n: 'n' is not assigned on every path
    # fixed: return 1
# --- used before
@bpf.xdp
def prog(ctx):
    n += 1  # error[unassigned] n +: 'n'
    # fixed: n = 1
    return n
# --- global without declaration
count = 0
@bpf.xdp
def prog(ctx):
    count += 1  # error[unassigned|undefined-name|read-only] count: 'count'; Global
    # fixed: n = count + 1
    return 2
# --- global statement on an int
count = 0
@bpf.xdp
def prog(ctx):
    global count
    count += 1  # error[unsupported|read-only|type-mismatch] count: 'count'; Global
    # fixed: n = count + 1
    return 2
# --- nosuch in global
@bpf.xdp
def prog(ctx):
    global nosuch  # error[unsupported|undefined-name] global|nosuch: nosuch
    # fixed: -
    return 2
# --- enum member
from enum import IntEnum
class Kind(IntEnum):
    OPEN = 1
@bpf.xdp
def prog(ctx):
    return Kind.OPNE  # error[undefined-name] Kind|OPNE: 'OPNE'; did you mean 'OPEN'
    # fixed: return Kind.OPEN
# --- helper
@bpf.xdp
def prog(ctx):
    return bpf.helpers.ktime_get() & 1  # error[undefined-name] bpf|ktime_get: 'ktime_get'; ktime_get_ns
    # fixed: return bpf.helpers.ktime_get_ns() & 1
# --- packet method
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.read(Ethernet)  # error[undefined-name] ctx|read: 'read'; pull
    # fixed: eth = ctx.packet.pull(Ethernet)
    return 2
# --- kernel field
@bpf.kernel_struct
class task_struct:
    pidd: i32  # error[no-field] pidd: task_struct; 'pidd'; did you mean 'pid'
    # fixed: pid: i32
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_struct)
# --- kernel type
@bpf.kernel_struct
class task_strukt:  # error[no-field|undefined-name] class|task_strukt: task_strukt; task_struct
    # fixed: class task_struct:
    pid: i32
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_strukt)
    # also: t = bpf.current_task(task_struct)
# --- C: NULL
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    if calls.lookup(1) == NULL:  # error[undefined-name] NULL: 'NULL'; write 'None'
        # fixed: if calls.lookup(1) is None:
        return 1
    return 2
# --- C: a helper by its kernel name
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    pid = bpf_get_current_pid_tgid() >> 32  # error[undefined-name] bpf_get: 'bpf_get_current_pid_tgid'; bpf.helpers.get_current_pid_tgid
    # fixed: pid = bpf.helpers.get_current_pid_tgid() >> 32
# --- a helper looked for in the module
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    pid = bpf.get_current_pid_tgid() >> 32  # error[undefined-name] bpf: 'get_current_pid_tgid'; bpf.helpers.get_current_pid_tgid
    # fixed: pid = bpf.helpers.get_current_pid_tgid() >> 32
# --- C: printk
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    bpf_trace_printk("hello")  # error[undefined-name] bpf_trace: 'bpf_trace_printk'; print(
    # fixed: print("hello")
# --- C: true
@bpf.xdp
def prog(ctx):
    while true:  # error[undefined-name] true: 'true'; write 'True'
        # fixed: while True:
        return 2
# --- the class instead of an object
@bpf.struct
class E:
    a: u32
@bpf.xdp
def prog(ctx):
    e = E
    e.a = 5  # error[undefined-name] e: 'E' is the class; 'E(…)'
    # fixed: e = E(5)
    return 2
# --- pointer field as a number
@bpf.kernel_struct
class task_struct:
    mm: u64  # error[type-mismatch] u64: task_struct.mm is a pointer to mm_struct; Ptr["mm_struct"]
    # fixed: mm: Ptr[None]
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_struct)
# --- sign of a kernel field
@bpf.kernel_struct
class task_struct:
    pid: u32  # error[type-mismatch] u32: task_struct.pid is signed; 'pid: i32'
    # fixed: pid: i32
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_struct)
# --- bit-field of the kernel
out = Global[u64](0)
@bpf.kernel_struct
class task_struct:
    in_execve: u32  # error[type-mismatch] u32: bit-field of 1 bit; u32[:1]
    # fixed: in_execve: u32[:1]
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    out.value = bpf.current_task(task_struct).in_execve
# --- struct of the kernel as a number
out = Global[u64](0)
@bpf.kernel_struct
class kuid_t:
    val: u32
@bpf.kernel_struct
class cred:
    uid: u32  # error[type-mismatch] u32: cred.uid is the struct kuid_t; kuid_t
    # fixed: uid: kuid_t
@bpf.kernel_struct
class task_struct:
    cred: Ptr[cred]
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    c = bpf.current_task(task_struct).cred
    out.value = Ptr[cred](c).uid
    # also: out.value = Ptr[cred](c).uid.val
# --- text of the kernel that is longer here
@bpf.kernel_struct
class task_struct:
    comm: char[32]  # error[type-mismatch] char: task_struct.comm is char[16]
    # fixed: comm: char[16]
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_struct)
# --- field that only some kernels have
out = Global[u64](0)
@bpf.kernel_struct
class task_struct:
    pid: i32
    nonsense: i64  # error[no-field] nonsense: no field 'nonsense'; field_exists(task_struct, "nonsense")
    # fixed: -
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    out.value = bpf.current_task(task_struct).pid
# --- header that is not imported
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)  # error[undefined-name] Ethernet: 'Ethernet'; from purebpf.net import Ethernet
    # fixed: eth = ctx.packet.peek(u32)
    return 2
# --- attribute of an object
class Counter:
    n = 0
c = Counter()
@bpf.xdp
def prog(ctx):
    c.n += 1  # error[read-only] c: 'n' of a Counter cannot be assigned; a Global
    # fixed: n = c.n + 1
    return 2
