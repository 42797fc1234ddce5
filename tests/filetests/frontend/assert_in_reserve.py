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
func @prog(%ctx: ptr.ctx) -> i64 btf_id=4 {
entry:
  %0 = mapaddr @ring : ptr.map
  %ringbuf_reserve = helper 131 ringbuf_reserve(%0, 4, 0) : ptr.mem
  %1 = ne %ringbuf_reserve, 0
  br %1, room, full
room:
  %2 = load.u32 %ctx
  %3 = ugt %2, 5
  br %3, held, abort
held:
  %4 = load.u32 %ctx
  store.u32 %ringbuf_reserve, %4
  %5 = load.u32 %ctx
  %6 = eq %5, 9
  br %6, then, else
then:
  %ringbuf_submit = helper 132 ringbuf_submit(%ringbuf_reserve, 0)
  ret 1
else:
  jump endif
endif:
  %ringbuf_submit.1 = helper 132 ringbuf_submit(%ringbuf_reserve, 0)
  jump full
full:
  ret 0
abort:
  %ringbuf_discard = helper 133 ringbuf_discard(%ringbuf_reserve, 0)
  ret 0
}
