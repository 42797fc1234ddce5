"""What the selection rules write into: demand for values, the block under construction, copies and constants.

Selection goes backwards, from the last op of the last block to the first, so that an op is reached after all its uses:
an op that nobody asked for (`demand`) is never selected, which is how folding an operand into its user removes it.
Inside one rule instructions are emitted in program order.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InternalError, Span
from ..ir.function import Block, Const, Function, Op, Param, Value
from ..ir.ops import Core, CoreConst, Data, Slot, Symbol
from ..isa.insn import CoreRef, DataRef, FuncRef, MapRef, Ref
from ..isa.opcodes import ALU64, IMM64_FUNC, IMM64_MAP_FD, IMM64_MAP_VALUE, LD_IMM64, MOV, K
from .mach import FRAME, GOTO, FrameSlot, MBlock, MFunc, MInsn, constant, move

REACH = 32000  # how far data may lie from a shared base address: below the 16 bits of a load's offset
CHAIN = 4  # operations that one variable goes through in a block, as far as that is looked at
LOOK_AHEAD = 24  # instructions that a definition is moved over at most
POOLED = frozenset(("mapaddr", "dataaddr", "funcaddr", "alloca", "core"))


def s32(value: int) -> bool:
    return -(1 << 31) <= value < 1 << 31


def s16(value: int) -> bool:
    return -(1 << 15) <= value < 1 << 15


def resolve(value: Value) -> Value:
    """`value` without casts and the like: in a register they are the same bits."""
    while isinstance(value, Op) and value.row.same:
        value = value.args[0]
    return value


def core_ref(core: Core) -> CoreRef:
    return CoreRef(core.type_id, core.access, core.kind)


class Selector:
    """The state of one function's selection. `regs`: the virtual register of each demanded value. `shifted`: for a pointer
    into a frame slot or data section at a variable index, the register that holds it less its constant part."""

    def __init__(self, fn: Function, cpu: int) -> None:
        self.fn, self.cpu = fn, cpu
        self.mf = MFunc(fn.name, cpu)
        self.regs: dict[Value, int] = {}
        self.needed: set[Value] = set()
        self.variables: set[int] = set()  # the registers of parameters
        self.shifted: dict[Op, int] = {}
        self.span: Span | None = fn.span
        self.out: list[MInsn] = []  # the op at hand, in program order
        self.cur: MBlock = self.mf.block("prologue")  # the block under construction; insns are in reverse until closed
        self.late: set[Op] = set()  # selected already, where their only user is
        self.counts = _use_counts(fn)
        self.home = {op: block for block in fn.blocks for op in block.ops}
        self.place: dict[Value, int] = {op: n for n, op in enumerate(self.home)}  # in the order of the text
        self.feeds = self._feeds()
        self.block: Block = fn.entry  # the IR block at hand
        self.steps = self._steps()
        self._pool: dict[object, int] = {}
        self._slots: dict[Op, int] = {}
        self._bases = self._data_bases()

    # --- values ---

    def demand(self, value: Value) -> int:
        """The register that holds `value`, for reading; constants and addresses come from the pool."""
        value = resolve(value)
        self.needed.add(value)
        return self.register(value)

    def register(self, value: Value) -> int:
        """The same, for writing."""
        reg = self.regs.get(value)
        if reg is None:
            reg = self._pooled(value)
            if reg is None:
                reg = self.mf.new_register()
                self.regs[value] = reg
                if isinstance(value, Param):
                    self.variables.add(reg)
        return reg

    def demanded(self, value: Value) -> bool:
        """Whether code that was selected already, so runs later, reads `value`."""
        return resolve(value) in self.needed

    def _pooled(self, value: Value) -> int | None:
        if isinstance(value, Const):
            return self._from_pool(("const", value.value), constant(0, value.value))
        if isinstance(value, Op) and value.row.name in POOLED:
            return self._from_pool(*self._address(value))
        if not isinstance(value, (Op, Param)):
            raise InternalError("codegen.isel", f"{value!r} is no value")
        return None

    def _from_pool(self, key: object, insn: MInsn) -> int:
        reg = self._pool.get(key)
        if reg is None:
            reg = insn.dst = self._pool[key] = self.mf.new_register()
            self.mf.pool[reg] = insn
        return reg

    def _address(self, op: Op) -> tuple[object, MInsn]:
        attr = op.attr
        match attr:
            case Slot():
                slot = self.slot(op)
                return ("slot", slot), MInsn(FRAME, slot=slot)
            case Data(section, off, symbol):
                return ("data", section, off), _wide(IMM64_MAP_VALUE, DataRef(section, off, symbol))
            case CoreConst(core, local):
                return ("core", core), MInsn(ALU64 | MOV | K, imm=local, ref=core_ref(core))
            case Symbol(name) if op.row.name == "mapaddr":
                return ("map", name), _wide(IMM64_MAP_FD, MapRef(name))
            case Symbol(name):
                return ("func", name), _wide(IMM64_FUNC, FuncRef(name))
        raise InternalError("codegen.isel", f"{op.row.name} has attribute {attr!r}")

    def slot(self, op: Op) -> int:
        """The frame slot of an alloca."""
        index = self._slots.get(op)
        if index is None:
            assert isinstance(op.attr, Slot)
            index = self._slots[op] = len(self.mf.slots)
            self.mf.slots.append(FrameSlot.of(op.attr, op.name, op.span))
        return index

    def _feeds(self) -> set[tuple[Value, Value]]:
        """(value, parameter): pairs of which the first becomes the second on some edge, maybe by way of another parameter,
        maybe after further operations on it in the same block."""
        edges = [(op, p, resolve(a)) for op in self.fn.ops() for e in op.edges for p, a in zip(e.block.params, e.args)]
        onward: dict[Value, list[Value]] = {}
        for _, param, value in edges:
            if isinstance(value, Param):
                onward.setdefault(value, []).append(param)
        out: set[tuple[Value, Value]] = set()
        for op, param, value in edges:
            into = [param, *onward.get(param, ())]
            for _ in range(CHAIN):
                out.update((value, p) for p in into)
                if not isinstance(value, Op) or not value.row.pure or not value.args \
                        or self.home[value] is not self.home[op]:
                    break
                value = resolve(value.args[0])
        return out

    def _steps(self) -> dict[Value, tuple[Op, int]]:
        """Pointer parameter of a loop -> the op in the same block that moves it on by a constant, until it is selected,
        and the constant."""
        owner: dict[Value, Block] = {param: block for block in self.fn.blocks for param in block.params}
        out: dict[Value, tuple[Op, int]] = {}
        for op, p in self.feeds:
            if isinstance(op, Op) and op.row.name == "ptradd" and resolve(op.args[0]) is p:
                by = resolve(op.args[1])
                if isinstance(by, Const) and p in owner and owner[p] is self.home[op]:
                    out[p] = op, by.value
        return out

    def _data_bases(self) -> dict[tuple[str, int], Data]:
        """(section, offset) of all data used -> the address that loads and stores count from: one for what lies close."""
        used: dict[str, dict[int, Data]] = {}
        for op in self.fn.ops():
            if isinstance(op.attr, Data):
                used.setdefault(op.attr.section, {}).setdefault(op.attr.off, op.attr)
        bases: dict[tuple[str, int], Data] = {}
        for section, by_offset in used.items():
            base: Data | None = None
            for off in sorted(by_offset):
                if base is None or off - base.off > REACH:
                    base = by_offset[off]
                bases[section, off] = base
        return bases

    def data_base(self, data: Data) -> tuple[int, int]:
        """(register of a shared base, distance from it) for global data that is loaded or stored."""
        base = self._bases[data.section, data.off]
        insn = _wide(IMM64_MAP_VALUE, DataRef(base.section, base.off, base.symbol))
        return self._from_pool(("data", base.section, base.off), insn), data.off - base.off

    # --- instructions ---

    def emit(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0, ref: Ref | None = None, *,
             slot: int = -1) -> MInsn:
        insn = MInsn(code, dst, src, off, imm, ref, slot=slot, span=self.span)
        self.out.append(insn)
        return insn

    def copy(self, dst: int, value: Value) -> None:
        """`dst` = `value`, a constant in its shortest form."""
        value = resolve(value)
        if isinstance(value, Const) and constant(0, value.value).code != LD_IMM64:
            self.out.append(constant(dst, value.value, self.span))
        else:
            self.out.append(move(dst, self.demand(value), self.span))

    def parallel(self, pairs: Iterable[tuple[int, Value]]) -> None:
        """Copy every value into its register as if all at once; a cycle goes through a new register."""
        late: list[tuple[int, Value]] = []
        pending: dict[int, int] = {}
        for dst, value in pairs:
            value = resolve(value)
            src = None if self._is_cheap(value) else self.demand(value)
            if src is None:
                late.append((dst, value))
            elif src != dst:
                pending[dst] = src
        while pending:
            needed = set(pending.values())
            free = [dst for dst in pending if dst not in needed]
            # what leaves a variable goes first: the variable is then free to become its own next value
            free.sort(key=lambda dst: pending[dst] not in self.variables)
            for dst in free:
                self.out.append(move(dst, pending.pop(dst), self.span))
            if not free:
                dst, src = next(iter(pending.items()))
                spare = self.mf.new_register()
                self.out.append(move(spare, dst, self.span))
                pending = {d: spare if s == dst else s for d, s in pending.items()}
        for dst, value in late:
            self.copy(dst, value)

    @staticmethod
    def _is_cheap(value: Value) -> bool:
        return isinstance(value, Const) or isinstance(value, Op) and value.row.name in POOLED

    # --- blocks ---

    def flush(self) -> None:
        """Put what the op at hand emitted in front of the current block."""
        self.cur.insns += reversed(self.out)
        self.out = []

    def flush_late(self, dst: int, src: int) -> None:
        """Like `flush`, but behind the instructions that still read `src` and do not need `dst` yet: so the two can
        share a register (`i + 1` after the last use of `i`)."""
        insns, place = self.cur.insns, 0
        for back in range(1, min(len(insns), LOOK_AHEAD) + 1):
            insn = insns[-back]
            if insn.reads_from(dst) or insn.targets or insn.writes_to(src):
                break
            if insn.reads_from(src):
                place = back
        insns[len(insns) - place:len(insns) - place] = reversed(self.out)
        self.out = []

    def split(self) -> MBlock:
        """The code that follows the op at hand becomes a block of its own, which is returned."""
        tail = self.mf.block(f"{self.cur.name}.{len(self.mf.blocks)}")
        tail.insns, self.cur.insns = self.cur.insns, []
        return tail

    def side(self, body: list[MInsn], target: MBlock) -> MBlock:
        """A block that runs `body` and goes to `target`."""
        block = self.mf.block(f"{target.name}.{len(self.mf.blocks)}")
        block.insns = [MInsn(GOTO, targets=(target,), span=self.span), *reversed(body)]
        return block

    def goto(self, target: MBlock) -> None:
        self.out.append(MInsn(GOTO, targets=(target,), span=self.span))

    def finish(self) -> MFunc:
        """Turn every block's instructions into program order."""
        for block in self.mf.blocks:
            block.insns.reverse()
        return self.mf


def _use_counts(fn: Function) -> dict[Value, int]:
    """How often each value is used; a cast is no use of its own."""
    counts: dict[Value, int] = {}
    for op in fn.ops():
        args = op.args if not op.row.same else []
        for arg in [*args, *(a for edge in op.edges for a in edge.args)]:
            arg = resolve(arg)
            counts[arg] = counts.get(arg, 0) + 1
    return counts


def _wide(src: int, ref: Ref) -> MInsn:
    return MInsn(LD_IMM64, src=src, ref=ref)
