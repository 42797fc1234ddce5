"""One compilation: what its programs reach (maps, variables, functions), and what is wrong with them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..dsl import maps as decl
from ..dsl.globals import Variable
from ..dsl.helpers import Helper
from ..dsl.layout import Layout, OptionalType, StructType
from ..dsl.memory import layout_of
from ..errors import CompileError, Diagnostic, Span
from ..ir.function import Const, Module, Value
from ..ir.ops import Core, CoreConst
from ..ir.ops import Data as DataAttr
from ..ir.ops import Helper as HelperAttr
from ..ir.types import I64, PTR, VOID, Type
from ..uapi.helpers import IDS
from . import functions, memory, packet
from .data import Data, Types, map_spec
from .hook import Contexts
from .source import Source, Sources
from .stmts import assigned
from .values import I64 as I64_T
from .values import U64 as U64_T
from .values import Context, Int, Known, Place, Pointer, Text, Val

if TYPE_CHECKING:
    from ..btf import Btf
    from ..spec import MapSpec
    from .context import Lowering
    from .hook import TracepointFormat

TYPE_EXISTS = 8  # CO-RE relocation kind

# What helpers do to memory that a program sees: (pure for the whole run, may write).
_QUIET = {
    "get_current_pid_tgid": (True, False), "get_current_uid_gid": (True, False), "get_current_task": (True, False),
    "get_smp_processor_id": (False, False), "ktime_get_ns": (False, False), "ktime_get_boot_ns": (False, False),
    "get_prandom_u32": (False, False), "map_lookup_elem": (False, False), "trace_printk": (False, False),
}


class Unit:
    """What one call of `compile_programs` builds."""

    def __init__(self, license: str, kernel: Callable[[], Btf | None], formats: TracepointFormat) -> None:
        self.license = license
        self.sources = Sources()
        self.types = Types()
        self.data = Data(self.types)
        self.contexts = Contexts(kernel, formats)
        self.module = Module()
        self.diagnostics: list[Diagnostic] = []
        self.forced: dict[tuple[int, str], str] = {}
        self.call_sites: list[tuple[Span, str]] = []
        self.cursors = 0
        self.void = VOID
        self.functions = functions.Functions(self)
        self._maps: dict[int, tuple[str, decl.Map]] = {}
        self._variables: dict[int, tuple[str, Variable[Any]]] = {}
        self._locals: dict[ast.AST, set[str]] = {}
        self._keys: dict[ast.AST, int] = {}

    # --- diagnostics

    def report(self, error: CompileError) -> None:
        """Keep an error and go on: the user gets all of them at once."""
        for diagnostic in error.diagnostics:
            if diagnostic not in self.diagnostics:
                self.diagnostics.append(diagnostic)

    def key(self, f: Lowering, node: ast.AST) -> int:
        """A number for a syntax node, the same when its function is compiled again."""
        return self._keys.setdefault(node, len(self._keys) + 1)

    def locals_of(self, source: Source) -> set[str]:
        """The names a function assigns somewhere: Python makes them local everywhere in it."""
        node = source.node
        if node not in self._locals:
            names = assigned(node.body if isinstance(node, ast.FunctionDef) else [node.body])
            arguments = node.args
            names |= {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            self._locals[node] = names
        return self._locals[node]

    def annotation(self, f: Lowering, node: ast.expr) -> Layout | None:
        """The layout an annotation names; None for `Any` and the like, which say nothing."""
        word = self.evaluate(f, node)
        if word is None or getattr(word, "__module__", "") in ("typing", "builtins") and word not in (int, bool):
            return None
        args = getattr(word, "__args__", ())
        if type(None) in args:
            word = next(a for a in args if a is not type(None))
        try:
            layout = layout_of(word)
        except TypeError as error:
            raise f.error("type-mismatch", str(error), node) from None
        return layout.some if isinstance(layout, OptionalType) else layout

    def evaluate(self, f: Lowering, node: ast.expr) -> Any:
        """A type expression, evaluated by Python in the function's scope."""
        scope = {**f.frame.source.scope(), **{n: v.value for n, v in f.env.items() if isinstance(v, Known)}}
        try:
            result = eval(compile(ast.Expression(node), f.frame.source.file, "eval"), scope)
            return eval(result, scope) if isinstance(result, str) else result
        except Exception as error:  # noqa: BLE001 - whatever a user's annotation raises is a mistake in it
            raise f.error("type-mismatch", f"this type cannot be evaluated: {error}", node) from None

    # --- maps and variables

    @staticmethod
    def is_map(obj: Any) -> bool:
        return isinstance(obj, decl.Map)

    def map_name(self, map: decl.Map, name: str = "") -> str:
        """The name a map has in the object: that of the Python variable it was first reached by."""
        found = self._maps.get(id(map))
        if found is None:
            taken = {n for n, _ in self._maps.values()}
            name = name or f"map{len(self._maps)}"
            while name in taken:
                name += "_"
            found = self._maps[id(map)] = name, map
        return found[0]

    def variable_name(self, variable: Variable[Any], name: str) -> str:
        """The name of a global variable."""
        return self._variables.setdefault(id(variable), (name or f"var{len(self._variables)}", variable))[0]

    def variable_place(self, f: Lowering, variable: Variable[Any], name: str, *, write: bool = False,
                       node: ast.AST | None = None) -> Place:
        """Where a global variable is."""
        if write and variable.read_only:
            raise f.error("read-only", "a Const cannot be assigned in a program", node,
                          help="declare it as Global, or set it when loading: load(…, constants={…})")
        name = self.variable_name(variable, name)
        try:
            section, offset = self.data.place(variable, name)
        except (ValueError, TypeError) as error:
            raise f.error("constant", f"the initial value does not fit: {error}", node) from None
        ptr = f.b.op("dataaddr", type=PTR["data"], attr=DataAttr(section, offset, name))
        return Place(ptr, 0, variable.layout, writable=not variable.read_only)

    def variable(self, f: Lowering, variable: Variable[Any], name: str) -> Val:
        """A global variable read by name: its value, or its place if it is an array or a struct."""
        return memory.load(f, self.variable_place(f, variable, name), f.node)

    def constant_bytes(self, f: Lowering, data: bytes) -> Value:
        """The address of constant bytes in .rodata."""
        section, offset = self.data.constant(data)
        return f.b.op("dataaddr", type=PTR["data"], attr=DataAttr(section, offset))

    def map_specs(self) -> dict[str, MapSpec]:
        """The maps that were reached."""
        return {name: map_spec(self.types, map, name) for name, map in self._maps.values()}

    def names(self) -> dict[Any, str]:
        """Declaration -> name in the object."""
        return {obj: name for name, obj in (*self._maps.values(), *self._variables.values())}

    # --- helpers

    def call_helper(self, f: Lowering, name: str, *args: Value | int, result: Type = I64) -> Value:
        """Call a kernel helper; arguments are numbers and pointers already."""
        if not _gpl_compatible(self.license) and self.is_gpl_only(name):  # in this order: most programs need no look-up
            raise f.error("gpl-only", f"the helper {name} is for GPL programs, this one is {self.license!r}", f.node,
                          help="leave the licence at 'GPL', or do without the helper")
        pure, writes = _QUIET.get(name, (False, True))
        return f.b.op("helper", *args, type=result, attr=HelperAttr(IDS[name], name, pure, writes), hint=name)

    def is_gpl_only(self, name: str) -> bool:
        from ..dsl import helpers

        return bool(getattr(helpers, name).gpl)

    def helper(self, f: Lowering, helper: Helper, args: list[Val], node: ast.Call) -> Val:
        """A helper the user calls by its kernel name."""
        if len(args) > len(helper.params) or len(args) > 5:
            raise f.error("arguments", f"{helper.name}() takes {len(helper.params)} arguments, {len(args)} given", node,
                          help=f"{helper.name}({', '.join(f'{n}: {t}' for n, t in helper.params)})")
        values = [self.argument(f, a, node) for a in args]
        returns = helper.ret
        region = "value" if helper.name == "map_lookup_elem" else "mem" if "Ptr" in returns and "None" in returns else ""
        ir = self.call_helper(f, helper.name, *values, result=PTR[region] if region else I64)
        if helper.invalidates_packet:
            packet.invalidate(f)
        if region:
            return Pointer(ir, None, f.op("ne", ir, 0), f"{helper.name} found nothing")
        if returns == "None" or returns == "void":
            return Known(None)
        return Int.of(ir, U64_T if returns.startswith("u") else I64_T)

    def argument(self, f: Lowering, value: Val, node: ast.AST) -> Value:
        """A value as a helper takes it: a number, or the address of memory."""
        match value:
            case Known(None):
                return Const(0)
            case Known(decl.Map() as map):
                from .maps import map_address

                return map_address(f, map)
            case Known(str() | bytes() as text):
                return self.constant_bytes(f, (text.encode() if isinstance(text, str) else text) + b"\0")
            case Context(ir):
                return ir
            case Pointer():
                if value.copy:
                    return f.integer(value, node).ir
                if value.present is not None and value.present not in f.facts and value.target is not None:
                    memory.deref(f, value, node)
                return value.ir
            case Place():
                return memory.address(f, value)
            case Text(address):
                return address
        return f.integer(value, node).ir

    def need_same_memory(self, f: Lowering, a: Pointer, b: Pointer, node: ast.AST) -> None:
        """Comparing or subtracting pointers into different memory means nothing."""
        kinds = {p.type.region.split("_")[0] for p in (a, b)}
        if len(kinds) > 1:
            raise f.error("type-mismatch", "these pointers are into different kinds of memory", node)

    def type_exists(self, f: Lowering, layout: StructType) -> Value:
        """1 if the running kernel has the type."""
        return f.b.op("core", attr=CoreConst(Core(self.types.id_of(layout), "0", TYPE_EXISTS), 1))

    # --- functions

    def call_function(self, f: Lowering, callee: Any, args: list[Val], named: Mapping[str, Val], node: ast.Call) -> Val:
        """A Python function of the user is called."""
        return self.functions.call(f, callee, args, named, node)

    def give_back(self, f: Lowering, value: Val, node: ast.AST) -> None:
        """`return value`."""
        self.functions.give_back(f, value, node)


def _gpl_compatible(license: str) -> bool:
    """As the kernel's license_is_gpl_compatible."""
    return license in ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")


