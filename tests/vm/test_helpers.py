"""Helpers do what the kernel's do: one program each, run in both, with everything it can report compared."""

from __future__ import annotations

import struct

import pytest

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import KernelError
from purebpf.spec import DataSpec, MapSpec, VarSpec
from purebpf.uapi.enums import MapType
from purebpf.vm import Machine
from tests.kernel.specs import obj
from tests.vm.asm import ENGINES

pytestmark = pytest.mark.kernel
FRAME = bytes(range(1, 7)) + bytes(6) + b"\x08\x00" + bytes.fromhex(
    "4500003312344000400654dc0a010203c0a80709") + bytes(range(100, 160))
OUT = 64


def section(out: int = OUT) -> DataSpec:
    return DataSpec(".bss", bytes(out), (VarSpec("out", 0, out),))


def both(text: str, hook: str = "tc", frame: bytes = FRAME, *, maps: tuple[MapSpec, ...] = (), constant: bytes = b"",
         engine: str = "fast", fill: dict | None = None, functions: dict[str, str] | None = None) -> tuple:
    """(kernel's, VM's) results: return value, packet, .bss and the maps in `fill`."""
    data = (section(), *((DataSpec(".rodata", constant, (VarSpec("text", 0, len(constant)),)),) if constant else ()))
    one = obj(hook, text, maps=maps, data=data, functions=functions)
    if functions:
        one = typed(one)
    machine = Machine(one, engine=engine)
    with loader.load(one) as k:
        for name, entries in (fill or {}).items():
            for key, value in entries.items():
                k[name][key] = value
                machine.maps[name][key] = value
        theirs, ours = k["prog"].test_run(frame), machine.run(data=frame)
        left = (theirs.retval, theirs.data, k["out"].raw, *(_content(k[name]) for name in fill or {}))
        right = (ours.retval, ours.data, machine["out"].raw, *(_content(machine.maps[name]) for name in fill or {}))
    return left, right


def typed(one):
    """The kernel wants to know the functions that it calls back."""
    builder = Builder()
    number = builder.add(t.Int("long", 8, t.SIGNED))
    params = tuple(t.Param(f"a{n}", number) for n in range(4))

    def with_type(func, count: int, linkage: int):
        proto = builder.add(t.FuncProto(number, params[:count]))
        return func._replace(btf_id=builder.add(t.Func(func.name, proto, linkage)))

    programs = {n: p._replace(func=with_type(p.func, 1, t.GLOBAL)) for n, p in one.programs.items()}
    functions = {n: with_type(f, 2 if n == "add" else 4, t.STATIC) for n, f in one.functions.items()}
    return one._replace(programs=programs, functions=functions, btf=builder.build())


def _content(live) -> list:
    return sorted((bytes(k) if isinstance(k, bytes) else k, v) for k, v in live.items())


SAVE = "r6 = r0\nr1 = data:.bss\n*(u64 *)(r1 + 0) = r6\nr0 = 0\nexit"

PACKETS = {  # hook, text: what a packet helper gives goes to .bss
    "skb_load_bytes": ("tc", "r2 = 14\nr3 = r10\nr3 += -8\nr4 = 8\ncall skb_load_bytes\nr6 = *(u64 *)(r10 - 8)\nr0 += r6"),
    "skb_load_bytes far": ("tc", "r2 = 4000\nr3 = r10\nr3 += -8\nr4 = 8\ncall skb_load_bytes\nr6 = *(u64 *)(r10 - 8)\nr0 += r6"),
    "skb_load_bytes edge": ("tc", f"r2 = {len(FRAME) - 7}\nr3 = r10\nr3 += -8\nr4 = 8\ncall skb_load_bytes"),
    "relative mac": ("tc", "r2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\nr5 = 0\ncall skb_load_bytes_relative\nr6 = *(u64 *)(r10 - 8)\nr0 += r6"),
    "relative net": ("tc", "r2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\nr5 = 1\ncall skb_load_bytes_relative\nr6 = *(u64 *)(r10 - 8)\nr0 += r6"),
    "skb_store_bytes": ("tc", "*(u64 *)(r10 - 8) = -1\nr2 = 20\nr3 = r10\nr3 += -8\nr4 = 4\nr5 = 0\ncall skb_store_bytes"),
    "skb_store_bytes far": ("tc", "*(u64 *)(r10 - 8) = -1\nr2 = 4000\nr3 = r10\nr3 += -8\nr4 = 4\nr5 = 0\ncall skb_store_bytes"),
    "skb_pull_data": ("tc", "r2 = 40\ncall skb_pull_data"),
    "skb_pull_data far": ("tc", "r2 = 4000\ncall skb_pull_data"),
    "skb_change_tail": ("tc", f"r2 = {len(FRAME) + 9}\nr3 = 0\ncall skb_change_tail"),
    "skb_change_tail shorter": ("tc", "r2 = 40\nr3 = 0\ncall skb_change_tail"),
    "skb_change_tail flags": ("tc", "r2 = 40\nr3 = 1\ncall skb_change_tail"),
    "l3_csum_replace 4": ("tc", "r2 = 24\nr3 = 0x0a010203\nr4 = 0x0b0c0d0e\nr5 = 4\ncall l3_csum_replace"),
    "l3_csum_replace 2": ("tc", "r2 = 24\nr3 = 0x0a01\nr4 = 0xfffe\nr5 = 2\ncall l3_csum_replace"),
    "l3_csum_replace diff": ("tc", "r2 = 24\nr3 = 0\nr4 = 0x12345\nr5 = 0\ncall l3_csum_replace"),
    "l3_csum_replace flags": ("tc", "r2 = 24\nr3 = 1\nr4 = 2\nr5 = 16\ncall l3_csum_replace"),
    "l3_csum_replace size": ("tc", "r2 = 24\nr3 = 1\nr4 = 2\nr5 = 3\ncall l3_csum_replace"),
    "l4_csum_replace": ("tc", "r2 = 50\nr3 = 0x0a010203\nr4 = 0x0b0c0d0e\nr5 = 0x14\ncall l4_csum_replace"),
    "l4_csum_replace udp": ("tc", "r2 = 50\nr3 = 1\nr4 = 2\nr5 = 0x22\ncall l4_csum_replace"),
    "l4_csum_replace odd": ("tc", "r2 = 51\nr3 = 1\nr4 = 2\nr5 = 2\ncall l4_csum_replace"),
    "redirect": ("tc", "r1 = 1\nr2 = 1\ncall redirect"),
    "redirect flags": ("tc", "r1 = 1\nr2 = 2\ncall redirect"),
    "xdp_adjust_head": ("xdp", "r2 = -6\ncall xdp_adjust_head"),
    "xdp_adjust_head in": ("xdp", "r2 = 8\ncall xdp_adjust_head"),
    "xdp_adjust_head far": ("xdp", "r2 = -300\ncall xdp_adjust_head"),
    "xdp_adjust_head most": ("xdp", "r2 = -216\ncall xdp_adjust_head"),
    "xdp_adjust_head one more": ("xdp", "r2 = -217\ncall xdp_adjust_head"),
    "xdp_adjust_head over": ("xdp", f"r2 = {len(FRAME) - 13}\ncall xdp_adjust_head"),
    "xdp_adjust_tail": ("xdp", "r2 = 30\ncall xdp_adjust_tail"),
    "xdp_adjust_tail most": ("xdp", f"r2 = {4096 - 256 - 320 - len(FRAME)}\ncall xdp_adjust_tail"),
    "xdp_adjust_tail one more": ("xdp", f"r2 = {4096 - 256 - 320 - len(FRAME) + 1}\ncall xdp_adjust_tail"),
    "xdp_adjust_tail cut": ("xdp", "r2 = -30\ncall xdp_adjust_tail"),
    "xdp_adjust_tail too short": ("xdp", f"r2 = {13 - len(FRAME)}\ncall xdp_adjust_tail"),
    "xdp_adjust_meta": ("xdp", "r2 = -8\ncall xdp_adjust_meta"),
    "xdp_adjust_meta odd": ("xdp", "r2 = -3\ncall xdp_adjust_meta"),
    "xdp_adjust_meta far": ("xdp", "r2 = -256\ncall xdp_adjust_meta"),
    "xdp_load_bytes": ("xdp", "r2 = 14\nr3 = r10\nr3 += -8\nr4 = 8\ncall xdp_load_bytes\nr6 = *(u64 *)(r10 - 8)\nr0 += r6"),
    "xdp_store_bytes": ("xdp", "*(u64 *)(r10 - 8) = -1\nr2 = 20\nr3 = r10\nr3 += -8\nr4 = 4\ncall xdp_store_bytes"),
    "xdp_load_bytes far": ("xdp", "*(u64 *)(r10 - 8) = 5\nr2 = 4000\nr3 = r10\nr3 += -8\nr4 = 8\ncall xdp_load_bytes"),
    "xdp_get_buff_len": ("xdp", "call xdp_get_buff_len"),
    "xdp redirect": ("xdp", "r1 = 1\nr2 = 0\ncall redirect"),
    "xdp redirect flags": ("xdp", "r1 = 1\nr2 = 1\ncall redirect"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PACKETS)
def test_packets(name, engine):
    hook, text = PACKETS[name]
    left, right = both(f"{text}\n{SAVE}", hook, engine=engine)
    assert right == left


@pytest.mark.parametrize("first,second,seed", [
    (0, 8, 0), (8, 0, 0), (8, 8, 0), (16, 4, 0x12345678), (0, 16, 0xFFFF), (4, 0, 0xFFFFFFFF), (0, 0, 0x1FFFF), (3, 4, 0),
    (0, 4, 0xFFFFFFFF), (20, 20, 1)])
def test_csum_diff(first, second, seed):
    words = "\n".join(f"r1 = {0x9E3779B97F4A7C15 * (n + 3) % 2**64} ll\n*(u64 *)(r10 - {8 * n + 8}) = r1" for n in range(6))
    text = f"""{words}
        r1 = r10
        r1 += -48
        r2 = {first}
        r3 = r10
        r3 += -24
        r4 = {second}
        w5 = {seed - 2**32 if seed >> 31 else seed}
        call csum_diff
        {SAVE}"""
    left, right = both(text)
    assert right == left


TEXTS = {
    "%d %u %x|%i": (-5, 2**32 - 5, 0xABCDEF, 7), "%ld %lu %lx": (-5, 2**64 - 5, 2**64 - 1),
    "%lld %llu %llx": (-(2**63), 2**64 - 1, 2**63), "%08x|%8d|%-8d|": (255, -3, 4), "%c%c%c": (65, 66, 67),
    "100%% of %d": (3,), "%#x %#lx": (255, 2**40), "%+d % d": (5, 6), "plain": (), "%hhd %hd": (0x1FF, 0x18000),
    "%q": (1,), "%d %d": (1, 2), "%": (), "%X": (0xABC,),
}


@pytest.mark.parametrize("form", TEXTS)
def test_snprintf(form):
    values = TEXTS[form]
    stores = "\n".join(f"r1 = {v % 2**64} ll\n*(u64 *)(r10 - {8 * (len(values) - n)}) = r1" for n, v in enumerate(values))
    text = f"""{stores}
        r1 = data:.bss+8
        r2 = 48
        r3 = data:.rodata
        r4 = r10
        r4 += {-8 * len(values)}
        r5 = {8 * len(values)}
        call snprintf
        {SAVE}""" if values else f"""
        r1 = data:.bss+8
        r2 = 48
        r3 = data:.rodata
        r4 = 0
        r5 = 0
        call snprintf
        {SAVE}"""
    try:
        left, right = both(text, "tc", constant=form.encode() + b"\0")
    except KernelError as error:  # the verifier knows the format, and refuses a bad one
        assert "%q" in form or form == "%" or "%X" in form or "%#" in form or "%hh" in form or "%+" in form, error
        return
    assert right == left


@pytest.mark.parametrize("text,base", [(b"42", 0), (b"0x1f rest", 0), (b"017", 0), (b"-12", 10), (b"  7", 10), (b"zz", 16), (b"", 10),
                                       (b"99999999999999999999", 10), (b"ff", 16), (b"12", 7), (b"+5", 10)])
@pytest.mark.parametrize("helper", ["strtol", "strtoul"])
def test_strtol(helper, text, base):
    held = int.from_bytes(text.ljust(24, b"\0"), "little")
    stores = "\n".join(f"r1 = {held >> 64 * n & (2**64 - 1)} ll\n*(u64 *)(r10 - {24 - 8 * n}) = r1" for n in range(3))
    body = f"""{stores}
        r1 = r10
        r1 += -24
        r2 = 24
        r3 = {base}
        r4 = r10
        r4 += -32
        *(u64 *)(r10 - 32) = 0
        call {helper}
        r7 = *(u64 *)(r10 - 32)
        r1 = data:.bss+8
        *(u64 *)(r1 + 0) = r7
        {SAVE}"""
    left, right = both(body, "tc")
    assert right == left


@pytest.mark.parametrize("a,b,size", [(b"abc", b"abc", 8), (b"abc", b"abd", 8), (b"abd", b"abc", 8), (b"ab", b"abc", 8), (b"abcX", b"abcY", 3)])
def test_strncmp(a, b, size):
    text = f"""
        r1 = {int.from_bytes(a.ljust(8, bytes(1)), "little")} ll
        *(u64 *)(r10 - 8) = r1
        r1 = r10
        r1 += -8
        r2 = {size}
        r3 = data:.rodata
        call strncmp
        r6 = r0
        r6 s>>= 31
        r7 = r0
        r7 = -r7
        r7 >>= 63
        r0 = r6
        r0 |= r7
        {SAVE}"""
    left, right = both(text, constant=b.ljust(8, b"\0"))
    assert right == left


UPDATES = [  # (key, value, flags) of map_update_elem in order; then deletes
    (1, 10, 0), (2, 20, 1), (2, 21, 1), (3, 30, 2), (1, 11, 2), (3, 31, 0), (4, 40, 0), (5, 50, 0), (1, 12, 3), (1, 13, 99), (9, 1, 0),
]


@pytest.mark.parametrize("kind,flags", [(MapType.HASH, 0), (MapType.ARRAY, 0), (MapType.LRU_HASH, 0), (MapType.HASH, 1),
                                        (MapType.PERCPU_ARRAY, 0), (MapType.PERCPU_HASH, 0)])
@pytest.mark.parametrize("engine", ENGINES)
def test_update_and_delete_errors(kind, flags, engine):
    one = MapSpec("m", kind, 4, 8, 64 if kind == MapType.LRU_HASH else 4, flags)
    steps = []
    for n, (key, value, how) in enumerate(UPDATES):
        steps.append(f"""
            *(u32 *)(r10 - 4) = {key}
            *(u64 *)(r10 - 16) = {value}
            r1 = map:m
            r2 = r10
            r2 += -4
            r3 = r10
            r3 += -16
            r4 = {how}
            call map_update_elem
            r1 = data:.bss+{n}
            *(u8 *)(r1 + 0) = r0""")
    for n, key in enumerate((1, 77, 1)):
        steps.append(f"""
            *(u32 *)(r10 - 4) = {key}
            r1 = map:m
            r2 = r10
            r2 += -4
            call map_delete_elem
            r1 = data:.bss+{20 + n}
            *(u8 *)(r1 + 0) = r0""")
    summed = kind in (MapType.PERCPU_ARRAY, MapType.PERCPU_HASH)
    left, right = both("\n".join(steps) + "\nr0 = 0\nexit", maps=(one,), engine=engine, fill={} if summed else {"m": {}})
    assert right == left


QUEUE = """
    *(u64 *)(r10 - 8) = {value}
    r1 = map:m
    r2 = r10
    r2 += -8
    r3 = {flags}
    call map_push_elem
    r1 = data:.bss+{at}
    *(u8 *)(r1 + 0) = r0
"""
TAKE = """
    *(u64 *)(r10 - 8) = 99
    r1 = map:m
    r2 = r10
    r2 += -8
    call map_{what}_elem
    r7 = *(u64 *)(r10 - 8)
    r0 *= 16
    r0 += r7
    r1 = data:.bss+{at}
    *(u16 *)(r1 + 0) = r0
"""


@pytest.mark.parametrize("kind", [MapType.QUEUE, MapType.STACK])
def test_queues(kind):
    steps = [QUEUE.format(value=n, flags=2 if n == 4 else 0, at=n) for n in range(5)]
    steps += [TAKE.format(what=what, at=10 + 2 * n) for n, what in enumerate(("peek", "pop", "pop", "pop", "pop", "peek"))]
    left, right = both("\n".join(steps) + "\nr0 = 0\nexit", maps=(MapSpec("m", kind, 0, 8, 3),))
    assert right == left


def test_lpm():
    def key(length: int, *octets: int) -> bytes:
        return struct.pack("<I", length) + bytes(octets)

    entries = {(24, 10, 1, 2, 0): 1, (16, 10, 1, 0, 0): 2, (0, 0, 0, 0, 0): 3, (32, 10, 1, 2, 3): 4, (9, 10, 128, 0, 0): 5}
    one = MapSpec("m", MapType.LPM_TRIE, 8, 8, 8, 1)
    probes = [(32, 10, 1, 2, 3), (32, 10, 1, 2, 4), (32, 10, 1, 9, 9), (32, 10, 200, 9, 9), (32, 11, 0, 0, 0), (20, 10, 1, 2, 3),
              (8, 10, 1, 2, 3), (0, 1, 2, 3, 4)]
    steps = []
    for n, probe in enumerate(probes):
        steps.append(f"""
            r1 = {int.from_bytes(key(*probe), "little")} ll
            *(u64 *)(r10 - 8) = r1
            r1 = map:m
            r2 = r10
            r2 += -8
            call map_lookup_elem
            if r0 == 0 goto none{n}
            r0 = *(u64 *)(r0 + 0)
            none{n}:
            r1 = data:.bss+{n}
            *(u8 *)(r1 + 0) = r0""")
    text = "\n".join(steps) + "\nr0 = 0\nexit"
    data = (section(),)
    spec = obj("tc", text, maps=(one,), data=data)
    machine = Machine(spec)
    with loader.load(spec) as k:
        for entry, value in entries.items():
            number = int.from_bytes(key(*entry), "little")
            k["m"][number] = value
            machine.maps["m"][number] = value
        k["prog"].test_run(FRAME)
        machine.run(data=FRAME)
        assert machine["out"].raw == k["out"].raw
        assert sorted(machine.maps["m"].values()) == sorted(k["m"].values())


def test_loop_and_for_each():
    functions = {
        "add": "r3 = *(u64 *)(r2 + 0)\nr3 += r1\n*(u64 *)(r2 + 0) = r3\nr0 = 0\nif r1 != 6 goto more\nr0 = 1\nmore: exit",
        "sum": "r5 = *(u64 *)(r3 + 0)\nr1 = *(u64 *)(r4 + 0)\nr1 += r5\n*(u64 *)(r4 + 0) = r1\nr0 = 0\nexit",
    }
    text = """
        *(u64 *)(r10 - 8) = 0
        r1 = {count}
        r2 = func:add
        r3 = r10
        r3 += -8
        r4 = {flags}
        call loop
        r6 = r0
        r1 = map:m
        r2 = func:sum
        r3 = r10
        r3 += -8
        r4 = 0
        call for_each_map_elem
        r1 = data:.bss+8
        r2 = *(u64 *)(r10 - 8)
        *(u64 *)(r1 + 0) = r2
        *(u64 *)(r1 + 8) = r6
        """ + SAVE
    for count, flags in ((5, 0), (100, 0), (0, 0), (9_000_000, 0), (5, 1)):
        one = MapSpec("m", MapType.ARRAY, 4, 8, 3)
        left, right = both(text.format(count=count, flags=flags), maps=(one,), functions=functions,
                           fill={"m": {0: 100, 1: 200, 2: 300}})
        assert right == left


def test_numbers_iterator():
    text = """
        r1 = r10
        r1 += -8
        r2 = {start}
        r3 = {end}
        call kfunc:bpf_iter_num_new
        r8 = r0
        r7 = 0
        again:
        r1 = r10
        r1 += -8
        call kfunc:bpf_iter_num_next
        if r0 == 0 goto done
        r1 = *(s32 *)(r0 + 0)
        r7 += r1
        goto again
        done:
        r1 = r10
        r1 += -8
        call kfunc:bpf_iter_num_destroy
        r1 = data:.bss+8
        *(u64 *)(r1 + 0) = r7
        r0 = r8
        """ + SAVE
    for start, end in ((0, 10), (-5, 3), (7, 7), (8, 7), (0, 9_000_000), (2**31 - 3, 2**31 - 1)):
        left, right = both(text.format(start=start, end=end))
        assert right == left, (start, end)
