"""THE TABLE of IR operations: one row per op, read by builder, printer, parser, verifier, interpreter, passes and isel.

Integers are 64-bit two's complement and held as Python ints in the signed range [-2**63, 2**63). An op with suffix
`32` computes on the low 32 bits of its operands and zero-extends the result; that is what BPF's ALU32 and JMP32 do.
Shifts mask their count, division by zero gives 0 and modulo by zero the dividend, as RFC 9669 says.

Calls, results and aborts. A function has any number of parameters and results. `call` is the first result (void if there
is none); the others are `result` ops of it, by index, in its block. `abort` ends the whole program with its default answer (the entry
function's `default`), from whatever depth: a call of a function that aborts does not come back. Where something must be
undone on the way (a reserved record submitted, a lock released) the call is `caught`: it always comes back, and has one
more result in front, 1 if the callee aborted (the other results are then 0), else 0; the caller tests it, cleans up and
aborts itself. A caught call of a function that cannot abort is allowed: the flag becomes 0.

    %a = call.caught @f(%x)               # f() -> (i64, ptr.value?)
    %n = result %a, 1                     # f's first result
    %v = result %a, 2 : ptr.value?
    br %a, cleanup, on
    cleanup:
      helper 133 bpf_ringbuf_discard(%record, 0)
      abort

None of this is left for codegen: `opt/aborts` makes flags of aborts, `opt/abi` passes what a BPF call has no room for.

Null. A pointer that may be null has a nullable type (`ptr.value?`). Nothing is loaded, stored or added to it; it may be
compared, passed on and given to calls. `nonnull` on the way where a test found it not null gives the pointer to use. It
costs nothing, and as it is never moved out of its block, nothing that uses its result can move above the test.

    %v = helper.readonly 1 map_lookup_elem(%m, %k) : ptr.value?
    %t = ne %v, 0
    br %t, found, none
    found:
      %p = nonnull %v : ptr.value
      %n = load.u64 %p

Bounds. What an index is computed into an address from is `below`: an integer with the limit that a test has shown where
it stands. It costs nothing either, and does three things. Arithmetic on it cannot move above the test, nor be shared with
arithmetic on the bare number or under another test: the kernel knows the register that was compared, not what was
computed from it before. The test stays, in a form that the kernel follows, unless the kernel knows the bound without it:
from masks, shifts and loads it does; from `%`, `//`, byte swaps, results of calls it does not (`opt/bits` has the list).
So the lowering emits test and `below` for every index, whatever it knows of its range. Lengths that helpers are given are
`below` too.

    %t = ult %i, 10
    br %t, inside, outside
    inside:
      %j = below %i, 10
      %o = shl %j, 2
      %e = ptradd %array, %o
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..order import reverse

M32: Final = (1 << 32) - 1
M64: Final = (1 << 64) - 1


def signed(value: int, bits: int = 64) -> int:
    """The low `bits` of `value` as a two's complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


Eval = Callable[..., int]


class OpRow:
    """One row. `args`: a letter per operand, `i` integer, `p` pointer, `a` either, `*` any number more.
    `result`: "i64", "void", "first" (type of the first operand), or "any" (given when built).
    `effect`: "pure" (may be merged, moved, dropped), "read" (may be dropped, merged if nothing writes between), "write",
    "call", or "end" (terminator). `attr`: the class of the op's attribute, or None. `same`: the result is the operand, bit
    for bit, of another type. `fixed`: pure, but says something about the place where it stands: not moved from its block
    (a block may be copied). `until`: the pass that leaves none of it; codegen knows the others. Rows compare by identity."""

    __slots__ = ("name", "args", "result", "effect", "commutative", "attr", "evaluate", "same", "fixed", "until", "doc")

    def __init__(self, name: str, args: str, result: str, effect: str, doc: str, *, commutative: bool = False,
                 attr: type | None = None, evaluate: Eval | None = None, same: bool = False, fixed: bool = False, until: str = "") -> None:
        self.same, self.fixed, self.until = same, fixed, until
        self.name, self.args, self.result, self.effect, self.doc = name, args, result, effect, doc
        self.commutative, self.attr, self.evaluate = commutative, attr, evaluate

    @property
    def pure(self) -> bool:
        return self.effect == "pure"

    @property
    def terminator(self) -> bool:
        return self.effect == "end"

    def __repr__(self) -> str:
        return f"<op {self.name}>"


# --- attributes -------------------------------------------------------------------------------------------------------


class Mem(NamedTuple):
    """What a load or store touches: `size` bytes (1, 2, 4, 8) at pointer + `off`; `sext`: sign-extend a narrow load.
    `core`: the offset is CO-RE relocated (`off` is the local guess). `volatile`: never merged, moved or dropped."""

    size: int
    off: int = 0
    sext: bool = False
    core: Core | None = None
    volatile: bool = False


class Core(NamedTuple):
    """A CO-RE relocation: the `kind` of what `access` reaches from local BTF type `type_id` (see isa.insn.CoreRef)."""

    type_id: int
    access: str
    kind: int


class CoreConst(NamedTuple):
    """An integer only the target kernel knows; `local` is its value by the local BTF."""

    core: Core
    local: int


class Slot(NamedTuple):
    """A stack slot: `size` bytes, aligned to `align` (a power of two, at most 8)."""

    size: int
    align: int = 8


class Symbol(NamedTuple):
    """A map, or a function, by name. `caught`: a call that comes back also when the callee aborts."""

    name: str
    caught: bool = False


class Index(NamedTuple):
    """Which result of a call, from 1 (result 0 is the call itself)."""

    number: int


class Limit(NamedTuple):
    """What a number is less than, read unsigned."""

    limit: int


class Data(NamedTuple):
    """`off` bytes into global data section `section`; `symbol` is the variable (for relocations and reading)."""

    section: str
    off: int
    symbol: str = ""


class Helper(NamedTuple):
    """A kernel helper, by number and name. `pure`: no side effects and the same answer for the whole run of a program
    (get_current_pid_tgid): calls may be merged or dropped. `writes`: may change memory the program sees."""

    id: int
    name: str
    pure: bool = False
    writes: bool = True


class Kfunc(NamedTuple):
    """A kernel function, by name. `writes`: may change memory the program sees; `pure`: as for helpers."""

    name: str
    weak: bool = False
    pure: bool = False
    writes: bool = True


class Rmw(NamedTuple):
    """An atomic read-modify-write of `size` bytes (4, 8) at pointer + `off`: `op` is add, or, and, xor, xchg or cmpxchg.
    `fetch`: the result is the old value (always so for xchg and cmpxchg), else the op has no result."""

    op: str
    size: int
    off: int = 0
    fetch: bool = False


# --- evaluators: signed 64-bit ints in, any int out; the caller wraps --------------------------------------------------


def _udiv(a: int, b: int, m: int) -> int:
    return (a & m) // (b & m) if b & m else 0


def _umod(a: int, b: int, m: int) -> int:
    return (a & m) % (b & m) if b & m else a & m


def _sdiv(a: int, b: int) -> int:
    if b == 0:
        return 0
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def _smod(a: int, b: int) -> int:
    return a if b == 0 else a - b * _sdiv(a, b)


def _bswap(a: int, size: int) -> int:
    return reverse(a, size)


_BINARY: dict[str, tuple[Eval, bool, str]] = {
    "add": (lambda a, b: a + b, True, "a + b"),
    "sub": (lambda a, b: a - b, False, "a - b"),
    "mul": (lambda a, b: a * b, True, "a * b"),
    "udiv": (lambda a, b: _udiv(a, b, M64), False, "unsigned quotient; 0 when b is 0"),
    "umod": (lambda a, b: _umod(a, b, M64), False, "unsigned remainder; a when b is 0"),
    "sdiv": (_sdiv, False, "signed quotient, rounded to zero; 0 when b is 0 (cpu v4)"),
    "smod": (_smod, False, "remainder of sdiv, sign of a; a when b is 0 (cpu v4)"),
    "and": (lambda a, b: a & b, True, "bitwise and"),
    "or": (lambda a, b: a | b, True, "bitwise or"),
    "xor": (lambda a, b: a ^ b, True, "bitwise exclusive or"),
    "shl": (lambda a, b: a << (b & 63), False, "a << (b mod 64)"),
    "shr": (lambda a, b: (a & M64) >> (b & 63), False, "logical shift right by b mod 64"),
    "sar": (lambda a, b: a >> (b & 63), False, "arithmetic shift right by b mod 64"),
}
_BINARY32: dict[str, Eval] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "udiv": lambda a, b: _udiv(a, b, M32),
    "umod": lambda a, b: _umod(a, b, M32),
    "sdiv": lambda a, b: _sdiv(signed(a, 32), signed(b, 32)),
    "smod": lambda a, b: _smod(signed(a, 32), signed(b, 32)),
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << (b & 31),
    "shr": lambda a, b: (a & M32) >> (b & 31),
    "sar": lambda a, b: signed(a, 32) >> (b & 31),
}
_COMPARE: dict[str, tuple[Callable[[int, int], bool], bool, bool, str]] = {  # name: test, signed?, commutative?, meaning
    "eq": (lambda a, b: a == b, False, True, "a == b"),
    "ne": (lambda a, b: a != b, False, True, "a != b"),
    "ult": (lambda a, b: a < b, False, False, "a < b, unsigned"),
    "ule": (lambda a, b: a <= b, False, False, "a <= b, unsigned"),
    "ugt": (lambda a, b: a > b, False, False, "a > b, unsigned"),
    "uge": (lambda a, b: a >= b, False, False, "a >= b, unsigned"),
    "slt": (lambda a, b: a < b, True, False, "a < b, signed"),
    "sle": (lambda a, b: a <= b, True, False, "a <= b, signed"),
    "sgt": (lambda a, b: a > b, True, False, "a > b, signed"),
    "sge": (lambda a, b: a >= b, True, False, "a >= b, signed"),
}
_UNARY: dict[str, tuple[Eval, str]] = {
    "neg": (lambda a: -a, "-a"),
    "neg32": (lambda a: -a & M32, "-a in 32 bits"),
    "sext8": (lambda a: signed(a, 8), "the low 8 bits, sign-extended"),
    "sext16": (lambda a: signed(a, 16), "the low 16 bits, sign-extended"),
    "sext32": (lambda a: signed(a, 32), "the low 32 bits, sign-extended"),
    "bswap16": (lambda a: _bswap(a, 2), "the low 2 bytes reversed, zero-extended"),
    "bswap32": (lambda a: _bswap(a, 4), "the low 4 bytes reversed, zero-extended"),
    "bswap64": (lambda a: _bswap(a, 8), "all 8 bytes reversed"),
}


def _wide(f: Eval) -> Eval:
    return lambda *args: signed(f(*args))


def _narrow(f: Eval) -> Eval:
    return lambda *args: f(*args) & M32


def _compare(test: Callable[[int, int], bool], is_signed: bool, bits: int) -> Eval:
    mask = (1 << bits) - 1
    if is_signed:
        return lambda a, b: int(test(signed(a, bits), signed(b, bits)))
    return lambda a, b: int(test(a & mask, b & mask))


def _rows() -> list[OpRow]:
    rows = []
    for name, (f, commutative, doc) in _BINARY.items():
        rows.append(OpRow(name, "ii", "i64", "pure", doc, commutative=commutative, evaluate=_wide(f)))
    for name, (_, commutative, doc) in _BINARY.items():
        f32 = _narrow(_BINARY32[name])
        rows.append(OpRow(name + "32", "ii", "i64", "pure", doc + ", in 32 bits", commutative=commutative, evaluate=f32))
    for suffix, bits in ("", 64), ("32", 32):
        for name, (test, is_signed, commutative, doc) in _COMPARE.items():
            rows.append(OpRow(name + suffix, "aa", "i64", "pure", f"1 if {doc}, else 0" + (", low 32 bits" if suffix else ""),
                              commutative=commutative, evaluate=_compare(test, is_signed, bits)))
    for name, (f, doc) in _UNARY.items():
        rows.append(OpRow(name, "i", "i64", "pure", doc, evaluate=_wide(f)))
    rows += [
        OpRow("select", "iaa", "any", "pure", "the second operand if the first is not 0, else the third"),
        OpRow("ptradd", "pi", "first", "pure", "a pointer moved by so many bytes, same region"),
        OpRow("ptrdiff", "pp", "i64", "pure", "the distance in bytes between two pointers"),
        OpRow("cast", "a", "any", "pure", "the same 64 bits as another type (pointer as number, number as pointer)", same=True),
        OpRow("nonnull", "p", "any", "pure", "a pointer that was tested, where it is not null", same=True, fixed=True),
        OpRow("below", "i", "i64", "pure", "a number that was tested, where it is less than a limit", attr=Limit, same=True,
              fixed=True),
        OpRow("result", "a", "any", "pure", "a further result of a call", attr=Index, until="abi"),
        OpRow("alloca", "", "any", "pure", "the address of a stack slot of its own; entry block only, never merged", attr=Slot),
        OpRow("mapaddr", "", "any", "pure", "the address of a map", attr=Symbol),
        OpRow("dataaddr", "", "any", "pure", "the address of global data", attr=Data),
        OpRow("funcaddr", "", "any", "pure", "the address of a subprogram (callbacks)", attr=Symbol),
        OpRow("core", "", "i64", "pure", "an integer that the loader takes from the running kernel's BTF", attr=CoreConst),
        OpRow("load", "p", "any", "read", "memory at the pointer, zero- or sign-extended", attr=Mem),
        OpRow("store", "pa", "void", "write", "the value's low bytes to memory at the pointer", attr=Mem),
        OpRow("rmw", "pa*", "any", "write", "atomic read-modify-write; cmpxchg takes (ptr, expected, new)", attr=Rmw),
        OpRow("helper", "*", "any", "call", "call a kernel helper, at most five arguments", attr=Helper),
        OpRow("kfunc", "*", "any", "call", "call a kernel function, at most five arguments", attr=Kfunc),
        OpRow("call", "*", "any", "call", "call a function of the module; the value is its first result", attr=Symbol),
        OpRow("jump", "", "void", "end", "go to the only edge"),
        OpRow("br", "i", "void", "end", "to the first edge if the operand is not 0, else to the second"),
        OpRow("may", "", "void", "end", "to the first edge while the kernel grants another round (may_goto), else to the second"),
        OpRow("ret", "*", "void", "end", "return the operands, the function's results"),
        OpRow("abort", "", "void", "end", "end the program with its default answer", until="aborts"),
        OpRow("unreachable", "", "void", "end", "control never comes here (after a tail call that cannot fail, say)"),
    ]
    return rows


TABLE: Final[dict[str, OpRow]] = {row.name: row for row in _rows()}

# Comparisons: what holds when the test fails, and when the operands change places; "" suffix and "32" alike.
_INVERSE = {"eq": "ne", "ult": "uge", "ule": "ugt", "slt": "sge", "sle": "sgt"}
_INVERSE |= {b: a for a, b in _INVERSE.items()}
_SWAPPED = {"eq": "eq", "ne": "ne", "ult": "ugt", "ule": "uge", "slt": "sgt", "sle": "sge"}
_SWAPPED |= {b: a for a, b in _SWAPPED.items()}
INVERSE: Final = {TABLE[a + s]: TABLE[b + s] for a, b in _INVERSE.items() for s in ("", "32")}
SWAPPED: Final = {TABLE[a + s]: TABLE[b + s] for a, b in _SWAPPED.items() for s in ("", "32")}
NARROW: Final = {TABLE[n]: TABLE[n + "32"] for n in (*_BINARY, *_COMPARE, "neg")}  # op -> its 32-bit form
