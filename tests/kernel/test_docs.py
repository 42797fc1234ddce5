"""Every Python block of docs/loading.md and docs/operating.md runs, one after the other, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[2]
SETUP = """
import sys, warnings
warnings.simplefilter("error", ResourceWarning)
from tests.kernel import net
net.up("lo")
net.add_veth("eth0", "eth1")
"""


@pytest.mark.parametrize("name", ["loading.md", "operating.md"])
def test_every_block_runs(name: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    script = tmp_path / "blocks.py"
    script.write_text(SETUP + "\n".join(blocks))
    done = subprocess.run(["unshare", "-m", "-n", sys.executable, "-X", "dev", str(script)], cwd=tmp_path, capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stdout[-1000:] + done.stderr[-3000:]
