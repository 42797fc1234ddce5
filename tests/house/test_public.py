"""The public names, as a snapshot; and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import purebpf

NAMES = """
Array AttachError CompileError Const FormatError Global HashMap KernelError KeyMissing LpmTrie LruHash LruPerCpuHash
NotInKernel NotSupported ObjectSpec PerCpuArray PerCpuHash PerfEventArray ProgArray Ptr PureBpfError Queue RingBuf
RunResult Stack VerifierError VmFault atomic_add be16 be32 be64 boot_ns build cdef cgroup_skb char cpu current_comm current_gid
current_pid current_task current_tid current_uid fentry fexit field_exists from_c func helpers i16 i32 i64 i8 kernel_struct
kprobe kretprobe ktime_ns link load lsm module_programs net perf_event printk random_u32 raw_tracepoint section sizeof
sock_ops socket_filter struct syscall tc tcx tp_btf tracepoint type_exists u16 u32 u64 u8 union uprobe uretprobe xdp
"""


def test_public_names() -> None:
    assert sorted(purebpf.__all__, key=str) == sorted(NAMES.split())


def test_every_public_name_is_there() -> None:
    for name in purebpf.__all__:
        assert getattr(purebpf, name) is not None


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*[m for m in sys.modules if m.startswith('purebpf')])"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_is_light() -> None:
    assert modules_after("import purebpf") == {"purebpf"}


def test_the_vocabulary_brings_no_compiler() -> None:
    rooms = {m.split(".")[1] for m in modules_after("from purebpf import HashMap, xdp, u32") if "." in m}
    assert rooms <= {"dsl", "errors", "uapi"}


def test_a_prebuilt_object_needs_no_compiler() -> None:
    rooms = {m.split(".")[1] for m in modules_after("from purebpf.loader import load; import purebpf.elf") if "." in m}
    assert not rooms & {"frontend", "opt", "codegen", "compiler", "ir"}
