# test: object
@bpf.struct
class Event:
    comm: char[16]
seen = HashMap[Event, u32](max_entries=4)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    e = Event(comm=bpf.current_comm())
    if e.comm == "bash":
        seen[e] = 1
        print(f"bash {bpf.current_pid()}")
# ==>
tracepoint/sched/sched_switch: prog
   0  r1 = r10
   1  r1 += -16
   2  w2 = 16
   3  call 16
   4  r0 = *(u32 *)(r10 - 16)
   5  if r0 != 1752392034 goto +18
   6  r0 = *(u8 *)(r10 - 12)
   7  if r0 != 0 goto +16
   8  *(u32 *)(r10 - 20) = 1
   9  r1 = seen ll    ; MapRef(name='seen')
  11  r2 = r10
  12  r2 += -16
  13  r3 = r10
  14  r3 += -20
  15  w4 = 0
  16  call 2
  17  call 14
  18  r3 = r0
  19  r3 >>= 32
  20  r1 = .rodata ll    ; DataRef(section='.rodata', offset=0, symbol='')
  22  w2 = 11
  23  call 6
  24  w0 = 0
  25  exit
map seen: type 1, 16 -> 4, 4
.rodata: 6261736820256c6c750a00 []
