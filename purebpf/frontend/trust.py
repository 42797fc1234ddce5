"""What the verifier knows of pointers to kernel objects: which of them kernel functions take.

"trusted"   alive while the program runs, or until it is given back: arguments of hooks, what was acquired
"rcu"       alive while the RCU section lasts: read from a trusted object through a member that RCU protects
""          only to be read: what was there may be gone
"""

from __future__ import annotations

from typing import Final

from ..dsl.layout import PtrType, StructType
from ..tree.kinds import Ptr
from ..tree.nodes import Expr, Member, Seq
from ..uapi import hooks
from .context import Checker

# Members that the verifier follows without a tag in BTF (kernel/bpf/verifier.c, BTF_TYPE_SAFE_*, 6.18).
RCU: Final = frozenset((
    ("task_struct", "cpus_ptr"), ("task_struct", "cgroups"), ("task_struct", "real_parent"), ("task_struct", "group_leader"),
    ("cgroup", "kn"), ("css_set", "dfl_cgrp"), ("cgroup_subsys_state", "cgroup"), ("mm_struct", "exe_file"), ("sk_buff", "sk"),
    ("request_sock", "sk"),
))
TRUSTED: Final = frozenset((
    ("bpf_iter_meta", "seq"), ("bpf_iter__task", "meta"), ("bpf_iter__task", "task"), ("linux_binprm", "file"), ("file", "f_inode"),
    ("dentry", "d_inode"), ("socket", "sk"), ("vm_area_struct", "vm_mm"), ("vm_area_struct", "vm_file"),
))
GIVEN: Final = ("tp_btf", "iter", "lsm", "lsm_cgroup", "struct_ops")  # programs whose arguments are trusted


def of_argument(c: Checker) -> str:
    """Of an argument of the hook."""
    return "trusted" if c.hook.removeprefix("?").split("/")[0].split(".")[0] in GIVEN else ""


def sleepable(c: Checker) -> bool:
    """May the program sleep? Then it is in an RCU section only where it says so."""
    hook = hooks.match(c.hook)
    return hook is not None and hook.sleepable


def may_sleep(c: Checker) -> bool:
    """May what is checked sleep? Of what the kernel calls later it is not the program that decides."""
    return sleepable(c) if c.sleeps is None else c.sleeps


def protected(c: Checker) -> bool:
    """Are we in an RCU section?"""
    return "rcu" in c.sections or not may_sleep(c)


def followed(c: Checker, place: Expr, layout: PtrType) -> str:
    """Of what stands in a member of a kernel object."""
    while isinstance(place, Seq):
        place = place.value
    holder = place.place.kind if isinstance(place, Member) else None
    if not isinstance(place, Member) or not isinstance(holder, Ptr) or not isinstance(holder.target, StructType) or holder.trust not in ("rcu", "trusted"):
        return ""
    member = holder.target.name.split("___")[0], place.field.name
    if member in TRUSTED and holder.trust == "trusted":
        return "trusted"
    return "rcu" if (layout.tag == "rcu" or member in RCU) and protected(c) else ""
