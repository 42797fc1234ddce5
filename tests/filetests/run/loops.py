# test: run
# run: total(10) == 45
# run: down(0) == 55
# run: search(7) == 3
# run: search(8) == -1
# run: nested(3) == 9
# run: collatz(27) == 111
@bpf.func
def total(n: u8) -> i64:
    s = 0
    for i in range(min(n, 64)):
        s += i
    return s
@bpf.func
def down(n: u8) -> i64:
    s = n
    for i in range(10, 0, -1):
        s += i
    return s
@bpf.func
def search(n: u8) -> i64:
    for i, x in enumerate((1, 3, 5, 7, 9)):
        if x == n:
            return i
    else:
        return -1
@bpf.func
def nested(n: u8) -> i64:
    c = 0
    for i in range(5):
        for j in range(5):
            if j >= n:
                break
            if i >= n:
                continue
            c += 1
    return c
@bpf.func
def collatz(n: u32) -> i64:
    steps = 0
    x: u64 = n
    while x != 1 and steps < 200:
        x = x // 2 if x % 2 == 0 else 3 * x + 1
        steps += 1
    return steps
# ==>
total(10) == 45: agreed
down(0) == 55: agreed
search(7) == 3: agreed
search(8) == -1: agreed
nested(3) == 9: agreed
collatz(27) == 111: agreed
