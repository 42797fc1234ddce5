"""Words for addresses and bytes, in Python: what programs make of the same bytes, tests/corpus/printing has."""

from __future__ import annotations

import pytest

import purebpf as bpf


def test_addresses() -> None:
    assert bpf.ip4(0x0A0B0C0D) == bpf.ip4(b"\x0a\x0b\x0c\x0d") == bpf.ip4([10, 11, 12, 13]) == "10.11.12.13"
    assert bpf.ip6(bytes(15) + b"\1") == "0000:0000:0000:0000:0000:0000:0000:0001"
    assert bpf.mac([1, 2, 3, 0xAB, 0, 255]) == "01:02:03:ab:00:ff"
    assert bpf.hex(b"\x0a\xff") == "0aff" and bpf.hex(b"") == ""


def test_wrong_sizes() -> None:
    for word, value in ((bpf.ip4, b"abc"), (bpf.ip6, bytes(4)), (bpf.mac, bytes(8)), (bpf.ip4, 1 << 32)):
        with pytest.raises((ValueError, OverflowError)):
            word(value)  # type: ignore[arg-type]  # an ip6 or a mac is no number


def test_what_is_no_kernel_symbol_stays_a_number() -> None:
    assert bpf.ksym(16) == "0x10"


def test_star_import_leaves_hex_alone() -> None:
    scope: dict[str, object] = {}
    exec("from purebpf import *", scope)
    assert "ip4" in scope and "hex" not in scope
