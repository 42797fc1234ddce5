"""What a helper's parameters are called; to a type checker all are `Any`, the compiler and the verifier know better."""

from __future__ import annotations

from typing import Any, Callable, TypeAlias

Ctx: TypeAlias = Any  # the program's context
AnyMap: TypeAlias = Any  # a declared map
Mem: TypeAlias = Any  # memory that is read: a variable, a struct, bytes, a pointer into stack, packet or map value
Out: TypeAlias = Any  # memory that is written
Text: TypeAlias = Any  # a constant string
Sock: TypeAlias = Any  # a socket pointer
Kernel: TypeAlias = Any  # a pointer to a kernel object
Dynptr: TypeAlias = Any
Callback: TypeAlias = Callable[..., Any]  # a function of the program
