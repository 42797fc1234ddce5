# test: errors
@bpf.func
def f(a: u64, b: i64):
    return a + b
@bpf.xdp
def prog(ctx):
    return f(ktime_ns(), i64(ktime_ns()))
# ==>
test.py:5:12: error[mixed-sign]: a u64 and a signed number in '+': no 64-bit type holds every result
    4 | def f(a: u64, b: i64):
    5 |     return a + b
      |            ^^^^^
test.py:8:12: note: called from here, in prog()
    7 | def prog(ctx):
    8 |     return f(ktime_ns(), i64(ktime_ns()))
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: say which is meant: 'u64(x)' or 'i64(x)'

# test: errors
@bpf.func
def f(a: u64, b: i32):
    return a << b
@bpf.xdp
def prog(ctx):
    return f(ktime_ns(), i64(ktime_ns()))
# ==>
test.py:5:12: error[shift-count]: the shift count may be negative, which Python refuses
    4 | def f(a: u64, b: i32):
    5 |     return a << b
      |            ^^^^^^
test.py:8:12: note: called from here, in prog()
    7 | def prog(ctx):
    8 |     return f(ktime_ns(), i64(ktime_ns()))
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: mask it, as in 'x << (n & 63)', or make it unsigned: 'u32(n)'

# test: errors
@bpf.func
def f(a: u64):
    return a * 99999999999999999999 + 1 // 0
@bpf.xdp
def prog(ctx):
    return f(ktime_ns())
# ==>
test.py:5:16: error[constant]: 99999999999999999999 does not fit into 64 bits
    4 | def f(a: u64):
    5 |     return a * 99999999999999999999 + 1 // 0
      |                ^^^^^^^^^^^^^^^^^^^^
test.py:8:12: note: called from here, in prog()
    7 | def prog(ctx):
    8 |     return f(ktime_ns())
      |            ^^^^^^^^^^^^^

# test: errors
@bpf.xdp
def prog(ctx):
    x = "text"
    return x + 1
# ==>
test.py:6:12: error[type-mismatch]: these constants do not go together: can only concatenate str (not "int") to str
    5 |     x = "text"
    6 |     return x + 1
      |            ^^^^^
