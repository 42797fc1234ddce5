"""Words of the language that are neither types, maps nor hooks: short names for common helpers and questions.

Each is an inert `Word`; the frontend knows what it means by identity, never by spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import NotInKernel

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .memory import Ptr

T = TypeVar("T")


class Word:
    """A word that only a BPF program can say. `helper` names the kernel helper behind it, if there is just one;
    `take` says which part of its result is meant: "all", "low" or "high" 32 bits, or a kind the compiler knows."""

    def __init__(self, name: str, doc: str, helper: str = "", take: str = "all") -> None:
        self.name, self.helper, self.take, self.__doc__ = name, helper, take, doc

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotInKernel(f"bpf.{self.name}() works inside a BPF program only")

    def __repr__(self) -> str:
        return f"<BPF word {self.name}>"


if TYPE_CHECKING:

    def current_pid() -> int:
        """Process id (the kernel's tgid) of the running process."""

    def current_tid() -> int:
        """Thread id (the kernel's pid)."""

    def current_uid() -> int:
        """User id of the running process."""

    def current_gid() -> int:
        """Group id of the running process."""

    def current_comm() -> str:
        """Name of the running thread, at most 15 bytes."""

    def current_task(kind: type[T]) -> T: ...
    def ktime_ns() -> int: ...
    def boot_ns() -> int: ...
    def cpu() -> int: ...
    def random_u32() -> int: ...
    def field_exists(kind: type, field: str) -> bool: ...
    def type_exists(kind: type | str) -> bool: ...
    def field_size(kind: type, field: str) -> int: ...
    def type_size(kind: type) -> int: ...
    def type_matches(kind: type) -> bool: ...
    def enum_value(enumerator: int) -> int: ...
    def enum_exists(enumerator: int) -> bool: ...
    def offsetof(kind: type, field: str) -> int: ...
    def container_of(pointer: Any, kind: type[T], member: str) -> T: ...
    def printk(text: str, *args: Any) -> int: ...
    def seq_print(*values: Any) -> None: ...
    def atomic_add(place: int, number: int) -> None: ...
    def addr(place: T) -> Ptr[T]: ...
    def cstr(pointer: Any, size: int) -> str: ...
    def user(address: Any) -> Any: ...
    def loop(rounds: int, body: Callable[[int], Any]) -> None: ...
    def rcu() -> AbstractContextManager[None]: ...
    def preempt_off() -> AbstractContextManager[None]: ...
    def irq_off() -> AbstractContextManager[None]: ...
    def htons(number: int) -> int: ...
    def htonl(number: int) -> int: ...
    def ntohs(number: int) -> int: ...
    def ntohl(number: int) -> int: ...
else:
    current_pid = Word("current_pid", "Process id (the kernel's tgid) of the running process.",
                       "get_current_pid_tgid", "high")
    current_tid = Word("current_tid", "Thread id (the kernel's pid).", "get_current_pid_tgid", "low")
    current_uid = Word("current_uid", "User id of the running process.", "get_current_uid_gid", "low")
    current_gid = Word("current_gid", "Group id of the running process.", "get_current_uid_gid", "high")
    current_comm = Word("current_comm", "Name of the running thread: assign it to a char[16].", "get_current_comm",
                        "comm")
    current_task = Word("current_task", "The running task: current_task(task_struct) is a kernel pointer.",
                        "get_current_task", "task")
    ktime_ns = Word("ktime_ns", "Nanoseconds since boot, without time asleep.", "ktime_get_ns")
    boot_ns = Word("boot_ns", "Nanoseconds since boot, with time asleep (Linux 5.7).", "ktime_get_boot_ns")
    cpu = Word("cpu", "Number of the CPU this runs on.", "get_smp_processor_id", "u32")
    random_u32 = Word("random_u32", "A pseudo-random number.", "get_prandom_u32", "u32")
    field_exists = Word("field_exists", "Has the running kernel's type this field? field_exists(task_struct, \"pid\")")
    type_exists = Word("type_exists", "Has the running kernel this type? type_exists(task_struct), type_exists(\"bpf_iter_num\")")
    field_size = Word("field_size", "Bytes of a field in the running kernel: field_size(task_struct, \"comm\").")
    type_size = Word("type_size", "Bytes of a type in the running kernel.")
    type_matches = Word("type_matches", "Is the running kernel's type like this one, in members and their types?")
    enum_value = Word("enum_value", "The number that an enumerator is in the running kernel.")
    enum_exists = Word("enum_exists", "Has the running kernel this enumerator?")
    offsetof = Word("offsetof", "Bytes from the start of a type to its field, of the running kernel's where it is one.")
    container_of = Word("container_of", "The object that a pointer to its member lies in: container_of(p, T, \"member\").")
    atomic_add = Word("atomic_add", "Add to a number in memory in one instruction: atomic_add(entry.count, 1).")
    addr = Word("addr", "A pointer to a field, an element or a variable: addr(entry.count).")
    user = Word("user", "An address in user space, a number or a pointer: what is read through it is read there, Ptr[T](user(x)).field.")
    cstr = Word("cstr", "The C string at a pointer, the kernel's or a user's, cut to a size: cstr(p, 64) is char[64](p).")
    loop = Word("loop", "loop(n, f) calls f(0) to f(n - 1) until it gives something true (Linux 5.17).")
    rcu = Word("rcu", "with bpf.rcu(): what RCU protects stays there until the end of the block (Linux 6.2).")
    preempt_off = Word("preempt_off", "with bpf.preempt_off(): no other task on this CPU until the end of the block (Linux 6.10).")
    irq_off = Word("irq_off", "with bpf.irq_off(): no interrupt on this CPU until the end of the block (Linux 6.14).")
    htons = Word("htons", "A 16-bit number in network byte order.")
    htonl = Word("htonl", "A 32-bit number in network byte order.")
    ntohs = Word("ntohs", "A 16-bit number from network byte order.")
    ntohl = Word("ntohl", "A 32-bit number from network byte order.")
    seq_print = Word("seq_print", "Text into the file of an iterator program; print(…, file=ctx) ends the line too.")
    printk = Word("printk", "A line to the kernel's trace pipe; print(f\"…\") is the same.", "trace_printk")
