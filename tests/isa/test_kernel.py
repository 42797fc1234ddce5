"""A small program around every row of the table: the kernel accepts it, or refuses it for the expected reason, and gives
the VM's result."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from purebpf import vm
from purebpf.isa import ROWS, Insn, assemble, disassemble, encode
from purebpf.isa.opcodes import ALU, ALU64, ATOMIC, JMP, JMP32, LD_IMM64, LDX, ST, STX
from purebpf.isa.table import BY_NAME, Row
from purebpf.loader import bpf, sys
from purebpf.loader.fd import Fd, Made
from purebpf.uapi.enums import MapType, ProgType

pytestmark = pytest.mark.kernel
DATA = bytes(range(1, 65))
REFUSED = {
    "mov_percpu": "reserved fields", "addr_space_cast": "arena", "gotox": "unknown opcode 0d",
    "callx": "unknown opcode 8d", "call_kfunc_module": "without fd_array is invalid", "map_by_idx": "without fd_array",
    "map_value_by_idx": "without fd_array", "var_addr": "btf_id 5 in ldimm64 isn't",
}
VALUES = (0, 1, 5, 0x7F, 0x80, 0xFFFF8000, 0x80000000, 0xFFFFFFFF, 0x123456789ABCDEF0, 0x8000000000000000, 2**64 - 1)


def load(code: bytes) -> tuple[Made, str]:
    """(fd or -errno, the verifier's log) of a tc program."""
    log = sys.buffer(1 << 16)
    result, _ = bpf.prog_load(code, "GPL", log_level=1, log=log, fields={"prog_type": ProgType.SCHED_CLS})
    return result, log.value.decode(errors="replace")


def run(code: bytes) -> int:
    """The 32 bits that a test run of the code returns."""
    result, log = load(code)
    assert isinstance(result, Fd), log + disassemble(code)
    with result as fd:
        got = bpf.prog_test_run(fd.fileno(), data=sys.buffer(DATA), data_size=len(DATA), out=None, out_size=0, ctx=None,
                                ctx_size=0, ctx_out=None, repeat=1, flags=0, cpu=0, batch_size=0)
        assert got.result == 0
        return got.retval


def kernel_result(text: str) -> int:
    """All 64 bits of r0: two runs of the program, which ends with `exit`."""
    low, high = run(assemble(text)), run(assemble(text.removesuffix("exit") + "r0 >>= 32\nexit"))
    return high << 32 | low


def operands(row: Row, rng: random.Random, dst: int, src: int, off: int) -> str:
    """The row's text with these operands and an immediate that the verifier takes."""
    imm = rng.choice((1, -1, 7, 0x7FFFFFFF, -0x80000000)) if row.name != "gotol" else 1
    if row.name.startswith(("lsh", "rsh", "arsh")):
        imm = rng.randint(0, 31 if "32" in row.name else 63)
    wanted = {"dst": dst, "src": src, "off": off, "imm": imm}
    fields = {f: v if getattr(row, f) is None else getattr(row, f) for f, v in wanted.items()}
    return disassemble(encode([Insn(row.code, **fields)])).strip()


def around(row: Row, rng: random.Random) -> str:
    """A program that runs the row on values, and returns what it changed."""
    a, b = rng.choice(VALUES), rng.choice(VALUES)
    start = f"r8 = {a:#x} ll\nr9 = {b:#x} ll\n*(u64 *)(r10 - 8) = r8\n"
    cls = row.code & 7
    if cls in (ALU, ALU64):
        return start + operands(row, rng, 8, 9, 0) + "\nr0 = r8\nexit"
    if cls in (JMP, JMP32):
        return start + f"r0 = 1\nif r8 == 5 goto +1\n{operands(row, rng, 8, 9, 1)}\nr0 = 2\nr0 = r0\nexit"
    if row.code == LD_IMM64:
        return f"r0 = {a:#x} ll\nexit"
    if cls == LDX or row.name.startswith("load_acquire"):
        return start + operands(row, rng, 8, 10, -8) + "\nr0 = r8\nexit"
    if cls in (ST, STX):
        before = f"r0 = {rng.choice((a, b)):#x} ll\n" if row.code & 0xE0 == ATOMIC else "r0 = 0\n"
        return (start + before + operands(row, rng, 10, 9, -8)
                + "\nr8 = r0\nr0 = *(u64 *)(r10 - 8)\nr9 <<= 1\nr0 ^= r9\nr8 <<= 2\nr0 ^= r8\nexit")
    raise AssertionError(row.name)


SPECIAL = {
    "call_helper": "call 7\nr0 = 5\nexit", "call_local": "call pc+2\nr0 += 1\nexit\nr0 = 5\nexit", "exit": "r0 = 5\nexit",
}
KERNEL_ONLY = ("ldabs", "ldind", "call_kfunc", "map_", "code_addr", "var_addr")


def ordinary() -> Iterator[Row]:
    for row in ROWS:
        if row.name not in REFUSED and row.name not in SPECIAL and not row.name.startswith(KERNEL_ONLY):
            yield row


@pytest.mark.parametrize("row", list(ordinary()), ids=lambda row: row.name)
def test_accepted_with_the_vms_result(row: Row) -> None:
    rng = random.Random(row.name)
    for _ in range(3):
        text = around(row, rng)
        assert kernel_result(text) == vm.run(assemble(text)), text


@pytest.mark.parametrize("name", SPECIAL)
def test_calls_and_exit(name: str) -> None:
    code = assemble(SPECIAL[name])
    assert run(code) == 5 + (name == "call_local")
    if name != "call_helper":
        assert vm.run(code) == run(code)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_for_the_expected_reason(name: str) -> None:
    row = BY_NAME[name]
    wanted = {"dst": 1, "src": 2, "off": 1, "imm": 5 if row.code == LD_IMM64 else 1}
    insn = Insn(row.code, **{f: v if getattr(row, f) is None else getattr(row, f) for f, v in wanted.items()})
    code = assemble("r1 = 0\nr2 = 0\n") + encode([insn]) + assemble("r0 = 0\nexit")
    result, log = load(code)
    if isinstance(result, Fd):
        result.close()
    assert isinstance(result, int) and REFUSED[name] in log, log


@pytest.mark.parametrize(("suffix", "size"), [("b", 1), ("h", 2), ("w", 4)])
def test_packet_loads(suffix: str, size: int) -> None:
    prologue = "r6 = r1\nr9 = 3\n"
    at = {"abs": 12, "ind": 3 + 12}
    for kind, text in (("abs", f"ldabs{suffix} 12"), ("ind", f"ldind{suffix} %r9, 12")):
        expected = int.from_bytes(DATA[at[kind]:at[kind] + size], "big")
        assert run(assemble(prologue + text + "\nexit")) == expected
        assert BY_NAME[f"ld{kind}{suffix}"].since == "3.19"


def test_map_addresses() -> None:
    made = bpf.map_create(map_type=MapType.ARRAY, key_size=4, value_size=16, max_entries=1)
    assert isinstance(made, Fd)
    with made as fd:
        number = fd.fileno()
        lookup = f"""
            *(u32 *)(r10 - 4) = 0
            r2 = r10
            r2 += -4
            ld_pseudo r1, 1, {number}
            call 1
            if r0 == 0 goto out
            *(u64 *)(r0 + 8) = 42
            r1 = map_val(map_by_fd({number})) + 8 ll
            r0 = *(u64 *)(r1 + 0)
        out: exit"""
        assert run(assemble(lookup)) == 42


def test_function_address_needs_btf() -> None:
    """With BTF it is accepted: test_object.py."""
    result, log = load(assemble("r2 = body ll\nr1 = 3\nr3 = 0\nr4 = 0\ncall 181\nexit\nbody: r0 = 0\nexit"))
    assert result < 0 and "missing btf func_info" in log


def test_kernel_functions() -> None:
    from purebpf.btf import kernel

    btf = kernel.vmlinux()
    ids = [btf.find(name) for name in ("bpf_rcu_read_lock", "bpf_rcu_read_unlock")]
    assert run(assemble(f"call kfunc {ids[0]}\ncall runtime {ids[1]}\nr0 = 5\nexit")) == 5


def test_every_row_is_tried() -> None:
    tried = {row.name for row in ordinary()} | set(SPECIAL) | set(REFUSED)
    tried |= {row.name for row in ROWS if row.name.startswith(("ldabs", "ldind"))}
    tried |= {"map_by_fd", "map_value_by_fd", "code_addr", "call_kfunc"}
    assert tried == set(BY_NAME)
