"""Variables to SSA, on the fly: what each variable is on every path, and what happens to it where paths meet.

Python's control flow is structured, so all forward edges into a join are known before it is entered: a variable that is
the same on all of them stays what it is, else it becomes a block parameter. A loop head is entered before its back
edges are known: every variable the body assigns becomes a parameter there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..ir.function import Block, Const, Edge, Op, Param, Value
from ..ir.ops import TABLE
from ..ir.types import I64 as IR_I64
from ..ir.types import VOID
from .arith import constant, fits
from .values import I64, U64, Int, Known, Many, Pointer, Poison, Unclear, Val

if TYPE_CHECKING:
    from .context import Lowering

Env = dict[str, Val]
Facts = frozenset[Value]  # IR values known not to be zero on this path: pointers that were tested


class Arrival(NamedTuple):
    """One edge into a join, with what the variables were there. The jump (or branch) is the last op of `source`."""

    source: Block
    edge: Edge
    env: Env
    facts: Facts


class Join:
    """A place where paths meet; `enter` it once all of them are known."""

    __slots__ = ("block", "arrivals")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.arrivals: list[Arrival] = []


class Retry(Exception):
    """A loop variable turned out to need another type: compile the function again knowing it."""


def goto(f: Lowering, join: Join) -> None:
    """End this path with a jump to `join`."""
    if f.b.block is not None:
        edge = Edge(join.block)
        join.arrivals.append(Arrival(f.b.block, edge, dict(f.env), f.facts))
        f.b.block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), f.b.span))
        f.b.block = None


def branch(f: Lowering, cond: Value, yes: Join, no: Join, present: Value | None = None) -> None:
    """End this path: to `yes` if `cond` is not 0, where `present` (a pointer's test) is then known to hold."""
    if isinstance(cond, Const):
        goto(f, yes if cond.value else no)
        return
    if f.b.block is None:
        return
    then, other = Edge(yes.block), Edge(no.block)
    facts = f.facts | {cond} | ({present} if present is not None else set())
    yes.arrivals.append(Arrival(f.b.block, then, dict(f.env), facts))
    no.arrivals.append(Arrival(f.b.block, other, dict(f.env), f.facts))
    f.b.block.ops.append(Op(TABLE["br"], (cond,), VOID, None, (then, other), f.b.span))
    f.b.block = None


def enter(f: Lowering, join: Join) -> None:
    """Continue at `join`, with the variables merged; code after a join nobody reaches is dropped."""
    if not join.arrivals:
        f.b.block = None
        return
    arrivals = join.arrivals
    first = arrivals[0]
    f.b.place(join.block)
    if len(arrivals) == 1:
        f.env, f.facts = dict(first.env), first.facts
        return
    f.facts = frozenset.intersection(*(a.facts for a in arrivals))
    env: Env = {}
    for name in dict.fromkeys(n for a in arrivals for n in a.env):
        values = [a.env.get(name) for a in arrivals]
        env[name] = _merge(f, join, name, values)
    f.env = env


def _merge(f: Lowering, join: Join, name: str, values: list[Val | None]) -> Val:
    first = values[0]
    if any(v is None for v in values):
        known = next((v for v in values if isinstance(v, Unclear)), None)
        return known or Unclear("unassigned", f"{name!r} is not assigned on every path to here",
                                "give it a value before the branch")
    vals = [v for v in values if v is not None]
    if all(v is first or _same(v, first) for v in vals):
        return first  # type: ignore[return-value]  # not None: checked above
    for v in vals:
        if isinstance(v, Poison | Unclear):
            return v
    if all(_is_number(v) for v in vals):
        return _merge_ints(f, join, name, vals)
    if all(isinstance(v, Pointer) or v == Known(None) for v in vals):
        return _merge_pointers(f, join, name, vals)
    if all(isinstance(v, Many) for v in vals) and len({len(v.items) for v in vals if isinstance(v, Many)}) == 1:
        columns = zip(*(v.items for v in vals if isinstance(v, Many)))
        return Many(tuple(_merge(f, join, name, list(column)) for column in columns))
    return Unclear("type-conflict", f"{name!r} is one kind of thing on one path and another on the other",
                   "use two variables")


def _is_number(value: Val) -> bool:
    return isinstance(value, Int) or isinstance(value, Known) and isinstance(value.value, int)


def _same(a: Val, b: Val | None) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, Known) and isinstance(b, Known):
        return a.value is b.value or type(a.value) is type(b.value) and bool(a.value == b.value)
    if isinstance(a, Int) and isinstance(b, Int):
        return a == b
    if isinstance(a, Pointer) and isinstance(b, Pointer):
        return a.ir is b.ir and a.target == b.target and a.present is b.present
    if isinstance(a, Many) and isinstance(b, Many):
        return len(a.items) == len(b.items) and all(_same(x, y) for x, y in zip(a.items, b.items))
    return a == b


def _merge_ints(f: Lowering, join: Join, name: str, vals: list[Val]) -> Val:
    ints = [v if isinstance(v, Int) else constant(v.value) for v in vals if isinstance(v, Int | Known)]
    types = {i.type for i in ints if not isinstance(i.ir, Const)}
    lo, hi = min(i.lo for i in ints), max(i.hi for i in ints)
    if len(types) == 1 and fits((lo, hi), next(iter(types))):
        type = types.pop()
    elif fits((lo, hi), I64):
        type = I64
    elif fits((lo, hi), U64):
        type = U64
    else:
        return Unclear("mixed-sign", f"{name!r} is a u64 on one path and maybe negative on another",
                       "annotate the variable, or cast one side: 'u64(x)' or 'i64(x)'")
    param = Param(IR_I64, name)
    _pass(join, param, [i.ir for i in ints])
    return Int(param, type, lo, hi)


def _merge_pointers(f: Lowering, join: Join, name: str, vals: list[Val]) -> Val:
    pointers = [v for v in vals if isinstance(v, Pointer)]
    first = pointers[0]
    if len({p.ir.type for p in pointers}) > 1 or len({p.access for p in pointers}) > 1:
        return Unclear("type-conflict", f"{name!r} points into different kinds of memory on different paths",
                       "use two variables")
    tests: list[Value] = []
    for arrival, v in zip(join.arrivals, vals):
        if not isinstance(v, Pointer):
            tests.append(Const(0))
        else:
            tests.append(Const(1) if v.present is None or v.present in arrival.facts else v.present)
    param = Param(first.ir.type, name)
    _pass(join, param, [v.ir if isinstance(v, Pointer) else Const(0) for v in vals])
    present: Value | None = None
    if any(not isinstance(t, Const) and not _is_null_test(t, v) for t, v in zip(tests, vals)):
        present = Param(IR_I64, f"{name}?")  # the test is not one for 0: bring its answer along
        _pass(join, present, tests)
    elif not all(isinstance(t, Const) and t.value for t in tests):
        present = f.op("ne", param, 0)
    target = first.target if all(p.target == first.target for p in pointers) else None  # still good for a test
    why = next((p.why for p in pointers if p.why), "it is None on one of the paths to here")
    return first._replace(ir=param, target=target, present=present, why=why,
                          writable=all(p.writable for p in pointers))


def _is_null_test(test: Value, pointer: Val) -> bool:
    """Does the test hold just when the pointer is not 0?"""
    return (isinstance(test, Op) and test.row.name == "ne" and isinstance(pointer, Pointer) and test.args[0] is pointer.ir
            and isinstance(test.args[1], Const) and test.args[1].value == 0)


def _null_if_absent(f: Lowering, pointer: Pointer) -> Value:
    """The pointer, or 0 where its test fails: what a loop's parameter can carry."""
    test = pointer.present or Const(1)
    return pointer.ir if _is_null_test(test, pointer) else f.select(test, pointer.ir, Const(0))


def _pass(join: Join, param: Param, args: list[Value]) -> None:
    join.block.params.append(param)
    for arrival, arg in zip(join.arrivals, args):
        arrival.edge.args.append(arg)


# --- loops -----------------------------------------------------------------------------------------------------------


class Loop:
    """A loop being compiled: its head with one parameter per variable the body assigns, and where `break` goes."""

    __slots__ = ("head", "params", "env", "again", "done", "key")

    def __init__(self, head: Block, params: dict[str, Param], env: Env, again: Join, done: Join, key: int) -> None:
        self.head, self.params, self.env, self.again, self.done, self.key = head, params, env, again, done, key


def open_loop(f: Lowering, key: int, assigned: set[str]) -> Loop:
    """Enter the head of a loop whose body assigns `assigned`. `key` names the loop across retries."""
    head = f.b.new_block("loop")
    edge = Edge(head)
    params: dict[str, Param] = {}
    env = dict(f.env)
    for name, value in f.env.items():
        if name in assigned or name.startswith("$"):
            new = _loop_value(f, key, name, value, edge)
            if new is not value and isinstance(new, Int | Pointer) and isinstance(new.ir, Param):
                params[name] = new.ir
                head.params.append(new.ir)
            env[name] = new
    block = f.b.block
    assert block is not None
    block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), f.b.span))
    f.b.place(head)
    f.env = env
    for name, new in list(f.env.items()):
        if isinstance(new, Pointer) and name in params and f.unit.forced.get((key, name)) == "null":
            f.env[name] = new._replace(present=f.op("ne", new.ir, 0), why=new.why or "it is None on one of the paths")
    return Loop(head, params, dict(f.env), Join(f.b.new_block("again")), Join(f.b.new_block("done")), key)


def _loop_value(f: Lowering, key: int, name: str, value: Val, edge: Edge) -> Val:
    if f.unit.forced.get((key, name)) == "unclear":
        return Unclear("type-conflict", f"{name!r} is another kind of thing when the loop comes round", "use two variables")
    if _is_number(value):
        number = value if isinstance(value, Int) else constant(value.value)  # type: ignore[union-attr]
        declared = f.declared_int(name)
        type = declared or (U64 if f.unit.forced.get((key, name)) == "u64" or number.hi > I64.hi else I64)
        if type is U64 and number.lo < 0:
            raise f.error("mixed-sign", f"{name!r} starts maybe negative and becomes a u64 in the loop", f.node,
                          help=f"annotate it ('{name}: i64 = …'), or cast what is assigned")
        param = Param(IR_I64, name)
        edge.args.append(number.ir)
        return Int(param, type, type.lo, type.hi)
    if isinstance(value, Pointer):
        param = Param(value.ir.type, name)
        null = f.unit.forced.get((key, name)) == "null"
        if value.present is not None and value.present not in f.facts:
            if not null:
                raise _forced(f, (key, name), "null")
            edge.args.append(_null_if_absent(f, value))
        else:
            edge.args.append(value.ir)
        return value._replace(ir=param, present=None)
    return value  # a constant, a tuple, a place: `close_loop` sees to it that the body leaves it alone


def close_loop(f: Lowering, loop: Loop) -> None:
    """All paths that go round again -> the back edge, which must bring what the head expects."""
    enter(f, loop.again)
    block = f.b.block
    if block is None:
        return
    edge = Edge(loop.head)
    for name, value in loop.env.items():
        if name in loop.params:
            edge.args.append(_coming_round(f, loop, name, loop.params[name]))
        elif not isinstance(value, Unclear) and not _same(value, f.env.get(name)):
            raise _changed(f, (loop.key, name))
    block = f.b.block
    assert block is not None
    block.ops.append(Op(TABLE["jump"], (), VOID, None, (edge,), f.b.span))
    f.b.block = None


def _coming_round(f: Lowering, loop: Loop, name: str, param: Param) -> Value:
    value = f.env[name]
    key = (loop.key, name)
    if param.type is IR_I64 and _is_number(value):
        number = value if isinstance(value, Int) else constant(value.value)  # type: ignore[union-attr]
        declared = f.declared_int(name)
        if declared:
            return number.ir
        head = loop.env[name]
        if isinstance(head, Int) and head.type is U64:
            if number.lo < 0:
                raise f.error("mixed-sign", f"{name!r} is a u64 that the loop makes maybe negative", f.node,
                              help=f"annotate it ('{name}: i64 = …'), or cast what is assigned: 'u64(…)'")
            return number.ir
        if not fits((number.lo, number.hi), I64):
            raise _forced(f, key, "u64")
        return number.ir
    if isinstance(value, Pointer) and value.ir.type is param.type:
        if value.present is not None and value.present not in f.facts:
            if f.unit.forced.get(key) != "null":
                raise _forced(f, key, "null")
            return _null_if_absent(f, value)
        return value.ir
    if value == Known(None) and param.type is not IR_I64:
        if f.unit.forced.get(key) != "null":
            raise _forced(f, key, "null")
        return Const(0)
    if isinstance(value, Poison):
        return Const(0)
    raise _changed(f, key)


def _changed(f: Lowering, key: tuple[int, str]) -> Retry:
    """The variable is another kind of thing when the loop comes round: an error only if the head's value is used."""
    return _forced(f, key, "unclear")


def _forced(f: Lowering, key: tuple[int, str], what: str) -> Retry:
    """Compile again with the loop variable as `what`; if it was to be something else before, nothing fits it. So each
    variable changes at most twice."""
    f.unit.forced[key] = what if f.unit.forced.get(key, what) == what else "unclear"
    return Retry()
