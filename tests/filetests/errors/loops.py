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
test.py:8:14: error[type-mismatch]: 'for' goes over range(…), an array, a map or a constant sequence, not the number 5
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
test.py:7:12: error[type-conflict]: 'x' is the number 1 on one path and the program's context on another
    6 |     for i in range(4):
    7 |         if x > 2:
      |            ^
  help: use two variables

# test: errors
total = Global[u64](0)

def spin():
    while True:
        total.value += 1

@bpf.xdp
def prog(ctx):
    n = 3
    while n < 5:
        total.value += n
    spin()
    return 2
# ==>
test.py:12:5: error[endless]: this loop never ends
   11 |     n = 3
   12 |     while n < 5:
      |     ^^^^^^^^^^^^
  help: leave it by 'break' or 'return', or give it a condition that changes: 'for i in range(n)' counts
