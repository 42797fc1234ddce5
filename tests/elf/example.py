"""An ObjectSpec with one of everything that an object file can say, made by hand."""

from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.isa import insn as i
from purebpf.isa import opcodes as o
from purebpf.isa.insn import Insn
from purebpf.spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, ProgramSpec, VarSpec
from purebpf.uapi.enums import CoreKind, MapFlag, MapType

EXIT = Insn(o.JMP | o.EXIT)


def mov(dst: int, imm: int) -> Insn:
    return Insn(o.ALU64 | o.MOV | o.K, dst, 0, 0, imm)


def call(name: str) -> Insn:
    return Insn(o.JMP | o.CALL, 0, o.CALL_LOCAL, 0, -1, i.FuncRef(name))


def helper(number: int) -> Insn:
    return Insn(o.JMP | o.CALL, 0, 0, 0, number)


def load(dst: int, src: int, ref: i.Ref) -> Insn:
    return Insn(o.LD_IMM64, dst, src, 0, 0, ref)


def line(insn: int, number: int, text: str) -> Line:
    return Line(insn, "prog.py", number, 5, f"    {text}")


def full() -> ObjectSpec:
    """Two XDP programs, a tracing one, static and global subprograms, a callback, maps with contents, globals, CO-RE."""
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long long", 8))
    i32 = b.add(t.Int("int", 4, t.SIGNED))
    ctx = b.add(t.Ptr(b.add(t.Struct("xdp_md", 24, (t.Member("data", u32, 0), t.Member("data_end", u32, 32))))))
    task = b.add(t.Struct("task_struct", 8, (t.Member("pid", i32, 0), t.Member("tgid", i32, 32))))
    value = b.add(t.Struct("value", 16, (t.Member("packets", u64, 0), t.Member("bytes", u64, 64))))
    entry = b.add(t.FuncProto(i32, (t.Param("ctx", ctx),)))
    sub = b.add(t.FuncProto(i32, (t.Param("a", i32),)))
    callback = b.add(t.FuncProto(i32, (t.Param("n", u32), t.Param("ctx", b.add(t.Ptr(0))))))
    ids = {name: b.add(t.Func(name, proto, linkage)) for name, proto, linkage in (
        ("first", entry, t.GLOBAL), ("second", entry, t.GLOBAL), ("trace", entry, t.GLOBAL), ("quiet", sub, t.STATIC),
        ("loud", sub, t.GLOBAL), ("each", callback, t.STATIC))}
    b.add(t.Datasec(".ksyms", 0, (t.SecVar(b.add(t.Func("bpf_no_such_kfunc", sub, t.EXTERN)), 0, 0),)))

    def body(name: str, insns: tuple[Insn, ...], static: bool) -> FuncSpec:
        return FuncSpec(name, insns, (line(0, 3, f"def {name}"), line(len(insns) - 1, 9, "return")), ids[name], static)

    first = body("first", (
        mov(1, 5), call("quiet"), mov(1, 6), call("loud"), load(1, 2, i.DataRef(".rodata", 4, "limit")),
        Insn(o.LDX | o.MEM | o.W, 0, 1, 0), load(1, 2, i.DataRef(".bss", 8)), Insn(o.STX | o.MEM | o.W, 1, 0, 0),
        load(1, 2, i.DataRef(".data", 4)), Insn(o.STX | o.MEM | o.W, 1, 0, 0), mov(1, 4), load(2, 4, i.FuncRef("each")),
        mov(3, 0), mov(4, 0), helper(181), mov(0, 2), EXIT), False)
    second = body("second", (mov(0, 1), EXIT), False)
    trace = body("trace", (
        Insn(o.ALU64 | o.MOV | o.K, 0, 0, 0, 4, i.CoreRef(task, "0:1", CoreKind.FIELD_BYTE_OFFSET)),
        load(1, 3, i.KsymRef("bpf_no_such_kfunc", True, True)),
        Insn(o.JMP | o.JEQ | o.K, 1, 0, 1, 0),
        Insn(o.JMP | o.CALL, 0, o.CALL_KFUNC, 0, -1, i.KfuncRef("bpf_no_such_kfunc", True)),
        mov(0, 0), EXIT), False)
    inner = MapSpec("inner", MapType.ARRAY, 4, 16, 1, key_type=u32, value_type=value)
    maps = (
        MapSpec("counts", MapType.HASH, 4, 16, 100, MapFlag.NO_PREALLOC, key_type=u32, value_type=value),
        MapSpec("bare", MapType.ARRAY, 4, 3, 1), MapSpec("pinned", MapType.ARRAY, 4, 4, 1, 0, u32, u32, pinning=1),
        MapSpec("filter", MapType.BLOOM_FILTER, 0, 4, 10, value_type=u32, extra=3),
        MapSpec("outer", MapType.ARRAY_OF_MAPS, 4, 4, 4, key_type=u32, inner=inner, contents=((b"\1\0\0\0", "slot"),)),
        inner._replace(name="slot"), MapSpec("ring", MapType.RINGBUF, 0, 0, 65536),
        MapSpec("jumps", MapType.PROG_ARRAY, 4, 4, 4, contents=((b"\2\0\0\0", "second"), (b"\0\0\0\0", "first"))))
    data = (
        DataSpec(".rodata", (9).to_bytes(4, "little") + (7).to_bytes(4, "little"),
                 (VarSpec("first_limit", 0, 4, u32), VarSpec("limit", 4, 4, u32))),
        DataSpec(".data", bytes(range(8)), (VarSpec("seed", 0, 4, u32), VarSpec("untyped", 4, 4, static=True))),
        DataSpec(".bss", bytes(16), (VarSpec("hits", 0, 8, u64), VarSpec("hidden", 8, 8, u64, True))))
    return ObjectSpec(
        {"first": ProgramSpec(first, "xdp", 6, 37), "second": ProgramSpec(second, "xdp", 6, 37),
         "trace": ProgramSpec(trace, "raw_tp/sys_enter", 17, 0, "sys_enter")},
        {"quiet": body("quiet", (load(1, 1, i.MapRef("counts")), mov(1, 0), call("loud"), EXIT), True),
         "loud": body("loud", (mov(0, 0), EXIT), False),
         "each": body("each", (mov(0, 0), EXIT), True)},
        {m.name: m for m in maps}, {d.name: d for d in data}, "Dual MIT/GPL", b.build(), "full")
