# Text: formats, searching, numbers in it, bytes of the packet.
# --- thousands separator
@bpf.xdp
def prog(ctx):
    print(f"{ctx.packet[0]:,}")  # error[unsupported] ctx.packet: this format; {n:08x}
    # fixed: print(f"{ctx.packet[0]:5}")
    return 2
# --- format known at run time
text = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    text.value = f"{n:{n}d}"  # error[unsupported] f"{n|{n: a format that is only known at run time
    # fixed: text.value = f"{n:4d}"
    return 2
# --- f-string of None
text = Global[char[16]]()
m = HashMap[u32, u64](max_entries=4)
@bpf.xdp
def prog(ctx):
    v = m.get(1)
    text.value = f"n={v}"  # error[null-pointer] v}: 'v' may be None; test it first
    # fixed: text.value = f"n={v or 0}"
    return 2
# --- f-string into a number
n = Global[u64](0)
@bpf.xdp
def prog(ctx):
    n.value = f"{ctx.packet[0]}"  # error[type-mismatch] f": a number is needed here
    # fixed: n.value = ctx.packet[0]
    return 2
# --- method that text has not
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return len(name.upper())  # error[undefined-name] name.upper: has no method 'upper'; startswith
    # fixed: return len(name)
# --- method nearly right
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return name.findd("x")  # error[undefined-name] name.findd: has no method 'findd'; find
    # fixed: return name.find("x")
# --- find of nothing
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return name.find("")  # error[constant] name.find: find() of nothing
    # fixed: return name.find("x")
# --- too many bounds
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return name.find("a", 1, 2, 3)  # error[arguments] name.find: takes 1 to 3 arguments
    # fixed: return name.find("a", 1, 2)
# --- base of a number in text
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return int(name, 99)  # error[arguments] int: constant base of 2 to 36
    # fixed: return int(name, 16)
# --- base of a number
@bpf.xdp
def prog(ctx):
    return int(ctx.packet[0], 16)  # error[type-mismatch] ctx.packet: int() takes a base with text
    # fixed: return int(ctx.packet[0])
# --- text that is no number, known now
@bpf.xdp
def prog(ctx):
    return int("12x")  # error[constant] int: cannot be computed
    # fixed: return int("12")
# --- as many bytes as the packet says
out = Global[u8[64]]()
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    part = pkt.bytes(0, len(pkt))  # error[type-mismatch] len: no bound; min(n, 64)
    # fixed: part = pkt.bytes(0, min(len(pkt), 64))
    if part is not None:
        out.value = part
    return 2
# --- mac of the wrong length
head = Global[u8[4]]()
@bpf.xdp
def prog(ctx):
    print(bpf.mac(head))  # error[type-mismatch] head: mac() takes 6 bytes
    # fixed: print(bpf.ip4(head))
    return 2
# --- address that may be None
@bpf.xdp
def prog(ctx):
    src = ctx.packet.bytes(6, 6)
    print(bpf.mac(src))  # error[null-pointer] src: 'src' may be None
    # fixed: print(bpf.mac(src) if src else "none")
    return 2
# --- slice with a step
name = Global[char[16]]()
@bpf.xdp
def prog(ctx):
    return len(name[::2])  # error[unsupported] 2: a slice with a step
    # fixed: return len(name[2:])
# --- part of an array of numbers
table = Global[u32[8]]()
@bpf.xdp
def prog(ctx):
    part = table[ctx.packet[0]:]  # error[unsupported] table: only known at run time; loop
    # fixed: part = table[2:]
    return part[0]
