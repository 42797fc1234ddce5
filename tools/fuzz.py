"""Coverage-guided fuzzing of what reads strangers' input: `python tools/fuzz.py TARGET [seconds] [corpus directory]`.

TARGET is asm (text), object (text of whole programs), dis (bytes), listing (bytes, as `purebpf dis` shows them), cbpf (text),
elf (object files), btf (bytes), vm (code and memory, in both engines) or all of them in turn. Every input must give a value or the typed error, and what can be written must read back; anything
else is a crash, which libFuzzer reports, with the input in a file in the temporary directory. Needs atheris (`pip install atheris`), which the tests do not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def asm(data: bytes) -> None:
    from purebpf.errors import AsmError
    from purebpf.isa import assemble, disassemble

    try:
        code = assemble(data.decode("utf-8", "surrogateescape"))
    except AsmError:
        return
    assert assemble(disassemble(code)) == code


def whole(data: bytes) -> None:
    from purebpf import elf
    from purebpf.assembler import assemble_object
    from purebpf.errors import FormatError

    try:
        spec = assemble_object(data.decode("utf-8", "surrogateescape"), include=None)
        elf.write(spec)
    except FormatError:
        return


def dis(data: bytes) -> None:
    from purebpf.errors import DecodeError
    from purebpf.isa import assemble, decode, disassemble, encode

    for order in ("little", "big"):
        for notation in ("kernel", "mnemonic"):
            try:
                text = disassemble(data, notation, order)
            except DecodeError:
                assert len(data) % 8
            else:
                assert assemble(text, notation, order) == data
        try:
            assert encode(decode(data, order), order) == data
        except DecodeError:
            pass


def shown(data: bytes) -> None:
    from purebpf import listing
    from purebpf.errors import DecodeError
    from purebpf.isa import assemble

    try:
        routines = listing.routines_of_code(data)
    except DecodeError:
        return
    text = listing.text(routines, listing.Style(bytes=True, source=True))
    assert assemble(text) == data
    listing.as_json(routines, listing.Style())
    listing.graph(routines, listing.Style())


def classic(data: bytes) -> None:
    from purebpf.errors import FormatError
    from purebpf.isa import cbpf, translate

    try:
        program = cbpf.parse_any(data.decode("utf-8", "replace"))
        assert cbpf.parse(cbpf.disassemble(program)) == program
        translate.translate(program)
    except FormatError:
        return


def objects(data: bytes) -> None:
    from purebpf import elf
    from purebpf.errors import FormatError

    try:
        spec = elf.read(data)
        for name in spec.programs:
            spec.link(name)
    except FormatError:
        return


def types(data: bytes) -> None:
    from purebpf.btf import Btf
    from purebpf.errors import BtfError

    try:
        btf = Btf.from_bytes(data)
        list(btf)
    except BtfError:
        return


def machine(data: bytes) -> None:
    from purebpf import vm
    from purebpf.errors import DecodeError, VmFault

    code, memory = data[: len(data) // 8 * 8], data[-16:]
    answers = []
    for engine in ("plain", "fast"):
        own = bytearray(memory)
        try:
            answers.append((vm.run(code, own, engine=engine, insn_limit=2000), bytes(own)))
        except (DecodeError, VmFault) as error:
            answers.append((str(error), bytes(own)))
    assert answers[0] == answers[1]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "asm": asm, "object": whole, "dis": dis, "listing": shown, "cbpf": classic, "elf": objects, "btf": types, "vm": machine,
}
CODE = ("dis", "listing", "vm")  # targets whose input is instructions


def seeds(target: str, directory: Path) -> None:
    """Start from the filetests and a code of every row."""
    from purebpf.isa import assemble

    if target in ("elf", "btf"):
        for path in (ROOT / "tests" / "data").glob("*.o"):
            data = path.read_bytes()
            at = data.find(b"\x9f\xeb\x01\x00")
            (directory / path.name).write_bytes(data if target == "elf" else data[at:] if at >= 0 else b"")
        return
    for n, path in enumerate(sorted((ROOT / "tests" / "filetests" / "isa").glob("*.asm"))):
        for m, part in enumerate(path.read_text().split("# test:")[1:]):
            command, _, text = part.partition("\n")
            text = text.partition("# ==>")[0]
            wanted = "cbpf" in command if target == "cbpf" else "cbpf" not in command
            if not wanted or "errors" in path.name:
                continue
            if target in CODE and "asm" not in command.split()[0] or target in ("asm", "object", "cbpf"):
                data = assemble(text) if target in CODE else text.encode()
                (directory / f"{n}-{m}").write_bytes(data)


def main() -> int:
    target = sys.argv[1] if len(sys.argv) > 1 else ""
    seconds = sys.argv[2] if len(sys.argv) > 2 else "60"
    if target == "all":
        return max(subprocess.run([sys.executable, __file__, one, seconds], check=False).returncode for one in TARGETS)
    if target not in TARGETS or not seconds.isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 1
    with atheris.instrument_imports(include=["purebpf"]):
        import purebpf.assembler
        import purebpf.btf
        import purebpf.elf
        import purebpf.isa.asm
        import purebpf.isa.cbpf
        import purebpf.isa.mistakes
        import purebpf.isa.translate
        import purebpf.listing
        import purebpf.vm  # noqa: F401
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(scratch)
        seeds(target, corpus)
        dictionary = Path(scratch) / "dictionary"
        words = sorted({t for t in _words() if t.isascii() and '"' not in t and "\\" not in t})
        dictionary.write_text("".join(f'"{word}"\n' for word in words))
        options = [f"-max_total_time={seconds}", "-timeout=20", "-max_len={20000 if target in ('elf', 'btf') else 400}", f"-artifact_prefix={tempfile.gettempdir()}/"]
        options += [f"-dict={dictionary}"] if target in ("asm", "object", "cbpf") else []
        atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[target])
        atheris.Fuzz()
    return 0


def _words() -> list[str]:
    from purebpf.isa import grammar
    from purebpf.isa.directives import DIRECTIVES

    return [w for w in (*grammar.tree("auto"), *DIRECTIVES, *grammar.REGISTERS, "*(u32 *)(", "goto", "ll", "= ", "struct a {")
            if w and w[0] != "<"]


if __name__ == "__main__":
    sys.exit(main())
