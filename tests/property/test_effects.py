"""Random programs with effects, judged by CPython through the model; and the model against what the contract says."""

from __future__ import annotations

import textwrap

import pytest

from . import model
from .effects import HEAD, Writer
from .effects_run import differs, judge

SEEDS = range(7000, 7090)  # many more by hand: python -m tests.property.effects 20000


def test_programs_are_python() -> None:
    """What the generator writes, the model can run: every seed is a judgement."""
    for seed in range(400):
        program = Writer(seed).program()
        model.run(program.text, program.packet)


def test_programs_differ_and_repeat() -> None:
    texts = {Writer(seed).program().text for seed in range(50)}
    assert len(texts) == 50
    assert Writer(3).program() == Writer(3).program()


@pytest.mark.kernel
def test_effects() -> None:
    """VM at both levels and kernel leave what the model leaves."""
    assert not {seed: why for seed in SEEDS if (why := judge(Writer(seed).program()))}


CASES = {  # statements of a program over the declarations below -> the answer
    "swap of arrays": ("e.src[0] = 1\ne.dst[0] = 2\ne.src, e.dst = e.dst, e.src\nreturn e.src[0] * 10 + e.dst[0]", 21),
    "swap through a name": ("e.src[0] = 1\ne.dst[0] = 2\nt = e.src\ne.src = e.dst\ne.dst = t\nreturn e.src[0] * 10 + e.dst[0]", 21),
    "a name is the thing": ("t = e.src\nt[1] = 5\nreturn e.src[1]", 5),
    "the old thing is detached": ("t = e.src\ne.src = e.dst\nt[1] = 5\nreturn e.src[1]", 0),
    "overlapping halves": ("u.word = 0x04030201\nu.half[1] = u.half[0]\nreturn u.word", 0x02010201),
    "get copies": ("m[1] = e\nc = m.get(1)\nm[1].n = 7\nreturn c.n", 0),
    "lookup does not": ("m[1] = e\nc = m.lookup(1)\nm[1].n = 7\nreturn c.n", 7),
    "stores wrap": ("e.n = 300\nreturn e.n", 44),
    "bit-fields wrap, with their sign": ("e.low = 17\nreturn u32(e.low + 100)", 85),
    "u32 * u32 is u64": ("x = u32(0xFFFFFFFF)\nreturn x * x >> 32", 0xFFFFFFFE),
    "u64 - u64 wraps": ("x = u64(1)\nreturn (x - u64(2)) >> 40", 0xFFFFFF),
    "u32 - u32 does not": ("x = u32(1)\nreturn (x - u32(2)) < 0", 1),
    "division by zero": ("x = u32(7)\ny = u32(0)\nreturn x // y * 10 + x % y", 7),
    "the target before the value": ("g.value = 5\ng.value += bump()\nreturn g.value", 6),
    "a comparison's left side first": ("g.value = 5\nreturn g.value < bump()", 0),
    "strings are values": ("e.name = 'one'\nold = e.name\ne.name = 'two'\nreturn old == 'one' and e.name == 'two'", 1),
    "strings are cut": ("e.nick = 'abcdefgh'\nreturn len(e.nick)", 4),
    "outside ends the program": ("g.value = 9\ne.src[g.value] = 1\nreturn 5", 0),
    "the last element": ("e.src[3] = 8\nreturn e.src[-1]", 8),
    "a failed pull does not move": ("p = ctx.packet\np.pull(E)\np.pull(E)\nreturn len(p)", 4),
    "big-endian at rest": ("p = ctx.packet.peek(be16)\nreturn p.value", 0x0001),
}


@pytest.mark.parametrize("name", CASES)
def test_model(name: str) -> None:
    body, answer = CASES[name]
    text = HEAD + textwrap.dedent("""
        @bpf.struct
        class E:
            src: Array[u8, Literal[4]]
            dst: Array[u8, Literal[4]]
            n: u8
            low: i32[:5]
            name: Array[char, Literal[8]]
            nick: Array[char, Literal[4]]
        @bpf.union
        class U:
            word: u32
            half: Array[u16, Literal[2]]
        g = Global[u64](0)
        m = HashMap[u32, E](max_entries=4)
        def bump():
            g.value = 1
            return 1
        @bpf.xdp
        def prog(ctx):
            e, u = E(), U()
        """) + textwrap.indent(body, "    ") + "\n"
    assert model.run(text, bytes(range(28))).retval == answer


def test_differences_are_seen() -> None:
    state = model.run(Writer(1).program().text, bytes(64))
    assert not differs(state, state)
    for change in ({"retval": state.retval + 1}, {"packet": b"x"}, {"records": [b"x"]},
                   {"globals": {**state.globals, "g0": b"x" * 8}}, {"maps": {**state.maps, "h": {b"k": b"v"}}}):
        assert differs(state._replace(**change), state)
