"""Programs that are deeper than Python's own limit of calls in calls: long chains of `elif`, sums of many parts."""

from __future__ import annotations

import linecache

import pytest

import purebpf as bpf

CHAIN = "\n".join(f"    {'el' if i else ''}if x == {i}:\n        y = {i * 7}" for i in range(600))
SUM = " + ".join(["x"] * 900)
TEXTS = {
    "arms": f"    y = 0\n{CHAIN}\n    return y",
    "parts": f"    return {SUM}",
    "conditions": "    return 1 if " + " or ".join(f"x == {i}" for i in range(600)) + " else 0",
}


@pytest.mark.parametrize("name", TEXTS)
def test_deep_programs_compile(name: str) -> None:
    text = f"import purebpf as bpf\n@bpf.xdp\ndef prog(ctx):\n    x = ctx.ingress_ifindex\n{TEXTS[name]}\n"
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, object] = {"__name__": name}
    exec(compile(text, file, "exec"), scope)
    assert bpf.build(scope["prog"]).programs["prog"].func.insns
