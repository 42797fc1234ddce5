# test: frontend
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    calls[bpf.current_pid()] += 1
# ==>
func @prog(%ctx: ptr.ctx) -> i64 btf_id=4 {
entry:
  %0 = alloca 4 align 4 : ptr.stack
  %1 = alloca 8 align 8 : ptr.stack
  %get_current_pid_tgid = helper.pure.readonly 14 get_current_pid_tgid()
  %2 = shr %get_current_pid_tgid, 32
  store.u32 %0, %2
  %3 = mapaddr @calls : ptr.map
  %map_lookup_elem = helper.readonly 1 map_lookup_elem(%3, %0) : ptr.value
  %4 = ne %map_lookup_elem, 0
  br %4, found(%map_lookup_elem), missing
missing:
  store.u64 %1, 1
  %5 = mapaddr @calls : ptr.map
  %map_update_elem = helper 2 map_update_elem(%5, %0, %1, 1)
  %6 = eq %map_update_elem, 0
  br %6, added(%map_lookup_elem), raced
raced:
  %7 = mapaddr @calls : ptr.map
  %map_lookup_elem.1 = helper.readonly 1 map_lookup_elem(%7, %0) : ptr.value
  %8 = ne %map_lookup_elem.1, 0
  br %8, found(%map_lookup_elem.1), added(%map_lookup_elem.1)
found(%9: ptr.value):
  rmw.add.u64 %9, 1
  jump added(%9)
added(%10: ptr.value):
  ret 0
}
