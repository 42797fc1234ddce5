"""Arrays and text that stand in a tracepoint's record, by name and as parameters: compared, kept, searched, printed, walked."""

import purebpf as bpf
from purebpf import Global, HashMap, RingBuf, char, u32, u64

JUDGES = ["kernel"]


@bpf.struct
class Switch:
    left: char[16]
    came: char[16]
    first: u32


names = HashMap[char[16], u64](max_entries=1024)
events = RingBuf[Switch](max_entries=1 << 16)
last = Global[char[16]]()
letters = Global[u64](0)
message = Global[char[40]]()


@bpf.tracepoint("sched:sched_switch")
def switched(ctx, prev_comm, next_comm, prev_pid):
    names[next_comm] += 1
    names[ctx.prev_comm] += 1
    last.value = next_comm
    events.output(Switch(left=prev_comm, came=ctx.next_comm, first=ctx.next_comm[0]))
    with events.reserve() as e:
        e.left = prev_comm
        e.came = next_comm
    c = ctx.next_comm
    if c == "python" or c.startswith("pytest") or "swap" in next_comm or next_comm.find("k") == 0:
        letters.value += 1
    for letter in prev_comm:
        letters.value += letter
    letters.value += ctx.prev_comm[prev_pid & 15]
    message.value = f"{prev_comm} -> {ctx.next_comm}"


@bpf.tracepoint("sock:inet_sock_set_state")
def states(saddr, ctx):
    letters.value += int.from_bytes(ctx.saddr, "big") + saddr[3]
