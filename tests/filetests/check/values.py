# test: check
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    calls[bpf.current_pid()] += 1
# ==>
program prog(ctx: ctx) -> i64 default 0
  key := Temp(tmp, Arith(>>, Helper(get_current_pid_tgid, []), 32)) : ptr.stack[u32]
  n := 1 : i64 1..1!!
  block:
    entry := Helper(map_lookup_elem, [MapRef(hash), key]) : ptr.value[u64]?
    if IsNone(entry):
      if Compare(eq, Helper(map_update_elem, [MapRef(hash), key, Temp(tmp, 1), 1]), 0):
        break
      entry := Helper(map_lookup_elem, [MapRef(hash), key]) : ptr.value[u64]?
      if IsNone(entry):
        break
    atomic add *Cast(entry), n
  return 0 : i64 0..0!!

# test: check
@bpf.struct
class Event:
    pid: u32
    comm: char[16]
events = RingBuf[Event](max_entries=4096)
@bpf.syscall
def prog(ctx):
    with events.reserve() as e:
        e.pid = bpf.current_pid()
        e.comm = bpf.current_comm()
    return 0
# ==>
program prog(ctx: ctx) -> i64 default 0
  record := Helper(ringbuf_reserve, [MapRef(ringbuf), 20, 0]) : ptr.mem[Event]?
  if Not(IsNone(record)):
    *Cast(record) = Record([]) : Event
    e := Cast(record) : ptr.mem[Event]
    keep := 1 : i64 1..1!!
    scope:
      *e.pid = Arith(>>, Helper(get_current_pid_tgid, []), 32) : u32!
      *e.comm = Filled(get_current_comm) : char[16]
    close:
      Helper(ringbuf_submit, [Cast(record), 0]) : i64
  return 0 : i64 0..0

# test: check
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    first = pkt.pull(be16)
    if first is None or first.value == 80:
        return XDP_DROP
    total = 0
    for i in range(4):
        total += pkt[i]
    return total
# ==>
program prog(ctx: ctx) -> i64 default 0
  pos := load CtxPlace(ctx, 0) : ptr.packet[u8]
  end := load CtxPlace(ctx, 4) : ptr.packet_end[]
  pkt := Undef() : cursor packet1
  at := pos : ptr.packet[u8]
  fits := Compare(le, Move(at, 2), end) : bool!
  pos := Select(fits, Move(at, 2), at) : ptr.packet[]
  first := Maybe(fits, at) : ptr.packet[be16]?
  if Either(IsNone(first), Compare(eq, load *Cast(first), 80)):
    return 1 : i64 1..1
  $start := 0 : i64 0..0!!
  $stop := 4 : i64 4..4!!
  $step := 1 : i64 1..1!!
  $i := Cast($start) : i64 0..0
  total := 0 : i64 0..1530
  i := Undef() : i64 0..3!!
  loop once while Compare(lt, $i, $stop):
    i := $i : i64 0..3!!
    total := Arith(+, total, (offset := i : i64 0..3!!; at := Move(pos, Below(offset, 4)) : ptr.packet[u8]; guard Compare(le, Move(at, 1), end); load *at)) : i64 0..1785
  step:
    $i := Arith(+, $i, $step) : i64
  return total : i64 0..1530

# test: check
def largest(a, b):
    if a > b:
        return a, None
    return b, a
@bpf.syscall
def prog(ctx):
    x, y = largest(bpf.cpu(), bpf.random_u32())
    return x if y is None else y
# ==>
program prog(ctx: ctx) -> i64 default 0
  $arg := Arith(&, Helper(get_smp_processor_id, []), 4294967295) : u32!
  $arg := Arith(&, Helper(get_prandom_u32, []), 4294967295) : u32!
  $tuple := Call(largest, [$arg, $arg], []) : (u32!, u32!?)
  $item := Item($tuple, 0) : u32!
  $item := Item($tuple, 1) : u32!?
  x := $item : u32!
  y := $item : u32!?
  return Cast(IfElse(IsNone(y), x, Cast(y))) : i64 0..4294967295

plain largest(a: i64, b: i64) -> (u32!, u32!?)
  if Compare(gt, a, b):
    return MakeTuple([a, Undef()]) : (u32!, u32!?)
  return MakeTuple([b, Cast(a)]) : (u32!, u32!?)

# test: check
from purebpf.kernel.kfuncs import bpf_task_from_pid
@bpf.syscall
def prog(ctx):
    n = 0
    for i in bpf.iter.num(3):
        with bpf_task_from_pid(i) as t:
            if t.pid == 2:
                return t.tgid
            n += 1
    return n
# ==>
program prog(ctx: ctx) -> i64 default 0
  $arg := 3 : i64 3..3!!
  an iterator (num)
  Kfunc(bpf_iter_num_new, [$it, 0, $arg]) : i32
  scope:
    n := 0 : i64 0..8388609
    loop while (element := Kfunc(bpf_iter_num_next, [$it]) : ptr.mem.trusted[i32]?; Not(IsNone(element))):
      i := load *Cast(element) : i64 0..2
      owned := Kfunc(bpf_task_from_pid, [i]) : ptr.kernel.trusted[task_struct]?
      if Not(IsNone(owned)):
        t := Cast(owned) : ptr.kernel.trusted[task_struct]
        scope:
          if Compare(eq, load *t.pid, 2):
            return Cast(load *t.tgid) : i64 -2147483648..2147483647
          n := Arith(+, n, 1) : i64 1..8388610
        close:
          Kfunc(bpf_task_release, [Cast(owned)]) : i64
  close:
    Kfunc(bpf_iter_num_destroy, [$it]) : i64
  return n : i64 0..8388609
