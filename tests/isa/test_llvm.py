"""Every row of the table against llvm-mc-19 with random operands: our text in LLVM, LLVM's text in ours."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from purebpf.isa import ROWS, Insn, assemble, disassemble, encode
from purebpf.isa.table import Row

sys.path.insert(0, str(Path(__file__).parents[1] / "property"))
from strategies_isa import random_insn  # noqa: E402

MC = shutil.which("llvm-mc-19")
pytestmark = pytest.mark.skipif(MC is None, reason="llvm-mc-19 is not installed")

# rows that llvm-mc-19 cannot write, and why
UNKNOWN = {
    "mov_percpu": "kernel-internal", "gotox": "LLVM 22", "call_local": "text is a symbol only", "call_kfunc": "symbol only",
    "call_kfunc_module": "symbol only", "map_value_by_fd": "second slot lost", "map_value_by_idx": "second slot lost",
    **{f"{kind}{width}": "LLVM 22" for kind in ("load_acquire", "store_release") for width in (8, 16, 32, 64)},
}
EACH = 12


def cases() -> list[tuple[Row, Insn]]:
    rng = random.Random(1)
    out = []
    for row in ROWS:
        if row.name in UNKNOWN:
            continue
        for _ in range(EACH):
            insn = random_insn(row, rng)
            if row.name in ("gotol", "may_goto", "ja") or row.name.startswith("j"):
                insn = insn._replace(imm=rng.randint(-0x8000, 0x7FFF) if row.name == "gotol" else insn.imm)
            if row.name.startswith("ldind"):
                insn = insn._replace(imm=0)  # LLVM has no text for another
            if row.code == 0x18 and row.src:
                insn = insn._replace(imm=rng.getrandbits(31))  # LLVM knows the first slot only
            out.append((row, insn))
    return out


def llvm(texts: list[str], triple: str) -> list[str]:
    """llvm-mc's bytes (hex) for every text, one process for all."""
    done = subprocess.run([str(MC), f"-triple={triple}", "-mcpu=v4", "-show-encoding"], input="\n".join(texts) + "\n",
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    found = re.findall(r"# encoding: \[(.*?)\]", done.stdout)
    assert len(found) == len(texts)
    return ["".join(byte[2:] for byte in one.split(",")) for one in found]


def printed(texts: list[str], triple: str) -> list[str]:
    """How llvm-mc writes them itself."""
    done = subprocess.run([str(MC), f"-triple={triple}", "-mcpu=v4"], input="\n".join(texts) + "\n", capture_output=True,
                          text=True, check=True)
    return [line.strip() for line in done.stdout.splitlines() if line.strip() and not line.strip().startswith(".")]


@pytest.mark.parametrize(("order", "triple"), [("little", "bpfel"), ("big", "bpfeb")])
def test_our_text_in_llvm_and_back(order: str, triple: str) -> None:
    found = cases()
    codes = [encode([insn], order) for _, insn in found]
    texts = [disassemble(code, "kernel", order).strip() for code in codes]
    wrong = [(row.name, text, code.hex(), theirs) for (row, _), text, code, theirs in
             zip(found, texts, codes, llvm(texts, triple)) if code.hex() != theirs]
    assert not wrong, wrong[:5]
    theirs = printed(texts, triple)
    assert len(theirs) == len(texts)
    wrong = [(row.name, text, code.hex()) for (row, _), text, code in zip(found, theirs, codes)
             if assemble(text, "kernel", order) != code]
    assert not wrong, wrong[:5]


def test_every_row_is_compared_or_excused() -> None:
    names = {row.name for row in ROWS}
    assert set(UNKNOWN) <= names
    assert {row.name for row, _ in cases()} == names - set(UNKNOWN)


def test_llvm_does_not_know_the_excused_rows() -> None:
    """An excuse that LLVM no longer needs is noticed."""
    rng = random.Random(2)
    for name in UNKNOWN:
        row = next(r for r in ROWS if r.name == name)
        code = encode([random_insn(row, rng)])
        done = subprocess.run([str(MC), "-triple=bpfel", "-mcpu=v4", "-show-encoding"], input=disassemble(code),
                              capture_output=True, text=True, check=False)
        assert done.returncode != 0 or "encoding: [0x85" in done.stdout or code.hex()[:2] not in done.stdout, name


def test_objdump_output_can_be_pasted(tmp_path: Path) -> None:
    """Whole listings, with and without the byte column, become the same bytes."""
    objdump, text = shutil.which("llvm-objdump-19"), []
    assert objdump is not None
    for row, insn in cases():
        if row.name not in ("ja", "gotol", "may_goto", "call_helper") and not row.name.startswith("j"):
            text.append(disassemble(encode([insn])).strip())
    text.append("goto +0\nif r1 s> 5 goto +0\nif w1 == w2 goto -1")
    obj = tmp_path / "x.o"
    source = ".section prog,\"ax\",@progbits\n.globl f\nf:\n" + "\n".join(text) + "\nexit\n"
    subprocess.run([str(MC), "-triple=bpfel", "-mcpu=v4", "-filetype=obj", "-o", str(obj)], input=source, text=True,
                   check=True)
    expected = assemble("\n".join(text) + "\nexit\n")
    for flags in ([], ["--no-show-raw-insn"], ["--no-print-imm-hex"]):
        shown = subprocess.run([objdump, "-d", "--mcpu=v4", *flags, str(obj)], capture_output=True, text=True, check=True)
        assert assemble(shown.stdout) == expected, flags
