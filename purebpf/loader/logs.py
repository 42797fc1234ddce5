"""The verifier's log → what it complained about, in the user's lines and in plain words.

    ; v.total += 1 @ trace.py:14                          the line, if line info was loaded
    7: (79) r1 = *(u64 *)(r0 +0)      ; R0=… R1=…          slot, instruction, what it knew after it
    R0 invalid mem access 'map_value_or_null'             the complaint: the last telling line
    Verification failed: … Reason: … At: … Suggestion: …  the kernel's own words (7.x)
    processed 8 insns (limit 1000000) …                   statistics
"""

from __future__ import annotations

import re
from bisect import bisect_right
from types import MappingProxyType
from typing import Mapping, NamedTuple, Sequence

from ..errors import Diagnostic, Span, VerifierError
from ..spec import Line


_TAIL = 1 << 21  # characters


class Complaint(NamedTuple):
    """What a log says: `summary` the last telling line, `before` the line that led to it ("" if that is no complaint),
    `slot` of the failing instruction (None: none was named), `insn` its text, `registers` {name: what the verifier knew},
    `origin` {register: slot that last set it}, `advice` what the kernel itself suggests (7.x)."""

    summary: str
    slot: int | None = None
    insn: str = ""
    registers: dict[str, str] = {}
    origin: dict[str, int] = {}
    before: str = ""
    advice: str = ""


class Reason(NamedTuple):
    """A known complaint: a regular expression on the summary, a stable code, what it means and what to do, with words of
    the language as {Python|C}."""

    pattern: str
    code: str
    text: str

    def said(self, python: bool = True) -> str:
        """The text in the language of the program's source."""
        return re.sub(r"\{([^|{}]*)\|([^{}]*)\}", r"\1" if python else r"\2", self.text)


def _reason(pattern: str, code: str, text: str) -> Reason:
    return Reason(pattern, "verifier-" + code, " ".join(text.split()))


ABSENT = _reason("", "absent", "this kernel does not have it: test for it first ("
                 "{bpf.field_exists, bpf.type_exists|bpf_core_field_exists, bpf_core_enum_value_exists, bpf_ksym_exists}), and do without it where it is not")
REASONS = (  # first match wins: the narrow before the wide
    _reason(r"invalid mem access '(?:map_value|sock|sock_common|tcp_sock|mem|ptr|ringbuf_mem|alloc_mem|buf|rdwr_buf)_or_null'",
            "null-pointer", "the pointer may be null here: a lookup, reserve or similar call may have found nothing. "
            "Test it first ('{if v is not None:|if (!v) return 0;}')"),
    _reason(r"R\d+ invalid mem access '(?:scalar|inv)'", "not-a-pointer",
            "a plain number is used as an address. A pointer becomes a number when it is loaded from memory that the "
            "verifier does not track or after arithmetic it forbids; read kernel memory with bpf_probe_read_kernel"),
    _reason(r"invalid mem access", "bad-pointer", "this kind of pointer cannot be dereferenced here"),
    _reason(r"invalid access to packet|outside of the packet", "packet-bounds",
            "the packet may be shorter than this access. Compare the end of what you read with data_end right before, "
            "on the same pointer ('{if ptr + size > data_end: return|if (ptr + size > data_end) return …;}')"),
    _reason(r"R0 !read_ok", "no-return-value", "the program may end without setting its return value"),
    _reason(r"R\d+ !read_ok", "uninitialised",
            "a register is read before it was written on some path: a variable not set on every path, or a register "
            "that a call has destroyed (R1-R5)"),
    _reason(r"(?:unbounded memory access|R\d+ unbounded|min value is negative)", "unbounded",
            "the verifier has no bound for this size or index. Limit it right before use: an unsigned comparison "
            "('{if n > LIMIT: return|if (n > LIMIT) return 0;}') or a mask ('n &= LIMIT - 1'), on the same variable"),
    _reason(r"R\d+ (?:max|min) value is outside|invalid access to map value|makes map_value pointer be out of bounds",
            "map-value-bounds",
            "the index may reach past the end of the value. Bound it to the size of the value before the access"),
    _reason(r"invalid access to memory, mem_size|invalid access to map key|invalid access to .*mem|R\d+ is outside of the allowed memory range",
            "memory-bounds", "the access may reach past the end of the memory the pointer stands for"),
    _reason(r"back-edge from insn|infinite loop detected", "endless-loop",
            "the loop is not seen to end. Give it a bound the verifier can follow: '{for i in range(N)|for (i = 0; i < N; i++)}', or a counter "
            "that is compared with a constant"),
    _reason(r"sequence of \d+ jumps is too complex", "too-many-jumps",
            "at most 8,192 branches may wait to be followed at the same time: split the program into global functions "
            "({@func(global_=True)|functions that are not static}) that are verified once, or make a table of what the branches decide"),
    _reason(r"BPF program is too large|too many instructions|program too large|processed \d+ insn", "too-complex",
            "verifying takes more than a million instructions: shorten loops, make branches inside them fewer, or move "
            "parts into global functions ({@func(global_=True)|functions that are not static}) that are verified once"),
    _reason(r"call stack of \d+ frames|combined stack size of \d+ calls|the call stack is too deep|stack size \d+\(extra",
            "stack-depth",
            "at most 512 bytes of stack for a chain of calls, 8 frames deep: put large buffers into a per-CPU array"),
    _reason(r"invalid (?:indirect )?read from stack|invalid indirect access to stack|invalid size of register fill",
            "stack-uninitialised", "bytes of the stack are read, or given to a helper, that were never written: "
            "initialise the whole buffer, padding included"),
    _reason(r"invalid (?:unbounded )?(?:variable-offset )?(?:indirect )?(?:write|access) (?:to|from)? ?stack|invalid stack (?:type|off|access)"
            r"|invalid write to stack|corrupted spill|attempt to corrupt spilled", "stack-bounds",
            "the access falls outside the 512 bytes of stack, or its place is not known"),
    _reason(r"cannot call GPL-restricted function|cannot call GPL", "gpl-only",
            "this function is for GPL-compatible programs: set the licence to 'GPL' or 'Dual MIT/GPL'{| (char LICENSE[] SEC(\"license\"))}"),
    _reason(r"program of this type cannot use helper|unknown func|helper call is not allowed|invalid func ",
            "no-such-helper",
            "this kernel does not offer the function to this type of program: it is newer than the kernel, or meant for "
            "other hooks"),
    _reason(r"calling kernel function .* is not allowed|kfunc .* not allowed|cannot find address for kernel function",
            "no-such-kfunc", "this kernel function may not be called from this type of program"),
    _reason(r"Unreleased reference|reference leak|BPF_EXIT instruction .* would lead to reference leak",
            "unreleased", "something acquired (a socket, a ring-buffer record, a task) is not released on every path: "
            "release, submit or discard it before each return"),
    _reason(r"misaligned .*access", "misaligned",
            "the address is not a multiple of the access's size, and this machine or program type demands that: read "
            "bytes, or copy to an aligned buffer first"),
    _reason(r"leaks addr|leak pointer", "leaks-pointer",
            "a kernel address would become visible outside: only privileged programs (CAP_PERFMON) may store or "
            "compare pointers"),
    _reason(r"invalid bpf_context access", "context-field",
            "this field of the context does not exist for this hook, is of another size, or may not be written"),
    _reason(r"BPF_ST stores into", "context-store", "kernels before 6.4 take no constant stored straight into the context: "
            "put it into a variable first, or build for an older kernel"),
    _reason(r"dereference of modified ctx ptr|ctx ptr R\d+ .*disallowed|variable ctx access",
            "modified-context", "the context must be read at constant offsets from the unmodified pointer"),
    _reason(r"pointer arithmetic .*prohibited|pointer operation prohibited|math between .* pointer"
            r"|tried to (?:add|subtract)|bitwise operator .* on pointer|32-bit pointer arithmetic|only addition and subtraction",
            "pointer-arithmetic",
            "this arithmetic on a pointer is not allowed: only adding and subtracting bounded 64-bit numbers is, and "
            "never on pointers that may be null (test them first)"),
    _reason(r"type=.* expected=", "argument-type", "an argument of the call has another type than the function takes: "
            "a pointer that may be null, a plain number, or memory of another kind"),
    _reason(r"At program exit the register R0 has|R0 has (?:unknown scalar value|value)", "return-value",
            "this hook allows only some return values: return one of them, as a constant"),
    _reason(r"write into map forbidden|read-only|cannot write into", "read-only", "this memory may only be read "
            "(.rodata, a frozen map, a read-only pointer)"),
    _reason(r"unreachable insn|jump out of range|jump to reserved code|last insn is not an exit or jmp|fell through",
            "malformed", "the instructions are malformed: code that cannot be reached, or a jump outside of the program"),
    _reason(r"unknown opcode|reserved field|uses reserved fields|BPF_.* uses reserved", "unknown-instruction",
            "this kernel does not know the instruction: build for an older kernel"),
    _reason(r"attach_btf_id|Invalid attach_btf_id|FUNC .* is not|not a kernel function", "attach-target",
            "the target function does not exist in this kernel or cannot be traced"),
)

_INSN = re.compile(r"^(?:from \d+ to )?(\d+): \(([0-9a-f]{2})\) (.*?)(?:\s{2,};.*|\s+; .*)?$")
_STATE = re.compile(r"^(?:from \d+ to )?(\d+):(?: safe)? ?((?:frame\d+: ?)?R\d.*)$")
_KNOWN = re.compile(r"\b(R\d+)(?:_[a-zA-Z]+)?=")
_DESTINATION = re.compile(r"^(?:\(([0-9a-f]{2})\) )?([rw])(\d+) (?:[-+*/%&|^<>s]*=)")
_NOISE = re.compile(r"^(?:(?:cur|old) state:|processed \d+ insns|verification time|stack depth|peak_states|mark_precise|max_states|"
                    r"insns processed|regs=|parent |last_idx|propagating|\s*$|;|#\d)")


def complains(log: str) -> bool:
    """Does a log say more than statistics? If not, it was not the verifier who refused."""
    return any(line.strip() and not _NOISE.match(line) for line in log[-_TAIL:].splitlines())


def read(log: str) -> Complaint:
    """The complaint of a failed load. Works on any text: what is not found is empty. Only the end of a log of many
    megabytes is read: what was known long before has been said again."""
    lines, advice, slot = _kernel_words(log[-_TAIL:].rstrip("\0\n ").splitlines())
    at = len(lines) - 1
    while at >= 0 and (_NOISE.match(lines[at]) or _STATE.match(lines[at])):
        at -= 1
    if at < 0:
        return Complaint(lines[-1] if lines else "", slot, advice=advice)
    summary, before = lines[at].strip(), lines[at - 1].strip() if at else ""
    if any(form.match(before) for form in (_INSN, _STATE, _NOISE)):
        before = ""
    registers, origin, last, insn = _walk(lines[:at + 1])
    named = re.search(r"(?:at|from|unreachable) insn (\d+)", summary)
    if named:
        slot = int(named[1])
    if slot is None:
        slot = last
    return Complaint(summary, slot, insn if slot == last else "", registers, origin, before, advice)


def _kernel_words(lines: list[str]) -> tuple[list[str], str, int | None]:
    """(the log without the kernel's own explanation, its reason and suggestion, the slot it names)."""
    start = next((n for n, line in enumerate(lines) if line.startswith("Verification failed:")), None)
    if start is None:
        return lines, "", None
    parts: dict[str, list[str]] = {}
    title = ""
    for line in lines[start + 1:]:
        if line.endswith(":") and line[:1].isalpha():
            title = line[:-1]
        elif line.startswith("  "):
            parts.setdefault(title, []).append(line.strip())
    where = re.match(r"insn (\d+)", parts.get("At", [""])[0])
    advice = " ".join(parts.get("Reason", []) + parts.get("Suggestion", []))
    return lines[:start], advice, int(where[1]) if where else None


def _walk(lines: list[str]) -> tuple[dict[str, str], dict[str, int], int | None, str]:
    """What is known when the lines end: registers, where each was set, the last instruction's slot and text."""
    registers: dict[str, str] = {}
    origin: dict[str, int] = {}
    slot, insn = None, ""
    for line in lines:  # forwards: what was said last stands
        state = _STATE.match(line)
        if state:
            registers.update(_parse_state(state[2]))
            continue
        step = _INSN.match(line)
        if step is None:
            continue
        if slot is not None:
            _note_origin(origin, slot, insn)
        slot, insn = int(step[1]), step[3].strip()
        if line is not lines[-1]:
            registers.update(_parse_state(line.partition(" ; ")[2]))
    return registers, origin, slot, insn


def _parse_state(text: str) -> dict[str, str]:
    """"R0=inv5 R1_w=ctx(off=0)" -> {"R0": "inv5", "R1": "ctx(off=0)"}."""
    marks = list(_KNOWN.finditer(text))
    out = {}
    for mark, after in zip(marks, [*marks[1:], None]):
        value = text[mark.end():after.start() if after else len(text)]
        out[mark[1]] = re.split(r"\s+(?:fp-\d+|refs=|cb\b)", value)[0].strip()
    return out


def _note_origin(origin: dict[str, int], slot: int, insn: str) -> None:
    if insn.startswith("call"):
        for register in ("R1", "R2", "R3", "R4", "R5"):
            origin.pop(register, None)
        origin["R0"] = slot
    else:
        written = _DESTINATION.match(insn)
        if written:
            origin["R" + written[3]] = slot


def explain(summary: str, before: str = "") -> Reason | None:
    """The reason that fits a complaint (and the line before it), or None."""
    text = f"{before}\n{summary}"
    return next((reason for reason in REASONS if re.search(reason.pattern, text)), None)


def line_at(lines: Sequence[tuple[int, Line]], slot: int) -> Line | None:
    """The source line of `slot`: the last record at or before it."""
    index = bisect_right(lines, slot, key=lambda entry: entry[0]) - 1
    return lines[index][1] if index >= 0 else None


def rejection(errno: int, program: str, log: str, lines: Sequence[tuple[int, Line]] = (),
              absent: Mapping[int, str] = MappingProxyType({})) -> VerifierError:
    """The error for a log, with the Python line, what the verifier knew, where it came from, and what to do. `absent`: what
    the kernel lacks, by the slot that must not be reached therefore."""
    complaint = read(log)
    reason = explain(complaint.summary, complaint.before)
    if complaint.slot is not None and complaint.slot in absent and "func" in complaint.summary:
        complaint = complaint._replace(summary=f"{absent[complaint.slot]} is not in this kernel", registers={}, origin={},
                                       insn="")
        reason = ABSENT
    python = not lines or any(record.file.endswith(".py") for _, record in lines)
    text = reason.said(python) if reason else complaint.advice
    line = line_at(lines, complaint.slot) if complaint.slot is not None else None
    knew = _knew(complaint)
    headline = f"the verifier rejected {program}: {complaint.summary or 'it gave no reason'}"
    instruction = f"insn {complaint.slot}: {complaint.insn}".rstrip(": ") if complaint.slot is not None else ""
    if line is None:
        parts = [headline]
        parts += [f"  at {instruction}"] if instruction else []
    else:
        notes = tuple(_notes(complaint, lines, line))
        shown = Diagnostic(reason.code if reason else "verifier", headline, line.span, label=instruction,
                           notes=notes, source=_source(line, lines))
        parts = [shown.render()]
    parts += [f"  the verifier knew: {knew}"] if knew else []
    parts += [f"  help: {text}"] if text else []
    return VerifierError(errno, program, log, complaint.summary, line.span if line else None, text, "\n".join(parts))


def _involved(complaint: Complaint) -> list[str]:
    """The registers that the complaint names, else those that the instruction reads."""
    named = re.findall(r"\bR\d+\b", complaint.summary)
    named = named or ["R" + n for n in re.findall(r"\b[rw](\d+)\b", complaint.insn)]
    return list(dict.fromkeys(named))


def _knew(complaint: Complaint) -> str:
    known = complaint.registers
    return ", ".join(f"{r}={known[r]}" for r in _involved(complaint) if known.get(r))


def _notes(complaint: Complaint, lines: Sequence[tuple[int, Line]], here: Line) -> list[tuple[Span, str]]:
    notes = []
    for register in _involved(complaint)[:2]:
        slot = complaint.origin.get(register)
        line = line_at(lines, slot) if slot is not None else None
        if line is not None and (line.file, line.line) != (here.file, here.line) and line.file == here.file:
            notes.append((line.span, f"{register} was set here (insn {slot})"))
    return notes


def _source(line: Line, lines: Sequence[tuple[int, Line]]) -> str | None:
    """The file's text as far as the records hold it. The file itself is read only where it says what the record says: an
    object names what file it likes, and would have others shown."""
    import linecache

    if not line.text or linecache.getline(line.file, line.line).strip() == line.text.strip() != "" and all(
            linecache.getline(r.file, r.line).strip() == r.text.strip() for _, r in lines if r.file == line.file):
        return None if line.text else ""
    known = {record.line: record.text for _, record in lines if record.file == line.file}
    return "\n".join(known.get(n, "") for n in range(1, max(known, default=0) + 1))
