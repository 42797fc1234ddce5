"""How a line of assembly is read: tokens, and the tree of everything an instruction may look like.

The tree is made from the table's templates: a path of literal tokens and operand kinds leads to a `Leaf`, which knows
the row and where each operand goes. One dictionary step a token, so the size of the table does not matter:

    "r1 += 5"  ->  "r1", "+=", "5"  ->  tree[REG64]["+="][NUMBER][END]  ->  Leaf(add_imm, dst=first, imm=second)

Both notations live in one tree (that is what "auto" means), or in one each.
"""

from __future__ import annotations

import re
from functools import cache
from operator import itemgetter
from typing import Any, Callable, Final, Iterator

from .insn import FP
from .opcodes import LD_IMM64
from .table import ROWS, Row

NOTATIONS: Final = ("kernel", "mnemonic")

TOKEN: Final = re.compile(r"""
    \*\([us](?:8|16|32|64)[ ]\*\)\(                 # the usual spelling of a memory operand, one token for speed
  | s(?: >>= | <= | >= | < | > | /= | %= )          # signed operators, before identifiers
  | %?[A-Za-z_.$] [\w.$]*                           # names, registers, directives
  | (?: [-+][ \t]* )? (?: 0[xX][0-9a-fA-F]+ | 0[bB][01]+ | \d+ ) (?! \w )   # numbers with their sign
  | \d+[bf] (?! \w )                                # 1f, 1b
  | "(?: [^"\\] | \\. )*" | '(?: [^'\\] | \\. )[^']*'   # strings, characters
  | <<= | >>= | << | >> | [-+*/%&|^=!<>]= | \S
""", re.VERBOSE | re.ASCII)

REG64, REG32, NUMBER, SIGNED, SYMBOL, END = "<r>", "<w>", "<number>", "<signed>", "<symbol>", "<end>"

REGISTERS: Final[dict[str, tuple[str, Any]]] = {
    **{f"{p}r{n}": (REG64, n) for n in range(FP + 1) for p in ("", "%")},
    **{f"{p}w{n}": (REG32, n) for n in range(FP + 1) for p in ("", "%")},
    "fp": (REG64, FP), "%fp": (REG64, FP),
}

DIGITS: Final = frozenset("0123456789")
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.$")

Tree = dict[str, Any]  # token or operand kind -> Tree; END -> Leaf

_PARTS: Final = re.compile(r"\w+|\W")  # of a fused token, blanks to be left out
SLOT: Final = re.compile(r"\{(\w+)\}")
_FIELD: Final = {"d": 0, "wd": 0, "s": 1, "ws": 1, "o": 2, "j": 2, "k": 2, "i": 3, "u": 3, "I": 3, "J": 3, "f": 3, "m": 3,
                 "x": 3}
_KINDS: Final = {"d": (REG64,), "s": (REG64,), "r0": (REG64,), "wd": (REG32,), "ws": (REG32,), "w0": (REG32,),
                 "o": (SIGNED,), "h": (SIGNED,), "+": (SIGNED,)}
_ANY_NUMBER: Final = (NUMBER, SIGNED, SYMBOL)


class Leaf:
    """What a path of the tree means. `slots`: the operands in text order, by the letters of `table`.

    `pick(operands + fixed)` gives (dst, src, off, imm) for a `plain` leaf: one whose operands are the fields as they
    stand. `same`: pairs of operands that must be equal (`r1 = le16 r1`)."""

    __slots__ = ("row", "slots", "plain", "same", "fixed", "pick")

    def __init__(self, row: Row, slots: tuple[str, ...]) -> None:
        self.row, self.slots = row, slots
        first: dict[int, int] = {}
        same = []
        for position, slot in enumerate(slots):
            if slot in _FIELD:
                if _FIELD[slot] in first:
                    same.append((first[_FIELD[slot]], position))
                first.setdefault(_FIELD[slot], position)
        self.same = tuple(same)
        self.fixed = [row.dst or 0, row.src or 0, row.off or 0, row.imm or 0]
        self.pick: Callable[[list[Any]], tuple[Any, ...]] = itemgetter(
            *(first.get(field, len(slots) + field) for field in range(4)))
        self.plain = not same and row.code != LD_IMM64 and not {"r0", "w0", "a", "b", "l", "h", "name"} & set(slots)


def spread(template: str) -> Iterator[list[str]]:
    """The token sequences a template stands for: slots as "{d}", literals as themselves."""
    paths: list[list[str]] = [[]]
    for part in re.split(r"(\{\w+\})", template):
        if part == "{o}":  # nothing, or a signed number
            paths = [p + more for p in paths for more in ([], [part])]
        elif part in ("{j}", "{J}"):  # the kernel's log writes "goto pc+2"
            paths = [p + more for p in paths for more in ([part], ["pc", part])]
        elif part == "{x}":  # "call 7", "call bpf_get_prandom_u32", or both with a "#" between
            paths = [p + more for p in paths for more in ([part], ["{name}", "#", part])]
        elif part in ("{h}", "{m}") and all(p[-1] == "+" for p in paths):  # the sign is one with the number
            paths = [p[:-1] + [part if part == "{h}" else "{+m}"] for p in paths]
        elif part.startswith("{"):
            paths = [p + [part] for p in paths]
        else:
            tokens = TOKEN.findall(part)
            paths = [p + tokens for p in paths]
    yield from paths
    for path in paths:  # the fused token of a memory operand, and its parts for other spacings
        if any(t.startswith("*(") for t in path):
            yield [part for t in path for part in (_PARTS.findall(t.replace(" ", "")) if t.startswith("*(") else [t])]


@cache
def tree(notation: str) -> Tree:
    """The tree of one notation, or of both for "auto"."""
    root: Tree = {}
    for row in ROWS:
        templates = ((row.kernel if notation != "mnemonic" else ()) + (row.mnemonic if notation != "kernel" else ()))
        for template in templates:
            for path in spread(template):
                slots = tuple(t[1:-1].lstrip("+") for t in path if t[0] == "{" and len(t) > 1)
                _grow(root, path, Leaf(row, slots))
    return root


def _grow(root: Tree, path: list[str], leaf: Leaf) -> None:
    nodes = [root]
    for token in path:
        kinds: tuple[str, ...] = (token,)
        if token[0] == "{" and len(token) > 1:
            slot = token[1:-1]
            kinds = (SIGNED,) if slot[0] == "+" else (SYMBOL,) if slot == "name" else _KINDS.get(slot, _ANY_NUMBER)
        following: list[Tree] = []
        for node in nodes:
            shared: Tree = next((node[k] for k in kinds if k in node), {})
            for kind in kinds:  # number, signed and symbol lead to the same place
                shared = node.setdefault(kind, shared)
            if not any(shared is f for f in following):
                following.append(shared)
        nodes = following
    for node in nodes:
        node.setdefault(END, leaf)


class Operands(dict[str, tuple[str, Any]]):
    """What a token is as an operand: (kind, value), remembered. Names stand for themselves (str)."""

    def __init__(self) -> None:
        super().__init__(REGISTERS)

    def __missing__(self, token: str) -> tuple[str, Any]:
        first = token[0]
        kind: tuple[str, Any]
        if first in "+-" and len(token) > 1 and token[-1] != "=":
            kind = (SIGNED, number(token))
        elif first in DIGITS:
            kind = (SYMBOL, token) if token[-1] in "bf" and token[:-1].isdigit() else (NUMBER, number(token))
        elif first in LETTERS:
            kind = (SYMBOL, token)
        else:
            kind = ("", None)
        self[token] = kind
        return kind


_REGISTER_LIKE: Final = re.compile(r"%.*|[rRwW]\d{1,3}", re.ASCII)


def like_register(token: str) -> bool:
    """Whether a name can only be meant as a register: r11, R1, %x. It is never a label's or constant's name."""
    return _REGISTER_LIKE.fullmatch(token) is not None


def number(token: str) -> int:
    """The value of a number token: decimal, 0x…, 0b…, and 0… in octal, with an optional sign and blanks after it."""
    text = token.replace(" ", "").replace("\t", "")
    digits = text.lstrip("+-")
    if len(digits) > 80:
        return 1 << 128  # int() refuses very long texts; nothing takes a number of this size either
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
        value = int(digits, 8) if "8" not in digits and "9" not in digits else int(digits)
        return -value if text[0] == "-" else value
    return int(text, 0)
