"""The types of IR values, and the table of memory regions.

There is one integer type, `i64`. BPF computes in 64 bits, its 32-bit instructions leave a zero-extended 64-bit result,
and Python's integers narrow only when stored: so the width belongs to operations (`add32`, `load.u8`), not to values.
Pointers know the region of memory they point into, and whether they may be null: `ptr.value`, `ptr.value?`.
"""

from __future__ import annotations

from typing import Final


class Region:
    """One row. `access`: loads and stores may go through it. `frame`: it may lead into a stack frame. `alias`: the classes
    of memory it may touch, as bits; accesses without a common one never meet. `moved`: helpers that change the packet
    make it stale. `fixed`: one instruction must not see two of them (the verifier wants one map, one kind of object; or
    it must stay recognisable), so values of it do not become block parameters by choice. `grain`: what an address handed
    out by a call is a multiple of, 0 if unknown."""

    __slots__ = ("name", "doc", "access", "frame", "alias", "moved", "fixed", "grain")

    def __init__(self, name: str, doc: str, alias: int, *, access: bool = True, frame: bool = False, moved: bool = False,
                 fixed: bool = False, grain: int = 0) -> None:
        self.name, self.doc, self.alias = name, doc, alias
        self.access, self.frame, self.moved, self.fixed, self.grain = access, frame, moved, fixed, grain

    def __repr__(self) -> str:
        return f"<region {self.name}>"


# Classes of memory that never overlap.
CTX: Final = 1
STACK: Final = 2
PACKET: Final = 4
META: Final = 8
VALUE: Final = 16
DATA: Final = 32
MEM: Final = 64
KERNEL: Final = 128
ARENA: Final = 256
ANYTHING: Final = 511

_ROWS: Final = (
    Region("ctx", "the program's context; fields are loaded at fixed offsets only", CTX, fixed=True),
    Region("stack", "a slot of this function's frame (alloca), or a caller's", STACK, frame=True),
    Region("packet", "packet data; a load needs a comparison with packet_end first", PACKET, moved=True),
    Region("packet_end", "one past the packet; only compared", 0, access=False, moved=True, fixed=True),
    Region("packet_meta", "XDP/tc metadata in front of the packet", META, moved=True),
    Region("map", "a map itself, an argument of helpers; null where a map of maps has none", 0, access=False, fixed=True),
    Region("value", "a map value", VALUE, grain=8),
    Region("data", "global data (.data, .rodata, .bss)", DATA, fixed=True),
    Region("mem", "memory a helper handed out (a ring buffer record)", MEM, grain=8),
    Region("slice", "a piece of a dynptr: of a record, a packet or a map value", MEM | PACKET | VALUE, moved=True),
    Region("kernel", "a kernel object the verifier knows the type of: loads are direct and fault-safe", KERNEL, fixed=True),
    Region("sock", "a socket, as the kernel shows it to programs: fields at fixed offsets", KERNEL, fixed=True),
    Region("arena", "memory of an arena map", ARENA),
    Region("arg", "memory passed to a subprogram; the caller knows the region", ANYTHING, frame=True),
    Region("func", "address of a subprogram, an argument of helpers", 0, access=False, fixed=True),
)
REGIONS: Final = {row.name: row for row in _ROWS}
NOWHERE: Final = Region("", "not a pointer", ANYTHING, access=False, frame=True)


class Type:
    """`i64`, `void`, `ptr.<region>` or `ptr.<region>?`; each exists once, so compare with `is`. `region` is "" unless a
    pointer, `row` its row. `null`: it may be null."""

    __slots__ = ("name", "region", "row", "null")

    def __init__(self, name: str, row: Region = NOWHERE, null: bool = False) -> None:
        self.name, self.region, self.row, self.null = name, row.name, row, null

    @property
    def is_ptr(self) -> bool:
        return self.row is not NOWHERE

    def __repr__(self) -> str:
        return self.name


VOID: Final = Type("void")
I64: Final = Type("i64")
PTR: Final = {name: Type(f"ptr.{name}", row) for name, row in REGIONS.items()}
MAYBE: Final = {name: Type(f"ptr.{name}?", row, True) for name, row in REGIONS.items()}  # may be null: test, then `nonnull`
BY_NAME: Final = {t.name: t for t in (VOID, I64, *PTR.values(), *MAYBE.values())}
