"""BTF, .BTF.ext and object files: what is written is read; damaged bytes give a typed error or a value."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purebpf import elf
from purebpf.btf import Btf, Builder, core, declare, ext, graft, layout, values
from purebpf.btf import types as t
from purebpf.btf.kernel import btf_section
from purebpf.errors import BtfError, FormatError
from tests.elf.example import full
from tests.property.strategies_btf import damaged, graphs

OBJECT = elf.write(full())
CLANG = (Path(__file__).parents[1] / "data" / "everything-19-v4.o").read_bytes()
BTF = btf_section(CLANG)
EXT = CLANG[CLANG.index(b"\x9f\xeb\1\0\x20\0\0\0"):]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(graphs(), st.sampled_from(["little", "big"]))
def test_any_graph_round_trips(btf: Btf, byteorder: str) -> None:
    again = Btf.from_bytes(btf.to_bytes(byteorder))
    assert again == btf
    assert again.to_bytes() == btf.to_bytes(byteorder)
    for one in btf:
        name = getattr(one, "name", "")
        if name:
            assert again.find_all(name) == btf.find_all(name)


@QUICK
@given(graphs(), st.data())
def test_a_copied_type_is_the_same_type(btf: Btf, data: st.DataObject) -> None:
    builder = Builder()
    builder.add(t.Fwd("something else"))
    type_id = data.draw(st.integers(1, len(btf)))
    copied = graft(builder, btf, type_id)
    other = builder.build()
    assert layout.same(btf, type_id, other, copied) and layout.same(other, copied, btf, type_id)


def use(btf: Btf) -> None:
    """Everything that walks types, on every type: a value or BtfError (FormatError for values), nothing else."""
    relocator = core.Relocator(btf, [btf])
    for type_id in range(1, min(btf.last, 200) + 1):
        for action in (layout.size_of, layout.align_of, layout.element, declare.spell, declare.definition,
                       lambda b, i: list(layout.fields(b, i)), lambda b, i: relocator.relocate(i, "0:1", 0),
                       lambda b, i: relocator.relocate(i, "0", 12), lambda b, i: declare.c_header(b, [i]),
                       declare.kernel_structs):
            try:
                action(btf, type_id)  # type: ignore[operator]
            except BtfError:
                pass
        try:
            size = layout.size_of(btf, type_id)
            if size < 1 << 16:
                codec = values.codec(btf, type_id, size)
                value = codec.decode(bytes(size))
                assert len(codec.encode(value)) == size
        except FormatError:
            pass
    try:
        btf.check()
    except BtfError:
        pass


@QUICK
@given(graphs())
def test_walking_any_graph_ends(btf: Btf) -> None:
    use(btf)


@QUICK
@given(damaged(BTF))
def test_damaged_btf(data: bytes) -> None:
    try:
        btf = Btf.from_bytes(data)
    except BtfError:
        return
    use(btf)


@QUICK
@given(damaged(EXT))
def test_damaged_ext(data: bytes) -> None:
    try:
        ext.read(data, Btf.from_bytes(BTF))
    except BtfError:
        pass


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(damaged(OBJECT), damaged(CLANG)))
def test_damaged_objects(data: bytes) -> None:
    try:
        spec = elf.read(data)
    except FormatError:  # ElfError, BtfError, DecodeError
        return
    try:
        elf.write(spec)
    except FormatError:
        pass


@QUICK
@given(st.binary(max_size=300))
def test_random_bytes_after_a_good_beginning(tail: bytes) -> None:
    for data in (tail, OBJECT[:64] + tail, b"\x9f\xeb\1\0\x18\0\0\0" + tail):
        for action in (elf.read, Btf.from_bytes):
            try:
                action(data)
            except FormatError:
                pass
