"""Instructions by named constructors, made from the table: the mnemonic's name, its operands in the mnemonic's order.

    from purebpf.isa import alu64, atomic64, jmp, jmp32, label, mem, program, r0, r1, r2
    from purebpf.isa.build import flow   # calls and exit; the room has a module of that name

    code = encode(program(
        alu64.mov(r0, 0),
        jmp.jeq(r1, 5, "out"),           # a register or a number; a label or a distance in slots
        mem.ldxw(r0, r1, 4),             # r0 = *(u32 *)(r1 + 4): memory is base register, offset
        atomic64.fetch_add(r1, 8, r2),
        label("out"),
        flow.exit(),
    ))

`and` and `or` are written `and_`, `or_`. Addresses take a value or a symbol: `mem.lddw(r1, MapRef("counts"))`,
`flow.call(FuncRef("f"))`, `flow.call(KfuncRef("bpf_rcu_read_lock"))`. A wrong operand is a FormatError.
"""

from __future__ import annotations

from typing import Final, Iterable

from ..errors import FormatError
from .expr import Problem
from .grammar import SLOT, TOKEN, Leaf
from .insn import DataRef, FuncRef, Insn, KconfigRef, KfuncRef, KsymRef, Label, MapRef
from .opcodes import (
    ALU,
    CALL_KFUNC,
    CALL_LOCAL,
    IMM64_BTF_ID,
    IMM64_FUNC,
    IMM64_MAP_FD,
    IMM64_MAP_VALUE,
    JMP32,
    STX,
)
from .operands import place
from .table import ROWS, Row


class Reg(int):
    """A register as an operand, so that `r2` and 2 differ."""

    def __repr__(self) -> str:
        return f"r{int(self)}"


r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 = (Reg(n) for n in range(11))
fp: Final = r10

Symbol = Label | MapRef | DataRef | FuncRef | KfuncRef | KsymRef | KconfigRef
Operand = Reg | int | str | Symbol


def label(name: str) -> Label:
    """A place for `program`; as an operand, the name alone (str) means the same."""
    return Label(name)


class Constructor:
    """Makes one instruction. `forms`: the table's rows of that name, told apart by register or number operands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forms: list[tuple[Row, tuple[str, ...]]] = []

    def __call__(self, *operands: Operand) -> Insn:
        """The instruction with these operands; FormatError if they are not what it takes."""
        for row, slots in self.forms:
            if len(slots) == len(operands) and all(
                    isinstance(value, Reg) == (slot in ("d", "s")) for slot, value in zip(slots, operands)):
                return _make(row, slots, operands)
        wanted = " or ".join("(" + ", ".join(_WORDS[s] for s in slots) + ")" for _, slots in self.forms)
        raise FormatError(f"{self.name} takes {wanted}, not {operands!r}")

    def __repr__(self) -> str:
        return f"<constructor {self.name}>"


_WORDS: Final = {"d": "register", "s": "register", "o": "offset", "j": "label", "J": "label", "f": "function",
                 "i": "number", "u": "number", "I": "value", "a": "number", "b": "number", "l": "number", "h": "number",
                 "k": "number", "m": "number", "x": "function"}


class Group:
    """Constructors of one kind, as attributes; `dir()` lists them."""

    def __init__(self) -> None:
        self._constructors: dict[str, Constructor] = {}

    def __getattr__(self, name: str) -> Constructor:
        try:
            return self._constructors[name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return sorted(self._constructors)


def _make(row: Row, slots: tuple[str, ...], operands: tuple[Operand, ...]) -> Insn:
    insn = Insn(row.code, row.dst or 0, row.src or 0, row.off or 0, row.imm or 0)
    leaf = Leaf(row, slots)
    for slot, value in zip(slots, operands):
        if slot == "d":
            insn = insn._replace(dst=int(value))  # type: ignore[arg-type]
        elif slot == "s":
            insn = insn._replace(src=int(value))  # type: ignore[arg-type]
        elif isinstance(value, int):
            try:
                insn = place(insn, slot, value, leaf, 0)
            except Problem as problem:
                raise FormatError(f"{row.name}: {problem.message}") from None
        else:
            insn = _symbol(insn, row, slot, Label(value) if isinstance(value, str) else value)
    return insn


def _symbol(insn: Insn, row: Row, slot: str, ref: Symbol) -> Insn:
    if slot in ("j", "J") and isinstance(ref, Label):
        return insn._replace(ref=ref)
    if slot in ("x", "f"):
        if isinstance(ref, (FuncRef, Label)):
            return insn._replace(src=CALL_LOCAL, imm=-1, ref=ref)
        if isinstance(ref, KfuncRef):
            return insn._replace(src=CALL_KFUNC, imm=-1, ref=ref)
    if slot == "I" and row.name == "lddw" and not isinstance(ref, (Label, KfuncRef)):
        src = {MapRef: IMM64_MAP_FD, DataRef: IMM64_MAP_VALUE, FuncRef: IMM64_FUNC}.get(type(ref), 0)
        if isinstance(ref, KsymRef) and ref.typed:
            src = IMM64_BTF_ID
        return insn._replace(src=src, ref=ref)
    raise FormatError(f"{row.name} cannot refer to {ref!r}")


def program(*items: Insn | Label | Iterable[Insn | Label]) -> list[Insn]:
    """The instructions with every jump and call to a label of the same program resolved; labels vanish.

    FormatError for a label that is missing, defined twice or out of range."""
    flat: list[Insn | Label] = []
    for item in items:
        flat += [item] if isinstance(item, (Insn, Label)) else item
    places: dict[str, int] = {}
    slot = 0
    for item in flat:
        if isinstance(item, Label):
            if item.name in places:
                raise FormatError(f"label {item.name!r} is defined twice")
            places[item.name] = slot
        else:
            slot += item.slots
    out: list[Insn] = []
    slot = 0
    for item in flat:
        if isinstance(item, Label):
            continue
        slot += item.slots
        if isinstance(item.ref, Label):
            goal = places.get(item.ref.name)
            if goal is None:
                raise FormatError(f"there is no label {item.ref.name!r}")
            delta = goal - slot
            in_imm = item.code == JMP32 or item.imm == -1 and item.src == CALL_LOCAL
            if not in_imm and not -32768 <= delta <= 32767:
                raise FormatError(f"label {item.ref.name!r} is {delta} slots away")
            item = item._replace(ref=None, **({"imm": delta} if in_imm else {"off": delta}))
        out.append(item)
    return out


alu64, alu32, jmp, jmp32, mem, atomic64, atomic32, flow = (Group() for _ in range(8))

_FLOW: Final = {"ja": "ja", "gotol": "gotol", "may_goto": "may_goto", "gotox": "gotox", "callx": "callx", "exit": "exit",
                "call_helper": "call", "call_local": "call_local", "call_kfunc": "call_kfunc",
                "call_kfunc_module": "call_kfunc"}


def _fill() -> None:
    """Sort the rows into the groups, by opcode class and name."""
    for row in ROWS:
        template = row.mnemonic[0]
        slots = tuple(SLOT.findall(template))
        mnemonic = TOKEN.findall(template)[0]
        narrow = row.name.endswith(("32", "32_imm", "32_reg"))
        name = row.name.removesuffix("_imm").removesuffix("_reg")
        cls = row.code & 7
        if row.name in _FLOW:
            group, name = flow, _FLOW[row.name]
        elif row.code & 0xE7 == 0xC0 | STX:
            if row.name.startswith(("load_acquire", "store_release")):
                group, name = mem, row.name
            else:
                group = atomic32 if narrow else atomic64
                name = name.removeprefix("atomic_").removesuffix("32")
        elif cls in (ALU, 7):
            wide = cls == 7 or mnemonic.startswith(("le", "be"))
            group = alu64 if wide else alu32
            name = name.removesuffix("_64").removesuffix("_32")
            name = name if wide or name.startswith("movsx") else name.removesuffix("32")
        elif cls in (5, 6):
            group = jmp32 if cls == 6 else jmp
            name = name.removesuffix("32")
        else:
            group, name = mem, row.name
        name += "_" if name in ("and", "or") else ""
        group._constructors.setdefault(name, Constructor(name)).forms.append((row, slots))


_fill()
