"""Hypothesis strategies for BTF: graphs of types that refer to each other every which way, and damaged bytes."""

from __future__ import annotations

from hypothesis import strategies as st

from purebpf.btf import Btf
from purebpf.btf import types as t

NAME = st.text("abcdefghijklmnop_XYZ09.é", min_size=1, max_size=12)
ANY_NAME = st.one_of(st.just(""), NAME)
U32 = st.integers(0, (1 << 32) - 1)


@st.composite
def ints(draw: st.DrawFn) -> t.Int:
    size = draw(st.sampled_from([1, 2, 4, 8, 16]))
    bits = draw(st.integers(1, 8 * size - 1)) if draw(st.booleans()) and size < 16 else -1
    offset = draw(st.integers(0, 8 * size - bits)) if bits > 0 else 0
    return t.Int(draw(NAME), size, draw(st.sampled_from([0, t.SIGNED, t.CHAR, t.BOOL])), bits, offset)


@st.composite
def members(draw: st.DrawFn, refs: st.SearchStrategy[int]) -> tuple[t.Member, ...]:
    """Either plain members, or some with bit-fields, whose offsets have 24 bits."""
    if draw(st.booleans()):
        plain = st.builds(t.Member, ANY_NAME, refs, U32, st.just(0))
        return tuple(draw(st.lists(plain, max_size=4)))
    fields = st.builds(t.Member, ANY_NAME, refs, st.integers(0, (1 << 24) - 1), st.integers(0, 255))
    return tuple(draw(st.lists(fields, max_size=4)))


@st.composite
def enums(draw: st.DrawFn) -> t.Enum | t.Enum64:
    cls, bits = draw(st.sampled_from([(t.Enum, 32), (t.Enum64, 64)]))
    signed = draw(st.booleans())
    values = st.integers(-1 << bits - 1, (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)
    rows = draw(st.lists(st.builds(t.Enumerator, NAME, values), max_size=4))
    return cls(draw(ANY_NAME), draw(st.sampled_from([1, 2, 4, 8])), signed, tuple(rows))


def types(refs: st.SearchStrategy[int]) -> st.SearchStrategy[t.Type]:
    """One type of any kind; `refs` chooses the ids it refers to."""
    params = st.lists(st.builds(t.Param, ANY_NAME, refs), max_size=4).map(tuple)
    secvars = st.lists(st.builds(t.SecVar, refs, U32, U32), max_size=4).map(tuple)
    linkage = st.integers(0, 2)
    return st.one_of(
        ints(), enums(), st.builds(t.Ptr, refs), st.builds(t.Array, refs, refs, U32),
        st.builds(t.Struct, ANY_NAME, U32, members(refs)), st.builds(t.Union, ANY_NAME, U32, members(refs)),
        st.builds(t.Fwd, NAME, st.booleans()), st.builds(t.Typedef, NAME, refs), st.builds(t.Volatile, refs),
        st.builds(t.Const, refs), st.builds(t.Restrict, refs), st.builds(t.Func, NAME, refs, linkage),
        st.builds(t.FuncProto, refs, params), st.builds(t.Var, NAME, refs, linkage),
        st.builds(t.Datasec, NAME, U32, secvars), st.builds(t.Float, NAME, U32),
        st.builds(t.DeclTag, NAME, refs, st.integers(-1, 100), st.booleans()),
        st.builds(t.TypeTag, NAME, refs, st.booleans()))


@st.composite
def graphs(draw: st.DrawFn) -> Btf:
    """A Btf of up to 24 types; references forward, backward, to itself, to void."""
    count = draw(st.integers(1, 24))
    return Btf(draw(st.lists(types(st.integers(0, count)), min_size=count, max_size=count)))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with bytes changed, removed or cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["byte", "word", "cut", "drop"])):
            case "byte":
                data[at] = draw(st.integers(0, 255))
            case "word":
                value = draw(st.sampled_from([0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, len(whole)]))
                data[at & ~3:(at & ~3) + 4] = value.to_bytes(4, "little")
            case "cut":
                del data[at:]
            case "drop":
                del data[at:at + draw(st.integers(1, 16))]
    return bytes(data)
