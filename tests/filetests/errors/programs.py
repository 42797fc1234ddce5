# test: errors
@bpf.xdp
def prog(ctx):
    if ctx.rx_queue_index:
        return 2
# ==>
test.py:4:1: error[missing-return]: prog() can end without an answer to the kernel
    3 | @bpf.xdp
    4 | def prog(ctx):
      | ^^^^^^^^^^^^^^
  help: end with a return, such as 'return XDP_PASS'

# test: errors
@bpf.section("xpd")
def prog(ctx):
    return 2
# ==>
test.py:3:14: error[unknown-hook]: no hook is called 'xpd'
    2 | from purebpf import *
    3 | @bpf.section("xpd")
      |              ^^^^^
  help: did you mean 'xdp'?

# test: errors
@bpf.xdp
def prog(ctx, extra):
    return 2
# ==>
test.py:4:15: error[arguments]: a program takes one argument, its context
    3 | @bpf.xdp
    4 | def prog(ctx, extra):
      |               ^^^^^

# test: errors
# what a function calls is asked of every program that calls it, not of the first alone
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release

def sleepy(p):
    buf = u8[8]()
    return bpf.helpers.copy_from_user(buf, 8, p)

def find(pid):
    t = bpf_task_from_pid(pid)
    if t is None:
        return 0
    bpf_task_release(t)
    return 1

@bpf.syscall
def may(ctx):
    return sleepy(0) + find(1)

@bpf.tc
def may_not_sleep(ctx):
    return sleepy(0) + find(1)

@bpf.socket_filter
def may_not_find(ctx):
    return find(1)
# ==>
test.py:23:12: error[sleeps]: copy_from_user() may sleep, and a program at this hook must not
   22 | def may_not_sleep(ctx):
   23 |     return sleepy(0) + find(1)
      |            ^^^^^^^^^
  help: hooks with '.s', as in @bpf.section("fentry.s/…"), and @bpf.syscall may

test.py:27:12: error[program-type]: bpf_task_from_pid() cannot be called in socket programs
   26 | def may_not_find(ctx):
   27 |     return find(1)
      |            ^^^^^^^
test.py:11:9: note: it is called here
   10 | def find(pid):
   11 |     t = bpf_task_from_pid(pid)
      |         ^^^^^^^^^^^^^^^^^^^^^^
  help: it calls bpf_task_from_pid, which is for most other programs

test.py:27:12: error[program-type]: bpf_task_release() cannot be called in socket programs
   26 | def may_not_find(ctx):
   27 |     return find(1)
      |            ^^^^^^^
test.py:14:5: note: it is called here
   13 |         return 0
   14 |     bpf_task_release(t)
      |     ^^^^^^^^^^^^^^^^^^^
  help: it calls bpf_task_release, which is for most other programs
