"""Which numbers of a loop are to be hidden from the verifier, or it would walk what follows once for each of their values.

It walks a loop that it must follow round by round; ways through a round come together again where what it knows is the same on
them. Numbers that follow from constants and the round are others on each way; so are the bounds of what is compared.
"""

from __future__ import annotations

from collections import Counter

from . import nodes as n
from .nodes import Local
from .walk import assigned, lists, places_of, read, sources, walk

WALKED = 16  # decisions on the way through a whole loop that may well be walked one by one


def deciding(body: list[n.Stmt]) -> set[Local]:
    """The variables of a function by which something is decided that the verifier may know: what is compared with numbers that it
    knows, or more than once with others, where places lie, what the kernel's functions are given. Only of these it cares for the
    number."""
    nodes = [one for stmt in body for one in walk(stmt)]
    sets = [one for one in nodes if isinstance(one, n.Set)]
    unknown = _unknown(sets)
    decided = {local for one in nodes for local in _decides(one, unknown)}
    compared = Counter(local for one in nodes if isinstance(one, n.Compare) for local in {*read(one.a), *read(one.b)})
    return sources(sets, decided | places_of(nodes) | {local for local, times in compared.items() if times > 1})


def _decides(node: n.Node, unknown: set[Local]) -> list[Local]:
    match node:
        case n.If(test=test) | n.IfElse(test=test) | n.Select(test=test) | n.Guard(test=test) | n.Loop(test=n.Expr() as test):
            return [] if isinstance(test, n.Compare) else read(test)
        case n.Compare(a=a, b=b) if _told(a, unknown) or _told(b, unknown):
            return read(a) + read(b)
        case n.Helper(args=args) | n.Kfunc(args=args):
            return [local for arg in args for local in read(arg)]
        case _:
            return []


def _unknown(sets: list[n.Set]) -> set[Local]:
    """Of the variables those that are set to what the verifier does not know."""
    unknown: set[Local] = set()
    while more := {one.local for one in sets if not _told(one.value, unknown)} - unknown:
        unknown |= more
    return unknown


def hidden_at_start(loop: n.Loop, decided: set[Local]) -> set[Local]:
    """The variables that begin as unknown numbers: all where rounds are granted, as two of them have to look alike; else those that
    decide something, and that a round sets by one way or by another to what follows from constants and the round."""
    if loop.granted:
        return set(assigned(loop))
    if loop.ways <= WALKED:
        return set()
    sets = [one for stmt in loop.body for one in walk(stmt) if isinstance(one, n.Set)]
    return _coming_round(loop, decided) - _unknown(sets)


def hidden_in_rounds(loop: n.Loop, decided: set[Local]) -> set[Local]:
    """The variables that become unknown at the end of each round: those that decide something, and that a round sets by one way or by
    another. What the loop itself is bounded by stays."""
    if loop.ways <= WALKED:
        return set()
    bound = set(read(loop.test)) if loop.test is not None and not loop.granted else set()
    return _coming_round(loop, decided) - bound


def _coming_round(loop: n.Loop, decided: set[Local]) -> set[Local]:
    """Of those that decide something those that a round sets by one way or by another, and does not begin by setting."""
    return {local for local in {one.local for one in forked(loop)} & decided if not _begun(loop.body, local)}


def _begun(body: list[n.Stmt], local: Local) -> bool:
    first = next((stmt for stmt in body if any(isinstance(one, n.Get | n.Set) and one.local is local for one in walk(stmt))), None)
    return isinstance(first, n.Set) and first.local is local and local not in read(first.value)


def forked(loop: n.Loop) -> list[n.Set]:
    """What rounds set by one way or by another."""
    found: list[n.Set] = []
    _forked(loop.body, False, set(), found)
    return found


def _told(value: n.Expr, unknown: set[Local]) -> bool:
    """Does the verifier know the number on each single way?"""
    match value:
        case n.Number() | n.Lit() | n.Undef() | n.Call():
            return True
        case n.Get(local=local):
            return local not in unknown
        case n.Cast(value=inner) | n.Seq(value=inner) | n.Vague(value=inner, needed=False):
            return _told(inner, unknown)
        case n.Arith(a=a, b=b):
            return _told(a, unknown) and _told(b, unknown)
        case n.Select(yes=yes, no=no) | n.IfElse(yes=yes, no=no):
            return _told(yes, unknown) and _told(no, unknown)
        case _:
            return False


def _forked(body: list[n.Stmt], under: bool, inside: set[n.Stmt], found: list[n.Set]) -> set[n.Stmt]:
    """Collects what the statements set where the way has forked; gives the loops and blocks `inside` that they may leave, or go on
    with. Who leaves the whole loop comes to no other round."""
    left: set[n.Stmt] = set()
    for stmt in body:
        if isinstance(stmt, n.Set) and (under or any(isinstance(one, n.IfElse | n.Select | n.Call) for one in walk(stmt.value))):
            found.append(stmt)
        elif isinstance(stmt, n.Break) and stmt.loop in inside or isinstance(stmt, n.Continue):
            left.add(stmt.loop)
        inner = inside | {stmt} if isinstance(stmt, n.Loop | n.Each | n.Block) else inside
        for part in lists(stmt):
            left |= _forked(part, under or not isinstance(stmt, n.Block), inner, found)
        left.discard(stmt)
        under |= bool(left)
    return left
