# Records of ring buffers, sets, programs in classes and maps, generators, answers.
# --- discard with an argument
rb = RingBuf[u64](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with rb.reserve() as e:
        e.discard(1)  # error[arguments] e.discard: takes no arguments
        # fixed: e.discard()
    return 2
# --- discard behind the block
rb = RingBuf[u64](max_entries=4096)
@bpf.xdp
def prog(ctx):
    with rb.reserve() as e:
        e.value = 1
    e.discard()  # error[unassigned|use-after-release] e: 'e'
    # fixed: -
    return 2
# --- discard in a function
@bpf.struct
class Event:
    n: u64
rb = RingBuf[Event](max_entries=4096)
def drop(e):
    e.discard()  # error[no-field] e.discard: no field 'discard'
    # fixed: return e.n == 0
@bpf.xdp
def prog(ctx):
    with rb.reserve() as e:
        drop(e)
    return 2
# --- bloom filter by key
known = BloomFilter[u32](max_entries=64)
@bpf.xdp
def prog(ctx):
    if known.lookup(1):  # error[undefined-name] known.lookup: a BloomFilter has no 'lookup'; add
        # fixed: if 1 in known:
        return 1
    return 2
# --- bloom filter assigned
known = BloomFilter[u32](max_entries=64)
@bpf.xdp
def prog(ctx):
    known[1] = 1  # error[type-mismatch] known: a BloomFilter has no entries to assign
    # fixed: known.add(1)
    return 2
# --- in a queue
q = Queue[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    return 1 if 5 in q else 2  # error[type-mismatch] 5: a Queue cannot be asked what is in it
    # fixed: return 1 if q.peek() == 5 else 2
# --- attribute of self assigned
class Monitor:
    def __init__(self):
        self.count = 0
    @bpf.xdp
    def prog(self, ctx):
        self.count = 5  # error[read-only] self.count: cannot be assigned
        # fixed: print(self.count)
        return 2
monitor = Monitor()
# --- attribute that self has not
class Monitor:
    def __init__(self, port):
        self.port = port
    @bpf.xdp
    def prog(self, ctx):
        return 1 if ctx.packet[0] == self.prt else 2  # error[undefined-name] self.prt: 'Monitor' has no 'prt'; port
        # fixed: return 1 if ctx.packet[0] == self.port else 2
monitor = Monitor(53)
# --- generator as a value
@bpf.xdp
def prog(ctx):
    squares = (i * i for i in range(4))  # error[unsupported] (i: a generator expression; sum()
    # fixed: squares = sum(i * i for i in range(4))
    return squares
# --- generator with a wrong keyword
@bpf.xdp
def prog(ctx):
    return max((i for i in range(4)), key=abs)  # error[arguments] max: has no 'key'; default
    # fixed: return max((i for i in range(4)), default=0)
# --- mistake inside a generator
@bpf.xdp
def prog(ctx):
    return sum(ctx.packet[i] / 2 for i in range(4))  # error[unsupported] ctx.packet: '/'
    # fixed: return sum(ctx.packet[i] // 2 for i in range(4))
# --- answer of another program type
@bpf.xdp
def prog(ctx) -> bpf.XdpAction:
    return 7  # error[constant] return: 7 is no XdpAction; PASS
    # fixed: return XDP_PASS
