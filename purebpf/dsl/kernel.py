"""Names of the kernel's: types, enumerators and functions that only the kernel's BTF knows, as inert values.

What a name is, the BTF says that a build reads: to import one costs nothing and works on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, overload

from ..errors import NotInKernel
from .layout import Layout

F = TypeVar("F", bound=Callable[..., Any])


class KernelName(Layout):
    """A type, an enumerator or a variable of the kernel, by its name in C."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, 0, 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelName) and self.name == other.name

    def __hash__(self) -> int:
        return hash((KernelName, self.name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotInKernel(f"{self.name} is a type of the kernel: it works inside a BPF program only")


class KernelFunction:
    """A function of the kernel that programs may call (kfunc), by its name. `declared`: the Python function that says its
    types, where the user gave one; the kernel's BTF says them otherwise."""

    __slots__ = ("name", "declared")

    def __init__(self, name: str, declared: FunctionType | None = None) -> None:
        self.name, self.declared = name, declared

    @property
    def __name__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelFunction) and (self.name, self.declared) == (other.name, other.declared)

    def __hash__(self) -> int:
        return hash((KernelFunction, self.name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotInKernel(f"{self.name} is a function of the kernel: it works inside a BPF program only")

    def __repr__(self) -> str:
        return f"<kernel function {self.name}>"


@overload
def kfunc(what: str) -> Any: ...
@overload
def kfunc(what: F) -> F: ...
def kfunc(what: Any) -> Any:
    """`bpf.kfunc("bpf_task_from_pid")`, typed from BTF; or `@bpf.kfunc def bpf_task_from_pid(pid: i32) -> …: ...`, which
    says the types itself, for machines without BTF and for type checkers."""
    if isinstance(what, str):
        return KernelFunction(what)
    if not isinstance(what, FunctionType):
        raise TypeError(f"kfunc() takes a name or a function, not {what!r}")
    return KernelFunction(what.__name__, what)
