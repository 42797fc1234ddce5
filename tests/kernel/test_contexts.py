"""Contexts and arguments where the kernel judges: given and read back, decorators of every type, ports in network order."""

from __future__ import annotations

import os
import socket

import pytest

import purebpf as bpf
from purebpf import Global, Ptr, char, i64, u32, u64
from purebpf.dsl import hooks as decorators
from purebpf.dsl.hooks import Program
from purebpf.errors import CompileError, FormatError, NotSupported
from tests.kernel.test_links import cgroup_root

pytestmark = pytest.mark.kernel
OPTIONAL = {"lirc_mode2"}  # kernels may be built without
seen = Global[u64](0)
pointer = Global[u64](0)


@bpf.struct
class Request:
    x: i64
    y: u32


@bpf.tc
def mark(ctx):  # type: ignore[no-untyped-def]
    ctx.mark = ctx.mark + 1
    ctx.cb[2] = ctx.protocol
    return 0


@bpf.xdp
def queue(ctx):  # type: ignore[no-untyped-def]
    return ctx.rx_queue_index + ctx.ingress_ifindex


@bpf.syscall
def double(ctx: Request):  # type: ignore[no-untyped-def]
    ctx.x = ctx.x * 2
    ctx.y = 9
    return 0


@bpf.raw_tracepoint("sys_enter")
def words(regs: u64, id: u64):  # type: ignore[no-untyped-def]
    seen.value = id
    return 0


CASES = [(mark, {"data": bytes(12) + b"\x08\x06" + bytes(50), "ctx": {"mark": 6}}),
         (queue, {"data": bytes(60), "ctx": {"rx_queue_index": 0, "ingress_ifindex": 1}}),
         (double, {"ctx": {"x": -4}}), (double, {"ctx": Request(x=5, y=1)}), (words, {"ctx": (0, 257)})]


@pytest.mark.parametrize("program, given", CASES, ids=lambda x: x.name if isinstance(x, Program) else "")
def test_kernel_and_vm_agree(program, given) -> None:  # type: ignore[no-untyped-def]
    one, other = program.test_run(**given), program.simulate(**given)
    assert (one.retval, bytes(one.ctx)) == (other.retval, bytes(other.ctx) if one.ctx else b"")


def test_fields_come_back() -> None:
    got = mark.test_run(data=bytes(12) + b"\x08\x06" + bytes(50), ctx={"mark": 6})
    assert got.ctx.mark == 7 and got.ctx.cb[2] == 0x0806
    with pytest.raises(FormatError, match="only the VM makes memory"):
        words.test_run(ctx=("text",))


def test_every_plain_decorator_loads() -> None:
    """What needs no target: the program types are the kernel's, and each context can be read at its start."""
    tried = 0
    for name, decorate in vars(decorators).items():
        if getattr(decorate, "__name__", "") != name or not getattr(decorate, "__qualname__", "").startswith("_plain."):
            continue

        def program(ctx):  # type: ignore[no-untyped-def]
            return 1

        try:
            with bpf.load(decorate(program), attach=False):
                tried += 1
        except bpf.KernelError as error:
            if name not in OPTIONAL:
                raise AssertionError(name) from error
    assert tried > 40


@bpf.tp_btf("sched_switch")
def by_name(ctx, next):  # type: ignore[no-untyped-def]
    if next.pid:
        seen.value += 1


@bpf.uprobe("libc.so.6:getenv")
def position(ctx, name: Ptr[char]):  # type: ignore[no-untyped-def]
    if name:
        pointer.value = ctx.arg(0)


@bpf.uretprobe("libc.so.6:getppid")
def back(ret: i64):  # type: ignore[no-untyped-def]
    seen.value = ret


@bpf.tracepoint("syscalls:sys_enter_getppid")
def nothing(id):  # type: ignore[no-untyped-def]
    seen.value = 1


@bpf.kprobe("do_unlinkat")
def misspelt(dfd, nmae):  # type: ignore[no-untyped-def]
    seen.value = 1


@bpf.fentry("tcp_connect")
def other_struct(sk: Ptr[Request]):  # type: ignore[no-untyped-def]
    seen.value = 1


@bpf.xdp
def other_context(ctx: bpf.TcContext):  # type: ignore[no-untyped-def]
    return 2


def test_arguments_by_name_and_position() -> None:
    with bpf.load(by_name, back) as k:
        os.getppid()
        assert k[seen].value >= 1
    with bpf.load(position, attach=False):
        pass


@pytest.mark.parametrize("program, words", [
    (misspelt, ["no argument 'nmae'", "did you mean 'name'", "do_unlinkat(int dfd"]), (other_struct, ["pointer to sock"]),
    (other_context, ["xdp_md, not __sk_buff"]), (nothing, ["no 'id'"])], ids=lambda x: x.name if isinstance(x, Program) else "")
def test_wrong_parameters(program, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CompileError) as caught:
        bpf.build(program)
    for word in words:
        assert word in str(caught.value)


@bpf.fexit("do_unlinkat")
def result(dfd, ret):  # type: ignore[no-untyped-def]
    if ret < 0 and dfd == -100:
        seen.value = 1


@bpf.lsm("file_open")
def open_file(file, ret):  # type: ignore[no-untyped-def]
    return ret if file.f_flags else -1


@pytest.mark.parametrize("program", [result, open_file])
def test_trampolines(program) -> None:  # type: ignore[no-untyped-def]
    try:
        with bpf.load(program, attach=False):
            pass
    except NotSupported:
        pass  # some kernels forbid them


moved = Global[u32](0)
target = bpf.Const[u32](0)


@bpf.cgroup_connect4
def redirect(ctx):  # type: ignore[no-untyped-def]
    if ctx.user_port == 80 and ctx.user_ip4 == 0x7F000001:
        ctx.user_port = target
        moved.value += 1
    return 1


def test_a_port_is_its_number() -> None:
    root = cgroup_root()
    if not root:
        pytest.skip("no cgroup2 is mounted")
    group = f"{root}/purebpf-ctx-{os.getpid()}"
    os.mkdir(group)
    try:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            with bpf.load(redirect, attach=False, constants={target: server.getsockname()[1]}) as k, k[redirect].attach(group):
                child = os.fork()
                if not child:
                    with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                        file.write(str(os.getpid()))
                    with socket.socket() as client:
                        client.settimeout(5)
                        os._exit(client.connect_ex(("127.0.0.1", 80)))
                assert os.waitpid(child, 0)[1] == 0
                assert k[moved].value == 1
    finally:
        os.rmdir(group)
