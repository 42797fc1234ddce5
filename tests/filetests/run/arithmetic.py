# test: run
# run: f(7, -2) == -4
# run: f(-7, 2) == -4
# run: f(-7, -2) == 3
# run: f(7, 0x7fffffff) == 0
# run: m(7, -2) == -1
# run: m(-7, 2) == 1
# run: m(-7, -2) == -1
# run: shift(-8, 1) == -4
# run: shift(-8, 100) == -1
# run: left(1, 70) == 0
@bpf.func
def f(a: i32, b: i32) -> i64:
    return a // b
@bpf.func
def m(a: i32, b: i32) -> i64:
    return a % b
@bpf.func
def shift(a: i64, n: u8) -> i64:
    return a >> n
@bpf.func
def left(a: u64, n: u8) -> u64:
    return u64(a << n)
# ==>
f(7, -2) == -4: agreed
f(-7, 2) == -4: agreed
f(-7, -2) == 3: agreed
f(7, 0x7fffffff) == 0: agreed
m(7, -2) == -1: agreed
m(-7, 2) == 1: agreed
m(-7, -2) == -1: agreed
shift(-8, 1) == -4: agreed
shift(-8, 100) == -1: agreed
left(1, 70) == 0: agreed
