"""The 184 forms of tests/data/isa-forms.json: bytes, and the text that LLVM, the kernel, GNU as and bpf_conformance give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from purebpf.isa import ROWS, assemble, disassemble
from purebpf.isa.codec import decode
from purebpf.isa.table import lookup

FORMS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "isa-forms.json").read_text())

# text that does not tell the instruction apart, by who wrote it
LOSSY = {
    "od19": ("8510", "8520", "1821", "1861", "4020000004", "c321080000010000", "db21080000010000"),
    "od22": ("8510", "8520", "1821", "1861", "4020000004"),
    "klog": (), "llvm": (), "conf": (),
}


@pytest.mark.parametrize("source", LOSSY)
def test_their_text(source: str) -> None:
    seen = 0
    for form in FORMS:
        text, code = form.get(source), bytes.fromhex(form["bytes"])
        if not text or text == "<unknown>" or form["bytes"].startswith(LOSSY[source]):
            continue
        text = f"7: {text}" if source == "klog" else text
        assert assemble(text) == code, text
        seen += 1
    assert seen > 150


def test_objdump_text_beside_the_bytes_is_exact() -> None:
    for source in ("od14", "od19", "od22"):
        for form in FORMS:
            code, text = bytes.fromhex(form["bytes"]), form.get(source)
            if text and (source, code[0]) != ("od14", 0x8D):  # it reads the register of callx elsewhere
                assert assemble(f"       0:\t{code.hex(' ')}\t{text}\n") == code, (source, text)


def test_our_text() -> None:
    """Ours is LLVM's and bpf_conformance's where they have one."""
    for form in FORMS:
        code = bytes.fromhex(form["bytes"])
        if form.get("llvm"):
            assert disassemble(code).strip() == form["llvm"]
        if form.get("conf"):
            assert disassemble(code, "mnemonic").strip() == form["conf"]


def test_gnu_text() -> None:
    """GNU as of 2.40 knows nothing of v4 and of atomics but add; what it can say is read."""
    plain = [f for f in FORMS if f.get("gnu") and f["cls"] in ("alu64", "alu32", "jmp", "jmp32", "ldx", "stx", "st", "byte order",
                                                              "ld_abs", "ld_ind", "exit") and "*unknown*" not in f["gnu"]]
    assert len(plain) > 110
    for form in plain:
        assert assemble(form["gnu"], "mnemonic").hex() == form["bytes"], form["gnu"]


def test_every_form_is_a_row_and_every_row_has_a_form() -> None:
    rows = set()
    for form in FORMS:
        row = lookup(*decode(bytes.fromhex(form["bytes"]))[0][:5])
        assert row is not None, form
        rows.add(row.name)
    assert {row.name for row in ROWS} - rows == {"call_kfunc_module", "mov_percpu"}


def test_rows_say_where_they_run() -> None:
    groups = {"base32", "base64", "divmul32", "divmul64", "atomic32", "atomic64", "packet", "arena", "kernel", "may_goto",
              "gotox", "callx", "acqrel"}
    for row in ROWS:
        assert row.group in groups and 1 <= row.cpu <= 4
        assert row.since == "" or tuple(map(int, row.since.split("."))) >= (3, 18)
        assert (row.since == "") == (row.name in ("callx", "mov_percpu"))
    assert len({row.name for row in ROWS}) == len(ROWS)
