# test: run
# run: bits(0) == 0
# run: bits(255) == 8
# run: bits(-256) == 9
# run: extremes(3, -5) == -2
# run: power(3) == 81
# run: swap(1, 2) == 21
# run: choose(4) == 40
# run: choose(9) == 99
# run: choose(2) == 12
# run: walrus(6) == 42
@bpf.func
def bits(a: i64) -> i64:
    return a.bit_length()
@bpf.func
def extremes(a: i32, b: i32) -> i64:
    return min(a, b) + max(a, b) + abs(b) - 5
@bpf.func
def power(a: u8) -> i64:
    return a ** 4
@bpf.func
def swap(a: u8, b: u8) -> i64:
    a, b = b, a
    return a * 10 + b
@bpf.func
def choose(a: u8) -> i64:
    match a:
        case 4:
            return 40
        case 1 | 2 | 3:
            return a + 10
        case _:
            return 99
@bpf.func
def walrus(a: u8) -> i64:
    if (b := a + 1) > 5:
        return a * b
    return 0
# ==>
bits(0) == 0: agreed
bits(255) == 8: agreed
bits(-256) == 9: agreed
extremes(3, -5) == -2: agreed
power(3) == 81: agreed
swap(1, 2) == 21: agreed
choose(4) == 40: agreed
choose(9) == 99: agreed
choose(2) == 12: agreed
walrus(6) == 42: agreed
