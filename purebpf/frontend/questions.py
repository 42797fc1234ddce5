"""CO-RE's questions: what a kernel type is on the machine where the program is loaded. A branch that the answer rules out is
not verified there."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..dsl.ints import TYPES
from ..dsl.kernel import KernelName
from ..dsl.layout import ArrayType, EnumRef, Field, Layout, PtrType, StructType
from ..tree.kinds import Const, Int, Ptr
from ..tree.nodes import Arith, Bits, CoreInfo, Either, Expr, Move, Number
from . import arith, memory
from .context import Checker
from .ktypes import LazyStruct

U32, U64 = TYPES["u32"], TYPES["u64"]
TRUTH = Int(U32, 0, 1)
ABSENT = "___absent"  # the flavour of types that this kernel does not have: the VM, whose kernel is the object's own, has it neither
# What a member may be that this kernel does not have: the kinds that CO-RE tells apart.
SHAPES = (U32, PtrType(None), StructType("", (), 1, 1, core=True), ArrayType(U32, 1))


def _struct(c: Checker, value: Expr, name: str, node: ast.AST) -> StructType:
    """The kernel type that an argument names."""
    word = value.kind.value if isinstance(value.kind, Const) else None
    layout = word if isinstance(word, StructType) else getattr(word, "__bpf_layout__", None)
    if not isinstance(layout, StructType):
        raise c.mismatch(f"{name}() takes a kernel type", value.kind, node)
    return layout


def _path(c: Checker, layout: StructType, name: str, word: str, node: ast.AST) -> tuple[Field, ...]:
    """The way to a member, "a.b" for one inside another; () for one that this kernel's type does not have."""
    found: list[Field] = []
    at: Layout | None = layout
    for part in name.split("."):
        if not isinstance(at, StructType):
            target = at.target if isinstance(at, PtrType) else None
            raise c.error("no-field", f"{found[-1].name!r} is a {at.name if at else 'pointer'}, not a part of {layout.name}", node,
                          help=f"ask of {target.name}: bpf.{word}({target.name}, {part!r})" if target is not None else "")
        path = at.path(part)
        if not path and isinstance(layout, LazyStruct):
            return ()
        if not path:
            error = memory.no_field(c, at, part, node)
            raise c.error("no-field", error.diagnostics[0].message, node, help="name it in the class first")
        c.unit.claims.asked.add((layout.name, name))
        for field in path:
            if isinstance(at, LazyStruct):
                at.use(field)
            at = field.type
            found.append(field)
    return tuple(found)


def _member(c: Checker, args: list[Expr], word: str, node: ast.Call) -> tuple[StructType, str, tuple[Field, ...]]:
    name = args[1].kind.value if isinstance(args[1].kind, Const) else None
    if not isinstance(name, str):
        raise c.error("type-mismatch", f"{word}() takes a kernel type and the name of a field", node)
    layout = _struct(c, args[0], word, node)
    return layout, name, _path(c, layout, name, word, node)


def _there(c: Checker, args: list[Expr], word: str, node: ast.Call) -> tuple[StructType, tuple[Field, ...]]:
    layout, name, path = _member(c, args, word, node)
    if not path:
        raise memory.no_field(c, layout, name, node)
    return layout, path


def _any(c: Checker, what: str, roots: Iterable[tuple[Layout, tuple[Field, ...]]], node: ast.AST) -> Expr:
    """Is it there in one of these forms?"""
    span = c.span(node)
    result: Expr | None = None
    for root, path in roots:
        one = CoreInfo(span, TRUTH, what, root, path, 0)
        result = one if result is None else Either(span, TRUTH, result, one)
    assert result is not None
    return result


def field_exists(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    layout, name, path = _member(c, args, "field_exists", node)
    if path:
        return CoreInfo(c.span(node), TRUTH, "field_exists", layout, path, 1)
    if "." in name:
        raise memory.no_field(c, layout, name.split(".")[0], node)
    forms = [Field(name, shape, 0) for shape in SHAPES]
    return _any(c, "field_exists", [(StructType(layout.name + ABSENT, (f,), f.type.size, f.type.align, union=layout.union, core=True), (f,))
                                    for f in forms], node)


def type_exists(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    name = args[0].kind.value if isinstance(args[0].kind, Const) else None
    if isinstance(name, str):
        layout = c.unit.kernel.named(name)
        if not isinstance(layout, StructType):
            forms: list[Layout] = [StructType(name + ABSENT, (), 1, 1, core=True), StructType(name + ABSENT, (), 1, 1, union=True, core=True),
                                   EnumRef(name + ABSENT, "", 0)]
            return _any(c, "type_exists", [(form, ()) for form in forms], node)
    else:
        layout = _struct(c, args[0], "type_exists", node)
    c.unit.claims.asked.add((layout.name, ""))
    return CoreInfo(c.span(node), TRUTH, "type_exists", layout, (), 1)


def type_size(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    layout = _struct(c, args[0], "type_size", node)
    return CoreInfo(c.span(node), Int.of(U32), "type_size", layout, (), layout.size)


def type_matches(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return CoreInfo(c.span(node), TRUTH, "type_matches", _struct(c, args[0], "type_matches", node), (), 1)


def field_size(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    layout, path = _there(c, args, "field_size", node)
    return CoreInfo(c.span(node), Int.of(U32), "byte_size", layout, path, path[-1].type.size)


def offsetof(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    layout, path = _there(c, args, "offsetof", node)
    offset = sum(f.offset for f in path)
    if not layout.core:
        return c.lit(offset, node)
    return CoreInfo(c.span(node), Int(U32, 0, 1 << 24), "byte_off", layout, path, offset)


def container_of(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`container_of(p, T, "member")`: the T that `p`, a pointer to a member of it, lies in."""
    pointer, kind = args[0], args[0].kind
    if not isinstance(kind, Ptr) or kind.null:
        raise c.mismatch("container_of() takes a pointer, a type and the name of a member", kind, node)
    offset = offsetof(c, args[1:], node)
    back = arith.integer(c, arith.binary(c, "-", Number(c.span(node), 0), arith.integer(c, offset, node), node), node)
    layout = _struct(c, args[1], "container_of", node)
    if kind.access == "direct" and kind.region != "kernel":
        return Move(c.span(node), kind._replace(target=layout, fresh=False, thing=False), pointer, back)
    there = kind._replace(target=layout, region="", access="probe" if kind.access == "direct" else kind.access, fresh=False, thing=False)
    address = Bits(pointer.span, Int.of(U64), pointer)
    return Bits(c.span(node), there, Arith(c.span(node), Int.of(U64), "+", address, back))


# --- enumerators -----------------------------------------------------------------------------------------------------


def _enumerator(c: Checker, word: str, node: ast.Call) -> EnumRef | int:
    """The enumerator that the argument names, in its enum; the number itself where the enum has no name."""
    if len(node.args) != 1 or node.keywords:
        raise c.error("arguments", f"{word}() takes 1 argument, {len(node.args) + len(node.keywords)} given", node)
    obj = c.unit.evaluate(c, node.args[0], c.frame.source)
    if not isinstance(obj, KernelName):
        raise c.error("type-mismatch", f"{word}() takes an enumerator of the kernel's", node,
                      help="import it: 'from purebpf.kernel import TCP_ESTABLISHED'")
    found = c.unit.kernel.enumerator_of(obj.name)
    if found is None:
        raise c.error("kernel-type", f"the kernel has no enumerator {obj.name!r}", node)
    return found


def enum_value(c: Checker, node: ast.Call) -> Expr:
    """`enum_value(X)`: the number that X is where the program is loaded."""
    found = _enumerator(c, "enum_value", node)
    if isinstance(found, int):
        return c.lit(found, node)
    return CoreInfo(c.span(node), Int.of(TYPES["u64" if found.value >= 0 else "i64"]), "enum_value", found, (), found.value)


def enum_exists(c: Checker, node: ast.Call) -> Expr:
    """`enum_exists(X)`: has the kernel this enumerator?"""
    found = _enumerator(c, "enum_exists", node)
    if isinstance(found, int):
        return c.lit(True, node)
    return CoreInfo(c.span(node), TRUTH, "enum_exists", found, (), 1)


def sizeof(c: Checker, layout: Layout, node: ast.AST) -> Expr:
    """`sizeof(T)` of a kernel type: the loader says."""
    return CoreInfo(c.span(node), Int.of(U32), "type_size", layout, (), layout.size)
