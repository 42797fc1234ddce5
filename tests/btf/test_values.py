"""Values: bytes to objects and back."""

import enum
import math
from typing import Any

import pytest

from purebpf.btf import Btf, Builder, values
from purebpf.btf import types as t
from purebpf.errors import BtfError, FormatError


class Types:
    """A BTF with the types below, by name."""

    def __init__(self) -> None:
        b = Builder()
        self.i8, self.i32 = b.add(t.Int("signed char", 1, t.SIGNED)), b.add(t.Int("int", 4, t.SIGNED))
        self.u8, self.u16 = b.add(t.Int("unsigned char", 1)), b.add(t.Int("unsigned short", 2))
        self.u32, self.u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
        self.u128 = b.add(t.Int("unsigned __int128", 16))
        self.bool, self.char = b.add(t.Int("_Bool", 1, t.BOOL)), b.add(t.Int("char", 1, t.SIGNED))
        self.be16 = b.add(t.Typedef("__be16", b.add(t.Typedef("__u16", self.u16))))
        self.be32 = b.add(t.Const(b.add(t.Typedef("__be32", self.u32))))
        self.be64 = b.add(t.Typedef("__be64", self.u64))
        self.f32, self.f64 = b.add(t.Float("float", 4)), b.add(t.Float("double", 8))
        self.enum = b.add(t.Enum("e", 4, True, (t.Enumerator("A", -1),)))
        self.enum64 = b.add(t.Enum64("f", 8, False, (t.Enumerator("B", 1 << 40),)))
        self.ptr = b.add(t.Ptr(0))
        self.comm = b.add(t.Array(self.char, self.u32, 16))
        self.names = b.add(t.Array(self.comm, self.u32, 2))
        self.u32s, self.mac = b.add(t.Array(self.u32, self.u32, 3)), b.add(t.Array(self.u8, self.u32, 6))
        self.event = b.add(t.Struct("event", 40, (
            t.Member("pid", self.u32, 0), t.Member("ts", self.u64, 64), t.Member("comm", self.comm, 128),
            t.Member("port", self.be16, 256))))
        self.bits = b.add(t.Struct("bits", 8, (
            t.Member("a", self.u32, 0, 3), t.Member("b", self.i32, 3, 5), t.Member("", self.u32, 8, 8),
            t.Member("c", self.u32, 16, 16), t.Member("d", self.u32, 32))))
        address = b.add(t.Union("", 16, (
            t.Member("v4", self.be32, 0), t.Member("words", b.add(t.Array(self.u32, self.u32, 4)), 0))))
        point = b.add(t.Struct("", 8, (t.Member("x", self.u32, 0), t.Member("y", self.u32, 32))))
        self.outer = b.add(t.Struct("outer", 64, (
            t.Member("e", self.event, 0), t.Member("", point, 320), t.Member("", address, 384))))
        self.union = b.add(t.Union("u", 8, (
            t.Member("whole", self.u64, 0), t.Member("half", self.u32, 0), t.Member("bit", self.u32, 4, 4),
            t.Member("", point, 0))))
        var = b.add(t.Var("hits", self.u64))
        self.datasec = b.add(t.Datasec(".data", 16, (t.SecVar(var, 8, 8),)))
        self.btf: Btf = b.build()

    def codec(self, type_id: int) -> values.Codec:
        from purebpf.btf.layout import size_of

        return values.codec(self.btf, type_id, size_of(self.btf, type_id))


T = Types()


@pytest.mark.parametrize("type_name, data, value", [
    ("i8", b"\xff", -1), ("u8", b"\xff", 255), ("i32", b"\xfe\xff\xff\xff", -2), ("u64", b"\1" + bytes(7), 1),
    ("u128", bytes(15) + b"\1", 1 << 120), ("bool", b"\1", True), ("char", b"A", 65), ("be16", b"\1\2", 0x102),
    ("be32", b"\1\2\3\4", 0x1020304), ("be64", bytes(7) + b"\7", 7), ("f64", b"\0\0\0\0\0\0\xf0?", 1.0),
    ("enum", b"\xff\xff\xff\xff", -1), ("enum64", bytes(5) + b"\1\0\0", 1 << 40), ("ptr", b"\x10" + bytes(7), 16),
    ("comm", b"bash" + bytes(12), "bash"), ("comm", b"x" * 16, "x" * 16), ("comm", b"\xff" + bytes(15), "\udcff"),
    ("names", b"a" + bytes(15) + b"b" + bytes(15), ["a", "b"]), ("u32s", b"\1\0\0\0\2\0\0\0\3\0\0\0", [1, 2, 3]),
    ("mac", b"\1\2\3\4\5\6", [1, 2, 3, 4, 5, 6])])
def test_scalars_and_arrays(type_name: str, data: bytes, value: object) -> None:
    codec = T.codec(getattr(T, type_name))
    assert codec.decode(data) == value and type(codec.decode(data)) is type(value)
    assert codec.encode(value) == data


def test_garbage_after_the_nul_is_ignored() -> None:
    assert T.codec(T.comm).decode(b"ab\0garbage" + bytes(6)) == "ab"


def test_float_keeps_nan() -> None:
    assert math.isnan(T.codec(T.f32).decode(T.codec(T.f32).encode(math.nan)))


RAW = (b"\7\0\0\0" + bytes(4) + b"\x09" + bytes(7) + b"sh" + bytes(14) + b"\x1f\x90" + bytes(6))


class Plain:
    pid, ts, comm, port = 7, 9, "sh", 8080


class Pid(enum.IntEnum):
    SEVEN = 7


@pytest.mark.parametrize("given", [
    {"pid": 7, "ts": 9, "comm": "sh", "port": 8080}, {"pid": Pid.SEVEN, "ts": 9, "comm": b"sh", "port": 8080},
    (7, 9, "sh", 8080), [7, 9, b"sh", 8080], Plain()])
def test_structs_are_made_of_anything_with_the_members(given: object) -> None:
    assert T.codec(T.event).encode(given) == RAW


def test_records() -> None:
    codec = T.codec(T.event)
    got = codec.decode(RAW)
    assert repr(got) == "event(pid=7, ts=9, comm='sh', port=8080)"
    assert got == codec.decode(RAW) and hash(got) == hash(codec.decode(RAW)) and list(got) == [7, 9, "sh", 8080]
    assert got._asdict() == {"pid": 7, "ts": 9, "comm": "sh", "port": 8080} and codec.encode(got) == RAW
    got.pid += 1
    assert got.pid == 8 and got != codec.decode(RAW) and codec.encode(got)[0] == 8
    for action in (lambda: got.nothing, lambda: setattr(got, "nothing", 1)):
        with pytest.raises(AttributeError, match="event has no member 'nothing'"):
            action()
    made = values.record_class(T.btf, T.event)(pid=7, ts=9, comm="sh", port=8080)
    assert made == codec.decode(RAW)


def test_bit_fields() -> None:
    codec = T.codec(T.bits)
    got = codec.decode(bytes([0b11101_101, 0xAA, 0x34, 0x12, 5, 0, 0, 0]))
    assert (got.a, got.b, got.c, got.d) == (5, -3, 0x1234, 5)
    assert codec.encode(got) == bytes([0b11101_101, 0, 0x34, 0x12, 5, 0, 0, 0])
    with pytest.raises(FormatError, match=r"b: 16 is not an integer from -16 to 15"):
        codec.encode({"a": 0, "b": 16, "c": 0, "d": 0})


def test_anonymous_members_belong_to_the_outer_struct() -> None:
    codec = T.codec(T.outer)
    data = RAW + b"\1\0\0\0\2\0\0\0" + b"\x0a\0\0\1" + bytes(12)
    got = codec.decode(data)
    assert (got.e.pid, got.x, got.y, got.v4, got.words[0]) == (7, 1, 2, 0x0A000001, 0x0100000A)
    got.v4 = 0x0A000002
    assert got.words[0] == 0x0200000A and codec.encode(got)[51] == 2
    given = {"e": Plain(), "x": 1, "y": 2, "v4": 0x0A000001}
    assert codec.encode(given) == data
    assert set(got._asdict()) == {"e", "x", "y", "v4", "words"} and "words=[" in repr(got)


def test_members_that_are_left_out_are_zero() -> None:
    """At every level: numbers, text, arrays, unions, bit-fields, structs in structs."""
    event, outer, union = T.codec(T.event), T.codec(T.outer), T.codec(T.union)
    assert event.encode({"pid": 7}) == event.encode({"pid": 7, "ts": 0, "comm": "", "port": 0})
    assert event.encode({}) == bytes(event.size) and outer.encode({}) == bytes(outer.size)
    assert outer.encode({"e": {"ts": 3}, "y": 2}) == outer.encode(
        {"e": {"pid": 0, "ts": 3, "comm": "", "port": 0}, "x": 0, "y": 2, "v4": 0})
    assert union.encode({"half": 3}) == b"\3" + bytes(7)


def test_unions() -> None:
    codec = T.codec(T.union)
    got = codec.decode(b"\xf1\0\0\0\2\0\0\0")
    assert (got.whole, got.half, got.bit, got.x, got.y) == (0x2_000000F1, 0xF1, 15, 0xF1, 2)
    got.bit = 1
    assert got.half == 0x11 and got.y == 2
    got.y = 9
    assert got.x == 0x11 and bytes(got) == b"\x11\0\0\0\x09\0\0\0" and codec.encode(got) == bytes(got)
    assert codec.encode({"half": 3}) == b"\3" + bytes(7)
    with pytest.raises(FormatError, match="no member 'third'"):
        codec.encode({"third": 1})
    with pytest.raises(AttributeError, match="u has no member 'third'"):
        got.third = 1


def test_datasec_is_a_struct_of_its_variables() -> None:
    assert T.codec(T.datasec).decode(bytes(8) + b"\5" + bytes(7)).hits == 5


@pytest.mark.parametrize("type_name, value, says", [
    ("u32", -1, "-1 is not an integer from 0 to 4294967295"), ("i8", 128, "from -128 to 127"),
    ("u32", "x", "'x' is not an integer"), ("be16", 65536, "integer of 16 bits"), ("be16", "x", "integer of 16 bits"),
    ("f64", "x", "a number"), ("comm", "x" * 17, r"17 bytes do not fit in char\[16\]"), ("comm", 5, "a str or bytes"),
    ("u32s", [1, 2], "sequence of 3"), ("u32s", 7, "sequence of 3"), ("u32s", "abc", "sequence of 3"),
    ("u32s", [1, 2, -3], r"\[2\]: -3 is not"), ("names", ["a", "x" * 20], r"\[1\]: 20 bytes"),
    ("event", 5, "a struct event"), ("event", None, "a struct event"),
    ("event", {"pid": 1, "ts": -1, "comm": "", "port": 0}, "ts: -1 is not"),
    ("event", (1, 2), r"4 values \(pid, ts, comm, port\)"),
    ("event", {"pid": 1, "ts": 1, "comm": "", "port": 0, "pad": 0}, "no member 'pad'"),
    ("outer", {"e": {"pid": -1, "ts": 0, "comm": "", "port": 0}, "x": 0, "y": 0, "v4": 0}, "e.pid: -1")])
def test_what_does_not_fit_is_named(type_name: str, value: object, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        T.codec(getattr(T, type_name)).encode(value)


@pytest.mark.parametrize("type_name", ["u32", "comm", "event", "outer", "union", "u32s"])
def test_short_data(type_name: str) -> None:
    codec = T.codec(getattr(T, type_name))
    with pytest.raises(FormatError, match="too few"):
        codec.decode(bytes(codec.size - 1))
    codec.decode(bytes(codec.size + 8))  # ring buffers round up


@pytest.mark.parametrize("size, value, data", [
    (4, 258, b"\2\1\0\0"), (8, 1, b"\1" + bytes(7)), (3, b"abc", b"abc"), (0, b"", b"")])
def test_without_btf(size: int, value: object, data: bytes) -> None:
    codec = values.codec(None, 0, size)
    assert codec.decode(data) == value and codec.encode(value) == data


def test_without_btf_sizes_are_checked() -> None:
    with pytest.raises(FormatError, match="bytes of length 3"):
        values.codec(None, 0, 3).encode(b"abcd")
    with pytest.raises(FormatError, match="from 0 to 255"):
        values.codec(None, 0, 1).encode(256)


def test_a_type_of_another_size_is_refused() -> None:
    with pytest.raises(FormatError, match="has 40 bytes, the value 32"):
        values.codec(T.btf, T.event, 32)


@pytest.mark.parametrize("types, size", [
    ([t.Struct("s", 8, (t.Member("a", 2, 0), t.Member("b", 2, 8))), t.Int("u32", 4)], 8),  # overlap
    ([t.Struct("s", 8, (t.Member("a", 1, 0),))], 8), ([t.Struct("s", 2, (t.Member("a", 2, 0),)), t.Int("u32", 4)], 2),
    ([t.Struct("s", 8, (t.Member("f", 2, 0),)), t.FuncProto(0, ())], 8),
    ([t.Union("u", 2, (t.Member("a", 2, 0),)), t.Int("u32", 4)], 2)])
def test_hostile_types(types: list[t.Type], size: int) -> None:
    with pytest.raises(BtfError):
        values.codec(Btf(types), 1, size)


@pytest.mark.kernel
def test_structs_of_the_kernel_survive() -> None:
    """decode(encode(decode(x))) == decode(x) for hundreds of real structs with every oddity."""
    from purebpf.btf import kernel

    vmlinux = kernel.vmlinux()
    done = 0
    for type_id, one in vmlinux.items():
        if isinstance(one, (t.Struct, t.Union)) and one.size and type_id % 5 == 0:
            codec = values.codec(vmlinux, type_id, one.size)
            value: Any = codec.decode(bytes((7 * k + type_id) & 0x7F for k in range(one.size)))
            assert codec.decode(codec.encode(value)) == value, one.name
            done += 1
            if done == 800:
                return
    assert done > 100
