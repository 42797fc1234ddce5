"""The kernel's functions for programs: `from purebpf.kernel.kfuncs import bpf_task_from_pid`, typed from BTF when built."""

from __future__ import annotations

from typing import Any

from ..dsl.kernel import KernelFunction


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return KernelFunction(name)
