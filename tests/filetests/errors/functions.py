# test: errors
def f(a, b):
    return f(a, b)
@bpf.xdp
def prog(ctx):
    return f(1, 2)
# ==>
test.py:4:12: error[recursion]: f() calls itself
    3 | def f(a, b):
    4 |     return f(a, b)
      |            ^^^^^^^
test.py:7:12: note: called from here, in prog()
    6 | def prog(ctx):
    7 |     return f(1, 2)
      |            ^^^^^^^
  help: BPF has no recursion: write a loop

# test: errors
def f(a, b=3):
    return a
@bpf.xdp
def prog(ctx):
    f()
    f(1, c=2)
    return f(1, 2, 3)
# ==>
test.py:7:5: error[arguments]: f() takes 2 arguments (a, b), 0 given
    6 | def prog(ctx):
    7 |     f()
      |     ^^^

test.py:8:5: error[arguments]: f() has no parameter 'c' left
    7 |     f()
    8 |     f(1, c=2)
      |     ^^^^^^^^^

test.py:9:12: error[arguments]: f() takes 2 arguments (a, b), 3 given
    8 |     f(1, c=2)
    9 |     return f(1, 2, 3)
      |            ^^^^^^^^^^

# test: errors
@bpf.func
def f(a, b, c, d, e, g):
    return a
@bpf.xdp
def prog(ctx):
    return f(1, 2, 3, 4, 5, 6)
# ==>
test.py:8:12: error[arguments]: a BPF subprogram takes at most five arguments, f() has 6
    7 | def prog(ctx):
    8 |     return f(1, 2, 3, 4, 5, 6)
      |            ^^^^^^^^^^^^^^^^^^^
  help: pass a struct, or drop @bpf.func to have it inlined

# test: errors
def inner(x):
    return x.nothing
def outer(x):
    return inner(x)
@bpf.xdp
def prog(ctx):
    return outer(ctx.rx_queue_index)
# ==>
test.py:4:12: error[type-mismatch]: a number (u32) has no attribute 'nothing'
    3 | def inner(x):
    4 |     return x.nothing
      |            ^^^^^^^^^
test.py:6:12: note: called from here, in outer()
    5 | def outer(x):
    6 |     return inner(x)
      |            ^^^^^^^^
test.py:9:12: note: called from here, in prog()
    8 | def prog(ctx):
    9 |     return outer(ctx.rx_queue_index)
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^
  help: a number that is an address is followed as a pointer: 'Ptr[T](x)'; of user space 'Ptr[T](bpf.user(x))'

# test: errors
@bpf.xdp
def one(ctx):
    return 2
@bpf.xdp
def two(ctx):
    return one(ctx)
# ==>
test.py:8:12: error[unsupported]: one is a program: the kernel calls it
    7 | def two(ctx):
    8 |     return one(ctx)
      |            ^^^^^^^^
  help: share code through a plain function, or tail-call through a ProgArray

# test: errors
@bpf.func
def adder(n: u32):
    return lambda x: x + n
@bpf.xdp
def prog(ctx):
    return adder(5)(1)
# ==>
test.py:8:12: error[outlives]: this function outlives adder(), whose variables it uses
    7 | def prog(ctx):
    8 |     return adder(5)(1)
      |            ^^^^^^^^
  help: drop @bpf.func from adder(): of a plain function the variables are kept
