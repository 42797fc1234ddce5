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
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=16 {
entry:
  %rounds = alloca 8 align 8 : ptr.stack
  %bpf_iter_num_new = kfunc @bpf_iter_num_new(%rounds, 0, 0x800000)
  %0 = dataaddr .bss : ptr.data
  %1 = load.u64.volatile %0
  %2 = add %1, 0
  %3 = dataaddr .bss : ptr.data
  %4 = load.u64.volatile %3
  %5 = add %4, 0
  jump loop(%2, %5)
loop(%n: i64, %total: i64):
  %6 = ult %n, 4
  br %6, body, over
body:
  %bpf_iter_num_next = kfunc @bpf_iter_num_next(%rounds) : ptr.mem?
  %7 = ne %bpf_iter_num_next, 0
  br %7, granted, abort
granted:
  %8 = load.u32 %ctx + 16
  %9 = mul %n, %8
  %10 = add %total, %9
  %11 = add %n, 1
  jump again
again:
  jump loop(%11, %10)
over:
  jump done
done:
  %bpf_iter_num_destroy = kfunc @bpf_iter_num_destroy(%rounds)
  %12 = and %total, 1
  ret %12
abort:
  %bpf_iter_num_destroy.1 = kfunc @bpf_iter_num_destroy(%rounds)
  abort
}
