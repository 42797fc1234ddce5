# Programs and where they run.
# --- falling off the end
@bpf.xdp
def prog(ctx):  # error[missing-return] def|prog: prog; XDP_PASS
    if ctx.packet[0]:
        return 1
# --- bare return
@bpf.xdp
def prog(ctx):
    if ctx.packet[0]:
        return  # error[missing-return] return: return; XDP_PASS
        # fixed: return 2
    return 2
# --- unknown tracepoint
@bpf.tracepoint("syscalls:sys_enter_opnat")  # error[unknown-hook] bpf|"syscalls|@: sys_enter_opnat; did you mean
# fixed: @bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    pass
# --- unknown category
@bpf.tracepoint("syscall:sys_enter_openat")  # error[unknown-hook] bpf|"syscall|@: syscall; syscalls
# fixed: @bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    pass
# --- unknown section
@bpf.section("xpd")  # error[unknown-hook] bpf|"xpd"|@: 'xpd'; did you mean
# fixed: @bpf.section("xdp")
def prog(ctx):
    return 2
# --- unknown function
@bpf.fentry("tcp_conect")  # error[unknown-hook] bpf|"tcp|@: tcp_conect; tcp_connect
# fixed: @bpf.fentry("tcp_connect")
def prog(ctx):
    pass
# --- wrong argument name
@bpf.fentry("tcp_connect")
def prog(socket):  # error[arguments|undefined-name] socket|def: 'socket'; sk
    # fixed: def prog(sk):
    pass
# --- two contexts
@bpf.xdp
def prog(ctx, other):  # error[arguments] other|def: argument
    # fixed: def prog(ctx):
    return 2
# --- stars
@bpf.xdp
def prog(*args):  # error[arguments|unsupported] *args|args|def: argument
    # fixed: def prog(args):
    return 2
# --- helper of another program type
@bpf.xdp
def prog(ctx):
    return bpf.helpers.skb_change_type(ctx, 0)  # error[*] bpf: skb_change_type; xdp
    # fixed: return 2
# --- read-only context
@bpf.xdp
def prog(ctx):
    ctx.ingress_ifindex = 5  # error[read-only] ctx: read
    # fixed: n = ctx.ingress_ifindex
    return 2
# --- read-only kernel memory
@bpf.kernel_struct
class task_struct:
    pid: i32
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    t = bpf.current_task(task_struct)
    t.pid = 5  # error[read-only] t: kernel
    # fixed: n = t.pid
# --- text as an answer
@bpf.xdp
def prog(ctx):
    return "XDP_PASS"  # error[type-mismatch] "XDP_PASS": number; bpf.XDP_PASS
    # fixed: return 2
# --- name of an answer without module
@bpf.xdp
def prog(ctx):
    return XDP_PAS  # error[undefined-name] XDP_PAS: 'XDP_PAS'; XDP_PASS
    # fixed: return 2
# --- unknown kprobe function
@bpf.kprobe("do_sys_opennat2")  # error[unknown-hook] "do: do_sys_opennat2; did you mean 'do_sys_openat2'
# fixed: @bpf.kprobe("do_sys_openat2")
def prog(ctx):
    pass
# --- unknown lsm hook
@bpf.lsm("file_opn")  # error[unknown-hook] "file: LSM hook 'file_opn'; did you mean 'file_open'
# fixed: @bpf.lsm("file_open")
def prog(ctx):
    return 0
# --- unknown btf tracepoint
@bpf.tp_btf("sched_swich")  # error[unknown-hook] "sched: tracepoint 'sched_swich'; did you mean 'sched_switch'
# fixed: @bpf.tp_btf("sched_switch")
def prog(ctx):
    pass
# --- unknown raw tracepoint
@bpf.raw_tracepoint("sched_swich")  # error[unknown-hook] "sched: tracepoint 'sched_swich'; did you mean 'sched_switch'
# fixed: @bpf.raw_tracepoint("sched_switch")
def prog(ctx):
    pass
# --- tracepoint without its category
@bpf.tracepoint("sys_enter_openat")  # error[unknown-hook] "sys: 'sys_enter_openat'; 'syscalls:sys_enter_openat'
# fixed: @bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    pass
# --- unknown system call
@bpf.section("ksyscall/opnat")  # error[unknown-hook] "ksyscall: system call 'opnat'; did you mean 'openat'
# fixed: @bpf.section("ksyscall/openat")
def prog(ctx):
    pass
# --- uprobe without a file
@bpf.uprobe("malloc")  # error[unknown-hook] "malloc: 'malloc' does not say in which file; path:function
# fixed: @bpf.uprobe("libc.so.6:malloc")
def prog(ctx):
    pass
# --- two hooks for one function
@bpf.xdp  # error[unsupported] bpf: one hook; second program
# fixed: -
@bpf.tc
def prog(ctx):
    return 2
# --- subprogram and program in one
@bpf.xdp  # error[unsupported] bpf: one hook
# fixed: @bpf.xdp
@bpf.func
# also: # not a subprogram
def prog(ctx):
    return 2
# --- default answer as text
@bpf.xdp(default="XDP_PASS")  # error[type-mismatch] "XDP_PASS": default answer is a number; bpf.XDP_PASS
# fixed: @bpf.xdp(default=bpf.XDP_PASS)
def prog(ctx):
    return 2
# --- answer that the hook has not
@bpf.cgroup_skb
def prog(ctx):
    return 5  # error[constant] 5: 5 is no answer of a cgroup/skb program; 0 to 1
    # fixed: return 1
# --- helper through a function that two programs share
def away(n):
    return bpf.helpers.redirect(n, 0)
@bpf.tc
def may(ctx):
    return away(2)
@bpf.tracepoint("sched:sched_switch")
def may_not(ctx):
    away(2)  # error[program-type] away: redirect() cannot be called in tracepoint programs; tc, xdp; it is called here
    # fixed: pass
# --- map method of another program type
events = PerfEventArray[u32](max_entries=4)
@bpf.netfilter
def prog(ctx):
    events.output(ctx, u32(5))  # error[program-type] events: events.output() cannot be called in netfilter programs; perf_event_output
    # fixed: pass
    return 1
# --- packet helper in a tracepoint
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    bpf.helpers.xdp_adjust_head(ctx, 4)  # error[program-type] bpf: xdp_adjust_head; xdp programs
    # fixed: pass
# --- pid of a context
calls = HashMap[u32, u64](max_entries=16)
@bpf.tracepoint("syscalls:sys_enter_openat")
def prog(ctx):
    calls[ctx.pid] += 1  # error[no-field] ctx: 'pid'; bpf.current_pid()
    # fixed: calls[bpf.current_pid()] += 1
# --- argument as a field of the context
@bpf.fentry("tcp_connect")
def prog(ctx):
    x = ctx.sk  # error[no-field] ctx: 'sk'; parameters
    # fixed: x = ctx.arg(0)
# --- argument of a return probe
@bpf.kretprobe("do_sys_openat2")
def prog(ctx, retval):  # error[arguments] retval: 'retval'; 'ret'
    # fixed: def prog(ctx, ret):
    pass
# --- result where there is none yet
@bpf.fentry("tcp_connect")
def prog(sk, ret):  # error[arguments] ret: 'ret'; tcp_connect(sock * sk)
    # fixed: def prog(sk):
    pass
# --- index of a context
@bpf.xdp
def prog(ctx):
    return ctx[0]  # error[type-mismatch] ctx[0]: indexed; the program's context
    # fixed: return ctx.packet[0]
# --- the packet of a socket filter
@bpf.socket_filter
def prog(ctx):
    first = u8[1]()
    if ctx.packet[0] == 1:  # error[program-type] ctx.packet: ctx.packet; skb_load_bytes
    # fixed: if bpf.helpers.skb_load_bytes(ctx, 0, first, 1) == 0 and first[0] == 1:
        return 0
    return 1
# --- the packet's bounds in a socket filter
@bpf.socket_filter
def prog(ctx):
    return ctx.data_end - ctx.data  # error[program-type] ctx.data_end: ctx.data_end; skb_load_bytes
    # fixed: return ctx.len
# --- metadata of a cgroup's packets
@bpf.cgroup_skb("egress")
def prog(ctx):
    return 1 if ctx.data_meta == ctx.data else 0  # error[program-type] ctx.data_meta: ctx.data_meta
    # fixed: return 1
