"""Loading whole objects: globals, subprograms, tail calls, CO-RE, kfuncs, test_run; all or nothing."""

from __future__ import annotations

import os
import struct

import pytest

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import FormatError, KernelError, NotSupported, VerifierError
from purebpf.isa import CoreRef
from purebpf.loader.fd import Fd
from purebpf.loader.refusals import older_than
from purebpf.spec import DataSpec, FuncSpec, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from purebpf.uapi.enums import MapType, ProgType
from tests.kernel.specs import code, func, obj, program

pytestmark = pytest.mark.kernel
FRAME = bytes(64)


def run(spec: ObjectSpec, **options: object) -> int:
    with loader.load(spec, **options) as k:  # type: ignore[arg-type]
        return k.programs["prog"].test_run(FRAME).retval


def test_test_run_gives_result_packet_and_maps() -> None:
    text = """
        r2 = *(u32 *)(r1 + 0)
        r3 = *(u32 *)(r1 + 4)
        r4 = r2
        r4 += 14
        if r4 > r3 goto out
        *(u8 *)(r2 + 0) = 0xab
      out:
        r0 = 3
        exit"""
    with loader.load(obj("xdp", text, maps=(MapSpec("m", 2, 4, 8, 1),))) as k:
        got = k["prog"].test_run(bytes(range(64)))
        assert got.retval == 3 and got.data == b"\xab" + bytes(range(1, 64)) and got.ctx == b""
        assert got.maps["m"] is k["m"]
        assert k["prog"].test_run(FRAME, repeat=1000).duration_ns >= 0
        if not older_than("6.1"):  # 5.10 takes it
            with pytest.raises(KernelError, match="at least 14 bytes"):
                k["prog"].test_run(b"short")
        info = k["prog"].info
        assert info.name == "prog" and info.type == ProgType.XDP and len(info.xlated) >= 64 and info.jited
        assert (info.verified_insns > 5 or older_than("5.16")) and not info.map_ids


def test_a_context_goes_in_and_comes_back() -> None:
    ctx = bytearray(192)
    struct.pack_into("I", ctx, 8, 5)  # mark
    with loader.load(obj("tc", "r0 = *(u32 *)(r1 + 8)\nr2 = 9\n*(u32 *)(r1 + 8) = r2\nexit")) as k:
        got = k["prog"].test_run(FRAME, bytes(ctx))
    assert got.retval == 5 and struct.unpack_from("I", got.ctx, 8)[0] == 9


def test_programs_that_cannot_run_say_so() -> None:
    with loader.load(obj("tracepoint/sched/sched_switch", "r0 = 0\nexit")) as k:
        with pytest.raises(NotSupported, match="test_run of program type TRACEPOINT"):
            k["prog"].test_run()


def test_run_counts_while_statistics_are_on() -> None:
    with loader.load(obj("xdp", "r0 = 2\nexit")) as k, loader.statistics():
        before = k["prog"].info.run_count
        k["prog"].test_run(FRAME, repeat=10)
        assert k["prog"].info.run_count - before in (0, 10)  # XDP's test_run is not counted on every kernel


def test_subprograms_are_joined() -> None:
    text = "r1 = 20\ncall func:twice\nr0 += 2\nexit"
    functions = {"twice": "r1 += r1\ncall func:more\nexit", "more": "r0 = r1\nr0 += 1\nexit", "unused": "r0 = 0\nexit"}
    assert run(obj("xdp", text, functions=functions)) == 43
    with pytest.raises(FormatError, match="'missing'"):
        run(obj("xdp", "call func:missing\nexit"))


def test_tail_calls_through_initial_slots() -> None:
    table = MapSpec("jumps", MapType.PROG_ARRAY, 4, 4, 4, contents=((struct.pack("I", 3), "last"),))
    spec = obj("xdp", "r2 = map:jumps\nr3 = 3\ncall tail_call\nr0 = 1\nexit", maps=(table,))
    spec = spec._replace(programs={**spec.programs, "last": program("xdp", "r0 = 42\nexit", "last")})
    with loader.load(spec) as k:
        assert k["prog"].test_run(FRAME).retval == 42
        assert list(k["jumps"]) == [3]
        del k["jumps"][3]
        assert k["prog"].test_run(FRAME).retval == 1
        k["jumps"][3] = k["last"]
        assert k["prog"].test_run(FRAME).retval == 42


def globals_spec() -> ObjectSpec:
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    sections = {}
    for name, size, variables in ((".data", 8, [("start", u64, 0, 8)]), (".bss", 16, [("hits", u64, 8, 8)]),
                                  (".rodata", 8, [("limit", u32, 4, 4)])):
        ids = [b.append(t.Var(n, kind)) for n, kind, _, _ in variables]
        sec = b.append(t.Datasec(name, size, tuple(t.SecVar(i, off, sz) for i, (_, _, off, sz) in zip(ids, variables))))
        image = struct.pack("<Q", 1000) if name == ".data" else struct.pack("<II", 0, 7) if name == ".rodata" else bytes(16)
        sections[name] = DataSpec(name, image, tuple(VarSpec(n, off, sz, kind) for n, kind, off, sz in variables), sec)
    text = """
        r1 = data:.bss+8
        r2 = 1
        lock *(u64 *)(r1 + 0) += r2
        r1 = data:.rodata+4
        r0 = *(u32 *)(r1 + 0)
        r1 = data:.data
        r2 = *(u64 *)(r1 + 0)
        r0 += r2
        exit"""
    return ObjectSpec({"prog": program("xdp", text)}, data=sections, btf=b.build())


@pytest.mark.parametrize("mapped", [True, False])
def test_global_variables(mapped: bool) -> None:
    with loader.load(globals_spec()) as k:
        for section in k.sections.values():
            section._mapped &= mapped
        assert k["limit"].value == 7 and k["start"].value == 1000 and k["hits"].value == 0
        assert k["prog"].test_run(FRAME).retval == 1007
        assert k["hits"].value == 1
        k["start"].value = 5
        k["hits"].value = 40
        assert k["prog"].test_run(FRAME).retval == 12 and k["hits"].value == 41 and k["start"].value == 5
        with pytest.raises(NotSupported, match="constants="):
            k["limit"].value = 1


def test_constants_are_set_before_loading() -> None:
    with loader.load(globals_spec(), constants={"limit": 100}) as k:
        assert k["limit"].value == 100 and k["prog"].test_run(FRAME).retval == 1100
    with pytest.raises(FormatError, match="did you mean 'limit'"):
        loader.load(globals_spec(), constants={"limt": 1})
    with pytest.raises(FormatError):
        loader.load(globals_spec(), constants={"limit": 1 << 40})


class _Declaration:
    name = "hits"


def test_items_by_name_or_by_declaration() -> None:
    with loader.load(globals_spec()) as k:
        assert k[_Declaration()] is k["hits"] and "hits" in k and "nothing" not in k
        with pytest.raises(KeyError, match="did you mean 'hits'"):
            k["hit"]


def core_spec(field: str = "tgid", kind: int = 0, *, size: int = 4) -> ObjectSpec:
    """Reads `field` of the current task through a local task_struct that names nothing else."""
    b = Builder()
    integer = b.add(t.Int("int", size, t.SIGNED))
    task = b.add(t.Struct("task_struct", 8 + size, (t.Member("stack", b.add(t.Ptr(0)), 0), t.Member(field, integer, 64))))
    read = code("call get_current_task\nr3 = r0\nr1 = 8\nr3 += r1\nr1 = r10\nr1 += -8\nr2 = 4\n*(u64 *)(r10 - 8) = 0\n"
                "call probe_read_kernel\nr0 = *(u32 *)(r10 - 8)\nexit")
    at = next(n for n, i in enumerate(read) if i.dst == 1 and i.imm == 8)
    ref = CoreRef(task, "0:1", kind)
    body = [i._replace(imm=0, ref=ref) if n == at else i for n, i in enumerate(read)]
    return ObjectSpec({"prog": ProgramSpec(FuncSpec("prog", tuple(body)), "raw_tp/sys_enter", ProgType.RAW_TRACEPOINT)},
                      btf=b.build())


def test_core_finds_the_field_in_this_kernel() -> None:
    with loader.load(core_spec()) as k:
        assert k["prog"].test_run(ctx=bytes(16)).retval == os.getpid()
        (slot, offset), = k["prog"].core
        assert slot == 2 and offset > 8


def test_core_answers_absence_and_poisons() -> None:
    spec = core_spec("no_such_field", kind=2)  # FIELD_EXISTS
    prog = spec.programs["prog"]
    body = (prog.func.insns[2]._replace(dst=0, code=0xB7), code("exit")[0])
    asked = spec._replace(programs={"prog": prog._replace(func=prog.func._replace(insns=body))})
    with loader.load(asked) as k:
        assert k["prog"].test_run(ctx=bytes(16)).retval == 0
    with pytest.raises(VerifierError, match=r"field task_struct.no_such_field is not in this kernel") as info:
        loader.load(core_spec("no_such_field"))
    assert "field_exists" in str(info.value) and "195896080" not in str(info.value)


def test_core_against_given_types() -> None:
    b = Builder()
    integer = b.add(t.Int("int", 4, t.SIGNED))
    b.add(t.Struct("task_struct", 1204, (t.Member("tgid", integer, 1200 * 8),)))
    with loader.load(core_spec(), btf=b.build()) as k:
        assert k["prog"].core == ((2, 1200),)


def test_kfuncs_are_found_in_the_kernel() -> None:
    if older_than("6.2"):
        pytest.skip("bpf_task_from_pid: since 6.2")
    text = f"""
        r1 = {os.getpid()}
        call kfunc:bpf_task_from_pid
        if r0 == 0 goto none
        r1 = r0
        call kfunc:bpf_task_release
        r0 = 7
        exit
      none:
        r0 = 8
        exit"""
    assert run_syscall(text) == 7
    with pytest.raises(NotSupported, match="did you mean 'bpf_task_from_pid'"):
        run_syscall(text.replace("bpf_task_from_pid", "bpf_task_from_pids"))


def run_syscall(text: str) -> int:
    with loader.load(obj("syscall", text)) as k:
        return k["prog"].test_run(ctx=bytes(8)).retval


def test_func_and_line_info_reach_the_kernel(tmp_path) -> None:
    b = Builder()
    proto = b.add(t.FuncProto(b.add(t.Int("int", 4, t.SIGNED)), ()))
    ids = [b.append(t.Func(name, proto, t.GLOBAL if name == "prog" else t.STATIC)) for name in ("prog", "sub")]
    file = str(tmp_path / "x.py")
    spec = ObjectSpec({"prog": ProgramSpec(func("prog", "call func:sub\nexit", file=file, btf_id=ids[0]), "xdp", 6, 37)},
                      {"sub": func("sub", "r0 = 2\nexit", file=file, btf_id=ids[1])}, btf=b.build())
    from purebpf.loader import bpf

    with loader.load(spec) as k:
        info = bpf.prog_info(k["prog"].fileno())
        assert (info.nr_func_info, info.nr_line_info) == (2, 4) and info.btf_id


def test_attach_target_is_found_or_suggested() -> None:
    with loader.load(obj("tp_btf/sched_switch", "r0 = 0\nexit")) as k:
        assert k["prog"].spec.attach_to == "sched_switch"
    with pytest.raises(NotSupported, match="did you mean 'sched_switch'"):
        loader.load(obj("tp_btf/sched_swich", "r0 = 0\nexit"))
    with pytest.raises(FormatError, match="does not say what to attach to"):
        loader.load(obj("tp_btf", "r0 = 0\nexit"))
    with loader.load(obj("tp_btf", "r0 = 0\nexit"), targets={"prog": "sched_wakeup"}) as k:
        assert k["prog"].spec.attach_to == "sched_wakeup"


def test_nothing_is_left_when_a_load_fails_half_way() -> None:
    """The leak checks of conftest look after it: maps, sections and the first program are made, the second refused."""
    spec = globals_spec()
    spec = spec._replace(
        programs={**spec.programs, "bad": program("xdp", "r0 = *(u64 *)(r0 + 0)\nexit", "bad")},
        maps={"m": MapSpec("m", 1, 4, 8, 8), "o": MapSpec("o", 12, 4, 4, 1, inner=MapSpec("i", 2, 4, 4, 1))})
    before = sorted(os.listdir("/proc/self/fd"))
    with pytest.raises(VerifierError):
        loader.load(spec)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_licence_can_be_overridden() -> None:
    text = "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall probe_read_kernel\nr0 = 0\nexit"
    spec = obj("raw_tp/sys_enter", text, license="Proprietary")
    with pytest.raises(VerifierError):
        loader.load(spec)
    loader.load(spec, license="GPL").close()


def test_without_privilege_the_error_says_what_is_missing() -> None:
    """In a child that gave up its capabilities."""
    read, write = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - its lines run in the child
        try:
            import ctypes

            libc = ctypes.CDLL(None)
            libc.prctl(38, 1, 0, 0, 0)
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            try:
                loader.load(obj("xdp", "r0 = 2\nexit", maps=(MapSpec("m", 1, 4, 8, 8),)))
                text = "loaded"
            except NotSupported as error:
                text = str(error)
            os.write(write, text.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    os.waitpid(child, 0)
    assert "CAP_BPF" in text and "root" in text, text




def test_the_kernel_takes_btf_however_far_it_was_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.btf import codec
    from purebpf.loader import bpf, kbtf
    from tests.loader.test_pieces import every_kind

    types = every_kind()
    for name, _, rewrite in (("", "", lambda one: one), *kbtf.REWRITES):
        types = [rewrite(one) for one in types]
        fd, log = bpf.btf_load(codec.encode(types))
        if isinstance(fd, Fd):
            fd.close()
        else:  # the newest kind that is still there is newer than the kernel
            assert any(older_than(since) for _, since, _ in kbtf.REWRITES), (name, log)
    assert isinstance(fd, Fd), log
    if older_than("6.0"):
        return
    real = bpf.btf_load
    monkeypatch.setattr(bpf, "btf_load", lambda data: real(data) if calls.append(data) or len(calls) > 4 else (-22, "no"))
    calls: list[bytes] = []
    b = Builder()
    for one in every_kind():
        b.append(one)
    got = kbtf.upload(ObjectSpec({}, btf=b.build()), {})
    assert got is not None and got.lacks == {"enum64", "signed enum", "type_tag", "decl_tag"}
    got.fd.close()


def test_fentry_works_or_the_refusal_says_so() -> None:
    """Some kernels (this may be one) forbid trampolines on kernel functions."""
    try:
        loader.load(obj("fentry/vfs_read", "r0 = 0\nexit"), attach=True).close()
    except NotSupported as error:
        assert "fentry/vfs_read" in str(error) and "even to root" in str(error)


def test_freplace_takes_the_place_of_a_global_function(clang_object) -> None:
    from purebpf import elf

    b = Builder()
    u32, integer = b.add(t.Int("unsigned int", 4)), b.add(t.Int("int", 4, t.SIGNED))
    main = b.append(t.Func("prog", b.add(t.FuncProto(integer, (t.Param("a", u32), t.Param("b", u32)))), t.GLOBAL))
    spec = obj("freplace/add", "r0 = 99\nexit", btf_id=main)._replace(btf=b.build())
    with pytest.raises(FormatError, match="targets="):
        loader.load(spec)
    with loader.load(elf.read(clang_object("globals"))) as target:
        try:
            with loader.load(spec, targets={"prog": target["run"]}, attach=True):
                assert target["run"].test_run(FRAME).retval == 99
        except NotSupported as error:
            assert "even to root" in str(error)
        assert target["run"].test_run(FRAME).retval != 99


@pytest.mark.parametrize(("section", "release", "said"), [("cgroup/connect_unix", "6.1", "attach type CGROUP_UNIX_CONNECT (needs Linux 6.7)"),
                                                          ("netfilter", "6.1", "program type NETFILTER (needs Linux 6.4)")])
def test_what_is_newer_than_the_kernel_is_named(monkeypatch: pytest.MonkeyPatch, section: str, release: str, said: str) -> None:
    """A program type that the kernel has, at a hook that it has not."""
    from purebpf.loader import bpf, sys
    from tests.kernel.specs import obj

    monkeypatch.setattr(sys, "kernel_version", lambda: tuple(map(int, f"{release}.0".split("."))))
    monkeypatch.setattr(bpf, "prog_load", lambda *a, **k: (-22, 0))
    with pytest.raises(NotSupported) as refused:
        loader.load(obj(section, "r0 = 1\nexit"))
    assert said in str(refused.value)
