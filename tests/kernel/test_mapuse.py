"""Which programs may use which maps, asked of the kernel: what the table allows it takes, what the table refuses it refuses."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.btf import Btf, Builder
from purebpf.btf import types as t
from purebpf.errors import VerifierError
from purebpf.loader.maptypes import row
from purebpf.loader.probes import Probes
from purebpf.spec import MapSpec
from purebpf.uapi import mapuse
from purebpf.uapi.enums import MapType, ProgType, names
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel
USE = "r1 = map:m\nr0 = 0\nexit"
LOADED = {  # program types that load with nothing but an answer, and a section of theirs
    "SOCKET_FILTER": "socket", "KPROBE": "kprobe", "SCHED_CLS": "tc", "TRACEPOINT": "tracepoint", "XDP": "xdp", "PERF_EVENT": "perf_event",
    "CGROUP_SKB": "cgroup_skb/ingress", "SOCK_OPS": "sockops", "SK_MSG": "sk_msg", "RAW_TRACEPOINT": "raw_tracepoint", "SYSCALL": "syscall",
    "SK_LOOKUP": "sk_lookup", "CGROUP_SYSCTL": "cgroup/sysctl", "LWT_IN": "lwt_in",
}


def taken(section: str, spec: MapSpec, btf: Btf | None = None) -> bool:
    try:
        with loader.load(obj(section, USE, maps=(spec,))._replace(btf=btf)):
            return True
    except VerifierError:
        return False


@pytest.mark.parametrize("name", [n for k, n in names(MapType).items() if k not in (0, MapType.STRUCT_OPS) and not row(k).inner
                                  and row(k).keys != "owner"])
def test_maps_of_programs_that_may_sleep(name: str) -> None:
    kind = getattr(MapType, name)
    if not Probes().map_type(name):
        return  # newer than this kernel: nothing to compare with
    key, value, entries, flags = row(kind).probe
    assert taken("syscall", MapSpec("m", kind, key, value, entries, flags)) is (mapuse.in_sleepable(name) is not None)


@pytest.mark.parametrize("name", LOADED)
def test_maps_with_locks(name: str) -> None:
    b = Builder()
    u32 = b.add(t.Int("unsigned int", 4))
    lock = b.add(t.Struct("bpf_spin_lock", 4, (t.Member("val", u32, 0),)))
    value = b.add(t.Struct("value", 8, (t.Member("lock", lock, 0), t.Member("n", u32, 32))))
    spec = MapSpec("m", MapType.ARRAY, 4, 8, 1, key_type=u32, value_type=value)
    assert taken(LOADED[name], spec, b.build()) is (getattr(ProgType, name) not in mapuse.LOCKLESS)
