"""`//` and `%` floor, whatever the signs."""

from purebpf import i32, i64


def page(offset: i64) -> i64:
    return offset // 4096


def slot(hash: i32) -> i32:
    return hash % 7


def backwards(n: i32, by: i32) -> i64:
    return (n // by) * 100 + n % by


def clock(seconds: i64) -> i64:
    return (seconds // 3600) % 24 * 10000 + seconds // 60 % 60 * 100 + seconds % 60


CALLS = {
    "page(-1)": -1, "page(4096)": 1, "page(-4096)": -1, "page(-4097)": -2, "slot(-1)": 6, "slot(13)": 6, "slot(-14)": 0,
    "backwards(7, 2)": 301, "backwards(-7, 2)": -399, "backwards(7, -2)": -401, "backwards(-7, -2)": 299,
    "clock(-1)": 235959, "clock(86399)": 235959, "clock(3661)": 10101,
}
