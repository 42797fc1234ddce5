"""Readers: every record once, whichever way it is read and however the reading ends."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import purebpf as bpf
from purebpf import RingBuf, loader, u64
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import FormatError, KernelError
from purebpf.spec import DataSpec, MapSpec, ObjectSpec
from purebpf.uapi.enums import MapType
from tests.kernel.specs import obj
from tests.kernel.test_events import FRAME, ring_spec

pytestmark = pytest.mark.kernel

PERF = """
    r2 = data:.bss
    r3 = 1
    r3 = atomic_fetch_add((u64 *)(r2 + 0), r3)
    r3 += 1
    *(u64 *)(r10 - 16) = 0
    *(u64 *)(r10 - 8) = r3
    r2 = map:ring
    r3 = 0xffffffff ll
    r4 = r10
    r4 += -16
    r5 = 16
    call perf_event_output
    r0 = 0
    exit"""


def perf_spec(section: str = "xdp") -> ObjectSpec:
    spec = ring_spec()
    made = obj(section, PERF, maps=(MapSpec("ring", MapType.PERF_EVENT_ARRAY, 4, 4, 0, value_type=spec.maps["ring"].value_type),),
               data=(DataSpec(".bss", bytes(8)),))
    return made._replace(btf=spec.btf)


@pytest.fixture(params=["ring buffer", "perf buffer"])
def k(request: pytest.FixtureRequest) -> Iterator[loader.Object]:
    with loader.load(ring_spec(1 << 14) if request.param == "ring buffer" else perf_spec()) as made:
        made["ring"].read()
        yield made


def send(k: loader.Object, count: int = 1) -> None:
    for _ in range(count):
        assert k["prog"].test_run(FRAME).retval == 0


def numbers(events: Any) -> list[int]:
    return sorted(e.n for e in events)


def test_leaving_a_loop_leaves_the_rest(k: loader.Object) -> None:
    send(k, 5)
    seen = [next(iter(k["ring"].events()))]
    for event in k["ring"].events():
        seen.append(event)
        break
    with pytest.raises(ZeroDivisionError):
        for event in k["ring"].events():
            seen.append(event)
            raise ZeroDivisionError
    seen += k["ring"].poll(0)
    assert numbers(seen) == [1, 2, 3, 4, 5] and k["ring"].read() == []


@pytest.mark.parametrize("way", ["read", "poll", "events", "raw", "each", "async"])
def test_every_way_takes_up_where_another_stopped(k: loader.Object, way: str) -> None:
    send(k, 4)
    first = next(iter(k["ring"].events()))
    send(k, 2)
    rest: list[Any] = []
    ways: dict[str, Callable[[], object]] = {
        "read": lambda: rest.extend(k["ring"].read()), "poll": lambda: rest.extend(k["ring"].poll(0)),
        "events": lambda: rest.extend(k["ring"].events(timeout=0)), "each": lambda: k["ring"].reader().each(rest.append),
        "raw": lambda: rest.extend(map(k["ring"].reader()._decode, k["ring"].reader().raw())),
        "async": lambda: asyncio.run(some(4))}

    async def some(count: int) -> None:
        async for event in k["ring"]:
            rest.append(event)
            if len(rest) == count:
                break

    while len(rest) < 5 and (way != "async" or len(rest) < 4):
        before = len(rest)
        ways[way]()
        assert len(rest) > before
    rest += k["ring"].read()
    assert numbers([first, *rest]) == [1, 2, 3, 4, 5, 6]


def test_a_record_that_cannot_be_decoded_costs_one_record(k: loader.Object, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = k["ring"].reader()
    good = reader._decode

    def picky(data: bytes) -> Any:
        if data[8] in (1, 4):
            raise FormatError("no")
        return good(data)

    monkeypatch.setattr(reader, "_decode", picky)
    send(k, 6)
    seen, refused = [], 0
    for _ in range(6):
        try:
            seen += k["ring"].read()
        except FormatError:
            refused += 1
    assert numbers(seen) == [2, 3, 5, 6] and refused == 2
    send(k, 1)
    assert numbers(k["ring"].events(timeout=0)) == [7]


def test_a_callback_that_raises_uses_up_one_event(k: loader.Object) -> None:
    seen: list[int] = []

    def callback(event: Any) -> None:
        seen.append(event.n)
        if len(seen) == 2:
            raise ZeroDivisionError

    k["ring"].on(callback)
    send(k, 4)
    with pytest.raises(ZeroDivisionError):
        k.wait(0)
    k.wait(0)
    assert sorted(seen) == [1, 2, 3, 4]


def test_wait_serves_what_comes_meanwhile(k: loader.Object) -> None:
    seen: list[int] = []
    k["ring"].on(lambda event: seen.append(event.n))
    timer = threading.Timer(0.05, lambda: send(k, 3))
    timer.start()
    while len(seen) < 3:
        k.wait(0.1)
    timer.join()
    assert sorted(seen) == [1, 2, 3]
    assert loader.wait(k["ring"], timeout=0) == []
    send(k)
    assert loader.wait(k["ring"], timeout=5) == [k["ring"]] and len(seen) == 4


def test_closing_from_another_coroutine(k: loader.Object) -> None:
    async def both() -> list[Any]:
        async def forever() -> list[Any]:
            return [event async for event in k["ring"]]

        reading = asyncio.create_task(forever())
        await asyncio.sleep(0.02)
        send(k, 2)
        await asyncio.sleep(0.05)
        k.close()
        return await asyncio.wait_for(reading, 10)

    assert numbers(asyncio.run(both())) == [1, 2]


@pytest.mark.parametrize("way", ["events", "poll", "async"])
def test_closing_wakes_who_waits(k: loader.Object, way: str) -> None:
    ended: list[Any] = []

    async def forever() -> list[Any]:
        return [event async for event in k["ring"]]

    def read() -> None:
        if way == "async":
            ended.append(asyncio.run(forever()))
        else:
            ended.append(list(k["ring"].events()) if way == "events" else k["ring"].poll())

    threads = [threading.Thread(target=read) for _ in range(1 if way == "async" else 3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(k["ring"].reader()._waiting) < len(threads) and way != "async" and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    k.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert ended == [[]] * len(threads)


def test_threads_share_the_records(k: loader.Object) -> None:
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.extend(e.n for e in k["ring"].events(timeout=0.5))) for _ in range(3)]
    for thread in threads:
        thread.start()
    send(k, 400)
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 401))


def test_its_descriptor_tells_of_events(k: loader.Object) -> None:
    from purebpf.loader.reader import wait_readable

    number = k["ring"].reader().fileno()
    assert not wait_readable([number], 0)
    send(k)
    assert wait_readable([number], 5)
    assert numbers(k["ring"].read()) == [1]


def test_samples_before_the_first_reading_are_not_lost() -> None:
    with loader.load(perf_spec("tracepoint/syscalls/sys_enter_getpgid"), attach=True) as k:
        for _ in range(5):
            os.getpgid(0)
        assert len(k["ring"].read()) + k["ring"].lost >= 5
        for _ in range(3000):
            os.getpgid(0)
        before = k["ring"].buffer()
        after = k["ring"].buffer(pages=64)
        assert before is not after and before.closed and after is k["ring"].buffer()
        k.links[0].close()
        got = k["ring"].read()
        assert len({e.n for e in got}) == len(got)
        assert 5 + len(got) + k["ring"].lost >= 3005 and k["ring"].lost > 0


def test_counters_of_the_caller_stay() -> None:
    from purebpf.loader import perf

    with loader.load(perf_spec()) as k, perf.open_output_event(0)[0] as own:
        k["ring"][0] = own
        k["ring"].be_ready()
        assert k["ring"]._buffer is None
        k["prog"].test_run(FRAME, cpu=0)


def test_a_record_that_never_fits_is_an_error() -> None:
    spec = obj("xdp", "r1 = map:ring\nr0 = 0\nexit", maps=(MapSpec("ring", MapType.USER_RINGBUF, 0, 0, 4096),))
    with loader.load(spec) as k:
        with pytest.raises(KernelError, match="the ring has 4096 bytes"):
            k["ring"].push(bytes(9000))
        assert k["ring"].push(bytes(4088)) and not k["ring"].push(b"")


def wide_spec() -> ObjectSpec:
    """Records with members of every shape: {u64 zero; i32 n; u8 pad[4]} is what the program writes."""
    b = Builder()
    u64, i32 = b.add(t.Int("unsigned long", 8)), b.add(t.Int("int", 4, t.SIGNED))
    char = b.add(t.Int("char", 1, t.SIGNED))
    text = b.add(t.Array(char, i32, 2))
    pair = b.add(t.Array(char, i32, 2))
    inner = b.add(t.Union("", 4, (t.Member("text", text, 0), t.Member("word", i32, 0))))
    event = b.add(t.Struct("event", 16, (t.Member("zero", u64, 0), t.Member("n", i32, 64), t.Member("", inner, 96))))
    assert pair
    spec = ring_spec(1 << 14)
    return spec._replace(btf=b.build(), maps={"ring": spec.maps["ring"]._replace(value_type=event)})


def test_bulk_reading_into_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    with loader.load(wide_spec()) as k:
        assert k["ring"].read_numpy().shape == (0,)
        send(k, 300)
        first = next(iter(k["ring"].events()))
        part = k["ring"].read_numpy()
        send(k, 600)
        rest = k["ring"].read_numpy()
        assert first.n == 1 and part["n"].tolist() == list(range(2, 301)) and rest["n"].tolist() == list(range(301, 901))
        assert rest.dtype.names == ("zero", "n", "text", "word") and rest.dtype["n"] == numpy.int32
        assert rest["zero"].sum() == 0 and k["ring"].read() == []


@pytest.mark.parametrize("call", ["reserve", "output", "dynptr"])
def test_what_finds_no_room_in_a_ring_is_counted(call: str) -> None:
    """Exactly, by ring, for any object; and the programs do what they did."""
    from tests.kernel.specs import obj

    ways = {"reserve": "r1 = map:{}\nr2 = 200\nr3 = 0\ncall ringbuf_reserve\nif r0 == 0 goto +3\nr1 = r0\nr2 = 0\ncall ringbuf_submit\n",
            "output": "*(u64 *)(r10 - 8) = 1\nr1 = map:{}\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 0\ncall ringbuf_output\n",
            "dynptr": "r1 = map:{}\nr2 = 200\nr3 = 0\nr4 = r10\nr4 += -16\ncall ringbuf_reserve_dynptr\nr1 = r10\nr1 += -16\nr2 = 0\n"
                      "call ringbuf_submit_dynptr\n"}
    rings = tuple(MapSpec(name, MapType.RINGBUF, 0, 0, 4096) for name in "ab")
    spec = obj("xdp", (ways[call].format("a") * 3 + ways[call].format("b")) * 4 + "r0 = 2\nexit", maps=rings)
    with loader.load(spec, count_lost=True) as k:
        for _ in range(70):
            assert k["prog"].test_run(bytes(64)).retval == 2
        for name, sent in (("a", 70 * 12), ("b", 70 * 4)):
            there = len(k[name].read())
            assert 0 < there < sent and k[name].lost == sent - there
        kept = k["a"]
        lost = kept.lost
    assert kept.lost == lost
    with loader.load(spec) as k:
        assert k["a"].lost is None
    with loader.load(spec, count_lost=True) as k, loader.open_map(k["a"].info.id) as other:
        assert other.lost is None


@bpf.struct
class Numbered:
    n: u64


numbered = RingBuf[Numbered](max_entries=4096)


@bpf.xdp
def send_many(ctx):  # type: ignore[no-untyped-def]
    for i in range(400):
        numbered.output(Numbered(i))
    return bpf.XDP_PASS


def test_python_programs_count_what_they_lose() -> None:
    with bpf.load(send_many) as k:
        k[send_many].test_run(bytes(64))
        there = len(k[numbered].read())
        assert 0 < there < 400 and k[numbered].lost == 400 - there
    got = send_many.simulate(bytes(64))
    assert len(got.maps["numbered"].read()) + got.maps["numbered"].lost == 400
