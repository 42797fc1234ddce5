"""What people write from habit (Python's library, C, BCC), and what to write instead: tables, read when something is wrong."""

from __future__ import annotations

import sys
from typing import Any

from ..uapi.helpers import IDS

GROWS = "what grows is a map at module level: Queue[T], HashMap[K, V]; a RingBuf[T] sends to user space"
FILES = "a program has no files: print(…) writes to the trace pipe, a map keeps what user space is to read"
CLOCK = "write 'bpf.ktime_ns()', or 'bpf.boot_ns()'"
RANDOM = "write 'bpf.random_u32()': its remainder, 'bpf.random_u32() % 6', is a number below 6"
WAIT = "a program runs to its end without waiting"
INTEGERS = "BPF has integers only: scale the number, as in milliseconds instead of seconds"

# (module, name of the function; "" for any of it) -> help
LIBRARY: dict[tuple[str, str], str] = {
    ("random", ""): RANDOM, ("secrets", ""): RANDOM, ("time", "sleep"): WAIT, ("time", ""): CLOCK,
    ("datetime", ""): CLOCK,
    ("posix", "getpid"): "write 'bpf.current_pid()'", ("posix", "getuid"): "write 'bpf.current_uid()'",
    ("posix", "getppid"): "write 'bpf.current_task(task_struct).real_parent.tgid'",
    ("posix", "cpu_count"): "write 'bpf.cpu()' for the CPU that this runs on", ("posix", "open"): FILES,
    ("io", "open"): FILES,
    ("_io", "open"): FILES, ("math", ""): INTEGERS,
    ("threading", ""): "a lock is a field: 'lock: bpf.SpinLock', taken by 'with entry.lock:'",
    ("_thread", ""): "a lock is a field: 'lock: bpf.SpinLock', taken by 'with entry.lock:'",
    ("logging", ""): "write 'print(…)'",
    ("_struct", ""): "annotate memory with a struct: 'pkt.pull(Header)', 'Ptr[Header](p)'",
    ("socket", "htons"): "write 'bpf.htons(…)'", ("_socket", "htons"): "write 'bpf.htons(…)'",
    ("_socket", "htonl"): "write 'bpf.htonl(…)'",
    ("_socket", "ntohs"): "write 'bpf.ntohs(…)'", ("_socket", "ntohl"): "write 'bpf.ntohl(…)'",
    ("_socket", "inet_ntoa"): "send the number, and show it in user space",
    ("_socket", "inet_aton"): "compute it outside the program, as a constant",
    ("builtins", "float"): INTEGERS,
    ("builtins", "input"): "a program has no terminal: a Const or a map brings it values",
    ("builtins", "isinstance"): "what a value is, is known when compiling: leave the test",
    ("builtins", "type"): "what a value is, is known when compiling", ("builtins", "map"): "write a loop",
    ("builtins", "filter"): "write a loop with an if", ("builtins", "iter"): "write a 'for' loop",
    ("builtins", "next"): "write a 'for' loop",
    ("builtins", "hash"): "compute it in a loop over the bytes", ("builtins", "id"): "a pointer as a number: 'u64(p)'",
    ("builtins", "exit"): "return, or 'assert False' to stop with the default answer", ("builtins", "eval"): "",
    ("builtins", "exec"): "",
    ("builtins", "getattr"): "name the field: 'x.field'",
    ("builtins", "hasattr"): "of a kernel type: 'bpf.field_exists(T, \"field\")'",
    ("builtins", "setattr"): "name the field: 'x.field = …'", ("builtins", "super"): "call the function by its name",
    ("builtins", "round"): "a number is an integer already",
    ("builtins", "str"): "text is a char[n]; an f-string puts it together",
    ("builtins", "repr"): "text is a char[n]; an f-string puts it together",
    ("builtins", "sorted"): "sort in user space",
    ("builtins", "list"): GROWS, ("builtins", "dict"): GROWS, ("builtins", "set"): GROWS,
    ("builtins", "hex"): "write f\"{n:x}\"",
    ("builtins", "bytearray"): "memory of a fixed size: 'u8[16]()'",
    ("_sitebuiltins", ""): "return, or 'assert False' to stop with the default answer",
}
# methods of Python's containers that change them
CHANGES: dict[Any, tuple[str, ...]] = {
    list: ("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"),
    set: ("add", "remove", "discard", "update", "pop", "clear"),
    dict: ("update", "pop", "setdefault", "clear", "popitem"),
}
# names of C, of Python's other worlds, and of BCC
NAMES = {
    "NULL": "write 'None'", "null": "write 'None'", "nullptr": "write 'None'", "true": "write 'True'",
    "false": "write 'False'",
    "sizeof": "write 'bpf.sizeof(…)'", "container_of": "write 'Ptr[T](p)'", "bpf_htons": "write 'bpf.htons(…)'",
    "bpf_ntohs": "write 'bpf.ntohs(…)'",
    "bpf_htonl": "write 'bpf.htonl(…)'", "bpf_ntohl": "write 'bpf.ntohl(…)'",
    "printk": "write 'print(…)', or 'bpf.printk(…)'",
    "printf": "write 'print(…)'", "bpf_printk": "write 'print(…)'",
    "bpf_trace_printk": "write 'print(…)', or 'bpf.printk(…)'",
    "trace_printk": "write 'print(…)', or 'bpf.printk(…)'",
    "SEC": "write a decorator: '@bpf.xdp', or '@bpf.section(\"…\")'", "PT_REGS_RC": "write 'ctx.ret'",
    "PT_REGS_IP": "write 'ctx.ip'",
    "BPF_HASH": "write 'm = HashMap[K, V](max_entries=…)' at module level",
    "BPF_ARRAY": "write 'a = Array[V](max_entries=…)' at module level",
    "BPF_PERF_OUTPUT": "write 'events = PerfEventArray[T](max_entries=…)' at module level",
    "BPF_RINGBUF_OUTPUT": "write 'events = RingBuf[T](max_entries=…)' at module level",
    "BPF_CORE_READ": "write the fields: 'task.real_parent.tgid'",
    "bpf_probe_read_kernel": "write the field: what lies behind a kernel pointer is read safely",
    **{f"PT_REGS_PARM{n + 1}": f"write 'ctx.arg({n})', or name the argument" for n in range(6)},
}
FIELDS = {  # of contexts
    **dict.fromkeys(("pid", "tgid"), "write 'bpf.current_pid()'"),
    **dict.fromkeys(("tid", "thread"), "write 'bpf.current_tid()'"),
    "comm": "write 'bpf.current_comm()'", "uid": "write 'bpf.current_uid()'", "gid": "write 'bpf.current_gid()'",
    "cpu": "write 'bpf.cpu()'",
    **dict.fromkeys(("time", "timestamp", "ts", "ktime"), "write 'bpf.ktime_ns()'"),
    "task": "write 'bpf.current_task(task_struct)'",
}
HEADERS = "Ethernet Vlan Arp IPv4 IPv6 Tcp Udp Icmp ETH_ARP ETH_IP ETH_IPV6 ETH_QINQ ETH_VLAN IP_ICMP IP_ICMPV6 IP_TCP IP_UDP"  # of purebpf.net
METHODS = {  # of BCC's and Python's maps and events
    "perf_submit": "write 'events.output(ctx, value)'", "ringbuf_output": "write 'events.output(value)'",
    "ringbuf_reserve": "write 'with events.reserve() as e:'",
    "ringbuf_submit": "it is submitted at the end of 'with events.reserve() as e:'",
    "increment": "write 'm[k] += 1'", "atomic_increment": "write 'm[k] += 1'",
    "lookup_or_init": "write 'm.setdefault(k, v)'",
    "lookup_or_try_init": "write 'm.setdefault(k, v)'", "insert": "write 'm.update(k, v, bpf.NOEXIST)'",
    "has_key": "write 'k in m'",
    "put": "write 'm[k] = v'", "set": "write 'm[k] = v'", "add": "write 'm[k] = v', or 'm[k] += n'",
    "pop": "write 'v = m.get(k)', then 'del m[k]'",
    "append": "a Queue or a Stack has 'push', a RingBuf 'output'", "remove": "write 'del m[k]'",
    "clear": "delete entry by entry, or from user space",
    "call": "write 'progs[i](ctx)'", "redirect_map": "write 'bpf.helpers.redirect_map(m, key, flags)'",
    "send": "write 'output(value)'",
    "write": "write 'output(value)'", "submit": "it is submitted at the end of 'with events.reserve() as e:'",
    "delete": "the entries of an array are always there: 'a[i] = 0'", "erase": "write 'del m[k]'",
    "items": "write 'for k, v in m:'", "keys": "write 'for k in m:'", "values": "write 'for k, v in m:'",
}


def of_text(text: str) -> str:
    """What to write instead of text, where a number is needed."""
    parts = text.split(".")
    if len(parts) == 4 and all(p.isdigit() and int(p) < 256 for p in parts):
        return f"addresses are numbers: 0x{''.join(f'{int(p):02x}' for p in parts)}"
    mac = text.split(":")
    if len(mac) == 6 and all(len(p) == 2 and all(d in "0123456789abcdefABCDEF" for d in p) for p in mac):
        return f"addresses are bytes: b\"{''.join(chr(92) + 'x' + p for p in mac)}\""
    as_number = f"write {text}" if text.isdigit() else ""
    return as_number if len(text) != 1 else f"{as_number}{', or' if as_number else 'write'} 'ord({text!r})'"


def of_call(obj: Any) -> str:
    """What to write instead of calling a Python object; "" if nothing is known."""
    owner = getattr(obj, "__self__", None)
    if type(owner) in CHANGES and getattr(obj, "__name__", "") in CHANGES[type(owner)]:
        return GROWS
    module, name = str(getattr(obj, "__module__", None) or ""), str(getattr(obj, "__name__", ""))
    return LIBRARY.get((module, name)) or LIBRARY.get((module, "")) or "only functions written in Python's subset compile"


def of_builtin(function: Any) -> str:
    """What to write instead of a builtin that works for constants only."""
    return LIBRARY.get(("builtins", function.__name__), "")


def of_name(name: str) -> str:
    """What to write instead of a name that is not there; "" if nothing is known."""
    if name in NAMES:
        return NAMES[name]
    if name in HEADERS.split():
        return f"'from purebpf.net import {name}'"
    if hasattr(sys.modules.get(__name__.split(".")[0]), name):  # in the public names
        return f"'from purebpf import {name}', or 'bpf.{name}'"
    bare = name.removeprefix("bpf_")
    return f"write 'bpf.helpers.{bare}(…)'" if bare in IDS else ""


def of_method(name: str, there: list[str]) -> str:
    """What to write instead of a map's method that is not there; what is there is never explained."""
    return METHODS.get(name, "") if name not in there else ""
