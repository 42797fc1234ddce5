"""The frame: slots share memory only when their lifetimes do not meet, and 512 bytes are the limit."""

from __future__ import annotations

import pytest

from purebpf.codegen import generate, regalloc, stack
from purebpf.codegen.generate import prepare
from purebpf.codegen.isel import select
from purebpf.errors import CompileError, Span
from purebpf.ir.function import Function
from purebpf.ir.text import parse


def function(body: str) -> Function:
    return parse(f"func @f(%a: i64, %b: i64) -> i64 {{\nentry:\n{body}\n}}\n").functions["f"]


def offsets(fn: Function) -> list[int]:
    """Of the allocas, in the order of the text (of those that are used)."""
    mf = select(fn, 3)
    prepare(mf)
    regalloc.allocate(mf)
    order = [op for op in fn.ops() if op.row.name == "alloca"]
    by_name = {slot.what: place for slot, place in zip(mf.slots, stack.frame(mf, None))}
    return [by_name[op.name] for op in order]


def test_one_after_the_other_share() -> None:
    fn = function("""
  %s = alloca 8 align 8 : ptr.stack
  %t = alloca 8 align 8 : ptr.stack
  store.u64 %s, %a
  %x = load.u64 %s
  store.u64 %t, %x
  %y = load.u64 %t
  ret %y""")
    assert offsets(fn) == [-8, -8]


def test_at_the_same_time_do_not() -> None:
    fn = function("""
  %s = alloca 8 align 8 : ptr.stack
  %t = alloca 8 align 8 : ptr.stack
  store.u64 %s, %a
  store.u64 %t, %b
  %x = load.u64 %s
  %y = load.u64 %t
  %z = add %x, %y
  ret %z""")
    assert sorted(offsets(fn)) == [-16, -8]


@pytest.mark.parametrize("pointer", (
    "%p = ptradd %s, %b",
    "%q = ptradd %s, 4\n  %p = ptradd %q, %a",
    "%p = select %a, %s, %u : ptr.stack",
    "%n = cast %s : i64\n  %p = cast %n : ptr.stack",
))
def test_a_pointer_keeps_its_slot_alive(pointer: str) -> None:
    fn = function(f"""
  %s = alloca 16 align 8 : ptr.stack
  %t = alloca 16 align 8 : ptr.stack
  %u = alloca 16 align 8 : ptr.stack
  store.u64 %s, %a
  {pointer}
  store.u64 %t, %b
  store.u64 %t + 8, %a
  %x = load.u64 %t
  %y = load.u8 %p
  %z = add %x, %y
  store.u64 %u, %z
  %w = load.u64 %u
  ret %w""")
    s, t, _ = offsets(fn)
    assert abs(s - t) >= 16


def test_a_call_reads_what_it_is_given() -> None:
    """The helper gets a pointer made before the other slot's lifetime."""
    fn = function("""
  %s = alloca 8 align 8 : ptr.stack
  %t = alloca 8 align 8 : ptr.stack
  store.u64 %s, %a
  store.u64 %t, %b
  %x = helper 100 h(%t, 8) : i64
  %y = helper 101 h(%s, 8) : i64
  %z = add %x, %y
  ret %z""")
    assert len(set(offsets(fn))) == 2


def test_an_address_that_was_stored_keeps_its_slot_for_good() -> None:
    fn = function("""
  %s = alloca 8 align 8 : ptr.stack
  %t = alloca 8 align 8 : ptr.stack
  %h = alloca 8 align 8 : ptr.stack
  store.u64 %s, %a
  store.u64 %h, %s
  %x = helper 100 h(%h, 8) : i64
  store.u64 %t, %x
  %y = load.u64 %t
  ret %y""")
    s, t, h = offsets(fn)
    assert s not in (t, h)


def test_a_slot_lives_round_a_loop() -> None:
    """Written before the loop and read in it: another slot of the loop must not take its place."""
    fn = parse("""
func @f(%a: i64, %b: i64) -> i64 {
entry:
  %s = alloca 8 align 8 : ptr.stack
  %t = alloca 8 align 8 : ptr.stack
  store.u64 %s, %a
  jump head(0)
head(%i: i64):
  %x = load.u64 %s
  store.u64 %t, %x
  %y = load.u64 %t
  %j = add %i, 1
  %c = ult %j, %y
  br %c, head(%j), out
out:
  ret %y
}""").functions["f"]
    assert len(set(offsets(fn))) == 2


def test_alignment_and_size_decide_places() -> None:
    fn = function("""
  %s = alloca 1 align 1 : ptr.stack
  %t = alloca 4 align 4 : ptr.stack
  %u = alloca 20 align 8 : ptr.stack
  store.u8 %s, 1
  store.u32 %t, 2
  store.u32 %u, 3
  %x = helper 100 h(%s, %t, %u) : i64
  ret %x""")
    s, t, u = offsets(fn)
    assert t % 4 == 0 and u % 8 == 0
    assert (u, t, s) == (-24, -4, -25)  # t in the rest of what u's alignment takes


def large(sizes: tuple[int, ...]) -> Function:
    lines = [f"  %v{n} = alloca {size} align 8 : ptr.stack\n  store.u64 %v{n}, {n}" for n, size in enumerate(sizes)]
    args = ", ".join(f"%v{n}" for n in range(len(sizes)))
    fn = function("\n".join(lines) + f"\n  %x = helper 100 h({args}) : i64\n  ret %x")
    for op in fn.ops():
        if op.row.name == "alloca":
            op.span = Span("prog.py", int(op.name[1:]) + 10, 4)
    return fn


def test_512_bytes_fit() -> None:
    generate(large((256, 128, 128)))


def test_too_large_names_the_largest() -> None:
    with pytest.raises(CompileError) as caught:
        generate(large((64, 400, 128)))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "stack-too-large"
    assert diagnostic.span == Span("prog.py", 11, 4)
    assert "592 bytes" in diagnostic.message and "512" in diagnostic.message
    assert "v1" in diagnostic.label and "400" in diagnostic.label
    assert [(span.line, "v2" in text or "v0" in text) for span, text in diagnostic.notes] == [(12, True), (10, True)]
    assert "map" in diagnostic.help
