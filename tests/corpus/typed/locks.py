"""A lock in an entry, atomic additions, unions, defaults."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, SpinLock, u8, u32, u64


@bpf.struct
class Account:
    lock: SpinLock
    balance: u64 = 0
    moves: u32 = 0


@bpf.union
class Word:
    whole: u32
    parts: Array[u8, Literal[4]]


accounts = Array[Account](max_entries=2)
moved = HashMap[u32, u64](max_entries=4)
word = Global[Word]()
low = Global[u32](0)


@bpf.tc("ingress", default=0)
def program(ctx: bpf.TcContext) -> bpf.TcAction:
    account = accounts.lookup(1)
    if account is None:
        return bpf.TC_ACT_SHOT
    with account.lock:
        account.balance += ctx.len
        account.moves += 1
    bpf.atomic_add(moved.setdefault(3, 10).value, 1)
    word.whole = 0x01020304
    low.value = word.value.parts[0]
    return bpf.TC_ACT_OK


CASES = [{"retval": 0, "maps_after": {"moved": {3: 11}}, "globals_after": {"low": 4}, "big": {"globals_after": {"low": 1}}}]
