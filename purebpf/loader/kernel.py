"""What the loader asks the running kernel for besides bpf(2): its BTF, symbols and configuration; each read once, when
first needed, and kept as long as this object.
"""

from __future__ import annotations

import difflib
import os
from functools import cache
from typing import Iterator

from ..btf import Btf
from ..btf import kernel as kernel_btf
from ..btf import types as t
from ..btf.kinds import BY_CLASS
from ..errors import KernelError, NotSupported
from . import bpf, sys
from .fd import Fd, close_all

EPERM, ENOENT, ESRCH = 1, 2, 3
_AMBIGUOUS = -1  # an address that no symbol has


class Kernel:
    """`btf`: the types to relocate against, a `Btf` or the path of a file; None: the running kernel's."""

    def __init__(self, btf: Btf | str | os.PathLike[str] | None = None) -> None:
        self._custom = btf if isinstance(btf, Btf) else kernel_btf.vmlinux(os.fspath(btf)) if btf is not None else None
        self._vmlinux: Btf | None = None
        self._modules: dict[str, tuple[Btf, Fd | None]] = {}
        self._config: dict[str, str] | None = None
        self._symbols: dict[str, int] | None = None

    def close(self) -> None:
        fds = [fd for _, fd in self._modules.values() if fd is not None]
        self._modules = {}
        close_all(fds)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def vmlinux(self) -> Btf:
        """The running kernel's types. NotSupported when it has none."""
        if self._vmlinux is None:
            self._vmlinux = kernel_btf.vmlinux()
        return self._vmlinux

    @property
    def target(self) -> Btf:
        """The types that CO-RE relocates against."""
        return self._custom or self.vmlinux

    def modules(self) -> Iterator[tuple[str, Btf]]:
        """The types of each loaded module, opened one by one."""
        for name in kernel_btf.modules():
            yield name, self._module(name)[0]

    def types(self, module: str) -> Btf:
        """The types of a module, of the kernel itself for ""."""
        return self._module(module)[0] if module else self.vmlinux

    def _module(self, name: str) -> tuple[Btf, Fd | None]:
        if name not in self._modules:
            self._modules[name] = (kernel_btf.module(name, self.vmlinux), None)
        return self._modules[name]

    def module_fd(self, name: str) -> int:
        """The BTF fd of a module, open until `close`. NotSupported if it has none."""
        btf, fd = self._module(name)
        if fd is None:
            fd = bpf.module_btf(name)
            self._modules[name] = (btf, fd)
        return fd.fileno()

    def find(self, name: str, kind: type[t.Type]) -> tuple[int, str] | None:
        """(type id, module) of a named type: vmlinux first ("" as the module), then the modules. "module:name" looks
        there only."""
        module, _, bare = name.rpartition(":")
        if module in ("", "vmlinux"):
            found = self.vmlinux.find(bare, kind)
            if found is not None or module:
                return None if found is None else (found, "")
            for other, btf in self.modules():
                found = btf.find(bare, kind)
                if found is not None:
                    return found, other
            return None
        found = self._module(module)[0].find(bare, kind)
        return None if found is None else (found, module)

    def near(self, name: str, kind: type[t.Type], prefix: str = "") -> str:
        """A did-you-mean for a name that `find` does not know, "" if nothing is near."""
        btf, number = self.vmlinux, BY_CLASS[kind].number
        names = (str(btf[i].name) for i in range(btf.first, btf.last + 1)  # type: ignore[union-attr]
                 if btf.kind(i) == number)
        known = [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
        near = difflib.get_close_matches(name, known, 3, 0.75)
        return "did you mean " + " or ".join(map(repr, near)) + "?" if near else ""

    def symbol(self, name: str) -> int | None:
        """The address of a kernel symbol, None if /proc/kallsyms does not list it. NotSupported if the kernel hides it, or
        has several symbols of that name."""
        if self._symbols is None:
            self._symbols = _kallsyms()
        found = self._symbols.get(name)
        if found == _AMBIGUOUS:
            raise NotSupported(ESRCH, f"kernel symbol {name!r} is ambiguous: there are several at different addresses", reason="")
        if found == 0:
            raise NotSupported(EPERM, f"the address of kernel symbol {name!r} is hidden",
                               hint="kernel.kptr_restrict hides it: CAP_SYSLOG, or sysctl kernel.kptr_restrict=0", reason="")
        return found

    def config(self, name: str) -> str | None:
        """The value of CONFIG_… as the configuration file spells it: "y", "m", "64", "\\"text\\""; None if not set."""
        if self._config is None:
            self._config = _read_config()
        return self._config.get(name)


def _kallsyms() -> dict[str, int]:
    symbols: dict[str, int] = {}
    with open("/proc/kallsyms", encoding="ascii", errors="replace") as file:
        for line in file:
            address, _, rest = line.partition(" ")
            name, value = rest[2:].split()[0], int(address, 16)
            if symbols.setdefault(name, value) != value:
                symbols[name] = _AMBIGUOUS
    return symbols


def _read_config() -> dict[str, str]:
    release = os.uname().release
    for path in (f"/boot/config-{release}", "/proc/config.gz", f"/lib/modules/{release}/config"):
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            continue
        if path.endswith(".gz"):
            import gzip

            data = gzip.decompress(data)
        pairs = (line.split("=", 1) for line in data.decode(errors="replace").splitlines()
                 if line.startswith("CONFIG_") and "=" in line)
        return {name: value for name, value in pairs}
    raise NotSupported(ENOENT, "the kernel's configuration",
                       hint="none of /proc/config.gz and /boot/config-RELEASE can be read")


def running() -> str:
    """The running kernel's release, "6.18": what programs that are loaded at once are compiled for."""
    return ".".join(map(str, sys.kernel_version()[:2]))


@cache
def lacks() -> frozenset[str]:
    """What the running kernel was built without, of what there is another way for."""
    return frozenset(("kprobe",)) if not os.path.exists("/sys/bus/event_source/devices/kprobe") else frozenset()


def missing(name: str, what: str, hint: str = "") -> KernelError:
    """A kernel symbol that a program needs and this kernel lacks."""
    return NotSupported(ESRCH, f"{what} {name!r} is not in this kernel", hint=hint, reason="")
