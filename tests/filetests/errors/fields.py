# test: errors
@bpf.struct
class Event:
    pid: u32
    comm: char[16]
events = RingBuf[Event](max_entries=4096)
@bpf.tracepoint("sched:sched_process_exec")
def prog(ctx):
    with events.reserve() as e:
        e.pdi = 1
        e.comm = "this name is much too long for it"
        e.comm = 5
# ==>
test.py:11:9: error[no-field]: Event has no field 'pdi'
   10 |     with events.reserve() as e:
   11 |         e.pdi = 1
      |         ^^^^^
  help: did you mean 'pid'?

test.py:12:18: error[too-long]: 33 bytes do not fit into char[16]
   11 |         e.pdi = 1
   12 |         e.comm = "this name is much too long for it"
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

test.py:13:18: error[type-mismatch]: a char[16] is needed here, not the number 5
   12 |         e.comm = "this name is much too long for it"
   13 |         e.comm = 5
      |                  ^

# test: errors
@bpf.xdp
def prog(ctx):
    return ctx.ingres_ifindex
# ==>
test.py:5:12: error[no-field]: this context has no 'ingres_ifindex'
    4 | def prog(ctx):
    5 |     return ctx.ingres_ifindex
      |            ^^^^^^^^^^^^^^^^^^
  help: did you mean 'ingress_ifindex'?

# test: errors
@bpf.struct
class Event:
    pid: u32
@bpf.xdp
def prog(ctx):
    e = Event(pid=1, uid=2)
    return e.pid
# ==>
test.py:8:9: error[no-field]: Event has no field 'uid'
    7 | def prog(ctx):
    8 |     e = Event(pid=1, uid=2)
      |         ^^^^^^^^^^^^^^^^^^^
  help: did you mean 'pid'?
