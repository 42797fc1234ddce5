"""match on numbers, alternatives, guards, enums and the rest."""

from enum import IntEnum

from purebpf import i64, u32


class Proto(IntEnum):
    ICMP = 1
    TCP = 6
    UDP = 17


def name(p: u32, port: u32) -> i64:
    match p:
        case Proto.TCP if port == 443:
            return 1
        case Proto.TCP | Proto.UDP:
            return 2
        case Proto.ICMP:
            return 3
        case 0 | 255:
            return 4
        case other if other > 100:
            return other
        case _:
            return -1


def guarded(x: u32, y: u32) -> i64:
    match x:
        case 1: return 10
        case 2: return 20
        case 3: return 30
        case 4: return 40
        case 5: return 50
        case 8 if y != 3: return 69
    return 90 + (x == 8)


CALLS = {
    "name(6, 443)": 1, "name(6, 80)": 2, "name(17, 443)": 2, "name(1, 0)": 3, "name(255, 0)": 4, "name(200, 0)": 200,
    "name(50, 0)": -1, "guarded(8, 3)": 91, "guarded(8, 4)": 69, "guarded(5, 3)": 50, "guarded(9, 3)": 90,
}
