"""Random loops that count, remember and decide: the kernel takes them, and all three agree. `make loops` runs more."""

from __future__ import annotations

import pytest

from .loops import judge

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("seed", range(60))
def test_loop(seed: int) -> None:
    assert not judge(seed)
