"""Narrow numbers wrap when they are stored, not before."""

from purebpf import i8, i32, u8, u16, u32, u64


def average(a: u8, b: u8) -> u8:
    return (a + b) // 2


def checksum(a: u16, b: u16) -> u16:
    total = a + b
    return (total & 0xFFFF) + (total >> 16)


def difference(a: u32, b: u32) -> int:
    return a - b


def product(a: u32, b: u32) -> u64:
    return a * b


def negated(a: i8) -> int:
    return -a


def scaled(a: i32, b: u32) -> int:
    return a * b // 1000


CALLS = {
    "average(255, 255)": 255, "average(200, 101)": 150, "checksum(0xFFFF, 0xFFFF)": 0xFFFF, "checksum(0xFFF0, 0x20)": 0x11,
    "difference(3, 5)": -2, "difference(0, 2**32-1)": 1 - 2**32, "product(2**32-1, 2**32-1)": (2**32 - 1) ** 2,
    "negated(-128)": 128, "scaled(-7, 2**32-1)": -30064772, "scaled(-1, 1)": -1,
}
CALLS = {text.replace("2**32-1", "4294967295"): answer for text, answer in CALLS.items()}
