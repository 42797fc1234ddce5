"""Bodies in place of calls.

    %1 = call @double(%x)               %1 = add %x, %x
    ret %1                       ==>    ret %1

`inline` "always" is obeyed; "auto" is inlined when it is small or called once; "never" stays a BPF subprogram; a
function that calls itself, however indirectly, is never inlined. Functions that were inlined everywhere go away.
Slots of the callee become slots of the caller.
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Block, Edge, Function, Module, Op, Param, Value
from ..ir.ops import Symbol
from ..ir.types import PTR, VOID
from .cfgclean import incoming
from .clone import clone, unique_names
from .rows import R

SMALL: Final = 40  # ops of a body that is copied to several places
REGISTERS: Final = 5  # arguments that a BPF call can pass


def inline(module: Module) -> bool:
    """Inline all over `module`, callees first."""
    order, recursive = _bottom_up(module)
    calls = _count(module)
    changed = False
    for fn in order:
        again = True
        done: set[Block] = set()
        slots: dict[Op, Op] = {}
        while again:
            again = False
            for block in fn.blocks:
                if block in done:
                    continue
                at = next((i for i, op in enumerate(block.ops) if op.row is R.call and _wanted(module, op, calls, recursive)), None)
                if at is None:
                    done.add(block)
                    continue
                _expand(fn, block, at, module.functions[_name(block.ops[at])], slots)
                changed = again = True
                break
        if changed:
            refine(fn)
    left = _count(module)
    for fn in list(module.functions.values()):
        if fn.inline != "never" and fn.static and not left.get(fn.name):
            del module.functions[fn.name]
            changed = True
    return changed


def _name(op: Op) -> str:
    assert isinstance(op.attr, Symbol)
    return op.attr.name


def _count(module: Module) -> dict[str, int]:
    """How often each function is called; having its address taken counts twice, so that it stays."""
    count: dict[str, int] = {}
    for fn in module.functions.values():
        for op in fn.ops():
            if op.row is R.call or op.row is R.funcaddr:
                count[_name(op)] = count.get(_name(op), 0) + (1 if op.row is R.call else 2)
    return count


def _bottom_up(module: Module) -> tuple[list[Function], set[str]]:
    """Callees before callers; and the names of functions that are on a cycle of calls."""
    callees = {f.name: [_name(op) for op in f.ops() if op.row is R.call and _name(op) in module.functions]
               for f in module.functions.values()}
    order: list[Function] = []
    state: dict[str, int] = {}  # 1 on the stack, 2 done
    recursive: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        state[name] = 1
        for callee in callees[name]:
            if state.get(callee) == 1:
                recursive.update([*path, name][[*path, name].index(callee):])
            elif callee not in state:
                visit(callee, [*path, name])
        state[name] = 2
        order.append(module.functions[name])

    for name in callees:
        if name not in state:
            visit(name, [])
    return order, recursive


def _wanted(module: Module, op: Op, calls: dict[str, int], recursive: set[str]) -> bool:
    callee = module.functions.get(_name(op))
    if callee is None or callee.name in recursive or callee.inline == "never":
        return False
    if callee.inline == "always" or calls.get(callee.name) == 1 or len(op.args) > REGISTERS:
        return True
    return sum(1 for _ in callee.ops()) <= SMALL


def _expand(fn: Function, block: Block, at: int, callee: Function, shared: dict[Op, Op]) -> None:
    """Put the body of `callee` in place of the call that is op `at` of `block`. `shared`: the callee's slots -> those
    that stand for them in `fn`; calls of one function never run at the same time, so one set serves all of them."""
    call = block.ops[at]
    values: dict[Value, Value] = dict(zip(callee.params, call.args))
    taken = {b.name for b in fn.blocks}
    copies = clone(callee.blocks, values, unique_names(fn, callee.blocks, callee.name, taken))
    rest = Block(unique_names(fn, [block], "after", taken)[block])
    rest.ops, block.ops = block.ops[at + 1:], block.ops[:at]
    result: Value | None = None
    if call.type is not VOID:
        result = Param(call.type, call.name)
        rest.params.append(result)
    entry = copies[callee.entry]
    slots: dict[Value, Value] = {}
    for op in callee.entry.ops:
        copy = values[op]
        if op.row is R.alloca and isinstance(copy, Op):
            if op not in shared:
                shared[op] = copy
                fn.entry.ops.insert(0, copy)
            slots[copy] = shared[op]
    entry.ops = [op for op in entry.ops if op.row is not R.alloca]
    block.ops.append(Op(R.jump, (), VOID, None, [Edge(entry)], call.span))
    for body in copies.values():
        end = body.terminator
        if end.row is R.ret:
            end.edges = [Edge(rest, end.args if result is not None else ())]
            end.row, end.args = R.jump, []
    where = fn.blocks.index(block) + 1
    fn.blocks[where:where] = [*copies.values(), rest]
    if result is not None:
        slots[call] = result
    fn.replace({v: w for v, w in slots.items() if v is not w})


def refine(fn: Function) -> None:
    """Where only pointers of one region flow into a `ptr.arg`, that is what it points to."""
    arg = PTR["arg"]
    again = True
    while again:
        again = False
        into = incoming(fn)
        for block, i, param in [(b, i, p) for b in fn.blocks[1:] for i, p in enumerate(b.params) if p.type is arg]:
            types = {e.args[i].type for _, e in into[block] if e.args[i] is not param and e.args[i].type.is_ptr}
            if len(types) == 1 and arg not in types:
                param.type = types.pop()
                again = True
        for op in fn.ops():
            if op.row is R.ptradd and op.type is arg and op.args[0].type.is_ptr and op.args[0].type is not arg:
                op.type = op.args[0].type
                again = True
