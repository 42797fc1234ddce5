"""Calls as BPF can make them: at most five arguments, one result. What is over goes through a block in the caller's frame.

    %a = call @f(%1, %2, %3, %4, %5, %6)          store.u64 %more, %5
    %b = result %a, 1                             store.u64 %more + 8, %6
                                          ==>     %a = call @f(%1, %2, %3, %4, %more)
                                                  %b = load.u64 %more

The kernel's verifier follows what is stored in a frame, pointers too, from the caller into the callee and back; only the
address of a slot may not be returned, so functions that do are inlined before. The callee reads its arguments first, so
results may take their places. A result that no caller looks at is not passed. Aborts are flags by now (`aborts`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import InternalError
from ..ir.calls import Calls, callee
from ..ir.function import Function, Module, Op, Param, Value
from ..ir.ops import Index, Mem, Slot
from ..ir.text import print_function
from ..ir.types import PTR, VOID
from .rows import R

REGISTERS: Final = 5  # arguments that a call can pass
WORD: Final = 8


class _Plan(NamedTuple):
    """How a function is called: how many arguments in registers, the block's words for the others, and for results."""

    kept: int
    args: int
    results: dict[int, int]  # result -> word of the block

    @property
    def words(self) -> int:
        return max(self.args, len(self.results))


def abi(module: Module) -> bool:
    """Make all functions and calls of `module` legal for BPF."""
    calls = Calls(module)
    used = _used_results(module)
    plans: dict[str, _Plan] = {}
    for fn in module.functions.values():
        plan = _plan(fn, used.get(fn.name, set()))
        if calls.sites[fn.name]:
            _check(fn, calls, plan)
        if plan.words or len(fn.results) > 1:
            plans[fn.name] = plan
    for fn in module.functions.values():
        _callers(fn, plans)
        if fn.name in plans:
            _callee(fn, plans[fn.name])
    return bool(plans)


def _plan(fn: Function, used: set[int]) -> _Plan:
    results = {index: word for word, index in enumerate(sorted(used))}
    count = len(fn.params)
    kept = count if count <= REGISTERS - bool(results) else REGISTERS - 1
    return _Plan(kept, count - kept, results)


def _check(fn: Function, calls: Calls, plan: _Plan) -> None:
    """What no legaliser can do."""
    if fn.result.is_ptr and fn.result.row.frame:
        raise InternalError("abi", f"@{fn.name} returns a stack address and was not inlined", print_function(fn))
    if (plan.words or len(fn.results) > 1) and (fn.name in calls.addressed or not fn.static):
        raise InternalError("abi", f"the kernel calls or checks @{fn.name} by itself: five arguments, one result", print_function(fn))


def _used_results(module: Module) -> dict[str, set[int]]:
    """Function -> its further results that some caller uses."""
    used: dict[str, set[int]] = {}
    for fn in module.functions.values():
        for op in fn.ops():
            if isinstance(op.attr, Index):
                assert isinstance(op.args[0], Op)
                used.setdefault(callee(op.args[0]), set()).add(op.attr.number)
    return used


def _block(fn: Function, words: int) -> Op:
    slot = Op(R.alloca, (), PTR["stack"], Slot(WORD * words), span=fn.span, name="more")
    fn.entry.ops.insert(0, slot)
    return slot


def _store(pointer: Value, word: int, value: Value, op: Op) -> Op:
    return Op(R.store, [pointer, value], VOID, Mem(WORD, WORD * word), span=op.span)


def _callers(fn: Function, plans: dict[str, _Plan]) -> None:
    """The calls in `fn`."""
    sites = [plans[callee(op)] for op in fn.ops() if op.row is R.call and callee(op) in plans]
    words = max((plan.words for plan in sites), default=0)
    if not words:
        return
    block = _block(fn, words)
    mapping: dict[Value, Value] = {}
    results: dict[Value, list[Op]] = {}
    for op in fn.ops():
        if isinstance(op.attr, Index):
            results.setdefault(op.args[0], []).append(op)
    for b in fn.blocks:
        out: list[Op] = []
        for op in b.ops:
            if isinstance(op.attr, Index):
                continue
            if op.row is not R.call or not (plan := plans.get(callee(op))):
                out.append(op)
                continue
            if plan.words:
                out += [_store(block, i, arg, op) for i, arg in enumerate(op.args[plan.kept:])]
                op.args[plan.kept:] = [block]
            out.append(op)
            loads: dict[int, Op] = {}
            for result in results.get(op, ()):
                assert isinstance(result.attr, Index)
                index = result.attr.number
                if index not in loads:
                    loads[index] = Op(R.load, [block], result.type, Mem(WORD, WORD * plan.results[index]), (), result.span, result.name)
                mapping[result] = loads[index]
            out += loads.values()
        b.ops = out
    fn.replace(mapping)


def _callee(fn: Function, plan: _Plan) -> None:
    """`fn` itself."""
    if plan.words:
        block = Param(PTR["stack"], "more")
        over, fn.entry.params = fn.params[plan.kept:], [*fn.params[:plan.kept], block]
        loads: dict[Value, Value] = {p: Op(R.load, [block], p.type, Mem(WORD, WORD * i), span=fn.span, name=p.name) for i, p in enumerate(over)}
        used = fn.uses()
        fn.replace(loads)
        fn.entry.ops[:0] = [load for p, load in loads.items() if p in used and isinstance(load, Op)]
        for b in fn.blocks:
            end = b.terminator
            if end.row is R.ret:
                b.ops[-1:-1] = [_store(block, word, end.args[i], end) for i, word in plan.results.items()]
    fn.results = fn.results[:1]
    for op in fn.ops():
        if op.row is R.ret:
            op.args = op.args[:1]
