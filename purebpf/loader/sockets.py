"""Attaching to the network: interfaces, cgroups, sockets, maps of sockets, network namespaces, netfilter."""

from __future__ import annotations

import socket
import struct
from errno import EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from ..errors import AttachError, KernelError
from ..uapi.enums import AttachFlag, AttachType, LinkType, ProgType
from . import bpf, links, netlink
from .fd import Fd, close_all
from .link import Link, Request, duplicate
from .refusals import CAP_BPF, CAP_NET_ADMIN, older_than
from .special import interface as interface

if TYPE_CHECKING:
    from .progs import LoadedProgram

XDP_MODES = {"auto": 0, "generic": 2, "native": 4, "offload": 8}
SO_ATTACH_BPF, SO_DETACH_BPF, SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF = 50, 27, 52, 68
_CAPS = (CAP_BPF, CAP_NET_ADMIN)
HOOKS = {"prerouting": 0, "local_in": 1, "forward": 2, "local_out": 3, "postrouting": 4}
FAMILIES = {"ipv4": 2, "ipv6": 10}


def attach_xdp(program: LoadedProgram, target: str | int, *, mode: str = "auto", via: str = "", replace: Any = None) -> Link:
    """To an interface by name or index; `mode` "auto" (native where the driver can, else generic), "native", "generic"
    or "offload". `via` "link" or "netlink" (the way before 5.9, which other tools see and may change; `replace`: only if
    this program is there now). Default: a link where the kernel has them."""
    if mode not in XDP_MODES:
        raise ValueError(f"mode {mode!r}: one of {', '.join(XDP_MODES)}")
    if via not in ("", "link", "netlink"):
        raise ValueError(f"via {via!r}: 'link' or 'netlink'")
    index = interface(target)
    if via == "netlink" or replace is not None or not via and older_than("5.9"):
        return netlink.attach_xdp(program, index, str(target), XDP_MODES[mode], replace)
    try:
        return links.create(program, "xdp", str(target), feature="XDP links", since="5.9", caps=_CAPS,
                            target_fd=index, attach_type=AttachType.XDP, flags=XDP_MODES[mode])
    except KernelError as error:
        if error.errno in (EINVAL, EBUSY, EEXIST, EOPNOTSUPP, ENODEV):
            raise AttachError(error.errno, error.action, _why_no_xdp(index, mode, error.errno)) from None
        raise


def _why_no_xdp(index: int, mode: str, errno: int) -> str:
    try:
        name = socket.if_indextoname(index)
    except OSError:
        return f"no network interface has index {index}"
    there = netlink.xdp_of(index)
    if there:
        return f"{name} has an XDP program already: {', '.join(f'{m} program {i}{_link_of(index)}' for m, i in there)}"
    if mode == "offload":
        return f"{name} cannot run programs on its hardware: use mode='native' or 'generic'"
    if mode == "native" and errno == EOPNOTSUPP:
        return f"the driver of {name} has no native XDP: use mode='generic'"
    return f"{name} takes no XDP program in mode {mode!r} (its driver, its MTU, or a setting such as LRO)"


def _link_of(index: int) -> str:
    try:
        for number in bpf.ids("link"):
            with bpf.fd_by_id("link", number) as fd:
                got = bpf.link_info(fd.fileno())
                if got.type == LinkType.XDP and got["xdp.ifindex"] == index:
                    return f" of link {number}"
    except KernelError:
        pass
    return ""


def _order(before: Any, after: Any, replace: Any, expected_revision: int, group: str) -> dict[str, Any]:
    """The fields that say where in a list of programs: before or after a link or a loaded program; True: all of them."""
    if replace is not None:
        raise ValueError("replace=: a link replaces its program by link.update(program)")
    if before is not None and after is not None:
        raise ValueError("before= and after=: one of them")
    if before is None and after is None and not expected_revision:
        return {}
    other = before if before is not None else after
    flags = 0 if other is None else AttachFlag.BEFORE if before is not None else AttachFlag.AFTER
    fields: dict[str, Any] = {f"{group}__expected_revision": expected_revision}
    if other is not None and other is not True:
        if isinstance(other, int):
            raise ValueError("before=, after=: a Link or a LoadedProgram, or True for all")
        flags |= AttachFlag.LINK if isinstance(other, Link) else 0
        fields[f"{group}__relative_fd"] = other.fileno()
    return {**fields, "flags": flags}


def attach_tc(program: LoadedProgram, target: str | int, *, direction: str = "", before: Any = None, after: Any = None,
              replace: Any = None, expected_revision: int = 0, via: str = "", priority: int = 0) -> Link:
    """To an interface, `direction` "ingress" or "egress" (default: what the section says, else ingress): a tcx or netkit
    link (6.6, 6.7), before that, or with `via="clsact"`, a filter of a clsact qdisc, of `priority` (0: the kernel picks).

    `before`, `after`: a Link or LoadedProgram that is there, or True for all that are; `expected_revision`: only if the
    list of programs has not changed since (ESTALE)."""
    expected = program.spec.attach_type
    index = interface(target)
    if expected in (AttachType.NETKIT_PRIMARY, AttachType.NETKIT_PEER):
        return links.create(program, "netkit", str(target), feature="netkit", since="6.7", caps=_CAPS,
                            hint="is it a netkit device?", target_fd=index,
                            **_order(before, after, replace, expected_revision, "netkit"))
    if not direction:
        egress = expected == AttachType.TCX_EGRESS or program.spec.section.endswith("/egress")
        direction = "egress" if egress else "ingress"
    if direction not in ("ingress", "egress"):
        raise ValueError(f"direction {direction!r}: 'ingress' or 'egress'")
    if via not in ("", "tcx", "clsact"):
        raise ValueError(f"via {via!r}: 'tcx' or 'clsact'")
    where = f"{target} {direction}"
    order = _order(before, after, replace, expected_revision, "tcx")
    if order and (priority or via == "clsact"):
        raise ValueError("order by before= and after= is for tcx, priority= for clsact filters")
    if via != "clsact" and not priority and (via or order or not older_than("6.6")):
        kind = AttachType.TCX_INGRESS if direction == "ingress" else AttachType.TCX_EGRESS
        try:
            return links.create(program, "tcx", where, feature="tcx", since="6.6", caps=_CAPS, target_fd=index,
                                attach_type=kind, **order)
        except KernelError as error:
            if error.errno == EEXIST:
                raise AttachError(EEXIST, error.action, "this program is attached there already") from None
            if via or order or error.errno not in (EINVAL, EOPNOTSUPP):  # else a kernel without CONFIG_NET_XGRESS
                raise
    return netlink.attach_tc(program, index, where, ingress=direction == "ingress", priority=priority)


def attach_cgroup(program: LoadedProgram, target: Any, *, before: Any = None, after: Any = None, replace: Any = None,
                  expected_revision: int = 0, preorder: bool = False, direction: str = "") -> Link:
    """To a cgroup v2 directory (path or fd); programs of the group and of those above all run.

    `before`, `after`, `expected_revision` (6.17): as of tc. `preorder` (6.15): before the groups below. `direction`
    "ingress" or "egress", for skb programs whose section does not say."""
    expected = program.spec.attach_type
    if direction:
        if program.spec.prog_type != ProgType.CGROUP_SKB or direction not in ("ingress", "egress"):
            raise ValueError(f"direction {direction!r}: 'ingress' or 'egress', of cgroup_skb programs")
        expected = AttachType.CGROUP_INET_INGRESS if direction == "ingress" else AttachType.CGROUP_INET_EGRESS
    elif program.spec.prog_type == ProgType.CGROUP_SKB and program.spec.section in ("cgroup/skb", "cgroup_skb"):
        raise AttachError(EINVAL, f"program {program.name!r} ({program.spec.section})",
                          "say which way: attach(…, direction='ingress') or 'egress'", reason="")
    order = _order(before, after, replace, expected_revision, "cgroup")
    flags = order.pop("flags", 0) | (AttachFlag.PREORDER if preorder else 0)
    fd, owner = links.directory(target, "cgroup")
    try:
        return links.create(program, "cgroup", str(target), feature="order of cgroup programs" if order else "cgroup links",
                            since="6.17" if order else "6.15" if preorder else "5.7", caps=_CAPS,
                            hint="is it a cgroup v2 directory?", target_fd=fd, attach_type=expected, flags=flags, **order)
    finally:
        if owner is not None:
            owner.close()


def attach_netns(program: LoadedProgram, target: Any) -> Link:
    """To a network namespace: a path such as /proc/self/ns/net, or an fd."""
    fd, owner = links.directory(target, "network namespace")
    try:
        return links.create(program, "netns", str(target), feature="network namespace links", since="5.8",
                            caps=_CAPS, target_fd=fd, hint="is it a network namespace, such as /proc/PID/ns/net?")
    finally:
        if owner is not None:
            owner.close()


def attach_socket(program: LoadedProgram, target: socket.socket) -> Link:
    """A socket filter on an open socket; it goes with the socket at the latest."""
    return _by_option(program, target, SO_ATTACH_BPF, SO_DETACH_BPF)


def attach_reuseport(program: LoadedProgram, target: socket.socket) -> Link:
    """Selects among the sockets of a reuseport group."""
    return _by_option(program, target, SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF)


def _by_option(program: LoadedProgram, target: socket.socket, option: int, undo: int) -> Link:
    name = f"socket {target.fileno()}"

    def detach() -> None:
        if target.fileno() < 0:
            return  # it went with the socket
        try:
            target.setsockopt(socket.SOL_SOCKET, undo, 0)
        except OSError as error:
            if error.errno != ENOENT:  # somebody took it off already
                raise KernelError(error.errno or EINVAL, f"detaching {program.name!r} from {name}") from None

    request = Request(f"program {program.name!r} on {name}", detach)
    try:
        target.setsockopt(socket.SOL_SOCKET, option, struct.pack("=i", program.fileno()))
    except OSError as error:
        request.disown()
        raise links.refusal(-(error.errno or EINVAL), program, "socket", str(target.fileno())) from None
    return Link("socket", str(target.fileno()), None, request, program=program)


def attach_sockmap(program: LoadedProgram, target: Any) -> Link:
    """sk_skb and sk_msg programs on a sockmap or sockhash: a link (6.10), before that a request. Sockets meet the programs
    when they come into the map; those that are in it when one is detached keep it until they leave."""
    kind, name = program.spec.attach_type, str(target)
    made = bpf.link_create(program.fileno(), target.fileno(), kind)
    if isinstance(made, Fd):
        return Link("sockmap", name, made, program=program)
    if made not in (-EINVAL, -EOPNOTSUPP):  # else a kernel without sockmap links
        raise links.refusal(made, program, "sockmap", name, caps=_CAPS, hint="it takes one program of each kind"
                            if made in (-EBUSY, -EEXIST) else "")
    held = [duplicate(target, f"sockmap {name}")]
    try:
        held.append(duplicate(program, f"program {program.name!r}"))
    except BaseException:
        close_all(held)
        raise

    def detach() -> None:
        if not held[0].closed:
            result = bpf.prog_detach(held[0].fileno(), held[1].fileno(), kind)
            if result < 0 and result != -ENOENT:
                raise links.refusal(result, program, "sockmap", name, caps=_CAPS)
        close_all(held)

    request = Request(f"program {program.name!r} on sockmap {name}", detach)
    result = bpf.prog_attach(target.fileno(), program.fileno(), kind)
    if result < 0:
        request.disown()
        close_all(held)
        raise links.refusal(result, program, "sockmap", name, caps=_CAPS, hint="is it a sockmap or sockhash?")
    return Link("sockmap", name, None, *held, request, program=program)


def attach_netfilter(program: LoadedProgram, target: str, *, priority: int = -128, defrag: bool = False) -> Link:
    """`target` is "ipv4:local_in", "ipv6:forward", …; see FAMILIES and HOOKS."""
    family, _, hook = target.partition(":")
    if family not in FAMILIES or hook not in HOOKS:
        raise AttachError(EINVAL, f"netfilter hook {target!r}",
                          f"write 'FAMILY:HOOK' of {', '.join(FAMILIES)} and {', '.join(HOOKS)}")
    lowest, highest = -(1 << 31), (1 << 31) - 1
    return links.create(program, "netfilter", target, feature="netfilter programs", since="6.4", caps=_CAPS,
                        hint=f"priority {priority} is the kernel's own" if priority in (lowest, highest) else
                        "with defrag, the priority has to be above -400" if defrag and priority <= -400 else "",
                        netfilter__pf=FAMILIES[family], netfilter__hooknum=HOOKS[hook],
                        netfilter__priority=priority, netfilter__flags=int(defrag))
