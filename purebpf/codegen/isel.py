"""Instruction selection: IR ops to machine instructions over virtual registers, one `case` line a rule.

    %a = add32 %x, 5           r12 = r11
                               w12 += 5        (the copy goes away when r11 dies here)

What cpu versions change: v4 has signed division, sign-extending moves and loads, and bswap; below v3 comparisons of 32
bits extend first. BPF_ST (store of a constant) and ALU32 exist in every kernel that runs any of them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..ir.cfg import reverse_postorder
from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import NARROW, TABLE, CoreConst, OpRow, signed
from ..isa.opcodes import (
    ADD,
    ALU,
    ALU64,
    AND,
    ARSH,
    DIV,
    END,
    JCOND,
    JMP,
    K,
    LSH,
    MOD,
    MOV,
    MUL,
    NEG,
    OR,
    RSH,
    SUB,
    X,
    XOR,
)
from ..order import NETWORK
from . import calls, division, memory
from .branch import JUMPS, branch, is_u32
from .mach import MBlock, MFunc
from .selector import Selector, core_ref, resolve, s32

_ALU_CODES = {"add": ADD, "sub": SUB, "mul": MUL, "udiv": DIV, "umod": MOD, "sdiv": DIV, "smod": MOD,
              "and": AND, "or": OR, "xor": XOR, "shl": LSH, "shr": RSH, "sar": ARSH}
_SHIFTS = frozenset((LSH, RSH, ARSH))
_WIDE_BASE = {narrow: wide for wide, narrow in NARROW.items()}
M32 = 0xFFFFFFFF
MAY = JMP | JCOND  # jumps when the rounds that the kernel grants are used up


def select(fn: Function, cpu: int) -> MFunc:
    """The machine form of `fn`, not yet allocated; blocks that cannot be reached are left out."""
    s = Selector(fn, cpu)
    twins = division.pairs(fn)
    held: dict[Op, Op] = {}  # the earlier of two divisions -> the later, to be done with it
    order = reverse_postorder(fn)
    entries = {block: s.mf.block(block.name) for block in order}
    for block in reversed(order):
        s.cur, s.block = entries[block], block
        for op in reversed(block.ops):
            if op in held:
                _divide(s, op, held[op])
                continue
            if op.row.effect in ("pure", "read") and not _wanted(s, op) or op in s.late:
                continue
            s.span = op.span or s.span
            if op in twins and s.counts.get(twins[op]) and twins[op] not in s.late:
                held[twins[op]] = op
            elif op.row.terminator:
                _terminator(s, op, entries)
                s.flush()
            else:
                _op(s, op)
    s.cur, s.span = s.mf.blocks[0], fn.span
    calls.parameters(s)
    s.goto(entries[fn.entry])
    s.flush()
    return s.finish()


def _op(s: Selector, op: Op) -> None:
    source = resolve(op.args[0]) if op.row in _STRAIGHT and isinstance(resolve(op.args[-1]), Const) else None
    if source in s.regs and s.demanded(source) and op in s.regs:
        _HANDLERS[op.row](s, op)
        s.flush_late(s.regs[op], s.regs[source])
    else:
        _HANDLERS[op.row](s, op)
        s.flush()


def _divide(s: Selector, op: Op, later: Op) -> None:
    """Two divisions of the same numbers where the first of them stands."""
    s.span = op.span or s.span
    if op in s.regs and op not in s.late:
        division.both(s, op, later)
    else:
        _HANDLERS[later.row](s, later)
    s.flush()


def _wanted(s: Selector, op: Op) -> bool:
    return op in s.regs or op in s.shifted or op.row.name == "load" and memory.mem(op).volatile


# --- control ----------------------------------------------------------------------------------------------------------


def _terminator(s: Selector, op: Op, entries: dict[Block, MBlock]) -> None:
    match op.row.name:
        case "jump":
            edge = op.edges[0]
            if _only_decides(s, edge):
                return _decide(s, edge.args[0], edge.block.terminator.edges, entries)
            _take_edge(s, edge)
            s.goto(entries[edge.block])
        case "br":
            _decide(s, op.args[0], op.edges, entries)
        case "may":
            again, over = _targets(s, op.edges, entries)
            s.emit(MAY, 0).targets = (over, again)
        case "ret":
            calls.leave(s, op.args[0] if op.args else Const(0))
        case _:  # unreachable: the kernel's verifier still wants an end
            calls.leave(s, Const(0))


def _decide(s: Selector, cond: Value, edges: list[Edge], entries: dict[Block, MBlock]) -> None:
    branch(s, cond, *_targets(s, edges, entries))


def _targets(s: Selector, edges: list[Edge], entries: dict[Block, MBlock]) -> list[MBlock]:
    """The blocks that edges lead to, by way of the copies that they need."""
    targets = []
    for edge in edges:
        _take_edge(s, edge, steps=False)
        copies, s.out = s.out, []
        target = entries[edge.block]
        targets.append(s.side(copies, target) if copies else target)
    return targets


def _only_decides(s: Selector, edge: Edge) -> bool:
    """Whether the edge brings a comparison to a block that does nothing but branch on it: the branch is better done here."""
    block, arg = edge.block, [resolve(a) for a in edge.args]
    return (len(block.ops) == 1 and block.terminator.row.name == "br" and len(block.params) == 1
            and block.terminator.args[0] is block.params[0] and s.counts.get(block.params[0]) == 1
            and isinstance(arg[0], Op) and arg[0].row in JUMPS and s.counts.get(arg[0]) == 1)


def _take_edge(s: Selector, edge: Edge, steps: bool = True) -> None:
    """Give the target's parameters their values; what is only computed for them is computed here, on this way alone.
    Without `steps` that leaves out a parameter's own next value: done in place it needs no copy, and the way no block."""
    pairs = [(p, resolve(a)) for p, a in zip(edge.block.params, edge.args)]
    for param, arg in sorted(pairs, key=_steps_last):
        if isinstance(arg, Op) and _movable(s, arg) and (steps or not _steps_last((param, arg))):
            s.demand(arg)
            _HANDLERS[arg.row](s, arg)
            s.late.add(arg)
    s.parallel([(s.register(p), a) for p, a in pairs])


def _steps_last(pair: tuple[Param, Value]) -> int:
    """`i + 1` for i comes last, when all others have read i, so that it is done in place; before it `s + i` for s."""
    param, value = pair
    if not isinstance(value, Op) or not value.args or resolve(value.args[0]) is not param:
        return 0
    return 2 if isinstance(resolve(value.args[-1]), Const) else 1


def _movable(s: Selector, op: Op) -> bool:
    """Whether `op` may be selected right at its only user: arithmetic that selects to straight code."""
    return (op.row in _STRAIGHT and s.counts.get(op) == 1 and s.home.get(op) is s.block and not s.demanded(op)
            and op not in s.shifted)


def _choose(s: Selector, op: Op, cond: Value, yes: Value, no: Value) -> None:
    """op = yes if cond else no: one value first, then a jump around the other."""
    tail, reg = s.split(), s.regs[op]
    first_no = _rank(s, op, no) < _rank(s, op, yes)
    first, second = (no, yes) if first_no else (yes, no)
    if isinstance(second, Op) and second is not first and _movable(s, second):
        s.demand(second)
        _HANDLERS[second.row](s, second)
        s.late.add(second)
    s.copy(reg, second)
    body, s.out = s.out, []
    side = s.side(body, tail)
    s.copy(reg, first)
    branch(s, cond, *((side, tail) if first_no else (tail, side)))


def _rank(s: Selector, op: Op, value: Value) -> int:
    """Which value of a choice to take first: the variable that the choice becomes in the next round; one that ends here,
    whose register can go on; then constants; then values needed again; last what can be computed on one way only."""
    if (op, value) in s.feeds:
        return -1
    if isinstance(value, Const):
        return 1
    if isinstance(value, Op) and _movable(s, value):
        return 3
    return 2 if s.demanded(value) else 0


def _select(s: Selector, op: Op) -> None:
    cond, yes, no = op.args
    _choose(s, op, cond, resolve(yes), resolve(no))


def _comparison(s: Selector, op: Op) -> None:
    _choose(s, op, op, Const(1), Const(0))


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _binary(s: Selector, op: Op) -> None:
    narrow = op.row in _WIDE_BASE
    wide = _WIDE_BASE.get(op.row, op.row)
    a, b = resolve(op.args[0]), resolve(op.args[1])
    if op.row.commutative and _better_second(s, op, a, b):
        a, b = b, a
    dst, name = s.regs[op], wide.name
    if name in ("sdiv", "smod"):
        if s.cpu < 4:
            return division.signed(s, dst, name, narrow, a, b)
        return _arith(s, (ALU if narrow else ALU64) | _ALU_CODES[name], dst, a, b, off=1)
    if isinstance(b, Const):
        name, b, narrow = _by_constant(name, a, b, narrow)
        if name == "mov":
            s.emit(ALU | MOV | X, dst, s.demand(a))
            return None
    _arith(s, (ALU if narrow else ALU64) | _ALU_CODES[name], dst, a, b)
    return None


def _better_second(s: Selector, op: Op, a: Value, b: Value) -> bool:
    """Whether the result had better take over `b`'s register: `a` is a constant, or b is the variable that the result
    becomes in the next round (s = x + s), or b is not needed any more but a is."""
    if isinstance(a, Const) or isinstance(b, Const):
        return isinstance(a, Const)
    if (op, a) in s.feeds or (op, b) in s.feeds:
        return (op, a) not in s.feeds
    if s.demanded(a) == s.demanded(b):
        # the result of a call is in R0, and new: the other may have to survive the call
        return isinstance(b, Op) and b.row.effect == "call" and s.place[b] > s.place.get(a, -1)
    return s.demanded(a)


def _by_constant(name: str, a: Value, b: Const, narrow: bool) -> tuple[str, Const, bool]:
    """A cheaper (op, operand, 32-bit?) of the same meaning; "mov" is a zero extension."""
    value = b.value & M32 if narrow else b.value
    power = value.bit_length() - 1 if value > 0 and value & (value - 1) == 0 else -1
    match name:
        case "and" if value == M32:
            return "mov", b, True
        case "and" if not narrow and 0 <= value <= M32 and not s32(value):
            return "and", b, True
        case "or" | "xor" if not narrow and not s32(value) and 0 <= value <= M32 and is_u32(a):
            return name, b, True
        case "sub" if -value != 1 << 31 and s32(signed(-value, 32 if narrow else 64)):
            return "add", Const(-value), narrow
        case "mul" if power >= 0:
            return "shl", Const(power), narrow
        case "udiv" if power >= 0:
            return "shr", Const(power), narrow
        case "umod" if power >= 0:
            return _by_constant("and", a, Const(value - 1), narrow)
    return name, b, narrow


def _arith(s: Selector, code: int, dst: int, a: Value, b: Value, off: int = 0) -> None:
    """dst = a; dst op= b."""
    narrow = code & 7 == ALU
    if isinstance(b, Const) and code & 0xF0 in _SHIFTS:
        s.copy(dst, a)
        s.emit(code | K, dst, imm=b.value & (31 if narrow else 63))
    elif isinstance(b, Const) and (narrow or s32(b.value)) and not _divides_by_zero(code, b, narrow):
        s.copy(dst, a)
        s.emit(code | K, dst, off=off, imm=signed(b.value, 32))
    elif code == ALU64 | ADD and isinstance(b, Op) and isinstance(b.attr, CoreConst) and s.counts.get(b) == 1:
        s.copy(dst, a)
        s.emit(code | K, dst, imm=b.attr.local, ref=core_ref(b.attr.core))
    else:
        right = s.demand(b)
        s.copy(dst, a)
        s.emit(code | X, dst, right, off=off)


def _divides_by_zero(code: int, b: Const, narrow: bool) -> bool:
    """The kernel refuses a constant 0 as divisor, though not one in a register."""
    return code & 0xF0 in (DIV, MOD) and (b.value & M32 if narrow else b.value) == 0


def _unary(s: Selector, op: Op) -> None:
    dst, x, name = s.regs[op], resolve(op.args[0]), op.row.name
    match name:
        case "neg" | "neg32":
            s.copy(dst, x)
            s.emit((ALU64 if name == "neg" else ALU) | NEG, dst)
        case "bswap16" | "bswap32" | "bswap64":
            s.copy(dst, x)
            s.emit(ALU64 | END if s.cpu >= 4 else ALU | END | (X if s.fn.order is not NETWORK else K), dst, imm=int(name[5:]))
        case _:
            memory.sign_extend(s, dst, x, int(name[4:]))


def _pointer_add(s: Selector, op: Op) -> None:
    base, by = resolve(op.args[0]), resolve(op.args[1])
    if base in s.steps and s.steps[base][0] is op:
        del s.steps[base]
    if op in s.shifted:
        memory.indexed_base(s, op)
    if op not in s.regs:
        return
    dst = s.regs[op]
    if isinstance(by, Const):
        if base in s.steps:
            base, stride = s.steps[base]
            by = Const(by.value - stride)
        _arith(s, ALU64 | ADD, dst, base, by)
    elif s.demanded(base) and not s.demanded(by) and not op.type.row.frame:
        # not for what may lead into a frame: for `scalar += pointer` the verifier (seen in 6.18) forgets whose frame it
        # is, takes that of the entry program, and overlooks stores
        _arith(s, ALU64 | ADD, dst, by, base)
    else:
        _arith(s, ALU64 | ADD, dst, base, by)


def _pointer_distance(s: Selector, op: Op) -> None:
    _arith(s, ALU64 | SUB, s.regs[op], resolve(op.args[0]), resolve(op.args[1]))


def _nothing(s: Selector, op: Op) -> None:
    """Constants and addresses come from the pool, casts are their operand."""


def _handlers() -> dict[OpRow, Callable[[Selector, Op], None]]:
    out: dict[OpRow, Callable[[Selector, Op], None]] = {}
    for name in _ALU_CODES:
        out[TABLE[name]] = out[TABLE[name + "32"]] = _binary
    for row in JUMPS:
        out[row] = _comparison
    for name in ("neg", "neg32", "sext8", "sext16", "sext32", "bswap16", "bswap32", "bswap64"):
        out[TABLE[name]] = _unary
    for name in ("cast", "nonnull", "below", "alloca", "mapaddr", "dataaddr", "funcaddr", "core"):
        out[TABLE[name]] = _nothing
    out |= {TABLE["select"]: _select, TABLE["ptradd"]: _pointer_add, TABLE["ptrdiff"]: _pointer_distance,
            TABLE["load"]: memory.load, TABLE["store"]: memory.store, TABLE["rmw"]: memory.rmw,
            TABLE["helper"]: calls.call, TABLE["kfunc"]: calls.call, TABLE["call"]: calls.call}
    return out


_STRAIGHT = frozenset(row for row in TABLE.values() if row.pure and row.evaluate and row not in JUMPS) | {TABLE["ptradd"]}
_HANDLERS = _handlers()
