# Things of another kind than is wanted.
# --- string into a number
@bpf.struct
class Event:
    pid: u32
e = Global[Event]()
@bpf.xdp
def prog(ctx):
    e.pid = "one"  # error[type-mismatch] "one"|e.pid: number
    # fixed: e.pid = 1
    return 2
# --- number into a string
@bpf.struct
class Event:
    comm: char[16]
e = Global[Event]()
@bpf.xdp
def prog(ctx):
    e.comm = 5  # error[type-mismatch] 5|e.comm: char[16]
    # fixed: e.comm = "5"
    return 2
# --- key of another type
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls["abc"] = 1  # error[type-mismatch] "abc": number
    # fixed: calls[1] = 1
    return 2
# --- number for a struct key
@bpf.struct
class Key:
    a: u32
    b: u32
calls = HashMap[Key, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls[1] += 1  # error[type-mismatch] 1: Key
    # fixed: calls[Key(1, 0)] += 1
    return 2
# --- another struct stored
@bpf.struct
class A:
    x: u32
@bpf.struct
class B:
    x: u32
m = HashMap[u32, A](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = B(x=1)  # error[type-mismatch] B|m: A; B
    # fixed: m[1] = A(x=1)
    return 2
# --- another struct sent
@bpf.struct
class A:
    x: u32
@bpf.struct
class B:
    x: u32
    y: u64
rb = RingBuf[B](max_entries=4096)
@bpf.xdp
def prog(ctx):
    rb.output(A(x=1))  # error[type-mismatch] A|rb: B; A
    # fixed: rb.output(B(x=1))
    return 2
# --- another struct as a field
@bpf.struct
class A:
    x: u32
@bpf.struct
class B:
    x: u64
@bpf.struct
class C:
    a: A
c = Global[C]()
@bpf.xdp
def prog(ctx):
    c.a = B(x=1)  # error[type-mismatch] B|c: A; B
    # fixed: c.a = A(x=1)
    return 2
# --- another struct as a key
@bpf.struct
class A:
    x: u32
@bpf.struct
class B:
    x: u64
m = HashMap[A, u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    return m.get(B(x=1), 0)  # error[type-mismatch] B|m: A; B
    # fixed: return m.get(A(x=1), 0)
# --- another struct as an argument
@bpf.struct
class A:
    x: u32
@bpf.struct
class B:
    x: u64
@bpf.func
def f(a: Ptr[A]) -> u32:
    return a.x
@bpf.xdp
def prog(ctx):
    b = B(x=1)
    return f(b)  # error[type-mismatch] ^b|f: A; B
    # fixed: return f(A(x=1))
# --- arithmetic with a string
@bpf.xdp
def prog(ctx):
    return ctx.packet[0] + "1"  # error[type-mismatch] "1"|ctx: number
    # fixed: return ctx.packet[0] + 1
# --- pointer in arithmetic
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    if v is None:
        return 0
    return v + 1  # error[type-mismatch] v: pointer; v.value
    # fixed: return v.value + 1
# --- attribute of a number
@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    return n.value  # error[no-field|type-mismatch] n.value|value: 'value'
    # fixed: return n
# --- two kinds of things
@bpf.struct
class Event:
    pid: u32
@bpf.xdp
def prog(ctx):
    if ctx.packet[0]:
        x = 1
    else:
        x = Event()
    return x  # error[type-conflict] x: 'x'; number; Event
    # fixed: return 1
# --- result of two kinds
@bpf.struct
class Event:
    pid: u32
def make(n):
    if n:
        return 1
    return Event()  # error[type-conflict] return: number; Event; the other result
    # fixed: return 2
@bpf.xdp
def prog(ctx):
    return make(ctx.packet[0])
# --- unknown annotation
@bpf.xdp
def prog(ctx):
    a: "str" = 300  # error[type-mismatch|unsupported] "str": str
    # fixed: a: u32 = 300
    return a
# --- list as an annotation
@bpf.xdp
def prog(ctx):
    x: list = 5  # error[type-mismatch|unsupported] list: list
    # fixed: x: u32 = 5
    return x
# --- a type where a value belongs
@bpf.xdp
def prog(ctx):
    return u32  # error[type-mismatch] u32: number
    # fixed: return u32(1)
# --- a map where a value belongs
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    if calls > 5:  # error[type-mismatch] calls: number; HashMap
        # fixed: if calls.get(1, 0) > 5:
        return 1
    return 2
# --- calling a number
@bpf.xdp
def prog(ctx):
    n = 5
    return n(3)  # error[type-mismatch|unsupported] n(3): call
    # fixed: return n * 3
# --- wrong width of a kernel field
@bpf.kernel_struct
class task_struct:
    pid: u64  # error[type-mismatch] pid|u64: task_struct.pid; 4 bytes
    # fixed: pid: i32
out = Global[u64](0)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    out.value = bpf.current_task(task_struct).pid
# --- array into a shorter array
@bpf.struct
class E:
    a: u8[4]
    b: u8[8]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.a = e.b  # error[type-mismatch|too-long] e.b: u8[4]; u8[8]
    # fixed: e.b = e.b
    return 2
# --- memory for a helper
@bpf.tc
def prog(ctx):
    bpf.helpers.skb_load_bytes(ctx, 0, 5, 4)  # error[type-mismatch] 5: memory
    # fixed: buf = u8[4]()
    # fixed: bpf.helpers.skb_load_bytes(ctx, 0, buf, 4)
    return 0
# --- address as text
from purebpf.net import Ethernet, IPv4
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    ip = pkt.pull(IPv4)
    if ip and ip.src == "10.0.0.1":  # error[type-mismatch] "10: number; 0x0a000001
        # fixed: if ip and ip.src == 0x0a000001:
        return 1
    return 2
# --- pointer as an answer
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    if v is None:
        return 1
    return v  # error[type-mismatch] v: number; '.value'
    # fixed: return v.value
# --- lookup compared with a number
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    if calls.lookup(1) == 5:  # error[type-mismatch] calls: pointer to a number; get(key, 0)
        # fixed: if calls.get(1, 0) == 5:
        return 1
    return 2
# --- digits as an answer
@bpf.xdp
def prog(ctx):
    return "2"  # error[type-mismatch] "2": number; write 2
    # fixed: return 2
# --- struct compared with a number
@bpf.struct
class E:
    a: u32
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    v = m.lookup(1)
    if v is None:
        return 0
    if v == 5:  # error[type-mismatch] 5: an E; number 5
        # fixed: if v.a == 5:
        return 1
    return 2
# --- sum with a pointer to a struct
@bpf.struct
class E:
    a: u32
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    v = m.lookup(1)
    if v is None:
        return 0
    return v + 1  # error[type-mismatch] v: number; '.a'
    # fixed: return v.a + 1
# --- default of another type
@bpf.struct
class E:
    a: u32
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    return m.get(1, 0).a  # error[type-mismatch] 0: an E; E(…)
    # fixed: return m.get(1, E(0)).a
# --- fields in another order
@bpf.struct
class E:
    a: u32
    name: char[8]
rb = RingBuf[E](max_entries=4096)
@bpf.xdp
def prog(ctx):
    rb.output(E("x", 1))  # error[type-mismatch] "x": number; 'x'
    # fixed: rb.output(E(1, "x"))
    return 2
# --- a task without its type
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task()
    x = t.pid  # error[no-field] t: pointer to void; Ptr[T]
    # fixed: x = u64(t)
# --- text cast to a char
@bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    t = char(ctx.filename)  # error[type-mismatch] char: 64 bits; char[64](p)
    # fixed: t = char[64](ctx.filename)
# --- annotated as text
@bpf.uprobe("libc.so.6:strlen")
def prog(x: str):  # error[type-mismatch] str: 'str' is no type of memory; char[16]
    # fixed: def prog(x: Ptr[char]):
    print(char[16](x))
# --- float as an annotation
@bpf.xdp
def prog(ctx):
    x: float = 5  # error[type-mismatch] float: 'float'; integers only
    # fixed: x: u32 = 5
    return x
# --- field of a number
@bpf.kprobe("tcp_connect")
def prog(ctx):
    sk = ctx.arg(0)
    print(sk.skc_family)  # error[type-mismatch] sk: a number (u64) has no attribute; Ptr[T](x)
    # fixed: print(sk)
# --- hardware address as text
from purebpf.net import Ethernet
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth and eth.dst == "ff:ff:ff:ff:ff:fe":  # error[too-long] "ff: 17 bytes are never equal to a u8[6]; b"\xff\xff\xff\xff\xff\xfe"
        # fixed: if eth and eth.dst == b"\xff\xff\xff\xff\xff\xfe":
        return 1
    return 2
# --- name that never fits
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    if bpf.current_comm() == "a name of more than 16":  # error[too-long] "a: 22 bytes are never equal to a char[16]
        # fixed: if bpf.current_comm() == "a name of more":
        print("it")
# --- address into a context
@bpf.cgroup_connect4
def prog(ctx):
    ctx.user_ip4 = "127.0.0.1"  # error[type-mismatch] "127: number; 0x7f000001
    # fixed: ctx.user_ip4 = 0x7f000001
    return 1
# --- context as a value
m = HashMap[u32, u64](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = ctx  # error[type-mismatch] ctx: number; context
    # fixed: m[1] = ctx.rx_queue_index
    return 2
# --- two numbers as a key
m = HashMap[u32, u64](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1, 2] += 1  # error[type-mismatch] 1: number; (1, 2)
    # fixed: m[1] += 1
    return 2
# --- argument of another type
@bpf.kernel_struct
class task_struct:
    pid: i32
@bpf.fentry("tcp_connect")
def prog(sk: Ptr[task_struct]):  # error[type-mismatch] sk: pointer to sock; Ptr[task_struct](sk)
    # fixed: def prog(sk):
    pass
