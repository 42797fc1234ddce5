"""Reading verifier logs of several kernels' making."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.loader import logs
from purebpf.loader.logs import ABSENT, REASONS, Reason, rejection
from purebpf.spec import Line

OLD = """0: (b7) r1 = 0
1: (63) *(u32 *)(r10 -4) = r1
last_idx 1 first_idx 0
regs=2 stack=0 before 0: (b7) r1 = 0
2: (85) call bpf_map_lookup_elem#1
3: (79) r3 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
BRANCHES = """func#0 @0
0: R1=ctx(off=0,imm=0) R10=fp0
0: (bf) r6 = r1                       ; R1=ctx(off=0,imm=0) R6_w=ctx(off=0,imm=0)
1: (15) if r6 == 0x0 goto pc+2        ; R6_w=ctx()

from 1 to 4: R6_w=0 R10=fp0
4: (b7) r2 = 3                        ; R2_w=3
5: (0f) r2 += r6                      ; R2_w=scalar(umax=3,var_off=(0x0; 0x3)) R6_w=0
6: (71) r0 = *(u8 *)(r2 +0)
R2 invalid mem access 'scalar'
verification time 91 usec
stack depth 0
processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
WORDY = """0: R1=ctx() R10=fp0
0: (b7) r2 = 7                        ; R2=7
1: (79) r0 = *(u64 *)(r2 +0)
R2 something that nobody has heard of

Verification failed: Register Type Safety: Invalid dereference

Reason:
  R2 is an integer scalar here,
  not a pointer to memory.

At:
  insn 1
       | ^-- error: invalid dereference of R2 (an integer scalar)
  Instruction context:
      0 | (b7) r2 = 7

Suggestion:
  Preserve a pointer-valued register.

processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""


def test_the_complaint_of_an_old_kernel() -> None:
    got = logs.read(OLD)
    assert got.summary == "R0 invalid mem access 'map_value_or_null'"
    assert (got.slot, got.insn) == (3, "r3 = *(u64 *)(r0 +0)") and got.origin["R0"] == 2


def test_what_was_known_and_where_it_came_from() -> None:
    got = logs.read(BRANCHES)
    assert got.summary == "R2 invalid mem access 'scalar'" and got.slot == 6
    assert got.registers["R2"] == "scalar(umax=3,var_off=(0x0; 0x3))" and got.registers["R6"] == "0"
    assert got.origin == {"R6": 0, "R2": 5}


def test_the_kernel_s_own_advice_where_we_have_none() -> None:
    got = logs.read(WORDY)
    assert got.summary == "R2 something that nobody has heard of" and got.slot == 1
    error = logs.rejection(13, "p", WORDY)
    assert error.explanation == "R2 is an integer scalar here, not a pointer to memory. Preserve a pointer-valued register."
    assert error.log == WORDY


SUMMARIES = {
    "null-pointer": ["R0 invalid mem access 'map_value_or_null'", "R1 invalid mem access 'ringbuf_mem_or_null'"],
    "not-a-pointer": ["R1 invalid mem access 'inv'", "R7 invalid mem access 'scalar'"],
    "bad-pointer": ["R1 invalid mem access 'fp'"],
    "packet-bounds": ["invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)", "R2 offset is outside of the packet"],
    "no-return-value": ["R0 !read_ok"],
    "uninitialised": ["R6 !read_ok"],
    "unbounded": ["R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
                  "R2 min value is negative, either use unsigned or 'var &= const'"],
    "map-value-bounds": ["invalid access to map value, value_size=8 off=8 size=8",
                         "R0 max value is outside of the allowed memory range"],
    "memory-bounds": ["invalid access to memory, mem_size=8 off=8 size=4"],
    "endless-loop": ["back-edge from insn 5 to 2", "infinite loop detected at insn 3"],
    "too-complex": ["BPF program is too large. Processed 1000001 insn"],
    "too-many-jumps": ["The sequence of 8193 jumps is too complex."],
    "stack-depth": ["combined stack size of 2 calls is 544. Too large", "the call stack of 9 frames is too deep !"],
    "stack-uninitialised": ["invalid indirect read from stack R2 off -4+0 size 4", "invalid read from stack off -16+0 size 8"],
    "stack-bounds": ["invalid write to stack R10 off=-520 size=8", "invalid stack type R2 off=-520 access_size=4",
                     "attempt to corrupt spilled pointer on stack"],
    "gpl-only": ["cannot call GPL-restricted function from non-GPL compatible program"],
    "no-such-helper": ["unknown func bpf_skb_vlan_pop#19", "invalid func unknown#999",
                       "program of this type cannot use helper bpf_sk_release#86"],
    "no-such-kfunc": ["calling kernel function bpf_task_release is not allowed"],
    "unreleased": ["Unreleased reference id=2 alloc_insn=4", "BPF_EXIT instruction in main prog would lead to reference leak"],
    "misaligned": ["misaligned stack access off (0x0; 0x0)+0+-12 size 8", "misaligned packet access off 0+14+0 size 4"],
    "leaks-pointer": ["R0 leaks addr as return value", "R1 leaks addr into map"],
    "context-field": ["invalid bpf_context access off=400 size=4"],
    "context-store": ["BPF_ST stores into R1 ctx is not allowed"],
    "modified-context": ["dereference of modified ctx ptr R1 off=4 disallowed"],
    "pointer-arithmetic": ["R0 pointer arithmetic on map_value_or_null prohibited, null-check it first",
                           "R1 bitwise operator &= on pointer prohibited", "math between pkt pointer and register with"],
    "argument-type": ["R1 type=inv expected=map_ptr", "R2 type=scalar expected=fp, pkt, pkt_meta, map_key"],
    "return-value": ["At program exit the register R0 has value (0x4d; 0x0) should have been in (0x0; 0x1)",
                     "At program exit the register R0 has smin=77 smax=77 should have been in [0, 1]"],
    "read-only": ["write into map forbidden, value_size=4 off=0 size=4"],
    "malformed": ["unreachable insn 2", "jump out of range from insn 1 to 7"],
    "unknown-instruction": ["unknown opcode 06", "BPF_LDX uses reserved fields"],
}


@pytest.mark.parametrize(("code", "summary"), [(c, s) for c, many in SUMMARIES.items() for s in many])
def test_every_reason_fits_its_complaints(code: str, summary: str) -> None:
    reason = logs.explain(summary)
    assert reason is not None and reason.code == "verifier-" + code


def test_every_reason_has_an_example() -> None:
    assert {r.code for r in logs.REASONS} - {"verifier-" + c for c in SUMMARIES} <= {"verifier-attach-target"}


def test_lines_are_found_by_slot() -> None:
    lines = [(0, Line(0, "a.py", 3, 1, "x")), (4, Line(2, "a.py", 5, 1, "y"))]
    assert logs.line_at(lines, 3) == lines[0][1] and logs.line_at(lines, 4) == logs.line_at(lines, 99) == lines[1][1]
    assert logs.line_at([], 0) is None


def test_the_text_of_a_lost_file_comes_from_the_records() -> None:
    lines = [(0, Line(0, "<gone>", 7, 5, "    v = m.lookup(1)")), (3, Line(1, "<gone>", 9, 5, "    v.total += 1"))]
    text = str(logs.rejection(13, "prog", OLD, lines))
    assert text.splitlines()[0] == ("<gone>:9:5: error[verifier-null-pointer]: the verifier rejected prog: R0 invalid mem "
                                    "access 'map_value_or_null'")
    assert "    9 |     v.total += 1" in text and "    7 |     v = m.lookup(1)" in text
    assert "<gone>:7:5: note: R0 was set here (insn 2)" in text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from((OLD + BRANCHES + WORDY).splitlines()), st.text(max_size=40)), max_size=30))
def test_any_text_gives_a_complaint(lines: list[str]) -> None:
    logs.rejection(22, "p", "\n".join(lines), [(0, Line(0, "f", 1, 1, "t"))])


@pytest.mark.parametrize(("file", "says", "not_said"), [("x.py", "if v is not None:", "!v"), ("x.bpf.c", "if (!v) return 0;", "None")])
def test_help_is_in_the_language_of_the_source(file: str, says: str, not_said: str) -> None:
    log = "0: (79) r1 = *(u64 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'\n"
    error = rejection(13, "prog", log, ((0, Line(0, file, 3, 1, "v.n += 1")),))
    assert says in str(error) and not_said not in error.explanation and "{" not in error.explanation


@pytest.mark.parametrize("reason", [*REASONS, ABSENT], ids=lambda reason: reason.code)
def test_every_text_has_both_languages(reason: Reason) -> None:
    for python in (True, False):
        assert not set(reason.said(python)) & set("{}|"), reason.said(python)
