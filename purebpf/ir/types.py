"""The types of IR values.

There is one integer type, `i64`. BPF computes in 64 bits, its 32-bit instructions leave a zero-extended 64-bit result,
and Python's integers narrow only when stored: so the width belongs to operations (`add32`, `load.u8`), not to values.
Pointers know the region of memory they point into: what may alias, what the verifier calls them, what needs a check.
"""

from __future__ import annotations

from typing import Final


class Type:
    """`i64`, `void` or `ptr.<region>`; each exists once, so compare with `is`. `region` is "" unless a pointer."""

    __slots__ = ("name", "region")

    def __init__(self, name: str, region: str = "") -> None:
        self.name, self.region = name, region

    @property
    def is_ptr(self) -> bool:
        return bool(self.region)

    def __repr__(self) -> str:
        return self.name


VOID: Final = Type("void")
I64: Final = Type("i64")

REGIONS: Final = {
    "ctx": "the program's context; fields are loaded at fixed offsets only",
    "stack": "a slot of this function's frame (alloca), or a caller's",
    "packet": "packet data; a load needs a comparison with packet_end first",
    "packet_end": "one past the packet; only compared",
    "packet_meta": "XDP/tc metadata in front of the packet",
    "map": "a map itself, an argument of helpers; never dereferenced",
    "value": "a map value, maybe null until compared with 0",
    "data": "global data (.data, .rodata, .bss)",
    "mem": "memory a helper handed out (ring buffer record), maybe null until compared",
    "kernel": "kernel object the verifier knows the type of: loads are direct and fault-safe",
    "arg": "memory passed to a subprogram; the caller knows the region",
    "func": "address of a subprogram, an argument of helpers",
}
PTR: Final = {region: Type(f"ptr.{region}", region) for region in REGIONS}
BY_NAME: Final = {t.name: t for t in (VOID, I64, *PTR.values())}
