"""Statements: a table from syntax node to the function that lowers it. An error ends its statement, not the function:
several mistakes are reported together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..errors import CompileError
from . import arith, exprs, maps, memory
from .values import Entry, Known, Many, Place, Pointer, Poison, Record, Text, Val, describe

if TYPE_CHECKING:
    from .context import Lowering

def body(f: Lowering, statements: Iterable[ast.stmt]) -> None:
    """Lower statements in order; what follows a return is dropped."""
    from .control import CONTROL  # which lowers bodies itself

    for node in statements:
        if not f.reachable:
            return
        f.at(node)
        loops, cleanups = len(f.frame.loops), len(f.cleanups)
        try:
            handler = STMTS.get(type(node)) or CONTROL.get(type(node))
            if handler is None:
                f.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
            handler(f, node)
        except CompileError as error:
            f.unit.report(error)
            del f.frame.loops[loops:], f.cleanups[cleanups:]
            for name in assigned([node]):
                f.env[name] = Poison()
            if isinstance(node, ast.Return):
                f.b.block = None


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
    place = target_place(f, target)
    f.at(target)
    if isinstance(place, Entry):
        maps.set_entry(f, place, value, target)
    elif isinstance(place, Place):
        memory.store(f, place, value, target)


def target_place(f: Lowering, target: ast.expr) -> Place | Entry | Poison:
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
    target = target_place(f, node.target)
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


def _pass(f: Lowering, node: ast.stmt) -> None:
    """Nothing."""


def _expr(f: Lowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        f.value(node.value)


def _global(f: Lowering, node: ast.Global) -> None:
    f.frame.globals |= set(node.names)


STMTS: dict[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.Assign: _assign, ast.AnnAssign: _ann_assign, ast.AugAssign: _aug_assign, ast.Delete: _delete, ast.Pass: _pass,
    ast.Expr: _expr, ast.Global: _global,
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
