"""Big-endian objects in the VM: the same C gives the same answers on a machine of the other byte order."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from purebpf import elf
from purebpf.errors import NotSupported
from purebpf.loader import load
from purebpf.loader import sys as live_sys
from purebpf.spec import ObjectSpec
from purebpf.vm import Machine

SOURCE = """
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
static void *(*lookup)(void *, const void *) = (void *)1;
static long (*update)(void *, const void *, const void *, u64) = (void *)2;
static long (*tail_call)(void *, void *, u64) = (void *)12;
struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };
const volatile int port = 53;
u64 total = 7;
struct pair { u16 a; u32 b; u8 low : 3, high : 5; double d; enum { ONE = 1, TWO } e; } pair = { 1, 2, 3, 4, 1.5, TWO };
struct { __uint(type, 2); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } array SEC(".maps");
struct { __uint(type, 1); __uint(max_entries, 4); __type(key, u64); __type(value, u16); } hash SEC(".maps");
int last(struct xdp_md *ctx);
struct { __uint(type, 3); __uint(max_entries, 4); __type(key, u32); int (*values[])(void *); } jumps SEC(".maps") = {
    .values = { [2] = (void *)&last } };
SEC("xdp") int constant(struct xdp_md *ctx) { return port; }
SEC("xdp") int globals(struct xdp_md *ctx) { total += port; pair.b = 70000; return total == 60; }
SEC("xdp") int bytes_of(struct xdp_md *ctx) { volatile u32 x = 0x01020304; volatile u8 *p = (u8 *)&x;
    return port == 53 && (p[0] == 1 || p[3] == 1) ? p[0] : 0; }
SEC("xdp") int bit_fields(struct xdp_md *ctx) { pair.high = 21; return pair.low + pair.high; }
SEC("xdp") int maps(struct xdp_md *ctx) { u32 key = 3; u64 *n = lookup(&array, &key); if (!n) return 0; *n += 500;
    u64 k = 9; u16 v = 300; update(&hash, &k, &v, 0); u16 *got = lookup(&hash, &k); return got ? *got + *n : 0; }
SEC("xdp") int swaps(struct xdp_md *ctx) { u8 *p = (void *)(long)ctx->data; if ((void *)(p + 14) > (void *)(long)ctx->data_end)
    return 0; return NTOHS(*(u16 *)(p + 12)); }
SEC("xdp") int last(struct xdp_md *ctx) { return 42; }
SEC("xdp") int begin(struct xdp_md *ctx) { tail_call(ctx, &jumps, 2); return 1; }
SEC("xdp") int atomics(struct xdp_md *ctx) { __sync_fetch_and_add(&total, 3); return total; }
"""
ORDERS = {"little": ("bpfel", "-DNTOHS=__builtin_bswap16"), "big": ("bpfeb", "-DNTOHS=(u16)")}
WANTED = {"constant": 53, "globals": 1, "bit_fields": 24, "maps": 800, "swaps": 0x0800, "begin": 42, "atomics": 10}
FRAME = bytes(12) + b"\x08\x00" + bytes(50)


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ObjectSpec]:
    if shutil.which("clang-19") is None:
        pytest.skip("needs clang-19")
    folder = tmp_path_factory.mktemp("order")
    (folder / "a.c").write_text(SOURCE, encoding="utf-8")
    out = {}
    for order, (target, define) in ORDERS.items():
        path = folder / f"{order}.o"
        subprocess.run(["clang-19", "-target", target, "-g", "-O2", "-mcpu=v3", "-Wno-everything", define, "-c",
                        str(folder / "a.c"), "-o", str(path)], check=True)
        out[order] = elf.read(str(path))
    return out


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_the_same_answers(specs: dict[str, ObjectSpec], order: str, written: bool) -> None:
    spec = elf.read(elf.write(specs[order])) if written else specs[order]
    assert spec.byteorder == order
    for name, wanted in WANTED.items():
        machine = Machine(spec)
        assert machine.run(name, FRAME).retval == wanted, name
    assert Machine(spec).run("bytes_of", FRAME).retval == (4 if order == "little" else 1)


@pytest.mark.parametrize("order", ORDERS)
def test_values_are_seen_as_numbers(specs: dict[str, ObjectSpec], order: str) -> None:
    machine = Machine(specs[order])
    machine.run("maps", FRAME)
    machine.run("globals", FRAME)
    machine.run("bit_fields", FRAME)
    assert machine["array"][3] == 500 and dict(machine["hash"].items()) == {9: 300}  # type: ignore[union-attr]
    assert machine["total"].value == 60  # type: ignore[union-attr]
    pair = machine["pair"].value  # type: ignore[union-attr]
    assert (pair.a, pair.b, pair.low, pair.high, pair.d, pair.e) == (1, 70000, 3, 21, 1.5, 2)
    pair.d, pair.low, pair.e = 2.5, 5, 1
    machine["pair"].value = pair  # type: ignore[union-attr]
    assert machine["pair"].value == pair  # type: ignore[union-attr]


def test_the_other_byte_order_is_refused_by_the_kernel_s_loader(specs: dict[str, ObjectSpec]) -> None:
    other = "big" if live_sys.BYTEORDER == "little" else "little"
    with pytest.raises(NotSupported, match=f"{other}-endian object"):
        load(specs[other])
