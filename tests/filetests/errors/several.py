# test: errors
@bpf.xdp
def prog(ctx):
    a = undefined_one
    b = a + 1
    c = undefined_two
    return b + c
@bpf.tc
def other(ctx):
    return undefined_three
# ==>
test.py:5:9: error[undefined-name]: 'undefined_one' is not defined
    4 | def prog(ctx):
    5 |     a = undefined_one
      |         ^^^^^^^^^^^^^

test.py:7:9: error[undefined-name]: 'undefined_two' is not defined
    6 |     b = a + 1
    7 |     c = undefined_two
      |         ^^^^^^^^^^^^^

test.py:11:12: error[undefined-name]: 'undefined_three' is not defined
   10 | def other(ctx):
   11 |     return undefined_three
      |            ^^^^^^^^^^^^^^^
