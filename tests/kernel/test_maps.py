"""Live maps as Python containers, against the kernel."""

from __future__ import annotations

import os

import pytest

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import FormatError, KernelError, KeyMissing, NotSupported
from purebpf.loader import sys as live_sys
from purebpf.loader.maps import EXIST, NOEXIST
from purebpf.btf.percpu import PerCpu
from purebpf.loader.refusals import older_than
from purebpf.spec import DataSpec, MapSpec, ObjectSpec, VarSpec
from purebpf.uapi.enums import MapFlag, MapType
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel
M = MapType


def types() -> tuple[object, dict[str, int]]:
    b = Builder()
    u32 = b.add(t.Int("unsigned int", 4))
    u64 = b.add(t.Int("unsigned long", 8))
    char = b.add(t.Int("char", 1, t.SIGNED))
    comm = b.add(t.Array(char, u32, 16))
    event = b.add(t.Struct("event", 32, (t.Member("pid", u32, 0), t.Member("n", u64, 64), t.Member("comm", comm, 128))))
    return b.build(), {"u32": u32, "u64": u64, "event": event}


def holder(*specs: MapSpec, typed: bool = False) -> ObjectSpec:
    return ObjectSpec({}, maps={s.name: s for s in specs}, btf=types()[0] if typed else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [M.HASH, M.LRU_HASH])
def test_a_hash_is_a_mutable_mapping(kind: int) -> None:
    with loader.load(holder(MapSpec("m", kind, 4, 8, 1000))) as k:
        m = k["m"]
        assert len(m) == 0 and not m and dict(m) == {}
        m[1] = 10
        m.update({n: n * n for n in range(2, 300)})
        m.update({7: 1}, )
        assert m[7] == 1 and m.get(1000) is None and m.get(1000, 5) == 5 and 1 in m and 1000 not in m
        assert len(m) == 299 and set(m) == set(range(1, 300)) and dict(m.items())[299] == 299 * 299
        assert sorted(m.values())[-1] == 299 * 299
        assert m.pop(7) == 1 and m.pop(7, "gone") == "gone" and 7 not in m
        assert m.setdefault(7, 70) == 70 and m.setdefault(7, 71) == 70
        assert m.top(2) == [(299, 299 * 299), (298, 298 * 298)]
        assert m.to_dict() == dict(m)
        del m[1]
        with pytest.raises(KeyMissing):
            del m[1]
        with pytest.raises(KeyError):
            m[1]
        with pytest.raises(KernelError):
            m.set(2, 0, flags=NOEXIST)
        with pytest.raises(KeyMissing):
            m.set(12345, 0, flags=EXIST)
        m.clear()
        assert len(m) == 0


def test_without_batches_the_answers_are_the_same() -> None:
    with loader.load(holder(MapSpec("m", M.HASH, 4, 8, 1000))) as k:
        m = k["m"]
        m.update({n: n for n in range(50)})
        batched = dict(m.items())
        m._batches = False
        assert dict(m.items()) == batched == {n: n for n in range(50)}
        m.update({n: n + 1 for n in range(50)})
        assert sum(m.values()) == sum(range(50)) + 50
        m.clear()
        assert dict(m) == {}


def test_a_batch_larger_than_a_chunk() -> None:
    with loader.load(holder(MapSpec("m", M.HASH, 4, 4096, 2000, MapFlag.NO_PREALLOC))) as k:
        k["m"].update({n: n.to_bytes(4096, "little") for n in range(600)})
        assert {key: int.from_bytes(v, "little") for key, v in k["m"].items()} == {n: n for n in range(600)}


def test_a_full_map_says_so() -> None:
    with loader.load(holder(MapSpec("m", M.HASH, 4, 8, 2))) as k:
        with pytest.raises(KernelError, match="full"):
            for n in range(3):
                k["m"][n] = n


def test_an_array_is_always_there() -> None:
    with loader.load(holder(MapSpec("a", M.ARRAY, 4, 8, 5))) as k:
        a = k["a"]
        assert len(a) == 5 and list(a) == [0, 1, 2, 3, 4] and list(a.values()) == [0] * 5
        a[4] = 9
        a.update({0: 1, 1: 2})
        assert list(a.values()) == [1, 2, 0, 0, 9] and 4 in a and 5 not in a
        for wrong in (5, -1, "x"):
            with pytest.raises(KeyMissing):
                a[wrong]
        with pytest.raises(KeyMissing):
            a[5] = 1
        with pytest.raises(NotSupported):
            del a[0]
        a.clear()
        assert set(a.values()) == {0}


@pytest.mark.parametrize("kind", [M.PERCPU_ARRAY, M.PERCPU_HASH, M.LRU_PERCPU_HASH])
def test_per_cpu_values_are_lists_with_a_sum(kind: int) -> None:
    cpus = live_sys.possible_cpus()
    with loader.load(holder(MapSpec("p", kind, 4, 4, 4))) as k:
        p = k["p"]
        p[1] = list(range(cpus))
        p[2] = 5
        assert isinstance(p[1], PerCpu) and p[1] == list(range(cpus)) and p[1].sum() == sum(range(cpus))
        assert p[2] == [5] * cpus and p[2].sum() == 5 * cpus
        assert dict(p.items())[2] == [5] * cpus
        assert p.top(1)[0][0] == 2
        with pytest.raises(ValueError):
            p[1] = [1] * (cpus + 1)


def test_records_come_back_with_attributes() -> None:
    btf, ids = types()
    spec = MapSpec("e", M.PERCPU_ARRAY, 4, 32, 2, 0, ids["u32"], ids["event"])
    plain = MapSpec("h", M.HASH, 4, 32, 2, 0, ids["u32"], ids["event"])
    with loader.load(ObjectSpec({}, maps={"e": spec, "h": plain}, btf=btf)) as k:  # type: ignore[arg-type]
        k["h"][3] = {"pid": 1, "n": 2, "comm": "bash"}
        got = k["h"][3]
        assert (got.pid, got.n, got.comm) == (1, 2, "bash")
        got.n += 5
        k["h"][3] = got
        assert k["h"][3].n == 7
        k["e"][0] = [got] * live_sys.possible_cpus()
        assert k["e"][0].sum().n == 7 * live_sys.possible_cpus()
        assert k["h"].raw[(3).to_bytes(4, "little")][:4] == b"\1\0\0\0"


@pytest.mark.parametrize(("kind", "order"), [(M.QUEUE, [1, 2, 3]), (M.STACK, [3, 2, 1])])
def test_queue_and_stack(kind: int, order: list[int]) -> None:
    with loader.load(holder(MapSpec("q", kind, 0, 4, 3))) as k:
        q = k["q"]
        for n in (1, 2, 3):
            q.push(n)
        with pytest.raises(KernelError, match="full"):
            q.push(4)
        assert q.peek() == order[0] and list(q.drain()) == order
        with pytest.raises(KeyMissing, match="empty"):
            q.pop()


def test_bloom_filter() -> None:
    if older_than("5.16"):
        pytest.skip("bloom filters: since 5.16")
    with loader.load(holder(MapSpec("b", M.BLOOM_FILTER, 0, 8, 1000, extra=3))) as k:
        for n in range(0, 100, 2):
            k["b"].add(n)
        assert all(n in k["b"] for n in range(0, 100, 2))
        assert sum(n in k["b"] for n in range(1, 2001, 2)) < 100


def test_maps_of_maps_and_their_initial_slots() -> None:
    inner = MapSpec("inner", M.ARRAY, 4, 8, 2)
    outer = MapSpec("outer", M.ARRAY_OF_MAPS, 4, 4, 4, inner=inner, contents=((b"\2\0\0\0", "first"),))
    table = MapSpec("by_name", M.HASH_OF_MAPS, 8, 4, 4, inner=inner)
    with loader.load(holder(outer, table, inner._replace(name="first"))) as k:
        k["first"][1] = 77
        assert list(k["outer"]) == [2] and len(k["outer"]) == 1
        with k["outer"].inner(2) as found:
            assert found[1] == 77
        k["outer"][0] = k["first"]
        del k["outer"][2]
        assert list(k["outer"]) == [0]
        k["by_name"][5] = k["first"]
        assert list(k["by_name"]) == [5]


def test_a_map_outlives_its_object_through_a_pin(bpffs: str) -> None:
    btf, ids = types()
    spec = MapSpec("kept", M.HASH, 4, 32, 8, 0, ids["u32"], ids["event"])
    with loader.load(ObjectSpec({}, maps={"kept": spec}, btf=btf)) as k:  # type: ignore[arg-type]
        k["kept"][1] = {"pid": 42, "n": 1, "comm": "x"}
        k["kept"].pin(f"{bpffs}/kept")
        with loader.open_map("kept") as by_name, loader.open_map(k["kept"].info.id) as by_id:
            assert by_name[1] == by_id[1] == k["kept"][1]
    with loader.open_map(f"{bpffs}/kept") as again:
        assert again[1].pid == 42 and again[1].comm == "x"
    with pytest.raises(KernelError):
        loader.open_map(f"{bpffs}/missing")


def test_pinning_by_name_reuses_the_map_and_refuses_another_kind(bpffs: str) -> None:
    spec = MapSpec("shared", M.HASH, 4, 8, 8, pinning=1)
    with loader.load(holder(spec), pin_directory=bpffs) as one:
        one["shared"][1] = 5
    with loader.load(holder(spec), pin_directory=bpffs) as two:
        assert two["shared"][1] == 5
    with pytest.raises(KernelError, match="max_entries 8 instead of 9"):
        loader.load(holder(spec._replace(max_entries=9)), pin_directory=bpffs)


def test_a_failed_load_leaves_no_pin(bpffs: str) -> None:
    spec = holder(MapSpec("shared", M.HASH, 4, 8, 8, pinning=1), MapSpec("bad", M.ARRAY, 8, 8, 1))
    with pytest.raises(KernelError):
        loader.load(spec, pin_directory=bpffs)
    assert "shared" not in os.listdir(bpffs)


def test_a_frozen_map_is_read_only() -> None:
    with loader.load(holder(MapSpec("m", M.ARRAY, 4, 8, 1))) as k:
        k["m"][0] = 3
        k["m"].freeze()
        assert k["m"][0] == 3
        with pytest.raises(KernelError, match="frozen"):
            k["m"][0] = 4


@pytest.mark.parametrize(("spec", "hint"), [
    (MapSpec("m", M.ARRAY, 8, 8, 1), "key_size must be 4"),
    (MapSpec("m", M.HASH, 4, 8, 0), "max_entries must not be 0"),
    (MapSpec("m", M.LPM_TRIE, 8, 8, 8), "BPF_F_NO_PREALLOC"),
    (MapSpec("m", M.RINGBUF, 4, 0, 4096), "key_size must be 0"),
    (MapSpec("m", M.TASK_STORAGE, 4, 8, 0, MapFlag.NO_PREALLOC), "BTF types"),
    (MapSpec("m", M.HASH, 4, 8, 1, 1 << 30), "no valid HASH"),
    (MapSpec("m", 999, 4, 8, 1), "no valid 999"),
])
def test_a_refused_map_says_why(spec: MapSpec, hint: str) -> None:
    with pytest.raises(KernelError, match=hint) as caught:
        loader.load(holder(spec))
    assert "'m'" in str(caught.value)


def test_caller_s_maps_are_used_and_stay_open() -> None:
    with loader.load(holder(MapSpec("m", M.ARRAY, 4, 8, 1))) as one:
        with loader.load(obj("xdp", "r1 = map:m\nr0 = 2\nexit", maps=(MapSpec("m", M.ARRAY, 4, 8, 1),)),
                         maps={"m": one["m"]}) as two:
            assert two["m"] is one["m"]
        assert one["m"][0] == 0


def test_a_trie_takes_networks() -> None:
    b = Builder()
    u8, u32 = b.add(t.Int("unsigned char", 1)), b.add(t.Int("unsigned int", 4))
    key = b.add(t.Struct("key", 8, (t.Member("prefix", u32, 0), t.Member("data", b.add(t.Array(u8, u32, 4)), 32))))
    spec = MapSpec("routes", M.LPM_TRIE, 8, 4, 16, MapFlag.NO_PREALLOC, key, u32)
    with loader.load(ObjectSpec({}, maps={"routes": spec}, btf=b.build())) as k:
        routes = k["routes"]
        routes["10.0.0.0/8"] = 1
        routes["10.1.0.0/16"] = 2
        routes[{"prefix": 0, "data": [0, 0, 0, 0]}] = 3
        assert routes["10.1.2.3/32"] == 2 and routes["10.2.3.4"] == 1 and routes["9.9.9.9"] == 3
        assert sorted((e.prefix, bytes(e.data)) for e in routes) == [(0, bytes(4)), (8, b"\n\0\0\0"), (16, b"\n\1\0\0")]
        del routes["10.0.0.0/8"]
        assert routes["10.2.3.4"] == 3
        with pytest.raises(ValueError, match="16 bytes"):
            routes["fe80::1"]


def test_task_storage_by_pidfd() -> None:
    if older_than("5.11"):
        pytest.skip("task storage: since 5.11")
    btf, ids = types()
    spec = MapSpec("storage", M.TASK_STORAGE, 4, 8, 0, MapFlag.NO_PREALLOC, ids["u32"], ids["u64"])
    from purebpf.loader.fd import Fd

    with Fd(os.pidfd_open(os.getpid()), "pidfd") as task:
        with loader.load(ObjectSpec({}, maps={"storage": spec}, btf=btf)) as k:  # type: ignore[arg-type]
            assert task not in k["storage"]
            k["storage"][task] = 5
            assert k["storage"][task] == 5
            del k["storage"][task]
            with pytest.raises(KeyMissing):
                k["storage"][task]
            with pytest.raises(KernelError):
                list(k["storage"])


def test_stacks_are_lists_of_addresses() -> None:
    text = "r2 = map:stacks\nr3 = 256\ncall get_stackid\nr1 = data:.bss\n*(u64 *)(r1 + 0) = r0\nr0 = 0\nexit"  # user
    data = DataSpec(".bss", bytes(8), (VarSpec("id", 0, 8),))
    spec = obj("tracepoint/syscalls/sys_enter_getpgid", text, maps=(MapSpec("stacks", M.STACK_TRACE, 4, 8 * 32, 64),),
               data=(data,))
    with loader.load(spec, attach=True) as k:
        os.getpgid(0)
        k.links[0].close()
        number = k["id"].value
        assert number < 64, "no stack was taken"
        stack = k["stacks"][number]
        assert 1 <= len(stack) <= 32 and all(stack) and number in list(k["stacks"])


def test_a_dict_of_a_map_that_others_change() -> None:
    """dict() asks for the keys and then for each value: an entry that went in between is the one that was seen."""
    import threading

    with loader.load(obj("xdp", "r1 = map:m\nr0 = 0\nexit", maps=(MapSpec("m", MapType.HASH, 4, 8, 4096),))) as k:
        m, stop = k["m"], threading.Event()
        m.update({n: n for n in range(2000)})

        def churn() -> None:
            while not stop.is_set():
                for n in range(0, 2000, 3):
                    m.pop(n, None)
                m.update({n: n for n in range(0, 2000, 3)})

        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for _ in range(20):
                copy = dict(m)
                assert all(key == value for key, value in copy.items()) and len(copy) >= 1300
        finally:
            stop.set()
            thread.join()
        first, second, *_ = m.keys()
        with loader.open_map(m.info.id) as other:
            del other[first], other[second]
        assert m[first] == first  # as it was seen
        with pytest.raises(KeyError):
            m[5000]
        with pytest.raises(KeyError):
            m[second]  # something else came in between


def test_what_cannot_be_a_key_is_not_in_the_map() -> None:
    with loader.load(obj("xdp", "r1 = map:m\nr2 = map:d\nr0 = 0\nexit", maps=(
            MapSpec("m", MapType.HASH, 4, 8, 8), MapSpec("d", MapType.DEVMAP, 4, 4, 8)))) as k:
        m = k["m"]
        m[1] = 2
        assert 1 in m and "x" not in m and None not in m and -1 not in m and [1] not in m
        assert dict(k["d"]) == {} and len(k["d"]) == 0


def test_raw_views_take_bytes_and_indices() -> None:
    with loader.load(obj("xdp", "r1 = map:a\nr2 = map:m\nr0 = 0\nexit", maps=(
            MapSpec("a", MapType.ARRAY, 4, 8, 8), MapSpec("m", MapType.HASH, 4, 8, 8)))) as k:
        a, m = k["a"], k["m"]
        a[4] = 7
        assert a.raw[4] == (7).to_bytes(8, "little") == a.raw[(4).to_bytes(4, "little")]
        assert [a.raw[n] for n in a.raw][4] == a.raw[4]
        for wrong in (lambda: m.raw.__setitem__(bytes(4), 8), lambda: m.raw[3], lambda: a.raw.__setitem__(1, 8)):
            with pytest.raises(FormatError, match="bytes are needed"):
                wrong()


def test_a_given_map_must_fit() -> None:
    text, maps = "r1 = map:m\nr0 = 0\nexit", (MapSpec("m", MapType.HASH, 4, 8, 8),)
    with loader.load(obj("xdp", text, maps=maps)) as k:
        with loader.load(obj("xdp", text, maps=maps), maps={"m": k["m"]}) as other:
            other["m"][1] = 1
        assert k["m"][1] == 1
        with pytest.raises(FormatError, match="value_size 8 instead of 16"):
            loader.load(obj("xdp", text, maps=(MapSpec("m", MapType.HASH, 4, 16, 8),)), maps={"m": k["m"]})
    with loader.load(obj("xdp", text, maps=maps), maps={"m": 64}) as k:
        assert k["m"].info.max_entries == 64
    for option in ("maps", "targets"):
        with pytest.raises(FormatError, match=f"{option}: the object has no"):
            loader.load(obj("xdp", text, maps=maps), **{option: {"q": 1}})
    with pytest.raises(TypeError, match=r"elf\.read"):
        loader.load("x.o")


def test_a_policy_is_checked_before_the_kernel_is_asked() -> None:
    from purebpf.loader import Policy
    from purebpf.uapi.enums import ProgType

    spec = obj("xdp", "r1 = map:m\nr0 = 0\nexit", maps=(MapSpec("m", MapType.HASH, 4, 8, 1000, pinning=1),))
    for policy, complaint in ((Policy(frozenset({ProgType.SCHED_CLS})), "of type XDP"), (Policy(pins=False), "to be pinned"),
                              (Policy(max_bytes=10_000), "take 12000 bytes")):
        with pytest.raises(FormatError, match=complaint):
            loader.load(spec, policy=policy)
    sleepable = obj("uprobe.s/x:y", "r0 = 0\nexit")
    with pytest.raises(FormatError, match="sleepable"):
        loader.load(sleepable, policy=Policy(sleepable=False))
    loader.load(sleepable, policy=Policy(max_bytes=100)).close()


def test_names_and_contents_of_an_object_are_checked() -> None:
    spec = obj("xdp", "r1 = map:m\nr0 = 0\nexit", maps=(MapSpec("m", MapType.HASH, 4, 8, 8, pinning=1),))
    for name in ("../victim", "/tmp/x", "..", ""):
        with pytest.raises(FormatError, match="no file name"):
            loader.load(spec._replace(maps={name: spec.maps["m"]._replace(name=name)}))
    for contents in (((b"1", bytes(8)),), ((bytes(4), b"1"),)):
        with pytest.raises(FormatError, match="has 1 bytes"):
            loader.load(spec._replace(maps={"m": spec.maps["m"]._replace(contents=contents, pinning=0)}))


def test_devmaps_take_interfaces_by_name(netns: None) -> None:
    import socket

    maps = (MapSpec("d4", M.DEVMAP, 4, 4, 4), MapSpec("d8", M.DEVMAP, 4, 8, 4), MapSpec("h", M.DEVMAP_HASH, 4, 8, 4))
    spec = obj("xdp/devmap", "r1 = map:d4\nr1 = map:d8\nr1 = map:h\nr0 = 2\nexit", maps=maps)
    with loader.load(spec) as k:
        k["d4"][1] = "veth0"
        assert dict(k["d4"]) == {1: "veth0"} and list(k["d4"]) == [1] and len(k["d4"]) == 1 and 0 not in k["d4"]
        number = k["prog"].info.id
        for n, (written, read) in enumerate((("veth0", ("veth0", 0)), (socket.if_nametoindex("veth1"), ("veth1", 0)),
                                             (("veth0", k["prog"]), ("veth0", number)), ({"veth1": k["prog"]}, ("veth1", number)))):
            for m in (k["d8"], k["h"]):
                m[n] = written
                assert m[n] == read
        del k["d8"][3]
        assert set(k["d8"]) == {0, 1, 2} and set(k["h"]) == {0, 1, 2, 3}
        for wrong, complaint in (("eth17", "there are: "), (1.5, "no interface"), ({"a": 1, "b": 2}, "no interface")):
            with pytest.raises((KernelError, FormatError), match=complaint):
                k["d8"][0] = wrong
        with pytest.raises(FormatError, match="8 bytes"):
            k["d4"][0] = ("veth0", k["prog"])


def test_a_pinned_devmap_is_found_again(bpffs: str) -> None:
    maps = (MapSpec("devs", M.DEVMAP, 4, 4, 4, pinning=1),)
    spec = obj("xdp", "r1 = map:devs\nr0 = 2\nexit", maps=maps)
    with loader.load(spec, pin_directory=bpffs) as k, loader.load(spec, pin_directory=bpffs) as again:
        assert k["devs"].info.id == again["devs"].info.id
    os.unlink(f"{bpffs}/devs")


def test_two_processes_make_the_same_pinned_map(bpffs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another is faster between looking for the pin and making it: its map is used."""
    from purebpf.loader import create

    spec = obj("xdp", "r1 = map:m\nr0 = 2\nexit", maps=(MapSpec("m", M.HASH, 4, 8, 4, pinning=1),))
    real = create.pinned
    with loader.load(spec, pin_directory=bpffs) as first:
        calls: list[int] = []
        monkeypatch.setattr(create, "pinned", lambda *a: real(*a) if calls else calls.append(1))
        with loader.load(spec, pin_directory=bpffs) as second:
            assert second["m"].info.id == first["m"].info.id
            assert os.path.exists(f"{bpffs}/m")
    os.unlink(f"{bpffs}/m")


def test_a_failed_load_removes_its_own_pins_and_tells_why(bpffs: str) -> None:
    from purebpf.errors import VerifierError

    bad = obj("xdp", "r1 = map:m\nr0 = *(u64 *)(r1 + 4096)\nexit", maps=(MapSpec("m", M.HASH, 4, 8, 4, pinning=1),))
    with pytest.raises(VerifierError):
        loader.load(bad, pin_directory=bpffs)
    assert not os.path.exists(f"{bpffs}/m")
    good = obj("xdp", "r1 = map:m\nr0 = 2\nexit", maps=(MapSpec("m", M.HASH, 4, 8, 4, pinning=1),))
    with loader.load(good, pin_directory=bpffs):
        with pytest.raises(VerifierError):
            loader.load(bad, pin_directory=bpffs)
        assert os.path.exists(f"{bpffs}/m")  # it was there before
    os.unlink(f"{bpffs}/m")


def storage(kind: int) -> ObjectSpec:
    b = Builder()
    i32, u64 = b.add(t.Int("int", 4, t.SIGNED)), b.add(t.Int("unsigned long", 8))
    maps = (MapSpec("s", kind, 4, 8, 0, MapFlag.NO_PREALLOC, key_type=i32, value_type=u64),)
    return obj("raw_tp/sys_enter", "r1 = map:s\nr0 = 0\nexit", maps=maps)._replace(btf=b.build())


@pytest.mark.skipif(older_than("5.11"), reason="task storage: since 5.11")
def test_storage_is_keyed_by_its_owner(tmp_path) -> None:
    import socket

    path = str(tmp_path / "file")
    open(path, "w").close()
    with socket.socket() as sock:
        for kind, owner, wrong in ((M.TASK_STORAGE, os.getpid(), 2**22 + 5), (M.SK_STORAGE, sock, 7), (M.INODE_STORAGE, path, "/nonexistent")):
            with loader.load(storage(kind)) as k:
                s = k["s"]
                assert s.lookup(owner) is None and owner not in s
                s[owner] = 5
                assert s[owner] == 5 and s.get(owner) == 5
                del s[owner]
                with pytest.raises(KeyMissing):
                    s[owner]
                with pytest.raises((KernelError, FormatError), match="give a"):
                    s[wrong] = 1


def test_tries_take_addresses() -> None:
    from ipaddress import ip_address, ip_network

    with loader.load(obj("xdp", "r1 = map:t\nr0 = 2\nexit", maps=(MapSpec("t", M.LPM_TRIE, 8, 8, 8, MapFlag.NO_PREALLOC),))) as k:
        k["t"][ip_network("10.0.0.0/8")] = 7
        assert k["t"][ip_address("10.1.2.3")] == 7 == k["t"]["10.9.9.9"] and "11.0.0.1" not in k["t"]
        assert "fe80::1" not in k["t"] and ip_address("10.1.1.1") in k["t"]


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("kind", [MapType.HASH, MapType.PERCPU_HASH, MapType.ARRAY, MapType.PERCPU_ARRAY, MapType.LRU_HASH])
def test_whole_maps_into_numpy(kind: int, batches: bool) -> None:
    """What numpy gets is what items() gives, field by field; with the kernel's batches and without."""
    numpy = pytest.importorskip("numpy")
    from purebpf.loader.maptypes import row

    b = Builder()
    u32, u64, u16 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8)), b.add(t.Int("unsigned short", 2))
    text = b.add(t.Array(b.add(t.Int("char", 1, t.CHAR)), u32, 6))
    value = b.add(t.Struct("value", 24, (t.Member("n", u64, 0), t.Member("port", b.add(t.Typedef("__be16", u16)), 64),
                                         t.Member("name", text, 80), t.Member("m", u32, 128))))
    key = 0 if row(kind).keys == "index" else u32
    maps = (MapSpec("m", kind, 4, 24, 50, key_type=key, value_type=value if key else 0),)
    with loader.load(obj("xdp", "r0 = 0\nexit", maps=maps)._replace(btf=b.build())) as k:
        m = k["m"]
        m._batches = batches
        if key:
            m.update({n: {"n": n << 40, "port": 443, "name": f"x{n}", "m": n} for n in range(40)})
        else:
            m.raw.update({n: bytes([n]) * m.value_bytes for n in range(50)})
        keys, values = m.to_numpy()
        assert len(keys) == len(m) and keys.dtype.kind == "u"
        for n, (one, given) in enumerate(m.items()):
            assert int(keys[n]) == one
            for have, want in zip(values[n] if isinstance(given, list) else [values[n]], given if isinstance(given, list) else [given]):
                if key:
                    assert (int(have["n"]), int(have["port"]), have["name"].decode(), int(have["m"])) == (want.n, want.port, want.name, want.m)
                else:
                    assert have.tobytes() == want
        m.clear()
        assert key == 0 or len(m.to_numpy()[1]) == 0
        assert numpy.asarray(values).shape[0] == len(values)
