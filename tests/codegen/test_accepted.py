"""What the optimiser leaves, the kernel's verifier takes: IR loaded and run at every level, on every cpu."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.codegen import generate
from purebpf.ir import text, verify
from purebpf.opt import optimize
from purebpf.spec import ObjectSpec, ProgramSpec
from purebpf.uapi import hooks

pytestmark = pytest.mark.kernel

DATA = bytes(range(1, 65))

TABLES = """
func @entry(%c: ptr.ctx) -> i64 default=2 {
entry:
  %a = alloca 64 align 8 : ptr.stack
  %b = alloca 16 align 8 : ptr.stack
""" + "".join(f"  store.u64 %a + {8 * i}, {i + 1}\n" for i in range(8)) + """
  store.u64 %b, 20
  store.u64 %b + 8, 30
  %r = load.u32 %c + 12
"""
READ = """
  %o = shl %i, 3
  %p = ptradd %a, %o
  %v = load.u64 %p
"""

# name: (IR, answer). %r is the number of the interface, 1; an index that no test, or another one's test, bounds is refused.
CASES = {
    "remainder": (TABLES + f"""
  %big = add %r, 11
  %x = umod %big, 5
  %t = ult %x, 8
  br %t, ok, bad
ok:
  %i = below %x, 8
  {READ}
  ret %v
bad:
  abort
}}""", 3),
    "mask": (TABLES + f"""
  %big = add %r, 11
  %x = umod %big, 5
  %m = and %x, 7
  %i = below %m, 8
  {READ}
  ret %v
}}""", 3),
    "two tests": (TABLES + f"""
  %t = ult %r, 8
  br %t, ok, bad
ok:
  %i = below %r, 8
  {READ}
  %t2 = ult %r, 2
  br %t2, ok2, bad
ok2:
  %j = below %r, 2
  %o2 = shl %j, 3
  %p2 = ptradd %b, %o2
  %v2 = load.u64 %p2
  %s = add %v, %v2
  ret %s
bad:
  abort
}}""", 32),
    "step before the test": (TABLES + f"""
  %before = shl %r, 3
  %t = ult %r, 8
  br %t, ok, bad
ok:
  %i = below %r, 8
  {READ}
  %w = add %v, %before
  ret %w
bad:
  abort
}}""", 10),
    "in a loop": (TABLES + f"""
  jump loop(0, 0)
loop(%k: i64, %s: i64):
  %z = ult %k, 200
  br %z, body, done
body:
  %t = ult %r, 8
  br %t, ok, bad
ok:
  %i = below %r, 8
  {READ}
  %s2 = add %s, %v
  %k2 = add %k, 1
  jump loop(%k2, %s2)
done:
  ret %s
bad:
  abort
}}""", 400),
    "results beside the call": ("""
func @entry(%c: ptr.ctx) -> i64 default=2 {
entry:   # a packet pointer comes back through the caller's frame, seven arguments go there
  %d = load.u32 %c : ptr.packet
  %e = load.u32 %c + 4 : ptr.packet_end
  %a = call @f(%c, %d, %e, 14, 20, 30, 40)
  %p = result %a, 1 : ptr.packet
  %k = result %a, 2
  %q = load.u8 %p
  %s = add %q, %k
  ret %s
}
func @f(%c: ptr.ctx, %d: ptr.packet, %e: ptr.packet_end, %n: i64, %x: i64, %y: i64, %z: i64) -> (i64, ptr.packet, i64) {
entry:
  %p = ptradd %d, 14
  %t = ugt %p, %e
  br %t, bad, ok
bad:
  abort
ok:
  %q = load.u8 %d + 12
  %r = add %y, %z
  %s = add %r, %q
  ret %n, %d, %s
}""", 84),
    "abort from two levels down": ("""
func @entry(%c: ptr.ctx) -> i64 default=7 {
entry:
  %d = load.u32 %c : ptr.packet
  %e = load.u32 %c + 4 : ptr.packet_end
  %a = call @outer(%d, %e)
  ret %a
}
func @outer(%d: ptr.packet, %e: ptr.packet_end) -> i64 {
entry:
  %a = call @f(%d, %e)
  %s = add %a, 1
  ret %s
}
func @f(%d: ptr.packet, %e: ptr.packet_end) -> i64 {
entry:
  %p = ptradd %d, 1000
  %t = ugt %p, %e
  br %t, bad, ok
bad:
  abort
ok:
  %q = load.u8 %d + 12
  ret %q
}""", 7),
}


@pytest.mark.parametrize("cpu", (2, 3, 4))
@pytest.mark.parametrize("level", (0, 1, 2))
@pytest.mark.parametrize("name", CASES)
def test_accepted(name: str, level: int, cpu: int) -> None:
    source, answer = CASES[name]
    module = text.parse(source)
    verify.check(module, "the test's input")
    optimize(module, level=level, verify=True)
    functions = {fn.name: generate(fn, cpu=cpu, verify=True) for fn in module.functions.values()}
    hook = hooks.match("xdp")
    assert hook is not None
    program = ProgramSpec(functions.pop("entry"), "xdp", hook.prog_type, hook.attach_type)
    with loader.load(ObjectSpec({"entry": program}, functions)) as live:
        assert live.programs["entry"].test_run(DATA).retval == answer
