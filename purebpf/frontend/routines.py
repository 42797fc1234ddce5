"""What the language does by loops, written in the language: `library` checks a routine in the place of its use.

`text` is an array of bytes; text ends at its first zero. The functions are Python: bytes do for `text` here as well.
"""

from __future__ import annotations

from typing import Any

from ..dsl.ints import u8


def holds_byte(text: Any, byte: Any) -> Any:
    """Is there such a byte?"""
    for i in range(len(text)):
        if text[i] == byte:
            return True
    return False


def holds_piece(text: Any, piece: Any) -> Any:
    """Is there such a constant piece?"""
    for i in range(len(text) - len(piece) + 1):
        for j, byte in enumerate(piece):
            if text[i + j] != byte:
                break
        else:
            return True
    return False


def find_byte(text: Any, byte: Any, start: Any, stop: Any) -> Any:
    """The first place of a byte in text[start:stop], or -1."""
    found = -1
    for i in range(start, stop):
        if text[i] == byte:
            found = i
            break
    return found


def find_piece(text: Any, piece: Any, start: Any, stop: Any) -> Any:
    """The first place of a constant piece, or -1."""
    found = -1
    for i in range(start, stop - len(piece) + 1):
        for j, byte in enumerate(piece):
            if text[i + j] != byte:
                break
        else:
            found = i
            break
    return found


def find_text(text: Any, piece: Any, start: Any, stop: Any) -> Any:
    """The first place of a piece that is only known at run time, or -1."""
    found = -1
    for i in range(start, stop):
        for j in range(len(piece)):
            if piece[j] == 0:
                found = i
                break
            if i + j >= stop or text[i + j] != piece[j]:
                break
        else:
            found = i
        if found >= 0:
            break
    return found


def last_byte(text: Any, byte: Any, start: Any, stop: Any) -> Any:
    """The last place of a byte, or -1."""
    found = -1
    for i in range(stop - 1, start - 1, -1):
        if text[i] == byte:
            found = i
            break
    return found


def last_piece(text: Any, piece: Any, start: Any, stop: Any) -> Any:
    """The last place of a constant piece, or -1."""
    found = -1
    for i in range(stop - len(piece), start - 1, -1):
        for j, byte in enumerate(piece):
            if text[i + j] != byte:
                break
        else:
            found = i
            break
    return found


def copy(out: Any, text: Any, start: Any, stop: Any) -> None:
    """text[start:stop], as much of it as fits, over the zeros of `out`."""
    for i in range(len(out)):
        at = start + i
        if at >= stop or at >= len(text):
            break
        out[i] = text[at]


def packet_copy(out: Any, pkt: Any, offset: Any, count: Any) -> Any:
    """`count` bytes of the packet over the zeros of `out`; False where the packet is too short."""
    for i in range(len(out)):
        if i >= count:
            break
        byte = pkt.at(offset + i, u8)
        if byte is None:
            return False
        out[i] = byte.value
    return True


def number(text: Any) -> Any:
    """The decimal number that is all of the text, blanks around it allowed. `state`: 0 before it, 1 behind the sign, 2 in the
    digits, 3 behind them."""
    value = 0
    negative = False
    state = 0
    for i in range(len(text)):
        byte = text[i]
        if byte == 0:
            break
        if 48 <= byte <= 57 and state < 3:
            value = value * 10 + (byte - 48)
            state = 2
        elif (byte == 32 or 9 <= byte <= 13) and state != 1:
            if state == 2:
                state = 3
        else:
            assert state == 0 and (byte == 43 or byte == 45)
            negative = byte == 45
            state = 1
    assert state >= 2
    return -value if negative else value


def number_in(text: Any, base: Any) -> Any:
    """As `number`, in another base; of base 16 "0x" may stand in front. `digits`: how many there were."""
    value = 0
    negative = False
    state = 0
    digits = 0
    for i in range(len(text)):
        byte = text[i]
        if byte == 0:
            break
        digit = byte - 48 if byte <= 57 else (byte | 32) - 87 if byte >= 65 else 99
        if 0 <= digit < base and state < 3:
            value = value * base + digit
            digits = min(digits + 1, 2)
            state = 2
        elif (byte == 32 or 9 <= byte <= 13) and state != 1:
            if state == 2:
                state = 3
        elif base == 16 and byte | 32 == 120 and state == 2 and digits == 1 and value == 0:
            state = 1
        else:
            assert state == 0 and (byte == 43 or byte == 45)
            negative = byte == 45
            state = 1
    assert state >= 2
    return -value if negative else value


def isdigit(text: Any) -> Any:
    """Is the text digits, at least one, and nothing else?"""
    count = 0
    for i in range(len(text)):
        byte = text[i]
        if byte == 0:
            break
        if not 48 <= byte <= 57:
            return False
        count = 1
    return count == 1
