"""Bits that are never set, and bits that nobody looks at.

    loop(%i: i64):                         loop(%i: i64):
      %c = slt %i, 100                       %c = ult %i, 100
      ...                                    ...
      %x = and %i, 0xff           ==>        store.u8 %p, %y
      %y = add %x, 256
      store.u8 %p, %y

Upwards: masks of bits that parameters may have, from all that flows into them, and from the test of counting loops; with
those `simplify` drops masks and extensions and turns signed forms into unsigned ones. Downwards: masks of bits that the
users of a value look at; ops that only change others go.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import Cfg, Loop
from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import M32, M64, Mem
from ..ir.types import I64
from .bits import Bits, fill
from .cfgclean import incoming
from .rows import R
from .rules_int import SEXT, SWAP
from .simplify import simplify

_ROUNDS: Final = 4


def narrow(fn: Function) -> bool:
    changed = simplify(fn, {**param_masks(fn)})
    return demand(fn) or changed


# --- upwards ----------------------------------------------------------------------------------------------------------


def param_masks(fn: Function) -> dict[Value, int]:
    """For block parameters: the mask of bits that may be set, where that says anything."""
    into = incoming(fn)
    params = [(p, i, b) for b in fn.blocks[1:] for i, p in enumerate(b.params) if p.type is I64]
    if not params:
        return {}
    fixed = _counters(fn)
    masks: dict[Value, int] = {p: fixed.get(p, 0) for p, _, _ in params}
    for n in range(_ROUNDS + 1):
        bits = Bits(dict(masks))
        grown = False
        for p, i, block in params:
            if p in fixed:
                continue
            mask = masks[p]
            for _, edge in into[block]:
                mask |= bits.may(edge.args[i])
            if mask != masks[p]:
                masks[p] = fill(mask) if n < _ROUNDS - 2 else M64
                grown = True
        if not grown:
            return {p: m for p, m in masks.items() if m != M64}
    return fixed


def _counters(fn: Function) -> dict[Value, int]:
    """Parameters of loop heads that count up from a number that is not negative, below a limit that is tested at the head
    or where the loop goes round."""
    out: dict[Value, int] = {}
    cfg = Cfg(fn)
    for loop in cfg.loops:
        out.update(_tested_below(loop, cfg))
        head, end = loop.header, loop.header.terminator
        if end.row is not R.br or not isinstance(end.args[0], Op) or end.edges[0].block not in loop.blocks:
            continue
        test = end.args[0]
        into = [(p, e) for p in dict.fromkeys(cfg.preds[head]) for e in p.edges if e.block is head]
        for i, param in enumerate(head.params):
            if len(test.args) == 2 and test.args[0] is param and param.type is I64:
                top = _counter_top(loop, param, test, [(p in loop.blocks, e.args[i]) for p, e in into])
                if top is not None:
                    out[param] = fill(top)
    return out


def _tested_below(loop: Loop, cfg: Cfg) -> dict[Value, int]:
    """Counters of a loop `do … while i + c < limit`."""
    out: dict[Value, int] = {}
    head, bits = loop.header, Bits()
    for i, param in enumerate(head.params):
        top = 0
        for pred in dict.fromkeys(cfg.preds[head]):
            end = pred.terminator
            for edge in (e for e in end.edges if e.block is head):
                arg = edge.args[i]
                if pred not in loop.blocks:
                    top = max(top, bits.may(arg))
                    continue
                match arg, end.args:
                    case Op(R.add, [x, Const(c)]), [Op(R.ult | R.slt, [y, limit])] if (
                            x is param and 0 < c < 1 << 31 and y is arg and edge is end.edges[0] and end.edges[1].block is not head):
                        top = max(top, bits.may(limit) - 1)
                    case _:
                        top = M64
        if param.type is I64 and top < 1 << 62:
            out[param] = fill(top)
    return out


def _counter_top(loop: Loop, param: Param, test: Op, args: list[tuple[bool, Value]]) -> int | None:
    """The largest value `param` can have, if it starts at a constant, grows by constants, and is tested to be less."""
    bits = Bits()
    limit = bits.may(test.args[1])
    if test.row not in (R.slt, R.ult, R.ne) or limit >> 63:
        return None
    top = limit
    for inside, arg in args:
        if not inside:
            if not bits.may(arg) >> 63 == 0:
                return None
            top = max(top, bits.may(arg))
        else:
            match arg:
                case Op(R.add, [x, Const(c)]) if x is param and 0 < c < 1 << 31 and (c == 1 or test.row is not R.ne):
                    top = max(top, limit + c - 1)
                case _:
                    return None
    if test.row is R.ne and any(not inside and not (isinstance(a, Const) and isinstance(test.args[1], Const) and a.value <= test.args[1].value)
                                for inside, a in args):
        return None
    return top if top >> 63 == 0 else None


# --- downwards --------------------------------------------------------------------------------------------------------

_LOW: Final = frozenset(getattr(R, n) for n in ("add", "sub", "mul", "neg"))
_BITWISE: Final = frozenset(getattr(R, n) for n in ("or_", "xor", "and_"))
_ALU32: Final = frozenset(getattr(R, n + "32") for n in ("add", "sub", "mul", "and", "or", "xor", "neg"))
_ALL32: Final = frozenset(getattr(R, n + "32") for n in (
    "udiv", "umod", "sdiv", "smod", "shr", "sar", "eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge"))


def demand(fn: Function) -> bool:
    """Bypass ops whose effect on the bits that are looked at is none."""
    wanted = _demanded(fn)
    bits = Bits()
    mapping: dict[Value, Value] = {}
    unsigned = False
    for op in fn.ops():
        need = wanted.get(op, M64)
        if op.row is R.load and isinstance(op.attr, Mem) and op.attr.sext and not need >> 8 * op.attr.size:
            op.attr, unsigned = op.attr._replace(sext=False), True  # nobody looks at the copies of its sign
        if need == M64 or op.row.evaluate is None:
            continue
        match op:
            case Op(R.and_, [x, Const(c)]) if not need & ~c: mapping[op] = x  # not by what x may be: x was asked for c only
            case Op(R.or_ | R.xor | R.add, [x, y]) if not (bits.may(y) & (need if op.row is not R.add else fill(need))): mapping[op] = x
            case Op(R.or_ | R.xor | R.add, [x, y]) if not (bits.may(x) & (need if op.row is not R.add else fill(need))): mapping[op] = y
            case Op(r, [x]) if r in SEXT and need < 1 << SEXT[r]: mapping[op] = x
    fn.replace(mapping)
    return bool(mapping) or unsigned


def _demanded(fn: Function) -> dict[Value, int]:
    """For each integer: which bits its users look at. Absent: none."""
    wanted: dict[Value, int] = {}
    place: dict[Value, tuple[Block, int]] = {p: (b, i) for b in fn.blocks for i, p in enumerate(b.params)}
    into: dict[Block, list[Edge]] = {b: [] for b in fn.blocks}
    work: list[Value] = []
    for block in fn.blocks:
        for edge in block.edges:
            into[edge.block].append(edge)

    def want(v: Value, mask: int) -> None:
        if not isinstance(v, Const) and mask & ~wanted.get(v, 0):
            wanted[v] = wanted.get(v, 0) | mask
            work.append(v)

    for op in fn.ops():
        if op.row.effect not in ("pure", "read"):
            for i, arg in enumerate(op.args):
                want(arg, (1 << 8 * op.attr.size) - 1 if op.row is R.store and i == 1 and isinstance(op.attr, Mem) else M64)
    while work:
        v = work.pop()
        if isinstance(v, Param):
            block, i = place[v]
            for edge in into[block]:
                want(edge.args[i], wanted[v])
        elif isinstance(v, Op) and v.row.effect in ("pure", "read"):
            _pass_on(v, wanted[v], want)
    return wanted


def _pass_on(op: Op, mask: int, want: object) -> None:
    """Ask the operands of `op` for what the bits `mask` of its result depend on."""
    assert callable(want)
    row, args = op.row, op.args
    if row in _BITWISE:
        other = args[1]
        if isinstance(other, Const) and row is R.and_:
            want(args[0], mask & other.value)
        elif isinstance(other, Const) and row is R.or_:
            want(args[0], mask & ~other.value & M64)
        else:
            want(args[0], mask)
            want(other, mask)
        return
    for i, arg in enumerate(args):
        need = M64
        if row in _LOW:
            need = fill(mask)
        elif row in _ALU32:
            need = fill(mask & M32)
        elif row in _ALL32 or row is R.shl32:
            need = M32
        elif row in SEXT:
            need = (mask & (1 << SEXT[row]) - 1) | (1 << SEXT[row] - 1 if mask >> SEXT[row] else 0)
        elif row in SWAP:
            assert row.evaluate is not None
            need = row.evaluate(mask) & M64
        elif row is R.select and i:
            need = mask
        elif i == 0 and len(args) == 2 and isinstance(args[1], Const) and row in (R.shl, R.shr):
            k = args[1].value & 63
            need = mask >> k if row is R.shl else mask << k & M64
        want(arg, need)
