# Python that is not in the language, with what to write instead.
# --- try
@bpf.xdp
def prog(ctx):
    try:  # error[unsupported] try: try; None
        n = 1
    except ValueError:
        n = 2
    return n
# --- raise
@bpf.xdp
def prog(ctx):
    raise ValueError  # error[unsupported] raise: raise; assert
    # fixed: assert False
    return 2
# --- yield
@bpf.xdp
def prog(ctx):
    yield 1  # error[unsupported] yield: yield
    # fixed: return 1
# --- comprehension
@bpf.xdp
def prog(ctx):
    x = [i * ctx.packet[0] for i in range(3)]  # error[unsupported] [: comprehension; for
    # fixed: x = ctx.packet[0]
    return 2
# --- set
@bpf.xdp
def prog(ctx):
    x = {1, 2}  # error[unsupported] {: set
    # fixed: x = 1
    return x
# --- set comprehension
@bpf.xdp
def prog(ctx):
    x = {i for i in range(3)}  # error[unsupported] {: comprehension
    # fixed: x = 1
    return x
# --- import inside
@bpf.xdp
def prog(ctx):
    import math  # error[unsupported] import: import
    # fixed: -
    return 2
# --- class inside
@bpf.xdp
def prog(ctx):
    class A:  # error[unsupported] class: class; module level
        x: u32
    return 2
# --- with a file
@bpf.xdp
def prog(ctx):
    with open("/etc/passwd") as f:  # error[unsupported|undefined-name] open|with: open; map
        # fixed: if True:
        pass
    return 2
# --- print to a file
import sys
@bpf.xdp
def prog(ctx):
    print("x", file=sys.stderr)  # error[arguments|unsupported] print|file|sys: file
    # fixed: print("x")
    return 2
# --- percent format
@bpf.xdp
def prog(ctx):
    print("%d" % ctx.packet[0])  # error[type-mismatch|unsupported] "%d": '%'; f"
    # fixed: print(f"{ctx.packet[0]}")
    return 2
# --- isinstance
@bpf.xdp
def prog(ctx):
    if isinstance(ctx, int):  # error[unsupported] isinstance: isinstance
        # fixed: if True:
        return 1
    return 2
# --- input
@bpf.xdp
def prog(ctx):
    return input()  # error[unsupported] input: input
    # fixed: return 1
# --- sorted
a = Global[u32[4]]()
@bpf.xdp
def prog(ctx):
    for x in sorted(a):  # error[unsupported] sorted: sorted
        # fixed: for x in a:
        pass
    return 2
# --- string methods
@bpf.struct
class E:
    name: char[8]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.name = e.name.upper()  # error[unsupported|undefined-name|no-field] e.name.upper|upper: upper
    # fixed: e.name = e.name
    return 2
# --- string concatenation
@bpf.struct
class E:
    name: char[8]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.name = e.name + "x"  # error[unsupported|type-mismatch] e.name +|"x": char[8]; f"
    # fixed: e.name = "x"
    return 2
# --- yield in a lambda
@bpf.xdp
def prog(ctx):
    x = lambda: (yield)  # error[unsupported] lambda|yield|(yield): yield
    # fixed: x = 1
    return 2
# --- matrix product
@bpf.xdp
def prog(ctx):
    return ctx.packet[0] @ 2  # error[unsupported] ctx: '@'
    # fixed: return ctx.packet[0] * 2
# --- is with a number
@bpf.xdp
def prog(ctx):
    n = 5
    if n is ctx.packet[0]:  # error[unsupported|type-mismatch] n is: is; ==
        # fixed: if n == ctx.packet[0]:
        return 1
    return 2
# --- for over a number
@bpf.xdp
def prog(ctx):
    for i in 5:  # error[type-mismatch] 5: range
        # fixed: for i in range(5):
        pass
    return 2
# --- endless loop
@bpf.xdp
def prog(ctx):
    n = 0
    while True:  # error[*] while: end
        # fixed: while n < 5:
        n += 1
    return n
# --- format method
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    print("pid {}".format(bpf.current_pid()))  # error[undefined-name] "pid: 'format'; f"
    # fixed: print(f"pid {bpf.current_pid()}")
# --- print with a C format
@bpf.xdp
def prog(ctx):
    print("%d bytes", len(ctx.packet))  # error[arguments] "%d: '%' formats; f"
    # fixed: print(f"{len(ctx.packet)} bytes")
    return 2
# --- printk with a value missing
@bpf.xdp
def prog(ctx):
    bpf.printk("%d %d", 1)  # error[arguments] "%d: 2 values, 1 given
    # fixed: bpf.printk("%d %d", 1, 2)
    return 2
# --- float in a format
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    print(f"{bpf.current_pid():.2f}")  # error[unsupported] {bpf|bpf.current|"{|f": format; {n:x}
    # fixed: print(f"{bpf.current_pid():8}")
# --- str of a number
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    s = str(bpf.current_pid())  # error[unsupported] str: str(); char[n]
    # fixed: s = bpf.current_pid()
# --- a word that is not called
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    calls[bpf.current_pid] += 1  # error[type-mismatch] bpf: the function current_pid; bpf.current_pid()
    # fixed: calls[bpf.current_pid()] += 1
# --- a function that is not called
def five():
    return 5
@bpf.xdp
def prog(ctx):
    return five  # error[type-mismatch] five: the function five; five()
    # fixed: return five()
# --- sleeping
import time
@bpf.xdp
def prog(ctx):
    time.sleep(1)  # error[unsupported] time: 'sleep'; without waiting
    # fixed: pass
    return 2
# --- own process id
import os
@bpf.xdp
def prog(ctx):
    return os.getpid()  # error[unsupported] os: 'getpid'; bpf.current_pid()
    # fixed: return bpf.current_pid()
# --- map of a lambda
@bpf.xdp
def prog(ctx):
    x = map(lambda n: n + 1, [1, 2])  # error[unsupported] map: 'map'; loop
    # fixed: x = 2
    return 2
# --- try with finally
@bpf.xdp
def prog(ctx):
    try:  # error[unsupported] try: 'try'; None
        return 1
    finally:
        print("x")
# --- mutual recursion
def a(n):
    return b(n - 1)
def b(n):
    return a(n)  # error[recursion] a: a(); loop
    # fixed: return n
@bpf.xdp
def prog(ctx):
    return a(3)
# --- letter compared with a byte
@bpf.xdp
def prog(ctx):
    if ctx.packet[0] == "E":  # error[type-mismatch] "E": number; ord('E')
        # fixed: if ctx.packet[0] == ord("E"):
        return 1
    return 2
# --- text of the kernel compared
@bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    name = ctx.filename
    if name == "/etc/passwd":  # error[type-mismatch] name: pointer to text; char[64](name)
        # fixed: if char[64](name) == "/etc/passwd":
        print("passwd")
# --- strings multiplied
@bpf.struct
class E:
    name: char[8]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.name = e.name * 2  # error[type-mismatch] e.name *: '*' is not for strings
    # fixed: e.name = "x"
    return 2
# --- generator in a function
@bpf.xdp
def prog(ctx):
    def numbers():
        yield 1  # error[unsupported] yield: 'yield'; return
        # fixed: return 1
    return numbers()
# --- loop whose condition stays
@bpf.xdp
def prog(ctx):
    n = 3
    while n < 5:  # error[endless] while: never ends; range(n)
        # fixed: while n < 0:
        pass
    return n
