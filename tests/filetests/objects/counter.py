# test: object
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    calls[bpf.current_pid()] += 1
# ==>
tracepoint/sched/sched_switch: prog
   0  call 14
   1  r0 >>= 32
   2  *(u32 *)(r10 - 12) = r0
   3  r1 = calls ll    ; MapRef(name='calls')
   5  r6 = r10
   6  r6 += -12
   7  r2 = r6
   8  call 1
   9  if r0 != 0 goto +14
  10  *(u64 *)(r10 - 8) = 1
  11  r1 = calls ll    ; MapRef(name='calls')
  13  r2 = r6
  14  r3 = r10
  15  r3 += -8
  16  w4 = 1
  17  call 2
  18  if r0 == 0 goto +8
  19  r1 = calls ll    ; MapRef(name='calls')
  21  r2 = r6
  22  call 1
  23  if r0 == 0 goto +3
  24  w5 = 1
  25  lock *(u64 *)(r0 + 0) += r5
  26  w0 = 0
  27  exit
map calls: type 1, 4 -> 8, 16
