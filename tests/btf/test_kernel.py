"""The kernel takes what Builder makes: each kind by itself, and all together."""

import ctypes
import os
import platform
import struct
from pathlib import Path

import pytest

from purebpf.btf import Btf, Builder
from purebpf.btf import types as t
from purebpf.uapi import attrs
from purebpf.uapi.enums import Cmd
from tests.btf.test_codec import one_of_each

pytestmark = pytest.mark.kernel

NR_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]


def load(btf: Btf) -> str:
    """"" if the kernel takes the BTF, else its log."""
    libc = ctypes.CDLL(None, use_errno=True)
    data = btf.to_bytes()
    blob, log = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(65536)
    attr = ctypes.create_string_buffer(attrs.BTF_LOAD.size)
    for name, value in (("btf", ctypes.addressof(blob)), ("btf_size", len(data)), ("btf_log_level", 1),
                        ("btf_log_buf", ctypes.addressof(log)), ("btf_log_size", len(log))):
        place = attrs.BTF_LOAD[name]
        struct.pack_into("<Q" if place.size == 8 else "<I", attr, place.offset, value)
    fd = libc.syscall(NR_BPF, Cmd.BTF_LOAD, attr, len(attr))
    if fd >= 0:
        os.close(fd)
        return ""
    return f"{os.strerror(ctypes.get_errno())}: {log.value.decode()[-400:]}"


def test_all_kinds_together() -> None:
    assert load(one_of_each()) == ""


@pytest.mark.parametrize("kind", t.Type.__args__, ids=lambda c: c.__name__)
def test_kind_by_itself(kind: type[t.Type]) -> None:
    """The types of that kind, with what they refer to."""
    whole = one_of_each()
    b = Builder()
    from purebpf.btf import graft

    memo: dict[int, int] = {}
    found = [i for i, one in whole.items() if isinstance(one, kind)]
    assert found
    for type_id in found:
        graft(b, whole, type_id, memo)
    assert load(b.build()) == ""


@pytest.mark.parametrize("types, complaint", [
    ([t.Ptr(1), t.Int("int", 4, 3)], ""), ([t.Int("int", 4), t.Struct("s", 2, (t.Member("a", 1, 0),))], "exceeds"),
    ([t.Int("int", 4), t.Datasec(".data", 0, ())], "size")])
def test_the_kernel_does_refuse(types: list[t.Type], complaint: str) -> None:
    """So that acceptance above means something."""
    log = load(Btf(types))
    assert log and complaint in log


def test_the_kernel_s_records_are_found_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second opening asks nobody; another kernel's file is looked at anew."""
    from purebpf.btf import codec, kernel

    found: list[int] = []
    look = codec.index
    monkeypatch.setattr(codec, "index", lambda *a: (found.append(1), look(*a))[1])
    monkeypatch.setattr(kernel, "_indexes", {})
    monkeypatch.setattr(kernel, "PLACES", (str(tmp_path / "vmlinux"),))
    (tmp_path / "vmlinux").write_bytes(one_of_each().to_bytes())
    assert kernel.vmlinux() == kernel.vmlinux() == one_of_each() and len(found) == 1
    assert kernel.vmlinux().find_all("node") == one_of_each().find_all("node")
    other = Btf([t.Int("other", 8), *one_of_each()][:1])
    (tmp_path / "vmlinux").write_bytes(other.to_bytes())
    assert kernel.vmlinux() == other and len(found) == 2 and len(kernel._indexes) == 1
