"""THE TABLE: one row per instruction. Bytes, both notations, documentation, checks and the VM all read it.

A row is what is *fixed* in an instruction (opcode; src, off and imm where they tell instructions apart or must be 0)
and, for both notations, templates of its text: the first is what we write, the others are read as well (the kernel's
log, llvm-objdump, ubpf, rbpf, GNU as, bpf_conformance). In a template, `{…}` is an operand and everything else literal:

    {d} {s}    register r0..r10 of the dst or src field      {wd} {ws}  the same, written w0..w10
    {r0} {w0}  that very register (cmpxchg, packet loads)    {o}        memory offset: "", "+ 8", "-8"; off field
    {i} {u}    immediate, signed or unsigned; imm field      {I}        64-bit immediate of ld_imm64
    {j} {J}    jump distance in off, in imm; or a label      {f}        slots to a local function in imm, or its name
    {a} {b}    high and low half of imm (addr_space_cast)    {l} {h}    low and high word of the 64-bit imm
    {k} {m}    a plain number in off, in imm                 {x}        low word of imm, for a helper, a name#number

`group` is RFC 9669's conformance group, or a name of ours for what came later; `cpu` clang's -mcpu that has it (1..4);
`since` the first Linux that runs it ("" where none does).
"""

from __future__ import annotations

from typing import Final

from . import opcodes as op

ANY: Final = None  # the field is an operand


class Row:
    """One instruction; see the module. `dst`, `src`, `off`, `imm` are the fixed value, or None for an operand."""

    __slots__ = ("name", "code", "dst", "src", "off", "imm", "kernel", "mnemonic", "group", "cpu", "since")

    def __init__(self, name: str, code: int, kernel: tuple[str, ...], mnemonic: tuple[str, ...], *,
                 src: int | None = 0, off: int | None = 0, imm: int | None = 0, dst: int | None = 0,
                 group: str = "base64", cpu: int = 1, since: str = "3.18") -> None:
        self.name, self.code, self.kernel, self.mnemonic = name, code, kernel, mnemonic
        self.dst, self.src, self.off, self.imm = dst, src, off, imm
        self.group, self.cpu, self.since = group, cpu, since

    def __repr__(self) -> str:
        return f"<row {self.name}: {self.kernel[0]}>"

    @property
    def operands(self) -> tuple[str, ...]:
        """The fields that vary: a subset of ("dst", "src", "off", "imm")."""
        return tuple(field for field in ("dst", "src", "off", "imm") if getattr(self, field) is None)

    def matches(self, src: int, off: int, imm: int, dst: int) -> bool:
        """Whether an instruction of this row's opcode with these fields is this one, reserved fields included."""
        return ((self.off is None or self.off == off) and (self.src is None or self.src == src)
                and (self.imm is None or self.imm == imm) and (self.dst is None or self.dst == dst))


ALU_OPS: Final = (  # mnemonic, code, C operator
    ("add", op.ADD, "+="), ("sub", op.SUB, "-="), ("mul", op.MUL, "*="), ("div", op.DIV, "/="), ("or", op.OR, "|="),
    ("and", op.AND, "&="), ("lsh", op.LSH, "<<="), ("rsh", op.RSH, ">>="), ("mod", op.MOD, "%="), ("xor", op.XOR, "^="),
    ("mov", op.MOV, "="), ("arsh", op.ARSH, "s>>="),
)
JUMP_OPS: Final = (
    ("jeq", op.JEQ, "=="), ("jgt", op.JGT, ">"), ("jge", op.JGE, ">="), ("jset", op.JSET, "&"), ("jne", op.JNE, "!="),
    ("jsgt", op.JSGT, "s>"), ("jsge", op.JSGE, "s>="), ("jlt", op.JLT, "<"), ("jle", op.JLE, "<="),
    ("jslt", op.JSLT, "s<"), ("jsle", op.JSLE, "s<="),
)
SIZES: Final = (("b", op.B, 8), ("h", op.H, 16), ("w", op.W, 32), ("dw", op.DW, 64))  # suffix, size bits, width
ATOMIC_OPS: Final = (("add", op.ADD, "+="), ("or", op.OR, "|="), ("and", op.AND, "&="), ("xor", op.XOR, "^="))
IMM64_FORMS: Final = (  # name, src, what the text calls it, since; the last two words of RFC 9669, section 5.4
    ("map_by_fd", op.IMM64_MAP_FD, "map_by_fd({I})", "3.18"),
    ("map_value_by_fd", op.IMM64_MAP_VALUE, "map_val(map_by_fd({l})) + {h}", "5.2"),
    ("var_addr", op.IMM64_BTF_ID, "var_addr({I})", "5.10"),
    ("code_addr", op.IMM64_FUNC, "code_addr({I})", "5.13"),
    ("map_by_idx", op.IMM64_MAP_IDX, "map_by_idx({I})", "5.14"),
    ("map_value_by_idx", op.IMM64_MAP_IDX_VALUE, "map_val(map_by_idx({l})) + {h}", "5.14"),
)


def _alu() -> list[Row]:
    rows = []
    for cls, w, suffix, long in ((op.ALU64, "", "", "64"), (op.ALU, "w", "32", "32")):
        d, s = f"{{{w}d}}", f"{{{w}s}}"
        for name, code, sign in ALU_OPS:
            group = ("divmul" if name in ("mul", "div", "mod") else "base") + long
            for operand, x, fixed in (("{i}", op.K, "imm"), (s, op.X, "reg")):
                src, imm = (0, ANY) if x == op.K else (ANY, 0)
                mnemonic = operand.replace("{ws}", "{s}")
                texts: tuple[str, ...] = (f"{d} {sign} {operand}",)
                if w and name == "mov" and x == op.X:
                    texts += ("{d} = {ws}",)  # how clang -S writes a zero extension
                rows.append(Row(f"{name}{suffix}_{fixed}", cls | code | x, texts,
                                _spell(name, suffix, f"{{d}}, {mnemonic}"), group=group, dst=ANY, src=src, imm=imm))
                if name in ("div", "mod"):
                    rows.append(Row(f"s{name}{suffix}_{fixed}", cls | code | x, (f"{d} s{sign} {operand}",),
                                    _spell("s" + name, suffix, f"{{d}}, {mnemonic}"),
                                    off=1, group=group, cpu=4, since="6.6", dst=ANY, src=src, imm=imm))
        for width in (8, 16, 32) if cls == op.ALU64 else (8, 16):
            rows.append(Row(f"movsx{width}_{long}", cls | op.MOV | op.X, (f"{d} = (s{width}){s}",),
                            (f"movsx{width}{long} {{d}}, {{s}}", f"movs{suffix} {{d}}, {{s}}, {width}"),
                            dst=ANY, src=ANY, off=width, group="base" + long, cpu=4, since="6.6"))
        rows.append(Row(f"neg{suffix}", cls | op.NEG, (f"{d} = -{d}",), _spell("neg", suffix, "{d}"), dst=ANY,
                        group="base" + long))
    return rows


def _spell(name: str, suffix: str, operands: str) -> tuple[str, ...]:
    """`add r0, r1`; rbpf also writes the width of the 64-bit form: `add64 r0, r1`."""
    return (f"{name}{suffix} {operands}",) + ((f"{name}64 {operands}",) if not suffix else ())


def _moves() -> list[Row]:
    rows = []
    for name, code, gnu in (("le", op.ALU | op.END, "endle"), ("be", op.ALU | op.END | op.X, "endbe"),
                            ("bswap", op.ALU64 | op.END, "bswap")):
        late = name == "bswap"
        for width in (16, 32, 64):
            spellings = [f"{name}{width} {{d}}", f"{gnu} {{d}}, {width}"] + ([f"swap{width} {{d}}"] if late else [])
            rows.append(Row(f"{name}{width}", code, (f"{{d}} = {name}{width} {{d}}",), tuple(spellings), dst=ANY,
                            imm=width, group="base64" if width == 64 else "base32",
                            cpu=4 if late else 1, since="6.6" if late else "3.18"))
    rows.append(Row("addr_space_cast", op.ALU64 | op.MOV | op.X, ("{d} = addr_space_cast({s}, {a}, {b})",),
                    ("addr_space_cast {d}, {s}, {a}, {b}",), dst=ANY, src=ANY, off=1, imm=ANY, group="arena",
                    cpu=4, since="6.9"))
    rows.append(Row("mov_percpu", op.ALU64 | op.MOV | op.X, ("{d} = &(void __percpu *)({s})",),
                    ("mov_percpu {d}, {s}",), dst=ANY, src=ANY, off=-1, group="kernel", cpu=4, since=""))
    return rows


def _jumps() -> list[Row]:
    rows = []
    for cls, w, suffix in ((op.JMP, "", ""), (op.JMP32, "w", "32")):
        for name, code, sign in JUMP_OPS:
            late = name in ("jlt", "jle", "jslt", "jsle")
            cpu, since = (3, "5.1") if suffix else (2, "4.14") if late else (1, "3.18")
            for operand, x, fixed in (("{i}", op.K, "imm"), (f"{{{w}s}}", op.X, "reg")):
                src, imm = (0, ANY) if x == op.K else (ANY, 0)
                rows.append(Row(f"{name}{suffix}_{fixed}", cls | code | x,
                                (f"if {{{w}d}} {sign} {operand} goto {{j}}",),
                                (f"{name}{suffix} {{d}}, {operand.replace('{ws}', '{s}')}, {{j}}",), dst=ANY, off=ANY,
                                group="base32" if suffix else "base64", cpu=cpu, since=since,
                                src=src, imm=imm))
    rows += [
        Row("ja", op.JMP | op.JA, ("goto {j}",), ("ja {j}", "jmp {j}"), off=ANY, group="base32"),
        Row("gotol", op.JMP32 | op.JA, ("gotol {J}",), ("ja32 {J}", "jal {J}"), imm=ANY, group="base32", cpu=4,
            since="6.6"),
        Row("may_goto", op.JMP | op.JCOND, ("may_goto {j}",), ("may_goto {j}",), off=ANY, group="may_goto", cpu=4,
            since="6.9"),
        Row("gotox", op.JMP | op.JA | op.X, ("gotox {d}",), ("jax {d}",), dst=ANY, group="gotox", cpu=4, since="6.19"),
        Row("call_helper", op.JMP | op.CALL, ("call {x}",), ("call {x}", "call helper {u}"), imm=ANY,
            group="base32"),
        Row("call_local", op.JMP | op.CALL, ("call pc{f}", "call local {f}"), ("call local {f}",),
            src=op.CALL_LOCAL, imm=ANY, group="base32", since="4.16"),
        Row("call_kfunc", op.JMP | op.CALL, ("call kfunc {u}", "call runtime {u}"), ("call runtime {u}",),
            src=op.CALL_KFUNC, imm=ANY, group="base32", since="5.13"),
        Row("call_kfunc_module", op.JMP | op.CALL, ("call kfunc {u}, module {k}",), ("call runtime {u}, module {k}",),
            src=op.CALL_KFUNC, imm=ANY, off=ANY, group="base32", since="5.16"),
        Row("callx", op.JMP | op.CALL | op.X, ("callx {d}",), ("call {d}",), dst=ANY, group="callx", since=""),
        Row("exit", op.JMP | op.EXIT, ("exit",), ("exit", "ret"), group="base32"),
    ]
    return rows


def _loads() -> list[Row]:
    rows = [Row("lddw", op.LD_IMM64, ("{d} = {I} ll",), ("lddw {d}, {I}", "lddw {d}, {I} ll"), dst=ANY, imm=ANY)]
    for name, src, call, since in IMM64_FORMS:
        kernel = f"{{d}} = {call} ll"
        # LLVM's spelling, and llvm-objdump's of it; they know nothing of the second slot
        raw, shown = f"ld_pseudo {{d}}, {src}, {{I}}", f"ld_pseudo {{d}}, {src:#x}, {{I}}"
        rows.append(Row(name, op.LD_IMM64, (kernel, raw, shown) if "{h}" in call else (raw, shown, kernel),
                        (f"lddw {{d}}, {call}", raw), src=src, dst=ANY, imm=ANY, since=since))
    for suffix, size, width in SIZES[:3]:
        cast = f"{{r0}} = *(u{width} *)skb"
        rows.append(Row(f"ldabs{suffix}", op.LD | op.ABS | size, (f"{cast}[{{m}}]",),
                        (f"ldabs{suffix} {{m}}", f"ldabs{width // 8} {{m}}"), imm=ANY, group="packet", since="3.19"))
        rows.append(Row(f"ldind{suffix}", op.LD | op.IND | size, (f"{cast}[{{s}} + {{m}}]", f"{cast}[{{s}}]"),
                        (f"ldind{suffix} {{s}}, {{m}}",), src=ANY, imm=ANY, group="packet", since="3.19"))
    for suffix, size, width in SIZES:
        memory = f"*(u{width} *)({{s}}{{o}})"
        rows.append(Row(f"ldx{suffix}", op.LDX | op.MEM | size, _either(f"{{d}} = {memory}", "d", width),
                        (f"ldx{suffix} {{d}}, [{{s}}{{o}}]",), dst=ANY, src=ANY, off=ANY, group=_base(width)))
        if width < 64:
            rows.append(Row(f"ldxs{suffix}", op.LDX | op.MEMSX | size, (f"{{d}} = *(s{width} *)({{s}}{{o}})",),
                            (f"ldxs{suffix} {{d}}, [{{s}}{{o}}]",), dst=ANY, src=ANY, off=ANY, cpu=4, since="6.6"))
    return rows


def _base(width: int) -> str:
    return "base64" if width == 64 else "base32"


def _either(template: str, field: str, width: int) -> tuple[str, ...]:
    """The width of a register is not in the bytes of a load or store up to 32 bits: both names are read."""
    return (template,) + ((template.replace(f"{{{field}}}", f"{{w{field}}}"),) if width < 64 else ())


def _stores() -> list[Row]:
    rows = []
    for suffix, size, width in SIZES:
        memory, address = f"*(u{width} *)({{d}}{{o}})", "[{d}{o}]"
        rows.append(Row(f"stx{suffix}", op.STX | op.MEM | size, _either(f"{memory} = {{s}}", "s", width),
                        (f"stx{suffix} {address}, {{s}}",), dst=ANY, src=ANY, off=ANY, group=_base(width)))
        rows.append(Row(f"st{suffix}", op.ST | op.MEM | size, (f"{memory} = {{i}}",), (f"st{suffix} {address}, {{i}}",),
                        dst=ANY, off=ANY, imm=ANY, group=_base(width), cpu=4))
    return rows


def _atomics() -> list[Row]:
    rows = []
    for size, width, suffix, w, k in ((op.DW, 64, "", "", "64"), (op.W, 32, "32", "w", "")):
        code, s, group = op.STX | op.ATOMIC | size, f"{{{w}s}}", f"atomic{width}"
        memory = f"(u{width} *)({{d}}{{o}})"
        both = ("{s}", "{ws}") if w else ("{s}",)
        fields: dict[str, None] = {"dst": ANY, "src": ANY, "off": ANY}
        for name, bits, sign in ATOMIC_OPS:
            plain = tuple(f"lock *{memory} {sign} {r}" for r in ((s, *both)))
            gnu = f"a{name}{suffix} [{{d}}{{o}}], {{s}}"
            old = {"add": (f"xadd{'w' if w else 'dw'} [{{d}}{{o}}], {{s}}",
                           f"stxxadd{'w' if w else 'dw'} [{{d}}{{o}}], {{s}}")}.get(name, ())
            rows.append(Row(f"atomic_{name}{suffix}", code, plain, (f"lock {name}{suffix} [{{d}}{{o}}], {{s}}", gnu, *old),
                            imm=bits, group=group, cpu=1 if name == "add" else 3,
                            since="3.18" if name == "add" else "5.12", **fields))
            fetch = tuple(f"{r} = atomic{kk}_fetch_{name}({memory}, {r})" for kk in ("", k) for r in ((s, *both)))
            rows.append(Row(f"atomic_fetch_{name}{suffix}", code, fetch,
                            (f"lock fetch {name}{suffix} [{{d}}{{o}}], {{s}}", f"af{name}{suffix} [{{d}}{{o}}], {{s}}"),
                            imm=bits | op.FETCH, group=group, cpu=3, since="5.12", **fields))
        llvm = "xchg_64" if not w else "xchg32_32"
        rows.append(Row(f"xchg{suffix}", code, (f"{s} = {llvm}({{d}}{{o}}, {s})",)
                        + tuple(f"{r} = atomic{k}_xchg({memory}, {r})" for r in both),
                        (f"lock xchg{suffix} [{{d}}{{o}}], {{s}}", f"lock fetch xchg{suffix} [{{d}}{{o}}], {{s}}",
                         f"axchg{suffix} [{{d}}{{o}}], {{s}}"),
                        imm=op.XCHG, group=group, cpu=3, since="5.12", **fields))
        r0 = f"{{{'w' if w else 'r'}0}}"
        rows.append(Row(f"cmpxchg{suffix}", code, (f"{r0} = cmp{llvm}({{d}}{{o}}, {r0}, {s})",)
                        + tuple(f"{z} = atomic{k}_cmpxchg({memory}, {z}, {r})"
                                for r, z in zip(both, ("{r0}", "{w0}"))),
                        (f"lock cmpxchg{suffix} [{{d}}{{o}}], {{s}}", f"lock fetch cmpxchg{suffix} [{{d}}{{o}}], {{s}}",
                         f"acmp{suffix} [{{d}}{{o}}], {{s}}"),
                        imm=op.CMPXCHG, group=group, cpu=3, since="5.12", **fields))
    for _, size, width in SIZES:
        code, w = op.STX | op.ATOMIC | size, "" if width == 64 else "w"
        every = ("", "w") if w else ("",)
        fields = {"dst": ANY, "src": ANY, "off": ANY}
        rows.append(Row(f"load_acquire{width}", code,
                        tuple(f"{{{v}d}} = load_acquire((u{width} *)({{s}}{{o}}))" for v in (w, *every)),
                        (f"load_acquire{width} {{d}}, [{{s}}{{o}}]",), imm=op.LOAD_ACQ, group="acqrel", cpu=4,
                        since="6.15", **fields))
        rows.append(Row(f"store_release{width}", code,
                        tuple(f"store_release((u{width} *)({{d}}{{o}}), {{{v}s}})" for v in (w, *every)),
                        (f"store_release{width} [{{d}}{{o}}], {{s}}",), imm=op.STORE_REL, group="acqrel", cpu=4,
                        since="6.15", **fields))
    return rows


ROWS: Final[tuple[Row, ...]] = (*_alu(), *_moves(), *_jumps(), *_loads(), *_stores(), *_atomics())
BY_NAME: Final = {row.name: row for row in ROWS}
BY_CODE: Final[tuple[tuple[Row, ...], ...]] = tuple(
    tuple(sorted((row for row in ROWS if row.code == code), key=lambda r: (r.off is None) + (r.imm is None)))
    for code in range(256))


def lookup(code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> Row | None:
    """The row of an instruction; None if it is none: unknown opcode, a reserved field that is not 0, or r11 and up."""
    if dst > 10 or src > 10:
        return None
    for row in BY_CODE[code]:
        if row.matches(src, off, imm, dst):
            return row
    return None
