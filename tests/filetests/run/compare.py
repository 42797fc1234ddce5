# test: run
# run: less(-1, 1) == 1
# run: less(-1, 0xffffffffffffffff) == 1
# run: less(5, 5) == 0
# run: same(-1, 0xffffffffffffffff) == 0
# run: chain(1) == 0
# run: chain(5) == 1
# run: member(3) == 1
# run: member(4) == 0
@bpf.func
def less(a: i64, b: u64) -> i64:
    return a < b
@bpf.func
def same(a: i64, b: u64) -> i64:
    return a == b
@bpf.func
def chain(a: i64) -> i64:
    return 2 <= a < 9
@bpf.func
def member(a: i64) -> i64:
    return a in (1, 3, 5)
# ==>
less(-1, 1) == 1: agreed
less(-1, 0xffffffffffffffff) == 1: agreed
less(5, 5) == 0: agreed
same(-1, 0xffffffffffffffff) == 0: agreed
chain(1) == 0: agreed
chain(5) == 1: agreed
member(3) == 1: agreed
member(4) == 0: agreed
