"""What programs do with a socket buffer besides its bytes: as in the kernel, and where nothing real stands behind it, as docs/vm.md says."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from purebpf import loader
from purebpf.cli import main
from purebpf.errors import FormatError
from purebpf.spec import MapSpec
from purebpf.uapi.enums import MapType
from purebpf.vm import Machine, Route
from tests.kernel.specs import obj
from tests.vm.asm import ENGINES
from tests.vm.test_helpers import FRAME, SAVE, both, section

IPV6 = bytes(12) + b"\x86\xdd" + bytes.fromhex("6000000000281140") + bytes(range(32)) + bytes(range(40))
ARP = bytes(12) + b"\x08\x06" + bytes(46)
VLAN = bytes(12) + b"\x81\x00\x00\x07\x08\x00" + FRAME[14:]
TWO_VLANS = bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x07\x08\x00" + FRAME[14:]
SEE = "r6 = r0\nr1 = data:.bss\n*(u64 *)(r1 + 0) = r6\nr3 = *(u32 *)(r9 + {})\n*(u64 *)(r1 + 8) = r3\nr0 = 0\nexit"
PROTOCOL, PKT_TYPE, VLAN_PRESENT, VLAN_TCI, HASH = 16, 4, 20, 24, 68


def room(delta: int, mode: int = 1, flags: int = 0) -> str:
    return f"r2 = {delta}\nr3 = {mode}\nr4 = {flags} ll\ncall skb_adjust_room"


def push(proto: int, tci: int) -> str:
    return f"r1 = r9\nr2 = {proto}\nr3 = {tci}\ncall skb_vlan_push"


POP = "r1 = r9\ncall skb_vlan_pop"
CASES = {  # what is called, and the field of the context that it changes
    **{f"room {d} mode {m} flags {f:#x}": (room(d, m, f), PROTOCOL) for d in (0, 8, 20, 40, -8, -20, -60, 4000, 5000, -5000)
       for m in (0, 1, 2) for f in (0, 1, 32)},
    **{f"encap {d} {f:#x}": (room(d, 1, f), PROTOCOL) for d in (20, 40) for f in (
        2, 4, 6, 2 | 8, 4 | 16, 2 | 24, 2 | 16 | 64 | 14 << 56, 2 | 64, 2 | 60 << 56)},
    **{f"decap {d} {f:#x}": (room(d, 1, f), PROTOCOL) for d in (20, -20, -40) for f in (128, 256, 384, 128 | 2)},
    "flags": (room(8, 1, 1 << 20), PROTOCOL),
    **{f"proto {p:#x} flags {f}": (f"r2 = {p}\nr3 = {f}\ncall skb_change_proto", PROTOCOL) for p in (0xDD86, 0x8, 0x608) for f in (0, 1)},
    **{f"type {n}": (f"r2 = {n}\ncall skb_change_type", PKT_TYPE) for n in (0, 2, 3, 4, 7)},
    "push": (push(0x81, 5), VLAN_TCI), "push ad": (push(0xA888, 5), VLAN_TCI), "push odd": (push(0x1234, 0xFFFF), VLAN_PRESENT),
    "push push": (f"{push(0x81, 5)}\n{push(0x81, 6)}", PROTOCOL), "pop": (POP, PROTOCOL), "pop pop": (f"{POP}\n{POP}", PROTOCOL),
    "push pop": (f"{push(0x81, 5)}\n{POP}", VLAN_PRESENT), "push push pop": (f"{push(0x81, 5)}\n{push(0xA888, 6)}\n{POP}", VLAN_TCI),
    "set_hash": ("r2 = 77\ncall set_hash", HASH), "set, recalc": ("r2 = 77\ncall set_hash\nr1 = r9\ncall get_hash_recalc", HASH),
    "set, invalid": ("r2 = 77\ncall set_hash\nr1 = r9\ncall set_hash_invalid", HASH),
    "get_tunnel_key": ("r2 = r10\nr2 += -48\nr3 = 44\nr4 = 0\ncall skb_get_tunnel_key\nr6 = *(u64 *)(r10 - 48)\nr0 += r6", PROTOCOL)}


def key(flags: int, get: int, size: int = 44, label: int = 0, part: int = 44, ext: int = 0) -> str:
    """Sets a key of `part` bytes, gets `size` of it into .bss."""
    fill = "\n".join(f"*(u32 *)(r10 - {48 - 4 * n}) = { {6: label, 5: 0x605 | ext << 16}.get(n, 0x1010101 * (n + 1))}" for n in range(11))
    return f"""{fill}
        r1 = r9\nr2 = r10\nr2 += -48\nr3 = {part}\nr4 = {flags}\ncall skb_set_tunnel_key\nr6 = r0
        r1 = r9\nr2 = data:.bss+16\nr3 = {size}\nr4 = {get}\ncall skb_get_tunnel_key\nr0 <<= 32\nr6 <<= 32\nr6 >>= 32\nr0 |= r6"""


CASES |= {f"tunnel {a}": (key(*a), PROTOCOL) for a in (
    (0, 0), (1, 1), (1, 0), (0, 1), (0, 0, 28), (0, 0, 24), (0, 0, 22), (0, 0, 8), (1, 1, 8), (0, 0, 40), (1, 1, 44, 5), (0, 0, 44, 5),
    (1, 1, 44, 0x100000), (64, 0), (0, 4), (0, 0, 44, 0, 28), (0, 0, 44, 0, 8), (0, 0, 44, 0, 20), (0, 0, 44, 0, 44, 1))}


@pytest.mark.kernel
@pytest.mark.parametrize("name", CASES)
def test_as_in_the_kernel(name: str) -> None:
    text, field = CASES[name]
    for frame in (FRAME, IPV6, ARP, VLAN, TWO_VLANS):
        left, right = both(f"r9 = r1\n{text}\n{SEE.format(field)}", frame=frame)
        assert right == left, frame[12:18].hex()


@pytest.mark.kernel
@pytest.mark.parametrize("engine", ENGINES)
def test_a_hash_is_a_flow_s(engine: str) -> None:
    text = f"r9 = r1\ncall get_hash_recalc\nr8 = *(u32 *)(r9 + {HASH})\nr0 -= r8\n{SAVE}"
    assert both(text, engine=engine)[0] == both(text, engine=engine)[1]  # what the context says afterwards

    machine = Machine(obj("tc", "call get_hash_recalc\nexit"), engine=engine)
    other = bytearray(FRAME)
    other[30] ^= 1
    longer = FRAME + b"more"
    found = [machine.run(data=bytes(frame)).retval for frame in (FRAME, longer, other)]
    assert found[0] == found[1] != found[2] and all(found)


FIB = """
    r9 = r1
    {stores}
    r1 = r9
    r2 = data:.bss
    r3 = {size}
    r4 = {flags}
    call fib_lookup
    exit
"""


def fib(machine_routes: list[Route], family: int, to: bytes, length: int = 100, size: int = 64, flags: int = 0) -> tuple[int, bytes]:
    params = bytearray(64)
    params[0], params[6:8], params[8:12] = family, struct.pack("<H", length), struct.pack("<I", 1)
    params[32:32 + len(to)] = to
    stores = "r1 = data:.bss\n" + "\n".join(
        f"r2 = {int.from_bytes(params[n:n + 8], 'little')} ll\n*(u64 *)(r1 + {n}) = r2" for n in range(0, 64, 8))
    machine = Machine(obj("tc", FIB.format(stores=stores, size=size, flags=flags), data=(section(),)), routes=machine_routes)
    result = machine.run(data=FRAME).retval
    return result, bytes(machine["out"].raw)


ROUTES = [Route("10.0.0.0/8", 2, b"\1\2\3\4\5\6", b"abcdef"), Route("10.9.0.0/16", 3, gateway="10.0.0.1"),
          Route("0.0.0.0/0", 4, b"gatewy", gateway="fe80::1"), Route("2001:db8::/32", 5, b"\1\2\3\4\5\6", mtu=1280)]


def test_routes_are_those_of_the_machine() -> None:
    minus = (1 << 32) - 22
    assert fib([], 2, bytes([10, 1, 1, 1]))[0] == 4  # no route
    found, out = fib(ROUTES, 2, bytes([10, 1, 1, 1]))
    assert found == 0 and out[8:12] == b"\2\0\0\0" and out[52:64] == b"abcdef\1\2\3\4\5\6" and out[6:8] == struct.pack("<H", 1500)
    found, out = fib(ROUTES, 2, bytes([10, 9, 1, 1]))  # the longer prefix; its neighbour is not known
    assert found == 7 and out[8] == 3 and out[32:36] == bytes([10, 0, 0, 1])
    assert fib(ROUTES, 2, bytes([10, 9, 1, 1]), flags=4)[0] == 0
    found, out = fib(ROUTES, 2, bytes([8, 8, 8, 8]))
    assert found == 0 and out[0] == 10 and out[32:48].hex() == "fe80" + "00" * 13 + "01"
    six = bytes.fromhex("20010db8") + bytes(12)
    assert fib(ROUTES, 10, six)[1][8] == 5 and fib(ROUTES, 10, six, 1281)[0] == 8
    assert fib(ROUTES, 10, bytes(16))[0] == 4
    assert fib(ROUTES, 2, bytes(4), size=63)[0] == minus and fib(ROUTES, 2, bytes(4), flags=1 << 20)[0] == minus
    assert fib(ROUTES, 3, bytes(4))[0] == (1 << 32) - 97
    for route, says in ((Route("::/0", 1, b"x"), "6 bytes"), (Route("10.0.0.1/8", 1), "host bits"), (Route("::/0", 1, gateway="x"), "'x'")):
        with pytest.raises(FormatError, match=says):
            Machine(obj("tc", "r0 = 0\nexit"), routes=[route])


def test_routes_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stores = "r2 = 2\n*(u8 *)(r10 - 64) = r2\n" + "\n".join(f"*(u8 *)(r10 - {64 - n}) = 0" for n in range(1, 64) if n not in (32, 33, 34, 35))
    text = FIB.format(stores=f"{stores}\nr2 = {int.from_bytes(bytes([10, 1, 1, 1]), 'little')}\n*(u32 *)(r10 - 32) = r2", size=64, flags=0)
    path = tmp_path / "fib.s"
    path.write_text('.license "GPL"\n.section "tc"\nfib:\n' + text.replace("r2 = data:.bss", "r2 = r10\nr2 += -64"))
    for routes, says in (((), "4"), (("10.0.0.0/8=2",), "7"), (("10.0.0.0/8=2,02:00:00:00:00:01,10.0.0.1", "::/0=3"), "0")):
        assert main(["run", str(path), "--data", FRAME.hex(), *(word for route in routes for word in ("--route", route))]) == 0
        assert re.search(rf"\b{says}\b", capsys.readouterr().out.splitlines()[0])
    for bad, says in (("10.0.0.0/8", "expected PREFIX"), ("::/0=1,zz", "expected PREFIX"), ("::/0=1,,,", "expected PREFIX"), ("x/8=1", "route x/8")):
        assert main(["run", str(path), "--data", FRAME.hex(), "--route", bad]) == 1
        assert says in capsys.readouterr().err


@pytest.mark.kernel
@pytest.mark.parametrize("size, flags, family", [(64, 0, 3), (63, 0, 2), (64, 1 << 20, 2)])
def test_bad_questions_about_routes_get_the_kernel_s_answers(size: int, flags: int, family: int) -> None:
    text = FIB.format(stores=f"r1 = data:.bss\n*(u8 *)(r1 + 0) = {family}\n*(u32 *)(r1 + 8) = 1", size=size, flags=flags)
    one = obj("tc", text, data=(section(),))
    with loader.load(one) as k:
        assert Machine(one).run(data=FRAME).retval == k["prog"].test_run(FRAME).retval


UPDATE = """
    *(u32 *)(r10 - 4) = {key}
    r2 = map:m
    r3 = r10
    r3 += -4
    r4 = {flags}
    call {kind}_update
    exit
"""


@pytest.mark.parametrize("kind, helper", [(MapType.SOCKMAP, "sock_map"), (MapType.SOCKHASH, "sock_hash")])
def test_sockets_are_put_into_maps(kind: int, helper: str) -> None:
    one = MapSpec("m", kind, 4, 8, 2)
    results = [Machine(obj("sockops", UPDATE.format(key=n, flags=f, kind=helper), maps=(one,))).run(ctx=bytes(192)).retval - (1 << 32)
               for n, f in ((1, 0), (1, 2), (9, 0))]
    assert results == [-(1 << 32), -2, -7 if kind == MapType.SOCKMAP else -(1 << 32)]


def test_packets_go_to_sockets_that_are_in_the_map() -> None:
    text = "r2 = map:m\nr3 = {}\nr4 = {}\ncall sk_redirect_map\nexit"
    one = MapSpec("m", MapType.SOCKMAP, 4, 8, 4)
    for index, flags, verdict in ((1, 0, 1), (2, 0, 0), (1, 2, 0)):
        machine = Machine(obj("sk_skb/stream_verdict", text.format(index, flags), maps=(one,)))
        machine.maps["m"][1] = 5
        assert machine.run(ctx=bytes(192)).retval == verdict
