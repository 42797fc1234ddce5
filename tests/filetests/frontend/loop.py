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
func @prog(%ctx: ptr.ctx) -> i64 btf_id=4 {
entry:
  jump loop(0, 0)
loop(%total: i64, %n: i64):
  %0 = slt %n, 4
  br %0, body, over
body:
  %1 = load.u32 %ctx + 16
  %2 = mul %n, %1
  %3 = add %total, %2
  %4 = add %n, 1
  jump again
again:
  jump loop(%3, %4)
over:
  jump done
done:
  %5 = and %total, 1
  ret %5
}
