"""Statements: a table from syntax node to the function that checks it. An error ends its statement, not the function:
several mistakes are reported together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, StructType
from ..errors import CompileError
from ..tree.kinds import Agg, Const, NONE, POISON, Ptr, describe, is_maybe
from ..tree.nodes import Eval, Expr, Filled, Get, Guard, If, Lit, Number, Seq, Temp
from . import (
    arith, binding, compare, conds, exprs, fitting, keeping, maps, memory, operators, strings, subscripts, truths,
)
from .choosing import choose
from .context import Binding, Checker, Closure
from .source import assigned


def body(c: Checker, statements: Iterable[ast.stmt]) -> None:
    """Check statements in order; what follows a return is dropped."""
    for node in statements:
        if c.env is None:
            return
        c.at(node)
        loops, out = list(c.frame.loops), c.out
        try:
            handler = c.unit.tables.stmts.get(type(node))
            if handler is None:
                c.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
            handler(c, node)
        except CompileError as error:
            c.unit.report(error)
            c.frame.loops[:], c.out = loops, out
            if c.env is None:
                c.env = {}
            for name in assigned([node]):
                key = c.find(name)
                if key is not None:
                    c.env[key] = Binding(None, POISON)
            if isinstance(node, ast.Return):
                c.env = None


# --- assignment ------------------------------------------------------------------------------------------------------


def _assign(c: Checker, node: ast.Assign) -> None:
    value = c.expr(node.value)
    if len(node.targets) > 1 and not isinstance(value, Lit):
        value = c.hold(keeping.settle(c, value, node), "$value")
    for target in node.targets:
        assign(c, target, value)


def assign(c: Checker, target: ast.expr, value: Expr) -> None:
    """`target = value`."""
    c.at(target)
    match target:
        case ast.Name():
            assign_name(c, target, value)
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            _assign_items(c, elts, value, target)
        case ast.Attribute() | ast.Subscript():
            assign_memory(c, target, value)
        case ast.Starred():
            c.unsupported("'*' in a target", target)
        case _:
            c.unsupported("this target", target)


def _assign_items(c: Checker, targets: list[ast.expr], value: Expr, node: ast.AST) -> None:
    """All items are read before the first target is written."""
    items = unpack(c, value, targets, node)
    if len(targets) > 1 and any(not isinstance(t, ast.Name) for t in targets):
        items = [_snapshot(c, item, node) for item in items]
    elif len(targets) > 1:
        items = [i if isinstance(i, Lit) else c.hold(keeping.settle(c, i, node), "$item") for i in items]
    for target, item in zip(targets, items):
        assign(c, target, item)


def _snapshot(c: Checker, item: Expr, node: ast.AST) -> Expr:
    """An item that keeps its contents while other items are stored."""
    kind = item.kind
    if isinstance(item, Lit):
        return item
    if isinstance(kind, Ptr) and kind.thing and isinstance(kind.target, ArrayType | StructType) and not kind.fresh:
        return c.hold(keeping.placed(c, item, kind.target, node), "$item")
    return c.hold(keeping.settle(c, item, node), "$item")


def unpack(c: Checker, value: Expr, targets: list[ast.expr], node: ast.AST) -> list[Expr]:
    """The items of what is unpacked into the targets."""
    kind = value.kind
    stars = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
    if kind == POISON:
        return [value] * len(targets)
    if isinstance(kind, Ptr) and isinstance(kind.target, ArrayType) and kind.target.count == len(targets) and not kind.null:
        array = memory.deref(c, c.hold(value, "$array"), node)
        return [memory.load(c, memory.element(c, array, Number(c.span(node), i), node), node) for i in range(len(targets))]
    if is_maybe(kind) and kind != NONE:
        raise arith.may_be_none(c, value, node)
    items = compare.items_of(c, value)
    if items is None:
        raise c.mismatch("a tuple is unpacked here", kind, node)
    if stars:
        c.unsupported("'*' in a target", targets[stars[0]])
    if len(items) != len(targets):
        raise c.error("arguments", f"{len(items)} values for {len(targets)} names", node)
    return items


def assign_name(c: Checker, target: ast.Name, value: Expr) -> None:
    """A variable gets a value; a global is written."""
    key = c.find(target.id)
    if key is None:
        assign_memory(c, target, value)
        return
    declared = c.frame.declared.get(target.id) if "@" not in key or key.endswith(f"@{c.frame.key}") else None
    if declared is not None:
        value = binding.declared(c, value, declared, target, target.id)
    if isinstance(value.kind, Const) and isinstance(value.kind.value, Closure):
        c.drop(value)
        value = Lit(value.span, value.kind.value)
    c.bind(key, _settled(c, value, target, key), target.id)


def _settled(c: Checker, value: Expr, node: ast.AST, key: str) -> Expr:
    """The value as a name holds it; a fresh struct value moves into the variable's own memory."""
    kind = value.kind
    inner = value.value if isinstance(value, Seq) else value
    if isinstance(inner, Temp) and isinstance(kind, Ptr) and kind.fresh and kind.target is not None:
        again = keeping.placed(c, inner.value, kind.target, node, key)
        return keeping.settle(c, Seq(value.span, value.body, again) if isinstance(value, Seq) else again, node)
    return keeping.settle(c, keeping.settle(c, value, node, key), node)


def assign_memory(c: Checker, target: ast.expr, value: Expr) -> None:
    """An attribute, an element, a map entry or a global variable is written. The value is evaluated first."""
    if any(isinstance(n, ast.Call | ast.Subscript) for n in ast.walk(target)):
        value = _evaluated(c, value, target)
    if isinstance(target, ast.Subscript):
        base = memory.base(c, c.place(target.value), target.value)
        map = maps.of(c, base, target.value) if isinstance(base.kind, Const | Ptr) else None
        if map is not None:
            value = _evaluated(c, value, target)
            maps.set_entry(c, map, c.expr(target.slice), value, target)
            return
        several = maps.choices(c, base, target)
        if several is not None:
            value, key = _evaluated(c, value, target), c.expr(target.slice)
            _each_of(c, several, lambda m: maps.set_entry(c, m, key, value, target), target)
            return
        place = _element(c, base, target)
    else:
        place = target_place(c, target)
    if place.kind == POISON:
        return
    if not isinstance(place.kind, Ptr) or place.kind.target is None or not memory.is_place(place):
        raise c.error("read-only", "this cannot be assigned", target)
    fitting.store(c, place, value, target)


def _element(c: Checker, base: Expr, target: ast.Subscript) -> Expr:
    """`base[index]`, to be written."""
    if isinstance(base.kind, Const):
        raise c.error("read-only", f"{describe(base.kind)} cannot be changed by a program", target,
                      help="what a program changes is a map, an array as a variable ('u64[8]()'), or a Global[u64[8]]()")
    return subscripts.subscript(c, base, target)


def _evaluated(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """A value that is known before the target's parts are evaluated."""
    if not arith.acts(value) or isinstance(value, Filled):
        return value
    if isinstance(value.kind, Agg):
        value = keeping.placed(c, value, value.kind.layout, node)
    return c.hold(value, "$value")


def target_place(c: Checker, target: ast.expr) -> Expr:
    """What an attribute or a global name stands for when it is written."""
    if isinstance(target, ast.Name):
        found, obj = c.frame.source.lookup(target.id)
        if not found or not isinstance(obj, Variable):
            raise c.error("read-only", f"{target.id!r} is no Global: a program cannot assign it", target,
                          help=f"declare it as 'Global[u64](0)', or drop 'global {target.id}'")
        return memory.global_place(c, obj, target.id, target)
    place = c.place(target)
    while isinstance(place, Seq):
        c.out += place.body
        place = place.value
    if place.kind != POISON and not memory.is_place(place):
        owner = describe(c.place(target.value).kind) if isinstance(target, ast.Attribute) else "this"
        what = repr(target.attr) if isinstance(target, ast.Attribute) else "this"
        raise c.error("read-only", f"{what} of {owner} cannot be assigned", target,
                      help="what a program changes is a Global, a map, or a variable of its own")
    return place


def _ann_assign(c: Checker, node: ast.AnnAssign) -> None:
    if not isinstance(node.target, ast.Name):
        c.unsupported("an annotation here", node)
    value = c.expr(node.value) if node.value is not None else None
    layout = c.unit.annotation(c, node.annotation, c.frame.source, _is_text(value))
    if layout is not None:
        c.frame.declared[node.target.id] = layout
    if value is not None:
        assign_name(c, node.target, value)
    elif isinstance(layout, StructType | ArrayType):
        assign_name(c, node.target, fitting.blank(c, layout, node))
    elif layout is None and c.find(node.target.id) is None:
        c.unsupported("an annotation of a global name", node)


def _is_text(value: Expr | None) -> bool:
    """May a name that holds it be annotated `str`?"""
    kind = value.kind if value is not None else NONE
    return isinstance(kind.value, str | bytes) if isinstance(kind, Const) else strings.is_text(kind)


# --- augmented assignment --------------------------------------------------------------------------------------------


def _aug_assign(c: Checker, node: ast.AugAssign) -> None:
    word, target = arith.WORDS[type(node.op)], node.target
    if isinstance(target, ast.Name) and c.find(target.id) is not None:
        old = c.hold(c.expr(ast.copy_location(ast.Name(target.id, ast.Load()), target)), "$old") if _calls(node.value) else \
            c.expr(ast.copy_location(ast.Name(target.id, ast.Load()), target))
        assign_name(c, target, operators.operate(c, node.op, old, c.expr(node.value), node))
        return
    if isinstance(target, ast.Subscript):
        base = memory.base(c, c.place(target.value), target.value)
        map = maps.of(c, base, target.value) if isinstance(base.kind, Const | Ptr) else None
        if map is not None:
            key = c.expr(target.slice)
            if maps.add_entry(c, map, key, word, lambda: c.expr(node.value), node):
                return
            place = maps.entry_place(c, map, key, target)
        elif (several := maps.choices(c, base, target)) is not None:
            key = c.hold(keeping.settle(c, c.expr(target.slice), target), "$key")
            value = c.hold(c.expr(node.value), "$value")
            _each_of(c, several, lambda m: _add(c, m, key, word, value, node), node)
            return
        else:
            place = _element(c, base, target)
    else:
        place = target_place(c, target)
    _change(c, place, word, node)


def _add(c: Checker, map: maps.MapOf, key: Expr, word: str, value: Expr, node: ast.AugAssign) -> None:
    if not maps.add_entry(c, map, key, word, lambda: value, node):
        c.unsupported("changing an entry of one of several maps that holds no number", node)


def _each_of(c: Checker, several: tuple[Expr, list[maps.MapOf]], act: Callable[[maps.MapOf], None], node: ast.AST) -> None:
    """The same with each of a few maps, where it is the one."""

    def one(map: maps.MapOf) -> Expr:
        act(map)
        return c.lit(None, node)

    choose(c, several[0], several[1], lambda m: one(m), node)


def _calls(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(node))


def _change(c: Checker, place: Expr, word: str, node: ast.AugAssign) -> None:
    """`place word= value`: the place's parts, then what is there, then the value; then it is stored."""
    if place.kind == POISON:
        return
    place = frozen(c, place)
    kind = place.kind
    if not isinstance(kind, Ptr):
        raise c.error("read-only", "this cannot be assigned", node.target)
    fitting.writable(c, kind, node.target)
    entry = _entry_behind(c, node.target)
    if entry is not None and isinstance(kind.target, IntType) and not memory.bit_field(place):
        value = c.hold(arith.integer(c, c.expr(node.value), node.value), "n")
        maps.add_in_place(c, place, word, value, entry.per_cpu, node)
        return
    old = memory.load(c, place, node.target)
    if _calls(node.value):
        old = c.hold(old, "$old")
    fitting.store(c, place, operators.operate(c, node.op, old, c.expr(node.value), node), node)


def frozen(c: Checker, place: Expr) -> Expr:
    """A place whose parts are evaluated here, once."""
    from ..tree.nodes import At, Deref, Element, Member

    while isinstance(place, Seq):
        c.out += place.body
        place = place.value
    match place:
        case Member():
            return Member(place.span, place.kind, frozen(c, place.place), place.field)  # type: ignore[arg-type]
        case Element():
            inner = frozen(c, place.place)
            if not place.check:
                index = place.index if isinstance(place.index, Number) else c.hold(place.index, "$index")
                return Element(place.span, place.kind, inner, index, False)  # type: ignore[arg-type]
            whole = c.hold(Element(place.span, place.kind, inner, place.index), "$element")  # type: ignore[arg-type]
            return Deref(place.span, place.kind, whole)  # type: ignore[arg-type]
        case At():
            return At(place.span, place.kind, frozen(c, place.place), c.hold(place.offset, "$offset"))  # type: ignore[arg-type]
        case Deref():
            return Deref(place.span, place.kind, c.hold(place.pointer, "$pointer"))  # type: ignore[arg-type]
        case _:
            return place


def _entry_behind(c: Checker, target: ast.expr) -> Any:
    """The map whose entry `m[k].field += 1` changes in place: shared, so the addition has to be atomic."""
    while isinstance(target, ast.Attribute):
        target = target.value
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and c.find(target.value.id) is None:
        found, obj = c.frame.source.lookup(target.value.id)
        if found and c.unit.is_map(obj):
            return obj
    return None


# --- others ----------------------------------------------------------------------------------------------------------


def _delete(c: Checker, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            key = c.find(target.id)
            if key is not None and c.env is not None:
                c.env.pop(key, None)
            continue
        map = maps.of(c, c.expr(target.value), target) if isinstance(target, ast.Subscript) else None
        if map is None or not isinstance(target, ast.Subscript):
            raise c.error("unsupported", "'del' deletes a map entry or a variable", target)
        if not isinstance(map.decl, maps.LOSING):
            raise c.error("unsupported", f"entries of {describe(Const(type(map.decl)))} cannot be deleted", target)
        c.emit(Eval(c.span(target), maps.delete(c, map, c.expr(target.slice), target)))


def _pass(c: Checker, node: ast.stmt) -> None:
    """Nothing."""


def _expr(c: Checker, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return
    value = c.expr(node.value)
    if not isinstance(value, Lit | Get):
        c.emit(Eval(value.span, value))


def _global(c: Checker, node: ast.Global) -> None:
    for name in node.names:
        found, _ = c.frame.source.lookup(name)
        if not found:
            raise c.error("undefined-name", f"{name!r} is not defined", node)
    c.frame.globals |= set(node.names)


def _nonlocal(c: Checker, node: ast.Nonlocal) -> None:
    c.frame.nonlocals |= set(node.names)


def _function(c: Checker, node: ast.FunctionDef) -> None:
    """A nested function: a value that knows where it was made."""
    if node.decorator_list:
        c.unsupported("a decorated function inside a function", node, "move it to module level")
    exprs.plain_body(c, node)
    closure = Closure(c.unit.nested(c.frame.source, node), c.frame, exprs._lambda_defaults(c, node.args))
    key = c.find(node.name)
    assert key is not None
    c.bind(key, Lit(c.span(node), closure), node.name)


def _if(c: Checker, node: ast.If) -> None:
    fork = conds.test(c, node.test)
    yes, no = fork.yes, fork.no
    then, first = c.fork(*yes, lambda: body(c, node.body)) if yes is not None else ([], None)
    orelse, second = c.fork(*no, lambda: body(c, node.orelse)) if no is not None else ([], None)
    if isinstance(fork.test.kind, Const):
        if not isinstance(fork.test, Lit):
            c.emit(Eval(fork.test.span, fork.test))
        c.out += then if yes is not None else orelse
        c.merge([first if yes is not None else second])
        return
    if yes is None or no is None:
        c.emit(Eval(fork.test.span, fork.test))
        c.out += then if yes is not None else orelse
    else:
        c.emit(If(c.span(node), fork.test, then, orelse))
    c.merge([first, second])


def _return(c: Checker, node: ast.Return) -> None:
    value = c.expr(node.value) if node.value is not None else c.lit(None, node)
    c.at(node)
    c.unit.tables.give_back(c, value, node)


def _assert(c: Checker, node: ast.Assert) -> None:
    fork = conds.test(c, node.test)
    c.emit(Guard(c.span(node), truths.as_number(fork.test)))
    c.function.aborts = True
    c.env, c.held = fork.yes if fork.yes is not None else (None, frozenset())


STMTS: dict[type[ast.stmt], Callable[[Checker, Any], None]] = {
    ast.Assign: _assign, ast.AnnAssign: _ann_assign, ast.AugAssign: _aug_assign, ast.Delete: _delete, ast.Pass: _pass,
    ast.Expr: _expr, ast.Global: _global, ast.Nonlocal: _nonlocal, ast.FunctionDef: _function, ast.If: _if, ast.Return: _return,
    ast.Assert: _assert,
}

NAMES: dict[type[ast.AST], str] = {
    ast.Try: "'try'", ast.Raise: "'raise'", ast.AsyncFunctionDef: "an async function", ast.ClassDef: "a class here",
    ast.Import: "'import' here", ast.ImportFrom: "'import' here", ast.AsyncFor: "'async'", ast.AsyncWith: "'async'",
}
HELP: dict[type[ast.AST], str] = {
    ast.Try: "nothing raises in BPF: test for None, or check what a helper returns",
    ast.Raise: "return a value, or 'assert condition' to stop with the program's default answer",
    ast.ClassDef: "declare structs at module level",
    ast.Import: "import at module level",
    ast.ImportFrom: "import at module level",
}
