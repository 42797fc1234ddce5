"""Who, when and where: the current process, clocks, the CPU, random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..memory import M32, Trap

if TYPE_CHECKING:
    from ..world import World

JIFFY: Final = 4_000_000  # ns, at HZ=250
ROOT_CGROUP: Final = 1


def get_current_pid_tgid(w: World, *_: int) -> int:
    return w.process.tgid << 32 | w.process.pid


def get_current_uid_gid(w: World, *_: int) -> int:
    return w.process.gid << 32 | w.process.uid


def get_current_comm(w: World, to: int, size: int, *_: int) -> int:
    size &= M32
    comm = w.process.comm.encode("utf-8", "surrogateescape")[: min(size, 16) - 1]
    w.memory.write(to, comm.ljust(size, b"\0"))
    return 0


def get_current_task(w: World, *_: int) -> int:
    if w.task is None:
        raise Trap("there is no simulated task_struct")
    return w.task()


def get_current_cgroup_id(w: World, *_: int) -> int:
    return ROOT_CGROUP


def ktime_get_ns(w: World, *_: int) -> int:
    return w.clock()


def jiffies64(w: World, *_: int) -> int:
    return w.clock() // JIFFY


def get_smp_processor_id(w: World, *_: int) -> int:
    return w.cpu


def get_numa_node_id(w: World, *_: int) -> int:
    return 0


def get_prandom_u32(w: World, *_: int) -> int:
    return w.random.getrandbits(32)


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "get_current_pid_tgid": get_current_pid_tgid,
    "get_current_uid_gid": get_current_uid_gid,
    "get_current_comm": get_current_comm,
    "get_current_task": get_current_task,
    "get_current_task_btf": get_current_task,
    "get_current_cgroup_id": get_current_cgroup_id,
    "ktime_get_ns": ktime_get_ns,
    "ktime_get_boot_ns": ktime_get_ns,
    "ktime_get_coarse_ns": ktime_get_ns,
    "ktime_get_tai_ns": ktime_get_ns,
    "jiffies64": jiffies64,
    "get_smp_processor_id": get_smp_processor_id,
    "get_numa_node_id": get_numa_node_id,
    "get_prandom_u32": get_prandom_u32,
}
