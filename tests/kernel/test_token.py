"""BPF tokens: who is root in a user namespace only may load what a bpffs delegates to it."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from purebpf import loader
from purebpf.errors import KernelError
from purebpf.loader import sys as live
from purebpf.loader.refusals import older_than

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(older_than("6.9"), reason="tokens: since 6.9")]
ROOT = str(Path(__file__).parents[2])

CHILD = f"""
import ctypes, os, socket, sys
sys.path.insert(0, {ROOT!r})
from purebpf import loader
from purebpf.errors import PureBpfError
from purebpf.loader import sys as live
from purebpf.spec import DataSpec, MapSpec, VarSpec
from tests.kernel.specs import obj

parent = socket.socket(fileno=int(sys.argv[1]))
if ctypes.CDLL(None).unshare(0x10000000 | 0x20000):  # CLONE_NEWUSER, CLONE_NEWNS
    print("no user namespace")
    raise SystemExit
parent.send(b"u")
parent.recv(1)                                        # the ids are mapped
spec = obj("xdp", "r1 = data:.bss\\nr1 = map:m\\nr0 = 2\\nexit", maps=(MapSpec("m", 1, 4, 8, 8),), data=(DataSpec(".bss", bytes(8)),))
try:
    loader.load(spec)
    print("loads without")
except PureBpfError as error:
    print("user namespace" in str(error))
context = live._fsopen(live._NR_FSOPEN, b"bpf", 1)    # in this user namespace: its bpffs
socket.send_fds(parent, [b"c"], [context])
parent.recv(1)                                        # it is configured by who may delegate
mount = live._fsmount(live._NR_FSMOUNT, context, 1, 0)
with loader.Token(f"/proc/self/fd/{{mount}}") as token, loader.load(spec, token=token) as k:
    k["m"][1] = 7
    print(k["m"][1], k["prog"].info.name)
"""


def test_what_is_delegated_may_be_loaded() -> None:
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True)
    theirs.close()
    try:
        if ours.recv(1) == b"u":
            for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
                with open(f"/proc/{child.pid}/{name}", "w", encoding="ascii") as file:
                    file.write(text)
            ours.send(b"m")
            _, (context,), _, _ = socket.recv_fds(ours, 1, 1)
            for name in ("cmds", "maps", "progs", "attachs"):
                live._fsconfig(live._NR_FSCONFIG, context, 1, ctypes.c_char_p(f"delegate_{name}".encode()), ctypes.c_char_p(b"any"), 0)
            assert live._fsconfig(live._NR_FSCONFIG, context, 6, None, None, 0) == 0
            os.close(context)
            ours.send(b"d")
        out = child.communicate(timeout=30)[0]
    finally:
        child.kill()
        ours.close()
    if "no user namespace" in out:
        pytest.skip("no user namespaces here")
    assert out.splitlines() == ["True", "7 prog"], out


def test_where_none_can_be_made_it_says_why(bpffs: str, tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="load without a token|delegates nothing"):
        loader.Token(bpffs)
    with pytest.raises(KernelError, match="root of a bpffs"):
        loader.Token(tmp_path)
    with pytest.raises(KernelError, match="No such file"):
        loader.Token(tmp_path / "none")
