"""C declarations -> types of the language, parsed and laid out by cffi (imported on use).

    ev = bpf.cdef("struct event { __u32 pid; char comm[16]; };").event
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ..errors import FormatError
from ..order import HOST
from .ints import BOOL, TYPES
from .layout import ArrayType, Field, Layout, PtrType
from .memory import from_fields

# The kernel's spellings. A big-endian number is a struct to cffi, so that it stays distinguishable.
_PRELUDE = "".join(
    f"typedef {c} {names};" for c, names in (
        ("unsigned char", "__u8, u8"), ("unsigned short", "__u16, u16"), ("unsigned int", "__u32, u32"),
        ("unsigned long long", "__u64, u64"), ("signed char", "__s8, s8"), ("short", "__s16, s16"), ("int", "__s32, s32"),
        ("long long", "__s64, s64"), ("struct { unsigned short n; }", "__be16"), ("struct { unsigned int n; }", "__be32"),
        ("struct { unsigned long long n; }", "__be64"),
    )
)
_BIG_ENDIAN = {f"__be{bits}": TYPES[f"be{bits}"] for bits in (16, 32, 64)}


def cdef(text: str, *, packed: bool = False) -> Any:
    """The structs, unions and typedefs that C text declares, as attributes by name; enumerators as ints.

    Raises FormatError with the parser's complaint when the text is not what cffi understands."""
    import cffi

    ffi = cffi.FFI()
    try:
        ffi.cdef(_PRELUDE)
        ffi.cdef(text, packed=packed, override=True)
        typedefs, structs, unions = ffi.list_types()
        converter = _Converter(ffi)
        made = {name: converter.convert(ffi.typeof(f"struct {name}")) for name in structs}
        made |= {name: converter.convert(ffi.typeof(f"union {name}")) for name in unions}
        known = set(_PRELUDE.replace(",", " ").replace(";", " ").split())
        made |= {name: converter.convert(ffi.typeof(name)) for name in typedefs if name not in known}
    except (cffi.CDefError, cffi.FFIError, TypeError, NotImplementedError) as error:
        raise FormatError(f"this C does not parse: {error}") from None
    library = ffi.dlopen(None)
    constants = {name: getattr(library, name) for name in dir(library)}  # enumerators: nothing else was declared
    return SimpleNamespace(**constants, **{n: getattr(t, "cls", None) or t for n, t in made.items()})


class _Converter:
    """cffi's types to layouts, each once."""

    def __init__(self, ffi: Any) -> None:
        self.ffi = ffi
        self.made: dict[Any, Layout] = {}

    def convert(self, ctype: Any) -> Layout:
        if ctype not in self.made:
            self.made[ctype] = self._convert(ctype)
        return self.made[ctype]

    def _convert(self, ctype: Any) -> Layout:
        kind = ctype.kind
        if kind == "primitive":
            return self._number(ctype)
        if kind == "enum":
            return TYPES["u32"]
        if kind == "array":
            return ArrayType(self.convert(ctype.item), ctype.length or 0)
        if kind == "pointer":
            target = ctype.item
            if target in self.made or target.kind in ("primitive", "struct") and target.kind == "primitive":
                return PtrType(self.convert(target))
            return PtrType(None)
        if kind in ("struct", "union"):
            return self._struct(ctype)
        return PtrType(None)  # a function pointer

    def _number(self, ctype: Any) -> Layout:
        name = ctype.cname
        if name == "_Bool":
            return BOOL
        if name == "char":
            return TYPES["char"]
        size = self.ffi.sizeof(ctype)
        if "float" in name or "double" in name:
            return ArrayType(TYPES["u8"], size)
        unsigned = int(self.ffi.cast(ctype, -1)) > 0
        return TYPES[f"{'u' if unsigned else 'i'}{size * 8}"]

    def _struct(self, ctype: Any) -> Layout:
        name = ctype.cname.removeprefix("struct ").removeprefix("union ")
        if name in _BIG_ENDIAN:
            return _BIG_ENDIAN[name]
        fields = []
        for field, place in ctype.fields or ():  # members of what has no name are there, at their own places
            bits = (0, 0)
            if place.bitsize > 0:  # cffi counts from the lowest, as this machine has it: here it is how many are before it
                bits = (HOST.lowest(place.bitshift, place.bitsize, self.ffi.sizeof(place.type)), place.bitsize)
            fields.append(Field(field, self.convert(place.type), place.offset, *bits))
        if ctype.fields is None:
            return from_fields(self._name(name), (), 0, 1, union=ctype.kind == "union")
        size, align = self.ffi.sizeof(ctype), self.ffi.alignof(ctype)
        return from_fields(self._name(name), tuple(fields), size, align, union=ctype.kind == "union")

    @staticmethod
    def _name(name: str) -> str:
        return name if name.isidentifier() else "anonymous"
