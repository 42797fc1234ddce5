"""Ring buffers and perf buffers: what programs send, user space reads."""

from __future__ import annotations

import os
import struct
import threading

import pytest

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.loader.refusals import older_than
from purebpf.spec import MapSpec
from purebpf.uapi.enums import MapType
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel
FRAME = bytes(64)

OUTPUT = """
    r6 = r1
    r1 = data:.bss
    r2 = 1
    lock *(u64 *)(r1 + 0) += r2
    r7 = *(u64 *)(r1 + 0)
    *(u64 *)(r10 - 16) = 0
    *(u64 *)(r10 - 8) = r7
    r1 = map:ring
    r2 = r10
    r2 += -16
    r3 = 16
    r4 = 0
    call ringbuf_output
    exit"""


def ring_spec(size: int = 4096):
    from purebpf.spec import DataSpec

    b = Builder()
    u64 = b.add(t.Int("unsigned long", 8))
    event = b.add(t.Struct("event", 16, (t.Member("zero", u64, 0), t.Member("n", u64, 64))))
    spec = obj("xdp", OUTPUT, maps=(MapSpec("ring", MapType.RINGBUF, 0, 0, size, value_type=event),),
               data=(DataSpec(".bss", bytes(8)),))
    return spec._replace(btf=b.build())


def test_events_come_in_order_and_typed() -> None:
    with loader.load(ring_spec()) as k:
        ring = k["ring"]
        assert ring.read() == [] and ring.poll(0) == [] and list(ring.events(timeout=0)) == []
        for _ in range(5):
            assert k["prog"].test_run(FRAME).retval == 0
        got = ring.read()
        assert [e.n for e in got] == [1, 2, 3, 4, 5] and got[0].zero == 0
        assert ring.read() == []


def test_a_ring_wraps_without_losing_order() -> None:
    with loader.load(ring_spec()) as k:  # 4096 bytes: 170 records of 24
        seen = []
        for _ in range(40):
            for _ in range(33):
                k["prog"].test_run(FRAME)
            seen += [e.n for e in k["ring"].read()]
        assert seen == list(range(1, 40 * 33 + 1))


def test_a_full_ring_refuses_and_recovers() -> None:
    with loader.load(ring_spec()) as k:
        results = [k["prog"].test_run(FRAME).retval for _ in range(200)]
        assert results[0] == 0 and results[-1] != 0
        first = [e.n for e in k["ring"].read()]
        assert first == list(range(1, results.count(0) + 1))
        k["prog"].test_run(FRAME)
        assert [e.n for e in k["ring"].read()] == [201]


def test_sizes_are_rounded_to_what_the_kernel_takes() -> None:
    with loader.load(ring_spec(5000)) as k:
        assert k["ring"].info.max_entries == 8192


def test_poll_waits_for_a_producer() -> None:
    with loader.load(ring_spec()) as k:
        timer = threading.Timer(0.05, lambda: k["prog"].test_run(FRAME))
        timer.start()
        got = k["ring"].poll(5000)
        timer.join()
        assert [e.n for e in got] == [1]


def test_a_closed_ring_is_an_error_and_not_a_fault() -> None:
    with loader.load(ring_spec()) as k:
        ring = k["ring"].ring
    with pytest.raises(ValueError):
        ring.read()


def test_many_events_while_reading() -> None:
    """A thread produces as fast as it can while this one reads: every record once and in order."""
    with loader.load(ring_spec(1 << 16)) as k:
        accepted = []

        def produce() -> None:
            for n in range(3000):
                if k["prog"].test_run(FRAME).retval == 0:
                    accepted.append(n + 1)

        thread = threading.Thread(target=produce)
        thread.start()
        seen = [e.n for e in k["ring"].events(timeout=0.5)]
        thread.join()
        seen += [e.n for e in k["ring"].read()]
        assert seen == accepted


def test_user_ring_buffer() -> None:
    if older_than("6.1"):
        pytest.skip("user ring buffers: since 6.1")
    text = """
        r1 = map:ring
        r2 = func:each
        r3 = 0
        r4 = 0
        call user_ringbuf_drain
        exit"""
    spec = obj("xdp", text, maps=(MapSpec("ring", MapType.USER_RINGBUF, 0, 0, 4096),))
    b = Builder()
    i64, ptr = b.add(t.Int("long", 8, t.SIGNED)), b.add(t.Ptr(0))
    main = b.append(t.Func("prog", b.add(t.FuncProto(b.add(t.Int("int", 4, t.SIGNED)), (t.Param("ctx", ptr),))), t.GLOBAL))
    sub = b.append(t.Func("each", b.add(t.FuncProto(i64, (t.Param("d", ptr), t.Param("c", ptr)))), t.STATIC))
    from tests.kernel.specs import func

    prog = spec.programs["prog"]
    spec = spec._replace(btf=b.build(), functions={"each": func("each", "r0 = 0\nexit", btf_id=sub)},
                         programs={"prog": prog._replace(func=prog.func._replace(btf_id=main))})
    with loader.load(spec) as k:
        assert k["ring"].push(b"one") and k["ring"].push(b"two!")
        assert k["prog"].test_run(FRAME).retval == 2
        assert k["prog"].test_run(FRAME).retval == 0
        pushed = 0
        while k["ring"].push(bytes(100)):
            pushed += 1
        assert pushed == 4096 // 112
        assert k["prog"].test_run(FRAME).retval == pushed


def test_perf_buffer() -> None:
    text = """
        r2 = map:events
        r3 = 0xffffffff ll
        *(u64 *)(r10 - 8) = 77
        r4 = r10
        r4 += -8
        r5 = 8
        call perf_event_output
        exit"""
    b = Builder()
    u64 = b.add(t.Int("unsigned long", 8))
    spec = obj("xdp", text, maps=(MapSpec("events", MapType.PERF_EVENT_ARRAY, 4, 4, 0, value_type=u64),))
    with loader.load(spec._replace(btf=b.build())) as k:
        events = k["events"]
        assert events.read() == []
        for _ in range(3):
            assert k["prog"].test_run(FRAME).retval == 0
        assert events.poll(1000) == [77, 77, 77]
        for _ in range(3000):
            k["prog"].test_run(FRAME)
        got = list(events.events(timeout=0))
        k["prog"].test_run(FRAME)
        got += events.read()
        assert len(got) + events.lost == 3001 and set(got) == {77} and events.lost > 0


def test_stacks_of_events_from_a_tracepoint() -> None:
    text = """
        r2 = *(u64 *)(r10 - 8)
        r1 = map:ring
        r2 = r10
        r2 += -8
        *(u64 *)(r10 - 8) = 5
        r3 = 8
        r4 = 0
        call ringbuf_output
        r0 = 0
        exit"""
    text = "\n".join(text.splitlines()[2:])
    with loader.load(obj("tracepoint/syscalls/sys_enter_getpgid", text, maps=(MapSpec("ring", 27, 0, 0, 4096),)),
                     attach=True) as k:
        os.getpgid(0)
        got = k["ring"].poll(2000)
        assert struct.pack("<Q", 5) in got
