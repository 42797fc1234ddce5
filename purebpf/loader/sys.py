"""The only file with foreign calls: bpf(2), perf_event_open(2), mount fds and shared memory, through libc's `syscall`.

Calls return what the kernel returns, a failure as a negative errno; those that make a descriptor give its owner instead
(`Fd`), which stands around the system call, so that no signal comes in between. Who called turns a failure into an error
(`refusals.refuse`). A buffer is a ctypes char array: `buffer(n)`, its address `address(buf)`.

Ordering of the ring buffers' shared memory. An aligned 8-byte load or store through `memoryview.cast("Q")` is one
machine access (CPython copies it with a fixed-size memcpy). What is left is the order between them: x86 and s390 keep
loads in order with loads and stores behind earlier loads, so nothing is needed; elsewhere `fence()` is called between
the load of a position and the loads of the data behind it, and before the store of the consumer's position.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import struct
import weakref
from errno import ENOSYS
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from ..errors import NotSupported
from ..order import HOST
from .fd import Fd, Made

ENOTSUPP: Final = 524  # the kernel's own number, which leaks through bpf(2); Python's errno has no name for it
PAGE: Final = mmap.PAGESIZE
BYTEORDER: Final = HOST.name

_MACHINE = os.uname().machine  # `platform` costs milliseconds to import
_BPF_NUMBERS = {"x86_64": 321, "i386": 357, "i686": 357, "s390x": 351, "sparc64": 349, "mips64": 5315,
                "ppc64": 361, "ppc64le": 361, "armv7l": 386, "parisc64": 341}
_PERF_NUMBERS = {"x86_64": 298, "i386": 336, "i686": 336, "s390x": 331, "sparc64": 327, "mips64": 5292,
                 "ppc64": 319, "ppc64le": 319, "armv7l": 364, "parisc64": 318}
_NR_BPF = _BPF_NUMBERS.get(_MACHINE, 280)  # 280 and 241: the generic table (arm64, riscv, loongarch)
_NR_PERF = _PERF_NUMBERS.get(_MACHINE, 241)
_MIPS = 5000 if _MACHINE.startswith("mips") else 0
_NR_FSOPEN, _NR_FSCONFIG, _NR_FSMOUNT = 430 + _MIPS, 431 + _MIPS, 432 + _MIPS  # one number on all others
_ORDERED = _MACHINE in ("x86_64", "i386", "i686", "s390x", "sparc64")

_libc = ctypes.CDLL(None, use_errno=True)
_long, _pointer = ctypes.c_long, ctypes.c_void_p


def _none(*arguments: Any) -> int:
    ctypes.set_errno(ENOSYS)
    return -1


def _syscall(*arguments: Any) -> Any:
    try:
        function = _libc["syscall"]  # a new object each time: every use has its own signature
    except AttributeError:  # no Linux, as in a browser: there is no such call, and that is the answer
        return _none
    function.restype = _long
    function.argtypes = (_long, *arguments)
    return function


_bpf = _syscall(ctypes.c_int, _pointer, ctypes.c_uint)
_perf = _syscall(_pointer, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_ulong)
_fsopen = _syscall(ctypes.c_char_p, ctypes.c_uint)
_fsconfig = _syscall(ctypes.c_int, ctypes.c_uint, _pointer, _pointer, ctypes.c_int)
_fsmount = _syscall(ctypes.c_int, ctypes.c_uint, ctypes.c_uint)

Buffer = ctypes.Array[ctypes.c_char]


@lru_cache(256)
def _chars(size: int) -> type[Buffer]:
    return ctypes.c_char * size


def buffer(content: int | bytes) -> Buffer:
    """Memory that the kernel may read and write: zeroed, of so many bytes, or a copy of `content`."""
    if isinstance(content, int):
        return _chars(content or 1)()
    return _chars(len(content) or 1).from_buffer_copy(content or b"\0")


def address(buf: Buffer | None) -> int:
    """Where `buf` is; 0 for None. The caller keeps `buf` alive during the call."""
    return 0 if buf is None else ctypes.addressof(buf)


class Scratch:
    """A large buffer that costs only what is written to it; `text` is what stands before the first NUL."""

    def __init__(self, size: int) -> None:
        self._memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.buffer: Buffer | None = (ctypes.c_char * size).from_buffer(self._memory)

    def text(self) -> str:
        end = self._memory.find(b"\0")
        return self._memory[:end if end >= 0 else len(self._memory)].decode(errors="replace")

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.buffer = None  # the memory cannot be closed while this refers to it
        self._memory.close()


def bpf(command: int, attr: Buffer, size: int) -> int:
    """bpf(2), a command that makes no descriptor: 0 or more, or a negative errno."""
    result: int = _bpf(_NR_BPF, command, attr, size)
    return result if result >= 0 else -ctypes.get_errno()


def _owned(what: str, function: Any, *arguments: Any) -> Made:
    made = Fd.owning(what, function, *arguments)
    return -ctypes.get_errno() if made.closed else made


def bpf_fd(what: str, command: int, attr: Buffer, size: int) -> Made:
    """bpf(2), a command that makes a descriptor."""
    return _owned(what, _bpf, _NR_BPF, command, attr, size)


def perf_event_open(what: str, attr: Buffer, pid: int, cpu: int, flags: int = 0) -> Made:
    """A perf event of its own group, close-on-exec."""
    return _owned(what, _perf, _NR_PERF, attr, pid, cpu, -1, flags | 8)  # 8: PERF_FLAG_FD_CLOEXEC


def mount_detached(kind: str) -> Made:
    """A new mount of a file system that is nowhere in the tree (5.2): a path fd, gone when it is closed."""
    context = _owned(f"{kind} being mounted", _fsopen, _NR_FSOPEN, kind.encode(), 1)
    if isinstance(context, int):
        return context
    with context:
        if _fsconfig(_NR_FSCONFIG, context.fileno(), 6, None, None, 0) < 0:  # FSCONFIG_CMD_CREATE
            return -ctypes.get_errno()
        return _owned(f"{kind} mount", _fsmount, _NR_FSMOUNT, context.fileno(), 1, 0)


def map_shared(fd: int, length: int, *, write: bool, offset: int = 0) -> mmap.mmap:
    """Shared memory of a map or perf event. Raises OSError. Python duplicates `fd` until the mapping is closed, and
    refuses to close while a memoryview of it lives: a late access is an error, never a fault."""
    prot = mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)
    return mmap.mmap(fd, length, mmap.MAP_SHARED, prot, offset=offset)


class Mapping:
    """Shared memory of a map, readable and writable; at `address`, 0: wherever the kernel likes. Raises OSError."""

    def __init__(self, fd: int, length: int, address: int = 0) -> None:
        self.address, self._length = 0, length
        self._exported: list[weakref.ref[Any]] = []
        call = _libc["mmap"]
        call.restype = _pointer
        call.argtypes = (_pointer, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64)
        fixed = 0x100000 if address else 0  # MAP_FIXED_NOREPLACE
        found = call(address, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | fixed, fd, 0)
        if found is None or found == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.address = int(found)

    def _at(self, offset: int, size: int) -> int:
        if not self.address:
            raise ValueError("the memory is not mapped any more")
        if not 0 <= offset <= offset + size <= self._length:
            raise ValueError(f"[{offset}, {offset + size}) is outside of {self._length} bytes")
        return self.address + offset

    def read(self, offset: int, size: int) -> bytes:
        return ctypes.string_at(self._at(offset, size), size)

    def write(self, offset: int, data: bytes) -> None:
        ctypes.memmove(self._at(offset, len(data)), data, len(data))

    def view(self) -> memoryview:
        """The memory; `close` refuses while it lives."""
        self._at(0, 0)
        exported = (ctypes.c_char * self._length).from_address(self.address)
        self._exported.append(weakref.ref(exported))
        return memoryview(exported).cast("B")

    def close(self) -> None:
        """BufferError while a view lives; a second time is fine."""
        self._exported = [one for one in self._exported if one() is not None]
        if self._exported:
            raise BufferError("a view of the memory is still in use: release() it first")
        address, self.address = self.address, 0
        if address:
            call = _libc["munmap"]
            call.argtypes = (_pointer, ctypes.c_size_t)
            call(address, self._length)


def pages(length: int) -> int:
    """`length` rounded up to whole pages."""
    return -(-length // PAGE) * PAGE


_fence = Lock()
_DEBIAN = re.compile(r"Debian (\d+)\.(\d+)\.(\d+)")
_UBUNTU = re.compile(r"Ubuntu \S+ (\d+)\.(\d+)\.(\d+)")


def fence() -> None:
    """Order earlier loads and stores before later ones, where the machine does not by itself: two round trips of a
    lock, whose acquire and release are a full barrier together."""
    if not _ORDERED:
        for _ in range(2):
            _fence.acquire()
            _fence.release()


@lru_cache(1)
def kernel_version() -> tuple[int, int, int]:
    """(6, 18, 44): the running kernel's real version. Debian and Ubuntu put an ABI number into the release and the version
    elsewhere ("#1 SMP Debian 6.1.76-1", /proc/version_signature)."""
    found = _DEBIAN.search(os.uname().version)
    if found is None:
        try:
            with open("/proc/version_signature", encoding="ascii", errors="replace") as file:
                found = _UBUNTU.match(file.read())
        except OSError:
            pass
    if found is not None:
        return int(found[1]), int(found[2]), int(found[3])
    parts = (os.uname().release.split("-")[0].split("+")[0].split(".") + ["0", "0"])[:3]
    return tuple(int("".join(c for c in p if c.isdigit()) or 0) for p in parts)  # type: ignore[return-value]


def parse_cpus(text: str) -> list[int]:
    """"0-3,8" -> [0, 1, 2, 3, 8], the kernel's notation in /sys/devices/system/cpu."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        low, _, high = part.partition("-")
        cpus.extend(range(int(low), int(high or low) + 1))
    return cpus


_CPUS = "/sys/devices/system/cpu"


def possible_cpus() -> int:
    """How many values a per-CPU map has: possible CPUs, not those online. NotSupported without /sys: a wrong number would
    let the kernel write past a buffer."""
    try:
        with open(f"{_CPUS}/possible", encoding="ascii") as file:
            return len(parse_cpus(file.read()))
    except OSError as error:
        raise NotSupported(error.errno or 0, f"the number of possible CPUs ({_CPUS}/possible)",
                           hint="mount sysfs: mount -t sysfs sysfs /sys") from None


def online_cpus() -> list[int]:
    """Their numbers; from /proc/stat where there is no /sys."""
    try:
        with open(f"{_CPUS}/online", encoding="ascii") as file:
            return parse_cpus(file.read())
    except OSError:
        pass
    try:
        with open("/proc/stat", encoding="ascii") as file:
            return [int(line[3:].split()[0]) for line in file if line.startswith("cpu") and line[3:4].isdigit()]
    except OSError as error:
        raise NotSupported(error.errno or 0, f"the list of CPUs ({_CPUS}/online)",
                           hint="mount sysfs and procfs: mount -t sysfs sysfs /sys") from None


def pack_u32(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}I", *(n & 0xFFFFFFFF for n in numbers))
