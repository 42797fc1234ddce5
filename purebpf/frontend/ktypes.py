"""Kernel types from BTF as layouts of the language: fields by name, offsets relocated when loading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..btf import Btf
from ..btf import types as bt
from ..dsl.ints import TYPES
from ..dsl.kernel import KernelName
from ..dsl.layout import ArrayType, EnumRef, Field, FuncType, KptrType, Layout, OptionalType, PtrType, StructType

MODIFIERS = (bt.Const, bt.Volatile, bt.Restrict, bt.Typedef, bt.TypeTag)
BIG_ENDIAN = {"__be16": "be16", "__be32": "be32", "__be64": "be64"}


class KernelTypes:
    """Converts types of one BTF, each once. Pointers to structs are followed when a field behind them is used."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._made: dict[int, Layout] = {}

    def named(self, name: str) -> Layout | None:
        """The struct, union, typedef, enum or number of that name; None if this kernel has none."""
        for kind in ((bt.Struct, bt.Union), bt.Typedef, (bt.Enum, bt.Enum64, bt.Int)):
            found = self.btf.find(name, kind)
            if found:
                return self.layout(found)
        return None

    def layout(self, type_id: int) -> Layout:
        """The layout of a type; what the language has no word for is bytes."""
        if type_id not in self._made:
            self._made[type_id] = self._convert(type_id)
        return self._made[type_id]

    def _convert(self, type_id: int) -> Layout:
        kind = self.btf[type_id]
        match kind:
            case bt.Int(name=name, size=size, encoding=encoding):
                if name == "char":
                    return TYPES["char"]
                if encoding & bt.BOOL:
                    return TYPES["bool"]
                return TYPES.get(f"{'i' if encoding & bt.SIGNED else 'u'}{size * 8}") or ArrayType(TYPES["u8"], size)
            case bt.Typedef(name=name) if name in BIG_ENDIAN:
                return TYPES[BIG_ENDIAN[name]]
            case bt.Typedef(name=name, type=target) if target and not getattr(self.btf[target], "name", "x"):
                made = self.layout(target)
                if isinstance(made, LazyStruct):
                    made.alias(name)
                return made
            case bt.Typedef(type=target) | bt.Const(target) | bt.Volatile(target) | bt.Restrict(target):
                return self.layout(target) if target else TYPES["u8"]
            case bt.TypeTag(type=target):
                return self.layout(target)
            case bt.Enum(size=size, signed=signed) | bt.Enum64(size=size, signed=signed):
                return TYPES[f"{'i' if signed else 'u'}{size * 8}"]
            case bt.Ptr(target):
                return self._pointer(target)
            case bt.Array(elem=elem, nelems=count):
                return ArrayType(self.layout(elem), count)
            case bt.Struct() | bt.Union():
                return self._struct(type_id, kind)
            case bt.Float(size=size):
                return ArrayType(TYPES["u8"], size)
        return TYPES["u8"]

    def prototype(self, proto: bt.FuncProto) -> FuncType:
        """A function's type, as an object declares it: enums are enums there."""
        params = tuple((p.name, self._declared(p.type)) for p in proto.params)
        return FuncType(params, self._declared(proto.ret))

    def _declared(self, type_id: int) -> Layout | None:
        while type_id:
            kind = self.btf[type_id]
            match kind:
                case bt.Enum(name=name) | bt.Enum64(name=name):
                    return EnumRef(name, "", 0)
                case bt.FuncProto():
                    return self.prototype(kind)
                case bt.Ptr(target):
                    there = self._declared(target)
                    known = self._pointer(target)
                    return PtrType(there, known.user, known.tag)
                case bt.Typedef() | bt.Const() | bt.Volatile() | bt.Restrict() | bt.TypeTag():
                    type_id = kind.type
                case bt.Fwd():
                    return None
                case _:
                    return self.layout(type_id)
        return None

    def _pointer(self, target: int) -> PtrType:
        """A pointer, with what the kernel's tags say of it."""
        tag = ""
        while target:
            kind = self.btf[target]
            if not isinstance(kind, MODIFIERS):
                break
            if isinstance(kind, bt.TypeTag):
                tag = kind.name
            if isinstance(kind, bt.Typedef):
                return PtrType(self.layout(target), tag == "user", tag)
            target = kind.type
        else:
            return PtrType(None, tag == "user", tag)
        if isinstance(kind, bt.Struct | bt.Union):
            return PtrType(self._struct(target, kind), tag == "user", tag)
        return PtrType(None if isinstance(kind, bt.Fwd | bt.FuncProto) else self.layout(target), tag == "user", tag)

    def _struct(self, type_id: int, kind: bt.Struct | bt.Union) -> StructType:
        found = self._made.get(type_id)
        if isinstance(found, StructType):
            return found
        made = self._made[type_id] = LazyStruct(self, kind)
        return made


class LazyStruct(StructType):
    """A kernel struct whose fields are converted when first asked for: task_struct alone reaches half the kernel. The
    object's BTF names those members alone that the program uses (`use`), before anything is lowered."""

    __slots__ = ("_types", "_kind", "_fields", "_used")

    def __init__(self, types: KernelTypes, kind: bt.Struct | bt.Union) -> None:
        self._types, self._kind = types, kind
        self._fields: tuple[Field, ...] | None = None
        self._used: set[Field] = set()
        super().__init__(kind.name, (), kind.size, 8, union=isinstance(kind, bt.Union), core=True)

    @property
    def fields(self) -> tuple[Field, ...]:
        if self._fields is None:
            self._fields = tuple(map(self._field, self._kind.members))
        return self._fields

    @fields.setter
    def fields(self, value: tuple[Field, ...]) -> None:
        """Set by the base class's constructor; the real ones come later."""

    def _field(self, m: bt.Member) -> Field:
        layout = self._types.layout(m.type)
        if not m.bits:
            return Field(m.name, layout, m.bit_offset // 8)
        unit = layout.size * 8
        return Field(m.name, layout, m.bit_offset // unit * layout.size, m.bit_offset % unit, m.bits)

    def alias(self, name: str) -> None:
        """A struct that has a name only as a typedef."""
        self.name, self.typedef = name, True

    def use(self, field: Field) -> None:
        """The program reaches this member."""
        self._used.add(field)

    def emitted(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f in self._used)


class Function(NamedTuple):
    """A function of the kernel: where its types are, and its prototype."""

    types: KernelTypes
    proto: bt.FuncProto


class KernelFacts:
    """What the programs of one build ask about the kernel: its BTF, opened when the first of them asks, and that of its
    modules, when it is not in there. One layout a type, so that pointers to it are of one kind wherever they come from."""

    __slots__ = ("_open", "_opened", "_known", "_resolved")

    def __init__(self, open: Callable[[], Iterable[Btf]]) -> None:
        self._open = open
        self._opened: Iterator[Btf] | None = None
        self._known: list[KernelTypes] = []
        self._resolved: dict[str, Layout | None] = {}

    def _all(self) -> Iterator[KernelTypes]:
        yield from self._known
        if self._opened is None:
            self._opened = iter(self._open())
        for btf in self._opened:
            self._known.append(KernelTypes(btf))
            yield self._known[-1]

    @property
    def types(self) -> KernelTypes | None:
        """The kernel's own types; None where it shows none."""
        return next(self._all(), None)

    def named(self, name: str) -> Layout | None:
        """A type by its name, of the kernel or of a module."""
        if name not in self._resolved:
            self._resolved[name] = next((t for t in (types.named(name) for types in self._all()) if t is not None), None)
        return self._resolved[name]

    def enumerator_of(self, name: str) -> EnumRef | int | None:
        """An enumerator; its number alone where its enum has no name."""
        from ..btf.enumerators import enumerator

        for types in self._all():
            found = enumerator(types.btf, name)
            if found is not None:
                enum: str = getattr(types.btf[found.enum], "name", "")
                return EnumRef(enum, name, found.value) if enum else found.value
        return None

    def enumerator(self, name: str) -> int | None:
        """The number that an enumerator is."""
        found = self.enumerator_of(name)
        return found.value if isinstance(found, EnumRef) else found

    def function(self, name: str) -> Function | None:
        """A function's prototype."""
        for types in self._all():
            found = types.btf.find(name, bt.Func)
            func = types.btf[found] if found else None
            proto = types.btf[func.proto] if isinstance(func, bt.Func) else None
            if isinstance(proto, bt.FuncProto):
                return Function(types, proto)
        return None

    def functions(self, prefix: str = "") -> list[str]:
        """Names of functions, for hints."""
        return [one.name for types in self._known for _, one in types.btf.of_kind(bt.Func)
                if isinstance(one, bt.Func) and one.name.startswith(prefix)]

    def resolve(self, layout: Layout | None) -> Layout | None:
        """The layout with the kernel's types in place of their names. None for a name that the kernel does not have."""
        match layout:
            case KernelName(name=name):
                return self.named(name)
            case KptrType(target=KernelName() as target):
                there = self.resolve(target)
                return KptrType(there) if there is not None else None
            case PtrType(target=KernelName() as target):
                there = self.resolve(target)
                return PtrType(there, layout.user, layout.tag) if there is not None else None
            case ArrayType(elem=KernelName() | PtrType() as elem, count=count):
                there = self.resolve(elem)
                return layout if there is elem else ArrayType(there, count) if there is not None else None
            case OptionalType(some=some):
                there = self.resolve(some)
                return layout if there is some else OptionalType(there) if there is not None else None
        return layout
