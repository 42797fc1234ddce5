# test: object
limit = Const[u32](5)
hits = Global[u64](0)
start = Global[i16](-2)
@bpf.xdp
def prog(ctx):
    hits.value += 1
    start.value -= 1
    return 1 if ctx.rx_queue_index > limit else 2
# ==>
xdp: prog
   0  r0 = hits ll    ; DataRef(section='.bss', offset=0, symbol='hits')
   2  r5 = *(u64 *)(r0 + 0)
   3  r5 += 1
   4  *(u64 *)(r0 + 0) = r5
   5  r0 = start ll    ; DataRef(section='.data', offset=0, symbol='start')
   7  r5 = *(u16 *)(r0 + 0)
   8  r5 += -1
   9  *(u16 *)(r0 + 0) = r5
  10  r5 = *(u32 *)(r1 + 16)
  11  r0 = limit ll    ; DataRef(section='.rodata', offset=0, symbol='limit')
  13  r0 = *(u32 *)(r0 + 0)
  14  if r5 <= r0 goto +2
  15  w0 = 1
  16  exit
  17  w0 = 2
  18  exit
.bss: 0000000000000000 ['hits']
.data: feff ['start']
.rodata: 05000000 ['limit']
