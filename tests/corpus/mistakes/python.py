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
