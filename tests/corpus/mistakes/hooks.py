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
