"""A run's context in any form, into bytes and back: for `test_run` in the kernel and `run` in the VM alike.

    bytes                   as they are; also anything that `bytes()` takes apart, such as an object of a struct class
    dict, record            fields by name, the others 0
    tuple, list             arguments in order: of raw tracepoints, BTF tracing, and of functions (in their registers)

Where a field or an argument is a pointer, a number is an address; in the VM text, bytes and lists of them stand for memory
that holds them. Text of a tracepoint's `__data_loc` field goes behind the record. The struct is the kernel's
(`uapi.contexts`), or what the program's own prototype in BTF says of its parameter: a tracepoint's record, a user's struct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from .errors import FormatError
from .order import Order
from .uapi import contexts, hooks

if TYPE_CHECKING:
    from .btf import Btf
    from .btf.values import Codec
    from .btf.view import View
    from .spec import ProgramSpec

Keep = Callable[[bytes], int]  # puts bytes into memory that the program can read: their address
LOC: Final = "__data_loc_"


class Shape:
    """What a program's context is. `name`: a row of uapi.contexts, a struct of the object's BTF, or "" where only the
    bytes are known; `order`: of bytes; `syscall`: arguments are in the registers that the first one points to; `args`: how arguments given in order lie in it, None if it has none."""

    __slots__ = ("name", "order", "syscall", "args", "codec", "pointers")

    def __init__(self, name: str, order: Order, args: contexts.Calling | str | None = None, codec: Codec | None = None,
                 pointers: frozenset[str] = frozenset(), syscall: bool = False) -> None:
        self.syscall = syscall
        self.name, self.order, self.args, self.codec, self.pointers = name, order, args, codec, pointers

    @property
    def size(self) -> int:
        """Bytes; 0 where it is not known."""
        return self.codec.size if self.codec is not None else 0

    def fields(self) -> tuple[str, ...]:
        """The names that a dict may use."""
        if self.codec is None:
            return ()
        return tuple(f.removeprefix(LOC) for f in type(self.codec.decode(bytes(self.size)))._fields)


def shape(program: ProgramSpec, btf: Btf | None, order: Order) -> Shape:
    """The context of a program of an object with that BTF, on a machine of that byte order."""
    hook = hooks.match(program.section)
    if hook is None or hook.prog_type != program.prog_type:  # an object made by hand
        name = hooks.TYPES[program.prog_type].context if program.prog_type in hooks.TYPES else ""
    else:
        name = hook.context
    if name == "args":
        return Shape("args", order, "words")
    if name in contexts.NAMES:
        return _table(name, order, hook is not None and hook.name == "ksyscall")
    found = _parameter(btf, program.func.btf_id) if btf is not None else 0
    return _typed(btf, found, order) if btf is not None and found else Shape("", order)


def to_bytes(shape: Shape, given: Any, *, packet: int = 0, keep: Keep | None = None) -> bytes:
    """The context as bytes. `packet`: bytes of the packet it is for; `keep` is the VM's.

    FormatError for what does not fit: an unknown field, a number that is too large, text where the kernel wants an address."""
    if given is None:
        return b""
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if hasattr(given, "_asdict") and not isinstance(given, tuple):
        given = given._asdict()
    if isinstance(given, Mapping):
        return _of_fields(shape, given, packet, keep)
    if isinstance(given, Sequence) and not isinstance(given, str):
        return _of_arguments(shape, given, keep)
    if hasattr(given, "__bytes__"):
        return bytes(given)
    raise FormatError(f"a context is bytes, a dict or record of its fields, or a tuple of arguments, not {given!r}")


def from_bytes(shape: Shape, data: bytes) -> View:
    """The bytes, which are the fields too where they are known."""
    from .btf.view import View

    codec = shape.codec
    if codec is None or len(data) < codec.size:
        return View.of(data)
    held = codec.decode(data)
    words = {f.removeprefix(LOC): getattr(held, f) for f in type(held)._fields if f.startswith(LOC)}
    return View.of(data, codec, {n: slice(w & 0xFFFF, (w & 0xFFFF) + (w >> 16)) for n, w in words.items()})


# --- from values to bytes ---------------------------------------------------------------------------------------------


def _of_fields(shape: Shape, given: Mapping[str, Any], packet: int, keep: Keep | None) -> bytes:
    codec = shape.codec
    if codec is None:
        if not given:
            return b""
        raise FormatError("the fields of this context are not known" + (
            ", as it has arguments: give a tuple of them" if shape.args else
            ": the program reads none of them, or its prototype has no struct; give bytes"))
    held = codec.decode(bytes(codec.size))
    known, behind = type(held)._fields, b""
    if shape.name == "xdp_md":  # test_run wants it to say where the packet ends
        given = {"data_end": packet, **given}
    for name, value in given.items():
        if LOC + name in known:
            text = value.encode(errors="surrogateescape") + b"\0" if isinstance(value, str) else bytes(value)
            held.__setattr__(LOC + name, codec.size + len(behind) | len(text) << 16)
            behind += text
        elif name in known:
            held.__setattr__(name, _address(name, value, keep, shape.order) if name in shape.pointers else value)
        else:
            raise _no_field(shape, name)
    return codec.encode(held) + behind


def _of_arguments(shape: Shape, given: Sequence[Any], keep: Keep | None) -> bytes:
    words = [_address(f"argument {i}", one, keep, shape.order) & (1 << 64) - 1 for i, one in enumerate(given)]
    if shape.args == "words":
        return b"".join(shape.order.bytes(word, 8) for word in words)
    if not isinstance(shape.args, contexts.Calling) or shape.codec is None:
        raise FormatError("a tuple is for the arguments of a hook; this context has fields: give a dict of them, or bytes")
    if shape.syscall and keep is not None:
        words = [keep(_registers(shape, shape.args.syscall_args, words))]
    return _registers(shape, shape.args.args, words)


def _registers(shape: Shape, places: Sequence[tuple[str, int]], words: Sequence[int]) -> bytes:
    """Registers with these words in their places."""
    assert shape.codec is not None
    if len(words) > len(places):
        raise FormatError(f"{len(words)} arguments: {len(places)} are in registers")
    held = shape.codec.decode(bytes(shape.size))
    for (name, element), word in zip(places, words):
        if isinstance(getattr(held, name), list):
            getattr(held, name)[element] = word
        else:
            held.__setattr__(name, word)
    return shape.codec.encode(held)


def _address(where: str, value: Any, keep: Keep | None, order: Order) -> int:
    """A pointer: an address, or what it is to point to."""
    if isinstance(value, int):
        return value
    if keep is None:
        raise FormatError(f"{where}: an address is a number; only the VM makes memory of {value!r}")
    if isinstance(value, str):
        value = value.encode(errors="surrogateescape") + b"\0"
    if isinstance(value, bytes | bytearray):
        return keep(bytes(value))
    if isinstance(value, Sequence):  # pointers, with a NULL at the end
        words = [*(_address(f"{where}[{i}]", one, keep, order) for i, one in enumerate(value)), 0]
        return keep(b"".join(order.bytes(word, 8) for word in words))
    if hasattr(value, "__bytes__"):
        return keep(bytes(value))
    raise FormatError(f"{where}: {value!r} is no address, and nothing that memory can hold")


def _no_field(shape: Shape, name: object) -> FormatError:
    import difflib

    known = shape.fields()
    near = difflib.get_close_matches(str(name), known, 3, 0.6)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(known)}"
    return FormatError(f"{shape.name or 'the context'} has no field {name!r}: {hint}")


# --- shapes -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _table(name: str, order: Order, syscall: bool = False) -> Shape:
    """A context of the kernel's, by its row."""
    from .btf import Btf, Builder
    from .btf.values import codec

    types = _Rows(Builder())
    found = types.struct(name)
    args: contexts.Calling | str | None = "words" if name == "bpf_raw_tracepoint_args" else None
    if name == "pt_regs":
        args = contexts.CALLING.get(contexts.machine())
    if not found:  # registers of a machine that the table lacks
        return Shape(name, order, args)
    row = contexts.context(name)
    assert row is not None
    return Shape(name, order, args, codec(Btf(types.builder.build(), byteorder=order.name), found, row.size), syscall=syscall)


class _Rows:
    """Rows of uapi.contexts as BTF."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def struct(self, name: str) -> int:
        """The id of a context's struct; 0 if there is no such row. Fields that share a place are a union."""
        from .btf import types as t

        row = contexts.context(name)
        if row is None:
            return 0
        members: list[t.Member] = []
        shared: list[contexts.Field] = []
        for field in (*sorted(row.fields.values(), key=lambda f: f.offset), None):
            if shared and (field is None or field.offset >= max(f.offset + f.size * f.elems for f in shared)):
                base = shared[0].offset
                parts = tuple(t.Member(f.name, self.field(f), 8 * (f.offset - base)) for f in shared)
                size = max(f.offset + f.size * f.elems for f in shared) - base
                members.append(t.Member("", self.builder.add(t.Union("", size, parts)), 8 * base) if len(parts) > 1
                               else parts[0]._replace(bit_offset=8 * base))
                shared = []
            if field is not None:
                shared.append(field)
        return int(self.builder.add(t.Struct(name, row.size, tuple(members))))

    def field(self, field: contexts.Field) -> int:
        from .btf import types as t

        add = self.builder.add
        if field.kind == "ptr" and field.size > 8:  # the struct itself
            return self.struct(field.target)
        size = 2 if field.half else field.size
        word = add(t.Int(f"u{8 * size}", size))
        if field.big_endian:
            word = add(t.Typedef(f"__be{8 * size}", word))
        return int(add(t.Array(word, add(t.Int("u32", 4)), field.elems)) if field.elems > 1 else word)


def _typed(btf: Btf, type_id: int, order: Order) -> Shape:
    """A context that the object's BTF describes."""
    from .btf import types as t
    from .btf.layout import fields, resolved
    from .btf.values import codec

    struct = resolved(btf, type_id)
    assert isinstance(struct, t.Struct)
    if struct.name in contexts.NAMES:
        return _table(struct.name, order)
    pointers = frozenset(f.name for f in fields(btf, type_id) if isinstance(resolved(btf, f.type), t.Ptr))
    return Shape(struct.name, order, None, codec(btf, type_id, struct.size), pointers)


def _parameter(btf: Btf, func: int) -> int:
    """The struct that a function's first parameter points to; 0 if there is none."""
    from .btf import types as t
    from .btf.layout import resolve, resolved

    one = btf[func] if func else None
    proto = resolved(btf, one.proto) if isinstance(one, t.Func) else None
    if not isinstance(proto, t.FuncProto) or not proto.params:
        return 0
    pointer = resolved(btf, proto.params[0].type)
    target = resolve(btf, pointer.type) if isinstance(pointer, t.Ptr) else 0
    return target if target and isinstance(btf[target], t.Struct) else 0
