# test: errors
@bpf.struct
class Big:
    data: u8[400]
@bpf.struct
class Also:
    data: u64[20]
scratch = HashMap[u32, Big](max_entries=1)
others = HashMap[u32, Also](max_entries=1)
@bpf.xdp
def prog(ctx):
    a = Big()
    b = Also()
    scratch[1] = a
    others[1] = b
    scratch[2] = a
    return 2
# ==>
test.py:13:5: error[stack-too-large]: prog needs 564 bytes of stack, the kernel gives 512
   12 | def prog(ctx):
   13 |     a = Big()
      |     ^ a takes 400 bytes
test.py:14:5: note: b takes 160 bytes
   13 |     a = Big()
   14 |     b = Also()
      |     ^
test.py:17:5: note: a local takes 4 bytes
   16 |     others[1] = b
   17 |     scratch[2] = a
      |     ^^^^^^^^^^
test.py:16:5: note: a local takes 4 bytes
   15 |     scratch[1] = a
   16 |     others[1] = b
      |     ^^^^^^^^^
  help: keep large data in a map (a per-CPU array of one entry is usual)

# test: errors
limit = Const[u32](5)
numbers = Global[u32[4]]()
@bpf.xdp
def prog(ctx):
    limit.value = 6
    numbers[4] = 1
    return 2
# ==>
test.py:7:5: error[read-only]: a Const cannot be assigned in a program
    6 | def prog(ctx):
    7 |     limit.value = 6
      |     ^^^^^^^^^^^
  help: declare it as Global, or set it when loading: load(…, constants={…})

test.py:8:5: error[index]: index 4 is outside u32[4]
    7 |     limit.value = 6
    8 |     numbers[4] = 1
      |     ^^^^^^^^^^

# test: errors
count = 0
@bpf.xdp
def prog(ctx):
    global count
    count += 1
    return 2
# ==>
test.py:7:5: error[read-only]: 'count' is no Global: a program cannot assign it
    6 |     global count
    7 |     count += 1
      |     ^^^^^
  help: declare it as 'Global[u64](0)', or drop 'global count'

# test: errors
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth = pkt.pull(net.Ethernet)
    if eth is None:
        return 1
    bpf.helpers.xdp_adjust_head(ctx, 4)
    return eth.proto
# ==>
test.py:10:12: error[stale-pointer]: 'eth' points into a packet that xdp_adjust_head() may have moved since
    9 |     bpf.helpers.xdp_adjust_head(ctx, 4)
   10 |     return eth.proto
      |            ^^^
test.py:9:5: note: it is called here
    8 |         return 1
    9 |     bpf.helpers.xdp_adjust_head(ctx, 4)
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: read it again: 'pkt = ctx.packet'

# test: errors
from purebpf.net import Ethernet

@bpf.xdp
def prog(ctx):
    eth = Ptr[Ethernet](ctx.data)
    return eth.proto & 1
# ==>
test.py:8:12: error[packet-bounds]: the packet is read here, and its length has not been tested
    7 |     eth = Ptr[Ethernet](ctx.data)
    8 |     return eth.proto & 1
      |            ^^^
  help: take it piece by piece ('eth = ctx.packet.pull(Ethernet)' is None where there is too little), or compare first: 'if p + 14 > ctx.data_end: return …'

# test: errors
hits = Global[u64](0)

@bpf.xdp
def prog(ctx):
    hits = 1
    return 2
# ==>
test.py:7:5: error[shadowed]: 'hits' is a new variable here, not the Global
    6 | def prog(ctx):
    7 |     hits = 1
      |     ^^^^
  help: the Global's value is 'hits.value'
