# test: frontend
@bpf.xdp
def prog(ctx):
    total = 0
    n = 0
    while n < 4:
        total += n * ctx.rx_queue_index
        n += 1
    return total & 1
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=4 {
entry:
  %0 = dataaddr .bss : ptr.data
  %1 = load.u64 %0
  %2 = add %1, 0
  %3 = dataaddr .bss + 8 : ptr.data
  %4 = load.u64 %3
  %5 = add %4, 0
  jump loop(%2, %5)
loop(%n: i64, %total: i64):
  %6 = ult %n, 4
  br %6, body, over
body:
  may granted, abort
granted:
  %7 = load.u32 %ctx + 16
  %8 = mul %n, %7
  %9 = add %total, %8
  %10 = add %n, 1
  jump again
again:
  jump loop(%10, %9)
over:
  jump done
done:
  %11 = and %total, 1
  ret %11
abort:
  abort
}
