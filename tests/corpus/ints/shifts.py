"""Shifts: of signed values, by counts up to 63, with a literal on the left."""

from purebpf import i32, i64, u8, u32, u64


def arithmetic(x: i64, n: u8) -> i64:
    return x >> (n & 63)


def mask(bits: u8) -> u64:
    return u64((1 << (bits & 63)) - 1)


def below(n: i32) -> bool:
    return (1 << (n & 7)) - 3 < 0


def rotl(x: u32, n: u32) -> u32:
    return u32(x << (n & 31) | x >> (-n & 31))


def high(x: u64) -> u64:
    return x >> 32


CALLS = {
    "arithmetic(-8, 1)": -4, "arithmetic(-1, 63)": -1, "arithmetic(2**62, 62)": 1, "mask(0)": 0, "mask(12)": 4095,
    "mask(63)": 2**63 - 1, "below(0)": True, "below(1)": True, "below(2)": False, "rotl(0x80000001, 1)": 3,
    "rotl(0x12345678, 0)": 0x12345678, "rotl(0x12345678, 8)": 0x34567812, "high(2**63)": 2**31,
}
CALLS = {text.replace("2**62", str(2**62)).replace("2**63", str(2**63)): a for text, a in CALLS.items()}
