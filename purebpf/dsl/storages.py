"""Maps that keep a value with an object of the kernel, for as long as it lives: tasks, sockets, inodes, cgroups.

`state = TaskStorage[State]()`, then `state[task].n += 1`, where `task` is the kernel's own object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .ints import i32
from .maps import BPF_F_NO_PREALLOC, Map
from .memory import layout_of

if TYPE_CHECKING:
    from .memory import Ptr
    from typing import overload

V = TypeVar("V")


class Storage(Map, Generic[V]):
    """`owner`: the kernel's struct that a value is kept with; `helpers`: how the kernel's functions begin."""

    words, sized, creates = 1, False, True
    owner = helpers = ""

    def __init__(self, **options: Any) -> None:
        options["flags"] = options.get("flags", 0) | BPF_F_NO_PREALLOC  # the kernel insists
        super().__init__(**options)
        self.key = layout_of(i32)  # what user space names the owner by: a descriptor

    if TYPE_CHECKING:

        @overload
        def lookup(self: Storage[int], owner: Any) -> Ptr[int] | None: ...
        @overload
        def lookup(self, owner: Any) -> V | None: ...
        def lookup(self: Any, *args: Any, **options: Any) -> Any:
            """The value in place, or None."""

        def get(self, owner: Any, default: Any = None) -> V | Any:
            """A copy of the value, or the default."""

        @overload
        def setdefault(self: Storage[int], owner: Any, value: int = ...) -> Ptr[int]: ...
        @overload
        def setdefault(self, owner: Any, value: V = ...) -> V: ...
        def setdefault(self: Any, *args: Any, **options: Any) -> Any:
            """The value in place, made if absent."""

        def delete(self, owner: Any) -> int: ...
        def __getitem__(self, owner: Any) -> V: ...
        def __setitem__(self, owner: Any, value: V) -> None: ...
        def __delitem__(self, owner: Any) -> None: ...
        def __contains__(self, owner: Any) -> bool: ...


class TaskStorage(Storage[V]):
    """A value for each task (Linux 5.11)."""

    map_type, owner, helpers = "TASK_STORAGE", "task_struct", "task_storage"


class SkStorage(Storage[V]):
    """A value for each socket (Linux 5.2)."""

    map_type, owner, helpers = "SK_STORAGE", "sock", "sk_storage"


class InodeStorage(Storage[V]):
    """A value for each inode (Linux 5.10)."""

    map_type, owner, helpers = "INODE_STORAGE", "inode", "inode_storage"


class CgroupStorage(Storage[V]):
    """A value for each cgroup (Linux 6.2)."""

    map_type, owner, helpers = "CGRP_STORAGE", "cgroup", "cgrp_storage"
