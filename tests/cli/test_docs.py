"""docs/cli.md: every block runs as it stands, one after the other; every verb is in it, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from purebpf.cli.tree import nodes, whole

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
PLACES = """
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
"""
LOOPBACK = """
import socket
from tests.kernel import net
net.up("lo")
"""


@pytest.mark.kernel
def test_every_block_runs(tmp_path: Path) -> None:
    """In name spaces of mounts and of the network of its own; a command that fails is shown with its line."""
    from tests.kernel.test_links import cgroup_root

    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    group = f"{cgroup_root()}/purebpf-docs-{os.getpid()}"
    blocks = [block if cgroup_root() or "$CGROUP" not in block else "" for block in BLOCKS]
    (tmp_path / "purebpf").write_text(f'#!/bin/sh\nexec {sys.executable} -m purebpf "$@"\n')
    (tmp_path / "purebpf").chmod(0o755)
    (tmp_path / "work").mkdir()
    # `timeout` ends what runs until Ctrl-C with status 124, and 0 is what ours makes of it
    script = PLACES + f"{sys.executable} -c '{LOOPBACK}'\nset -E\ntrap 'echo \"failed: $BASH_COMMAND\" >&2; exit 1' ERR\n" + "\n".join(
        re.sub(r"^(timeout .*)$", r"\1 || test $? = 124", block, flags=re.MULTILINE) for block in blocks)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "CGROUP": group, "NO_COLOR": "1"}
    done = subprocess.run(["unshare", "-m", "-n", "bash", "-c", script], cwd=tmp_path / "work", env=environment,
                          capture_output=True, text=True, check=False, timeout=300)
    if os.path.isdir(group):
        os.rmdir(group)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout[-1500:] + done.stderr[-3000:]
    for sign in ("on_openat  accepted", "Ctrl-C detaches", "drop_all: returned 1", "retval", "openat", "changed", "pass_all", "lo"):
        assert sign in done.stdout, sign


def test_every_command_and_verb_is_documented() -> None:
    shown = "\n".join(BLOCKS)
    for node in nodes(whole()):
        if " " in node.path and not node.path.startswith("btf "):
            command, verb = node.path.split()
            assert re.search(rf"purebpf {command} {verb}\b", shown) or f"`{verb}`" in TEXT or f"{command} {verb}" in TEXT, node.path
        else:
            assert re.search(rf"(purebpf |`){node.path.split(' ')[0]}\b", TEXT), node.path
