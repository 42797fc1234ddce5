"""The last checker notices what layout, tidying and emission could do wrong; and every crash says where it was."""

from __future__ import annotations

import pytest

from purebpf.codegen import final, generate
from purebpf.codegen.emit import instructions
from purebpf.codegen.mach import MInsn
from purebpf.errors import InternalError
from purebpf.ir import text
from purebpf.isa.opcodes import ALU64, EXIT, JEQ, JMP, MOV, K, X
from purebpf.opt import optimize, pipeline
from purebpf.spec import FuncSpec

SET0 = (ALU64 | MOV | K, 0, 0, 0, 1)
END = (JMP | EXIT, 0, 0, 0, 0)
ON = (JMP | JEQ | K, 1, 0, 1, 0)


def findings(*rows: tuple[int, int, int, int, int]) -> str:
    code = []
    for row in rows:
        insn = MInsn(*row)
        if row == END:
            insn.uses = 1
        code.append(insn)
    try:
        final.check(FuncSpec("f", instructions(code)), code)
    except InternalError as error:
        return error.message
    return ""


def test_whole() -> None:
    assert findings(SET0, ON, SET0, END) == ""


@pytest.mark.parametrize(("rows", "what"), [
    ((SET0,), "leads to no instruction"),
    ((END,), "reads R0"),
    (((ALU64 | MOV | X, 0, 6, 0, 0), END), "reads R6"),
    ((ON, SET0, END), "reads R0"),  # only one of the two ways sets it
    (((JMP | JEQ | K, 1, 0, 1, 0), (JMP, 0, 0, 1, 0), SET0, END), "reads R0"),
    ((SET0, (JMP | JEQ | K, 1, 0, 7, 0), END), "leads to no instruction"),
    ((SET0, (JMP | JEQ | K, 1, 0, -9, 0), END), "leads to no instruction"),
    ((SET0, (ALU64 | MOV | K, 10, 0, 0, 1), END), "writes R10"),
    ((SET0, (ALU64 | MOV | K, 0, 0, 0, 1 << 40), END), "imm"),
])
def test_damage(rows: tuple[tuple[int, int, int, int, int], ...], what: str) -> None:
    assert what in findings(*rows)


def test_a_crash_names_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    module = text.parse("func @f(%a: i64) -> i64 {\nentry:\n  ret %a\n}\n")
    monkeypatch.setitem(pipeline.PASSES, "gvn", lambda fn: {}["nothing"])  # type: ignore[arg-type]
    with pytest.raises(InternalError, match=r"in gvn: KeyError in @f: 'nothing'\n.*report it(.|\n)*ret %a"):
        optimize(module)


def test_a_crash_in_codegen_names_the_function() -> None:
    module = text.parse("func @f(%a: i64) -> i64 {\nentry:\n  abort\n}\n")
    module.functions["f"].blocks[0].ops[0].row = next(iter(pipeline.PASSES))  # type: ignore[assignment]
    with pytest.raises(InternalError, match="codegen"):
        generate(module.functions["f"])
