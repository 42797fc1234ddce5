# test: errors
@bpf.xdp
def prog(ctx):
    x = 1
    for i in range(4):
        x = ctx
    for y in 5:
        pass
    for i in range(0, 10, ctx.rx_queue_index):
        pass
    return 2
# ==>
test.py:8:14: error[type-mismatch]: 'for' goes over range(…), an array, a map or a constant sequence, not the constant 5
    7 |         x = ctx
    8 |     for y in 5:
      |              ^

# test: errors
@bpf.xdp
def prog(ctx):
    x = 1
    for i in range(4):
        if x > 2:
            break
        x = ctx
    return 2
# ==>
test.py:7:12: error[type-conflict]: 'x' is the constant 1 on one path and the program's context on another
    6 |     for i in range(4):
    7 |         if x > 2:
      |            ^
  help: use two variables
