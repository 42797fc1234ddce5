# test: errors
calls = HashMap[u32, u64](max_entries=16)
ring = RingBuf[u64](max_entries=4096)
q = Queue[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    calls.lokup(1)
    calls.lookup()
    ring[1] = 2
    x = ring.reserve()
    q.lookup(1)
    return 2
# ==>
test.py:8:5: error[undefined-name]: a HashMap has no 'lokup' in a program
    7 | def prog(ctx):
    8 |     calls.lokup(1)
      |     ^^^^^^^^^^^^^^
  help: did you mean 'lookup'?

test.py:9:5: error[arguments]: HashMap.lookup() takes 1 argument, 0 given
    8 |     calls.lokup(1)
    9 |     calls.lookup()
      |     ^^^^^^^^^^^^^^
  help: it is calls.lookup(key)

test.py:10:5: error[type-mismatch]: a RingBuf has no entries to assign
    9 |     calls.lookup()
   10 |     ring[1] = 2
      |     ^^^^^^^
  help: write 'ring.output(value)'

test.py:11:9: error[unsupported]: reserve() belongs into a with statement
   10 |     ring[1] = 2
   11 |     x = ring.reserve()
      |         ^^^^^^^^^^^^^^
  help: 'with rb.reserve() as e:' submits the record at the end of the block

test.py:12:5: error[undefined-name]: a Queue has no 'lookup' in a program
   11 |     x = ring.reserve()
   12 |     q.lookup(1)
      |     ^^^^^^^^^^^
  help: it has peek, pop, push

# test: errors
@bpf.struct
class Key:
    a: u32
    b: u32
calls = HashMap[Key, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    calls[1] += 1
    return 2
# ==>
test.py:10:11: error[type-mismatch]: a Key is needed here, not the number 1
    9 | def prog(ctx):
   10 |     calls[1] += 1
      |           ^
  help: write Key(…)
