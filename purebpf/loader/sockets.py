"""Attaching to the network: interfaces, cgroups, sockets, maps of sockets, network namespaces, netfilter."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any

from ..errors import AttachError, KernelError
from ..uapi.enums import AttachType
from . import bpf, links, netlink
from .fd import Fd
from .refusals import CAP_BPF, CAP_NET_ADMIN, older_than

if TYPE_CHECKING:
    from .links import Link
    from .progs import LoadedProgram

ENODEV, EINVAL, EOPNOTSUPP = 19, 22, 95
XDP_MODES = {"auto": 0, "generic": 2, "native": 4, "offload": 8}
SO_ATTACH_BPF, SO_DETACH_BPF, SO_ATTACH_REUSEPORT_EBPF = 50, 27, 52
_CAPS = (CAP_BPF, CAP_NET_ADMIN)
HOOKS = {"prerouting": 0, "local_in": 1, "forward": 2, "local_out": 3, "postrouting": 4}
FAMILIES = {"ipv4": 2, "ipv6": 10}


def interface(target: str | int) -> int:
    """The index of a network interface. Raises AttachError that lists those there are."""
    if isinstance(target, int):
        return target
    try:
        return socket.if_nametoindex(target)
    except OSError:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise AttachError(ENODEV, f"network interface {target!r} does not exist", f"there are: {names}", reason="") from None


def attach_xdp(program: LoadedProgram, target: str | int, *, mode: str = "auto") -> Link:
    """To an interface by name or index; `mode` "auto" (native where the driver can, else generic), "native", "generic"
    or "offload"."""
    if mode not in XDP_MODES:
        raise ValueError(f"mode {mode!r}: one of {', '.join(XDP_MODES)}")
    hint = "the driver has no native XDP: use mode='generic'" if mode == "native" else (
        "another XDP program may be attached, not as a link (see ip link)")
    return links.create(program, "xdp", str(target), feature="XDP links", since="5.9", caps=_CAPS, hint=hint,
                        target_fd=interface(target), attach_type=AttachType.XDP, flags=XDP_MODES[mode])


def attach_tc(program: LoadedProgram, target: str | int, *, direction: str = "") -> Link:
    """To an interface, `direction` "ingress" or "egress" (default: what the section says, else ingress): a tcx link
    (6.6), before that a filter of a clsact qdisc."""
    expected = program.spec.attach_type
    if expected in (AttachType.NETKIT_PRIMARY, AttachType.NETKIT_PEER):
        return links.create(program, "netkit", str(target), feature="netkit", since="6.7", caps=_CAPS,
                            target_fd=interface(target))
    if not direction:
        egress = expected == AttachType.TCX_EGRESS or program.spec.section.endswith("/egress")
        direction = "egress" if egress else "ingress"
    if direction not in ("ingress", "egress"):
        raise ValueError(f"direction {direction!r}: 'ingress' or 'egress'")
    index = interface(target)
    where = f"{target} {direction}"
    if not older_than("6.6"):
        kind = AttachType.TCX_INGRESS if direction == "ingress" else AttachType.TCX_EGRESS
        try:
            return links.create(program, "tcx", where, caps=_CAPS, target_fd=index, attach_type=kind)
        except KernelError as error:
            if error.errno not in (EINVAL, EOPNOTSUPP):  # else a kernel without CONFIG_NET_XGRESS
                raise
    made = netlink.attach_tc(index, ingress=direction == "ingress", program_fd=program.fileno(), name=program.name)
    return links.Link("tc", where, made)


def _directory(target: Any, what: str) -> tuple[int, Fd | None]:
    """(fd, its owner if it was opened here) of a path or of anything with fileno()."""
    if isinstance(target, int):
        return target, None
    if hasattr(target, "fileno"):
        return target.fileno(), None
    try:
        opened = Fd(os.open(target, os.O_RDONLY | os.O_CLOEXEC), what)
    except OSError as error:
        raise AttachError(error.errno or EINVAL, f"opening {what} {target}") from None
    return opened.fileno(), opened


def attach_cgroup(program: LoadedProgram, target: Any) -> Link:
    """To a cgroup v2 directory (path or fd); programs of the group and of those above all run."""
    fd, owner = _directory(target, "cgroup")
    try:
        return links.create(program, "cgroup", str(target), feature="cgroup links", since="5.7", caps=_CAPS,
                            hint="is it a cgroup v2 directory?", target_fd=fd)
    finally:
        if owner is not None:
            owner.close()


def attach_netns(program: LoadedProgram, target: Any) -> Link:
    """To a network namespace: a path such as /proc/self/ns/net, or an fd."""
    fd, owner = _directory(target, "network namespace")
    try:
        return links.create(program, "netns", str(target), feature="network namespace links", since="5.8",
                            caps=_CAPS, target_fd=fd)
    finally:
        if owner is not None:
            owner.close()


class _SocketOption:
    """A program attached by setsockopt; `close` takes it off a socket that is still open."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket: socket.socket | None = sock

    def close(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None and sock.fileno() >= 0:
            try:
                sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_BPF, 0)
            except FileNotFoundError:
                pass  # somebody took it off already


def attach_socket(program: LoadedProgram, target: socket.socket) -> Link:
    """A socket filter on an open socket; it goes with the socket at the latest."""
    return _by_option(program, target, SO_ATTACH_BPF)


def attach_reuseport(program: LoadedProgram, target: socket.socket) -> Link:
    """Selects among the sockets of a reuseport group."""
    return _by_option(program, target, SO_ATTACH_REUSEPORT_EBPF)


def _by_option(program: LoadedProgram, target: socket.socket, option: int) -> Link:
    try:
        target.setsockopt(socket.SOL_SOCKET, option, struct.pack("=i", program.fileno()))
    except OSError as error:
        raise links.refusal(-(error.errno or EINVAL), program, "socket", str(target.fileno())) from error
    return links.Link("socket", str(target.fileno()), *([_SocketOption(target)] if option == SO_ATTACH_BPF else []))


class _Attached:
    """A program attached with BPF_PROG_ATTACH, which has no link."""

    def __init__(self, target: int, program: int, kind: int) -> None:
        self._fds: tuple[int, int] | None = (os.dup(target), os.dup(program))
        self._kind = kind

    def close(self) -> None:
        fds, self._fds = self._fds, None
        if fds is not None:
            bpf.prog_detach(fds[0], fds[1], self._kind)
            for fd in fds:
                os.close(fd)


def attach_sockmap(program: LoadedProgram, target: Any) -> Link:
    """sk_skb and sk_msg programs on a sockmap or sockhash."""
    kind, fd = program.spec.attach_type, target.fileno()
    result = bpf.prog_attach(fd, program.fileno(), kind)
    if result < 0:
        raise links.refusal(result, program, "sockmap", str(target), caps=_CAPS)
    return links.Link("sockmap", str(target), _Attached(fd, program.fileno(), kind))


def attach_netfilter(program: LoadedProgram, target: str, *, priority: int = -128, defrag: bool = False) -> Link:
    """`target` is "ipv4:local_in", "ipv6:forward", …; see FAMILIES and HOOKS."""
    family, _, hook = target.partition(":")
    if family not in FAMILIES or hook not in HOOKS:
        raise AttachError(EINVAL, f"netfilter hook {target!r}",
                          f"write 'FAMILY:HOOK' of {', '.join(FAMILIES)} and {', '.join(HOOKS)}")
    return links.create(program, "netfilter", target, feature="netfilter programs", since="6.4", caps=_CAPS,
                        netfilter__pf=FAMILIES[family], netfilter__hooknum=HOOKS[hook],
                        netfilter__priority=priority, netfilter__flags=int(defrag))
