"""Contexts in any form, by the program's kind: what the program sees, and what comes back."""

from __future__ import annotations

import pytest

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, elf, i64, u8, u32, u64
from purebpf.api import compile_all
from purebpf.errors import FormatError, KernelError
from purebpf.frontend.hook import FormatField
from purebpf.vm import Machine

a = Global[u64](0)
b = Global[u64](0)
text = Global[char[16]]()
names = HashMap[char[16], u32](max_entries=8)


@bpf.struct
class Request:
    x: i64
    data: u8[4]
    y: u32


@bpf.tc
def mark(ctx):
    a.value = ctx.cb[1]
    ctx.mark = ctx.mark + 1
    ctx.cb[2] = ctx.protocol
    return 0


@bpf.xdp
def queue(ctx):
    return ctx.rx_queue_index


@bpf.syscall
def double(ctx: Request):
    ctx.x = ctx.x * 2
    ctx.y = ctx.data[3]
    return 0


@bpf.raw_tracepoint("sys_enter")
def words(regs: u64, id: u64):
    a.value = id
    b.value = regs


@bpf.tracepoint("made:up")
def record(ctx):
    a.value = ctx.count
    names[ctx.name] = 1


@bpf.uprobe("libc.so.6:getenv")
def probe(ctx, name: Ptr[char], second: u32):
    a.value = second
    text.value = name


@bpf.uretprobe("libc.so.6:getenv")
def back(anything: i64):
    a.value = anything < 0


FORMAT = [FormatField("common_type", "unsigned short", 0, 2, False), FormatField("name", "__data_loc char[]", 8, 4, False),
          FormatField("count", "int", 12, 4, True), FormatField("argv", "const char *const *", 16, 8, False)]


def machine(program):
    return Machine(compile_all(program, formats=lambda category, name: FORMAT).spec)


def test_fields_of_a_socket_buffer():
    m = machine(mark)
    got = m.run(data=bytes(12) + b"\x08\x06" + bytes(50), ctx={"mark": 6, "cb": [0, 9, 0, 0, 0]})
    assert m["a"].value == 9
    assert got.ctx.mark == 7 and got.ctx.cb == [0, 9, 0x0806, 0, 0]
    assert got.ctx[8:12] == b"\7\0\0\0"  # it is the bytes, too
    again = m.run(data=bytes(64), ctx=got.ctx)
    assert again.ctx.mark == 8
    with pytest.raises(FormatError, match="no field 'marc'.*did you mean 'mark'"):
        m.run(data=bytes(64), ctx={"marc": 1})
    with pytest.raises(FormatError, match="mark"):
        m.run(data=bytes(64), ctx={"mark": 1 << 32})
    with pytest.raises(FormatError, match="a dict of them"):
        m.run(data=bytes(64), ctx=(1, 2))
    with pytest.raises(KernelError):  # as test_run: not for the caller to say
        m.run(data=bytes(64), ctx={"len": 1})


def test_ip_frames_have_a_whole_header():
    m = machine(mark)
    for kind, least in ((b"\x08\0", 20), (b"\x86\xdd", 40), (b"\x08\x06", 0)):
        m.run(data=bytes(12) + kind + bytes(least))
        if least:
            with pytest.raises(KernelError, match="whole IP header"):
                m.run(data=bytes(12) + kind + bytes(least - 1))


def test_xdp_says_where_the_packet_ends():
    got = machine(queue).run(data=bytes(60), ctx={"rx_queue_index": 3})
    assert (got.retval, got.ctx.data_end, got.ctx.rx_queue_index) == (3, 60, 3)


@pytest.mark.parametrize("given", [{"x": -4, "data": b"\0\0\0\7"}, Request(x=-4, data=b"\0\0\0\7"),
                                   (-4).to_bytes(8, "little", signed=True) + b"\0\0\0\7" + bytes(4)], ids=["dict", "struct", "bytes"])
def test_a_users_struct(given):
    m = machine(double)
    got = m.run(ctx=given)
    assert (got.ctx.x, got.ctx.y, got.ctx.data) == (-8, 7, [0, 0, 0, 7])
    assert m.run(ctx=got.ctx._asdict()).ctx.x == -16


def test_arguments():
    m = machine(words)
    m.run(ctx=(-1, 257))
    assert (m["a"].value, m["b"].value) == (257, (1 << 64) - 1)
    with pytest.raises(FormatError, match="no address"):
        m.run(ctx=(1.5,))


def test_a_record_with_text_behind():
    m = machine(record)
    got = m.run(ctx={"name": "init", "count": 3, "argv": ["a", "b"]})
    assert m["a"].value == 3 and list(m.maps["names"]) == ["init"]
    assert got.ctx.name == "init" and got.ctx.count == 3 and got.ctx.argv > 0  # not what bytes call count
    m.run()
    assert m["a"].value == 0  # nothing given: zeros
    with pytest.raises(FormatError, match="did you mean 'count'"):
        m.run(ctx={"cuont": 3})


def test_registers():
    m = machine(probe)
    m.run(ctx=("HOME", 5))
    assert (m["a"].value, m["text"].value) == (5, "HOME")
    with pytest.raises(FormatError, match="in registers"):
        m.run(ctx=tuple(range(20)))
    m = machine(back)
    for number in (5, -5):
        m.run(ctx={bpf_result(): number & (1 << 64) - 1})
        assert m["a"].value == int(number < 0)


def bpf_result() -> str:
    from purebpf.uapi import contexts

    return contexts.CALLING[contexts.machine()].result[0]


@bpf.uprobe("libc.so.6:getenv")
def compared(name: Ptr[char]):
    a.value = 1 if bpf.cstr(name, 16) == "HOME" else 2


def test_text_behind_a_pointer():
    m = machine(compared)
    for text_, answer in (("HOME", 1), ("HOMER", 2), ("", 2)):
        m.run(ctx=(text_,))
        assert m["a"].value == answer


@pytest.mark.parametrize("program, given, wanted", [(record, {"name": "x", "count": 8}, 8), (double, {"x": 4}, None),
                                                    (mark, {"cb": [0, 5, 0, 0, 0]}, 5)], ids=["record", "struct", "table"])
def test_an_object_file_keeps_the_fields(program, given, wanted):
    spec = compile_all(program, formats=lambda category, name: FORMAT).spec
    m = Machine(elf.read(elf.write(spec)))
    got = m.run(data=bytes(64), ctx=given)
    assert got.ctx.x == 8 if wanted is None else m["a"].value == wanted
