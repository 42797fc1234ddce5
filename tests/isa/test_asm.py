"""The assembler beyond single instructions: labels, expressions, data, names, and what it says about mistakes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.errors import AsmError
from purebpf.isa import assemble, disassemble

sys.path.insert(0, str(Path(__file__).parents[1] / "property"))


def lines(text: str, **more: object) -> list[str]:
    return disassemble(assemble(text, **more)).splitlines()  # type: ignore[arg-type]


def mistakes(text: str, **more: object) -> list[tuple[str, int, int]]:
    with pytest.raises(AsmError) as caught:
        assemble(text, **more)  # type: ignore[arg-type]
    return [(d.code, d.span.line, d.span.col + 1) for d in caught.value.diagnostics]


def said(text: str) -> str:
    with pytest.raises(AsmError) as caught:
        assemble(text, file="x.s")
    return str(caught.value)


@pytest.mark.parametrize(("text", "expected"), [
    ("r1=*(u8*)(r2+8)", "r1 = *(u8 *)(r2 + 8)"),
    ("r1 = * ( u16 * ) ( r2 - 8 )", "r1 = *(u16 *)(r2 - 8)"),
    ("r1 = *(u32 *)(r2)", "r1 = *(u32 *)(r2 + 0)"),
    ("w1 = *(u32 *)(r2 +8)", "r1 = *(u32 *)(r2 + 8)"),
    ("r1 = *(u64 *)(r2 + 4 * 2 - 1)", "r1 = *(u64 *)(r2 + 7)"),
    ("lock *(u32 *)(r1 +4) += r2", "lock *(u32 *)(r1 + 4) += w2"),
    ("r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)", "r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)"),
    ("r2 = atomic_xchg((u32 *)(r1 +0), r2)", "w2 = xchg32_32(r1 + 0, w2)"),
    ("r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)", "r0 = cmpxchg_64(r1 + 0, r0, r2)"),
    ("if r1 == 0xfffffff9 goto pc+2", "if r1 == -7 goto +2"),
    ("jsgt32 %r1, 5, +3", "if w1 s> 5 goto +3"), ("jeq r1,0,3", "if r1 == 0 goto +3"),
    ("mov %fp, %r10", "r10 = r10"), ("add64 r1, r2", "r1 += r2"), ("mov64 r1, -1", "r1 = -1"),
    ("lock fetch add [%r1+8], %r2", "r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)"),
    ("lock cmpxchg32 [%r1], %r2", "w0 = cmpxchg32_32(r1 + 0, w0, w2)"),
    ("swap16 %r3", "r3 = bswap16 r3"), ("endbe %r3,32", "r3 = be32 r3"), ("movs %r1,%r2,8", "r1 = (s8)r2"),
    ("xadddw [%r1+8],%r2", "lock *(u64 *)(r1 + 8) += r2"), ("call helper 5", "call 5"), ("call %r4", "callx r4"),
    ("call runtime 70000", "call kfunc 70000"), ("call kfunc 70000, module 2", "call kfunc 70000, module 2"),
    ("ja +0x7fff", "goto +32767"), ("ja +0xffff", "goto -1"), ("ldxw %r1, [%r2+0xfffc]", "r1 = *(u32 *)(r2 - 4)"),
    ("r1 = 0xffffffffffffffff ll", "r1 = 0xffffffffffffffff ll"), ("lddw r1, -1", "r1 = 0xffffffffffffffff ll"),
    ("ld_pseudo r1, 0x1, 0x5", "ld_pseudo r1, 1, 0x5"), ("r1 = map_by_fd(5) ll", "ld_pseudo r1, 1, 0x5"),
    ("r1 = map_val(map_by_idx(5)) + 8 ll", "r1 = map_val(map_by_idx(5)) + 8 ll"),
    ("r1 = 'A'", "r1 = 65"), (r"r1 = '\n'", "r1 = 10"), ("r1 = 0b101", "r1 = 5"), ("r1 = 010", "r1 = 8"),
    ("r1 = 1+2*3-4", "r1 = 3"), ("r1 = (1 + 2) * 3", "r1 = 9"), ("r1 = ~0 & 0xff", "r1 = 255"), ("r1 = 7 % 4 << 2", "r1 = 12"),
    ("r1 = -7 / 2", "r1 = -3"), ("r1 += -8 * 2", "r1 += -16"), ("if r1 & 1 << 4 goto +1", "if r1 & 16 goto +1"),
    ("r1 = -r1", "r1 = -r1"), ("r1 = !0", "r1 = 1"), ("w1 = 0xffffffff", "w1 = -1"),
    (".insn 0xbf, r1, r2, 0, 0", "r1 = r2"), (".insn 0xff, 1, 2, -3, 4", ".insn 0xff, 1, 2, -3, 4"),
    (".quad 0x95", "exit"), (".byte 0x95\n.zero 7", "exit"), (".long 0xb7, 5", "r0 = 5"),
])
def test_spellings(text: str, expected: str) -> None:
    assert lines(text) == [expected]


def test_comments_of_every_style() -> None:
    text = """
    r0 = 1   ; semicolon, don't stop
    r0 = 2   # hash 'n "such"
    r0 = 3   // slashes
    /* a block
       exit
    */ r0 = 4 /* here */
    # r0 = 5
    #r0 = 6
    call bpf_foo#7
    """
    assert lines(text) == ["r0 = 1", "r0 = 2", "r0 = 3", "r0 = 4", "call 7"]


def test_labels() -> None:
    text = """
start:  r0 = 0
1:      r0 += 1
        if r0 < 5 goto 1b
        goto 2f
        r1 = 0x1122334455667788 ll
2:      if r0 == 9 goto start
1: 2:   goto 1b
        goto end
        goto 2b
end:
    """
    assert lines(text) == ["r0 = 0", "r0 += 1", "if r0 < 5 goto -2", "goto +2", "r1 = 0x1122334455667788 ll",
                           "if r0 == 9 goto -7", "goto -1", "goto +1", "goto -3"]


def test_labels_in_the_mnemonic_notation_and_the_implicit_exit() -> None:
    text = "mov %r0, 1\njeq %r0, 1, exit\ncall local f\nja32 exit\nexit\nf: mov %r0, 2\nexit"
    assert lines(text) == ["r0 = 1", "if r0 == 1 goto +2", "call pc+2", "gotol +0", "exit", "r0 = 2", "exit"]
    assert lines("exit: goto exit\nexit") == ["goto -1", "exit"]


def test_calls_between_sections() -> None:
    text = ".section xdp\nprog: call f\nexit\n.text\nf: r0 = 1\ncall g\nexit\ng: exit"
    assert lines(text) == ["call pc+1", "exit", "r0 = 1", "call pc+1", "exit", "exit"]


def test_constants() -> None:
    text = """
    .equ A, 5
    .set B, A * 2
    C = B + 1
    r1 = A
    r2 = B + C
    r3 = LATER
    r4 = *(u32 *)(r1 + A)
    *(u8 *)(r1 - A) = C
    r5 = LATER + 1 ll
    LATER = 77
    .equ A, 6
    r6 = A
    """
    assert lines(text) == ["r1 = 5", "r2 = 21", "r3 = 77", "r4 = *(u32 *)(r1 + 5)", "*(u8 *)(r1 - 5) = 11",
                           "r5 = 0x4e ll", "r6 = 6"]


def test_types() -> None:
    text = """
    struct pair { u8 a; u32 b; };
    .struct event {
        struct pair p[3];   // an array
        union { u64 x; u8 y; };
        u16 lo : 3, hi : 5;   /* bits */
        char comm[16];
    }
    .typedef struct event event_t
    .enum color { RED, GREEN = 5, BLUE }
    r1 = sizeof(struct pair)
    r2 = sizeof(event_t)
    r3 = offsetof(struct event, p[1].b)
    r4 = offsetof(struct event, y)
    r5 = offsetof(event_t, comm)
    r6 = sizeof(u32[4]) + sizeof(void *)
    r7 = BLUE
    """
    assert lines(text) == ["r1 = 8", "r2 = 56", "r3 = 12", "r4 = 24", "r5 = 33", "r6 = 24", "r7 = 6"]


def test_helper_names() -> None:
    helpers = {"bpf_map_lookup_elem": 1, "map_lookup_elem": 1, "ktime_get_ns": 5}
    text = "call bpf_map_lookup_elem\ncall ktime_get_ns\ncall map_lookup_elem"
    assert lines(text, helpers=helpers) == ["call 1", "call 5", "call 1"]
    assert mistakes("call bpf_map_lokup_elem", helpers=helpers) == [("unknown-name", 1, 6)]


def test_verifier_log() -> None:
    log = """func#0 @0
Live regs before insn:
      0: .......... (b7) r0 = 1
      1: 0......... (55) if r0 != 0x0 goto pc+2
0: R1=ctx() R10=fp0
; int x = 1; @ a.c:3
0: (b7) r0 = 1                        ; R0_w=1
1: (55) if r0 != 0x0 goto pc+2        ; R0_w=1
4: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()
5: (95) exit

from 1 to 2: R0=0
2: (18) r1 = 0xffff888100000000
4: safe
processed 5 insns (limit 1000000) max_states_per_insn 0
"""
    assert lines(log) == ["r0 = 1", "if r0 != 0 goto +2", "r1 = 0xffff888100000000 ll", "call 7", "exit"]


def test_lines_of_several_logs() -> None:
    assert lines("3: (bf) r1 = r2\n3: (95) exit\n2: (b7) r0 = 1 ; R0=1") == ["r1 = r2", "exit", "r0 = 1"]


def test_listing_bytes_tell_what_the_text_does_not() -> None:
    listing = """
prog.o:\tfile format elf64-bpf

Disassembly of section xdp:

0000000000000000 <f>:
       0:\t85 10 00 00 01 00 00 00\tcall 0x1
       1:\td3 21 08 00 00 01 00 00\t<unknown>
       2:\t05 00 00 00 00 00 00 00\tgoto +0x0 <f+0x18>
       3:\t18 21 00 00 05 00 00 00 00 00 00 00 08 00 00 00\tld_pseudo\tr1, 0x2, 0x5
"""
    assert lines(listing) == ["call pc+1", "w1 = load_acquire((u8 *)(r2 + 8))", "goto +0",
                              "r1 = map_val(map_by_fd(5)) + 8 ll"]
    edited = listing.replace("goto +0x0", "goto +0x1")
    assert mistakes(edited)[0][:2] == ("listing-differs", 9)


def test_include() -> None:
    files = {"a.inc": "B = 2\n.include \"b.inc\"", "b.inc": "r0 = B\nr1 = wrong", "me": '.include "me"'}

    def read(path: str, source: str) -> tuple[str, str]:
        if path not in files:
            raise FileNotFoundError(2, "No such file")
        return path, files[path]

    assert lines('.include "a.inc"\nexit', include=lambda p, s: (p, "r0 = 7")) == ["r0 = 7", "exit"]
    with pytest.raises(AsmError) as caught:
        assemble('.include "a.inc"\nr2 = also', include=read, file="top.s")
    spans = [(d.span.file, d.span.line) for d in caught.value.diagnostics]
    assert sorted(spans) == [("b.inc", 2), ("top.s", 2)]
    assert "r1 = wrong" in str(caught.value)
    assert mistakes('.include "none"', include=read) == [("include", 1, 10)]
    assert mistakes('.include "me"', include=read)[0][0] == "include"
    assert mistakes('.include "a.inc"') == [("include", 1, 10)]


@pytest.mark.parametrize(("text", "code", "line", "col", "hint"), [
    ("r0 = 1\naddd r0, r1", "unknown-mnemonic", 2, 1, "did you mean 'add'?"),
    ("r11 = 5", "unknown-register", 1, 1, ""),
    ("r1 = r11", "unknown-register", 1, 6, "r0 to r10"), ("r1 = +1f", "unknown-name", 1, 7, ""), ("R1 = 5", "unknown-register", 1, 1, "'r1'"),
    ("add %r1, %r12", "unknown-register", 1, 10, "registers are r0 to r10"),
    ("r1 += w2", "register-width", 1, 7, "write r2"),
    ("w1 = r2", "register-width", 1, 6, "write w2"),
    ("r1 = 0x100000000", "out-of-range", 1, 6, "ll"),
    ("r1 = *(u8 *)(r2 + 40000)", "out-of-range", 1, 17, ""),
    ("goto +40000", "out-of-range", 1, 6, ""),
    ("goto nowhere", "unknown-name", 1, 6, ""),
    ("lop: goto loop", "unknown-name", 1, 11, "did you mean 'lop'?"),
    ("goto 1f\n1: exit\ngoto 2b", "unknown-name", 3, 6, ""),
    ("a: exit\na: exit", "redefined", 2, 1, ""),
    ("r1 = le16 r2", "same-register", 1, 11, ""),
    ("if r1 = 5 goto +1", "asm-syntax", 1, 7, ""),
    ("r1 = 5 5", "asm-syntax", 1, 8, ""),
    ("r1 = 1/0", "asm-syntax", 1, 7, ""),
    (".byt 5", "unknown-directive", 1, 1, "did you mean '.byte'?"),
    (".byte 256", "out-of-range", 1, 7, ""),
    (".byte 1\nexit", "asm-syntax", 2, 1, ""),
    ("r1 = x ll", "unknown-name", 1, 6, ""),
    (".map m, type=hash\nr1 = m ll", "needs-object", 2, 1, ""),
    ("r1 = sizeof(struct nope)", "asm-syntax", 1, 12, ""),
    (".struct a { u32 x }\n.struct a { u32 x }", "redefined", 2, 11, ""),
    (".struct a { u33 x }", "unknown-type", 1, 13, "did you mean 'u32'?"),
    (".data\nr0 = 1", "asm-syntax", 2, 1, ""),
    ("call 1, 2", "asm-syntax", 1, 7, ""),
    ("A = A", "asm-syntax", 1, 5, ""), ("A = B\nB = A\nr0 = 1", "asm-syntax", 2, 5, ""),
])
def test_mistakes(text: str, code: str, line: int, col: int, hint: str) -> None:
    assert mistakes(text)[0] == (code, line, col), said(text)
    assert hint in said(text)


def test_all_mistakes_of_a_text_with_their_lines() -> None:
    text = "r0 = 1\n r1 + 5\nexit\n\tif r1 > goto x\nfoo\n"
    assert [line for _, line, _ in mistakes(text)] == [2, 4, 5]
    shown = said(text)
    assert "x.s:2:5: error[asm-syntax]" in shown and "    2 |  r1 + 5" in shown and "\n      |     ^" in shown


def test_a_file_of_mistakes_only() -> None:
    found = mistakes("nonsense here\ncall nobody\n" * 2000)
    assert len(found) == 4000 and found[0][1:] == (1, 1) and found[-1][1:] == (4000, 6)


def test_far_labels() -> None:
    body = "r0 = 0\n" * 40000
    assert mistakes("goto end\n" + body + "end: exit") == [("jump-range", 1, 6)]
    assert len(assemble("gotol end\n" + body + "end: exit")) == 8 * 40002


_PIECES = st.sampled_from(["r1", "w2", "%r3", "=", "+=", "s>", "goto", "if", "(", ")", "*(u8 *)(", "lock", "5", "-8", "0x", "ll",
                           "label", ":", "1f", "\n", ";", "#", "/*", "*/", '"', "'", "{", "}", ".struct", ".map m, type=hash",
                           ".equ A,", "A", ".section", ".data", ".quad", ".insn", "call", "local", "[", "]", ",", "lddw",
                           "sizeof", "offsetof(struct a, b)", "@", "\\", "\0", "é", "²", ".include \"x\"", "3: (18) ",
                           "  0:\t95 00 00 00 00 00 00 00\t", "u32 a;", ".var u32 x = ", ".extern", "<f+0x1>", "~", "<<", "%"])


@given(text=st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=14).map(" ".join), st.lists(_PIECES, max_size=14).map("".join)),
       notation=st.sampled_from(("auto", "kernel", "mnemonic")))
@settings(max_examples=1200)
def test_any_text_gives_bytes_or_asm_error(text: str, notation: str) -> None:
    try:
        code = assemble(text, notation)
    except AsmError as error:
        assert error.diagnostics and all(d.span.line >= 1 and d.span.col >= 0 for d in error.diagnostics)
    else:
        assert len(code) % 8 == 0


def test_wrong_options() -> None:
    with pytest.raises(ValueError):
        assemble("exit", "att")
    with pytest.raises(ValueError):
        assemble("exit", byteorder="middle")
    with pytest.raises(ValueError):
        disassemble(b"", "auto")
