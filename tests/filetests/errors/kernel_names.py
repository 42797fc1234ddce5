# test: errors
from purebpf.kernel import task_strct, task_struct
@bpf.tp_btf("sched_switch")
def prog(preempt, prev: Ptr[task_struct], next: Ptr[task_strct]):
    return 0
# ==>
test.py:5:49: error[kernel-type]: the kernel has no type 'task_strct'
    4 | @bpf.tp_btf("sched_switch")
    5 | def prog(preempt, prev: Ptr[task_struct], next: Ptr[task_strct]):
      |                                                 ^^^^^^^^^^^^^^^
  help: did you mean 'task_struct'?

# test: errors
from purebpf.kernel import task_struct
@bpf.tp_btf("sched_switch")
def prog(preempt, prev: Ptr[task_struct]):
    return prev.tgidd
# ==>
test.py:6:12: error[no-field]: task_struct has no field 'tgidd'
    5 | def prog(preempt, prev: Ptr[task_struct]):
    6 |     return prev.tgidd
      |            ^^^^^^^^^^
  help: did you mean 'tgid'?

# test: errors
from purebpf.kernel.kfuncs import bpf_task_frm_pid
@bpf.syscall
def prog(ctx):
    with bpf_task_frm_pid(1) as t:
        return t.pid
    return 0
# ==>
test.py:6:10: error[kernel-function]: the kernel has no function 'bpf_task_frm_pid'
    5 | def prog(ctx):
    6 |     with bpf_task_frm_pid(1) as t:
      |          ^^^^^^^^^^^^^^^^
  help: did you mean 'bpf_task_from_pid'?

# test: errors
from purebpf.kernel.kfuncs import bpf_cpumask_create, bpf_xdp_pull_data
@bpf.xdp
def prog(ctx):
    m = bpf_cpumask_create()
    return XDP_PASS
# ==>
test.py:6:9: error[program-type]: bpf_cpumask_create() cannot be called in xdp programs
    5 | def prog(ctx):
    6 |     m = bpf_cpumask_create()
      |         ^^^^^^^^^^^^^^^^^^^^
  help: it is for tracepoint, perf_event, fentry, fexit, tp_btf and iterator, lsm and syscall programs

# test: errors
from purebpf.kernel.kfuncs import bpf_copy_from_user_str
@bpf.xdp
def prog(ctx):
    buf = char[16]()
    bpf_copy_from_user_str(buf, 16, 0x1000, 0)
    return XDP_PASS
# ==>
test.py:7:5: error[sleeps]: bpf_copy_from_user_str() may sleep, and a program at this hook must not
    6 |     buf = char[16]()
    7 |     bpf_copy_from_user_str(buf, 16, 0x1000, 0)
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: hooks with '.s', as in @bpf.section("fentry.s/…"), and @bpf.syscall may

# test: errors
from purebpf.kernel.kfuncs import bpf_copy_from_user_str
@bpf.syscall
def prog(ctx):
    buf = char[16]()
    with bpf.preempt_off():
        bpf_copy_from_user_str(buf, 16, 0x1000, 0)
    return 0
# ==>
test.py:8:9: error[sleeps]: bpf_copy_from_user_str() may sleep, which the program must not while it is in 'with bpf.preempt_off()'
    7 |     with bpf.preempt_off():
    8 |         bpf_copy_from_user_str(buf, 16, 0x1000, 0)
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: call it before or after the 'with' block

# test: errors
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_acquire, bpf_task_release
@bpf.syscall
def prog(ctx):
    parent = bpf.current_task(task_struct).real_parent
    with bpf_task_acquire(parent) as t:
        return t.pid
    return 0
# ==>
test.py:8:27: error[untrusted]: bpf_task_acquire() takes an object of which the kernel knows that it is there, which this may not be: it was read by address
    7 |     parent = bpf.current_task(task_struct).real_parent
    8 |     with bpf_task_acquire(parent) as t:
      |                           ^^^^^^
  help: an argument of the hook, or what a function has acquired; inside 'with bpf.rcu():' what RCU protects, too

# test: errors
from purebpf.kernel.kfuncs import bpf_task_from_pid
@bpf.syscall
def prog(ctx):
    t = bpf_task_from_pid()
    return 0
# ==>
test.py:6:9: error[arguments]: bpf_task_from_pid() takes 1 argument, 0 given
    5 | def prog(ctx):
    6 |     t = bpf_task_from_pid()
      |         ^^^^^^^^^^^^^^^^^^^
  help: bpf_task_from_pid(pid: i32)

# test: errors
@bpf.syscall
def prog(ctx):
    for t in bpf.iter.tasks():
        print(t.pid)
    return 0
# ==>
test.py:5:14: error[kernel-function]: the kernel has no iterator 'tasks'
    4 | def prog(ctx):
    5 |     for t in bpf.iter.tasks():
      |              ^^^^^^^^^^^^^^
  help: did you mean 'task'?

# test: errors
@bpf.kfunc
def bpf_task_from_pid(pid: u64) -> int: ...
@bpf.syscall
def prog(ctx):
    return bpf_task_from_pid(1)
# ==>
test.py:7:12: error[kernel-function]: bpf_task_from_pid() is declared otherwise than the kernel's
    6 | def prog(ctx):
    7 |     return bpf_task_from_pid(1)
      |            ^^^^^^^^^^^^^^^^^
test.py:4:1: note: it is declared here
    3 | @bpf.kfunc
    4 | def bpf_task_from_pid(pid: u64) -> int: ...
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: it is bpf_task_from_pid(pid: i32) -> Ptr[task_struct]
