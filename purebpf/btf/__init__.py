"""BTF, the kernel's type information: in memory, in bytes, in text; and CO-RE, which compares two kernels' types.

Takes bytes from object files, the kernel and the compiler's Builder; gives types, layouts, value codecs and relocated
numbers to elf, codegen, the loader and the VM. Imports nothing of purebpf but errors.

Invariants: malformed bytes give BtfError, whatever they are; decode(encode(types)) == types; a `Btf` is not changed
once it is made; only kernel.py opens files.

Modules used by name: `types` (the kinds), `layout`, `ext`, `values`, `core`, `declare`, `kernel`.
"""

from __future__ import annotations

from .container import Btf, Builder, graft

__all__ = ["Btf", "Builder", "graft"]
