# Maps and records.
# --- too few arguments
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup()  # error[arguments] calls: lookup() takes 1 argument
    # fixed: v = calls.lookup(1)
    return 2
# --- reserve without with
@bpf.struct
class E:
    a: u32
rb = RingBuf[E](max_entries=4096)
@bpf.xdp
def prog(ctx):
    e = rb.reserve()  # error[unsupported] rb: with
    # fixed: with rb.reserve() as e:
    # fixed:     e.a = 1
    return 2
# --- ring by index
rb = RingBuf[u64](max_entries=4096)
@bpf.xdp
def prog(ctx):
    rb[1] = 2  # error[type-mismatch] rb: RingBuf; output
    # fixed: rb.output(2)
    return 2
# --- queue by key
q = Queue[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    q[0] = 1  # error[type-mismatch] q: Queue; push
    # fixed: q.push(1)
    return 2
# --- deleting from an array
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    del a[1]  # error[type-mismatch|unsupported|undefined-name] a|del: Array
    # fixed: a[1] = 0
    return 2
# --- made in a program
@bpf.xdp
def prog(ctx):
    m = HashMap[u32, u64](max_entries=4)  # error[unsupported] HashMap: HashMap; module level
    # fixed: m = 4
    return 2
# --- a dict
@bpf.xdp
def prog(ctx):
    seen = {}  # error[unsupported] {: dict; HashMap
    # fixed: seen = 0
    return 2
# --- a list that grows
@bpf.xdp
def prog(ctx):
    seen = []
    seen.append(1)  # error[unsupported|undefined-name|type-mismatch] seen: append; Queue
    # fixed: n = 1
    return 2
# --- two constructor arguments too many
@bpf.struct
class E:
    a: u32
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = E(1, 2)  # error[arguments] E: E; 1
    # fixed: m[1] = E(1)
    return 2
# --- len of a hash
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    return len(calls)  # error[type-mismatch|unsupported] len|calls: HashMap
    # fixed: return calls.get(1, 0)
# --- constant written
limit = Const[u32](5)
@bpf.xdp
def prog(ctx):
    limit.value = 6  # error[read-only] limit: Const; Global
    # fixed: n = limit + 1
    return 2
# --- name of a global added to
hits = Global[u64](0)
@bpf.xdp
def prog(ctx):
    hits += 1  # error[type-mismatch|unsupported|read-only|unassigned] hits: hits; .value
    # fixed: hits.value += 1
    return 2
# --- context read in a hash key
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls[ctx] = 1  # error[type-mismatch] ctx: context
    # fixed: calls[ctx.rx_queue_index] = 1
    return 2
# --- bcc: increment
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls.increment(1)  # error[undefined-name] calls: 'increment'; m[k] += 1
    # fixed: calls[1] += 1
    return 2
# --- bcc: perf_submit
events = PerfEventArray[u64](max_entries=4)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    events.perf_submit(ctx, u64(1))  # error[undefined-name] events: 'perf_submit'; output(ctx, value)
    # fixed: events.output(ctx, u64(1))
# --- perf output without the context
events = PerfEventArray[u64](max_entries=4)
@bpf.xdp
def prog(ctx):
    events.output(u64(5))  # error[arguments] events: output(); events.output(ctx, value
    # fixed: events.output(ctx, u64(5))
    return 2
# --- reserve with a size
@bpf.struct
class E:
    a: u32
rb = RingBuf[E](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with rb.reserve(8) as e:  # error[arguments] rb: reserve() takes no arguments; size of the RingBuf's type
        # fixed: with rb.reserve() as e:
        e.a = 1
    return 2
# --- submit by hand
@bpf.struct
class E:
    a: u32
rb = RingBuf[E](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with rb.reserve() as e:
        e.a = 1
        rb.submit(e)  # error[undefined-name] rb: 'submit'; at the end of
        # fixed: -
    return 2
# --- with of a lookup
calls = HashMap[u32, u64](max_entries=16)
@bpf.tc
def prog(ctx):
    with calls.lookup(1) as v:  # error[unsupported] calls: lookup(); if v is not None
        # fixed: v = calls.lookup(1)
        # fixed: if v is not None:
        v.value += 1
    return 0
# --- deleting an entry of an array by method
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    a.delete(1)  # error[undefined-name] a: an Array has no 'delete'; a[i] = 0
    # fixed: a[1] = 0
    return 2
# --- a dict of the module
counts = {}
@bpf.xdp
def prog(ctx):
    counts[1] = 2  # error[read-only] counts: cannot be changed by a program; a map
    # fixed: n = 2
    return 2
# --- a dict of the module added to
counts = {1: 0}
@bpf.xdp
def prog(ctx):
    counts[1] += 1  # error[read-only] counts: cannot be changed by a program; a map
    # fixed: n = counts[1] + 1
    return 2
# --- a list as an array
@bpf.xdp
def prog(ctx):
    counts = [0] * 256
    counts[ctx.packet[0]] += 1  # error[read-only] counts: a constant list cannot be changed; array
    # fixed: n = counts[ctx.packet[0]] + 1
    return 2
# --- a list of the module that grows
seen = []
@bpf.xdp
def prog(ctx):
    seen.append(ctx.packet[0])  # error[unsupported] seen: append; RingBuf
    # fixed: n = ctx.packet[0]
    return 2
# --- sum with a struct
@bpf.struct
class E:
    a: u32
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] += 1  # error[type-mismatch] m: number; pointer to E; '.a'
    # fixed: m[1].a += 1
    return 2
# --- entry of a program array
progs = ProgArray(max_entries=4)
@bpf.xdp
def prog(ctx):
    progs[1]  # error[type-mismatch] progs: ProgArray; progs[i](ctx)
    # fixed: progs[1](ctx)
    return 2
# --- tail call of a number
progs = ProgArray(max_entries=4)
@bpf.xdp
def prog(ctx):
    progs[1](5)  # error[type-mismatch] progs|5: context
    # fixed: progs[1](ctx)
    return 2
# --- variable of the name of a map
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls = calls.lookup(1)  # error[unassigned] ^calls: 'calls'; call that otherwise
    # fixed: v = calls.lookup(1)
    return 2
# --- a global made in a program
@bpf.xdp
def prog(ctx):
    n = Global[u64](0)  # error[unsupported] Global: a Global cannot be made in a program; module level
    # fixed: n = 0
    return n
# --- a Global that becomes a variable
hits = Global[u64](0)
@bpf.xdp
def prog(ctx):
    hits = 5  # error[shadowed] hits: 'hits' is a new variable; hits.value
    # fixed: hits.value = 5
    return 2
# --- length of a map in a loop
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    for i in range(len(calls)):  # error[type-mismatch] len|calls: len(); user space
        # fixed: for k, v in calls:
        pass
    return 2
# --- an argument by a name that there is not
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    return calls.get(1, defalt=0)  # error[arguments] calls: has no parameter 'defalt'; 'default'
    # fixed: return calls.get(1, default=0)
# --- a name twice
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls.update(1, 2, key=1)  # error[arguments] calls: 'key' is given twice
    # fixed: calls.update(1, 2)
    return 2
# --- a name, and what is before it left out
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls.update(value=2, flags=0)  # error[arguments] calls: lacks 'key'; calls.update(key, value, flags)
    # fixed: calls.update(key=1, value=2, flags=0)
    return 2
# --- by name where Python takes it by place
@bpf.xdp
def prog(ctx):
    return abs(x=-1)  # error[arguments] abs: abs() has no parameter 'x'
    # fixed: return abs(-1)
# --- a bloom filter in a program that may sleep
seen = BloomFilter[u32](max_entries=64)
@bpf.syscall
def prog(ctx):
    seen.add(5)  # error[program-type] seen: BloomFilter cannot be used in a program that may sleep; hashes
    # fixed: pass
    return 0
# --- a bloom filter in a function of a program that may sleep
seen = BloomFilter[u32](max_entries=64)
def note(n):
    seen.add(n)  # error[program-type] seen: BloomFilter; hashes; called from here, in prog
    # fixed: pass
    return 1
@bpf.tc
def other(ctx):
    return note(3)
@bpf.syscall
def prog(ctx):
    note(5)
    return 0
# --- a lock in a tracepoint
@bpf.struct
class Entry:
    n: u64
    lock: bpf.SpinLock
entries = HashMap[u32, Entry](max_entries=64)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    n = entries.lookup(1)  # error[program-type] entries: lock; tracepoint; atomic
    # fixed: n = 1
    print(n is None)
# --- zip over a map
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    for x, y in zip(a, (1, 2, 3)):  # error[type-mismatch] zip: arrays, text and constant sequences; items()
        # fixed: for x, y in zip((4, 5), (1, 2)):
        pass
    return 2
# --- a number as the key of a storage
tasks = TaskStorage[u64]()
@bpf.tp_btf("sched_process_exec")
def prog(p, old_pid, bprm):
    tasks[bpf.current_pid()] += 1  # error[type-mismatch] tasks: task_struct; pointers; bpf.current_task(task_struct)
    # fixed: tasks[p] += 1
# --- an object that nobody vouches for as the key of a storage
from purebpf.kernel import task_struct
tasks = TaskStorage[u64]()
@bpf.tp_btf("sched_process_exec")
def prog(p, old_pid, bprm):
    t = Ptr[task_struct](bpf.helpers.get_current_task())
    n = tasks.get(t, 0)  # error[untrusted] tasks: task_struct; bpf.current_task
    # fixed: n = tasks.get(bpf.current_task(task_struct), 0)
    print(n)
# --- another answer where no device is
devices = DevMap(max_entries=8)
@bpf.xdp
def prog(ctx):
    return devices.redirect(1, default=bpf.XDP_REDIRECT)  # error[constant] devices: XDP_PASS or XDP_TX
    # fixed: return devices.redirect(1, default=bpf.XDP_PASS)
# --- a device map in a tc program
devices = DevMap(max_entries=8)
@bpf.tc
def prog(ctx):
    return devices.redirect(1)  # error[program-type] devices: redirect(); tc; xdp
    # fixed: return bpf.helpers.redirect(1, 0)
# --- writing to a map for reading
limits = Array[u32](max_entries=4, readonly=True)
@bpf.xdp
def prog(ctx):
    limits[1] = 5  # error[read-only] limits: readonly; cannot
    # fixed: x = limits[1]
    return 2
# --- a socket that may not be there
marks = HashMap[u32, u64](max_entries=8)
@bpf.tc
def prog(ctx):
    marks[ctx.sk.family] += 1  # error[null-pointer] ctx: None; name it
    # fixed: marks[sk.family if (sk := ctx.sk) else 0] += 1
    return 0
# --- what only full sockets have
marks = HashMap[u32, u64](max_entries=8)
@bpf.tc
def prog(ctx):
    sk = ctx.sk
    if sk:
        marks[sk.mark] += 1  # error[no-field] sk: 'mark'; family
        # fixed: marks[sk.family] += 1
    return 0
# --- a callback of a timer that uses a variable of the program
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
@bpf.tc
def prog(ctx):
    size = ctx.len
    e = entries.lookup(1)
    if e is None:
        return 0
    def over(key, entry):
        entry.n += size
    e.timer.start(1000, over)  # error[outlives] e: over is called when prog() has ended; 'size'; in the entry
    # fixed: e.timer.start(1000, lambda key, entry: None)
    return 0
# --- a timer in a tracepoint
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    n = entries.lookup(1)  # error[program-type] entries: Timer; tracepoint; tp_btf
    # fixed: n = 1
    print(n is None)
# --- a timer in a per-CPU map
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = PerCpuHash[u32, Entry](max_entries=4)
many = HashMap[u32, Entry](max_entries=4)
@bpf.tc
def prog(ctx):
    n = entries.lookup(1)  # error[type-mismatch] entries: PerCpuHash cannot have a Timer; a HashMap
    # fixed: n = many.lookup(1)
    return n is None
# --- a timer that sleeps
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
def over(key, entry):
    buffer = u8[8]()
    bpf.helpers.copy_from_user(buffer, 8, 0)  # error[sleeps] bpf.helpers: may sleep, and what a timer calls; work queue
    # fixed: entry.n += 1
@bpf.syscall
def prog(ctx):
    e = entries.lookup(1)
    if e is not None:
        e.timer.start(1000, over)
    return 0
# --- the wrong parameters of a timer's callback
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
@bpf.tc
def prog(ctx):
    e = entries.lookup(1)
    if e is not None:
        e.timer.start(1000, lambda: None)  # error[arguments] e|lambda: takes 0 arguments, 2 given
        # fixed: e.timer.start(1000, lambda key, entry: None)
    return 0
# --- a timer that is nowhere
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
@bpf.func
def arm(e: Ptr[Entry]) -> None:
    e.timer.start(1000, lambda key, entry: None)  # error[unsupported] e: in which map; plain function
    # fixed: e.timer.start(1000)
@bpf.tc
def prog(ctx):
    e = entries.lookup(1)
    if e is not None:
        arm(e)
    return 0
# --- another word for starting a timer
@bpf.struct
class Entry:
    timer: bpf.Timer
    n: u64
entries = HashMap[u32, Entry](max_entries=4)
@bpf.tc
def prog(ctx):
    e = entries.lookup(1)
    if e is not None:
        e.timer.strat(1000, lambda key, entry: None)  # error[undefined-name] e: Timer; 'start'
        # fixed: e.timer.start(1000, lambda key, entry: None)
    return 0
