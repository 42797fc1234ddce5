"""ir: print what was parsed · verify: its findings · provable: what the kernel could not follow · cfg: order, dominators, loops · run: interpreter results."""

from __future__ import annotations

from purebpf.ir import provable, text, verify
from purebpf.ir.cfg import Cfg
from purebpf.ir.interp import Interp, InterpFault


def _print(source: str, args: list[str]) -> str:
    module = text.parse(source)
    verify.check(module, "the test's input")
    printed = text.print_module(module)
    assert text.print_module(text.parse(printed)) == printed
    return printed


def _verify(source: str, args: list[str]) -> str:
    module = text.parse(source)
    findings = [f for fn in module.functions.values() for f in verify.verify(fn, module)]
    findings += verify.aborts(module)
    return "\n".join(f"{where}: {what}" for where, what in findings) or "legal"


def _provable(source: str, args: list[str]) -> str:
    module = text.parse(source)
    verify.check(module, "the test's input")
    found = [f"{what}: {where}" for fn in module.functions.values() for what, where in provable.unproved(fn)]
    return "\n".join(found) or "proved"


def _cfg(source: str, args: list[str]) -> str:
    out = []
    for fn in text.parse(source).functions.values():
        cfg = Cfg(fn)
        out += [f"{b.name}: idom {cfg.idom[b].name}, preds {' '.join(p.name for p in cfg.preds[b]) or '-'}"
                for b in cfg.order]
        for loop in cfg.loops:
            names = " ".join(b.name for b in cfg.order if b in loop.blocks)
            out.append(f"loop {loop.header.name}: {names}; latches {' '.join(b.name for b in loop.latches)}; "
                       f"depth {loop.depth}")
    return "\n".join(out)


def _run(source: str, args: list[str]) -> str:
    """`run f(1,2) f(3,4)`: each call's result, or the fault."""
    module = text.parse(source)
    verify.check(module, "the test's input")
    out = []
    for call in args:
        name, _, rest = call.partition("(")
        numbers = [int(n, 0) for n in rest.rstrip(")").split(",") if n]
        try:
            out.append(f"{call} = {Interp(module, data={'.data': bytes(range(64))}, steps=10_000).run(name, *numbers)}")
        except InterpFault as e:
            out.append(f"{call}: {e}")
    return "\n".join(out)


COMMANDS = {"ir": _print, "verify": _verify, "provable": _provable, "cfg": _cfg, "interp": _run}
