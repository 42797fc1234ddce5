"""Classic BPF: reading (`tcpdump -ddd`, `bpf_asm`), showing, running by the book, and translating to eBPF.

A program is a list of sock_filter {code, jt, jf, k}; registers A and X and sixteen words M. `translate` gives the code of
an eBPF socket filter with the same verdict (packet loads are ld_abs/ld_ind, so a load past the end returns 0):

    A = r0    X = r7    skb = r6    M[i] = the stack, fp - 4 * (16 - i)    ancillary loads = fields of __sk_buff

Sources: the classic BPF chapter of Documentation/networking/filter.rst, net/core/filter.c of Linux 6.18.
"""

from __future__ import annotations

import re
from typing import Callable, Final, NamedTuple, NoReturn

from ..errors import AsmError, Diagnostic, FormatError, Span
from .text import format_insn

LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
W, H, B = 0x00, 0x08, 0x10
IMM, ABS, IND, MEM, LEN, MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
X, A = 0x08, 0x10  # operand sources
MEMWORDS: Final = 16
MAX: Final = 4096  # BPF_MAXINSNS
AD_OFF: Final = 0xFFFFF000  # SKF_AD_OFF
LL_OFF: Final = 0xFFE00000  # SKF_LL_OFF
ALU_OPS: Final = {"add": 0x00, "sub": 0x10, "mul": 0x20, "div": 0x30, "or": 0x40, "and": 0x50, "lsh": 0x60, "rsh": 0x70,
                  "mod": 0x90, "xor": 0xA0}
JUMPS: Final = {"jeq": 0x10, "jgt": 0x20, "jge": 0x30, "jset": 0x40}
OPPOSITES: Final = {"jne": "jeq", "jneq": "jeq", "jlt": "jge", "jle": "jgt"}  # the other way round
ANCILLARY: Final = {"proto": 0, "type": 4, "ifidx": 8, "nla": 12, "nlan": 16, "mark": 20, "queue": 24, "hatype": 28,
                    "rxhash": 32, "cpu": 36, "vlan_tci": 44, "vlan_avail": 48, "pay_offset": 52, "poff": 52, "rand": 56,
                    "vlan_tpid": 60}
_ANCILLARY_NAMES: Final = {offset: name for name, offset in ANCILLARY.items() if name != "pay_offset"}
_SIZES: Final = {"ld": W, "ldh": H, "ldb": B}
_M32 = 0xFFFFFFFF


class Filter(NamedTuple):
    """One instruction, as struct sock_filter."""

    code: int
    jt: int
    jf: int
    k: int


Program = tuple[Filter, ...]


# reading


def parse_any(text: str, file: str = "<cbpf>") -> Program:
    """`tcpdump -ddd` or `-dd` output, one-line `bpf_asm` output, C initializers, or bpf_asm text. AsmError says what is wrong."""
    bare = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    rows = re.findall(r"\{\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,?\s*\}", bare)
    if rows and not re.sub(r"\{[^{}]*\}|[\s,;]", "", bare):
        return _rows([list(row) for row in rows], file, text)
    numbers = re.split(r"[\s,]+", bare.strip().rstrip(","))
    if numbers[0].isdigit() and all(re.fullmatch(r"\d+", n, re.ASCII) for n in numbers):
        rest = numbers[1:]
        if len(rest) % 4 == 0 and len(rest) // 4 == int(numbers[0][:9]):
            return _rows([rest[i:i + 4] for i in range(0, len(rest), 4)], file, text)
        _fail(f"{numbers[0]} instructions are announced, {len(rest)} numbers follow instead of 4 each", file, text)
    return parse(text, file)


def _rows(rows: list[list[str]], file: str, text: str) -> Program:
    try:
        program = tuple(Filter(*(int(field[:12], 0) if field[:2].lower() == "0x" else int(field[:12]) for field in row))
                        for row in rows)
    except ValueError:
        _fail("the fields of a filter are numbers", file, text)
    return check(program, file, text)


def _fail(message: str, file: str, text: str) -> NoReturn:
    raise AsmError([Diagnostic("cbpf", message, Span(file, 1), source=text)])


def check(program: Program, file: str = "<cbpf>", text: str | None = None) -> Program:
    """What the kernel's bpf_check_classic asks for; AsmError otherwise."""
    bad: list[Diagnostic] = []
    for n, (code, jt, jf, k) in enumerate(program):
        problem = ""
        if not (0 <= code < 1 << 16 and 0 <= jt < 256 and 0 <= jf < 256 and 0 <= k <= _M32):
            problem = "a field is out of range"
        elif code not in _KNOWN:
            problem = f"unknown code {code:#06x}"
        elif code in (ALU | 0x30, ALU | 0x90) and k == 0:
            problem = "division by zero"
        elif code in (ALU | 0x60, ALU | 0x70) and k > 31:
            problem = f"shift by {k}"
        elif code in (LD | MEM, LDX | MEM, ST, STX) and k >= MEMWORDS:
            problem = f"there is no M[{k}]"
        elif code == JMP and n + 1 + k >= len(program):
            problem = "the jump leaves the program"
        elif code & 7 == JMP and code != JMP and n + 1 + max(jt, jf) >= len(program):
            problem = "the jump leaves the program"
        elif code & 0xE7 == LD | ABS and k >= AD_OFF and k - AD_OFF not in (*_ANCILLARY_NAMES, 40):
            problem = f"unknown ancillary offset {k - AD_OFF}"
        if problem:
            bad.append(Diagnostic("cbpf", f"instruction {n}: {problem}", Span(file, n + 1), source=text or ""))
    if not program or len(program) > MAX:
        bad.append(Diagnostic("cbpf", f"a program has 1 to {MAX} instructions", Span(file, 1), source=text or ""))
    elif program[-1].code & 7 != RET:
        bad.append(Diagnostic("cbpf", "the last instruction must be a ret", Span(file, len(program)), source=text or ""))
    if bad:
        raise AsmError(bad)
    return program


_KNOWN: Final = frozenset(
    [LD | s | m for s in (W, H, B) for m in (ABS, IND)] + [LD | IMM, LD | MEM, LD | LEN, LDX | IMM, LDX | MEM, LDX | LEN,
     LDX | B | MSH, ST, STX, ALU | 0x80, JMP, RET, RET | X, RET | A, MISC, MISC | 0x80]
    + [ALU | op | s for op in ALU_OPS.values() for s in (0, X)] + [JMP | op | s for op in JUMPS.values() for s in (0, X)])

# bpf_asm text

_LINE: Final = re.compile(r"^\s*(?:([A-Za-z_]\w*)\s*:)?\s*(?:([A-Za-z]\w*)\s*(.*?))?\s*$", re.ASCII)
_NUMBER: Final = r"(0[xX][0-9a-fA-F]+|0[bB][01]+|-?\d+)"
_ADDRESS: Final = (  # operand of a load -> (mode, group of the number)
    (re.compile(rf"^\[\s*{_NUMBER}\s*\]$"), ABS),
    (re.compile(rf"^\[\s*%?x\s*(?:([+-])\s*{_NUMBER}\s*)?\]$", re.I), IND),
    (re.compile(rf"^m\s*\[\s*{_NUMBER}\s*\]$", re.I), MEM),
    (re.compile(r"^#?(?:len|pktlen)$", re.I), LEN),
    (re.compile(rf"^4\s*\*\s*\(\s*\[\s*{_NUMBER}\s*\]\s*&\s*0x0*f\s*\)$", re.I), MSH),
    (re.compile(rf"^#\s*{_NUMBER}$"), IMM),
)


class _Text:
    """One bpf_asm text: labels first, then instructions."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.errors: list[Diagnostic] = []
        self.labels: dict[str, int] = {}
        self.rows: list[tuple[int, str, str, int]] = []  # line, mnemonic, operands, column of them
        bare = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)
        for number, line in enumerate(bare.split("\n"), 1):
            line = re.sub(r";.*|//.*", "", line)
            match = _LINE.match(line)
            if match is None:
                self.error("this is no instruction", number, len(line) - len(line.lstrip()))
                continue
            label, mnemonic, operands = match.groups()
            if label:
                if label in self.labels:
                    self.error(f"label {label!r} is defined twice", number, match.start(1))
                self.labels[label] = len(self.rows)
            if mnemonic:
                self.rows.append((number, mnemonic.lower(), operands or "", match.start(3) if operands else match.end()))

    def error(self, message: str, line: int, col: int, help: str = "") -> None:
        self.errors.append(Diagnostic("cbpf", message, Span(self.file, line, col), help=help, source=self.text))

    def program(self) -> Program:
        out = []
        for n, (line, mnemonic, operands, col) in enumerate(self.rows):
            try:
                out.append(self._insn(n, mnemonic, operands))
            except FormatError as problem:
                self.error(str(problem), line, col, _suggest(mnemonic))
                out.append(Filter(RET, 0, 0, 0))
        if self.errors:
            raise AsmError(self.errors)
        return check(tuple(out), self.file, self.text)

    def _insn(self, n: int, mnemonic: str, operands: str) -> Filter:
        if mnemonic in _SIZES:
            return _load(LD | _SIZES[mnemonic], operands)
        if mnemonic in ("ldi", "ldxi"):
            return Filter(LD if mnemonic == "ldi" else LDX, 0, 0, _number(operands.lstrip("#")))
        if mnemonic in ("ldx", "ldxb"):
            return _load(LDX, operands)
        if mnemonic in ("st", "stx"):
            return Filter(ST if mnemonic == "st" else STX, 0, 0, _load(LD, operands, (MEM,)).k)
        if mnemonic in ALU_OPS:
            return _operand(ALU | ALU_OPS[mnemonic], operands)
        if mnemonic == "ret":
            register = operands.lower().lstrip("%")
            return Filter(RET | {"a": A, "x": X}[register], 0, 0, 0) if register in "ax" and register else _operand(RET, operands)
        if mnemonic in ("jmp", "ja"):
            return Filter(JMP, 0, 0, self._distance(operands.strip(), n))
        if mnemonic in JUMPS or mnemonic in OPPOSITES:
            return self._jump(n, mnemonic, [part.strip() for part in operands.split(",")])
        plain = {"neg": ALU | 0x80, "tax": MISC, "txa": MISC | 0x80}.get(mnemonic)
        if plain is None or operands:
            raise FormatError(f"unknown instruction {mnemonic!r}" if plain is None else f"{mnemonic} takes no operand")
        return Filter(plain, 0, 0, 0)

    def _jump(self, n: int, mnemonic: str, parts: list[str]) -> Filter:
        if len(parts) not in (2, 3) or (mnemonic in OPPOSITES and len(parts) == 3):
            raise FormatError(f"{mnemonic} takes an operand and {'a label' if mnemonic in OPPOSITES else 'one or two labels'}")
        goals = [self._distance(part, n) for part in parts[1:]] + [0] * (3 - len(parts))
        if max(goals) > 255:
            raise FormatError(f"the label is {max(goals)} instructions away: conditional jumps reach 255")
        base = _operand(JMP | JUMPS[OPPOSITES.get(mnemonic, mnemonic)], parts[0])
        jt, jf = (goals[1], goals[0]) if mnemonic in OPPOSITES else goals
        return base._replace(jt=jt, jf=jf)

    def _distance(self, label: str, n: int) -> int:
        if label not in self.labels:
            raise FormatError(f"there is no label {label!r}")
        distance = self.labels[label] - n - 1
        if distance < 0:
            raise FormatError(f"label {label!r} is behind: classic BPF jumps forward only")
        return distance


def parse(text: str, file: str = "<cbpf>") -> Program:
    """The text of bpf_asm; AsmError with every mistake."""
    return _Text(text, file).program()


def _suggest(mnemonic: str) -> str:
    from difflib import get_close_matches

    known = [*_SIZES, *ALU_OPS, *JUMPS, *OPPOSITES, "ldi", "ldx", "ldxi", "ldxb", "st", "stx", "ret", "jmp", "ja", "neg",
             "tax", "txa"]
    close = get_close_matches(mnemonic, known, 1) if mnemonic not in known else []
    return f"did you mean {close[0]!r}?" if close else ""


def _number(text: str) -> int:
    match = re.fullmatch(_NUMBER, text.strip())
    if match is None:
        raise FormatError(f"expected a number, found {text!r}")
    digits = match[0][:24]
    octal = digits[0] == "0" and digits.isdigit() and not set(digits) & set("89")
    value = int(digits, 8 if octal else 10 if digits.lstrip("-").isdigit() else 0)
    if not -0x80000000 <= value <= _M32:
        raise FormatError(f"{text} does not fit 32 bits")
    return value & _M32


def _operand(code: int, text: str) -> Filter:
    """`#5`, `5` or `x`."""
    text = text.strip()
    if text.lower().lstrip("%") == "x":
        return Filter(code | X, 0, 0, 0)
    return Filter(code, 0, 0, _number(text.lstrip("#")))


def _load(code: int, text: str, modes: tuple[int, ...] = ()) -> Filter:
    """An addressing mode of ld, ldh, ldb, ldx, st."""
    text = text.strip()
    name = text.lstrip("#").strip().lower()
    if code & 7 == LD and name in ANCILLARY and not modes:
        return Filter(code | ABS, 0, 0, AD_OFF + ANCILLARY[name])
    for pattern, mode in _ADDRESS:
        match = pattern.match(text)
        if match is None:
            continue
        if mode == LEN and not modes:
            return Filter(code & ~0x18 | LEN, 0, 0, 0)
        if mode == IND and code & 7 == LD and not modes:
            k = _number(match[2]) if match[2] else 0
            return Filter(code | IND, 0, 0, -k & _M32 if match[1] == "-" else k)
        k = _number(match[1]) if match.groups() and match[1] else 0
        if mode == MSH and code & 7 == LDX:
            return Filter(LDX | B | MSH, 0, 0, k)
        if (not modes and mode in (MEM, IMM, ABS) and not (code & 7 == LDX and mode == ABS)) or mode in modes:
            return Filter(code | mode if mode == ABS else code & ~0x18 | mode, 0, 0, k)
    raise FormatError(f"no addressing mode: {text!r}")


# showing


def disassemble(program: Program) -> str:
    """bpf_asm text; `parse` of it gives the program again."""
    goals = set()
    for n, (code, jt, jf, k) in enumerate(program):
        if code == JMP:
            goals.add(n + 1 + k)
        elif code & 7 == JMP:
            goals |= {n + 1 + jt, n + 1 + jf}
    lines = []
    for n, insn in enumerate(program):
        label = f"l{n}:" if n in goals else ""
        lines.append(f"{label:<8}{_show(n, insn)}")
    return "\n".join(lines) + "\n"


def _show(n: int, insn: Filter) -> str:
    code, jt, jf, k = insn
    cls = code & 7
    if cls in (LD, LDX):
        mnemonic = "ldx" if cls == LDX else {W: "ld", H: "ldh", B: "ldb"}[code & 0x18]
        mode = code & 0xE0
        if mode == ABS and k >= AD_OFF and k - AD_OFF in _ANCILLARY_NAMES:
            return f"{mnemonic} #{_ANCILLARY_NAMES[k - AD_OFF]}"
        return f"{mnemonic} " + {ABS: f"[{k}]", IND: f"[x + {k}]", MEM: f"M[{k}]", LEN: "#len", IMM: f"#{k:#x}",
                                 MSH: f"4*([{k}]&0xf)"}[mode]
    if cls in (ST, STX):
        return f"{'stx' if cls == STX else 'st'} M[{k}]"
    operand = "x" if code & X else f"#{k:#x}"
    if cls == ALU:
        name = next((name for name, op in ALU_OPS.items() if op == code & 0xF0), "neg")
        return "neg" if name == "neg" else f"{name} {operand}"
    if cls == JMP:
        if code == JMP:
            return f"jmp l{n + 1 + k}"
        name = next(name for name, op in JUMPS.items() if op == code & 0xF0)
        return f"{name} {operand}, l{n + 1 + jt}, l{n + 1 + jf}"
    if cls == RET:
        return "ret a" if code & A else "ret x" if code & X else f"ret #{k:#x}"
    return "txa" if code & 0x80 else "tax"


def dump(program: Program) -> str:
    """As `tcpdump -ddd` prints it."""
    return f"{len(program)}\n" + "".join(f"{i.code} {i.jt} {i.jf} {i.k}\n" for i in program)


# running


def run(program: Program, packet: bytes, ancillary: Callable[[int], int | None] = lambda offset: None) -> int:
    """The verdict by the book: how many bytes to keep. `ancillary(offset)` answers loads past AD_OFF, None fails them."""
    a = x = 0
    memory = [0] * MEMWORDS
    pc = 0
    while True:
        code, jt, jf, k = program[pc]
        pc += 1
        cls = code & 7
        if cls == RET:
            return a if code & A else x if code & X else k
        if cls == JMP:
            operand = x if code & X else k
            pc += k if code == JMP else jt if _holds(code & 0xF0, a, operand) else jf
        elif cls == ALU:
            operand = x if code & X else k
            if code & 0xF0 in (0x30, 0x90) and operand == 0:
                return 0
            a = _compute(code & 0xF0, a, operand)
        elif cls in (ST, STX):
            memory[k] = a if cls == ST else x
        elif cls == MISC:
            a, x = (x, x) if code & 0x80 else (a, a)
        else:
            value = _fetch(code, k, x, packet, memory, ancillary)
            if value is None:
                return 0
            a, x = (value, x) if cls == LD else (a, value)


def _holds(op: int, a: int, b: int) -> bool:
    return a == b if op == 0x10 else a > b if op == 0x20 else a >= b if op == 0x30 else bool(a & b)


def _compute(op: int, a: int, b: int) -> int:
    match op:
        case 0x00:
            return (a + b) & _M32
        case 0x10:
            return (a - b) & _M32
        case 0x20:
            return (a * b) & _M32
        case 0x30:
            return a // b
        case 0x40:
            return a | b
        case 0x50:
            return a & b
        case 0x60:
            return (a << (b & 31)) & _M32
        case 0x70:
            return a >> (b & 31)
        case 0x80:
            return -a & _M32
        case 0x90:
            return a % b
        case _:
            return a ^ b


def _fetch(code: int, k: int, x: int, packet: bytes, memory: list[int], ancillary: Callable[[int], int | None]) -> int | None:
    mode, size = code & 0xE0, {W: 4, H: 2, B: 1}[code & 0x18]
    if mode == IMM:
        return k
    if mode == MEM:
        return memory[k]
    if mode == LEN:
        return len(packet)
    if mode == ABS and k >= AD_OFF:
        return ancillary(k - AD_OFF)
    at = k if mode != IND else (x + k) & _M32
    if at >= LL_OFF:  # relative to a header: the link layer's is where the packet begins, others are not known here
        at -= LL_OFF
    if at + size > len(packet):
        return None
    value = int.from_bytes(packet[at:at + size], "big")
    return (value & 15) * 4 if mode == MSH else value


def as_assembly(program: Program, notation: str = "kernel") -> str:
    """The eBPF socket filter as assembly text: a program in section "socket"."""
    from .translate import translate

    body = "".join(f"    {format_insn(insn, notation)}\n" for insn in translate(program))
    return f'.license "GPL"\n.section socket\n.globl filter\nfilter:\n{body}'

