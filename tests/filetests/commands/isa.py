"""isa: `asm` text to instruction bytes (arguments: kernel, mnemonic, big) · `dis` text to text (kernel, mnemonic, labels)
· `asm-object` what an assembled object holds · `cbpf` classic BPF to eBPF."""

from __future__ import annotations

from purebpf import listing
from purebpf.assembler import assemble_object, helper_ids, helper_names
from purebpf.isa import assemble, cbpf, disassemble


def _notation(args: list[str]) -> str:
    return next((a for a in args if a in ("kernel", "mnemonic")), "auto")


def _asm(text: str, args: list[str]) -> str:
    """The bytes, a line for every slot."""
    code = assemble(text, _notation(args), "big" if "big" in args else "little", helpers=helper_ids())
    return "\n".join(code[i:i + 8].hex(" ") for i in range(0, len(code), 8))


def _dis(text: str, args: list[str]) -> str:
    """The text in the other notation, by way of the bytes."""
    notation = _notation(args)
    return disassemble(assemble(text, helpers=helper_ids()), "kernel" if notation == "auto" else notation,
                       labels="labels" in args)


def _object(text: str, args: list[str]) -> str:
    """The whole object as `purebpf dis` prints it."""
    spec = assemble_object(text, include=None)
    return listing.text(listing.routines_of_object(spec), listing.Style(helpers=helper_names(), source="source" in args),
                        listing.header(spec))


def _cbpf(text: str, args: list[str]) -> str:
    program = cbpf.parse_any(text)
    return cbpf.dump(program) if "dump" in args else cbpf.as_assembly(program)


COMMANDS = {"asm": _asm, "dis": _dis, "asm-object": _object, "cbpf": _cbpf}
