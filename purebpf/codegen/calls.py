"""The calling convention: arguments in R1-R5, the result in R0, R6-R9 kept, R1-R5 destroyed.

Arguments are copied into their registers right before the call, values before constants; allocation then gives a value
its argument register from the start where it can. At most five arguments: the IR's rule, so not checked again here.
"""

from __future__ import annotations

from ..errors import InternalError
from ..ir.function import Op, Value
from ..ir.ops import Helper, Kfunc, Symbol
from ..isa.insn import FuncRef, KfuncRef
from ..isa.opcodes import CALL_HELPER, CALL_KFUNC, CALL_LOCAL
from .mach import ARGUMENTS, CALL_CLOBBERS, CALL_OP, RETURN, move
from .selector import Selector


def parameters(s: Selector) -> None:
    """Take the function's parameters, those that are used, out of their registers."""
    for reg, param in zip(ARGUMENTS, s.fn.params):
        if param in s.regs:
            s.out.append(move(s.regs[param], reg, s.span))


def call(s: Selector, op: Op) -> None:
    """A helper, a kfunc or a subprogram."""
    s.parallel((reg, arg) for reg, arg in zip(ARGUMENTS, op.args))
    match op.attr:
        case Helper(number):
            insn = s.emit(CALL_OP, 0, CALL_HELPER, imm=number)
        case Kfunc(name, weak):
            insn = s.emit(CALL_OP, 0, CALL_KFUNC, imm=-1, ref=KfuncRef(name, weak))
        case Symbol(name):
            insn = s.emit(CALL_OP, 0, CALL_LOCAL, imm=-1, ref=FuncRef(name))
        case attr:
            raise InternalError("codegen.isel", f"{op.row.name} has attribute {attr!r}")
    insn.uses = (1 << len(op.args) + 1) - 2
    insn.clobbers = CALL_CLOBBERS
    if s.demanded(op):
        s.out.append(move(s.regs[op], 0, s.span))


def leave(s: Selector, value: Value) -> None:
    """Return `value`."""
    s.copy(0, value)
    s.emit(RETURN).uses = 1
