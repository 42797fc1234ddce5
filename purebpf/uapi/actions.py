"""The answers of programs that decide, as enums: `def program(ctx: XdpContext) -> XdpAction`, checked by type checkers and by the
compiler. The numbers themselves are in `names`."""

from __future__ import annotations

from enum import IntEnum


class XdpAction(IntEnum):
    """Of XDP programs."""

    ABORTED = 0
    DROP = 1
    PASS = 2
    TX = 3
    REDIRECT = 4


class TcAction(IntEnum):
    """Of tc programs."""

    UNSPEC = -1
    OK = 0
    RECLASSIFY = 1
    SHOT = 2
    PIPE = 3
    STOLEN = 4
    QUEUED = 5
    REPEAT = 6
    REDIRECT = 7
    TRAP = 8


class TcxAction(IntEnum):
    """Of tc programs attached through tcx."""

    NEXT = -1
    PASS = 0
    DROP = 2
    REDIRECT = 7


class SkAction(IntEnum):
    """Of programs on sockets: sk_msg, sk_skb, sk_lookup, sk_reuseport."""

    DROP = 0
    PASS = 1


class NfAction(IntEnum):
    """Of netfilter programs."""

    DROP = 0
    ACCEPT = 1
