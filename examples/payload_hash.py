"""A hash over the first bytes of each packet's payload: the same functions run in the kernel and in CPython."""

import os

import purebpf as bpf
from purebpf import Global, u8, u32
from purebpf.net import Ethernet

LIMIT = 256

last_hash = Global[u32](0)


def rotl(x: u32, n: u32) -> u32:
    return u32(x << n | x >> (32 - n))


def mix(h: u32, byte: u8) -> u32:
    return rotl(u32((h ^ byte) * 0x9E3779B1), 13)


@bpf.func
def finish(h: u32, length: u32) -> u32:
    h = u32((h ^ length) * 0x85EBCA77)
    return h ^ h >> 15


def payload_hash(payload: bytes) -> int:
    h = 0x811C9DC5
    for byte in payload[:LIMIT]:
        h = mix(h, byte)
    return finish(h, len(payload[:LIMIT]))


@bpf.tc
def hash_payload(ctx: bpf.TcContext) -> bpf.TcAction:
    pkt = ctx.packet
    if pkt.pull(Ethernet) is None:
        return bpf.TC_ACT_OK
    h: u32 = 0x811C9DC5
    length: u32 = 0
    for _ in range(LIMIT):
        byte = pkt.pull(u8)
        if byte is None:
            break
        h = mix(h, byte.value)
        length += 1
    last_hash.value = finish(h, length)
    return bpf.TC_ACT_OK


if __name__ == "__main__":
    payload = os.urandom(200)
    with bpf.load(hash_payload) as k:
        k[hash_payload].test_run(bytes(14) + payload)
        print(f"kernel {k[last_hash].value:#010x}, CPython {payload_hash(payload):#010x}")
