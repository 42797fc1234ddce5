"""A small simulated kernel: a task_struct, its parent and its credentials, laid out by the object's own BTF.

In the VM, CO-RE relocations resolve to the object's own types, so a program that declares only `struct task_struct
{ int tgid; struct task_struct *real_parent; }` reads exactly such objects. Members are filled by name; what has no
meaning here is zero, and a pointer that is zero ends a chain of reads as a bad pointer does in the kernel.
"""

from __future__ import annotations

from ..btf import Btf
from ..btf import types as t
from ..btf.layout import Field, fields, resolve, resolved, size_of
from .memory import Memory, Region
from .world import Process


class Fakes:
    """Kernel objects for one process, made when first asked for."""

    def __init__(self, memory: Memory, btf: Btf | None, process: Process) -> None:
        self._memory, self._btf, self._process = memory, btf, process
        self._made: dict[tuple[str, Process], Region] = {}

    def task(self) -> int:
        """Address of the current process's task_struct: readable memory, or, if the object has no such type, not."""
        return self._task(self._process)

    def _task(self, process: Process) -> int:
        key = ("task_struct", process)
        if key in self._made:
            return self._made[key].base
        type_id = _struct(self._btf, "task_struct")
        region = self._made[key] = self._memory.map(bytearray(self._size(type_id)), "task_struct", writable=False)
        if self._btf is not None and type_id:
            for field in fields(self._btf, type_id):
                self._fill(region, field, self._value_of_task(process, field))
        return region.base

    def _value_of_task(self, process: Process, field: Field) -> int | bytes:
        """What a member of task_struct holds; pointers lead to objects made on the way."""
        match field.name:
            case "pid":
                return process.pid
            case "tgid":
                return process.tgid
            case "comm":
                return process.comm.encode("utf-8", "surrogateescape")[:15]
            case "real_parent" | "parent":
                return self._task(_parent(process))
            case "group_leader":
                return self._task(process._replace(pid=process.tgid))
            case "real_cred" | "cred":
                return self._cred(process)
        return 0

    def _cred(self, process: Process) -> int:
        key = ("cred", process)
        if key not in self._made:
            type_id = _struct(self._btf, "cred")
            region = self._made[key] = self._memory.map(bytearray(self._size(type_id)), "cred", writable=False)
            if self._btf is not None and type_id:
                for field in fields(self._btf, type_id):
                    owner = {"u": process.uid, "g": process.gid}.get(field.name[-3:-2], 0)
                    self._fill(region, field, owner if field.name.endswith("id") else 0)
        return self._made[key].base

    def _size(self, type_id: int) -> int:
        return size_of(self._btf, type_id) if self._btf is not None and type_id else 0

    def _fill(self, region: Region, field: Field, value: int | bytes) -> None:
        assert self._btf is not None
        kind = resolved(self._btf, field.type)
        if field.bits or not value or isinstance(kind, (t.Fwd, t.Func, t.FuncProto)) or kind is None:
            return
        size = size_of(self._btf, field.type)
        data = value[: size - 1] if isinstance(value, bytes) else self._memory.order.bytes(value, size)
        region.data[field.offset : field.offset + len(data)] = data


def _parent(process: Process) -> Process:
    """The process above; init is its own parent."""
    if process.tgid == process.ppid:
        return process
    return Process(process.ppid, process.ppid, process.ppid if process.ppid <= 1 else 1, 0, 0, "init")


def _struct(btf: Btf | None, name: str) -> int:
    """The struct called `name`, or one of its CO-RE flavours."""
    if btf is None:
        return 0
    ids = btf.find_all(name, t.Struct) or btf.find_all(name, t.Struct, flavours=True)
    return resolve(btf, ids[0]) if ids else 0
