# Functions.
# --- recursion
def fact(n):
    if n < 2:
        return 1
    return n * fact(n - 1)  # error[recursion] fact: fact
@bpf.xdp
def prog(ctx):
    return fact(5)
# --- too many arguments
def add(a, b):
    return a + b
@bpf.xdp
def prog(ctx):
    return add(1, 2, 3)  # error[arguments] add: add() takes 2 arguments; 3 given
    # fixed: return add(1, 2)
# --- missing argument
def add(a, b):
    return a + b
@bpf.xdp
def prog(ctx):
    return add(1)  # error[arguments] add: add() takes 2 arguments; 1 given
    # fixed: return add(1, 2)
# --- unknown keyword
def add(a, b):
    return a + b
@bpf.xdp
def prog(ctx):
    return add(a=1, c=2)  # error[arguments] add|c: 'c'
    # fixed: return add(a=1, b=2)
# --- six arguments of a subprogram
@bpf.func
def many(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32) -> u32:
    return a
@bpf.xdp
def prog(ctx):
    return many(1, 2, 3, 4, 5, 6)  # error[arguments] many: five; struct
# --- stars
def total(**values):
    return 1
@bpf.xdp
def prog(ctx):
    return total(a=1)  # error[unsupported] total: variable number of keyword arguments
    # fixed: return 1
# --- calling a program
@bpf.xdp
def other(ctx):
    return 1
@bpf.xdp
def prog(ctx):
    return other(ctx)  # error[type-mismatch|unsupported] other: other; ProgArray
    # fixed: return 1
# --- a library function
import random
@bpf.xdp
def prog(ctx):
    return random.randint(0, 5)  # error[unsupported|undefined-name|no-source] random: randint; random_u32
    # fixed: return bpf.random_u32() % 6
# --- time
import time
@bpf.xdp
def prog(ctx):
    return time.time_ns() & 1  # error[unsupported|undefined-name|no-source] time: time; ktime_ns
    # fixed: return bpf.ktime_ns() & 1
# --- missing result
@bpf.func
def f(a: u32) -> u32:  # error[missing-return] def|f: f
    if a > 3:
        return 1
@bpf.xdp
def prog(ctx):
    return f(ctx.packet[0])
# --- no result used
def note(n):
    n + 1
@bpf.xdp
def prog(ctx):
    return note(1) + 1  # error[null-pointer|type-mismatch] note: None
    # fixed: return 1
# --- too few values to unpack
def two():
    return 1, 2
@bpf.xdp
def prog(ctx):
    a, b, c = two()  # error[type-mismatch|arguments] a|two: 2; 3
    # fixed: a, b = two()
    return a
# --- async
@bpf.xdp
async def prog(ctx):  # error[unsupported] async: async
    # fixed: def prog(ctx):
    return 2
# --- undefined in a callback
@bpf.xdp
def prog(ctx):
    def inner(i):
        n = i + total  # error[undefined-name|unassigned] total: 'total'
        # fixed: n = i
    bpf.loop(3, inner)
    return 2
# --- nonlocal forgotten
@bpf.xdp
def prog(ctx):
    total = 0
    def add(i):
        total += i  # error[unassigned] total: 'total'; nonlocal
        # fixed: nonlocal total
        # fixed: total += i
    bpf.loop(3, add)
    return total
# --- a global function that may end the program
@bpf.func(global_=True)
def line(i: u32) -> u32: assert i < 5; return i  # error[unsupported] def: ending the whole program from line(); return an error value
# fixed: def line(i: u32) -> u32: return i if i < 5 else 0
@bpf.xdp
def prog(ctx):
    return line(ctx.packet[0])
# --- a function that outlives a subprogram
@bpf.func
def adder(n: u32):
    return lambda x: x + n
@bpf.xdp
def prog(ctx):
    return adder(5)(1)  # error[outlives] adder: outlives adder(); drop @bpf.func
    # fixed: return 6
