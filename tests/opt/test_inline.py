"""Deep calls: code grows with what was written, and no deeper than the kernel goes."""

from __future__ import annotations

import pytest

from purebpf.ir import text, verify
from purebpf.ir.calls import Calls
from purebpf.ir.function import Module
from purebpf.opt import optimize
from purebpf.opt.inline import FRAMES, SMALL, inline


def levels(depth: int, ops: int) -> Module:
    """@entry calls @f0 twice, that @f1 twice, and so on; each has `ops` ops of its own."""
    functions = ["func @entry(%x: i64) -> i64 default=0 {\nentry:\n  %a = call @f0(%x)\n  %b = call @f0(%a)\n  ret %b\n}"]
    for n in range(depth):
        own = "".join(f"  %v{i + 1} = xor %v{i}, {n + i}\n  %w{i} = helper 7 rnd()\n" for i in range(ops // 2)).replace("%v0", "%x")
        last = f"%v{ops // 2}" if ops >= 2 else "%x"
        calls = f"  %a = call @f{n + 1}({last})\n  %b = call @f{n + 1}(%a)\n  ret %b\n" if n + 1 < depth else f"  ret {last}\n"
        functions.append(f"func @f{n}(%x: i64) -> i64 inline=auto {{\nentry:\n{own}{calls}}}")
    return text.parse("\n".join(functions))


def frames(module: Module) -> int:
    calls = Calls(module)
    height: dict[str, int] = {}
    for fn in calls.order:
        height[fn.name] = 1 + max((height[name] for name in calls.callees[fn.name]), default=0)
    return height["entry"]


def size(module: Module) -> int:
    return sum(1 for fn in module.functions.values() for _ in fn.ops())


@pytest.mark.parametrize("ops", (2, 6, 12, 20))
def test_ten_levels_of_two_calls_do_not_explode(ops: int) -> None:
    module = levels(10, ops)
    written = size(module)
    inline(module)
    verify.check(module, "inline")
    assert size(module) < 4 * written + 10 * SMALL
    assert frames(module) <= FRAMES + 1
    optimize(module, verify=True)


@pytest.mark.parametrize("level", (0, 1, 2))
@pytest.mark.parametrize("depth", (7, 8, 12))
def test_large_functions_nest_no_deeper_than_the_kernel_goes(depth: int, level: int) -> None:
    module = levels(depth, 2 * SMALL)
    optimize(module, level=level, verify=True)
    assert frames(module) <= FRAMES + 1
    if depth <= FRAMES:
        assert len(module.functions) == depth + 1  # none needs to be copied
