"""Public constants that the kernel's enumerations have too are the kernel's."""

from pathlib import Path

import pytest

from purebpf.btf import Btf
from purebpf.btf import types as t
from purebpf.uapi import names

BTF = Btf.from_bytes((Path(__file__).parents[2] / "tools" / "uapi.btf").read_bytes())
KERNEL = {one.name: one.value for _, kind in BTF.items() if isinstance(kind, t.Enum | t.Enum64) for one in kind.values}


@pytest.mark.parametrize("name", [n for n in names.NAMES if n.startswith(("BPF_", "XDP_", "SK_", "TCX_"))])
def test_value(name: str) -> None:
    if name in KERNEL or name.startswith("BPF_"):
        assert getattr(names, name) == KERNEL[name]


def test_some_are_compared() -> None:
    assert {"XDP_PASS", "BPF_SOCK_OPS_STATE_CB_FLAG", "BPF_TCP_LISTEN"} <= set(KERNEL)
