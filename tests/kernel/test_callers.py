"""The table of who may call which helper, asked of the kernel: what it allows is never called a mistake."""

from __future__ import annotations

import pytest

from purebpf.loader.probes import Probes
from purebpf.uapi import callers
from purebpf.uapi.enums import ProgType, names
from purebpf.uapi.helpers import IDS

pytestmark = pytest.mark.kernel
UNASKED = ("UNSPEC", "TRACING", "LSM", "EXT", "STRUCT_OPS")  # a call alone does not load there, whatever is called


@pytest.mark.parametrize("name", [n for n in names(ProgType).values() if n not in UNASKED])
def test_what_the_kernel_allows_is_allowed(name: str) -> None:
    kind = getattr(ProgType, name)
    refused = [answer.name for answer in Probes().all_helpers(kind) if answer.has and kind not in (callers.types(answer.name) or {kind})]
    assert not refused


def test_the_table_names_real_things() -> None:
    for types, helpers in callers.CALLERS.items():
        assert all(hasattr(ProgType, t) for t in types.split()) and set(helpers.split()) <= set(IDS)
    assert callers.named(callers.types("skb_change_type") or ()) == ["tc"] and callers.types("ktime_get_ns") is None
