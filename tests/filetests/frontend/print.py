# test: frontend
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    bpf.printk(f"pid {bpf.current_pid():x} on {bpf.cpu()}")
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=4 {
entry:
  %get_current_pid_tgid = helper.pure.readonly 14 get_current_pid_tgid()
  %0 = shr %get_current_pid_tgid, 32
  %get_smp_processor_id = helper.readonly 8 get_smp_processor_id()
  %1 = and %get_smp_processor_id, 0xffffffff
  %2 = dataaddr .rodata : ptr.data
  %trace_printk = helper.readonly 6 trace_printk(%2, 18, %0, %1)
  ret 0
}
