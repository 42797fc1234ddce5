"""What objects may ask of a loader: struct_ops, arenas, kernel functions by type, choices before loading, policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from purebpf import elf
from purebpf.btf import Builder, Btf
from purebpf.btf import types as t
from purebpf.errors import FormatError, KernelError, NotSupported, VerifierError
from purebpf.isa.insn import FuncRef, KsymRef, MapRef
from purebpf.loader import Kernel, load
from purebpf.loader import sys as live_sys
from purebpf.loader import Policy
from purebpf.loader.fixups import patch
from purebpf.btf.core import Relocation
from purebpf.isa import decode, assemble
from purebpf.spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, Pointer, ProgramSpec, VarSpec
from purebpf.uapi.enums import MapType
from purebpf.vm import Machine
from tests.elf.clang import compile

pytestmark = pytest.mark.kernel
FRAME = bytes(64)


def available() -> list[str]:
    return Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text(encoding="ascii").split()


OPS = """
struct sock;
struct tcp_congestion_ops___local { unsigned (*ssthresh)(struct sock *); void (*cong_avoid)(struct sock *, unsigned, unsigned);
    unsigned (*undo_cwnd)(struct sock *); char name[16]; EXTRA };
SEC("struct_ops/s") unsigned s(__u64 *c) { return 10; }
SEC("struct_ops/a") void a(__u64 *c) { }
SEC("struct_ops/u") unsigned u(__u64 *c) { return 3; }
SEC(".struct_ops") struct tcp_congestion_ops___local plain = { .ssthresh = (void *)s, .cong_avoid = (void *)a, .undo_cwnd = (void *)u, .name = "pb_plain" };
SEC(".struct_ops.link") struct tcp_congestion_ops___local linked = { .ssthresh = (void *)s, .cong_avoid = (void *)a, .undo_cwnd = (void *)u, .name = "pb_linked" VALUE };
SEC(".struct_ops.link") struct tcp_congestion_ops___local other = { .ssthresh = (void *)s, .cong_avoid = (void *)a, .undo_cwnd = (void *)u, .name = "pb_linked" };
"""


def ops(folder: Path, extra: str = "", value: str = "") -> ObjectSpec:
    return elf.read(compile(folder, "ops", OPS.replace("EXTRA", extra).replace("VALUE", value)))


def test_struct_ops_are_registered_as_long_as_their_links_live(tmp_path: Path) -> None:
    spec = ops(tmp_path, "int no_such_member;")
    for one in (spec, elf.read(elf.write(spec))):
        with load(one) as k:
            with k["plain"].attach():
                assert "pb_plain" in available()
            assert "pb_plain" not in available()
            k["linked"].set(name="pb_renamed")
            with k["linked"].attach() as link:
                assert "pb_renamed" in available() and link.id
            assert "pb_renamed" not in available()
            with pytest.raises(FormatError, match="no member 'nam'"):
                k["linked"].set(nam="x")


def test_a_struct_ops_table_takes_another_s_place(tmp_path: Path) -> None:
    with load(ops(tmp_path)) as k, k["linked"].attach() as link:
        k["other"].replace(link)
        assert available().count("pb_linked") == 1


def test_struct_ops_are_attached_with_the_object(tmp_path: Path) -> None:
    spec = ops(tmp_path)
    only = spec._replace(data={n: d for n, d in spec.data.items() if n == ".struct_ops"})
    with load(only, attach=True) as k:
        assert "pb_plain" in available() and [link.kind for link in k.links] == ["struct_ops"]
    assert "pb_plain" not in available()


def test_a_member_that_this_kernel_lacks_must_be_zero(tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="linked.no_such_member"):
        load(ops(tmp_path, "int no_such_member;", ", .no_such_member = 3"))


def test_a_struct_ops_program_must_be_in_a_struct(tmp_path: Path) -> None:
    spec = ops(tmp_path)
    with pytest.raises(FormatError, match="in no struct of .struct_ops"):
        load(spec._replace(data={}))


ARENA = """
#define __arena __attribute__((address_space(1)))
struct { __uint(type, 33); __uint(map_flags, 1024); __uint(max_entries, 10); } arena SEC(".maps");
int __arena counter = 5;
struct { int a, b; } __arena pair = { 1, 2 };
SEC("syscall") int f(void *ctx) { counter += 2; pair.b = counter; return pair.b; }
"""


@pytest.mark.parametrize("address", [0, 1 << 44])
def test_arena_globals_are_shared_memory(tmp_path: Path, address: int) -> None:
    spec = elf.read(compile(tmp_path, "arena", ARENA))
    with load(spec, maps={"arena": {"extra": address}}) as k:
        assert k["counter"].value == 5
        assert k["f"].test_run().retval == 7 and k["counter"].value == 7
        k["counter"].value = 100
        assert k["f"].test_run().retval == 102 and k["pair"].value.b == 102


def code(text: str) -> tuple[Any, ...]:
    return tuple(decode(assemble(text)))


def simple(**fields: Any) -> ObjectSpec:
    func = FuncSpec("f", code("r0 = 2\nexit"))
    return ObjectSpec({"f": ProgramSpec(func, "xdp", 6)}, **fields)


KFUNC = """
extern int bpf_strstr(const char *, __u32, const char *, __u32) __ksym WEAK;
SEC("syscall") int f(void *ctx) { char a[] = "hello", b[] = "llo"; if (!bpf_strstr) return 77; return bpf_strstr(a, 6, b, 4); }
"""


def test_a_kernel_function_is_called_only_as_the_kernel_declares_it(tmp_path: Path) -> None:
    with Kernel() as kernel:
        if kernel.find("bpf_strstr", t.Func) is None:
            pytest.skip("this kernel has no bpf_strstr")
    with pytest.raises(NotSupported, match="it is declared as int bpf_strstr"):
        load(elf.read(compile(tmp_path, "k", KFUNC.replace("WEAK", ""))))
    with load(elf.read(compile(tmp_path, "w", KFUNC.replace("WEAK", "__weak")))) as k:
        assert k["f"].test_run().retval == 77  # as if it were not there


def test_sizes_types_and_programs_are_chosen_before_loading() -> None:
    spec = simple(maps={"m": MapSpec("m", MapType.HASH, 4, 4, 0)})
    spec = spec._replace(programs={"f": spec.programs["f"]._replace(section="odd", prog_type=0),
                                   "g": ProgramSpec(FuncSpec("g", code("exit")), "xdp", 6)})
    with pytest.raises(FormatError, match=r"section 'odd' of program 'f' names no program type.*types="):
        load(spec, maps={"m": 8})
    with load(spec, maps={"m": {"max_entries": 16}}, types={"f": "xdp"}, autoload={"g": False}) as k:
        assert k["m"].info.max_entries == 16 and k["f"].test_run(FRAME).retval == 2 and "g" not in k.programs
    for wrong, match in (({"maps": {"n": 1}}, "no map 'n'"), ({"maps": {"m": {"size": 1}}}, "'size' cannot be chosen"),
                         ({"types": {"h": "xdp"}}, "no program 'h'"), ({"types": {"f": "nothing"}}, "names no program type")):
        with pytest.raises(FormatError, match=match):
            load(spec, **wrong)


def test_a_policy_is_asked_before_the_first_system_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import sys as live

    def never(*arguments: Any) -> int:
        raise AssertionError("a system call")

    pinned = simple(maps={"m": MapSpec("m", MapType.ARRAY, 4, 4, 1000, pinning=1)})
    with monkeypatch.context() as patched:
        patched.setattr(live, "bpf", never)
        for policy, match in ((Policy(prog_types=["tc"]), "is of type XDP"), (Policy(pins=False), "asks to be pinned"),
                              (Policy(max_bytes=100), "take 8000 bytes")):
            with pytest.raises(FormatError, match=match):
                load(pinned, policy=policy)
    with load(simple(), policy=Policy(prog_types=["xdp", 3], pins=False, max_bytes=0)):
        pass


SPOILT = {  # what is wrong -> (a spec, part of the message)
    "short key": (simple(maps={"m": MapSpec("m", MapType.HASH, 16, 4, 4, contents=((b"x", b"1234"),))}), "keys have 16"),
    "short value": (simple(maps={"m": MapSpec("m", MapType.HASH, 4, 8, 4, contents=((b"1234", b"x"),))}), "values have 8"),
    "slot of no map": (simple(maps={"m": MapSpec("m", MapType.PROG_ARRAY, 4, 4, 4, contents=((bytes(4), "g"),))}), "'g'"),
    "pin outside": (simple(maps={"../m": MapSpec("../m", MapType.ARRAY, 4, 4, 1, pinning=1)}), "no file name"),
    "variable outside": (simple(data={".data": DataSpec(".data", bytes(4), (VarSpec("v", 2, 4),))}), "leaves section"),
    "pointer outside": (simple(data={".data": DataSpec(".data", bytes(4), (), 0, (Pointer(0, FuncRef("f")),))}), "leaves"),
    "pointer to nothing": (simple(data={".data": DataSpec(".data", bytes(8), (), 0, (Pointer(0, MapRef("m")),))}), "lacks"),
    "key": (simple(maps={"a": MapSpec("b", MapType.ARRAY, 4, 4, 1)}), "listed as"),
    "type of nothing": (simple(btf=Btf(), maps={"m": MapSpec("m", MapType.ARRAY, 4, 4, 1, key_type=3)}), "BTF lacks"),
    "line of nothing": (ObjectSpec({"f": ProgramSpec(FuncSpec("f", code("exit"), (Line(7, "a", 1, 1, ""),)), "xdp", 6)}), "line"),
    "number": (simple(maps={"m": MapSpec("m", MapType.ARRAY, 4, 4, 1 << 33)}), "32-bit"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_spec_that_contradicts_itself_is_refused_alike_by_loader_and_vm(what: str) -> None:
    spec, match = SPOILT[what]
    for taker in (load, Machine):
        with pytest.raises(FormatError, match=match):
            taker(spec)


def test_a_rejected_object_does_not_show_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first line\nthe password\nthird line\n", encoding="utf-8")
    lines = (Line(0, str(secret), 2, 1, "innocent"),)
    spec = ObjectSpec({"f": ProgramSpec(FuncSpec("f", code("r0 = *(u64 *)(r1 + 999)\nexit"), lines), "xdp", 6)})
    with pytest.raises(VerifierError) as info:
        load(spec)
    assert "password" not in str(info.value) and "first line" not in str(info.value) and "innocent" in str(info.value)


def test_a_symbol_whose_address_is_hidden_or_ambiguous_is_refused() -> None:
    with Kernel() as kernel:
        kernel._symbols = {"hidden": 0, "twice": -1, "fine": 5}
        for name, match in (("hidden", "is hidden"), ("twice", "ambiguous"), ("gone", "not in this kernel")):
            func = FuncSpec("f", (code("r1 = 0 ll")[0]._replace(ref=KsymRef(name, False)), *code("r0 = 2\nexit")))
            with pytest.raises(NotSupported, match=match):
                load(ObjectSpec({"f": ProgramSpec(func, "xdp", 6)}), kernel=kernel)
            weak = func._replace(insns=(func.insns[0]._replace(ref=KsymRef(name, False, True)), *func.insns[1:]))
            load(ObjectSpec({"f": ProgramSpec(weak, "xdp", 6)}), kernel=kernel).close()


def test_types_and_a_kernel_are_not_both_given() -> None:
    with Kernel() as kernel, pytest.raises(FormatError, match="either kernel= or btf="):
        load(simple(), kernel=kernel, btf=Btf())


def test_kernel_symbols_in_data_are_filled_in() -> None:
    with Kernel() as kernel:
        name = next(n for n in ("init_task", "schedule", "tcp_v4_rcv") if kernel.symbol(n) is not None)
        wanted = kernel.symbol(name)
    spec = simple(data={".data": DataSpec(".data", bytes(16), (VarSpec("p", 8, 8),), 0, (Pointer(8, KsymRef(name, False)),))})
    for one in (spec, elf.read(elf.write(spec))):
        with load(one) as k:
            assert int.from_bytes(k["p"].raw, live_sys.BYTEORDER) == wanted


def test_an_access_narrower_than_the_field_is_refused_where_the_size_changes() -> None:
    insn = code("w1 = *(u8 *)(r1 + 4)" if False else "r1 = *(u8 *)(r1 + 4)")[0]
    with pytest.raises(FormatError, match="which part is meant"):
        patch(insn, Relocation(8, 4, size=8, old_size=4))
    assert patch(insn, Relocation(8, 4, size=4, old_size=4))[0].off == 8


def test_an_attach_type_that_the_kernel_lacks_is_no_verifier_error() -> None:
    spec = simple()
    wrong = spec.programs["f"]._replace(prog_type=26, attach_type=57, section="fentry/bpf_fentry_test1", attach_to="bpf_fentry_test1")
    with pytest.raises(KernelError) as info:
        load(spec._replace(programs={"f": wrong}))
    assert "million" not in str(info.value), str(info.value)


def test_types_that_the_kernel_refuses_do_not_stop_what_does_not_need_them() -> None:
    b = Builder()
    b.append(t.Struct("no name", 4, ()))  # no identifier: refused in every form
    b.append(t.Fwd(""))
    with load(simple(btf=b.build())) as k:
        assert k["f"].test_run(FRAME).retval == 2


def test_the_kernel_s_name_of_a_section_keeps_its_end() -> None:
    from purebpf.loader.create import section_name

    assert section_name("bcc__bits", ".kconfig") == "bcc__bi.kconfig" and section_name("bcc__bits", ".bss") == "bcc__bit.bss"
