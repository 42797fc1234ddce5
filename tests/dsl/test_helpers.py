"""The typed helpers: complete, inert, loaded family by family."""

import subprocess
import sys

import pytest

from purebpf.dsl import helpers
from purebpf.errors import NotInKernel
from purebpf.uapi.helpers import IDS

KINDS = {"Ctx", "AnyMap", "Mem", "Out", "Text", "Sock", "Kernel", "Dynptr", "Callback", "Mem | None", "Out | None",
         "Ctx | None", "u16", "u32", "u64", "i32", "be16"}
RESULTS = {"u32", "u64", "i64", "None", "Ptr[Any]", "Ptr[Any] | None"}


def test_every_helper_of_the_kernel_has_a_signature() -> None:
    listed = [name for names in helpers.FAMILIES.values() for name in names.split()]
    assert sorted(listed) == sorted(IDS)


@pytest.mark.parametrize("family", helpers.FAMILIES)
def test_families_hold_what_the_table_says(family: str) -> None:
    module = __import__(f"purebpf.dsl.helpers.{family}", fromlist=["x"])
    held = {name for name, value in vars(module).items() if isinstance(value, helpers.Helper)}
    assert held == set(helpers.FAMILIES[family].split())


@pytest.mark.parametrize("name", sorted(IDS))
def test_signature_is_readable(name: str) -> None:
    one = getattr(helpers, name)
    assert one is getattr(helpers, f"bpf_{name}")
    assert one.name == name and one.id == IDS[name] and one.__doc__
    assert len(one.params) <= 5 and {kind for _, kind in one.params} <= KINDS, one
    assert one.ret in RESULTS and one.ret.startswith("Ptr") == bool(one.region), one
    with pytest.raises(NotInKernel, match=name):
        one()


def test_what_the_compiler_reads() -> None:
    lookup = helpers.map_lookup_elem
    assert (lookup.region, lookup.ret, lookup.nullable) == ("map_value", "Ptr[Any] | None", True)
    assert lookup.params == (("map", "AnyMap"), ("key", "Mem"))
    assert helpers.trace_printk.params[-1] == ("*args", "u64")
    assert helpers.ringbuf_submit.ret == "None" and not helpers.ringbuf_submit.nullable


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no helper 'nothing'"):
        helpers.nothing


def test_a_family_is_loaded_on_use() -> None:
    code = ("import sys; from purebpf.dsl import helpers; helpers.ktime_get_ns; "
            "print([m for m in sys.modules if m.startswith('purebpf.dsl.helpers.')])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['purebpf.dsl.helpers.time']"
