"""Kernel types from BTF as layouts of the language: fields by name, offsets relocated when loading."""

from __future__ import annotations

from ..btf import Btf
from ..btf import types as bt
from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, Field, Layout, PtrType, StructType


class KernelTypes:
    """Converts types of one BTF, each once. Pointers to structs are followed when a field behind them is used."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._made: dict[int, Layout] = {}

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
            case bt.Typedef(type=target) | bt.Const(target) | bt.Volatile(target) | bt.Restrict(target):
                return self.layout(target) if target else TYPES["u8"]
            case bt.TypeTag(type=target):
                return self.layout(target)
            case bt.Enum(size=size, signed=signed) | bt.Enum64(size=size, signed=signed):
                return TYPES[f"{'i' if signed else 'u'}{size * 8}"]
            case bt.Ptr(target):
                return PtrType(self._pointee(target))
            case bt.Array(elem=elem, nelems=count):
                return ArrayType(self.layout(elem), count)
            case bt.Struct() | bt.Union():
                return self._struct(type_id, kind)
            case bt.Float(size=size):
                return ArrayType(TYPES["u8"], size)
        return TYPES["u8"]

    def _pointee(self, target: int) -> Layout | None:
        while target:
            kind = self.btf[target]
            if not isinstance(kind, bt.Const | bt.Volatile | bt.Restrict | bt.Typedef | bt.TypeTag):
                break
            target = kind.type
        else:
            return None
        if isinstance(kind, bt.Struct | bt.Union):
            return self._struct(target, kind)
        return None if isinstance(kind, bt.Fwd | bt.FuncProto) else self.layout(target)

    def _struct(self, type_id: int, kind: bt.Struct | bt.Union) -> StructType:
        found = self._made.get(type_id)
        if isinstance(found, StructType):
            return found
        made = self._made[type_id] = LazyStruct(self, kind)
        return made


class LazyStruct(StructType):
    """A kernel struct whose fields are converted when first asked for: task_struct alone reaches half the kernel."""

    __slots__ = ("_types", "_kind", "_fields")

    def __init__(self, types: KernelTypes, kind: bt.Struct | bt.Union) -> None:
        self._types, self._kind = types, kind
        self._fields: tuple[Field, ...] | None = None
        super().__init__(kind.name, (), kind.size, 8, union=isinstance(kind, bt.Union), core=True)

    @property
    def fields(self) -> tuple[Field, ...]:
        if self._fields is None:
            self._fields = tuple(
                Field(m.name, self._types.layout(m.type), m.bit_offset // 8 if not m.bits else m.bit_offset // 32 * 4,
                      m.bit_offset % 32 if m.bits else 0, m.bits) for m in self._kind.members)
        return self._fields

    @fields.setter
    def fields(self, value: tuple[Field, ...]) -> None:
        """Set by the base class's constructor; the real ones come later."""
