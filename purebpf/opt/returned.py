"""A stack address that is always one of the arguments is that argument: the caller has it.

    func @f(%a, %b) { … ret %b }            func @f(%a, %b) { … ret 0 }
    %1 = call @f(%x, %y)             ==>    %1 = call @f(%x, %y)
    use %1                                  use %y

So a function that fills memory of its caller, and says where it is, returns no stack address, which the kernel forbids.
"""

from __future__ import annotations

from ..ir.calls import Calls, callee
from ..ir.function import Const, Function, Module, Op, Value
from ..ir.ops import Index
from ..ir.types import I64
from .rows import R


def returned(module: Module) -> bool:
    """Look at every function that only this module calls."""
    calls = Calls(module)
    known: dict[str, dict[int, int]] = {}
    for fn in module.functions.values():
        if fn.static and fn.name not in calls.addressed and calls.sites[fn.name]:
            found = _same(fn)
            if found:
                known[fn.name] = found
    if not known:
        return False
    for fn in module.functions.values():
        mapping: dict[Value, Value] = {}
        for op in fn.ops():
            if op.row is R.call and 0 in known.get(callee(op), {}):
                mapping[op] = op.args[known[callee(op)][0]]
            elif isinstance(op.attr, Index) and isinstance(op.args[0], Op):
                at = known.get(callee(op.args[0]), {}).get(op.attr.number)
                if at is not None:
                    mapping[op] = op.args[0].args[at]
        _replace(fn, mapping)
        for block in fn.blocks:
            block.ops = [op for op in block.ops if op.row is R.call or op not in mapping]
    for name, results in known.items():
        _drop(module.functions[name], results)
    for fn in module.functions.values():
        for op in fn.ops():
            if op.row is R.call and 0 in known.get(callee(op), {}):
                op.type = I64
    return True


def _same(fn: Function) -> dict[int, int]:
    """Result -> the parameter that it is at every return; for addresses of the caller's frame."""
    ends = [b.terminator for b in fn.blocks if b.terminator.row is R.ret]
    out: dict[int, int] = {}
    for i, kind in enumerate(fn.results):
        answers = {id(end.args[i]): end.args[i] for end in ends}
        if len(answers) == 1 and kind.is_ptr and kind.row.frame:
            (answer,) = answers.values()
            at = next((at for at, param in enumerate(fn.params) if param is answer), None)
            if at is not None:
                out[i] = at
    return out


def _replace(fn: Function, mapping: dict[Value, Value]) -> None:
    """Arguments may be results of calls themselves."""
    final: dict[Value, Value] = {}
    for value in mapping:
        last = value
        while last in mapping:
            last = mapping[last]
        final[value] = last
    if final:
        fn.replace(final)


def _drop(fn: Function, results: dict[int, int]) -> None:
    fn.results = tuple(I64 if i in results else kind for i, kind in enumerate(fn.results))
    for block in fn.blocks:
        end = block.terminator
        if end.row is R.ret:
            end.args = [Const(0) if i in results else arg for i, arg in enumerate(end.args)]
