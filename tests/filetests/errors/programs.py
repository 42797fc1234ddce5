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
