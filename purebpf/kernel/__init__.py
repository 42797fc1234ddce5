"""The kernel's own types and enumerators: `from purebpf.kernel import task_struct, TCP_ESTABLISHED`.

Any name can be imported; what it is, a build takes from the kernel's BTF, and says so if there is no such thing. In user
space an enumerator is the number that it is on this machine.
"""

from __future__ import annotations

from typing import Any

from ..dsl.kernel import KernelName


class Name(KernelName):
    """A name that is also a number in user space, if it is an enumerator."""

    __slots__ = ()

    def __index__(self) -> int:
        from ..btf import kernel
        from ..btf.enumerators import enumerator

        found = enumerator(kernel.vmlinux(), self.name)
        if found is None:
            raise TypeError(f"{self.name} is no enumerator of this kernel")
        return found.value

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        return int(self) == other if isinstance(other, int) else KernelName.__eq__(self, other)

    def __hash__(self) -> int:
        return KernelName.__hash__(self)


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    if name == "kfuncs":
        from importlib import import_module

        return import_module(".kfuncs", __name__)
    return Name(name)
