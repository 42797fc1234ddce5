"""Ring and perf buffer records in memory: any bytes give records or a FormatError."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.errors import FormatError
from purebpf.loader import perfbuf, ringbuf

SIZE = 256


def ring(records: list[tuple[bytes, int]], position: int) -> tuple[bytearray, int]:
    """(the data, mapped twice; the producer's position) after these (data, flags) were written at `position`."""
    data = bytearray(2 * SIZE)
    for payload, flags in records:
        at = position & (SIZE - 1)
        for n, byte in enumerate(struct.pack("=II", len(payload) | flags, 0) + payload):
            data[(at + n) % SIZE] = data[(at + n) % SIZE + SIZE] = byte
        position += (len(payload) + 15) & ~7
    return data, position


def read(data: bytearray, consumer: int, producer: int) -> tuple[list[bytes], int]:
    found, after = ringbuf.scan(memoryview(bytes(data)).cast("I"), consumer, producer, SIZE)
    return [bytes(data[a:a + n]) for a, n in found], after


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=20), st.sampled_from([0, 0, ringbuf.DISCARD])), max_size=9),
       st.integers(0, 1 << 40).map(lambda n: n * 8))
def test_what_was_written_is_read(records: list[tuple[bytes, int]], start: int) -> None:
    data, end = ring(records, start)
    assert read(data, start, end) == ([p for p, flags in records if not flags], end)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"same", b"also", b"longer than these"]),
                          st.sampled_from([0] * 9 + [ringbuf.DISCARD, ringbuf.BUSY])), min_size=1, max_size=9),
       st.integers(0, 40).map(lambda n: n * 8))
def test_the_short_way_is_taken_only_when_it_gives_the_same(records: list[tuple[bytes, int]], start: int) -> None:
    data, end = ring(records, start)
    length = ringbuf.uniform(memoryview(bytes(data)).cast("I"), start, end, SIZE)
    assert (length >= 0) == (len({len(p) for p, _ in records}) == 1 and not any(flags for _, flags in records))
    if length >= 0:
        assert {len(p) for p in read(data, start, end)[0]} == {length}


def test_reading_stops_at_a_record_being_written() -> None:
    data, end = ring([(b"one", 0), (b"two", ringbuf.BUSY), (b"three", 0)], 0)
    assert read(data, 0, end) == ([b"one"], 16)


def test_a_record_past_the_producer_is_refused() -> None:
    data, end = ring([(b"one", 0)], 0)
    with pytest.raises(FormatError):
        read(data, 0, end - 8)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=2 * SIZE, max_size=2 * SIZE), st.integers(0, 64), st.integers(0, 64))
def test_any_ring_is_records_or_an_error(data: bytes, start: int, words: int) -> None:
    try:
        records, after = read(bytearray(data), start * 8, start * 8 + words * 8)
    except FormatError:
        return
    assert after <= (start + words) * 8 and all(len(r) <= words * 8 for r in records)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.integers(0, 500), st.integers(0, 64))
def test_any_perf_ring_is_records_or_an_error(data: bytes, tail: int, length: int) -> None:
    try:
        perfbuf.scan(data, 0, 64, tail, tail + length)
    except FormatError:
        pass


def test_perf_records_wrap() -> None:
    sample = struct.pack("=IHHI", perfbuf.SAMPLE, 0, 24, 12) + b"twelve bytes"
    lost = struct.pack("=IHHQQ", perfbuf.LOST, 0, 24, 1, 5)
    data = bytearray(64)
    for n, byte in enumerate(sample + lost):
        data[(50 + n) % 64] = byte
    got = perfbuf.scan(bytes(data), 0, 64, 50, 98)
    assert got == [perfbuf.PerfRecord(b"twelve bytes"), perfbuf.PerfRecord(b"", 5)]
