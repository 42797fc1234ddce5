# test: frontend 6.9
@bpf.syscall
def prog(ctx):
    n = 0
    while n != bpf.random_u32():
        n += 1
    return n
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=4 {
entry:
  %0 = dataaddr .bss : ptr.data
  %1 = load.u64.volatile %0
  %2 = add %1, 0
  jump loop(%2)
loop(%n: i64):
  %get_prandom_u32 = helper.readonly 7 get_prandom_u32()
  %3 = and %get_prandom_u32, 0xffffffff
  %4 = ne %n, %3
  br %4, body, over
body:
  may granted, abort
granted:
  %5 = add %n, 1
  jump again
again:
  jump loop(%5)
over:
  jump done
done:
  ret %n
abort:
  abort
}

# test: frontend 6.4
@bpf.syscall
def prog(ctx):
    n = 0
    while n != bpf.random_u32():
        n += 1
    return n
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=16 {
entry:
  %rounds = alloca 8 align 8 : ptr.stack
  %bpf_iter_num_new = kfunc @bpf_iter_num_new(%rounds, 0, 0x800000)
  %0 = dataaddr .bss : ptr.data
  %1 = load.u64.volatile %0
  %2 = add %1, 0
  jump loop(%2)
loop(%n: i64):
  %get_prandom_u32 = helper.readonly 7 get_prandom_u32()
  %3 = and %get_prandom_u32, 0xffffffff
  %4 = ne %n, %3
  br %4, body, over
body:
  %bpf_iter_num_next = kfunc @bpf_iter_num_next(%rounds) : ptr.mem?
  %5 = ne %bpf_iter_num_next, 0
  br %5, granted, abort
granted:
  %6 = add %n, 1
  jump again
again:
  jump loop(%6)
over:
  jump done
done:
  %bpf_iter_num_destroy = kfunc @bpf_iter_num_destroy(%rounds)
  ret %n
abort:
  %bpf_iter_num_destroy.1 = kfunc @bpf_iter_num_destroy(%rounds)
  abort
}

# test: frontend 5.17
@bpf.syscall
def prog(ctx):
    n = 0
    while n != bpf.random_u32():
        n += 1
    return n
# ==>
func @prog_loop(%i64: i64, %captured: ptr.stack) -> i64 btf_id=5 {
entry:
  %0 = load.u64 %captured + 8
  %get_prandom_u32 = helper.readonly 7 get_prandom_u32()
  %1 = and %get_prandom_u32, 0xffffffff
  %2 = ne %0, %1
  br %2, body, over
over:
  %3 = dataaddr .bss : ptr.data
  %4 = load.u64.volatile %3
  %5 = add %4, %0
  store.u64 %captured + 8, %5
  store.u64 %captured + 16, %0
  store.u64 %captured, 4
  ret 1
body:
  %6 = add %0, 1
  jump again
again:
  %7 = dataaddr .bss : ptr.data
  %8 = load.u64.volatile %7
  %9 = add %8, %6
  store.u64 %captured + 8, %9
  ret 0
}

func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=8 {
entry:
  %captured = alloca 32 align 8 : ptr.stack
  store.u64 %captured, 0
  %0 = dataaddr .bss : ptr.data
  %1 = load.u64.volatile %0
  %2 = add %1, 0
  store.u64 %captured + 8, %2
  %3 = funcaddr @prog_loop : ptr.func
  %loop = helper 181 loop(0x800000, %3, %captured, 0)
  %4 = load.u64 %captured + 8
  %5 = load.u64 %captured
  %6 = eq %5, 4
  br %6, left, went
left:
  %7 = load.u64 %captured + 16
  jump done
went:
  jump abort
done:
  ret %4
abort:
  abort
}

# test: errors
@bpf.syscall
def prog(ctx):
    for i in range(bpf.random_u32()):
        print(i)
    return 0
# ==>
no error
