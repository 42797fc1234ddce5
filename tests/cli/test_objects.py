"""Commands on objects: types by hand, sizes, linking; and what a program may not do in the VM."""

from __future__ import annotations

from pathlib import Path

import pytest

from purebpf.assembler import assemble_object
from purebpf.cli import main
from purebpf.errors import AsmError, PureBpfError, VmFault
from purebpf.vm import Machine
from tests.elf.clang import compile

ODD = 'SEC("xdp_prog") int f(struct xdp_md *c) { return c->data_end - c->data; }'
PACKET = "00" * 64


def test_a_program_of_no_type_is_run_as_what_the_user_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = compile(tmp_path, "odd", ODD)
    assert main(["run", path, "--data", PACKET]) == 1
    assert "'xdp_prog' names no program type" in capsys.readouterr().err
    for engine in ("fast", "plain"):
        assert main(["run", path, "--type", "xdp", "--data", PACKET, "--engine", engine]) == 0
        assert "64" in capsys.readouterr().out
    assert main(["run", path, "--type", "nothing", "--data", PACKET]) == 1
    assert "names no program type" in capsys.readouterr().err


@pytest.mark.kernel
def test_and_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = compile(tmp_path, "odd", ODD + " struct { __uint(type, 2); __uint(max_entries, 0); __type(key, int); __type(value, int); } m SEC(\".maps\");")
    assert main(["load", path]) == 1
    assert "purebpf load --type" in capsys.readouterr().err
    assert main(["load", path, "--type", "xdp", "--max-entries", "m=4", "--run", PACKET]) == 0
    assert "returned 64" in capsys.readouterr().out


def test_linking_writes_one_object_or_names_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = compile(tmp_path, "one", 'int add(int a); SEC("xdp") int f(struct xdp_md *c) { return add(1); }')
    two = compile(tmp_path, "two", "__noinline int add(int a) { return a + 41; }")
    out = tmp_path / "both.o"
    assert main(["link", one, two, "-o", str(out)]) == 0 and out.exists()
    assert main(["run", str(out), "--data", PACKET]) == 0 and "42" in capsys.readouterr().out
    assert main(["link", two, two, "-o", str(tmp_path / "no.o")]) == 1
    assert "'add' is defined twice" in capsys.readouterr().err and not (tmp_path / "no.o").exists()
    assert main(["run", one, "--data", PACKET]) == 1 and "purebpf link" in capsys.readouterr().err


def test_a_program_named_like_a_module_harms_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "struct.py"
    path.write_text("import purebpf as bpf\n\n@bpf.xdp\ndef f(ctx):\n    return 2\n", encoding="utf-8")
    assert main(["build", str(path), "-o", str(tmp_path / "x.o")]) == 0
    import struct

    assert struct.pack("<I", 1) == b"\1\0\0\0"


@pytest.mark.parametrize("engine", ["fast", "plain"])
def test_a_tail_call_into_a_map_of_numbers_is_a_fault(engine: str) -> None:
    spec = assemble_object('.map m, type=array, key_size=4, value_size=4, max_entries=1\n.section "xdp"\n.globl f\nf:\n'
                           "    r2 = m ll\n    r3 = 0\n    call tail_call\n    r0 = 0\n    exit\n")
    with pytest.raises(VmFault, match="no program array"):
        Machine(spec, engine=engine).run("f", bytes(64))


@pytest.mark.parametrize("engine", ["fast", "plain"])
def test_an_exit_with_an_offset_is_no_instruction(engine: str) -> None:
    """To the listing as to the VM."""
    from purebpf.errors import DecodeError
    from purebpf.isa import disassemble
    from purebpf.vm import run

    code = bytes.fromhex("b700000000000000" "9500010000000000")
    assert ".insn" in disassemble(code)
    with pytest.raises(DecodeError, match="reserved fields"):
        run(code, engine=engine)


CORE = """
struct task_struct { int pid; int tgid; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *ctx) { struct task_struct *t = (void *)bpf_get_current_task();
  return __builtin_preserve_field_info(t->tgid, 0); }
"""


def test_a_listing_has_the_relocations_that_the_object_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from purebpf import elf
    from purebpf.btf import core
    from purebpf.isa.insn import CoreRef

    path, out = compile(tmp_path, "core", CORE), tmp_path / "again.o"
    assert main(["dis", path]) == 0
    text = capsys.readouterr().out
    assert '.core 0, ' in text and "CO-RE <byte_off>" in text
    (tmp_path / "core.s").write_text(text, encoding="utf-8")
    assert main(["asm", str(tmp_path / "core.s"), "-o", str(out)]) == 0
    said = []
    for one in (path, str(out)):
        spec = elf.read(one)
        said.append([(i.code, i.imm, core.describe(spec.btf, i.ref.type_id, i.ref.access, i.ref.kind))  # type: ignore[arg-type]
                     for i in spec.programs["f"].func.insns if isinstance(i.ref, CoreRef)])
    assert said[0] == said[1] and said[0][0][2] == "field task_struct.tgid"

    without = "\n".join(line for line in text.splitlines() if not line.startswith(".btf"))
    with pytest.raises(AsmError, match="types that the text does not have"):
        assemble_object(without)
    with pytest.raises(AsmError, match="do not have 99999"):
        assemble_object(text.replace(".core 0, ", ".core 0, 99999"))
    for damaged in (text.replace('.btf "', '.btf "!!'), text.replace(".btf", ".object")):
        with pytest.raises(PureBpfError):
            assemble_object(damaged)
