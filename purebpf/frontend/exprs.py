"""Expressions: a table from syntax node to the function that checks it."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from ..dsl import maps as decl
from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, StructType
from ..errors import CompileError
from ..tree.convert import coerce
from ..tree.kinds import (
    BOOL, I64, NONE, POISON, U64, Agg, Broken, Choice, Const, Context, Cursor, Int, Optional, Ptr, Text, Tuple, describe, is_maybe, join,
    narrowed,
)
from ..tree.nodes import Arith, At, Cast, Compare, CtxPlace, Distance, Expr, GlobalPlace, Guard, If, IfElse, Item, Lit, MakeTuple, Move, Number, Seq, Stmt, Undef
from . import arith, builtins, calls, conds, functions, maps, memory, packet, strings
from .context import Checker, Closure, Path, has_effects
from .names import near

LARGEST = 1 << 16  # items of a constant made while compiling


def expr(c: Checker, node: ast.expr) -> Expr:
    """Check an expression and read it: what it gives is a value."""
    handler = EXPRS.get(type(node))
    if handler is None:
        c.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
    return handler(c, node)


# --- names -----------------------------------------------------------------------------------------------------------


def _name(c: Checker, node: ast.Name) -> Expr:
    return memory.load(c, _name_place(c, node), node)


def _name_place(c: Checker, node: ast.Name) -> Expr:
    """A name: a variable's value, a global variable's place, or a constant."""
    key = c.find(node.id)
    if key is not None:
        if c.env is not None and key in c.env:
            return c.read(key, node)
        raise c.error("unassigned", f"{node.id!r} is used before it is assigned", node)
    found, obj = c.frame.source.lookup(node.id)
    if not found:
        names = [*(n.split("@")[0] for n in c.env or {} if not n.startswith("$")), *c.frame.source.scope()]
        raise c.error("undefined-name", f"{node.id!r} is not defined", node, help=near(node.id, names))
    return known(c, obj, node.id, node)


def known(c: Checker, obj: Any, name: str, node: ast.AST) -> Expr:
    """A Python object that the program refers to."""
    if isinstance(obj, Variable):
        return memory.global_place(c, obj, name, node)
    if c.unit.is_map(obj):
        c.unit.map_name(obj, name)
    if isinstance(obj, bool | int | str | bytes) or obj is None:
        return Lit(c.span(node), obj)
    layout = getattr(type(obj), "__bpf_layout__", None)
    if isinstance(layout, StructType) and not isinstance(obj, type):
        return memory.constant(c, layout, obj, node)
    return Lit(c.span(node), obj)


def _constant(c: Checker, node: ast.Constant) -> Expr:
    if isinstance(node.value, float | complex) or node.value is Ellipsis:
        c.unsupported("a float" if isinstance(node.value, float) else repr(node.value), node,
                      "BPF has integers only: scale the number, as in milliseconds instead of seconds")
    return c.lit(node.value, node)


# --- attributes ------------------------------------------------------------------------------------------------------


def _attribute(c: Checker, node: ast.Attribute) -> Expr:
    return memory.load(c, _attribute_place(c, node), node)


def _attribute_place(c: Checker, node: ast.Attribute) -> Expr:
    """`base.name`: a place where it is memory, else a value."""
    return attribute(c, memory.base(c, c.place(node.value), node.value), node)


def attribute(c: Checker, base: Expr, node: ast.Attribute) -> Expr:
    kind, name = base.kind, node.attr
    if isinstance(base, GlobalPlace) and name == "value":
        return At(c.span(node), base.kind, base, Number(c.span(node), 0))  # type: ignore[arg-type]  # a place's kind is a Ptr
    match kind:
        case Ptr():
            return _member(c, base, kind, name, node)
        case Context():
            place = c.unit.contexts.place(c, base, name, node)
            return place if place is not None else c.unit.contexts.attribute(c, base, name, node)
        case Agg(layout=layout):
            placed = memory.placed(c, base, layout, node)
            assert isinstance(placed.kind, Ptr)
            return _member(c, placed, placed.kind, name, node)
        case Const(obj):
            return _known_attribute(c, obj, name, node)
        case Choice(options=options):
            which = c.hold(Cast(base.span, Int(I64, 0, len(options) - 1), base), "$which")
            return calls.choose(c, which, [lambda o=o: attribute(c, Lit(base.span, o.value), node) for o in options], node)
        case Broken():
            return base
        case Int() | Cursor() | Text() | Tuple():
            raise c.error("type-mismatch", f"{describe(kind)} has no attribute {name!r}", node)
        case Optional(some=some):
            if isinstance(some, Ptr):
                raise arith.may_be_none(c, base, node.value)
            raise arith.may_be_none(c, base, node.value)


def _member(c: Checker, base: Expr, kind: Ptr, name: str, node: ast.Attribute) -> Expr:
    target = kind.target
    if isinstance(target, StructType):
        field = target.field(name)
        if field is not None:
            return memory.member(c, memory.deref(c, base, node.value), field, node)
    if name == "value":
        place = memory.deref(c, base, node.value)
        assert isinstance(place.kind, Ptr)
        place.kind = place.kind._replace(thing=True)
        return place
    if kind.null:
        raise arith.may_be_none(c, base, node.value)
    if isinstance(target, IntType) and name in builtins.NUMBER_METHODS or strings.is_text(kind) and name in strings.METHODS:
        raise c.error("type-mismatch", f"{name!r} is a method: call it", node, help=f"'.{name}()'")
    if isinstance(target, ArrayType):
        raise c.error("no-field", f"{target.name} has no field {name!r}", node)
    raise memory.no_field(c, target, name, node)


def _known_attribute(c: Checker, obj: Any, name: str, node: ast.Attribute) -> Expr:
    if obj is None:
        raise c.error("null-pointer", f"this is None: it has no {name!r}", node)
    if c.unit.is_map(obj):
        raise c.error("type-mismatch", f"{name!r} of a map is a method: call it", node)
    if isinstance(obj, ModuleType | type | enum.Enum) or not isinstance(obj, FunctionType | int | str | bytes):
        try:
            return known(c, getattr(obj, name), name, node)
        except (AttributeError, RuntimeError):
            pass
    if isinstance(obj, int | str | bytes) and hasattr(obj, name):
        value = getattr(obj, name)
        if not callable(value):
            return c.lit(value, node)
    what = getattr(obj, "__name__", None) or type(obj).__name__
    raise c.error("undefined-name", f"{what!r} has no {name!r}", node, help=near(name, dir(obj)))


# --- subscripts ------------------------------------------------------------------------------------------------------


def _subscript(c: Checker, node: ast.Subscript) -> Expr:
    base = memory.base(c, c.place(node.value), node.value)
    map = _map_of(c, base, node)
    if map is not None:
        return maps.read_entry(c, map, memory.settle(c, c.expr(node.slice), node.slice), node)
    chosen = maps.choices(c, base, node)
    if chosen is not None:
        key = c.hold(memory.settle(c, c.expr(node.slice), node.slice), "$key")
        return calls.choose(c, chosen[0], [lambda m=m: maps.read_entry(c, m, key, node) for m in chosen[1]], node)
    return memory.load(c, subscript(c, base, node), node)


def _map_of(c: Checker, base: Expr, node: ast.Subscript) -> maps.MapOf | None:
    return maps.of(c, base, node.value) if isinstance(base.kind, Const | Ptr) else None


def _subscript_place(c: Checker, node: ast.Subscript) -> Expr:
    """`base[index]` as memory. An entry of a map that is not there is made."""
    base = memory.base(c, c.place(node.value), node.value)
    map = _map_of(c, base, node)
    if map is not None:
        return maps.entry_place(c, map, c.expr(node.slice), node)
    return subscript(c, base, node)


def subscript(c: Checker, base: Expr, node: ast.Subscript) -> Expr:
    """`base[index]`, a place where it is one."""
    kind = base.kind
    if isinstance(kind, Const | Cursor):
        c.drop(base)
    if isinstance(kind, Const):
        return _constant_item(c, base, kind.value, node)
    if isinstance(kind, Tuple):
        return _tuple_item(c, base, kind, node)
    if kind == POISON:
        return base
    if isinstance(kind, Cursor):
        return packet.byte_at(c, kind, arith.integer(c, c.expr(node.slice), node.slice), node)
    if is_maybe(kind):
        raise arith.may_be_none(c, base, node.value)
    if isinstance(kind, Agg):
        base = memory.placed(c, base, kind.layout, node)
    if isinstance(base.kind, Ptr):
        if isinstance(node.slice, ast.Slice):
            return _slice(c, base, node.slice, node)
        return memory.element(c, memory.indexed(c, base, node.value), _index(c, node), node)
    if isinstance(kind, Choice):
        which = c.hold(Cast(base.span, Int(I64, 0, len(kind.options) - 1), base), "$which")
        return calls.choose(c, which, [lambda o=o: subscript(c, Lit(base.span, o.value), node) for o in kind.options], node)
    raise c.mismatch("an array, a map or a pointer can be indexed", kind, node)


def _index(c: Checker, node: ast.Subscript) -> Expr:
    return arith.integer(c, c.expr(node.slice), node.slice)


def _bound(c: Checker, node: ast.expr | None) -> int | None:
    if node is None:
        return None
    value = arith.constant(c.expr(node))
    if value is None:
        c.unsupported("a slice whose bounds are only known at run time", node, "loop over the elements")
    return value


def _slice(c: Checker, base: Expr, node: ast.Slice, at: ast.AST) -> Expr:
    if node.step is not None and _bound(c, node.step) != 1:
        c.unsupported("a slice with a step", node.step)
    if not isinstance(base.kind, Ptr) or not isinstance(base.kind.target, ArrayType):
        raise c.mismatch("an array or a string can be sliced", base.kind, at)
    return strings.sliced(c, base, _bound(c, node.lower), _bound(c, node.upper), at)


def _tuple_item(c: Checker, base: Expr, kind: Tuple, node: ast.Subscript) -> Expr:
    if isinstance(node.slice, ast.Slice):
        items = conds.items_of(c, base) or []
        chosen = tuple(items[slice(_bound(c, node.slice.lower), _bound(c, node.slice.upper))])
        return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in chosen)), chosen)
    index = c.expr(node.slice)
    at = arith.constant(index)
    if at is not None and -len(kind.items) <= at < len(kind.items):
        at %= len(kind.items)
        return base.items[at] if isinstance(base, MakeTuple) else Item(c.span(node), kind.items[at], base, at)
    if at is not None or arith.number(index.kind) is None:
        raise c.error("index", f"a tuple of {len(kind.items)} takes an index inside it", node)
    items = conds.items_of(c, base) or []
    return _pick(c, items, arith.integer(c, index, node.slice), node)


def _pick(c: Checker, items: list[Expr], index: Expr, node: ast.AST) -> Expr:
    """One of a few values by an index known at run time."""
    index = c.hold(memory.from_the_end(c, index, len(items), node) if arith.kind_of(index).lo < 0 else index, "$index")
    kind = items[0].kind
    for item in items[1:]:
        kind = join(kind, item.kind, "the item")
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node)
    span = c.span(node)
    c.emit(Guard(span, Compare(span, Int(BOOL, 0, 1), "lt", Cast(span, Int.of(U64), index), Number(span, len(items)))))
    c.function.aborts = True
    result = coerce(items[-1], kind)
    for i in range(len(items) - 2, -1, -1):
        test = Compare(span, Int(BOOL, 0, 1, True), "eq", index, Number(span, i))
        result = IfElse(span, kind, test, coerce(items[i], kind), result)
    return result


def _constant_item(c: Checker, base: Expr, container: Any, node: ast.Subscript) -> Expr:
    """An item of a constant; a type with a length; a sequence of numbers indexed at run time is a table in .rodata."""
    if isinstance(container, Layout | type) or type(container).__name__ == "_PtrWord":
        return c.lit(c.unit.evaluate(c, node, c.frame.source), node)
    if isinstance(node.slice, ast.Slice):
        return c.lit(container[slice(_bound(c, node.slice.lower), _bound(c, node.slice.upper))], node)
    index = c.expr(node.slice)
    if isinstance(index.kind, Const):
        try:
            return known(c, container[index.kind.value], "", node)
        except (LookupError, TypeError) as error:
            raise c.error("index", f"this constant index is wrong: {error}", node) from None
    if isinstance(container, dict):
        return _table_of(c, container, index, node)
    if isinstance(container, list | tuple | bytes | range) and container:
        table = memory.constant_array(c, container, node)
        if table is not None:
            return memory.load(c, memory.element(c, table, arith.integer(c, index, node.slice), node), node)
        return _pick(c, [known(c, v, "", node) for v in container], arith.integer(c, index, node.slice), node)
    raise c.error("index", "this constant takes a constant index", node)


def _table_of(c: Checker, table: dict[Any, Any], index: Expr, node: ast.AST) -> Expr:
    """A constant dict looked up at run time: outside its keys the program ends, as a KeyError would end it."""
    if not table:
        raise c.error("index", "this dict is empty", node)
    key = c.hold(index, "$key")
    tests = [conds.compare(c, ast.Eq(), key, c.lit(k, node), node) for k in table]
    c.emit(Guard(c.span(node), conds.as_number(conds.any_of(c, [lambda t=t: t for t in tests], node))))
    c.function.aborts = True
    values = [known(c, v, "", node) for v in table.values()]
    return _first_of(c, tests[:-1], values[:-1], values[-1], node)


def dict_get(c: Checker, table: dict[Any, Any], args: list[Expr], node: ast.AST) -> Expr:
    """`TABLE.get(key, default)` of a constant dict."""
    if not 1 <= len(args) <= 2:
        raise c.error("arguments", f"get() takes 1 to 2 arguments, {len(args)} given", node)
    key, default = c.hold(args[0], "$key"), args[1] if len(args) > 1 else c.lit(None, node)
    if isinstance(key.kind, Const):
        return known(c, table[key.kind.value], "", node) if key.kind.value in table else default
    tests = [conds.compare(c, ast.Eq(), key, c.lit(k, node), node) for k in table]
    return _first_of(c, tests, [known(c, v, "", node) for v in table.values()], default, node)


def _first_of(c: Checker, tests: list[Expr], values: list[Expr], otherwise: Expr, node: ast.AST) -> Expr:
    """The value that belongs to the first test that holds."""
    kind = otherwise.kind
    for value in values:
        kind = join(kind, value.kind, "the value")
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node)
    result = coerce(otherwise, kind)
    for test, value in zip(reversed(tests), reversed(values)):
        if isinstance(test.kind, Const):
            result = coerce(value, kind) if test.kind.value else result
        else:
            result = IfElse(c.span(node), kind, conds.as_number(test), coerce(value, kind), result)
    return result


# --- operators -------------------------------------------------------------------------------------------------------


def _binary(c: Checker, node: ast.BinOp) -> Expr:
    left = c.expr(node.left)
    right = c.expr(node.right)
    return operate(c, node.op, left, right, node)


def operate(c: Checker, op: ast.operator, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """`left op right`."""
    a, b = left.kind, right.kind
    if POISON in (a, b):
        return Undef(c.span(node), POISON)
    word = arith.WORDS[type(op)]
    if word == "/":
        raise c.error("unsupported", "'/' makes a float, which BPF has not", node, help="use '//'")
    if word == "@":
        c.unsupported("'@'", node)
    if isinstance(a, Ptr) and not _is_value(a) or isinstance(b, Ptr) and not _is_value(b):
        return _pointer_arithmetic(c, word, left, right, node)
    if isinstance(a, Const) and isinstance(b, Const):
        c.drop(left)
        c.drop(right)
        return _known_operation(c, op, word, a.value, b.value, node)
    if isinstance(a, Tuple | Const) and isinstance(b, Tuple | Const) and word == "+":
        first, second = conds.items_of(c, left), conds.items_of(c, right)
        if first is not None and second is not None:
            items = (*first, *second)
            return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), items)
    return arith.binary(c, word, _operand(c, left, node, 0), _operand(c, right, node, 1), node)


def _operand(c: Checker, value: Expr, node: ast.AST, side: int) -> Expr:
    at = (node.right if side else node.left) if isinstance(node, ast.BinOp) else node
    if is_maybe(value.kind) and value.kind != NONE and not isinstance(value.kind, Ptr):
        raise arith.may_be_none(c, value, at)
    return arith.integer(c, value, at)


def _is_value(kind: Ptr) -> bool:
    return isinstance(kind.target, ArrayType | IntType) and kind.region in ("value", "data", "stack", "mem") and False


def _known_operation(c: Checker, op: ast.operator, word: str, a: Any, b: Any, node: ast.AST) -> Expr:
    """Two constants: Python's own answer."""
    import operator

    if isinstance(a, int) and isinstance(b, int):
        return c.lit(arith.exactly(c, word, int(a), int(b), node), node)
    table: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: operator.add, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
        ast.Sub: operator.sub,
    }
    try:
        if isinstance(op, ast.Mult) and max(x for x in (a, b, 0) if isinstance(x, int)) > LARGEST:
            raise ValueError("the result is enormous")
        return c.lit(table[type(op)](a, b), node)
    except (KeyError, TypeError, ValueError) as error:
        raise c.error("type-mismatch", f"these constants do not go together: {error}", node) from None


def _pointer_arithmetic(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    a, b, span = left.kind, right.kind, c.span(node)
    for value, kind in ((left, a), (right, b)):
        if isinstance(kind, Ptr) and kind.null:
            raise arith.may_be_none(c, value, node)
        if isinstance(kind, Ptr) and isinstance(kind.target, IntType) and kind.region == "value":
            arith.integer(c, value, node)
    if isinstance(a, Ptr) and isinstance(b, Ptr) and word == "-":
        conds.same_memory(c, a, b, node)
        size = a.target.size if a.target else 1
        limit = (-0xFFFF, 0xFFFF) if a.region.startswith("packet") else (I64.lo, I64.hi)
        distance = Distance(span, Int(I64, *limit), left, right)
        return distance if size == 1 else arith.binary(c, "//", distance, Number(span, size), node)
    if isinstance(a, Ptr) and word in "+-" and not isinstance(b, Ptr):
        if a.region == "packet_end":
            raise c.error("type-mismatch", "the packet's end is only compared with", node, help="move the other side of the comparison")
        if isinstance(a.target, ArrayType | StructType) and a.region == "stack":
            raise c.mismatch("a number is needed here", a, node)
        step = arith.binary(c, "*", arith.integer(c, right, node), Number(span, a.target.size if a.target else 1), node)
        step = arith.integer(c, step, node)
        if word == "-":
            step = arith.integer(c, arith.negate(c, step, node), node)
        return Move(span, a._replace(fresh=False, thing=False), left, step)
    raise c.error("type-mismatch", f"'{word}' is not for pointers", node)


def _unary(c: Checker, node: ast.UnaryOp) -> Expr:
    if isinstance(node.op, ast.Not):
        return conds.as_value(c, node)
    value = c.expr(node.operand)
    if isinstance(value.kind, Const) and isinstance(value.kind.value, int) and not isinstance(value, Seq):
        number = int(value.kind.value)
        return c.lit(-number if isinstance(node.op, ast.USub) else ~number if isinstance(node.op, ast.Invert) else number, node)
    number_ = _operand(c, value, node.operand, 0)
    match node.op:
        case ast.USub():
            return arith.negate(c, number_, node)
        case ast.Invert():
            return arith.invert(c, number_, node)
    return number_


def _bool_op(c: Checker, node: ast.BoolOp) -> Expr:
    """`a or b` as a value is the operand that decided."""
    if all(isinstance(v, ast.Compare | ast.UnaryOp) and (isinstance(v, ast.Compare) or isinstance(v.op, ast.Not)) for v in node.values):
        return conds.as_value(c, node)
    is_or = isinstance(node.op, ast.Or)
    return _decide(c, node.values, is_or, node)


def _decide(c: Checker, values: list[ast.expr], is_or: bool, node: ast.AST) -> Expr:
    left = memory.settle(c, c.expr(values[0]), values[0])
    if len(values) == 1:
        return left
    if isinstance(left.kind, Const) and not has_effects(left):
        return left if bool(left.kind.value) == is_or else _decide(c, values[1:], is_or, node)
    held = c.hold(left, "$left")
    facts = conds._facts(c, held, values[0])
    outer, c.out = c.out, []
    fork = conds.decide(c, conds.truth(c, held, values[0]), facts)
    test = Seq(c.span(node), c.out, fork.test) if c.out else fork.test
    c.out = outer
    decided, rest = (fork.yes, fork.no) if is_or else (fork.no, fork.yes)
    kept = coerce(held, narrowed(held.kind)) if is_or and is_maybe(held.kind) and held.kind != NONE else held
    return branch(c, test, (decided, lambda: kept), (rest, lambda: _decide(c, values[1:], is_or, node)), not is_or, node)


Way = tuple[conds.State | None, Callable[[], Expr]]


def branch(c: Checker, test: Expr, first: Way, second: Way, swapped: bool, node: ast.AST) -> Expr:
    """A value that comes from one of two ways: `first` where the test holds (where not, if `swapped`)."""
    ways: list[tuple[list[Stmt], Expr, Path]] = []
    for state, make in (first, second):
        if state is None:
            continue
        found: list[Expr] = []

        def check(make: Callable[[], Expr] = make, found: list[Expr] = found) -> None:
            found.append(memory.settle(c, make(), node))

        body, path = c.fork(state[0], state[1], check)
        if path is not None:
            ways.append((body, found[0], path))
    if not ways:
        c.env = None
        return Undef(c.span(node), POISON)
    c.merge([path for _, _, path in ways])
    kind = ways[0][1].kind
    for _, value, _ in ways[1:]:
        kind = join(kind, value.kind, "the result")
    if isinstance(kind, Broken) and kind.code:
        raise c.error(kind.code, kind.message.replace("'the result'", "the result"), node, help=kind.help)
    values = [Seq(v.span, body, coerce(v, kind)) if body else coerce(v, kind) for body, v, _ in ways]
    if len(values) == 1:
        return arith.after(c, test, values[0])
    yes, no = reversed(values) if swapped else values
    return IfElse(c.span(node), kind, conds.as_number(test), yes, no)


def _if_exp(c: Checker, node: ast.IfExp) -> Expr:
    fork = conds.test(c, node.test)
    return branch(c, fork.test, (fork.yes, lambda: c.expr(node.body)), (fork.no, lambda: c.expr(node.orelse)), False, node)


def _named(c: Checker, node: ast.NamedExpr) -> Expr:
    value = c.expr(node.value)
    c.unit.tables.assign_name(c, node.target, value)
    return _name(c, node.target)


def _tuple(c: Checker, node: ast.Tuple | ast.List) -> Expr:
    items: list[Expr] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            spread = conds.items_of(c, c.expr(item.value))
            if spread is None:
                c.unsupported("'*' of something that is no tuple", item)
            items += spread
            continue
        value = memory.settle(c, c.expr(item), item)
        items.append(value)
    if all(isinstance(i.kind, Const) and isinstance(i, Lit) for i in items):
        values = [i.kind.value for i in items]  # type: ignore[union-attr]  # checked in the line above
        return c.lit(tuple(values) if isinstance(node, ast.Tuple) else values, node)
    return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), tuple(items))


def _joined(c: Checker, node: ast.JoinedStr) -> Expr:
    parts = [c.expr(v.value) if isinstance(v, ast.FormattedValue) and v.format_spec is None else
             c.expr(v) if isinstance(v, ast.Constant) else None for v in node.values]
    if all(p is not None and isinstance(p.kind, Const) for p in parts):
        return c.lit("".join(str(p.kind.value) for p in parts if p is not None and isinstance(p.kind, Const)), node)
    c.unsupported("an f-string outside print()", node)


def _lambda(c: Checker, node: ast.Lambda) -> Expr:
    return Lit(c.span(node), Closure(c.unit.nested(c.frame.source, node), c.frame, _lambda_defaults(c, node.args)))


def _lambda_defaults(c: Checker, a: ast.arguments) -> dict[str, Expr]:
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    found = {name: c.hold(c.expr(value), name) for name, value in zip(reversed(names), reversed(a.defaults))}
    found |= {p.arg: c.hold(c.expr(v), p.arg) for p, v in zip(a.kwonlyargs, a.kw_defaults) if v is not None}
    return found


def compare_value(c: Checker, node: ast.Compare) -> Expr:
    return conds.as_value(c, node)


def place(c: Checker, node: ast.expr) -> Expr:
    """Check an expression without reading the memory that it names."""
    match node:
        case ast.Name():
            return _name_place(c, node)
        case ast.Attribute():
            return _attribute_place(c, node)
        case ast.Subscript():
            return _subscript_place(c, node)
        case _:
            return expr(c, node)


EXPRS: dict[type[ast.expr], Callable[[Checker, Any], Expr]] = {
    ast.Name: _name, ast.Constant: _constant, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.BinOp: _binary,
    ast.UnaryOp: _unary, ast.BoolOp: _bool_op, ast.Compare: compare_value, ast.IfExp: _if_exp, ast.NamedExpr: _named,
    ast.Tuple: _tuple, ast.List: _tuple, ast.Call: calls.call, ast.JoinedStr: _joined, ast.Lambda: _lambda,
}

NAMES: dict[type[ast.AST], str] = {
    ast.ListComp: "a list comprehension", ast.DictComp: "a dict comprehension", ast.SetComp: "a set comprehension",
    ast.GeneratorExp: "a generator expression", ast.Await: "'await'", ast.Yield: "'yield'", ast.YieldFrom: "'yield from'",
    ast.Dict: "a dict", ast.Set: "a set", ast.Starred: "'*'", ast.Slice: "a slice",
}
HELP: dict[type[ast.AST], str] = {
    ast.ListComp: "write a loop: BPF has no memory to grow a list in",
    ast.GeneratorExp: "write a loop",
    ast.Dict: "use a map: HashMap[K, V](max_entries=…) at module level",
    ast.Set: "use a map, or compare with 'in (a, b, c)'",
}

__all__ = ["Arith", "CompileError", "CtxPlace", "If", "decl", "functions"]
