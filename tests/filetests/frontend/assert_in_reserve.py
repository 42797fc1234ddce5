# test: frontend
@bpf.struct
class Event:
    a: u32
ring = RingBuf[Event](max_entries=4096)
@bpf.tc
def prog(ctx):
    with ring.reserve() as e:
        assert ctx.len > 5
        e.a = ctx.len
        if ctx.len == 9:
            return 1
    return 0
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=2 btf_id=4 {
entry:
  %0 = mapaddr @ring : ptr.map
  %ringbuf_reserve = helper 131 ringbuf_reserve(%0, 4, 0) : ptr.mem?
  %1 = eq %ringbuf_reserve, 0
  br %1, else, then
then:
  %2 = nonnull %ringbuf_reserve : ptr.mem
  store.u32 %2, 0
  %3 = nonnull %ringbuf_reserve : ptr.mem
  %4 = load.u32 %ctx
  %5 = ugt %4, 5
  br %5, ok, abort
ok:
  %6 = load.u32 %ctx
  store.u32 %3, %6
  %7 = load.u32 %ctx
  %8 = eq %7, 9
  br %8, then.1, else.1
then.1:
  %9 = nonnull %ringbuf_reserve : ptr.mem
  %ringbuf_submit = helper 132 ringbuf_submit(%9, 0)
  ret 1
else.1:
  jump endif.1
endif.1:
  %10 = nonnull %ringbuf_reserve : ptr.mem
  %ringbuf_submit.1 = helper 132 ringbuf_submit(%10, 0)
  jump endif
else:
  jump endif
endif:
  ret 0
abort:
  %11 = nonnull %ringbuf_reserve : ptr.mem
  %ringbuf_discard = helper 133 ringbuf_discard(%11, 0)
  abort
}
