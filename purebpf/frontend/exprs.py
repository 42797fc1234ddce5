"""Expressions: a table from syntax node to the function that lowers it."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, StructType
from ..errors import CompileError
from . import arith, calls, conds, maps, memory, packet
from .flow import enter, goto
from .values import (
    I64,
    Context,
    Cursor,
    Entry,
    Int,
    Known,
    Many,
    Method,
    Place,
    Pointer,
    Poison,
    Record,
    Val,
    describe,
)

if TYPE_CHECKING:
    from .context import Lowering


LARGEST = 1 << 16  # items of a constant made while compiling


def value(f: Lowering, node: ast.expr) -> Val:
    """Lower an expression; the result may still be a place or an entry: see `rvalue` for a value proper."""
    f.at(node)
    handler = EXPRS.get(type(node))
    if handler is None:
        f.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
    if not f.reachable:
        return Poison()
    return handler(f, node)


def rvalue(f: Lowering, node: ast.expr) -> Val:
    """An expression read: map entries are looked up, scalars in memory loaded."""
    return settle(f, value(f, node), node)


def settle(f: Lowering, val: Val, node: ast.AST) -> Val:
    """What a variable would hold if `val` were assigned to it."""
    if isinstance(val, Entry):
        return maps.read_entry(f, val, node)
    return val


def copied(f: Lowering, val: Val, node: ast.AST) -> Val:
    """What `m.get(k)` gave, about to be computed with: the number itself."""
    return integer(f, val, node) if isinstance(val, Pointer) and val.copy and isinstance(val.target, IntType) else val


def integer(f: Lowering, val: Val, node: ast.AST) -> Int:
    """`val` as a number, or a type error at `node`."""
    if isinstance(val, Int):
        return val
    if isinstance(val, Known):
        if isinstance(val.value, int):
            number = int(val.value)
            if not -(1 << 63) <= number < 1 << 64:
                raise f.error("constant", f"{number} does not fit into 64 bits", node)
            return arith.constant(number)
        if isinstance(val.value, bytes) and len(val.value) == 1:
            return arith.constant(val.value[0])
    if isinstance(val, Entry):
        return integer(f, maps.read_entry(f, val, node), node)
    if isinstance(val, Place) and isinstance(val.layout, IntType):
        return integer(f, memory.load(f, val, node), node)
    if isinstance(val, Pointer) and isinstance(val.target, IntType):
        if val.copy:
            return integer(f, memory.load(f, memory.deref(f, val, node), node), node)
        raise f.error("type-mismatch", "this is a pointer to a number, not the number", node,
                      help="read it with '.value'" + (" after testing it" if val.present is not None else ""))
    raise f.ir_type_error("a number is needed here", val, node)


# --- names, attributes, subscripts ---------------------------------------------------------------------------------------


def _name(f: Lowering, node: ast.Name) -> Val:
    if node.id in f.env and node.id not in f.frame.globals:
        return f.use(f.env[node.id], node)
    if node.id in f.unit.locals_of(f.frame.source) and node.id not in f.frame.globals:
        raise f.error("unassigned", f"{node.id!r} is used before it is assigned", node)
    found, obj = f.frame.source.lookup(node.id)
    if not found:
        import difflib

        names = [*(n for n in f.env if not n.startswith("$")), *f.frame.source.scope()]
        close = difflib.get_close_matches(node.id, names, 1)
        raise f.error("undefined-name", f"{node.id!r} is not defined", node, help=f"did you mean {close[0]!r}?" if close else "")
    return known(f, obj, node.id)


def known(f: Lowering, obj: Any, name: str) -> Val:
    """A Python object the program refers to."""
    if isinstance(obj, Variable):
        return f.unit.variable(f, obj, name)
    if f.unit.is_map(obj):
        f.unit.map_name(obj, name)
    return Known(obj)


def _constant(f: Lowering, node: ast.Constant) -> Val:
    if isinstance(node.value, float | complex) or node.value is Ellipsis:
        f.unsupported("a float" if isinstance(node.value, float) else repr(node.value), node,
                      "BPF has integers only: scale the number, as in milliseconds instead of seconds")
    return Known(node.value)


def _attribute(f: Lowering, node: ast.Attribute) -> Val:
    return attribute(f, owner(f, node.value), node.attr, node)


def owner(f: Lowering, node: ast.expr) -> Val:
    """What stands before a `.name`: a global variable keeps being itself there, its value is not read."""
    if isinstance(node, ast.Name) and node.id not in f.env:
        found, obj = f.frame.source.lookup(node.id)
        if found and isinstance(obj, Variable):
            f.unit.variable_name(obj, node.id)
            return Known(obj)
    if isinstance(node, ast.Subscript):
        return subscript_place(f, node)
    return value(f, node)


def attribute(f: Lowering, base: Val, name: str, node: ast.Attribute) -> Val:
    """`base.name`, a place if it is memory."""
    place = place_attribute(f, base, name, node)
    if place is not None:
        return memory.load(f, place, node)
    match base:
        case Known(obj):
            return _known_attribute(f, obj, name, node)
        case Context():
            return f.unit.contexts.attribute(f, base, name, node)
        case Cursor():
            return Method(base, name)
        case Int() if name == "bit_length":
            return Method(base, name)
        case Poison():
            return base
        case Place() | Pointer():
            _no_field(f, base, name, node)
    raise f.error("type-mismatch", f"{describe(base)} has no attribute {name!r}", node)


def place_attribute(f: Lowering, base: Val, name: str, node: ast.Attribute) -> Place | None:
    """`base.name` as memory, if that is what it is."""
    if isinstance(base, Entry):
        base = maps.entry_pointer(f, base, node)
    if isinstance(base, Pointer):
        if name == "value":
            return memory.deref(f, base, node.value)
        if isinstance(base.target, StructType) and base.target.field(name):
            return memory.field(f, memory.deref(f, base, node.value), name, node)
        return None
    if isinstance(base, Place):
        if name == "value" and not (isinstance(base.layout, StructType) and base.layout.field("value")):
            return base
        return memory.field(f, base, name, node)
    if isinstance(base, Context):
        return f.unit.contexts.place(f, base, name, node)
    if isinstance(base, Known) and isinstance(base.value, Variable):
        whole = f.unit.variable_place(f, base.value, "", write=isinstance(node.ctx, ast.Store), node=node)
        return whole if name == "value" else memory.field(f, whole, name, node)
    return None


def _no_field(f: Lowering, base: Place | Pointer, name: str, node: ast.Attribute) -> None:
    layout = base.layout if isinstance(base, Place) else base.target
    if isinstance(layout, StructType):
        import difflib

        names = [m.name for m in layout.fields]
        close = difflib.get_close_matches(name, names, 1)
        raise f.error("no-field", f"{layout.name} has no field {name!r}", node,
                      help=f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}")
    raise f.error("no-field", f"{layout.name if layout else 'void'} has no field {name!r}", node,
                  help="a pointer to a number is read with '.value'" if isinstance(base, Pointer) else "")


def _known_attribute(f: Lowering, obj: Any, name: str, node: ast.Attribute) -> Val:
    if f.unit.is_map(obj) or isinstance(obj, int | str | bytes) and not isinstance(obj, enum.Enum):
        return Method(Known(obj), name)
    if obj is None:
        raise f.error("null-pointer", f"this is None: it has no {name!r}", node)
    if isinstance(obj, ModuleType | type | enum.Enum) or not isinstance(obj, FunctionType):
        try:
            return known(f, getattr(obj, name), name)
        except (AttributeError, RuntimeError):
            pass
    import difflib

    what = getattr(obj, "__name__", None) or type(obj).__name__
    close = difflib.get_close_matches(name, dir(obj), 1)
    raise f.error("undefined-name", f"{what!r} has no {name!r}", node, help=f"did you mean {close[0]!r}?" if close else "")


def _subscript(f: Lowering, node: ast.Subscript) -> Val:
    place = subscript_place(f, node)
    if isinstance(place, Place):
        return memory.load(f, place, node)
    return place


def subscript_place(f: Lowering, node: ast.Subscript) -> Val:
    """`base[index]`, as a place or an entry where it is one."""
    base = value(f, node.value)
    if isinstance(base, Known) and f.unit.is_map(base.value):
        return Entry(base.value, settle(f, value(f, node.slice), node.slice))
    if isinstance(base, Known) and (isinstance(base.value, Layout | type) or getattr(base.value, "type_word", False)):
        return Known(f.unit.evaluate(f, node))
    if isinstance(base, Known) and isinstance(base.value, str | bytes | tuple | list | dict):
        return _known_item(f, base.value, node)
    if isinstance(base, Many):
        index = value(f, node.slice)
        if isinstance(index, Known) and isinstance(index.value, int) and -len(base.items) <= index.value < len(base.items):
            return base.items[index.value]
        raise f.error("index", "a tuple takes a constant index inside it", node)
    if isinstance(base, Entry):
        base = maps.entry_pointer(f, base, node)
    if isinstance(base, Pointer):
        place = memory.deref(f, base, node.value)
        if not isinstance(place.layout, ArrayType):  # p[i] of a T*
            place = place._replace(layout=ArrayType(place.layout, 1 << 24))
        base = place
    if isinstance(base, Cursor):
        return packet.byte_at(f, base, integer(f, value(f, node.slice), node.slice), node)
    if isinstance(base, Place):
        return memory.element(f, base, integer(f, rvalue(f, node.slice), node.slice), node)
    if isinstance(base, Poison):
        return base
    raise f.ir_type_error("an array, a map or a pointer can be indexed", base, node)


def _known_item(f: Lowering, container: Any, node: ast.Subscript) -> Val:
    index = value(f, node.slice)
    if not isinstance(index, Known):
        raise f.error("index", "a constant sequence takes a constant index", node,
                      help="put it into a Const array to index it at run time")
    try:
        return Known(container[index.value])
    except (LookupError, TypeError) as error:
        raise f.error("index", f"this constant index is wrong: {error}", node) from None


# --- operators ---------------------------------------------------------------------------------------------------------------


def _binary(f: Lowering, node: ast.BinOp) -> Val:
    a, b = rvalue(f, node.left), rvalue(f, node.right)
    f.at(node)
    return operate(f, node.op, a, b, node)


def operate(f: Lowering, op: ast.operator, a: Val, b: Val, node: ast.AST) -> Val:
    """`a op b`."""
    if isinstance(a, Poison) or isinstance(b, Poison):
        return Poison()
    a, b = copied(f, a, node), copied(f, b, node)
    word = arith.WORDS[type(op)]
    if word == "/":
        raise f.error("unsupported", "'/' makes a float, which BPF has not", node, help="use '//'")
    if word == "@":
        f.unsupported("'@'", node)
    if isinstance(a, Pointer) or isinstance(b, Pointer):
        return _pointer_arithmetic(f, word, a, b, node)
    if isinstance(a, Known) and isinstance(b, Known) and not (isinstance(a.value, int) and isinstance(b.value, int)):
        return _known_operation(f, op, a.value, b.value, node)
    return arith.binary(f, word, integer(f, a, node), integer(f, b, node), node)


def _known_operation(f: Lowering, op: ast.operator, a: Any, b: Any, node: ast.AST) -> Val:
    """Constants of other kinds: bytes + bytes, types and so on."""
    import operator

    table: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: operator.add, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.BitOr: operator.or_,
    }
    try:
        if isinstance(op, ast.Mult) and max(x for x in (a, b, 0) if isinstance(x, int)) > LARGEST:
            raise ValueError("the result is enormous")
        return Known(table[type(op)](a, b))
    except (KeyError, TypeError, ValueError) as error:
        raise f.error("type-mismatch", f"these constants do not go together: {error}", node) from None


def _pointer_arithmetic(f: Lowering, word: str, a: Val, b: Val, node: ast.AST) -> Val:
    if isinstance(a, Pointer) and isinstance(b, Pointer) and word == "-":
        f.unit.need_same_memory(f, a, b, node)
        size = a.target.size if a.target else 1
        distance = Int.of(f.op("ptrdiff", a.ir, b.ir), I64)
        if a.type.region.startswith("packet"):
            distance = distance._replace(lo=-0xFFFF, hi=0xFFFF)
        return distance if size == 1 else arith.binary(f, "//", distance, arith.constant(size), node)
    if isinstance(a, Pointer) and word in "+-" and not isinstance(b, Pointer):
        offset = arith.binary(f, "*", integer(f, b, node), arith.constant(a.target.size if a.target else 1), node)
        number = integer(f, offset, node)
        if word == "-":
            number = integer(f, arith.negate(f, number, node), node)
        if a.present is not None and a.present not in f.facts:
            memory.deref(f, a, node)
        return a._replace(ir=f.address(a.ir, number.ir))
    raise f.error("type-mismatch", f"'{word}' is not for pointers", node)


def _unary(f: Lowering, node: ast.UnaryOp) -> Val:
    if isinstance(node.op, ast.Not):
        return conds.as_value(f, node)
    a = integer(f, rvalue(f, node.operand), node.operand)
    f.at(node)
    match node.op:
        case ast.USub():
            return arith.negate(f, a, node)
        case ast.Invert():
            return arith.invert(f, a)
    return a


def _bool_op(f: Lowering, node: ast.BoolOp) -> Val:
    """`a or b` as a value is the operand that decided."""
    end = f.join("end")
    is_or = isinstance(node.op, ast.Or)
    for operand in node.values[:-1]:
        left = rvalue(f, operand)
        if isinstance(left, Known):
            if bool(left.value) == is_or:
                if not end.arrivals:
                    return left
                f.env["$value"] = left
                goto(f, end)
                break
            continue
        rest, decided = f.join("rest"), f.join("decided")
        conds.truth(f, left, operand, *((decided, rest) if is_or else (rest, decided)))
        enter(f, decided)
        if f.reachable:
            f.env["$value"] = left
            goto(f, end)
        enter(f, rest)
    if f.reachable:
        result = rvalue(f, node.values[-1])
        if not end.arrivals:
            return result
        f.env["$value"] = result
        goto(f, end)
    enter(f, end)
    return f.use(f.env.pop("$value", Poison()), node)


def _if_exp(f: Lowering, node: ast.IfExp) -> Val:
    yes, no, end = f.join("then"), f.join("else"), f.join("end")
    conds.test(f, node.test, yes, no)
    for join, branch in (yes, node.body), (no, node.orelse):
        enter(f, join)
        if f.reachable:
            result = rvalue(f, branch)
            if f.reachable:
                f.env["$value"] = result
                goto(f, end)
    enter(f, end)
    return f.use(f.env.pop("$value", Poison()), node)


def _named(f: Lowering, node: ast.NamedExpr) -> Val:
    from . import stmts

    result = rvalue(f, node.value)
    stmts.assign_name(f, node.target, result)
    return f.env.get(node.target.id, result)


def _tuple(f: Lowering, node: ast.Tuple) -> Val:
    items = tuple(rvalue(f, item) for item in node.elts)
    if all(isinstance(i, Known) for i in items):
        return Known(tuple(i.value for i in items if isinstance(i, Known)))
    return Many(items)


def _list(f: Lowering, node: ast.List) -> Val:
    items = _tuple(f, ast.copy_location(ast.Tuple(node.elts, ast.Load()), node))
    return Known(list(items.value)) if isinstance(items, Known) else items


def _joined(f: Lowering, node: ast.JoinedStr) -> Val:
    f.unsupported("an f-string outside print()", node)


def _lambda(f: Lowering, node: ast.Lambda) -> Val:
    f.unsupported("a lambda here", node, "give the function a name at module level")


EXPRS: dict[type[ast.expr], Callable[[Lowering, Any], Val]] = {
    ast.Name: _name, ast.Constant: _constant, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.BinOp: _binary,
    ast.UnaryOp: _unary, ast.BoolOp: _bool_op, ast.Compare: conds.as_value, ast.IfExp: _if_exp, ast.NamedExpr: _named,
    ast.Tuple: _tuple, ast.List: _list, ast.Call: calls.call, ast.JoinedStr: _joined, ast.Lambda: _lambda,
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

__all__ = ["CompileError", "Record", "attribute", "integer", "known", "rvalue", "settle", "value"]
