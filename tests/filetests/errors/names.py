# test: errors
calls = HashMap[u32, u64](max_entries=16)
@bpf.xdp
def prog(ctx):
    cals[1] = 2
    return bpf.curent_pid()
# ==>
test.py:6:5: error[undefined-name]: 'cals' is not defined
    5 | def prog(ctx):
    6 |     cals[1] = 2
      |     ^^^^
  help: did you mean 'calls'?

test.py:7:12: error[undefined-name]: 'purebpf' has no 'curent_pid'
    6 |     cals[1] = 2
    7 |     return bpf.curent_pid()
      |            ^^^^^^^^^^^^^^
  help: did you mean 'current_pid'?

# test: errors
@bpf.xdp
def prog(ctx):
    if ctx.rx_queue_index:
        x = 1
    return x
# ==>
test.py:7:12: error[unassigned]: 'x' is not assigned on every path to here
    6 |         x = 1
    7 |     return x
      |            ^
  help: give it a value before the branch

# test: errors
@bpf.xdp
def prog(ctx):
    y = x
    x = 1
    return y
# ==>
test.py:5:9: error[unassigned]: 'x' is used before it is assigned
    4 | def prog(ctx):
    5 |     y = x
      |         ^
  help: give it a value first
