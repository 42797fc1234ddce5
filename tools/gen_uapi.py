"""Write purebpf/uapi/{enums,attrs,helpers}.py from the pinned BTF `tools/uapi.btf`.

    python tools/gen_uapi.py            regenerate the three files (`make gen`)
    python tools/gen_uapi.py --check    fail if that would change one
    python tools/gen_uapi.py --pin [F]  cut uapi.btf anew, out of the running kernel's BTF or that of file F

What the kernel's BTF does not have (#defines, things newer than the pinned kernel) is in the tables below.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from purebpf.btf import Btf, Builder, kernel, layout
from purebpf.btf import types as t

HERE = Path(__file__).parent
PINNED = HERE / "uapi.btf"
UAPI = HERE.parent / "purebpf" / "uapi"

# class in enums.py -> (enum in BTF, prefix to drop)
ENUMS = {
    "Cmd": ("bpf_cmd", "BPF_"),
    "MapType": ("bpf_map_type", "BPF_MAP_TYPE_"),
    "ProgType": ("bpf_prog_type", "BPF_PROG_TYPE_"),
    "AttachType": ("bpf_attach_type", "BPF_"),
    "LinkType": ("bpf_link_type", "BPF_LINK_TYPE_"),
    "CoreKind": ("bpf_core_relo_kind", "BPF_CORE_"),
    "XdpAction": ("xdp_action", "XDP_"),
    "TcxAction": ("tcx_action_base", "TCX_"),
    "SkAction": ("sk_action", "SK_"),
    "RetCode": ("bpf_ret_code", "BPF_"),
    "StatsType": ("bpf_stats_type", "BPF_STATS_"),
    "PerfEventType": ("bpf_perf_event_type", "BPF_PERF_EVENT_"),
    "TaskFdType": ("bpf_task_fd_type", "BPF_FD_TYPE_"),
    "CgroupIterOrder": ("bpf_cgroup_iter_order", "BPF_CGROUP_ITER_"),
    "HdrStart": ("bpf_hdr_start_off", "BPF_HDR_START_"),
    "AdjRoomMode": ("bpf_adj_room_mode", "BPF_ADJ_ROOM_"),
    "LwtEncap": ("bpf_lwt_encap_mode", "BPF_LWT_ENCAP_"),
    "CheckMtuRet": ("bpf_check_mtu_ret", "BPF_MTU_CHK_RET_"),
}

# class -> (docstring, prefixes to drop, enumerators of anonymous enums in BTF: one of each is enough to name its enum)
ANONYMOUS = {
    "UpdateFlag": ("Flags of map element commands and helpers.", ("BPF_F_", "BPF_"), ("BPF_ANY",)),
    "MapFlag": ("Flags of MAP_CREATE, and of opening a map.", ("BPF_F_",), ("BPF_F_NO_PREALLOC",)),
    "PerfFlag": ("Flags of perf_event_output and perf_event_read.", ("BPF_F_",), ("BPF_F_INDEX_MASK",)),
    "StackFlag": ("Flags of get_stackid and get_stack.", ("BPF_F_",), ("BPF_F_SKIP_FIELD_MASK",)),
    "RingbufFlag": ("Flags of ringbuf_output, submit, discard.", ("BPF_RB_",), ("BPF_RB_NO_WAKEUP",)),
    "RingbufQuery": ("What ringbuf_query answers.", ("BPF_RB_",), ("BPF_RB_AVAIL_DATA",)),
    "RingbufHeader": ("Bits of the length word of a ring buffer record.", ("BPF_RINGBUF_",), ("BPF_RINGBUF_BUSY_BIT",)),
    "StorageFlag": ("Flags of *_storage_get.", ("BPF_LOCAL_STORAGE_", "BPF_SK_STORAGE_"),
                    ("BPF_LOCAL_STORAGE_GET_F_CREATE",)),
    "TimerFlag": ("Flags of timer_start.", ("BPF_F_TIMER_",), ("BPF_F_TIMER_ABS",)),
    "RedirectFlag": ("Flags of redirect, clone_redirect, redirect_map.", ("BPF_F_",), ("BPF_F_INGRESS",)),
    "SkbFlag": ("Flags of skb_store_bytes and the checksum helpers.", ("BPF_F_",),
                ("BPF_F_RECOMPUTE_CSUM", "BPF_F_HDR_FIELD_MASK", "BPF_F_PSEUDO_HDR")),
    "TunnelFlag": ("Flags of skb_set_tunnel_key.", ("BPF_F_",), ("BPF_F_TUNINFO_IPV6", "BPF_F_ZERO_CSUM_TX")),
    "AdjRoomFlag": ("Flags of skb_adjust_room.", ("BPF_F_ADJ_ROOM_",), ("BPF_F_ADJ_ROOM_FIXED_GSO",)),
    "CsumLevel": ("Levels of csum_level.", ("BPF_CSUM_LEVEL_",), ("BPF_CSUM_LEVEL_QUERY",)),
    "FibFlag": ("Flags of fib_lookup.", ("BPF_FIB_LOOKUP_",), ("BPF_FIB_LOOKUP_DIRECT",)),
    "FibRet": ("What fib_lookup returns.", ("BPF_FIB_LKUP_RET_",), ("BPF_FIB_LKUP_RET_SUCCESS",)),
    "SockOps": ("bpf_sock_ops.op.", ("BPF_SOCK_OPS_",), ("BPF_SOCK_OPS_VOID",)),
    "SockOpsFlag": ("Flags of sock_ops_cb_flags_set.", ("BPF_SOCK_OPS_",), ("BPF_SOCK_OPS_RTO_CB_FLAG",)),
    "TcpState": ("States of a TCP socket.", ("BPF_TCP_",), ("BPF_TCP_ESTABLISHED",)),
    "SkLookupFlag": ("Flags of sk_assign.", ("BPF_SK_LOOKUP_F_",), ("BPF_SK_LOOKUP_F_REPLACE",)),
    "BtfFlag": ("Flags of snprintf_btf and seq_printf_btf.", ("BTF_F_",), ("BTF_F_COMPACT",)),
    "HdrOptFlag": ("Flags of load_hdr_opt.", ("BPF_LOAD_HDR_OPT_",), ("BPF_LOAD_HDR_OPT_TCP_SYN",)),
}

# #defines of bpf.h: class -> (docstring, values)
DEFINES = {
    "ProgFlag": ("Flags of PROG_LOAD.", {
        "STRICT_ALIGNMENT": 1, "ANY_ALIGNMENT": 2, "TEST_RND_HI32": 4, "TEST_STATE_FREQ": 8, "SLEEPABLE": 0x10,
        "XDP_HAS_FRAGS": 0x20, "XDP_DEV_BOUND_ONLY": 0x40, "TEST_REG_INVARIANTS": 0x80, "TOKEN_FD": 0x10000}),
    "AttachFlag": ("Flags of PROG_ATTACH and of links in a list (mprog).", {
        "ALLOW_OVERRIDE": 1, "ALLOW_MULTI": 2, "REPLACE": 4, "BEFORE": 8, "AFTER": 0x10, "ID": 0x20, "PREORDER": 0x40,
        "LINK": 0x2000}),
    "QueryFlag": ("Flags of PROG_QUERY.", {"EFFECTIVE": 1}),
    "TestFlag": ("Flags of PROG_TEST_RUN.", {"RUN_ON_CPU": 1, "XDP_LIVE_FRAMES": 2, "SKB_CHECKSUM_COMPLETE": 4}),
    "LinkFlag": ("Flags of LINK_CREATE, by kind of link.", {
        "KPROBE_MULTI_RETURN": 1, "UPROBE_MULTI_RETURN": 1, "UPROBE_MULTI_PATH_FD": 2, "NETFILTER_IP_DEFRAG": 1}),
    "LogLevel": ("Bits of log_level.", {"BRANCH": 1, "STATES": 2, "STATS": 4, "FIXED": 8}),
    "TcAction": ("What a tc program returns (pkt_cls.h).", {
        "UNSPEC": -1, "OK": 0, "RECLASSIFY": 1, "SHOT": 2, "PIPE": 3, "STOLEN": 4, "QUEUED": 5, "REPEAT": 6,
        "REDIRECT": 7, "TRAP": 8}),
    "NfVerdict": ("What a netfilter program returns.", {"DROP": 0, "ACCEPT": 1}),
    "Stream": ("stream_id of PROG_STREAM_READ_BY_FD.", {"STDOUT": 1, "STDERR": 2}),
}

# Newer than the pinned kernel (bpf-next of July 2026): class -> values
NEWER = {
    "Cmd": {"PROG_ASSOC_STRUCT_OPS": 38},
    "MapType": {"INSN_ARRAY": 34, "RHASH": 35},
    "AttachType": {"TRACE_FSESSION": 58, "TRACE_FENTRY_MULTI": 59, "TRACE_FEXIT_MULTI": 60, "TRACE_FSESSION_MULTI": 61},
    "LinkType": {"TRACING_MULTI": 15},
    "MapFlag": {"RB_OVERWRITE": 0x80000},
    "UpdateFlag": {"CPU": 8, "ALL_CPUS": 0x10},
    "RingbufQuery": {"OVERWRITE_POS": 4},
}

# Fields newer than the pinned kernel: name in attrs.py -> {field: (offset, size)}; a name of its own is a whole layout.
NEWER_FIELDS = {
    "LINK_CREATE": {"uprobe_multi.path_fd": (60, 4), "tracing_multi.ids": (16, 8), "tracing_multi.cookies": (24, 8),
                    "tracing_multi.cnt": (32, 4)},
    "LINK_INFO": {"tracing_multi.attach_type": (16, 4), "tracing_multi.count": (20, 4),
                  "tracing_multi.btf_obj_id": (24, 4), "tracing_multi.ids": (32, 8), "tracing_multi.addrs": (40, 8),
                  "tracing_multi.cookies": (48, 8)},
    "PROG_ASSOC_STRUCT_OPS": {"map_fd": (0, 4), "prog_fd": (4, 4), "flags": (8, 4)},
    "COMMON_ATTR": {"log_buf": (0, 8), "log_size": (8, 4), "log_level": (12, 4), "log_true_size": (16, 4)},
}

# name in attrs.py -> (how to find the part of bpf_attr: its member name, or its first field; the commands that use it)
ATTRS: dict[str, tuple[str, tuple[str, ...]]] = {
    "MAP_CREATE": ("map_type", ("MAP_CREATE",)),
    "MAP_ELEM": ("map_fd", ("MAP_LOOKUP_ELEM", "MAP_UPDATE_ELEM", "MAP_DELETE_ELEM", "MAP_GET_NEXT_KEY",
                            "MAP_LOOKUP_AND_DELETE_ELEM", "MAP_FREEZE")),
    "MAP_BATCH": ("batch", ("MAP_LOOKUP_BATCH", "MAP_LOOKUP_AND_DELETE_BATCH", "MAP_UPDATE_BATCH", "MAP_DELETE_BATCH")),
    "PROG_LOAD": ("prog_type", ("PROG_LOAD",)),
    "OBJ": ("pathname", ("OBJ_PIN", "OBJ_GET")),
    "ATTACH": ("target_fd", ("PROG_ATTACH", "PROG_DETACH")),
    "PROG_TEST_RUN": ("test", ("PROG_TEST_RUN",)),
    "ID": ("start_id", ("PROG_GET_NEXT_ID", "MAP_GET_NEXT_ID", "PROG_GET_FD_BY_ID", "MAP_GET_FD_BY_ID",
                        "BTF_GET_FD_BY_ID", "BTF_GET_NEXT_ID", "LINK_GET_FD_BY_ID", "LINK_GET_NEXT_ID")),
    "OBJ_GET_INFO_BY_FD": ("info", ("OBJ_GET_INFO_BY_FD",)),
    "PROG_QUERY": ("query", ("PROG_QUERY",)),
    "RAW_TRACEPOINT_OPEN": ("raw_tracepoint", ("RAW_TRACEPOINT_OPEN",)),
    "BTF_LOAD": ("btf", ("BTF_LOAD",)),
    "TASK_FD_QUERY": ("task_fd_query", ("TASK_FD_QUERY",)),
    "LINK_CREATE": ("link_create", ("LINK_CREATE",)),
    "LINK_UPDATE": ("link_update", ("LINK_UPDATE",)),
    "LINK_DETACH": ("link_detach", ("LINK_DETACH",)),
    "ENABLE_STATS": ("enable_stats", ("ENABLE_STATS",)),
    "ITER_CREATE": ("iter_create", ("ITER_CREATE",)),
    "PROG_BIND_MAP": ("prog_bind_map", ("PROG_BIND_MAP",)),
    "TOKEN_CREATE": ("token_create", ("TOKEN_CREATE",)),
    "PROG_STREAM_READ_BY_FD": ("prog_stream_read", ("PROG_STREAM_READ_BY_FD",)),
}
INFOS = {
    "PROG_INFO": "bpf_prog_info", "MAP_INFO": "bpf_map_info", "BTF_INFO": "bpf_btf_info", "LINK_INFO": "bpf_link_info",
    "TOKEN_INFO": "bpf_token_info", "ITER_LINK_INFO": "bpf_iter_link_info",
}

# Structs that are kept for tests of uapi/contexts.py and for programs that name them.
CONTEXTS = (
    "xdp_md", "__sk_buff", "bpf_perf_event_data", "pt_regs", "bpf_sock_addr", "bpf_sock_ops", "sk_msg_md",
    "bpf_sockopt", "bpf_sysctl", "bpf_sk_lookup", "sk_reuseport_md", "bpf_sock", "bpf_cgroup_dev_ctx", "bpf_tcp_sock",
    "bpf_sock_tuple", "bpf_xdp_sock", "bpf_flow_keys", "bpf_nf_ctx", "bpf_raw_tracepoint_args", "bpf_fib_lookup",
    "bpf_redir_neigh", "bpf_tunnel_key", "bpf_xfrm_state", "bpf_pidns_info", "bpf_perf_event_value", "btf_ptr",
    "bpf_spin_lock", "bpf_timer", "bpf_dynptr", "bpf_stack_build_id", "bpf_devmap_val", "bpf_cpumap_val",
    "bpf_cgroup_storage_key", "trace_event_raw_sys_enter", "trace_event_raw_sys_exit",
)


# ── cutting uapi.btf out of a kernel's BTF ───────────────────────────────────────────────────────────────────────────


def pin(source: Btf) -> bytes:
    """The types above and what they contain; pointers to other structs point at forward declarations."""
    wanted = [source.find(name, (t.Enum, t.Enum64)) for name, _ in ENUMS.values()]
    wanted.append(source.find("bpf_func_id", t.Enum))
    firsts = {name for _, _, names in ANONYMOUS.values() for name in names}
    for type_id, one in source.items():
        if isinstance(one, (t.Enum, t.Enum64)) and not one.name and firsts & {v.name for v in one.values}:
            wanted.append(type_id)
    wanted += [source.find(name, (t.Struct, t.Union)) for name in ("bpf_attr", *INFOS.values(), *CONTEXTS)]
    builder = Builder()
    cutter = _Cutter(source, builder, {i for i in wanted if i})
    for found in wanted:
        if found is None:
            raise SystemExit("the source BTF lacks a type that is wanted")
        cutter.copy(found)
    return builder.build().to_bytes()


class _Cutter:
    """Copies types, cutting at pointers to structs that are not `kept`."""

    def __init__(self, source: Btf, builder: Builder, kept: set[int]) -> None:
        self.source, self.builder, self.kept = source, builder, kept
        self.memo = {0: 0}

    def copy(self, type_id: int) -> int:
        if type_id in self.memo:
            return self.memo[type_id]
        one = self.source[type_id]
        if not isinstance(one, (t.Struct, t.Union)):
            ids = {r: self._pointee(r) if isinstance(one, t.Ptr) else self.copy(r) for r in t.references(one)}
            self.memo[type_id] = self.builder.add(t.renumber(one, ids))
            return self.memo[type_id]
        self.memo[type_id] = new = self.builder.reserve()
        self.builder.set(new, t.renumber(one, {r: self.copy(r) for r in t.references(one)}))
        return new

    def _pointee(self, type_id: int) -> int:
        plain = layout.resolve(self.source, type_id)
        one = self.source[plain] if plain else None
        if isinstance(one, (t.Struct, t.Union)) and plain not in self.kept and one.name:
            return self.builder.add(t.Fwd(one.name, isinstance(one, t.Union)))
        return 0 if isinstance(one, t.FuncProto) else self.copy(type_id)


# ── writing the files ────────────────────────────────────────────────────────────────────────────────────────────────

HEAD = '"""{doc}\n\nGenerated by tools/gen_uapi.py from tools/uapi.btf: do not edit.\n"""\n\nfrom __future__ import annotations\n'


def enums(btf: Btf) -> str:
    """The text of enums.py."""
    out = [HEAD.format(doc="Numbers of the kernel's interface, by kernel name without prefix; plain ints in classes, which "
                           "cost\nnothing to import. `names(MapType)` is the way back.")]
    out.append(NAMES.lstrip())
    for cls, (enum, prefix) in ENUMS.items():
        type_id = btf.find(enum, (t.Enum, t.Enum64))
        assert type_id is not None, enum
        one = btf[type_id]
        assert isinstance(one, (t.Enum, t.Enum64))
        values = {v.name.removeprefix(prefix): v.value for v in one.values if _is_real(v.name)}
        out.append(_class(cls, f"enum {enum}.", values))
    by_name = {v.name: one for one in btf if isinstance(one, (t.Enum, t.Enum64)) and not one.name for v in one.values}
    for cls, (doc, prefixes, firsts) in ANONYMOUS.items():
        values = {}
        for first in firsts:
            for v in by_name[first].values:
                name = next((v.name.removeprefix(p) for p in prefixes if v.name.startswith(p)), v.name)
                values.setdefault(name, v.value)
        out.append(_class(cls, doc, values))
    for cls, (doc, values) in DEFINES.items():
        out.append(_class(cls, doc, values))
    return "\n\n".join(out)


NAMES = '''def names(cls: type) -> dict[int, str]:
    """{number: name} of a class below; the first name where several share a number."""
    out: dict[int, str] = {}
    for name, value in vars(cls).items():
        if name[0] != "_" and isinstance(value, int):
            out.setdefault(value, name)
    return out


def name_of(cls: type, value: int) -> str:
    """The name of `value`, or the number as text if it is not known."""
    return names(cls).get(value, str(value))
'''


def _is_real(name: str) -> bool:
    return not name.startswith(("__MAX", "MAX_")) and not name.endswith(("_DEPRECATED", "_MAX"))


def _class(cls: str, doc: str, values: dict[str, int]) -> str:
    values = {**values, **NEWER.get(cls, {})}
    lines = [f"class {cls}:", f'    """{doc}"""', ""]
    for name, value in values.items():
        name = name if name.isidentifier() and name != "None" else f"_{name}"
        lines.append(f"    {name} = {value if abs(value) < 4096 else hex(value)}")
    return "\n".join(lines) + "\n"


def attrs(btf: Btf) -> str:
    """The text of attrs.py."""
    out = [HEAD.format(doc="Where the fields of bpf_attr lie, command by command, and those of the *_info structs.\n\n"
                           "Every command's name is an attribute here: `attrs.MAP_UPDATE_ELEM[\"key\"].offset`. Nested\n"
                           "fields have dotted names (\"kprobe_multi.cnt\")."),
           "from .layout import Layout as Layout"]
    attr_id = btf.find("bpf_attr", t.Union)
    assert attr_id is not None
    attr = btf[attr_id]
    assert isinstance(attr, t.Union)
    by_key: dict[str, int] = {}
    for m in attr.members:
        first = next(iter(layout.fields(btf, m.type))).name
        by_key.setdefault(m.name or first, m.type)
    body = []
    for name, (key, commands) in ATTRS.items():
        body.append(_layout(btf, name, by_key[key]))
        body += [f"{command} = {name}" for command in commands if command != name]
    for name, struct in INFOS.items():
        type_id = btf.find(struct, (t.Struct, t.Union))
        assert type_id is not None, struct
        body.append(_layout(btf, name, type_id))
    for name, fields in NEWER_FIELDS.items():
        if name not in ATTRS and name not in INFOS:
            size = max(offset + size for offset, size in fields.values())
            body.append(_text(name, size + -size % 4, [(n, *at) for n, at in fields.items()]))
    return "\n".join(out) + "\n\n" + "\n".join(body) + "\n"


def _layout(btf: Btf, name: str, type_id: int) -> str:
    rows = _flat(btf, type_id, "", 0)
    known = {n for n, _, _ in rows}
    rows += [(n, *at) for n, at in NEWER_FIELDS.get(name, {}).items() if n not in known]
    return _text(name, layout.size_of(btf, type_id), rows)


def _text(name: str, size: int, rows: list[tuple[str, int, int]]) -> str:
    lines = [f'    "{n}": ({offset}, {length}),' for n, offset, length in rows]
    return "\n".join([f"{name} = Layout({size}, {{", *lines, "})"])


def _flat(btf: Btf, type_id: int, prefix: str, base: int) -> list[tuple[str, int, int]]:
    """(dotted name, offset, size) of every scalar or array field."""
    out = []
    for f in layout.fields(btf, type_id):
        if not f.name:
            continue  # padding bit-fields
        inner = layout.resolved(btf, f.type)
        if isinstance(inner, (t.Struct, t.Union)):
            out += _flat(btf, f.type, f"{prefix}{f.name}.", base + f.offset)
        else:
            out.append((prefix + f.name, base + f.offset, layout.size_of(btf, f.type)))
    return out


def helpers(btf: Btf) -> str:
    """The text of helpers.py."""
    type_id = btf.find("bpf_func_id", t.Enum)
    assert type_id is not None
    one = btf[type_id]
    assert isinstance(one, t.Enum)
    out = [HEAD.format(doc="Every helper's number by its name without `bpf_`.\n\nWhat a helper takes and gives stands in "
                           "dsl/helpers, its first kernel in versions.py.")]
    rows = [f'    "{v.name.removeprefix("BPF_FUNC_")}": {v.value},' for v in one.values
            if v.name.startswith("BPF_FUNC_") and v.name != "BPF_FUNC_unspec"]
    out.append("IDS: dict[str, int] = {\n" + "\n".join(rows) + "\n}")
    out.append('''
def helper_id(name: str) -> int | None:
    """Number of a helper, named with or without `bpf_`; None if there is none."""
    return IDS.get(name.removeprefix("bpf_"))


def helper_name(number: int) -> str | None:
    """Name of a helper without `bpf_`; None if the number is not known."""
    return _NAMES.get(number)


_NAMES = {number: name for name, number in IDS.items()}
''')
    return "\n".join(out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--pin", nargs="?", const="")
    args = parser.parse_args()
    if args.pin is not None:
        PINNED.write_bytes(pin(kernel.vmlinux(args.pin or None)))
    btf = Btf.from_bytes(PINNED.read_bytes())
    stale = False
    for name, text in (("enums", enums(btf)), ("attrs", attrs(btf)), ("helpers", helpers(btf))):
        path = UAPI / f"{name}.py"
        if not path.exists() or path.read_text() != text:
            stale = True
            print(f"{path.name} {'is stale' if args.check else 'written'}")
            if not args.check:
                path.write_text(text)
    return int(args.check and stale)


if __name__ == "__main__":
    sys.exit(main())
