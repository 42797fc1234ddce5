# test: object
@bpf.func
def twice(x: u32) -> u32:
    return u32(x * 2)
@bpf.xdp
def prog(ctx):
    return twice(ctx.rx_queue_index) + twice(ctx.ingress_ifindex)
# ==>
xdp: prog
   0  r6 = r1
   1  r1 = *(u32 *)(r6 + 16)
   2  call pc+5
   3  r7 = r0
   4  r1 = *(u32 *)(r6 + 12)
   5  call pc+2
   6  r0 += r7
   7  exit
   8  r0 = r1
   9  w0 <<= 1
  10  exit
