"""Writes purebpf/dsl/contexts.py: the classes to annotate `ctx` with, from the table of contexts."""

from __future__ import annotations

from pathlib import Path

from purebpf.uapi import contexts

CLASSES = {  # class -> (row, programs)
    "XdpContext": ("xdp_md", "XDP programs"),
    "TcContext": ("__sk_buff", "tc, tcx, socket filter, cgroup_skb, sk_skb, flow dissector and lwt programs"),
    "SockContext": ("bpf_sock", "cgroup_sock_create, cgroup_sock_release and cgroup_post_bind programs"),
    "SockAddrContext": ("bpf_sock_addr", "cgroup_connect4, cgroup_bind6 and the like"),
    "SockOpsContext": ("bpf_sock_ops", "sock_ops programs"),
    "SockoptContext": ("bpf_sockopt", "cgroup_getsockopt and cgroup_setsockopt programs"),
    "SysctlContext": ("bpf_sysctl", "cgroup_sysctl programs"),
    "DeviceContext": ("bpf_cgroup_dev_ctx", "cgroup_dev programs"),
    "SkMsgContext": ("sk_msg_md", "sk_msg programs"),
    "SkLookupContext": ("bpf_sk_lookup", "sk_lookup programs"),
    "SkReuseportContext": ("sk_reuseport_md", "sk_reuseport programs"),
    "NetfilterContext": ("bpf_nf_ctx", "netfilter programs"),
    "PerfEventContext": ("bpf_perf_event_data", "perf_event programs"),
    "RawTracepointContext": ("bpf_raw_tracepoint_args", "raw_tracepoint programs"),
    "ProbeContext": ("pt_regs", "kprobe, kretprobe, uprobe and uretprobe programs"),
}
HEAD = '''"""Contexts as annotations: `def program(ctx: XdpContext)`, so that editors know the fields.

Written by tools/gen_contexts.py from uapi/contexts.py. A field in network order is the number that it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .layout import StructType

if TYPE_CHECKING:
    from .packet import Packet


class ContextType:
    """The base of all: `row` names the kernel's struct."""

    row: ClassVar[str] = ""
    __bpf_layout__: ClassVar[StructType]

    def __init_subclass__(cls) -> None:
        cls.__bpf_layout__ = StructType(cls.row, (), 0, 8)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
'''


def text() -> str:
    out = [HEAD]
    for name, (row, programs) in CLASSES.items():
        out.append(f'\n\nclass {name}(ContextType):\n    """struct {row}, of {programs}."""\n\n    row = "{row}"\n')
        found = contexts.context(row)
        assert found is not None
        if row == "pt_regs":
            out.append("    ret: int  # the function's result, when it returns\n    ip: int\n    regs: Any\n\n"
                       "    def arg(self, number: int, /) -> int:\n"
                       '        """An argument of the function, by its number."""\n        raise NotImplementedError\n')
            continue
        if "data" in found.fields:
            out.append("    packet: Packet  # a cursor over the packet\n")
        out += [f"    {f.name}: {kind(f)}{note(f)}\n" for f in found.fields.values()]
    return "".join(out) + f"\n\n__all__ = {sorted(['ContextType', *CLASSES])!r}\n".replace("'", '"')


def kind(field: contexts.Field) -> str:
    if field.kind != "int":
        return "Any"
    return "list[int]" if field.elems > 1 else "int"


def note(field: contexts.Field) -> str:
    if field.kind == "ptr":
        return f"  # struct {field.target}"
    size = 2 if field.half else field.size
    words = [f"{size} bytes" if field.kind == "int" and size != 4 else "", "in network order at rest" if field.big_endian else "",
             "writable by some programs" if field.writable else ""]
    said = ", ".join(filter(None, words))
    return f"  # {said}" if said else ""


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "purebpf" / "dsl" / "contexts.py"
    made = text()
    head, _, names = made.rpartition("__all__ = [")
    lines, line = [], "   "
    for word in names.rstrip("]\n").split(", "):
        if len(line) + len(word) > 115:
            lines.append(line)
            line = "   "
        line += f" {word},"
    target.write_text(head + "__all__ = [\n" + "\n".join([*lines, line]) + "\n]\n")
