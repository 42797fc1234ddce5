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
