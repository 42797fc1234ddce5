"""Classic BPF: text, dumps, the evaluator and the translation, against the kernel's own classic filters on a socket."""

from __future__ import annotations

import ctypes
import random
import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.errors import AsmError, FormatError
from purebpf.isa import assemble, cbpf, decode, encode
from purebpf.isa.cbpf import Filter, Program
from purebpf.isa.translate import translate
from purebpf.loader import bpf, sys
from purebpf.loader.fd import Fd
from purebpf.uapi.enums import ProgType

DNS = """
        ldh [12]                  ; EtherType
        jeq #0x800, ip, drop
ip:     ldb [23]  /* protocol */
        jeq #17, udp, drop
udp:    ldx 4*([14]&0xf)
        ldh [x + 16]
        jne #53, drop
        ret #-1
drop:   ret #0
"""
CODES = [(0x28, 0, 0, 12), (0x15, 0, 6, 0x800), (0x30, 0, 0, 23), (0x15, 0, 4, 17), (0xB1, 0, 0, 14), (0x48, 0, 0, 16),
         (0x15, 0, 1, 53), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0)]


def test_text() -> None:
    program = cbpf.parse(DNS)
    assert [tuple(i) for i in program][:6] == CODES[:6]
    assert program[6] == Filter(0x15, 1, 0, 53) or program[6] == Filter(0x15, 0, 1, 53)
    assert cbpf.parse(cbpf.disassemble(program)) == program
    assert cbpf.parse_any(cbpf.dump(program)) == program


@pytest.mark.parametrize(("text", "code", "k"), [
    ("ld [12]", 0x20, 12), ("ldh [12]", 0x28, 12), ("ldb [12]", 0x30, 12), ("ld [x + 4]", 0x40, 4), ("ldh [x+4]", 0x48, 4),
    ("ldb [X]", 0x50, 0), ("ld #5", 0x00, 5), ("ldi 5", 0x00, 5), ("ld #len", 0x80, 0), ("ld len", 0x80, 0), ("ld M[3]", 0x60, 3),
    ("ldx M[3]", 0x61, 3), ("ldx #5", 0x01, 5), ("ldxi #5", 0x01, 5), ("ldx #len", 0x81, 0), ("ldx 4*([14]&0xf)", 0xB1, 14),
    ("ldxb 4*([14]&0xf)", 0xB1, 14), ("ld #proto", 0x20, 0xFFFFF000), ("ldb #type", 0x30, 0xFFFFF004),
    ("ld #vlan_tpid", 0x20, 0xFFFFF03C), ("ld vlan_avail", 0x20, 0xFFFFF030), ("ld #poff", 0x20, 0xFFFFF034),
    ("add #5", 0x04, 5), ("sub x", 0x1C, 0), ("mul #0x10", 0x24, 16), ("div #3", 0x34, 3), ("mod x", 0x9C, 0), ("and #255", 0x54, 255),
    ("or #1", 0x44, 1), ("xor x", 0xAC, 0), ("lsh #3", 0x64, 3), ("rsh #4", 0x74, 4), ("neg", 0x84, 0), ("tax", 0x07, 0),
    ("txa", 0x87, 0), ("ret a", 0x16, 0), ("ret x", 0x0E, 0), ("ret #-1", 0x06, 0xFFFFFFFF), ("ld [-4096]", 0x20, 0xFFFFF000),
])
def test_every_spelling(text: str, code: int, k: int) -> None:
    program = cbpf.parse(text + "\nret #0")
    assert (program[0].code, program[0].k) == (code, k)
    assert cbpf.parse(cbpf.disassemble(program)) == program


def test_other_forms() -> None:
    rows = [tuple(i) for i in cbpf.parse(DNS)]
    c = ",\n".join(f"{{ {a:#04x}, {b}, {d}, {k:#010x} }}" for a, b, d, k in rows) + ",\n"
    assert [tuple(i) for i in cbpf.parse_any(c)] == rows
    line = f"{len(rows)}," + ",".join(f"{a} {b} {d} {k}" for a, b, d, k in rows) + ","
    assert [tuple(i) for i in cbpf.parse_any(line)] == rows


@pytest.mark.parametrize(("text", "message"), [
    ("lod [12]\nret #0", "did you mean 'ld'?"), ("jeq #1, nowhere\nret #0", "no label 'nowhere'"), ("ld [12]", "must be a ret"),
    ("l: ld [1]\njmp l\nret #0", "forward only"), ("div #0\nret #0", "division by zero"), ("ld M[16]\nret #0", "there is no M[16]"),
    ("rsh #32\nret #0", "shift by 32"), ("ret #99999999999", "does not fit 32 bits"), ("ld [y]\nret #0", "no addressing mode"),
    ("ldh M[1] M[2]\nret #0", "no addressing mode"), ("a: a: ret #0", "unknown instruction"), ("", "1 to 4096"), ("3\n6 0 0 0\n", "3 instructions are announced"),
    ("1\n255 0 0 0\n", "unknown code"), ("1\n5 0 0 7", "leaves the program"), ("x1: ret #0\nx1: ret #1", "defined twice"),
])
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(AsmError) as caught:
        cbpf.parse_any(text, "f.txt")
    assert message in str(caught.value) and "f.txt:" in str(caught.value)


# programs that the kernel takes, at random

ALU = [op | x for op in cbpf.ALU_OPS.values() for x in (0, 8)]


def random_program(rng: random.Random, length: int = 14) -> Program:
    """A legal program that ends with `ret a`; M is written before it is read."""
    out: list[Filter] = [Filter(0x00, 0, 0, rng.getrandbits(32)), Filter(0x01, 0, 0, rng.choice((0, 1, 7, 40, rng.getrandbits(32))))]
    out += [Filter(0x02, 0, 0, k) for k in range(2)]
    for n in range(length):
        left = length - n - 1
        kind = rng.random()
        k = rng.choice((0, 1, 2, 5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)))
        if kind < 0.35:
            op = rng.choice(ALU)
            k = rng.randint(0, 31) if op & 0xF0 in (0x60, 0x70) else (k or 1)
            out.append(Filter(0x04 | op, 0, 0, 0 if op & 8 else k))
        elif kind < 0.6:
            jump = rng.choice((0x15, 0x25, 0x35, 0x45, 0x1D, 0x2D, 0x3D, 0x4D))
            jt, jf = rng.randint(0, min(3, left)), rng.randint(0, min(3, left))
            out.append(Filter(jump, jt, jf, 0 if jump & 8 else k))
        elif kind < 0.75:
            out.append(rng.choice((Filter(0x07, 0, 0, 0), Filter(0x87, 0, 0, 0), Filter(0x84, 0, 0, 0), Filter(0x60, 0, 0, 1),
                                   Filter(0x61, 0, 0, 0), Filter(0x02, 0, 0, 1), Filter(0x03, 0, 0, 0), Filter(0x80, 0, 0, 0),
                                   Filter(0x81, 0, 0, 0))))
        elif kind < 0.95:
            size = rng.choice((0x20, 0x28, 0x30))
            at = rng.choice((0, 1, 7, 13, 30, 60, 61, 62, 63, 64, 1000)) if rng.random() < 0.3 else rng.randint(0, 40)
            out.append(rng.choice((Filter(size, 0, 0, at), Filter(size + 0x20, 0, 0, at), Filter(0xB1, 0, 0, at))))
        else:
            out.append(Filter(0x05, 0, 0, rng.randint(0, min(2, left))))
    out += [Filter(0x16, 0, 0, 0)]
    return tuple(out)


SO_ATTACH_FILTER, SO_ATTACH_BPF = 26, 50
PACKET = bytes((i * 37 + 11) & 255 for i in range(64))


def verdict(attach: Callable[[socket.socket], None]) -> int:
    """How many bytes of PACKET a filter on a datagram socket lets through; -1: dropped."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        attach(receiver)
        receiver.setblocking(False)
        try:
            sender.send(PACKET)
        except OSError:
            return -1
        try:
            return len(receiver.recv(4096))
        except BlockingIOError:
            return -1


def classic(program: Program) -> int:
    def attach(sock: socket.socket) -> None:
        rows = b"".join(struct.pack("=HBBI", *i) for i in program)
        buffer = ctypes.create_string_buffer(rows)
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(buffer)))

    return verdict(attach)


def translated(program: Program) -> int:
    log = sys.buffer(1 << 16)
    result, _ = bpf.prog_load(encode(translate(program)), "GPL", log_level=1, log=log,
                              fields={"prog_type": ProgType.SOCKET_FILTER})
    assert isinstance(result, Fd), log.value.decode()[-2000:] + cbpf.disassemble(program)
    with result as fd:
        return verdict(lambda sock: sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_BPF, struct.pack("i", fd.fileno())))


def by_the_book(program: Program) -> int:
    kept = cbpf.run(program, PACKET)
    return min(kept, len(PACKET)) if kept else -1


@pytest.mark.kernel
def test_translation_gives_the_kernels_verdict() -> None:
    rng = random.Random(5)
    seen = set()
    for _ in range(250):
        program = random_program(rng)
        # fold the verdict's high bits into what a packet of 64 bytes can show
        body = (*program[:-1], Filter(0x54, 0, 0, 0x3F), Filter(0x16, 0, 0, 0))
        cbpf.check(body)
        expected = classic(body)
        assert by_the_book(body) == expected, cbpf.disassemble(body)
        assert translated(body) == expected, cbpf.disassemble(body)
        seen.add(expected)
    assert len(seen) > 20


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["proto", "type", "mark", "queue", "rxhash", "vlan_tci", "vlan_avail", "vlan_tpid", "ifidx", "cpu"])
def test_ancillary_loads(name: str) -> None:
    """On a socket of this machine the fields are what they are; only that both agree counts."""
    at = cbpf.ANCILLARY[name]
    program = cbpf.parse(f"ld #{name}\nand #0x1f\nadd #1\nret a" if name != "cpu" else "ld #cpu\nrsh #31\nadd #3\nret a")
    assert program[0].k == cbpf.AD_OFF + at
    assert translated(program) == classic(program)


@pytest.mark.kernel
def test_dns_filter_and_high_constants() -> None:
    for text in (DNS, "ld #-1\njgt #0xfffffffe, y, n\ny: ret #7\nn: ret #9", "ld #0x80000000\njset #0x80000000, y, n\ny: ret #7\nn: ret #9",
                 "ld #1\nldx #0\ndiv x\nret #5", "ld #1\njmp end\nret #3\nend: ret #5"):
        program = cbpf.parse(text)
        assert translated(program) == classic(program) == by_the_book(program), text


def test_what_an_ebpf_filter_cannot_load() -> None:
    for name in ("nla", "nlan", "hatype", "poff"):
        with pytest.raises(FormatError, match=name.replace("poff", "po?a?y?_?off")):
            translate(cbpf.parse(f"ld #{name}\nret a"))


def test_assembly_of_the_translation() -> None:
    program = cbpf.parse(DNS)
    for notation in ("kernel", "mnemonic"):
        assert decode(assemble(cbpf.as_assembly(program, notation))) == translate(program)


_WORDS = st.sampled_from(["ld", "ldx", "ldh", "[12]", "[x + 4]", "jeq", "#1", ",", "l:", "l", "ret", "a", "x", "M[", "]", "4*(", "\n", ";", "/*",
                          "5", "{", "}", "0x", "6 0 0 0", "#proto", "jmp", "²"])


@given(text=st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join)))
@settings(max_examples=500)
def test_any_text(text: str) -> None:
    try:
        program = cbpf.parse_any(text)
    except AsmError:
        return
    assert cbpf.parse_any(cbpf.dump(program)) == program
    assert cbpf.parse(cbpf.disassemble(program)) == program


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_random_programs_round_trip(seed: int) -> None:
    program = cbpf.check(random_program(random.Random(seed)))
    assert cbpf.parse(cbpf.disassemble(program)) == program
    assert translate(program)
