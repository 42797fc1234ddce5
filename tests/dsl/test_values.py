"""What maps may begin with is told when they are declared."""

from __future__ import annotations

import types
from typing import Any

import pytest

import purebpf as bpf
from purebpf import Array, ArrayOfMaps, HashMap, PerCpuArray, ProgArray, RingBuf, u8, u32


@bpf.xdp
def prog(ctx: Any) -> int:
    return 2


def test_a_map_is_as_large_as_what_it_begins_with() -> None:
    assert ProgArray(values={3: prog}).max_entries == 4
    assert Array[u32](values=[1, 2]).max_entries == 2
    assert HashMap[u32, u8](values={70000: 1}).max_entries == 1


@pytest.mark.parametrize("make", [
    lambda: ProgArray(values={0: 5}), lambda: ProgArray(max_entries=1, values={1: prog}), lambda: ProgArray(values={"a": prog}),
    lambda: Array[u8](values=[256]), lambda: HashMap[u8, u8](values={-1: 1}), lambda: HashMap[u32, u32](max_entries=1, values={1: 1, 2: 2}),
    lambda: PerCpuArray[u32](values=[1]), lambda: RingBuf[u32](max_entries=4096, values=[1]),
    lambda: ArrayOfMaps(inner=Array[u32](max_entries=1), values=[7]), lambda: HashMap[u32, u32](),
])
def test_what_does_not_fit_is_refused(make: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        make()


def test_programs_in_a_map_go_into_the_object_and_its_file() -> None:
    from purebpf import elf

    from ..corpus import harness

    module = harness.load_module(harness.HERE / "functions/tail_calls.py")
    spec = bpf.build(module.entry)
    assert list(spec.programs) == ["entry", "tcp", "udp"]
    wanted = ((bytes(4), "tcp"), (b"\1\0\0\0", "udp"))
    assert spec.maps["progs"].contents == elf.read(elf.write(spec)).maps["progs"].contents == wanted


def test_numbers_in_a_map_are_no_object_file_s() -> None:
    from purebpf import elf
    from purebpf.errors import FormatError

    from ..corpus import harness

    module = harness.load_module(harness.HERE / "maps/begin_with_values.py")
    with pytest.raises(FormatError, match="cannot hold its initial entries"):
        elf.write(bpf.build(module.prog))


@pytest.mark.parametrize("word", [bpf.struct, bpf.union, bpf.kernel_struct])
def test_a_decorator_is_no_base(word: Any) -> None:
    with pytest.raises(TypeError, match=f"write '@bpf.{word.__name__}' above the class"):
        type("Event", types.resolve_bases((word,)), {})
