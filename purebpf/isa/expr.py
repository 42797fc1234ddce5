"""Expressions of the assembler: numbers, characters, names, C's integer operators, sizeof and offsetof.

A value is an int, or a `Sym` when the name is a label, a map or a constant that comes later in the text. Arithmetic on
a `Sym` knows plus and minus a number; everything else must be known on the spot.
"""

from __future__ import annotations

from typing import Callable, Final, NamedTuple

from .grammar import DIGITS, LETTERS, TOKEN, number


class Sym(NamedTuple):
    """A name with an addend, resolved when the whole text has been read. `col` for the error message."""

    name: str
    addend: int = 0
    col: int = 0


Value = int | Sym


class Problem(Exception):
    """One mistake in one line: caught by the assembler, which knows file and line. `col` is 0-based."""

    def __init__(self, message: str, col: int = 0, width: int = 1, help: str = "", code: str = "asm-syntax") -> None:
        super().__init__(message)
        self.message, self.col, self.width, self.help, self.code = message, col, width, help, code


class Cursor:
    """The tokens of a line and where we are: `text` and `col` of the token at hand ("" at the end)."""

    __slots__ = ("line", "tokens", "cols", "at", "joined")

    def __init__(self, line: str) -> None:
        self.line = line
        self.joined = ""  # the text, if a declaration went on over several lines
        found = list(TOKEN.finditer(line))
        self.tokens = [m[0] for m in found] + [""]
        self.cols = [m.start() for m in found] + [len(line.rstrip())]
        self.at = 0

    @property
    def text(self) -> str:
        return self.tokens[self.at]

    @property
    def col(self) -> int:
        return self.cols[self.at]

    def take(self) -> str:
        """The token at hand, and on to the next."""
        text = self.tokens[self.at]
        if text:
            self.at += 1
        return text

    def accept(self, token: str) -> bool:
        if self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str, what: str = "") -> None:
        if not self.accept(token):
            raise self.problem(f"expected {what or repr(token)}")

    def problem(self, message: str, help: str = "", code: str = "asm-syntax") -> Problem:
        found = f", found {self.text!r}" if self.text else ", found the end of the line"
        return Problem(message + found, self.col, max(1, len(self.text)), help, code)

    def split_sign(self) -> bool:
        """Break "-8" into "-" and "8"; True if the token at hand now is a sign."""
        text = self.text
        if text and text[0] in "+-" and len(text) > 1 and text[-1] != "=":
            digits = text[1:].lstrip()
            self.tokens[self.at:self.at + 1] = [text[0], digits]
            self.cols.insert(self.at + 1, self.cols[self.at] + len(text) - len(digits))
        return self.text in ("+", "-")


class Scope:
    """What names mean while an expression is read: `value` of a constant (None: not known yet), and the type words."""

    def value(self, name: str) -> Value | None:
        return None

    def sizeof(self, cursor: Cursor) -> int:
        raise cursor.problem("no types are declared here")

    def offsetof(self, cursor: Cursor) -> int:
        raise cursor.problem("no types are declared here")


_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}


def unescape(token: str, col: int = 0) -> bytes:
    """The bytes of a string or character token, quotes included in the token: C escapes, anything else as UTF-8."""
    body, out, i = token[1:-1], bytearray(), 0
    while i < len(body):
        c = body[i]
        i += 1
        if c != "\\":
            out += _encoded(c)
            continue
        c, i = body[i:i + 1], i + 1
        if c == "x":
            digits = ""
            while i < len(body) and len(digits) < 2 and body[i] in "0123456789abcdefABCDEF":
                digits, i = digits + body[i], i + 1
            if not digits:
                raise Problem("\\x without digits", col, len(token))
            out.append(int(digits, 16))
        elif c and c in "01234567":
            digits = c
            while i < len(body) and len(digits) < 3 and body[i] in "01234567":
                digits, i = digits + body[i], i + 1
            out.append(int(digits, 8) & 255)
        else:
            out += bytes([_ESCAPES[c]]) if c in _ESCAPES else _encoded(c)
    return bytes(out)


def _encoded(c: str) -> bytes:
    """One character's bytes: what was no UTF-8 in a file comes back as it was."""
    return c.encode("utf-8", "surrogateescape" if "\udc80" <= c <= "\udcff" else "surrogatepass")


def printable(text: str) -> str:
    """`text` without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _divide(a: int, b: int) -> int:
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


_BINARY: Final[tuple[dict[str, Callable[[int, int], int]], ...]] = (  # loosest first
    {"|": lambda a, b: a | b},
    {"^": lambda a, b: a ^ b},
    {"&": lambda a, b: a & b},
    {"<<": lambda a, b: a << b, ">>": lambda a, b: a >> b},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": _divide, "%": lambda a, b: a - b * _divide(a, b)},
)
_NEST: Final = 40


def expression(cursor: Cursor, scope: Scope, level: int = 0, depth: int = 0) -> Value:
    """Parse and evaluate the longest expression at the cursor."""
    if level == len(_BINARY):
        return _unary(cursor, scope, depth)
    left = expression(cursor, scope, level + 1, depth)
    operators = _BINARY[level]
    while True:
        if level == 4:
            cursor.split_sign()
        sign = cursor.text
        if sign not in operators:
            return left
        col = cursor.col
        cursor.take()
        right = expression(cursor, scope, level + 1, depth)
        left = _apply(sign, operators[sign], left, right, col)


def _apply(sign: str, op: Callable[[int, int], int], left: Value, right: Value, col: int) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        if sign in "/%" and right == 0:
            raise Problem("division by zero", col)
        if sign in ("<<", ">>") and not 0 <= right < 128:
            raise Problem(f"shift by {right}", col)
        value = op(left, right)
        if value.bit_length() > 128:
            raise Problem("the value of the expression is too large", col)
        return value
    if sign in "+-" and isinstance(left, Sym) and isinstance(right, int):
        return left._replace(addend=op(left.addend, right))
    if sign == "+" and isinstance(left, int) and isinstance(right, Sym):
        return right._replace(addend=left + right.addend)
    name = left.name if isinstance(left, Sym) else right.name if isinstance(right, Sym) else ""
    raise Problem(f"the value of {name!r} is not known here", col, 1,
                  "constants that are used in a product or a difference must be defined before their use")


def _unary(cursor: Cursor, scope: Scope, depth: int) -> Value:
    if depth > _NEST:
        raise cursor.problem("the expression is nested too deep")
    cursor.split_sign()
    text, col = cursor.text, cursor.col
    if text in ("-", "+", "~", "!"):
        cursor.take()
        value = _unary(cursor, scope, depth + 1)
        if text == "+":
            return value
        if isinstance(value, Sym):
            raise Problem(f"the value of {value.name!r} is not known here", col, 1, "define the constant before its use")
        return -value if text == "-" else ~value if text == "~" else int(not value)
    if text == "(":
        cursor.take()
        value = expression(cursor, scope, 0, depth + 1)
        cursor.expect(")")
        return value
    return _primary(cursor, scope)


def _primary(cursor: Cursor, scope: Scope) -> Value:
    text, col = cursor.text, cursor.col
    if not text:
        raise cursor.problem("expected a number")
    first = text[0]
    if first in DIGITS:
        cursor.take()
        if text[-1] in "bf" and text[:-1].isdigit():
            return Sym(text, 0, col)
        return number(text)
    if first == "'" and len(text) > 2:
        cursor.take()
        data = unescape(text, col)
        if not 1 <= len(data) <= 8:
            raise Problem("a character constant holds 1 to 8 bytes", col, len(text))
        return int.from_bytes(data, "big")
    if first in LETTERS:
        cursor.take()
        if text == "sizeof":
            return scope.sizeof(cursor)
        if text == "offsetof":
            return scope.offsetof(cursor)
        known = scope.value(text)
        return Sym(text, 0, col) if known is None else known
    raise cursor.problem("expected a number")
