"""Aborts become flags: what ends the whole program from inside a subprogram is a result that every caller tests.

    func @f(%x: i64) -> i64 {               func @f(%x: i64) -> (i64, i64) {
    entry:                                  entry:
      br %x, ok, bad                          br %x, ok, bad
    bad:                                    bad:
      abort                                   ret 1, 0
    ok:                                     ok:
      ret %x                       ==>        ret 0, %x
    func @entry(%c: ptr.ctx) default=2      func @entry(%c: ptr.ctx) default=2
      %n = call @f(5)                         %a = call @f(5)
      ret %n                                  br %a, aborted, back
                                            aborted:
                                              ret 2
                                            back:
                                              %n = result %a, 1
                                              ret %n

Runs after inlining, so only what stays a subprogram pays. Afterwards there is no `abort` and no caught call.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from ..ir.calls import Calls, callee
from ..ir.function import Block, Const, Edge, Function, Module, Op, Value
from ..ir.ops import Index, Symbol
from ..ir.types import I64, VOID
from .rows import R


def aborts(module: Module) -> bool:
    """Lower every `abort` and caught call of `module`."""
    calls = Calls(module)
    changed = False
    for fn in module.functions.values():
        changed |= _drop_flags(fn, module, calls.aborting)
    for fn in module.functions.values():
        if fn.name in calls.aborting:
            _test_calls(fn, calls.aborting)
    for fn in module.functions.values():
        changed |= _plain(fn, flagged=fn.name in calls.aborting and bool(calls.sites[fn.name]))
    return changed


def _drop_flags(fn: Function, module: Module, aborting: Container[str]) -> bool:
    """Caught calls of functions that do not abort are plain ones, their flag is 0."""
    swap: dict[Value, Op] = {}
    mapping: dict[Value, Value] = {}
    for block in fn.blocks:
        for i, op in enumerate(block.ops):
            if caught(op) and callee(op) not in aborting:
                name = callee(op)
                swap[op] = block.ops[i] = Op(R.call, op.args, module.functions[name].result, Symbol(name), (), op.span, op.name)
                mapping[op] = Const(0)
    shift_results(fn.blocks, swap, -1, mapping)
    fn.replace(mapping)
    return bool(swap)


def _test_calls(fn: Function, aborting: Container[str]) -> None:
    """Calls that may abort, and are not caught, abort `fn` too."""
    taken = {b.name for b in fn.blocks}
    bail = Block(fresh("aborted", taken))
    blocks, mapping = catch(fn.blocks, lambda op: callee(op) in aborting, lambda op: Edge(bail), taken)
    if len(blocks) > len(fn.blocks):
        bail.ops.append(Op(R.abort, (), VOID, None, (), fn.span))
        fn.blocks = [*blocks, bail]
        fn.replace(mapping)


def _plain(fn: Function, flagged: bool) -> bool:
    """No `abort` and no caught call is left in `fn`; if `flagged`, it returns whether it aborted."""
    changed = flagged
    if flagged:
        fn.results = (I64, *fn.results)
    for op in fn.ops():
        if op.row is R.abort:
            op.row = R.ret
            op.args = [Const(0) for _ in fn.results]
            op.args[:1] = [Const(1 if flagged else fn.default or 0)][:len(fn.results)]
            changed = True
        elif op.row is R.ret and flagged:
            op.args = [Const(0), *op.args]
        elif caught(op):
            op.attr = Symbol(callee(op))
            changed = True
    return changed


def caught(op: Op) -> bool:
    return op.row is R.call and isinstance(op.attr, Symbol) and op.attr.caught


def fresh(stem: str, taken: set[str]) -> str:
    """A block name that is not in `taken`, where it then is."""
    name, n = stem, 0
    while name in taken:
        n += 1
        name = f"{stem}.{n}"
    taken.add(name)
    return name


def catch(blocks: Iterable[Block], wanted: Callable[[Op], bool], bail: Callable[[Op], Edge],
          taken: set[str]) -> tuple[list[Block], dict[Value, Value]]:
    """Uncaught calls that are `wanted` are caught and tested: `bail` says where to go if one aborted. The blocks, and what
    stands for the old calls."""
    out: list[Block] = []
    swap: dict[Value, Op] = {}
    mapping: dict[Value, Value] = {}
    for block in blocks:
        out.append(block)
        ops, block.ops = block.ops, []
        for op in ops:
            if op.row is R.result and op.args[0] in swap:
                continue  # is put behind its call
            if op.row is not R.call or caught(op) or not wanted(op):
                block.ops.append(op)
                continue
            call = swap[op] = Op(R.call, op.args, I64, Symbol(callee(op), True), (), op.span)
            block.ops.append(call)
            if op.type is not VOID:
                first = mapping[op] = Op(R.result, [call], op.type, Index(1), (), op.span, op.name)
                block.ops.append(first)
            block.ops += [r for r in ops if r.row is R.result and r.args[0] is op]
            back = Block(fresh("back", taken))
            block.ops.append(Op(R.br, [call], VOID, None, [bail(call), Edge(back)], op.span))
            block = back
            out.append(block)
    shift_results(out, swap, 1, mapping)
    return out, mapping


def shift_results(blocks: Iterable[Block], swap: dict[Value, Op], by: int, mapping: dict[Value, Value]) -> None:
    """`result` ops of the calls `swap` become those of what they are swapped for, with an index that differs `by`; index 0
    is the call itself, which goes into `mapping`."""
    if not swap:
        return
    for block in blocks:
        gone = False
        for op in block.ops:
            call = swap.get(op.args[0]) if isinstance(op.attr, Index) else None
            if call is None:
                continue
            assert isinstance(op.attr, Index)
            op.attr = Index(op.attr.number + by)
            if op.attr.number:
                op.args[0] = call
            else:
                mapping[op] = call
                gone = True
        if gone:
            block.ops = [op for op in block.ops if not (isinstance(op.attr, Index) and op.attr.number == 0)]
