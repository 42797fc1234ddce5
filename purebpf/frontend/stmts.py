"""Statements: a table from syntax node to the function that lowers it. An error ends its statement, not the function:
several mistakes are reported together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..dsl.maps import RingBuf
from ..errors import CompileError
from ..ir.function import Const
from . import arith, conds, exprs, maps, memory
from .flow import branch, close_loop, enter, goto, open_loop
from .values import Entry, Int, Known, Many, Place, Pointer, Poison, Record, Text, Val, describe

if TYPE_CHECKING:
    from .context import Lowering

Spans = list[ast.stmt]


def body(f: Lowering, statements: Iterable[ast.stmt]) -> None:
    """Lower statements in order; what follows a return is dropped."""
    for node in statements:
        if not f.reachable:
            return
        f.at(node)
        try:
            handler = STMTS.get(type(node))
            if handler is None:
                f.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
            handler(f, node)
        except CompileError as error:
            f.unit.report(error)
            for name in assigned([node]):
                f.env[name] = Poison()


def assigned(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that statements assign, nested functions excepted."""
    names: set[str] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        todo.extend(ast.iter_child_nodes(node))
    return names


# --- assignment --------------------------------------------------------------------------------------------------------------


def _assign(f: Lowering, node: ast.Assign) -> None:
    result = exprs.rvalue(f, node.value)
    f.at(node)
    for target in node.targets:
        assign(f, target, result)


def assign(f: Lowering, target: ast.expr, value: Val) -> None:
    """`target = value`."""
    match target:
        case ast.Name():
            assign_name(f, target, value)
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            items = _unpack(f, value, len(elts), target)
            for element, item in zip(elts, items):
                assign(f, element, item)
        case ast.Attribute() | ast.Subscript():
            _assign_memory(f, target, value)
        case _:
            f.unsupported("this target", target)


def _unpack(f: Lowering, value: Val, count: int, node: ast.AST) -> list[Val]:
    if isinstance(value, Known) and isinstance(value.value, tuple | list):
        value = Many(tuple(Known(v) for v in value.value))
    if isinstance(value, Poison):
        return [value] * count
    if isinstance(value, Place) and isinstance(value.layout, ArrayType) and value.layout.count == count:
        return [memory.load(f, memory.element(f, value, arith.constant(i), node), node) for i in range(count)]
    if not isinstance(value, Many):
        raise f.ir_type_error("a tuple is unpacked here", value, node)
    if len(value.items) != count:
        raise f.error("arguments", f"{len(value.items)} values for {count} names", node)
    return list(value.items)


def assign_name(f: Lowering, target: ast.Name, value: Val) -> None:
    """A variable gets a value; a struct value gets a stack slot; a global is written."""
    name = target.id
    if name in f.frame.globals:
        _assign_memory(f, target, value)
        return
    declared = f.frame.declared.get(name)
    if declared is not None:
        value = convert(f, value, declared, target)
    elif isinstance(value, Record):
        value = memory.materialize(f, value, value.layout, target, name)
    f.env[name] = value


def convert(f: Lowering, value: Val, layout: Layout, node: ast.AST) -> Val:
    """A value as an annotated variable or parameter holds it."""
    if isinstance(value, Poison):
        return value
    if isinstance(layout, IntType):
        if isinstance(value, Pointer) and value.target == layout:
            return value
        return arith.wrap(f, f.integer(value, node), layout)
    if isinstance(layout, PtrType):
        if isinstance(value, Pointer):
            return value._replace(target=layout.target) if value.target is None and layout.target else value
        if value == Known(None):
            return value
        if isinstance(value, Place):
            return Pointer(memory.address(f, value), layout.target or value.layout, access=value.access)
    if isinstance(layout, StructType | ArrayType):
        if isinstance(value, Place) and value.layout == layout:
            return value
        return memory.materialize(f, value, layout, node)
    if value == Known(None) or isinstance(value, Pointer | Place | Text):
        return value
    raise f.ir_type_error(f"a {layout.name} is needed here", value, node)


def _assign_memory(f: Lowering, target: ast.expr, value: Val) -> None:
    place = _target(f, target)
    f.at(target)
    if isinstance(place, Entry):
        maps.set_entry(f, place, value, target)
    elif isinstance(place, Place):
        memory.store(f, place, value, target)


def _target(f: Lowering, target: ast.expr) -> Place | Entry | Poison:
    """What an attribute, a subscript or a global name stands for when it is written."""
    if isinstance(target, ast.Name):
        found, obj = f.frame.source.lookup(target.id)
        if not found or not isinstance(obj, Variable):
            raise f.error("read-only", f"{target.id!r} is no Global: a program cannot assign it", target,
                          help=f"declare it as 'Global[u64](0)', or drop 'global {target.id}'")
        return f.unit.variable_place(f, obj, target.id, write=True, node=target)
    if isinstance(target, ast.Attribute):
        owner = exprs.owner(f, target.value)
        if isinstance(owner, Poison):
            return owner
        place = exprs.place_attribute(f, owner, target.attr, target)
        if place is None:
            exprs.attribute(f, owner, target.attr, target)  # a field that is not there says so itself
            raise f.error("read-only", f"{target.attr!r} of {describe(owner)} cannot be assigned", target)
        return place
    if isinstance(target, ast.Subscript):
        result = exprs.subscript_place(f, target)
        if isinstance(result, Place | Entry | Poison):
            return result
    raise f.error("read-only", "this cannot be assigned", target)


def _ann_assign(f: Lowering, node: ast.AnnAssign) -> None:
    if not isinstance(node.target, ast.Name):
        f.unsupported("an annotation here", node)
    layout = f.unit.annotation(f, node.annotation)
    if layout is not None:
        f.frame.declared[node.target.id] = layout
    if node.value is not None:
        result = exprs.rvalue(f, node.value)
        assign_name(f, node.target, result)
    elif isinstance(layout, StructType | ArrayType):
        f.env[node.target.id] = memory.materialize(f, Record(layout, ()), layout, node, node.target.id) \
            if isinstance(layout, StructType) else _blank(f, layout)


def _blank(f: Lowering, layout: Layout) -> Place:
    place = Place(f.temporary(layout.size, 8), 0, layout)
    memory.zero(f, place, layout.size)
    return place


def _aug_assign(f: Lowering, node: ast.AugAssign) -> None:
    word = arith.WORDS[type(node.op)]
    if isinstance(node.target, ast.Name) and node.target.id not in f.frame.globals:
        old = f.value(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        right = exprs.rvalue(f, node.value)
        f.at(node)
        assign_name(f, node.target, exprs.operate(f, node.op, old, right, node))
        return
    right = exprs.rvalue(f, node.value)
    f.at(node)
    target = _target(f, node.target)
    if isinstance(target, Entry):
        if maps.add_entry(f, target, word, right, node):
            return
        target = memory.deref(f, maps.entry_pointer(f, target, node), node)
    if isinstance(target, Place):
        entry = _entry_behind(f, node.target)
        if entry is not None and isinstance(target.layout, IntType) and not target.bits:
            maps.add_in_place(f, target, word, f.integer(right, node), entry.map.per_cpu, node)
            return
        old = memory.load(f, target, node)
        memory.store(f, target, exprs.operate(f, node.op, old, right, node), node)


def _entry_behind(f: Lowering, target: ast.expr) -> Entry | None:
    """The map entry that `m[k].field += 1` changes in place: shared, so the addition has to be atomic."""
    while isinstance(target, ast.Attribute):
        target = target.value
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id not in f.env:
        found, obj = f.frame.source.lookup(target.value.id)
        if found and f.unit.is_map(obj):
            return Entry(obj, Known(0))
    return None


def _delete(f: Lowering, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            f.env.pop(target.id, None)
            continue
        entry = exprs.subscript_place(f, target) if isinstance(target, ast.Subscript) else None
        if not isinstance(entry, Entry):
            raise f.error("unsupported", "'del' deletes a map entry or a variable", target)
        maps.method(f, entry.map, "delete", [entry.key], target)


# --- control flow ---------------------------------------------------------------------------------------------------------------


def _if(f: Lowering, node: ast.If) -> None:
    yes, no, end = f.join("then"), f.join("else"), f.join("endif")
    conds.test(f, node.test, yes, no)
    enter(f, yes)
    body(f, node.body)
    goto(f, end)
    enter(f, no)
    body(f, node.orelse)
    goto(f, end)
    enter(f, end)


def _while(f: Lowering, node: ast.While) -> None:
    loop = open_loop(f, f.unit.key(f, node), assigned([node.test, *node.body]))
    inside, over = f.join("body"), f.join("over")
    conds.test(f, node.test, inside, over)
    f.frame.loops.append(loop)
    enter(f, inside)
    body(f, node.body)
    goto(f, loop.again)
    f.frame.loops.pop()
    close_loop(f, loop)
    enter(f, over)
    body(f, node.orelse)
    goto(f, loop.done)
    enter(f, loop.done)


def _for(f: Lowering, node: ast.For) -> None:
    if isinstance(node.iter, ast.Call):
        callee = f.value(node.iter.func)
        if callee == Known(range):
            _for_range(f, node, [f.integer(exprs.rvalue(f, a), a) for a in node.iter.args])
            return
        if callee == Known(enumerate) and len(node.iter.args) == 1:
            _for_items(f, node, exprs.rvalue(f, node.iter.args[0]), numbered=True)
            return
    held = exprs.rvalue(f, node.iter)
    if isinstance(held, Known) and isinstance(held.value, range):
        r = held.value
        _for_range(f, node, [arith.constant(v) for v in (r.start, r.stop, r.step)])
        return
    _for_items(f, node, held, numbered=False)


def _for_range(f: Lowering, node: ast.For, args: list[Int]) -> None:
    if not 1 <= len(args) <= 3:
        raise f.error("arguments", f"range() takes 1 to 3 arguments, {len(args)} given", node.iter)
    start, stop = (arith.constant(0), args[0]) if len(args) == 1 else (args[0], args[1])
    step = args[2] if len(args) == 3 else arith.constant(1)
    if not arith.is_exact(step) or step.lo == 0:
        raise f.error("unsupported", "the step of range() must be a constant other than 0", node.iter)
    if not arith.fits((stop.lo, stop.hi), arith.I64) or not arith.fits((start.lo, start.hi), arith.I64):
        raise f.error("mixed-sign", "the bounds of range() must fit into 63 bits", node.iter,
                      help="take the smaller: 'range(min(n, 1000))'")
    up = step.lo > 0
    known = (start.lo, max(start.lo, stop.hi - 1)) if up else (min(start.hi, stop.lo + 1), start.hi)

    def bind() -> None:
        assign(f, node.target, Int(counter().ir, arith.I64, *known))

    def counter() -> Int:
        value = f.env[hidden]
        assert isinstance(value, Int)
        return value._replace(lo=known[0], hi=known[1] + (1 if up else 0)) if up else value

    hidden = f"$i{f.unit.key(f, node)}"
    f.env[hidden] = start if not arith.is_exact(start) else Known(start.lo)
    _counted(f, node, hidden, lambda: arith.compare(f, "lt" if up else "gt", counter(), stop), bind, step.lo)


def _counted(f: Lowering, node: ast.For, hidden: str, more: Callable[[], Any], bind: Callable[[], None], step: int) -> None:
    """A loop over a hidden counter: `more` is its test, `bind` sets the visible variables at the top of the body."""
    loop = open_loop(f, f.unit.key(f, node), assigned([node.target, *node.body]))
    inside, over = f.join("body"), f.join("over")
    branch(f, more(), inside, over)
    f.frame.loops.append(loop)
    enter(f, inside)
    if f.reachable:
        bind()
    body(f, node.body)
    goto(f, loop.again)
    f.frame.loops.pop()
    enter(f, loop.again)
    if f.reachable:
        f.at(node)
        now = f.integer(f.env[hidden], node)
        f.env[hidden] = Int(f.op("add", now.ir, step), arith.I64, arith.I64.lo, arith.I64.hi)
        loop.again = f.join("next")
        goto(f, loop.again)
    close_loop(f, loop)
    enter(f, over)
    f.env.pop(hidden, None)
    body(f, node.orelse)
    goto(f, loop.done)
    enter(f, loop.done)
    f.env.pop(hidden, None)


def _for_items(f: Lowering, node: ast.For, held: Val, *, numbered: bool) -> None:
    """`for x in array`: an array in memory, or a constant sequence, which is unrolled."""
    if isinstance(held, Known) and isinstance(held.value, list | tuple | str | bytes):
        held = Many(tuple(Known(v) for v in held.value))
    if isinstance(held, Pointer):
        held = memory.deref(f, held, node.iter)
    if isinstance(held, Many):
        _unrolled(f, node, held, numbered)
        return
    if not isinstance(held, Place) or not isinstance(held.layout, ArrayType):
        raise f.ir_type_error("'for' goes over range(…), an array or a constant sequence", held, node.iter)
    array, hidden = held, f"$i{f.unit.key(f, node)}"
    count = held.layout.count
    f.env[hidden] = Known(0)

    def index() -> Int:
        value = f.env[hidden]
        return Int(value.ir, arith.I64, 0, count) if isinstance(value, Int) else arith.constant(0)

    def bind() -> None:
        at = index()
        item = memory.load(f, memory.element(f, array, at._replace(hi=count - 1), node.iter), node.iter)
        assign(f, node.target, Many((at, item)) if numbered else item)

    _counted(f, node, hidden, lambda: arith.compare(f, "lt", index(), arith.constant(count)), bind, 1)


def _unrolled(f: Lowering, node: ast.For, items: Many, numbered: bool) -> None:
    done = f.join("done")
    from .flow import Loop

    for i, item in enumerate(items.items):
        loop = Loop(done.block, {}, {}, f.join("again"), done, 0)
        assign(f, node.target, Many((Known(i), item)) if numbered else item)
        f.frame.loops.append(loop)
        body(f, node.body)
        goto(f, loop.again)
        f.frame.loops.pop()
        enter(f, loop.again)
    if f.reachable:
        body(f, node.orelse)
    goto(f, done)
    enter(f, done)


def _break(f: Lowering, node: ast.Break) -> None:
    loop = f.frame.loops[-1]
    f.leave(node, loop)
    goto(f, loop.done)


def _continue(f: Lowering, node: ast.Continue) -> None:
    loop = f.frame.loops[-1]
    f.leave(node, loop)
    goto(f, loop.again)


def _return(f: Lowering, node: ast.Return) -> None:
    result = exprs.rvalue(f, node.value) if node.value is not None else Known(None)
    f.at(node)
    f.leave(node, None)
    f.unit.give_back(f, result, node)


def _assert(f: Lowering, node: ast.Assert) -> None:
    yes = f.join("held")
    no = f.abort_join()
    conds.test(f, node.test, yes, no)
    enter(f, yes)


def _pass(f: Lowering, node: ast.stmt) -> None:
    """Nothing."""


def _expr(f: Lowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        f.value(node.value)


def _global(f: Lowering, node: ast.Global) -> None:
    f.frame.globals |= set(node.names)


def _with(f: Lowering, node: ast.With) -> None:
    if len(node.items) != 1:
        f.unsupported("several things in one 'with'", node, "nest them")
    item = node.items[0]
    call = item.context_expr
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reserve":
        owner = f.value(call.func.value)
        if isinstance(owner, Known) and isinstance(owner.value, RingBuf):
            _with_reserve(f, node, owner.value, item.optional_vars)
            return
    f.unsupported("this 'with'", node, "'with ringbuf.reserve() as e:' is")


def _with_reserve(f: Lowering, node: ast.With, ring: RingBuf[Any], target: ast.expr | None) -> None:
    """A ring buffer record: filled in the block, submitted at its end whichever way it is left; skipped when full."""
    record = maps.reserve(f, ring, node)
    room, full = f.join("room"), f.join("full")
    branch(f, record.present or Const(1), room, full, record.present)
    enter(f, room)
    if target is not None:
        assign(f, target, record._replace(present=None))

    def submit(done: bool) -> None:
        f.unit.call_helper(f, "ringbuf_submit" if done else "ringbuf_discard", record.ir, 0)

    f.cleanups.append((len(f.frame.loops), len(f.frames), submit))
    body(f, node.body)
    f.cleanups.pop()
    if f.reachable:
        f.at(node)
        submit(True)
        if isinstance(target, ast.Name):
            f.env.pop(target.id, None)
    goto(f, full)
    enter(f, full)


def _match(f: Lowering, node: ast.Match) -> None:
    subject = exprs.rvalue(f, node.subject)
    end = f.join("endmatch")
    for case in node.cases:
        hit, miss = f.join("case"), f.join("next")
        _pattern(f, subject, case.pattern, hit, miss)
        enter(f, hit)
        if case.guard is not None and f.reachable:
            guarded = f.join("guard")
            conds.test(f, case.guard, guarded, miss)
            enter(f, guarded)
        body(f, case.body)
        goto(f, end)
        enter(f, miss)
    goto(f, end)
    enter(f, end)


def _pattern(f: Lowering, subject: Val, pattern: ast.pattern, hit: Any, miss: Any) -> None:
    match pattern:
        case ast.MatchValue(value=wanted):
            conds._compare(f, ast.Eq(), subject, f.value(wanted), pattern, hit, miss)  # type: ignore[arg-type]
        case ast.MatchSingleton(value=None):
            conds._compare(f, ast.Is(), subject, Known(None), pattern, hit, miss)  # type: ignore[arg-type]
        case ast.MatchOr(patterns=patterns):
            for part in patterns:
                other = f.join("or")
                _pattern(f, subject, part, hit, other)
                enter(f, other)
            goto(f, miss)
        case ast.MatchAs(pattern=None, name=name):
            if name:
                assign_name(f, ast.copy_location(ast.Name(name, ast.Store()), pattern), subject)
            goto(f, hit)
        case _:
            f.unsupported("this pattern", pattern, "numbers, constants, 'a | b' and '_' are")


STMTS: dict[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.Assign: _assign, ast.AnnAssign: _ann_assign, ast.AugAssign: _aug_assign, ast.Delete: _delete, ast.If: _if,
    ast.While: _while, ast.For: _for, ast.Break: _break, ast.Continue: _continue, ast.Return: _return,
    ast.Assert: _assert, ast.Pass: _pass, ast.Expr: _expr, ast.Global: _global, ast.With: _with, ast.Match: _match,
}

NAMES: dict[type[ast.AST], str] = {
    ast.Try: "'try'", ast.Raise: "'raise'", ast.FunctionDef: "a function inside a function", ast.ClassDef: "a class here",
    ast.Import: "'import' here", ast.ImportFrom: "'import' here", ast.AsyncFor: "'async'", ast.AsyncWith: "'async'",
    ast.Nonlocal: "'nonlocal'",
}
HELP: dict[type[ast.AST], str] = {
    ast.Try: "nothing raises in BPF: test for None, or check what a helper returns",
    ast.Raise: "return a value, or 'assert condition' to stop with the program's default answer",
    ast.FunctionDef: "move it to module level",
    ast.ClassDef: "declare structs at module level",
    ast.Import: "import at module level",
    ast.ImportFrom: "import at module level",
}
