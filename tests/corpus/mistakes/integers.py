# Numbers.
# --- true division
@bpf.xdp
def prog(ctx):
    return len(ctx.packet) / 2  # error[unsupported] len: '/'; //
    # fixed: return len(ctx.packet) // 2
# --- float
@bpf.xdp
def prog(ctx):
    return ctx.packet[0] * 1.5  # error[unsupported|type-mismatch] 1.5|ctx: float
    # fixed: return ctx.packet[0] * 3 // 2
# --- mixed signs
a = Global[u64](0)
b = Global[i64](0)
@bpf.xdp
def prog(ctx):
    return a + b  # error[mixed-sign] a + b: u64; i64(
    # fixed: return a + u64(b)
# --- negative count
n = Global[i32](0)
@bpf.xdp
def prog(ctx):
    return 1 << n  # error[shift-count] 1 <<: negative
    # fixed: return 1 << (n & 31)
# --- constant into a field
@bpf.struct
class E:
    a: u8
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.a = 300  # error[constant] 300|e: 300; u8
    # fixed: e.a = 44
    return 2
# --- constant into a map
m = HashMap[u32, u8](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = 300  # error[constant] 300|m: 300; u8
    # fixed: m[1] = 255
    return 2
# --- constant as a key
m = HashMap[u32, u8](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1 << 40] = 3  # error[constant] 1 << 40|m: u32
    # fixed: m[1 << 30] = 3
    return 2
# --- negative into unsigned
g = Global[u32](0)
@bpf.xdp
def prog(ctx):
    g.value = -1  # error[constant] -1|g: -1; u32
    # fixed: g.value = 0xFFFFFFFF
    return 2
# --- constant into a variable
@bpf.xdp
def prog(ctx):
    x: u8 = 256  # error[constant] 256|x: 256; u8
    # fixed: x: u16 = 256
    return x
# --- too big a constant
@bpf.xdp
def prog(ctx):
    return ctx.packet[0] + (1 << 70)  # error[constant] 1 << 70|(1|ctx: 64 bits
    # fixed: return ctx.packet[0] + (1 << 7)
# --- constant divided by zero
@bpf.xdp
def prog(ctx):
    return 5 // 0  # error[constant] 5: zero
    # fixed: return 5 // 1
# --- power with a variable
@bpf.xdp
def prog(ctx):
    return 2 ** ctx.packet[0]  # error[unsupported] 2: constant exponent
    # fixed: return 1 << (ctx.packet[0] & 63)
# --- index outside
a = Global[u32[4]]()
@bpf.xdp
def prog(ctx):
    return a[4]  # error[index] a|4: index 4; u32[4]
    # fixed: return a[3]
# --- negative index outside
a = Global[u32[4]]()
@bpf.xdp
def prog(ctx):
    return a[-5]  # error[index] a|-5: -5; u32[4]
    # fixed: return a[-4]
# --- index of an array map
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    a[9] += 1  # error[index] a|9: 9; 4
    # fixed: a[3] += 1
    return 2
# --- step of zero
@bpf.xdp
def prog(ctx):
    n = 0
    for i in range(0, 10, 0):  # error[constant|unsupported] range|0, 10|^0: step
        # fixed: for i in range(0, 10, 1):
        n += i
    return n
# --- text too long
@bpf.struct
class E:
    name: char[4]
e = Global[E]()
@bpf.xdp
def prog(ctx):
    e.name = "hello"  # error[too-long] "hello"|e: 5; char[4]
    # fixed: e.name = "hell"
    return 2
# --- divided by a zero that is written
@bpf.xdp
def prog(ctx):
    return ctx.packet[0] % 0  # error[constant] ^0: '%' by zero
    # fixed: return ctx.packet[0] % 2
# --- hexadecimal too large for a variable
@bpf.xdp
def prog(ctx):
    x: u32 = 0x1_0000_0000  # error[constant] 0x1: 4294967296 does not fit into u32; u32 holds 0 to 4294967295
    # fixed: x: u64 = 0x1_0000_0000
    return 2
# --- constant argument too large
@bpf.func
def f(a: u8) -> u8:
    return a
@bpf.xdp
def prog(ctx):
    return f(300)  # error[constant] 300: 300 does not fit into u8; 'u8(300)' is 44
    # fixed: return f(44)
# --- constant into a bit-field
@bpf.struct
class Flags:
    kind: u8[:3]
    rest: u8[:5]
f = Global[Flags]()
@bpf.xdp
def prog(ctx):
    f.kind = 9  # error[constant] 9: 9 does not fit into 3 bits; 0 to 7
    # fixed: f.kind = 7
    return 2
# --- constant in a constructor
@bpf.struct
class E:
    a: i8
m = HashMap[u32, E](max_entries=4)
@bpf.xdp
def prog(ctx):
    m[1] = E(a=200)  # error[constant] 200: 200 does not fit into i8; -128 to 127
    # fixed: m[1] = E(a=100)
    return 2
# --- float of the module
RATE = 1.5
@bpf.xdp
def prog(ctx):
    return len(ctx.packet) * RATE  # error[unsupported] RATE: float; scale
    # fixed: return len(ctx.packet) * 3 // 2
# --- logarithm
import math
@bpf.xdp
def prog(ctx):
    return math.log2(len(ctx.packet))  # error[unsupported] math: log2; integers only
    # fixed: return len(ctx.packet).bit_length() - 1
# --- rounding
@bpf.xdp
def prog(ctx):
    return round(len(ctx.packet))  # error[unsupported] round: round(); integer already
    # fixed: return len(ctx.packet)
# --- float step
@bpf.xdp
def prog(ctx):
    for i in range(0, 1, 0.1):  # error[unsupported] 0.1: float
        # fixed: for i in range(0, 10, 1):
        pass
    return 2
# --- negative count that is written
@bpf.xdp
def prog(ctx):
    return 1 << -1  # error[constant] 1 <<: negative
    # fixed: return 1 << 1
# --- index of a per-CPU array
a = PerCpuArray[u64](max_entries=1)
@bpf.xdp
def prog(ctx):
    a[1] += 1  # error[index] 1: index 1 is outside this PerCpuArray of 1; its only index is 0
    # fixed: a[0] += 1
    return 2
# --- negative index of an array map
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    a[-1] = 2  # error[index] -1: index -1 is outside; 0 to 3
    # fixed: a[3] = 2
    return 2
# --- index looked up
a = Array[u32](max_entries=4)
@bpf.xdp
def prog(ctx):
    v = a.lookup(7)  # error[index] 7: index 7; 0 to 3
    # fixed: v = a.lookup(3)
    return 2
# --- index of a tuple
T = (1, 2, 3)
@bpf.xdp
def prog(ctx):
    return T[5]  # error[index] T: index 5 is outside a tuple of 3
    # fixed: return T[2]
# --- key of a dict
T = {"name": 1}
@bpf.xdp
def prog(ctx):
    return T["nme"]  # error[index] T: 'nme'; did you mean 'name'
    # fixed: return T["name"]
