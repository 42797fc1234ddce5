"""Every error purebpf raises, and how a place in a user's source is shown.

    PureBpfError
    ├─ CompileError             the user's program: one or more Diagnostics, raised together
    ├─ FormatError(ValueError)  bad input bytes or text, with a position
    │  ├─ AsmError · DecodeError · BtfError · ElfError · IrSyntaxError
    ├─ KernelError(OSError)     the kernel refused; errno kept
    │  ├─ NotSupported          this kernel, or this process, cannot do it: feature, since
    │  ├─ VerifierError         the program was rejected: summary, whole log, Python lines
    │  ├─ AttachError           the hook does not exist or refused
    │  └─ KeyMissing(KeyError)  a map has no such key
    ├─ VmFault                  the user-space VM stopped a program: insn, source line
    ├─ NotInKernel(RuntimeError)  a word of the language was used as plain Python
    └─ InternalError            our own bug: the pass and the printed function

Imports nothing of purebpf, so every room can raise these.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class Span(NamedTuple):
    """A place in a text file: 1-based lines, 0-based columns, end exclusive. `end_line` 0 means "unknown"."""

    file: str
    line: int
    col: int = 0
    end_line: int = 0
    end_col: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col + 1}"


class Diagnostic(NamedTuple):
    """One thing wrong with a text: a stable `code` such as "null-pointer", where, what, and what to do.

    `label` is the short remark beside the caret; `help` the last line; `notes` further (span, text) places;
    `source` the text of the file if it cannot be read from `span.file` (a notebook cell, stdin).
    """

    code: str
    message: str
    span: Span
    label: str = ""
    help: str = ""
    notes: tuple[tuple[Span, str], ...] = ()
    source: str | None = None
    severity: str = "error"

    def render(self) -> str:
        """The diagnostic as people read it: headline, the lines, a caret, a help."""
        out = [f"{self.span}: {self.severity}[{self.code}]: {self.message}"]
        out += excerpt(self.span, self.label, self.source)
        for span, text in self.notes:
            out.append(f"{span}: note: {text}")
            out += excerpt(span, "", self.source)
        if self.help:
            out.append(f"  help: {self.help}")
        return "\n".join(out)


def excerpt(span: Span, label: str = "", source: str | None = None, context: int = 1) -> list[str]:
    """The line of `span` with a caret under it, and `context` lines before; [] if the text is not at hand."""
    lines = source.splitlines() if source is not None else _file_lines(span.file)
    if not 1 <= span.line <= len(lines):
        return []
    out = []
    for n in range(max(1, span.line - context), span.line + 1):
        if n == span.line or lines[n - 1].strip():
            out.append(f"{n:>5} | {lines[n - 1].expandtabs(4)}".rstrip())
    text = lines[span.line - 1]
    start = len(text[: span.col].expandtabs(4))
    one_line = span.end_line in (0, span.line)
    stop = span.end_col if one_line and span.end_col > span.col else (len(text) if not one_line else span.col + 1)
    width = max(1, len(text[:stop].expandtabs(4)) - start)
    out.append(f"      | {' ' * start}{'^' * width} {label}".rstrip())
    return out


def _file_lines(path: str) -> list[str]:
    import linecache  # keeps what a notebook registers, and files already read

    return [line.rstrip("\n") for line in linecache.getlines(path)]


class PureBpfError(Exception):
    """The root: `except purebpf.PureBpfError` catches everything purebpf raises on purpose."""


class CompileError(PureBpfError):
    """What is wrong with a user's program; `diagnostics` in source order, all of them."""

    def __init__(self, diagnostics: list[Diagnostic] | tuple[Diagnostic, ...]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(d.render() for d in self.diagnostics))


class FormatError(PureBpfError, ValueError):
    """Bad input. `position` is a byte offset, or None; `diagnostics` for text inputs."""

    def __init__(self, message: str, *, position: int | None = None, source: str | None = None,
                 diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        self.position, self.source, self.diagnostics = position, source, diagnostics
        where = "".join((f"{source}: " if source else "", f"offset {position:#x}: " if position is not None else ""))
        super().__init__(where + message)


class AsmError(FormatError):
    """Assembly text that does not assemble; `diagnostics` holds every mistake of the file."""

    def __init__(self, diagnostics: list[Diagnostic] | tuple[Diagnostic, ...]) -> None:
        super().__init__("\n\n".join(d.render() for d in diagnostics), diagnostics=tuple(diagnostics))


class DecodeError(FormatError):
    """Bytes that are no instruction."""


class BtfError(FormatError):
    """Bytes that are no BTF, or BTF that contradicts itself."""


class ElfError(FormatError):
    """A file that is no BPF object."""


class IrSyntaxError(FormatError):
    """Text that is no IR."""


class KernelError(PureBpfError, OSError):
    """bpf(2) or a sibling refused: `errno` as the kernel gave it, `action` what was being tried. `reason` stands for the
    errno's text; "" where `action` says it all."""

    def __init__(self, errno: int, action: str, hint: str = "", *, reason: str | None = None) -> None:
        self.action, self.hint = action, hint
        why = strerror(errno) if reason is None else reason
        OSError.__init__(self, errno, action + (f": {why}" if why else "") + (f"\n  help: {hint}" if hint else ""))

    def __str__(self) -> str:
        return str(self.strerror)


def strerror(errno: int) -> str:
    """`os.strerror`, with the kernel-internal number that bpf(2) leaks (ENOTSUPP 524)."""
    return "operation not supported by this kernel (ENOTSUPP)" if errno == 524 else os.strerror(errno)


class NotSupported(KernelError):
    """This kernel or process lacks something: `feature`, and `since`, the first kernel that has it ("" if unknown)."""

    def __init__(self, errno: int, feature: str, since: str = "", hint: str = "", *, reason: str | None = None) -> None:
        self.feature, self.since = feature, since
        super().__init__(errno, feature + (f" (needs Linux {since})" if since else ""), hint, reason=reason)


class VerifierError(KernelError):
    """The verifier's no: `log` is complete; `summary` its last telling line; `span` the Python line, if known;
    `explanation` what it means in plain words ("" if unknown). `rendered` is what `str` gives."""

    def __init__(self, errno: int, program: str, log: str, summary: str = "", span: Span | None = None,
                 explanation: str = "", rendered: str = "") -> None:
        self.program, self.log, self.summary, self.span, self.explanation = program, log, summary, span, explanation
        self.action, self.hint = f"loading {program}", explanation
        short = f"the verifier rejected {program}: {summary}" + (f"\n  help: {explanation}" if explanation else "")
        OSError.__init__(self, errno, rendered or short)


class AttachError(KernelError):
    """A program could not be attached: the hook does not exist, or the kernel refused."""


class KeyMissing(KernelError, KeyError):
    """A map has no such key."""

    def __init__(self, errno: int, action: str, hint: str = "") -> None:
        super().__init__(errno, action, hint, reason="")


class VmFault(PureBpfError):
    """The VM stopped a program that did what a kernel never would: `pc` the slot, `span` the source line, if known."""

    def __init__(self, message: str, pc: int | None = None, span: Span | None = None) -> None:
        self.message, self.pc, self.span = message, pc, span
        where = f"{span}: " if span else ""
        super().__init__(f"{where}{message}" + (f" (insn {pc})" if pc is not None else ""))


class NotInKernel(PureBpfError, RuntimeError):
    """A word that only means something inside a BPF program was used as plain Python."""


class InternalError(PureBpfError):
    """A bug of purebpf itself: `where` names the pass or room, `dump` shows what it was working on. The text says how to
    report it: no program should be able to cause one."""

    def __init__(self, where: str, message: str, dump: str = "") -> None:
        self.where, self.message, self.dump = where, message, dump
        report = "this is a bug of purebpf: please report it with all of this text and, if you can, the program"
        super().__init__(f"internal error in {where}: {message}\n  {report}" + (f"\n{dump}" if dump else ""))
