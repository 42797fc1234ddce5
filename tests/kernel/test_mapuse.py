"""Which programs may use which maps, asked of the kernel: what the table allows it takes, what the table refuses it refuses."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.loader import bpf
from purebpf.btf import Btf, Builder
from purebpf.btf import types as t
from purebpf.errors import KernelError, VerifierError
from purebpf.frontend import fields
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
        with loader.load(obj(section, USE, maps=(spec,))._replace(btf=btf)) as k:  # what the kernel dislikes of the types is made without them
            return btf is None or bool(bpf.map_info(k.maps["m"].fileno()).btf_value_type_id)
    except (VerifierError, KernelError):
        return False


@pytest.mark.parametrize("name", [n for k, n in names(MapType).items() if k not in (0, MapType.STRUCT_OPS) and not row(k).inner
                                  and row(k).keys != "owner"])
def test_maps_of_programs_that_may_sleep(name: str) -> None:
    kind = getattr(MapType, name)
    if not Probes().map_type(name):
        return  # newer than this kernel: nothing to compare with
    key, value, entries, flags = row(kind).probe
    assert taken("syscall", MapSpec("m", kind, key, value, entries, flags)) is (mapuse.in_sleepable(name) is not None)


def with_field(field: str, kind: str) -> tuple[MapSpec, Btf]:
    """A map of that type whose values have a field that the kernel keeps."""
    b = Builder()
    u32 = b.add(t.Int("unsigned int", 4))
    size = next(layout.size for layout in fields.OWNERS if layout.name == field)
    kept = b.add(t.Struct(field, size, (t.Member("val", u32, 0),)))
    value = b.add(t.Struct("value", 32, (t.Member("kept", kept, 0), t.Member("n", u32, 8 * size))))
    entries, flags = row(getattr(MapType, kind)).probe[2:]
    return MapSpec("m", getattr(MapType, kind), 4, 32, entries, flags, key_type=u32, value_type=value), b.build()


@pytest.mark.parametrize("field", mapuse.FIELDS)
@pytest.mark.parametrize("name", LOADED)
def test_programs_with_fields_that_the_kernel_keeps(name: str, field: str) -> None:
    assert taken(LOADED[name], *with_field(field, "ARRAY")) is (getattr(ProgType, name) not in mapuse.FIELDS[field].never)


@pytest.mark.parametrize("field", mapuse.FIELDS)
@pytest.mark.parametrize("kind", "HASH LRU_HASH ARRAY PERCPU_HASH PERCPU_ARRAY SK_STORAGE TASK_STORAGE INODE_STORAGE CGRP_STORAGE".split())
def test_maps_with_fields_that_the_kernel_keeps(kind: str, field: str) -> None:
    assert taken("xdp", *with_field(field, kind)) is (kind in mapuse.FIELDS[field].maps)
