"""Maps of where packets and connections go on: devices, CPUs, sockets. User space fills them; a program picks an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .maps import Map

K = TypeVar("K")


class Redirects(Map):
    """Maps whose entries XDP programs send packets to: `return devices.redirect(key, default=bpf.XDP_PASS)`."""

    words, value_size = 0, 4

    if TYPE_CHECKING:

        def redirect(self, key: int, default: int = 0, flags: int = 0) -> Any:
            """XDP_REDIRECT, or `default` where the entry is empty (XDP_ABORTED to XDP_TX)."""

        def __contains__(self, key: int) -> bool: ...


class DevMap(Redirects):
    """Network interfaces by index (BPF_MAP_TYPE_DEVMAP)."""

    map_type = "DEVMAP"


class DevMapHash(Redirects):
    """Network interfaces by any number (Linux 5.4)."""

    map_type = "DEVMAP_HASH"


class CpuMap(Redirects):
    """CPUs, each with the length of its queue."""

    map_type = "CPUMAP"


class XskMap(Redirects):
    """AF_XDP sockets by queue."""

    map_type = "XSKMAP"


class Sockets(Map):
    """Maps of sockets: `socks[key] = ctx` in a sock_ops program puts its connection in, `socks.redirect(ctx, key)` in an sk_skb or
    sk_msg program sends the data there."""

    value_size = 4

    if TYPE_CHECKING:

        def redirect(self, ctx: Any, key: Any, flags: int = 0) -> Any:
            """SK_PASS, or SK_DROP where the entry is empty. `flags`: F_INGRESS for the receiving side."""

        def update(self, ctx: Any, key: Any, flags: int = 0) -> int: ...
        def delete(self, key: Any) -> int: ...
        def __setitem__(self, key: Any, ctx: Any) -> None: ...
        def __delitem__(self, key: Any) -> None: ...


class SockMap(Sockets):
    """Sockets by index (BPF_MAP_TYPE_SOCKMAP)."""

    map_type, words = "SOCKMAP", 0


class SockHash(Sockets, Generic[K]):
    """Sockets by key: `SockHash[Flow](max_entries=1024)`."""

    map_type, words = "SOCKHASH", 1

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.key, self.value = self.value, None


class ReusePortArray(Map):
    """Listening sockets of one port: `return socks.select(ctx, key)` in an sk_reuseport program."""

    map_type, words, value_size = "REUSEPORT_SOCKARRAY", 0, 4

    if TYPE_CHECKING:

        def select(self, ctx: Any, key: int, flags: int = 0) -> int:
            """0, or a negative errno where the entry is empty."""


class CgroupArray(Map):
    """Cgroups by index: `cgroups.holds_current(0)`."""

    map_type, words, value_size = "CGROUP_ARRAY", 0, 4

    if TYPE_CHECKING:

        def holds_current(self, index: int) -> bool:
            """Is the running task below that cgroup?"""

        def holds(self, index: int, ctx: Any) -> bool:
            """Is the packet's socket below that cgroup?"""


class StackTrace(Map):
    """Call stacks, each once, under a number: `stacks.id(ctx, user=True)`. `depth`: the most frames of one."""

    map_type, words = "STACK_TRACE", 0

    def __init__(self, *, depth: int = 127, **options: Any) -> None:
        if not 1 <= depth <= 127:
            raise ValueError(f"depth must be 1 to 127, not {depth}")
        super().__init__(**options)
        self.value_size = 8 * depth

    if TYPE_CHECKING:

        def id(self, ctx: Any, user: bool = False, skip: int = 0, flags: int = 0) -> int:
            """The number of the stack, or a negative errno. `skip`: frames to leave out at the top."""


