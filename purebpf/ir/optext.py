"""Operations as text and back, by the class of their attribute: SHOW and READ hold a pair for each.

`text` has the rest: names, blocks, functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .function import Op
from .ops import Core, CoreConst, Data, Helper, Index, Kfunc, Limit, Mem, Rmw, Slot, Symbol

if TYPE_CHECKING:
    from .text import Parser, Printer

_BARE = re.compile(r"[A-Za-z_.$<>][\w.$<>]*\Z")


def quoted(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name)


def number(n: int) -> str:
    return str(n) if abs(n) < 0x10000 else hex(n)


def offset(off: int) -> str:
    return f" + {off}" if off > 0 else f" - {-off}" if off < 0 else ""


def core_text(core: Core) -> str:
    return f"{core.type_id} {json.dumps(core.access)} {core.kind}"


# --- printing ----------------------------------------------------------------------------------------------------------


def _show_plain(p: Printer, op: Op) -> str:
    return f"{op.row.name} {p.values(op.args)}".rstrip()


def _show_mem(p: Printer, op: Op) -> str:
    m = op.attr
    assert isinstance(m, Mem)
    parts = [op.row.name, f".{'s' if m.sext else 'u'}{m.size * 8}", ".volatile" if m.volatile else "",
             f" {p.value(op.args[0])}{offset(m.off)}", f" core({core_text(m.core)})" if m.core else ""]
    return "".join(parts) + (f", {p.values(op.args[1:])}" if op.args[1:] else "")


def _show_rmw(p: Printer, op: Op) -> str:
    m = op.attr
    assert isinstance(m, Rmw)
    head = f"rmw.{m.op}.u{m.size * 8}{'.fetch' if m.fetch else ''}"
    return f"{head} {p.value(op.args[0])}{offset(m.off)}, {p.values(op.args[1:])}"


def _show_slot(p: Printer, op: Op) -> str:
    assert isinstance(op.attr, Slot)
    return f"{op.row.name} {op.attr.size} align {op.attr.align}"


def _show_symbol(p: Printer, op: Op) -> str:
    assert isinstance(op.attr, Symbol)
    caught = ".caught" if op.attr.caught else ""
    return f"{op.row.name}{caught} @{quoted(op.attr.name)}" + (f"({p.values(op.args)})" if op.row.args else "")


def _show_numbered(p: Printer, op: Op) -> str:
    match op.attr:
        case Index(n) | Limit(n):
            return f"{op.row.name} {p.values(op.args)}, {number(n)}"
    raise AssertionError(op)


def _show_data(p: Printer, op: Op) -> str:
    d = op.attr
    assert isinstance(d, Data)
    return f"{op.row.name} {quoted(d.section)}{offset(d.off)}" + (f" @{quoted(d.symbol)}" if d.symbol else "")


def _show_helper(p: Printer, op: Op) -> str:
    h = op.attr
    assert isinstance(h, Helper)
    flags = ("" if not h.pure else ".pure") + ("" if h.writes else ".readonly")
    return f"{op.row.name}{flags} {h.id} {quoted(h.name)}({p.values(op.args)})"


def _show_kfunc(p: Printer, op: Op) -> str:
    k = op.attr
    assert isinstance(k, Kfunc)
    flags = (".weak" if k.weak else "") + (".pure" if k.pure else "") + ("" if k.writes else ".readonly")
    return f"{op.row.name}{flags} @{quoted(k.name)}({p.values(op.args)})"


def _show_core(p: Printer, op: Op) -> str:
    c = op.attr
    assert isinstance(c, CoreConst)
    return f"{op.row.name} {core_text(c.core)} = {number(c.local)}"


SHOW: Final[dict[type | None, Callable[[Printer, Op], str]]] = {
    None: _show_plain, Mem: _show_mem, Rmw: _show_rmw, Slot: _show_slot, Symbol: _show_symbol, Data: _show_data,
    Helper: _show_helper, Index: _show_numbered, Limit: _show_numbered, Kfunc: _show_kfunc, CoreConst: _show_core,
}

# --- parsing -----------------------------------------------------------------------------------------------------------


def _flag(suffixes: list[str], word: str) -> bool:
    if word not in suffixes:
        return False
    suffixes.remove(word)
    return True


def _width(p: Parser, suffixes: list[str]) -> tuple[int, bool]:
    """(bytes, signed) from a suffix u8 ... s64."""
    word = next((s for s in suffixes if s[:1] in ("u", "s") and s[1:] in ("8", "16", "32", "64")), None)
    if word is None:
        p.fail("a width suffix is missing (.u8 to .u64, .s8 to .s32)")
    suffixes.remove(word)
    return int(word[1:]) // 8, word[0] == "s"


def _read_core(p: Parser) -> Core:
    type_id, access = p.number(), p.string()
    return Core(type_id, access, p.number())


_EDGES: Final = {"jump": 1, "br": 2, "may": 2}


def _read_plain(p: Parser, op: Op, suffixes: list[str]) -> None:
    edges = _EDGES.get(op.row.name, 0)
    if edges:
        for _ in op.row.args:
            p.operand(op.args)
        p.edges(op, edges)
    elif p.peek.kind in ("value", "number"):
        p.operands(op.args)


def _read_mem(p: Parser, op: Op, suffixes: list[str]) -> None:
    size, is_signed = _width(p, suffixes)
    volatile = _flag(suffixes, "volatile")
    p.operand(op.args)
    off, core = p.offset(), None
    if p.accept("core"):
        p.expect("(")
        core = _read_core(p)
        p.expect(")")
    op.attr = Mem(size, off, is_signed, core, volatile)
    if p.accept(","):
        p.operands(op.args)


def _read_rmw(p: Parser, op: Op, suffixes: list[str]) -> None:
    size, _ = _width(p, suffixes)
    fetch = _flag(suffixes, "fetch")
    if not suffixes:
        p.fail("rmw needs an operation (rmw.add.u64 …)")
    kind = suffixes.pop(0)
    p.operand(op.args)
    op.attr = Rmw(kind, size, p.offset(), fetch)
    p.expect(",")
    p.operands(op.args)


def _read_slot(p: Parser, op: Op, suffixes: list[str]) -> None:
    size = p.number()
    p.expect("align")
    op.attr = Slot(size, p.number())


def _read_symbol(p: Parser, op: Op, suffixes: list[str]) -> None:
    op.attr = Symbol(p.symbol(), _flag(suffixes, "caught"))
    if op.row.args:
        p.expect("(")
        p.operands(op.args, ")")


def _read_numbered(p: Parser, op: Op, suffixes: list[str]) -> None:
    p.operand(op.args)
    p.expect(",")
    op.attr = (Index if op.row.attr is Index else Limit)(p.number())


def _read_data(p: Parser, op: Op, suffixes: list[str]) -> None:
    section = p.name()
    off = p.offset()
    op.attr = Data(section, off, p.symbol() if p.at("@") else "")


def _read_helper(p: Parser, op: Op, suffixes: list[str]) -> None:
    pure, readonly = _flag(suffixes, "pure"), _flag(suffixes, "readonly")
    number = p.number()
    op.attr = Helper(number, p.name(), pure, not readonly)
    p.expect("(")
    p.operands(op.args, ")")


def _read_kfunc(p: Parser, op: Op, suffixes: list[str]) -> None:
    weak, pure, readonly = (_flag(suffixes, word) for word in ("weak", "pure", "readonly"))
    op.attr = Kfunc(p.symbol(), weak, pure, not readonly)
    p.expect("(")
    p.operands(op.args, ")")


def _read_coreconst(p: Parser, op: Op, suffixes: list[str]) -> None:
    core = _read_core(p)
    p.expect("=")
    op.attr = CoreConst(core, p.number())


READ: Final[dict[type | None, Callable[[Parser, Op, list[str]], None]]] = {
    None: _read_plain, Mem: _read_mem, Rmw: _read_rmw, Slot: _read_slot, Symbol: _read_symbol, Data: _read_data,
    Helper: _read_helper, Index: _read_numbered, Limit: _read_numbered, Kfunc: _read_kfunc, CoreConst: _read_coreconst,
}
