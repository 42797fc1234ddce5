# test: frontend
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    calls[bpf.current_pid()] += 1
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=4 {
entry:
  %0 = alloca 4 align 4 : ptr.stack
  %1 = alloca 8 align 8 : ptr.stack
  %get_current_pid_tgid = helper.pure.readonly 14 get_current_pid_tgid()
  %2 = shr %get_current_pid_tgid, 32
  store.u32 %0, %2
  %3 = mapaddr @calls : ptr.map
  %map_lookup_elem = helper.readonly 1 map_lookup_elem(%3, %0) : ptr.value?
  %4 = eq %map_lookup_elem, 0
  br %4, then, else
then:
  store.u64 %1, 1
  %5 = mapaddr @calls : ptr.map
  %map_update_elem = helper 2 map_update_elem(%5, %0, %1, 1)
  %6 = eq %map_update_elem, 0
  br %6, then.1, else.1
then.1:
  jump done(%map_lookup_elem)
else.1:
  jump endif.1
endif.1:
  %7 = mapaddr @calls : ptr.map
  %map_lookup_elem.1 = helper.readonly 1 map_lookup_elem(%7, %0) : ptr.value?
  %8 = eq %map_lookup_elem.1, 0
  br %8, then.2, else.2
then.2:
  jump done(%map_lookup_elem.1)
else.2:
  jump endif.2
endif.2:
  jump endif(%map_lookup_elem.1)
else:
  jump endif(%map_lookup_elem)
endif(%entry: ptr.value?):
  %9 = nonnull %entry : ptr.value
  rmw.add.u64 %9, 1
  jump done(%entry)
done(%entry.1: ptr.value?):
  ret 0
}
