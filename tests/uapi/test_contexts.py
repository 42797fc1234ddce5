"""Context layouts are the kernel's: compared with the pinned BTF."""

from pathlib import Path

import pytest

from purebpf.btf import Btf, layout
from purebpf.btf import types as t
from purebpf.uapi import contexts, hooks

BTF = Btf.from_bytes((Path(__file__).parents[2] / "tools" / "uapi.btf").read_bytes())
NOT_IN_BTF = {"lirc_mode2"}  # a bare u32
OPEN_ENDED = {"bpf_raw_tracepoint_args"}  # args[0]: the kernel's largest tracepoint has twelve


@pytest.mark.parametrize("name", sorted(set(contexts.NAMES) - NOT_IN_BTF - OPEN_ENDED))
def test_layout_equals_btf(name: str) -> None:
    type_id = BTF.find(name, t.Struct)
    ours = contexts.context(name)
    assert type_id is not None and ours is not None
    assert ours.size == layout.size_of(BTF, type_id)
    skipped = {"fred_cs", "fred_ss"}  # bit-fields over csx and ssx
    theirs = {f.name: (f.offset, layout.size_of(BTF, f.type)) for f in layout.fields(BTF, type_id)
              if f.name and f.name not in skipped}
    assert {f.name: (f.offset, f.size * f.elems) for f in ours.fields.values()} == theirs


def test_every_hook_has_a_context() -> None:
    special = {"args", "tracepoint", "iter", "user"}
    assert {h.context for h in hooks.HOOKS} - special <= set(contexts.NAMES)


def test_pointer_targets_are_contexts_or_kernel_structs() -> None:
    for name in contexts.NAMES:
        ctx = contexts.context(name)
        assert ctx is not None
        for field in ctx.fields.values():
            assert (field.kind == "ptr") == bool(field.target), field
            assert field.target in {"", "sk_buff", "nf_hook_state", *contexts.NAMES}, field


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_calling_convention_names_fields(machine: str) -> None:
    regs = contexts.context("pt_regs", machine)
    assert regs is not None
    call = contexts.CALLING[machine]
    for name, index in (*call.args, *call.syscall_args, call.result, call.frame, call.stack, call.code):
        assert 0 <= index < regs.fields[name].elems


def test_unknown_is_none() -> None:
    assert contexts.context("nothing") is None
    assert contexts.context("pt_regs", "vax") is None
