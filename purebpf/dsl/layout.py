"""What every type of the language knows about itself at rest: name, size, alignment; and the shapes built of others.

Sizes and offsets are bytes, all as C lays out; the position of a bit-field is how many bits of its unit are before it, which
`order.Order.lowest` makes a shift of. Types are immutable and compare by
identity, except arrays and pointers, which compare by what they are made of.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Layout:
    """A type with a known layout in memory."""

    __slots__ = ("name", "size", "align")

    def __init__(self, name: str, size: int, align: int) -> None:
        self.name, self.size, self.align = name, size, align

    def __repr__(self) -> str:
        return self.name

    def __getitem__(self, count: Any) -> Layout:
        return ArrayType(self, count)

    def __or__(self, other: object) -> Layout:
        """`T | None` in an annotation."""
        return OptionalType(self) if other is None or other is type(None) else NotImplemented


class ArrayType(Layout):
    """`count` elements in a row."""

    __slots__ = ("elem", "count")

    def __init__(self, elem: Layout, count: int) -> None:
        if not isinstance(count, int) or count < 0:
            raise TypeError(f"the length of an array of {elem.name} must be a number, not {count!r}")
        super().__init__(f"{elem.name}[{count}]", elem.size * count, elem.align)
        self.elem, self.count = elem, count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayType) and (self.elem, self.count) == (other.elem, other.count)

    def __hash__(self) -> int:
        return hash((ArrayType, self.elem, self.count))


class PtrType(Layout):
    """A pointer to `target` (None: void). `user`: into user memory. `tag`: what the kernel says of it ("rcu", "percpu")."""

    __slots__ = ("target", "user", "tag")

    def __init__(self, target: Layout | None, user: bool = False, tag: str = "") -> None:
        super().__init__(f"Ptr[{target.name if target else 'None'}]", 8, 8)
        self.target, self.user, self.tag = target, user, tag

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PtrType) and (self.target, self.user) == (other.target, other.user)

    def __hash__(self) -> int:
        return hash((PtrType, self.target, self.user))


class KptrType(PtrType):
    """A pointer to a kernel object that the memory it stands in owns."""

    __slots__ = ()

    def __init__(self, target: Layout) -> None:
        super().__init__(target, tag="kptr")
        self.name = f"Kptr[{target.name}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KptrType) and self.target == other.target

    def __hash__(self) -> int:
        return hash((KptrType, self.target))


class OptionalType(Layout):
    """`T | None` in an annotation of a parameter or variable."""

    __slots__ = ("some",)

    def __init__(self, some: Layout) -> None:
        super().__init__(f"{some.name} | None", some.size, some.align)
        self.some = some


class BitField(Layout):
    """`bits` bits of an integer field; only inside structs."""

    __slots__ = ("base", "bits")

    def __init__(self, base: Layout, bits: int) -> None:
        if not 0 < bits <= base.size * 8:
            raise TypeError(f"a bit-field of {base.name} has 1 to {base.size * 8} bits, not {bits}")
        super().__init__(f"{base.name}[:{bits}]", base.size, base.align)
        self.base, self.bits = base, bits


class Field(NamedTuple):
    """A member: byte `offset` of its storage, and for a bit-field the bit position from there and the width."""

    name: str
    type: Layout
    offset: int
    bit: int = 0
    bits: int = 0


class StructType(Layout):
    """A struct or union. `core`: a kernel type of which only some fields are named; offsets here are a guess that the
    loader relocates (CO-RE). `typedef`: the name is a typedef's, the struct has none."""

    __slots__ = ("fields", "union", "core", "cls", "typedef")

    def __init__(self, name: str, fields: tuple[Field, ...], size: int, align: int, *, union: bool = False,
                 core: bool = False, cls: type | None = None) -> None:
        super().__init__(name, size, align)
        self.fields, self.union, self.core, self.cls, self.typedef = fields, union, core, cls, False

    def field(self, name: str) -> Field | None:
        for f in self.fields:
            if f.name == name:
                return f
        return None

    def path(self, name: str) -> tuple[Field, ...]:
        """The way to a member: itself, or through members without a name, as C finds it. () if there is none."""
        found = self.field(name)
        if found is not None:
            return (found,)
        for f in self.fields:
            inner = f.type.path(name) if not f.name and isinstance(f.type, StructType) else ()
            if inner:
                return (f, *inner)
        return ()

    def names(self) -> list[str]:
        """What `path` finds."""
        return [n for f in self.fields for n in (
            [f.name] if f.name else f.type.names() if isinstance(f.type, StructType) else [])]

    def emitted(self) -> tuple[Field, ...]:
        """The members that an object's BTF names."""
        return self.fields


class FuncType(Layout):
    """A function's prototype: `params` are (name, layout; None for void), `ret` None for void."""

    __slots__ = ("params", "ret")

    def __init__(self, params: tuple[tuple[str, Layout | None], ...], ret: Layout | None) -> None:
        super().__init__("function", 0, 1)
        self.params, self.ret = params, ret


class EnumRef(Layout):
    """An enumerator in its enum, for CO-RE; "": the enum alone."""

    __slots__ = ("enumerator", "value")

    def __init__(self, name: str, enumerator: str, value: int) -> None:
        super().__init__(name, 4 if -(1 << 31) <= value < 1 << 32 else 8, 4)
        self.enumerator, self.value = enumerator, value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnumRef) and (self.name, self.enumerator) == (other.name, other.enumerator)

    def __hash__(self) -> int:
        return hash((EnumRef, self.name, self.enumerator))


def lay_out(name: str, members: list[tuple[str, Layout]], *, union: bool = False, packed: bool = False,
            core: bool = False, cls: type | None = None) -> StructType:
    """A struct (or union) with C layout: members in order, each at its alignment, bit-fields packed like gcc does."""
    fields, bit, align, size = [], 0, 1, 0
    for field_name, kind in members:
        if isinstance(kind, BitField):
            unit = kind.base.size * 8
            if union:
                bit = 0
            elif not packed and bit // unit != (bit + kind.bits - 1) // unit:
                bit = -(-bit // unit) * unit  # does not fit what is left of its unit
            start = bit // unit * kind.base.size if not packed else bit // 8
            fields.append(Field(field_name, kind.base, start, bit - start * 8, kind.bits))
            bit += kind.bits
            align = max(align, 1 if packed else kind.base.align)
        else:
            step = 1 if packed else kind.align
            offset = 0 if union else -(-bit // (8 * step)) * step
            fields.append(Field(field_name, kind, offset))
            bit = (offset + kind.size) * 8
            align = max(align, step)
        size = max(size, -(-bit // 8))
    return StructType(name, tuple(fields), -(-size // align) * align, align, union=union, core=core, cls=cls)
