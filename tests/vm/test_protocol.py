"""Maps in user space are one thing, whoever made them live: the same calls give the same in the VM and in the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf import changes as bpf_changes
from purebpf.errors import FormatError, KernelError, KeyMissing
from purebpf.spec import MapSpec, ObjectSpec
from purebpf.uapi.enums import MapType
from purebpf.vm import Machine
from tests.kernel.specs import obj

FRAME = bytes(64)
RING = """
    r6 = 0
  again:
    r6 += 1
    *(u64 *)(r10 - 16) = r6
    *(u64 *)(r10 - 8) = 9
    r1 = map:ring
    r2 = r10
    r2 += -16
    r3 = 16
    r4 = 0
    call ringbuf_output
    if r6 < 5 goto again
    r0 = 2
    exit"""


def spec() -> ObjectSpec:
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    pair = b.add(t.Struct("pair", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    maps = (MapSpec("hash", MapType.HASH, 4, 16, 4, key_type=u32, value_type=pair), MapSpec("array", MapType.ARRAY, 4, 8, 4),
            MapSpec("cpus", MapType.PERCPU_HASH, 4, 8, 4, key_type=u32, value_type=u64), MapSpec("queue", MapType.QUEUE, 0, 8, 2),
            MapSpec("stack", MapType.STACK, 0, 8, 2), MapSpec("bloom", MapType.BLOOM_FILTER, 0, 8, 8),
            MapSpec("ring", MapType.RINGBUF, 0, 0, 4096, value_type=pair))
    return obj("xdp", RING, maps=maps)._replace(btf=b.build())


class Side:
    def __init__(self, maps: Any, run: Callable[[], object], wait: Callable[[float], None], cpus: int) -> None:
        self.maps, self.run, self.wait, self.cpus = maps, run, wait, cpus


@pytest.fixture(params=["vm", pytest.param("kernel", marks=pytest.mark.kernel)])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "vm":
        machine = Machine(spec(), cpus=2)
        yield Side(machine.maps, lambda: machine.run(data=FRAME), machine.wait, 2)
        return
    from purebpf.loader import sys

    with loader.load(spec()) as k:
        yield Side(k.maps, lambda: k["prog"].test_run(FRAME), k.wait, sys.possible_cpus())


def test_mappings(side: Side) -> None:
    m = side.maps["hash"]
    assert len(m) == 0 and m.to_dict() == {} and 1 not in m and "x" not in m and m.lookup(1) is None and m.get(1, 5) == 5
    m[1] = {"a": 1, "b": 2}
    m.update({2: (3, 4), 3: (0, 9)})
    assert (m[1].a, m[1].b) == (1, 2) and sorted(m) == [1, 2, 3] and [v.b for _, v in m.top(2)] == [4, 2]
    assert m.setdefault(1, (7, 7)).a == 1 and m.setdefault(4, (7, 7)).a == 7
    with pytest.raises(KernelError) as full:
        m[9] = (1, 1)
    assert full.value.errno == 7
    for flags, key, number in ((1, 1, 17), (2, 9, 2)):
        with pytest.raises(KernelError) as refused:
            m.set(key, (1, 1), flags=flags)
        assert refused.value.errno == number
    assert m.lookup_and_delete(4).b == 7 and m.pop(3).b == 9 and m.pop(3, None) is None
    with pytest.raises(KeyMissing):
        m.lookup_and_delete(4)
    with pytest.raises(KeyMissing):
        del m[4]
    with pytest.raises(KeyError):
        m[4]
    assert dict(m).keys() == {1, 2} and {k: v.a for k, v in m.items()} == {1: 1, 2: 3}
    assert [k for k, _ in m.top(1, key=lambda v: -v.b)] == [1]
    m.clear()
    assert len(m) == 0


def test_arrays(side: Side) -> None:
    m = side.maps["array"]
    m[3] = 5
    assert list(m) == [0, 1, 2, 3] and list(m.values()) == [0, 0, 0, 5] and len(m) == 4 and 4 not in m
    with pytest.raises(KeyMissing):
        m[4]
    with pytest.raises(KernelError):
        del m[1]
    assert m.top(1) == [(3, 5)]


def test_raw_views(side: Side) -> None:
    m, array = side.maps["hash"], side.maps["array"]
    m[1] = (1, 2)
    assert dict(m.raw.items()) == {bytes([1, 0, 0, 0]): bytes([1, *bytes(7), 2, *bytes(7)])}
    m.raw[bytes([2, 0, 0, 0])] = bytes(16)
    assert m[2].a == 0
    array.raw[2] = bytes([7, *bytes(7)])
    assert array[2] == 7 and array.raw[2] == array.raw[bytes([2, 0, 0, 0])]
    for wrong in (lambda: m.raw[1], lambda: m.raw.__setitem__(bytes(4), 8), lambda: m.raw.__setitem__(bytes(4), bytes(3))):
        with pytest.raises(FormatError, match="bytes are needed"):
            wrong()


def test_values_of_each_cpu(side: Side) -> None:
    m = side.maps["cpus"]
    m[1] = list(range(1, side.cpus + 1))
    m[2] = [0] * side.cpus
    assert m[1].sum() == sum(range(1, side.cpus + 1)) and len(m[1]) == side.cpus
    assert m.top(1) == [(1, m[1])]


@pytest.mark.parametrize(("name", "order"), [("queue", [1, 2]), ("stack", [2, 1])])
def test_maps_without_keys(side: Side, name: str, order: list[int]) -> None:
    m = side.maps[name]
    for method in (m.pop, m.peek):
        with pytest.raises(KeyMissing):
            method()
    m.push(1)
    m.push(2)
    with pytest.raises(KernelError) as full:
        m.push(3)
    assert full.value.errno == 7 and m.peek() == order[0] and list(m.drain()) == order
    for n in (1, 2, 3):
        m.push(n, replace=True)
    assert sorted(m.drain()) == [2, 3]


def test_bloom_filters(side: Side) -> None:
    m = side.maps["bloom"]
    assert 5 not in m
    m.add(5)
    assert 5 in m


def test_events(side: Side) -> None:
    ring = side.maps["ring"]
    assert ring.read() == [] and ring.poll(0) == [] and list(ring.events(timeout=0)) == []
    side.run()
    first = next(iter(ring.events(timeout=0)))
    second = next(iter(ring))

    async def third() -> Any:
        async for event in ring:
            return event

    assert [e.a for e in (first, second, asyncio.run(third()))] == [1, 2, 3] and first.b == 9
    assert [e.a for e in ring.poll(0)] == [4, 5]
    seen: list[int] = []
    ring.on(lambda event: seen.append(event.a))
    side.run()
    side.wait(0)
    assert seen == [1, 2, 3, 4, 5] and ring.read() == []


def test_readings(side: Side) -> None:
    """What is read of whole maps: the same methods on both sides."""
    hist, cpus = side.maps["array"], side.maps["cpus"]
    hist.update({1: 3, 3: 1})
    assert str(hist.histogram()).splitlines()[0].split()[:2] == ["1", "3"]
    before = hist.to_dict()
    hist[1] += 2
    assert [(c.key, c.delta) for c in bpf_changes(before, hist.to_dict())] == [(1, 2)]
    seen = []
    for found in hist.watch(0.01, count=2):
        seen.append([(c.key, c.before, c.after) for c in found])
        hist[2] = 9
    assert seen == [[], [(2, 0, 9)]]
    cpus[5] = [n + 1 for n in range(side.cpus)]
    assert cpus[5].max() == side.cpus and cpus[5].min() == 1 and cpus[5].mean() == (side.cpus + 1) / 2
    side.maps["hash"][7] = {"a": 1, "b": 2}
    assert side.maps["hash"].to_json() == '[[7, {"a": 1, "b": 2}]]'
