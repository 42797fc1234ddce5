"""Whether a function is legal IR. Every pass takes and leaves functions that satisfy this:

 1. A function has a block; block names are unique; no edge leads to the entry block.
 2. A block ends with a terminator and has none before. `jump` has one edge, `br` two, others none.
 3. An edge leads to a block of the function and carries one argument per parameter, of the parameter's type.
    A Const may stand for a pointer (0 is null); any pointer may flow into `ptr.arg`, and one that is not null into the
    nullable type.
 4. An op stands in one place; so does a parameter.
 5. Operands are as many and of the kinds that the table says; none is void. Where a pointer is asked for, the
    Const 0 may stand (null, on a path that never runs).
 6. The attribute is of the class that the table says, its numbers in range; `rmw` has a result only if it fetches.
 7. The result type is the table's: i64, void, the first operand's (or ptr.arg), or for "any" one that the op can give.
 8. A value is defined before it is used: earlier in the same block, or in a block that dominates the use.
    (Blocks that cannot be reached are exempt.)
 9. `alloca` stands in the entry block only.
10. No load, store or rmw goes through a pointer whose region has no access, or that may be null; nothing is added to
    such a pointer either. `nonnull` gives its operand's region, not null.
11. `ret` has an operand for each result, of its type. Helpers and kfuncs take at most five arguments.
12. With a module: `call` and `funcaddr` name a function of it; a call has its parameters' and its first result's types
    (of a caught one: the flag's), or none if nobody looks; `result` is of a call in its block that has that many,
    and of that one's type.
13. With a module: what runs by its address (callbacks) and global functions neither abort nor call, uncaught, what does.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from ..errors import InternalError
from .cfg import Cfg
from .calls import Calls
from .function import Block, Const, Function, Module, Op, Param, Value
from .ops import TABLE, CoreConst, Data, Helper, Index, Kfunc, Limit, Mem, Rmw, Slot, Symbol
from .text import print_function, print_op
from .types import I64, VOID, Type

Finding = tuple[str, str]  # where, what

_EDGES: Final = {"jump": 1, "br": 2, "may": 2}
_ARITHMETIC: Final = {row: len(row.args) for row in TABLE.values() if row.evaluate is not None and not row.same and row.attr is None
                      and set(row.args) <= {"i", "a"} and row.result == "i64"}  # row -> number of operands
_RMW: Final = {"add": 1, "or": 1, "and": 1, "xor": 1, "xchg": 1, "cmpxchg": 2}


def check(unit: Function | Module, where: str, only: Container[str] | None = None) -> None:
    """Raise InternalError, with the printed function, if `unit` is not legal. `where` names who made it; `only`: which
    functions of a module are looked at."""
    module = unit if isinstance(unit, Module) else None
    for fn in unit.functions.values() if isinstance(unit, Module) else [unit]:
        if only is not None and fn.name not in only:
            continue
        findings = verify(fn, module)
        if findings:
            raise InternalError(where, "; ".join(f"{at}: {what}" for at, what in findings), print_function(fn))
    for at, what in aborts(module) if module is not None else ():
        raise InternalError(where, f"{at} {what}")


def aborts(module: Module) -> Iterator[Finding]:
    """What rule 13 finds wrong."""
    calls = Calls(module)
    for name in calls.aborting:
        fn = module.functions[name]
        if fn.default is None and (name in calls.addressed or not fn.static):
            yield f"@{name}", f"aborts where nobody can tell: it is {'a callback' if fn.static else 'global'}"


def verify(fn: Function, module: Module | None = None) -> list[Finding]:
    """What is wrong with `fn`, as (where, what); [] if it is legal."""
    if not fn.blocks:
        return [(f"@{fn.name}", "has no block")]
    findings = list(_structure(fn))
    if findings:
        return findings  # the rest would stumble
    for block in fn.blocks:
        for op in block.ops:
            if op.type is I64 and len(op.args) == _ARITHMETIC.get(op.row) and op.attr is None and not op.edges and all(a.type is I64 for a in op.args):
                continue  # most are like this, and nothing else is asked of them
            for what in _op(fn, block, op, module):
                findings.append((f"{block.name}: {print_op(fn, op)}", what))
    findings += _dominance(fn)
    return findings


def _structure(fn: Function) -> Iterator[Finding]:
    blocks = set(fn.blocks)
    if len({b.name for b in fn.blocks}) != len(fn.blocks) or len(blocks) != len(fn.blocks):
        yield f"@{fn.name}", "block names are not unique"
    seen: set[Value] = set()
    for block in fn.blocks:
        for value in (*block.params, *block.ops):
            if value in seen:
                yield block.name, "a value stands in two places"
            seen.add(value)
        if not block.ops or not block.terminator.row.terminator:
            yield block.name, "does not end with a terminator"
            continue
        for op in block.ops[:-1]:
            if op.row.terminator:
                yield block.name, f"{op.row.name} before the end"
        for op in block.ops:
            if len(op.edges) != _EDGES.get(op.row.name, 0):
                yield block.name, f"{op.row.name} with {len(op.edges)} edges"
            for edge in op.edges:
                if edge.block not in blocks:
                    yield block.name, f"an edge to {edge.block.name}, which is not in the function"
                if edge.block is fn.entry:
                    yield block.name, "an edge to the entry block"


def _fits(value: Value, wanted: Type) -> bool:
    if value.type is wanted:
        return True
    if wanted.is_ptr and isinstance(value, Const):
        return True
    if not value.type.is_ptr or (value.type.null and not wanted.null):
        return False
    return wanted.region == "arg" or value.type.row is wanted.row


def _op(fn: Function, block: Block, op: Op, module: Module | None) -> Iterator[str]:
    yield from _operands(op)
    for edge in op.edges:
        if len(edge.args) != len(edge.block.params):
            yield f"{len(edge.args)} arguments for the {len(edge.block.params)} parameters of {edge.block.name}"
        for arg, param in zip(edge.args, edge.block.params):
            if not _fits(arg, param.type):
                yield f"an argument of type {arg.type} for a parameter of {edge.block.name} of type {param.type}"
    if (op.row.attr is None) != (op.attr is None) or (op.row.attr and not isinstance(op.attr, op.row.attr)):
        yield f"attribute {op.attr!r}"
    else:
        yield from _attribute(op)
        yield from _result(op)
    match op.row.name:
        case "alloca" if block is not fn.entry:
            yield "alloca outside the entry block"
        case "load" | "store" | "rmw" if (t := op.args[0].type).is_ptr and (t.null or not t.row.access):
            yield f"access through {t}"
        case "ptradd" | "ptrdiff" if any(a.type.null for a in op.args):
            yield "arithmetic with a pointer that may be null"
        case "ret" if len(op.args) != len(fn.results) or not all(map(_fits, op.args, fn.results)):
            yield f"the function returns {', '.join(map(str, fn.results)) or 'nothing'}"
        case "result" if not (isinstance(op.args[0], Op) and op.args[0].row.name == "call" and op.args[0] in block.ops):
            yield "not of a call in the same block"
        case "helper" | "kfunc" if len(op.args) > 5:
            yield "more than five arguments"
        case _:
            pass
    if module is not None:
        yield from _linked(op, module)


def _linked(op: Op, module: Module) -> Iterator[str]:
    """Calls, their results and addresses of functions, against what they name."""
    call = op.args[0] if isinstance(op.attr, Index) else op
    if not isinstance(call, Op) or call.row.name not in ("call", "funcaddr") or not isinstance(call.attr, Symbol):
        return
    callee = module.functions.get(call.attr.name)
    if callee is None:
        yield f"there is no function @{call.attr.name}"
        return
    types = (I64, *callee.results) if call.attr.caught else callee.results
    if isinstance(op.attr, Index):
        if not 1 <= op.attr.number < len(types) or op.type is not types[op.attr.number]:
            yield f"@{callee.name} has no result {op.attr.number} of type {op.type}"
    elif op.row.name == "call":
        if len(callee.params) != len(op.args):
            yield f"@{callee.name} takes {len(callee.params)} arguments"
        elif wrong := [p for a, p in zip(op.args, callee.params) if not _fits(a, p.type)]:
            yield f"an argument for a parameter of @{callee.name} of type {wrong[0].type}"
        if op.type is not VOID and op.type is not (types[0] if types else VOID):
            yield f"a call of @{callee.name} gives {types[0] if types else VOID}"


def _operands(op: Op) -> Iterator[str]:
    letters = op.row.args
    if letters.endswith("*"):
        letters = letters[:-1]
        if len(op.args) < len(letters):
            yield f"needs at least {len(letters)} operands"
        letters += "a" * (len(op.args) - len(letters))
    elif len(op.args) != len(letters):
        yield f"needs {len(letters)} operands"
    for letter, arg in zip(letters, op.args):
        if arg.type is VOID:
            yield "an operand without a value"
        elif letter == "i" and arg.type is not I64:
            yield f"an operand of type {arg.type} where an integer is needed"
        elif letter == "p" and not (arg.type.is_ptr or (isinstance(arg, Const) and arg.value == 0)):
            yield f"an operand of type {arg.type} where a pointer is needed"


def _attribute(op: Op) -> Iterator[str]:
    match op.attr:
        case Mem(size, _, sext):
            if size not in (1, 2, 4, 8) or (sext and (size == 8 or op.row.name == "store")):
                yield f"bad access {op.attr}"
        case Rmw(kind, size):
            if kind not in _RMW or size not in (4, 8):
                yield f"bad access {op.attr}"
            elif len(op.args) != 1 + _RMW[kind]:
                yield f"{kind} takes {_RMW[kind]} operands after the pointer"
        case Slot(size, align):
            if size <= 0 or align not in (1, 2, 4, 8):
                yield f"bad slot {op.attr}"
        case Limit(limit):
            if not 0 < limit < 1 << 63:
                yield f"bad limit {limit}"
        case CoreConst() | Data() | Helper() | Index() | Kfunc() | Symbol() | None:
            pass


def _result(op: Op) -> Iterator[str]:
    row, t = op.row, op.type
    if (row.result == "i64" and t is not I64) or (row.result == "void" and t is not VOID):
        yield f"result of type {t}, not {row.result}"
    elif row.result == "first" and not (t.is_ptr and _fits(op.args[0], t)):
        yield f"result of type {t}, not that of its first operand"
    elif row.result == "any":
        fetches = isinstance(op.attr, Rmw) and (op.attr.fetch or op.attr.op in ("xchg", "cmpxchg"))
        if row.name == "rmw":
            right = (t is not VOID) == fetches
        elif row.effect == "call":
            right = True
        elif row.name in ("alloca", "mapaddr", "dataaddr", "funcaddr"):
            right = t.is_ptr
        elif row.name == "nonnull":
            right = t.is_ptr and not t.null and op.args[0].type.row in (t.row, I64.row)
        elif row.name == "select":
            right = all(_fits(a, t) for a in op.args[1:])
        else:
            right = t is not VOID
        if not right:
            yield f"cannot give a result of type {t}"


def _dominance(fn: Function) -> Iterator[Finding]:
    cfg = Cfg(fn)
    home: dict[Value, Block] = {}
    for block in fn.blocks:
        for value in (*block.params, *block.ops):
            home[value] = block
    for block in cfg.order:
        seen: set[Value] = set(block.params)
        for op in block.ops:
            for arg in (*op.args, *(a for e in op.edges for a in e.args)):
                if isinstance(arg, Const) or arg in seen:
                    continue
                if not isinstance(arg, (Op, Param)) or arg not in home:
                    yield f"{block.name}: {print_op(fn, op)}", "an operand that is not in the function"
                    continue
                at = home[arg]
                if at is block or not cfg.reachable(at) or not cfg.dominates(at, block):
                    yield f"{block.name}: {print_op(fn, op)}", f"{_name(arg)} is not defined on every way here"
            seen.add(op)


def _name(value: Op | Param) -> str:
    return f"a value of {value.row.name}" if isinstance(value, Op) else f"parameter {value.name or '(unnamed)'}"
