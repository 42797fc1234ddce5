"""Both engines give the same result, the same memory, and the same fault in the same place, whatever the program."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.errors import VmFault
from purebpf.isa import opcodes as op
from purebpf.isa.codec import encode
from purebpf.isa.insn import Insn
from purebpf.vm import Bare
from tests.vm.asm import EXIT, alu, alu_r, call_local, goto, jump, load, mov, mov_r, store
from tests.vm.programs import programs


def outcome(insns: list[Insn], memory: bytes, engine: str, limit: int) -> tuple:
    held = bytearray(memory)
    try:
        result: object = Bare(encode(insns), engine=engine, insn_limit=limit).run(held)
    except VmFault as fault:
        result = (fault.message, fault.pc)
    return result, bytes(held)


@settings(max_examples=400, deadline=None)
@given(programs(), st.binary(min_size=48, max_size=48), st.sampled_from([50, 400, 3000]))
def test_engines_agree(insns, memory, limit):
    assert outcome(insns, memory, "fast", limit) == outcome(insns, memory, "plain", limit)


def agree(*insns: Insn, limit: int = 10_000, memory: bytes = bytes(range(64))) -> tuple:
    fast = outcome(list(insns), memory, "fast", limit)
    assert fast == outcome(list(insns), memory, "plain", limit)
    return fast


def test_nested_loops_count_alike():
    body = (mov(0, 0), mov(6, 0), mov(7, 0), alu(op.ADD, 0, 1), alu(op.ADD, 7, 1), jump(op.JLT, 7, 10, -3),
            alu(op.ADD, 6, 1), jump(op.JLT, 6, 10, -6), EXIT)
    for limit in range(300, 340):
        agree(*body, limit=limit)
    assert agree(*body)[0] == 100


def test_irreducible_graph():
    # two entries into one loop: no structured form without a dispatcher
    body = (mov(0, 0), jump(op.JEQ, 2, 64, 2), alu(op.ADD, 0, 1), goto(1), alu(op.ADD, 0, 10), alu(op.ADD, 0, 100),
            jump(op.JLT, 0, 500, -5), EXIT)
    agree(*body)
    body = (mov(0, 0), jump(op.JEQ, 2, 64, 1), alu(op.ADD, 0, 1), alu(op.ADD, 0, 10), jump(op.JGT, 0, 300, 1), goto(-4), EXIT)
    assert agree(*body)[0] > 300


def test_many_nested_ifs():
    n = 300
    body = [mov(0, 0)]
    for i in range(n):
        body += [jump(op.JEQ, 2, i, 2 * (n - i) - 1), alu(op.ADD, 0, 1)]
    assert agree(*body, EXIT)[0] == 64


def test_deep_loops():
    depth = 25
    body = [mov(0, 0), mov_r(9, 10)]
    for i in range(depth):
        body += [mov(1, 0), store(8, 9, 1, -8 * i - 8)]
    inner = [alu(op.ADD, 0, 1)]
    for i in range(depth):
        size = len(inner) + 4
        inner = [*inner, load(8, 1, 9, -8 * i - 8), alu(op.ADD, 1, 1), store(8, 9, 1, -8 * i - 8),
                 jump(op.JLT, 1, 1, -size), ]
    assert agree(*body, *inner, EXIT, limit=100_000)[0] == 1


def test_backward_walk_and_wrapped_offsets():
    # from the end to the start, one byte at a time
    body = (mov_r(3, 1), alu_r(op.ADD, 3, 2), mov(0, 0), load(1, 4, 3, -1), alu_r(op.ADD, 0, 4), alu(op.ADD, 3, -1),
            jump(op.JNE, 2, 0, 0), mov_r(5, 3), alu_r(op.SUB, 5, 1), jump(op.JNE, 5, 0, -7), EXIT)
    assert agree(*body)[0] == sum(range(64))
    below = (load(1, 0, 1, -1), EXIT)
    assert "offset -1 is outside memory" in agree(*below)[0][0]
    assert "outside" in agree(mov(3, -1), alu_r(op.ADD, 1, 3), load(1, 0, 1), EXIT)[0][0]
    assert agree(mov(3, -1), alu_r(op.ADD, 1, 3), load(1, 0, 1, 1), EXIT)[0] == 0
    assert agree(alu(op.ADD, 1, 70), mov(3, -8), alu_r(op.ADD, 1, 3), load(1, 0, 1), EXIT)[0] == 62


def test_a_pointer_from_an_earlier_call_stays_right():
    # both calls give pointers into the caller's stack; the first is used after the second
    body = (mov_r(1, 10), alu(op.ADD, 1, -8), mov(3, 7), store(8, 1, 3), call_local(7), mov_r(6, 0), mov_r(1, 10),
            alu(op.ADD, 1, -64), call_local(3), load(8, 0, 6), store(8, 6, 0), EXIT, mov_r(0, 1), EXIT)
    assert agree(*body)[0] == 7


def test_auto_changes_engines_unseen():
    """Code without loops starts plain and turns fast; each run sees what the one before left."""
    body = (load(8, 0, 1), alu(op.ADD, 0, 1), store(8, 1, 0), EXIT)
    bare, memory = Bare(encode(body)), bytearray(8)
    kinds = set()
    for n in range(1, 250):
        assert bare.run(memory) == n
        kinds.add(type(bare.program._program).__name__)
    assert kinds == {"PlainProgram", "FastProgram"}
    loop = Bare(encode((mov(0, 0), alu(op.ADD, 0, 1), jump(op.JLT, 0, 9, -2), EXIT)))
    assert loop.run() == 9 and type(loop.program._program).__name__ == "FastProgram"


def test_same_target_both_ways():
    assert agree(mov(0, 1), jump(op.JEQ, 0, 5, 0), Insn(op.JMP | op.JCOND), EXIT)[0] == 1


def test_widths_are_not_underestimated():
    """Values as large as what is known of them allows, combined, then used where a missing cut would show."""
    combine = [alu_r(what, 3, 4) for what in (op.ADD, op.SUB, op.MUL, op.OR, op.AND, op.XOR, op.DIV, op.MOD)]
    combine += [alu(what, 3, n) for what in (op.LSH, op.RSH, op.ARSH) for n in (1, 8, 31, 33)]
    combine += [alu(op.ADD, 3, 2**31 - 1), alu(op.MUL, 3, 2**31 - 1), alu(op.ADD, 3, -1), alu(op.NEG, 3)]
    sinks = [
        (Insn(op.ALU | op.MOV | op.X, 0, 3), EXIT), (mov_r(0, 3), EXIT),
        (mov(0, 1), Insn(op.JMP32 | op.JGT, 3, 0, 1, 5), mov(0, 2), EXIT),
        (mov(0, 1), Insn(op.JMP | op.JSGT, 3, 0, 1, 5), mov(0, 2), EXIT),
        (mov(0, 1), Insn(op.JMP32 | op.JSLT | op.X, 3, 4, 1), mov(0, 2), EXIT),
        (mov_r(0, 3), Insn(op.ALU | op.RSH, 0, 0, 0, 4), EXIT), (mov_r(0, 3), alu(op.RSH, 0, 60), EXIT),
        (store(4, 10, 3, -4), store(2, 10, 3, -2), load(8, 0, 10, -8), EXIT),
    ]
    for size_a in (1, 4, 8):
        for size_b in (1, 4, 8):
            for one in combine:
                for sink in sinks:
                    agree(load(size_a, 3, 1), load(size_b, 4, 1), one, *sink, memory=b"\xff" * 8)


def test_old_pointers_across_blocks_and_rounds():
    """A call in a loop gives a new pointer each round; the one of the round before is used after a jump."""
    body = (
        mov_r(9, 1), mov_r(6, 1), mov(7, 0), mov(8, 0),
        mov_r(1, 9), mov_r(2, 8), mov_r(3, 10), call_local(9),  # r0 = memory in even rounds, stack in odd ones
        jump(op.JEQ, 8, 3, 1), load(1, 4, 6, 1), alu_r(op.ADD, 7, 4),
        mov_r(6, 0), store(1, 6, 8, 1), alu(op.ADD, 8, 1), jump(op.JLT, 8, 6, -11),
        mov_r(0, 7), EXIT,
        mov_r(0, 1), jump(op.JSET, 2, 1, 1), EXIT, mov_r(0, 3), alu(op.ADD, 0, -64), EXIT,
    )
    assert isinstance(agree(*body)[0], int)


def test_uncut_values_meet():
    """Both operands are still wider than 64 bits (or negative) when they are combined."""
    for what in (op.AND, op.OR, op.XOR, op.ADD, op.SUB, op.MUL):
        for wide in (op.ALU64, op.ALU):
            for third in (alu(op.RSH, 3, 1), mov_r(5, 3), Insn(op.ALU | op.MOV | op.X, 3, 3)):
                agree(load(8, 3, 1), load(8, 4, 1, 8), Insn(wide | op.MUL | op.X, 3, 4), Insn(wide | op.NEG, 3),
                      Insn(wide | op.SUB | op.X, 4, 3), alu_r(op.MUL, 4, 4), Insn(wide | what | op.X, 3, 4), third, mov_r(0, 3), EXIT,
                      memory=b"\xf7" * 16)


def test_two_places_of_the_stack_meet():
    body = (mov(3, 7), mov(4, 9), store(8, 10, 3, -8), store(8, 10, 4, -16), mov_r(5, 10), jump(op.JEQ, 2, 0, 2),
            alu(op.ADD, 5, -8), goto(1), alu(op.ADD, 5, -16), load(8, 0, 5), EXIT)
    assert agree(*body)[0] == 7
    assert agree(*body, memory=b"")[0] == 9
