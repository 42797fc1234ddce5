"""Python functions of the user: programs, subprograms, and what is inlined where it is called."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dsl.hooks import Func, Program
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import Layout, PtrType, StructType
from ..errors import CompileError, Diagnostic
from ..ir.function import Function, Param
from ..ir.ops import Symbol
from ..ir.types import I64, PTR
from ..uapi import hooks
from . import arith, memory, stmts
from .context import Frame, Lowering
from .flow import Join, Retry, enter, goto
from .source import Source
from .values import I64 as I64_T
from .values import U64, Context, Int, Known, Place, Pointer, Poison, Record, Val

if TYPE_CHECKING:
    from .unit import Unit

# Program types whose answer nobody waits for: they may fall off their end.
_OBSERVERS = ("kprobe", "kretprobe", "uprobe", "uretprobe", "tracepoint", "tp", "raw_tracepoint", "raw_tp", "tp_btf",
              "perf_event", "fentry", "fexit", "iter", "ksyscall", "kretsyscall", "usdt", "syscall")
_RESULT, _RETRIES = "$result", 200


class Signature:
    """A subprogram compiled for given argument types: its IR function, and what calling it gives."""

    __slots__ = ("name", "result")

    def __init__(self, name: str, result: Int | None) -> None:
        self.name, self.result = name, result


class Functions:
    """The functions of a unit, each compiled once for each combination of argument types."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._compiled: dict[tuple[Any, ...], Signature] = {}
        self._active: list[FunctionType] = []

    # --- programs

    def program(self, program: Program[..., Any]) -> None:
        """Compile an entry program into the unit's module."""
        source = self.unit.sources.of(_plain(program.function))
        hook = hooks.match(program.section)
        if hook is None:
            raise CompileError([_unknown_hook(source, program.section)])
        observer = program.section.split("/")[0].split(".")[0] in _OBSERVERS
        self._active.append(source.function)
        try:
            self._with_retries(lambda: self._lower_program(program, source, hook, observer))
        finally:
            self._active.pop()

    def _lower_program(self, program: Program[..., Any], source: Source, hook: hooks.Hook, observer: bool) -> None:
        unit = self.unit
        reported = len(unit.diagnostics)
        fn = Function(program.name, span=source.span(source.node))
        f = Lowering(unit, fn, Frame(source, None), hook.default)
        entry = f.b.place(f.b.new_block("entry", [Param(PTR["ctx"], "ctx")]))
        f.at(source.node)
        kind = program.section if hook.context == "tracepoint" else hook.context
        if hook.context == "tracepoint":
            kind = "tracepoint/" + hooks.target(program.section)
        ctx = Context(entry.params[0], kind)
        f.hook_ctx = ctx
        try:
            self._bind_context(f, source, ctx)
        except CompileError as error:
            unit.report(error)
        self._body(f, source)
        if f.reachable:
            if not observer and len(unit.diagnostics) == reported:  # after an error, paths end where they would not
                unit.report(f.error("missing-return", f"{program.name}() can end without an answer to the kernel", source.node,
                                    help="end with a return, such as 'return XDP_PASS'"))
            f.b.ret(hook.default if observer else 0)
        f.finish()
        fn.btf_id = unit.types.func(program.name, [("ctx", None)], TYPES["i32"], 1)
        unit.module.functions[fn.name] = fn

    def _bind_context(self, f: Lowering, source: Source, ctx: Context) -> None:
        args = source.node.args.args
        if len(args) > 1 and ctx.kind == "args":
            self._bind_arguments(f, source, ctx)
            return
        if len(args) > 1:
            raise f.error("arguments", "a program takes one argument, its context", args[1])
        for arg in args:
            layout = self.unit.annotation(f, arg.annotation) if arg.annotation else None
            if isinstance(layout, PtrType):
                layout = layout.target
            if isinstance(layout, StructType):
                core = (layout, (0,)) if layout.core else None
                f.env[arg.arg] = Place(ctx.ir, 0, layout, core=core, writable=False)
            else:
                f.env[arg.arg] = ctx

    def _bind_arguments(self, f: Lowering, source: Source, ctx: Context) -> None:
        """The hooked function's own arguments, by position: 64-bit words behind ctx, pointers the verifier trusts."""
        for i, arg in enumerate(source.node.args.args):
            layout = self.unit.annotation(f, arg.annotation) if arg.annotation else None
            if isinstance(layout, PtrType | StructType):
                target = layout.target if isinstance(layout, PtrType) else layout
                f.env[arg.arg] = Pointer(f.b.load(ctx.ir, 8, 8 * i, type=PTR["kernel"]), target, writable=False)
            else:
                word = f.b.load(ctx.ir, 8, 8 * i)
                f.env[arg.arg] = arith.wrap(f, Int.of(word, U64), layout if isinstance(layout, IntType) else U64)

    def _body(self, f: Lowering, source: Source) -> None:
        node = source.node
        if isinstance(node, ast.Lambda):
            result = f.value(node.body)
            if f.reachable:
                self.give_back(f, result, node.body)
        else:
            stmts.body(f, node.body)

    def _with_retries(self, compile: Any) -> Any:
        for _ in range(_RETRIES):
            reported = len(self.unit.diagnostics)
            try:
                return compile()
            except Retry:
                del self.unit.diagnostics[reported:]
        raise AssertionError("the types of loop variables do not settle")

    # --- calls

    def call(self, f: Lowering, callee: Any, args: list[Val], named: Mapping[str, Val], node: ast.Call) -> Val:
        """A call of a user's function from another."""
        is_func = isinstance(callee, Func)
        function = _plain(callee.function if is_func else callee)
        source = self.unit.sources.of(function)
        if function in self._active:
            raise f.error("recursion", f"{function.__name__}() calls itself", node,
                          help="BPF has no recursion: write a loop")
        bound = self._bind(f, source, args, named, node)
        self._active.append(function)
        self.unit.call_sites.append((f.span(node), f.frame.source.name))
        try:
            if is_func:
                return self._call_subprogram(f, callee, source, bound, node)
            return self._inline(f, source, bound, node)
        finally:
            self._active.pop()
            self.unit.call_sites.pop()

    def _bind(self, f: Lowering, source: Source, args: list[Val], named: Mapping[str, Val], node: ast.Call) -> dict[str, Val]:
        """Arguments to parameters, as Python does it."""
        a = source.node.args
        if a.vararg or a.kwarg:
            raise f.error("unsupported", f"{source.name}() takes a variable number of arguments", node)
        names = [p.arg for p in (*a.posonlyargs, *a.args)]
        bound: dict[str, Val] = dict(zip(names, args))
        wanted = [*names, *(p.arg for p in a.kwonlyargs)]
        for name, value in named.items():
            if name not in wanted or name in bound:
                raise f.error("arguments", f"{source.name}() has no parameter {name!r} left", node)
            bound[name] = value
        function = source.function
        defaults = dict(zip(reversed(names), reversed(function.__defaults__ or ()))) | (function.__kwdefaults__ or {})
        for name in wanted:
            if name not in bound and name in defaults:
                bound[name] = Known(defaults[name])
        missing = [n for n in wanted if n not in bound]
        if missing or len(args) > len(names):
            raise f.error("arguments", f"{source.name}() takes {len(names)} arguments ({', '.join(names)}), {len(args)} given",
                          node)
        return {name: bound[name] for name in wanted}

    def _annotated(self, f: Lowering, source: Source) -> dict[str, Layout]:
        found = {}
        for p in (*source.node.args.posonlyargs, *source.node.args.args, *source.node.args.kwonlyargs):
            layout = self.unit.annotation(f, p.annotation) if p.annotation else None
            if layout is not None:
                found[p.arg] = layout
        return found

    def _inline(self, f: Lowering, source: Source, bound: dict[str, Val], node: ast.Call) -> Val:
        """The callee's body in the caller's place, with variables of its own."""
        outer, reported = f.env, len(self.unit.diagnostics)
        frame = Frame(source, f.join("return"))
        f.frames.append(frame)
        f.env = {n: v for n, v in outer.items() if n.startswith("$")}
        try:
            frame.declared = self._annotated(f, source)
            for name, value in bound.items():
                layout = frame.declared.get(name)
                if layout is not None:
                    value = stmts.convert(f, value, layout, node)
                elif isinstance(value, Record):
                    value = memory.materialize(f, value, value.layout, node)
                f.env[name] = value
            self._body(f, source)
            if f.reachable:
                self.give_back(f, Known(None), source.node)
        except CompileError:  # a parameter that does not fit: the caller goes on with its own variables
            f.env = outer
            raise
        finally:
            f.frames.pop()
        assert frame.returns is not None
        enter(f, frame.returns)
        f.at(node)
        result = f.env.pop(_RESULT, Poison()) if f.reachable else Poison()
        if len(self.unit.diagnostics) > reported:
            result = Poison()  # what is wrong in the callee is said; do not blame the caller
        hidden = {n: v for n, v in f.env.items() if n.startswith("$")}
        f.env = {n: v for n, v in outer.items() if not n.startswith("$")} | hidden
        return f.use(result, node)

    def give_back(self, f: Lowering, value: Val, node: ast.AST) -> None:
        """End this path with the function's result."""
        returns = f.frame.returns
        if returns is not None:
            self._return_inline(f, value, node, returns)
            return
        if isinstance(value, Poison):
            f.b.ret(0)
            return
        if value == Known(None):
            number = arith.constant(f.default or 0)
        else:
            number = f.integer(value, node)
        declared = self._result_type(f)
        if declared is not None:
            number = arith.wrap(f, number, declared)
        f.results.append(number)
        f.b.ret(number.ir)

    def _return_inline(self, f: Lowering, value: Val, node: ast.AST, returns: Join) -> None:
        declared = self._result_type(f)
        if declared is not None and value != Known(None) and not isinstance(value, Poison):
            value = arith.wrap(f, f.integer(value, node), declared)
        elif isinstance(value, Record):
            value = memory.materialize(f, value, value.layout, node)
        f.env = {n: v for n, v in f.env.items() if n.startswith("$")}
        f.env[_RESULT] = value
        goto(f, returns)

    def _result_type(self, f: Lowering) -> IntType | None:
        node = f.frame.source.node
        if isinstance(node, ast.Lambda) or node.returns is None:
            return None
        if isinstance(node.returns, ast.Constant) and node.returns.value is None:
            return None
        layout = self.unit.annotation(f, node.returns)
        return layout if isinstance(layout, IntType) and f.unit.evaluate(f, node.returns) is not int else None

    # --- subprograms

    def _call_subprogram(self, f: Lowering, callee: Func[..., Any], source: Source, bound: dict[str, Val],
                         node: ast.Call) -> Val:
        if not 0 <= len(bound) <= 5:
            raise f.error("arguments", f"a BPF subprogram takes at most five arguments, {source.name}() has {len(bound)}",
                          node, help="pass a struct, or drop @bpf.func to have it inlined")
        annotated = self._annotated(f, source)
        params: dict[str, Val] = {}
        for name, value in bound.items():
            layout = annotated.get(name)
            if layout is not None and not (isinstance(value, Place) and isinstance(layout, PtrType)):
                value = stmts.convert(f, value, layout, node)
            params[name] = _passable(f, value, source.name, name, node)
        key = (callee, *(_shape(v) for v in params.values()))
        signature, reported = self._compiled.get(key), len(self.unit.diagnostics)
        if signature is None:
            signature = self._with_retries(lambda: self._lower_subprogram(f, callee, source, params))
            self._compiled[key] = signature
        if len(self.unit.diagnostics) > reported:
            return Poison()
        args = [v.ir for v in params.values() if isinstance(v, Int | Pointer | Context)]
        ir = f.b.op("call", *args, type=I64, attr=Symbol(signature.name), hint=source.name)
        return signature.result._replace(ir=ir) if signature.result is not None else Known(None)

    def _lower_subprogram(self, outer: Lowering, callee: Func[..., Any], source: Source,
                          params: dict[str, Val]) -> Signature:
        unit = self.unit
        name = source.name
        while name in unit.module.functions:
            name += "_"
        fn = Function(name, static=not callee.global_, span=source.span(source.node))
        f = Lowering(unit, fn, Frame(source, None), 0)
        f.frame.declared = self._annotated(f, source)
        entry = f.b.place(f.b.new_block("entry"))
        layouts: list[tuple[str, Layout | None]] = []
        for param_name, value in params.items():
            assert isinstance(value, Int | Pointer | Context)
            param = Param(value.ir.type if not isinstance(value, Int) else I64, param_name)
            entry.params.append(param)
            if isinstance(value, Int):
                f.env[param_name] = Int(param, value.type, value.type.lo, value.type.hi)
                layouts.append((param_name, value.type))
            elif isinstance(value, Pointer):
                f.env[param_name] = value._replace(ir=param, present=None)
                layouts.append((param_name, PtrType(value.target)))
            else:
                f.env[param_name] = f.hook_ctx = value._replace(ir=param)
                layouts.append((param_name, None))
        f.at(source.node)
        self._body(f, source)
        if f.reachable:
            self.give_back(f, Known(None), source.node)
        f.finish()
        result = _join_results(f)
        fn.btf_id = unit.types.func(name, layouts, result.type if result else TYPES["i32"], 1 if callee.global_ else 0)
        unit.module.functions[name] = fn
        return Signature(name, result)


def _join_results(f: Lowering) -> Int | None:
    """One type for all that a function returns."""
    if not f.results:
        return None
    lo, hi = min(r.lo for r in f.results), max(r.hi for r in f.results)
    types = {r.type for r in f.results if not arith.is_exact(r)}
    if len(types) == 1 and arith.fits((lo, hi), next(iter(types))):
        type = types.pop()
    else:
        type = I64_T if arith.fits((lo, hi), I64_T) else U64
    if not arith.fits((lo, hi), type):
        f.unit.report(f.error("mixed-sign", "this function returns a u64 on one path and maybe a negative on another",
                              f.frame.source.node, help="annotate the result: '-> i64' or '-> u64'"))
    return Int(f.results[0].ir, type, lo, hi)


def _passable(f: Lowering, value: Val, function: str, name: str, node: ast.Call) -> Int | Pointer | Context:
    """A value as a register can carry it into a subprogram."""
    if isinstance(value, Known) and isinstance(value.value, int):
        return arith.constant(int(value.value))
    if isinstance(value, Int | Context):
        return value
    if isinstance(value, Place) and not isinstance(value.layout, IntType):
        return Pointer(memory.address(f, value), value.layout, access=value.access, writable=value.writable)
    if isinstance(value, Pointer):
        if value.present is not None and value.present not in f.facts:
            memory.deref(f, value, node)
        return value
    raise f.ir_type_error(f"the parameter {name!r} of {function}() takes a number or a pointer", value, node,
                          "drop @bpf.func: a plain function is inlined and takes anything")


def _shape(value: Val) -> tuple[Any, ...]:
    """What of an argument the callee's code depends on."""
    if isinstance(value, Int):
        return ("int", value.type)
    if isinstance(value, Pointer):
        return ("ptr", value.target, value.ir.type, value.access)
    return ("ctx", value.kind) if isinstance(value, Context) else ("other",)


def _plain(function: Any) -> FunctionType:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    assert isinstance(function, FunctionType)
    return function


def _unknown_hook(source: Source, section: str) -> Diagnostic:
    import difflib

    close = difflib.get_close_matches(section.split("/")[0], [h.name for h in hooks.HOOKS], 1)
    return Diagnostic("unknown-hook", f"no hook is called {section!r}", source.span(source.node),
                      help=f"did you mean {close[0]!r}?" if close else "'purebpf features' lists the hooks")
