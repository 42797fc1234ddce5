"""What to say about a line that does not assemble; imported only when there is such a line."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Sequence

from .directives import DIRECTIVES
from .expr import Cursor, Problem
from .grammar import END, NUMBER, REG32, REG64, REGISTERS, SIGNED, SYMBOL, Tree, like_register
from .insn import Insn
from .table import lookup
from .unit import Item, RawSlot, Unit

_KINDS = {REG64: "a register r0..r10", REG32: "a register w0..w10", NUMBER: "a number", SYMBOL: "", SIGNED: "", END: ""}
_LIST = 7


def unexpected(cursor: Cursor, node: Tree, root: Tree, first: int) -> Problem:
    """The token at the cursor leads nowhere from `node`."""
    token = cursor.text
    at, width = cursor.col, max(1, len(token))
    if token in REGISTERS:
        return _wrong_register(cursor, node, token)
    if like_register(token) and len(token) > 1 and (REG64 in node or REG32 in node):
        wanted = [r for r in REGISTERS if (REG64 if REGISTERS[r][0] == REG64 else REG32) in node and r[0] != "%"]
        close = get_close_matches(token.lower().lstrip("%"), wanted, 1, 0.4)
        digits = token.lstrip("%rRwW")
        help = "registers are r0 to r10" if digits.isdigit() and int(digits[:6]) > 10 else _maybe(close, token)
        return Problem(f"{token!r} is no register", at, width, help, "unknown-register")
    if cursor.at == first:
        known = [t for t in root if t.isidentifier() or t.startswith("%")] + list(DIRECTIVES)
        close = get_close_matches(token.lower(), known + list(REGISTERS), 1, 0.5)
        return Problem(f"unknown instruction {token!r}", at, width, _maybe(close, token), "unknown-mnemonic")
    words = [t for t in node if t not in _KINDS]
    close = get_close_matches(token, words, 1, 0.5) if token else []
    wanted = [f"{w!r}" for w in words if "(" not in w or len(w) == 1][:_LIST] + [_KINDS[k] for k in node if _KINDS.get(k)]
    if END in node:
        wanted.append("the end of the line")
    more = " …" if len(words) > _LIST else ""
    found = f"{token!r}" if token else "the end of the line"
    help = "did you mean '=='?" if token == "=" and "==" in words else _maybe(close, token)
    if token == ";" or (END in node and not help):
        help = "one instruction a line: ';' begins a comment" if token == ";" else help
    if SIGNED in node and NUMBER not in node and token and token[0].isdigit():
        help = f"an offset has a sign: +{token}"
    return Problem(f"unexpected {found}: expected {_either(wanted)}{more}", at, width, help)


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1] if words else "nothing"


def _maybe(close: list[str], token: str) -> str:
    return f"did you mean {close[0]!r}?" if close and close[0] != token else ""


def _wrong_register(cursor: Cursor, node: Tree, token: str) -> Problem:
    bare = token.lstrip("%")
    number = REGISTERS[token][1]
    for kind, letter, width in ((REG64, "r", 64), (REG32, "w", 32)):
        if kind in node:
            return Problem(f"{bare!r} does not fit here: this place takes a {width}-bit register", cursor.col, len(token),
                           f"write {letter}{number}", "register-width")
    return cursor.problem("no register can stand here")


def agree(written: Sequence[Item], shown: Sequence[RawSlot], cursor: Cursor, unit: Unit) -> None:
    """Check a listing line: its text must be the instruction of its bytes, as far as disassemblers tell the truth.

    They leave out what tells forms apart (the kind of a call, the sign of a division, the second word of an address), so
    only the operands are compared; Problem if those differ, because then somebody edited the text."""
    if not written or not isinstance(written[0], Insn):
        return
    text, first = written[0], shown[0]
    if text.code != first.code:
        raise Problem("the text and the bytes beside it are different instructions", cursor.cols[0], 1,
                      "delete the byte column to assemble the text", "listing-differs")
    row = lookup(*text[:5]) if text.ref is None else None
    real = lookup(*first[:5]) if first.code != 0x18 else None
    if row is None or real is None:
        return
    for field in ("dst", "src", "off", "imm"):
        both = getattr(row, field) is None and getattr(real, field) is None
        if both and getattr(text, field) != getattr(first, field):
            if field == "imm" and "skb[" in row.kernel[0]:
                continue  # LLVM does not show the number of skb[r2 + 4]
            raise Problem(f"the text and the bytes beside it differ in {field}", cursor.cols[0], 1,
                          "delete the byte column to assemble the text", "listing-differs")


