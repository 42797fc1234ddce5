"""Recorded packets: what was written is read, whatever bytes are packets or an error; a program sees every packet."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebpf.cli import main
from purebpf.errors import FormatError
from purebpf.vm.pcap import packets

PACKETS = st.lists(st.binary(max_size=80), max_size=6)


def pcap(found: list[bytes], order: str, nano: bool, link: int = 1) -> bytes:
    magic = struct.pack(order + "I", 0xA1B23C4D if nano else 0xA1B2C3D4)
    head = magic + struct.pack(order + "HHIIII", 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack(order + "IIII", 1, 2, len(one), len(one) + 5) + one for one in found)


def pcapng(found: list[bytes], order: str, simple: bool) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack(order + "HHI", 1, 0, 0))
    other = block(5, bytes(12))
    if simple:
        return section + other + b"".join(block(3, struct.pack(order + "I", len(one)) + one) for one in found)
    return section + b"".join(block(6, struct.pack(order + "IIIII", 0, 0, 7, len(one), len(one)) + one) for one in found) + other


@given(PACKETS, st.sampled_from("<>"), st.booleans())
def test_what_was_written_is_read(found: list[bytes], order: str, choice: bool) -> None:
    assert list(packets(pcap(found, order, choice))) == found
    assert list(packets(pcapng(found, order, choice))) == found


@given(PACKETS, st.sampled_from("<>"), st.booleans(), st.data())
def test_any_bytes_are_packets_or_an_error(found: list[bytes], order: str, choice: bool, data: st.DataObject) -> None:
    whole = bytearray((pcap if choice else pcapng)(found, order, choice))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[:data.draw(st.integers(0, len(whole)))])
    try:
        assert all(isinstance(one, bytes) for one in packets(cut))
    except FormatError:
        pass


@given(st.binary(max_size=200))
def test_garbage(data: bytes) -> None:
    try:
        list(packets(data))
    except FormatError:
        pass


def test_other_links_are_refused() -> None:
    with pytest.raises(FormatError, match="link type 113"):
        list(packets(pcap([], "<", False, 113)))


PROGRAM = """
import purebpf as bpf
from purebpf import HashMap, u32, u64

lengths = HashMap[u32, u64](max_entries=16)

@bpf.xdp
def short(ctx):
    lengths[len(ctx.packet)] += 1
    return bpf.XDP_DROP if len(ctx.packet) < 64 else bpf.XDP_PASS
"""


def test_a_program_on_every_packet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "short.py").write_text(PROGRAM)
    (tmp_path / "some.pcap").write_bytes(pcap([bytes(60)] * 3 + [bytes(64)] * 2, "<", False))
    assert main(["run", str(tmp_path / "short.py"), "--pcap", str(tmp_path / "some.pcap")]) == 0
    out = capsys.readouterr().out
    assert "5 packets" in out and "DROP: 3" in out and "60: 3" in out and "64: 2" in out
    assert main(["run", str(tmp_path / "short.py"), "--pcap", str(tmp_path / "short.py")]) == 1
    assert "neither a pcap" in capsys.readouterr().err
