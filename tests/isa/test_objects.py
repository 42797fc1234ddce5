"""disassemble -> assemble is byte-exact for every code section of clang's objects, in both notations, and for the whole
text that `purebpf dis` writes; llvm-objdump's text of them assembles too."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from purebpf.isa import assemble, decode, disassemble, encode

sys.path.insert(0, str(Path(__file__).parent))
import objects  # noqa: E402

pytestmark = pytest.mark.skipif(not any(shutil.which(c) for c in objects.COMPILERS), reason="clang is not installed")


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> dict[str, Path]:
    return objects.build(Path(request.config.cache.mkdir("bpf-objects")))  # type: ignore[union-attr]


def code_sections(path: Path) -> dict[str, bytes]:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        return {s.name: s.data() for s in ELFFile(file).iter_sections() if s["sh_flags"] & 4 and s["sh_size"]}


def test_there_are_enough(built: dict[str, Path]) -> None:
    if all(shutil.which(c) for c in objects.COMPILERS):
        assert len(built) >= 200


@pytest.mark.parametrize("notation", ["kernel", "mnemonic"])
def test_byte_exact(built: dict[str, Path], notation: str) -> None:
    seen = 0
    for name, path in built.items():
        for section, code in code_sections(path).items():
            text = disassemble(code, notation)
            assert assemble(text, notation) == code, (name, section)
            assert ".insn" not in text, (name, section)
            labelled = disassemble(code, notation, labels=True)
            assert assemble(labelled) == code, (name, section)
            assert encode(decode(code)) == code
            seen += 1
    assert seen >= len(built)


def test_objdump_text_assembles(built: dict[str, Path]) -> None:
    """All objects of the newest compiler, through llvm-objdump, bytes shown."""
    objdump = shutil.which("llvm-objdump-19")
    if objdump is None:
        pytest.skip("llvm-objdump-19 is not installed")
    chosen = [path for name, path in built.items() if name.startswith("clang-19 v4") or name.startswith("clang-14 v2")]
    shown = subprocess.run([objdump, "-d", "-r", "--mcpu=v4", *map(str, chosen)], capture_output=True, text=True, check=True)
    listings = shown.stdout.split("file format elf64-bpf")[1:]
    assert len(listings) == len(chosen)
    for path, listing in zip(chosen, listings):
        listing = "Disassembly" + re.sub(r"\n\S+:\s*$", "\n", listing.partition("Disassembly")[2])
        assert assemble(listing) == b"".join(code_sections(path).values()), path.name


@pytest.mark.parametrize("name", ["alu", "signext", "globals", "subprogs", "callbacks", "constants", "sections", "atomics"])
def test_compiler_output_assembles(built: dict[str, Path], name: str) -> None:
    """`clang -S` (without maps, which are in its BTF) gives the same object as `clang -c`."""
    from purebpf import elf
    from purebpf.assembler import assemble_object

    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is not installed")
    source = next(s for s in objects.SOURCES if s.stem == name)
    done = subprocess.run(["clang-19", "-target", "bpf", "-g", "-O2", "-mcpu=v4", "-DCPU=4", "-w", "-S", str(source), "-o", "-"],
                          capture_output=True, text=True, check=True)
    ours, theirs = assemble_object(done.stdout, f"{name}.s"), elf.read(built[f"clang-19 v4 {name}"])
    assert set(ours.programs) == set(theirs.programs) and set(ours.functions) == set(theirs.functions)
    for key, program in ours.programs.items():
        assert [_plain(i)[:5] for i in program.func.insns] == [_plain(i)[:5] for i in theirs.programs[key].func.insns]
    assert {k: d.data for k, d in ours.data.items()} == {k: d.data for k, d in theirs.data.items()}


def test_dis_output_assembles_to_the_same_code(built: dict[str, Path]) -> None:
    """The whole object as text, through the reader and the assembler: same instructions, maps, data."""
    from purebpf import elf, listing
    from purebpf.assembler import assemble_object, helper_names

    for name, path in built.items():
        if not name.startswith(("clang-19 v3", "clang-14 v1")):
            continue
        spec = elf.read(path)
        text = listing.text(listing.routines_of_object(spec), listing.Style(helpers=helper_names()), listing.header(spec))
        assert "key_size" not in text or "tailcall" in name, f"{name}: the types of its maps were not written"
        again = assemble_object(text, "again.s")
        assert set(again.programs) == set(spec.programs) and set(again.functions) == set(spec.functions), name
        for one, other in [(spec.programs[p].func, again.programs[p].func) for p in spec.programs] + [
                (spec.functions[f], again.functions[f]) for f in spec.functions]:
            assert [_plain(i) for i in one.insns] == [_plain(i) for i in other.insns], (name, one.name)
        for key, one_map in spec.maps.items():
            assert again.maps[key]._replace(key_type=0, value_type=0) == one_map._replace(key_type=0, value_type=0), name
        assert {k: d.data for k, d in again.data.items()} == {k: d.data for k, d in spec.data.items()}, name
        assert {p: (s.section, s.prog_type) for p, s in again.programs.items()} == {
            p: (s.section, s.prog_type) for p, s in spec.programs.items()}


def _plain(insn):  # type: ignore[no-untyped-def]
    """Without what text cannot say: CO-RE references, and the name of a variable beside its offset."""
    from purebpf.isa import CoreRef, DataRef

    if isinstance(insn.ref, CoreRef):
        return insn._replace(ref=None)
    if isinstance(insn.ref, DataRef):
        return insn._replace(ref=insn.ref._replace(symbol=""), imm=0)
    return insn._replace(imm=0) if insn.ref is not None else insn
