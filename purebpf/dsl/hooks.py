"""Decorators that say where a program runs. They only capture: nothing is compiled until something is built or loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from ..errors import NotInKernel

if TYPE_CHECKING:
    from ..spec import RunResult

NO_NAME = "no name"  # of no hook: asked for it, a kernel says which there are
P = ParamSpec("P")
R = TypeVar("R")


class Program(Generic[P, R]):
    """A captured program: the function, libbpf's section name for its hook, and `default`, its answer when an assert
    stops it (None: the hook's). In a class it is a method: `owner` is the instance that it was reached through."""

    def __init__(self, function: Callable[P, R], section: str, default: int | None = None, owner: Any = None) -> None:
        self.function, self.section, self.default, self.owner = function, section, default, owner
        self.__doc__ = function.__doc__

    if not TYPE_CHECKING:

        def __get__(self, instance: Any, cls: type) -> Program[P, R]:
            return self if instance is None else Program(self.function, self.section, self.default, instance)

    def at(self, section: str) -> Program[P, R]:
        """The same program at another place."""
        return self if section == self.section else Program(self.function, section, self.default, self.owner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.function is other.function and self.owner is other.owner and \
            self.section == other.section

    def __hash__(self) -> int:
        return hash((self.function, id(self.owner)))

    @property
    def name(self) -> str:
        return self.function.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        raise NotInKernel(f"{self.name} is a BPF program: compile it with bpf.load or bpf.build, "
                          f"or run it with {self.name}.simulate(…)")

    def __repr__(self) -> str:
        return f"<BPF program {self.name}, {self.section}>"

    def simulate(self, data: bytes = b"", ctx: Any = None, repeat: int = 1, **options: Any) -> RunResult:
        """Compile and run once in the user-space VM: no kernel, no privilege. Maps start empty. `ctx`: the context as
        bytes, a dict or record of its fields, or a tuple of the hook's arguments."""
        result: RunResult = _api().simulate(self, data=data, ctx=ctx, repeat=repeat, **options)
        return result

    def test_run(self, data: bytes = b"", ctx: Any = None, repeat: int = 1, **options: Any) -> RunResult:
        """Compile, load and run in the kernel (BPF_PROG_TEST_RUN), then unload. `ctx` as for `simulate`."""
        result: RunResult = _api().test_run(self, data=data, ctx=ctx, repeat=repeat, **options)
        return result


def programs_of(instance: Any) -> list[Program[..., Any]]:
    """The programs that are methods of an object, in the order of its class, those of base classes first."""
    names = dict.fromkeys(name for cls in reversed(type(instance).__mro__) for name, one in vars(cls).items() if isinstance(one, Program))
    return [one for name in names if isinstance(one := getattr(instance, name), Program)]


def _api() -> Any:
    # The one place where the vocabulary reaches for the tools, by name and only when a program is run from Python.
    return import_module("purebpf.api")


class Func(Generic[P, R]):
    """A function compiled as a BPF subprogram with a frame of its own. In CPython it is just the function."""

    def __init__(self, function: Callable[P, R], global_: bool = False) -> None:
        self.function, self.global_ = function, global_
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<BPF function {self.__name__}>"


@overload
def func(function: Callable[P, R], /) -> Func[P, R]: ...
@overload
def func(*, global_: bool = False) -> Callable[[Callable[P, R]], Func[P, R]]: ...
def func(function: Any = None, /, *, global_: bool = False) -> Any:
    """`@bpf.func`: a BPF subprogram of one to five arguments; `global_=True`: verified on its own."""
    return Func(function, global_) if function else lambda f: Func(f, global_)


def section(name: str, *, default: int | None = None) -> Callable[[Callable[P, R]], Program[P, R]]:
    """A program by libbpf's section name, such as "xdp" or "cgroup_skb/egress". `default`: its answer when it is given
    up by an assert or an index outside its array (otherwise the hook's, which fails closed)."""
    return lambda function: Program(function, name, default)


class Plain(Protocol):
    """A decorator used bare, `@bpf.xdp`, or with the name of a variant, `@bpf.xdp("frags")`."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> Program[P, R]: ...
    @overload
    def __call__(self, variant: str | None = None, *, default: int | None = None) -> Decorator: ...


class Targeted(Protocol):
    """A decorator that says what to attach to, `@bpf.kprobe("do_unlinkat")`."""

    def __call__(self, target: str, *rest: str, default: int | None = None, sleepable: bool = False) -> Decorator: ...

    def __getattr__(self, name: str) -> Any: ...


class Many(Protocol):
    """A decorator of many functions at once, `@bpf.kprobe_multi("tcp_*")`; `session=True`: called before and after each."""

    def __call__(self, target: str, *rest: str, default: int | None = None, sleepable: bool = False, session: bool = False) -> Decorator: ...


class Decorator(Protocol):
    """What a decorator with arguments gives."""

    def __call__(self, function: Callable[P, R], /) -> Program[P, R]: ...


def _plain(name: str, sections: dict[str, str]) -> Plain:
    """A decorator used bare, or with the name of a variant."""

    def decorate(variant: Any = None, *, default: int | None = None) -> Any:
        if callable(variant):
            return Program(variant, sections[""], default)
        if (variant or "") not in sections:
            raise ValueError(f"@{name} takes {', '.join(map(repr, filter(None, sections)))}, not {variant!r}")
        return section(sections[variant or ""], default=default)

    decorate.__name__ = name
    return decorate


class _Target:
    """A decorator that needs the name of what to attach to. `sleepable=True`: the program may sleep, where the hook lets it.

    Names that Python can spell are attributes too, for completion: `@bpf.fentry.tcp_connect`, `@bpf.tracepoint.sched.sched_switch`;
    `dir()` lists those that the running kernel has."""

    def __init__(self, name: str, prefix: str, example: str, colon: bool = False) -> None:
        self.__name__ = name
        self._prefix, self._example, self._colon = prefix, example, colon

    def __call__(self, target: Any = None, *rest: str, default: int | None = None, sleepable: bool = False) -> Any:
        name = self.__name__
        if not isinstance(target, str):
            raise TypeError(f'@{name} needs a target: @{name}("{self._example}")')
        where = "/".join((target.replace(":", "/", 1) if self._colon else target, *rest))
        return section(f"{_sleepable(name, self._prefix) if sleepable else self._prefix}/{where}", default=default)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Category(self, name) if self._colon else self(name)

    def __dir__(self) -> list[str]:
        return sorted({name.partition(":")[0] for name in self._known()})

    def _known(self) -> Collection[str]:
        """The names that the running kernel has, where it shows them."""
        from ..uapi import hooks

        hook = hooks.match(f"{self._prefix}/x")
        assert hook is not None
        return import_module("purebpf.loader.hooknames").others(hook.target, NO_NAME, hook.btf_prefix) or ()


class _Category:
    """The tracepoints of a category: `@bpf.tracepoint.sched.sched_switch`."""

    def __init__(self, decorator: _Target, name: str) -> None:
        self._decorator, self._name = decorator, name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._decorator(f"{self._name}:{name}")

    def __dir__(self) -> list[str]:
        return sorted(name.partition(":")[2] for name in self._decorator._known() if name.startswith(f"{self._name}:"))


def _target(name: str, prefix: str, example: str, colon: bool = False) -> Targeted:
    return _Target(name, prefix, example, colon)


def _sleepable(name: str, prefix: str) -> str:
    """The section of the programs of a hook that may sleep."""
    from ..uapi import hooks

    if not any(hook.name == f"{prefix}.s" for hook in hooks.HOOKS):
        can = sorted({hook.name.removesuffix(".s") for hook in hooks.HOOKS if hook.name.endswith(".s")})
        raise TypeError(f"programs of @{name} cannot sleep; those of {', '.join(can)} can")
    return f"{prefix}.s"


def _many(name: str, example: str, session: str = "") -> Many:
    """A decorator of all functions that a pattern finds. `session`: the section of its sessions."""
    once, both = _target(name, name.replace("_", "."), example), _target(name, session, example)

    def decorate(target: Any = None, *rest: str, session: bool = False, **options: Any) -> Any:
        return (both if session else once)(target, *rest, **options)

    decorate.__name__ = name
    return decorate


class Iterator:
    """One of the kernel's open-coded iterators: `for task in bpf.iter.task():` (Linux 6.4 and later)."""

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name

    def __call__(self, *args: Any) -> Any:
        raise NotInKernel(f"bpf.iter.{self.name}() works inside a BPF program only")

    def __repr__(self) -> str:
        return f"<BPF iterator {self.name}>"


class Iterators:
    """`@bpf.iter("task")`: a program that is called for every object of a kind and prints what a file then holds.
    `for i in bpf.iter.num(3, 8)`: the kernel's iterators in a loop, by their names."""

    def __call__(self, target: str, *, default: int | None = None, sleepable: bool = False) -> Callable[[Callable[P, R]], Program[P, R]]:
        return section(f"{'iter.s' if sleepable else 'iter'}/{target}", default=default)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Iterator(name)


iter = Iterators()

xdp = _plain("xdp", {"": "xdp", "frags": "xdp.frags", "devmap": "xdp/devmap", "cpumap": "xdp/cpumap"})
tc = _plain("tc", {"": "tc", "ingress": "tc/ingress", "egress": "tc/egress"})
tcx = _plain("tcx", {"": "tcx/ingress", "ingress": "tcx/ingress", "egress": "tcx/egress"})
socket_filter = _plain("socket_filter", {"": "socket"})
syscall = _plain("syscall", {"": "syscall"})
perf_event = _plain("perf_event", {"": "perf_event"})
sock_ops = _plain("sock_ops", {"": "sockops"})
cgroup_skb = _plain("cgroup_skb", {"": "cgroup/skb", "ingress": "cgroup_skb/ingress", "egress": "cgroup_skb/egress"})
cgroup_sock_create = _plain("cgroup_sock_create", {"": "cgroup/sock_create"})
cgroup_sock_release = _plain("cgroup_sock_release", {"": "cgroup/sock_release"})
cgroup_post_bind4 = _plain("cgroup_post_bind4", {"": "cgroup/post_bind4"})
cgroup_post_bind6 = _plain("cgroup_post_bind6", {"": "cgroup/post_bind6"})
cgroup_bind4 = _plain("cgroup_bind4", {"": "cgroup/bind4"})
cgroup_bind6 = _plain("cgroup_bind6", {"": "cgroup/bind6"})
cgroup_connect4 = _plain("cgroup_connect4", {"": "cgroup/connect4"})
cgroup_connect6 = _plain("cgroup_connect6", {"": "cgroup/connect6"})
cgroup_connect_unix = _plain("cgroup_connect_unix", {"": "cgroup/connect_unix"})
cgroup_sendmsg4 = _plain("cgroup_sendmsg4", {"": "cgroup/sendmsg4"})
cgroup_sendmsg6 = _plain("cgroup_sendmsg6", {"": "cgroup/sendmsg6"})
cgroup_sendmsg_unix = _plain("cgroup_sendmsg_unix", {"": "cgroup/sendmsg_unix"})
cgroup_recvmsg4 = _plain("cgroup_recvmsg4", {"": "cgroup/recvmsg4"})
cgroup_recvmsg6 = _plain("cgroup_recvmsg6", {"": "cgroup/recvmsg6"})
cgroup_recvmsg_unix = _plain("cgroup_recvmsg_unix", {"": "cgroup/recvmsg_unix"})
cgroup_getpeername4 = _plain("cgroup_getpeername4", {"": "cgroup/getpeername4"})
cgroup_getpeername6 = _plain("cgroup_getpeername6", {"": "cgroup/getpeername6"})
cgroup_getpeername_unix = _plain("cgroup_getpeername_unix", {"": "cgroup/getpeername_unix"})
cgroup_getsockname4 = _plain("cgroup_getsockname4", {"": "cgroup/getsockname4"})
cgroup_getsockname6 = _plain("cgroup_getsockname6", {"": "cgroup/getsockname6"})
cgroup_getsockname_unix = _plain("cgroup_getsockname_unix", {"": "cgroup/getsockname_unix"})
cgroup_sysctl = _plain("cgroup_sysctl", {"": "cgroup/sysctl"})
cgroup_getsockopt = _plain("cgroup_getsockopt", {"": "cgroup/getsockopt"})
cgroup_setsockopt = _plain("cgroup_setsockopt", {"": "cgroup/setsockopt"})
cgroup_dev = _plain("cgroup_dev", {"": "cgroup/dev"})
sk_msg = _plain("sk_msg", {"": "sk_msg"})
sk_skb = _plain("sk_skb", {"": "sk_skb", "stream_parser": "sk_skb/stream_parser", "stream_verdict": "sk_skb/stream_verdict",
                           "verdict": "sk_skb/verdict"})
sk_lookup = _plain("sk_lookup", {"": "sk_lookup"})
sk_reuseport = _plain("sk_reuseport", {"": "sk_reuseport", "migrate": "sk_reuseport/migrate"})
flow_dissector = _plain("flow_dissector", {"": "flow_dissector"})
netfilter = _plain("netfilter", {"": "netfilter"})
lwt_in = _plain("lwt_in", {"": "lwt_in"})
lwt_out = _plain("lwt_out", {"": "lwt_out"})
lwt_xmit = _plain("lwt_xmit", {"": "lwt_xmit"})
lwt_seg6local = _plain("lwt_seg6local", {"": "lwt_seg6local"})
lirc_mode2 = _plain("lirc_mode2", {"": "lirc_mode2"})

tracepoint = _target("tracepoint", "tracepoint", "syscalls:sys_enter_openat", colon=True)
raw_tracepoint = _target("raw_tracepoint", "raw_tp", "sched_switch")
tp_btf = _target("tp_btf", "tp_btf", "sched_switch")
kprobe = _target("kprobe", "kprobe", "do_unlinkat")
kretprobe = _target("kretprobe", "kretprobe", "do_unlinkat")
fentry = _target("fentry", "fentry", "do_unlinkat")
fexit = _target("fexit", "fexit", "do_unlinkat")
uprobe = _target("uprobe", "uprobe", "/bin/bash:readline")
uretprobe = _target("uretprobe", "uretprobe", "/bin/bash:readline")
lsm = _target("lsm", "lsm", "file_open")
fmod_ret = _target("fmod_ret", "fmod_ret", "bpf_modify_return_test")
freplace = _target("freplace", "freplace", "function")
lsm_cgroup = _target("lsm_cgroup", "lsm_cgroup", "socket_post_create")
ksyscall = _target("ksyscall", "ksyscall", "openat")
kretsyscall = _target("kretsyscall", "kretsyscall", "openat")
usdt = _target("usdt", "usdt", "libc.so.6:libc:setjmp")
kprobe_multi = _many("kprobe_multi", "tcp_*", session="kprobe.session")
kretprobe_multi = _target("kretprobe_multi", "kretprobe.multi", "tcp_*")
uprobe_multi = _many("uprobe_multi", "libc.so.6:mem*", session="uprobe.session")
uretprobe_multi = _target("uretprobe_multi", "uretprobe.multi", "libc.so.6:mem*")
