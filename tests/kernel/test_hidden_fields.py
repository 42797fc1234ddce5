"""The table of fields that a program type may not load, asked of the kernel: what it refuses is called a mistake, and no more."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.assembler import assemble_object
from purebpf.errors import VerifierError
from purebpf.uapi import contexts, hooks

pytestmark = pytest.mark.kernel
SECTIONS = ("socket", "cgroup_skb/egress", "lwt_in", "lwt_xmit", "tc", "sk_skb/stream_verdict")
FIELDS = tuple(contexts.context("__sk_buff").fields)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("name", FIELDS)
def test_what_the_kernel_lets_a_program_load(section: str, name: str) -> None:
    field, hook = contexts.context("__sk_buff").fields[name], hooks.match(section)
    text = f".license \"GPL\"\n.section {section}\n.globl f\nf:\n r1 = *(u{field.size * 8} *)(r1 + {field.offset})\n r0 = 1\n exit\n"
    try:
        loader.load(assemble_object(text), attach=False).close()
        loads = True
    except VerifierError:
        loads = False
    assert loads == ((hook.prog_type, name) not in contexts.HIDDEN)
