# test: errors
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    v.value += 1
    return 2
# ==>
test.py:7:5: error[null-pointer]: 'v' may be None here
    6 |     v = calls.lookup(1)
    7 |     v.value += 1
      |     ^ this is None when the key is absent
  help: test it first ('if v is not None:')

# test: errors
@bpf.xdp
def prog(ctx):
    eth = ctx.packet.pull(net.Ethernet)
    return eth.proto
# ==>
test.py:6:12: error[null-pointer]: 'eth' may be None here
    5 |     eth = ctx.packet.pull(net.Ethernet)
    6 |     return eth.proto
      |            ^^^ this is None when the packet is too short
  help: test it first ('if eth is not None:')

# test: errors
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    return calls[1]
# ==>
test.py:6:12: error[null-pointer]: the key may be absent here
    5 | def prog(ctx):
    6 |     return calls[1]
      |            ^^^^^^^^
  help: write 'm.get(key, default)', or 'v = m.lookup(key)' and test v

# test: errors
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    v = calls.lookup(1)
    if v is None or ctx.rx_queue_index:
        v = calls.lookup(2)
    return v.value
# ==>
test.py:9:12: error[null-pointer]: 'v' may be None here
    8 |         v = calls.lookup(2)
    9 |     return v.value
      |            ^ this is None when the key is absent
  help: test it first ('if v is not None:')
