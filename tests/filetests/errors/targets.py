# test: errors 5.10
@bpf.syscall
def prog(ctx):
    n = 0
    while n != bpf.random_u32():
        n += 1
    return n
# ==>
test.py:6:5: error[target]: this loop may go round more often than the verifier of Linux 5.10 follows
    5 |     n = 0
    6 |     while n != bpf.random_u32():
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: bound it by a constant of a few hundred rounds, as in 'for i in range(100)', with 'break'; Linux 5.17 and later take it as it is

# test: errors 5.10
m = HashMap[u32, u64](max_entries=4)
@bpf.syscall
def prog(ctx):
    for k, v in m:
        print(k)
    return 0
# ==>
test.py:6:5: error[target]: bpf_for_each_map_elem() is there from Linux 5.13 on, and this is for 5.10
    5 | def prog(ctx):
    6 |     for k, v in m:
      |     ^^^^^^^^^^^^^^

# test: errors 5.15
@bpf.struct
class P:
    x: u32
    y: u32
@bpf.syscall
def prog(ctx):
    for i in bpf.iter.num(3):
        pass
    return 0
# ==>
test.py:9:14: error[target]: bpf_iter_num_new() is there from Linux 6.4 on, and this is for 5.15
    8 | def prog(ctx):
    9 |     for i in bpf.iter.num(3):
      |              ^^^^^^^^^^^^^^^

# test: errors 5.17
@bpf.struct
class P:
    x: u32
    y: u32
@bpf.syscall
def prog(ctx):
    p = P(1, 2)
    while p.x != bpf.random_u32():
        q = P(p.y, p.x)
        p = q
    return p.x
# ==>
test.py:10:5: error[target]: 'p' stands for another struct in every round of this loop, which takes Linux 6.4, and this is for 5.17
    9 |     p = P(1, 2)
   10 |     while p.x != bpf.random_u32():
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: copy its fields into one struct instead
