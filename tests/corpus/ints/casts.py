"""Casts wrap, in CPython and in the kernel alike."""

from purebpf import i8, i16, i32, i64, u8, u16, u32, u64


def low(x: u64) -> int:
    return u8(x) + u16(x) * 1000


def signed(x: u32) -> int:
    return i8(x) + i16(x)


def again(x: i64) -> int:
    return u32(x) - i32(x)


def truth(x: i64) -> int:
    return bool(x) * 10 + int(x != 0)


CALLS = {
    "low(0x12345)": 0x45 + 0x2345 * 1000, "signed(0x80)": -128 + 128, "signed(0xFFFF)": -2, "again(-1)": 2**32,
    "again(5)": 0, "truth(-3)": 11, "truth(0)": 0,
}
