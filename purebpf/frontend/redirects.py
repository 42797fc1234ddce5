"""Methods of maps that say where packets and connections go on, and of stacks and cgroups: each is a helper."""

from __future__ import annotations

import ast

from ..dsl import redirects as decl
from ..tree.kinds import Context, I64, Int
from ..tree.nodes import Arith, Compare, Expr, Number
from ..uapi.enums import ProgType
from . import arith, helpers, maps
from .context import Checker
from .maps import STATUS, TRUTH, MapOf

ANSWERS = 3  # bits of bpf_redirect_map's flags that are the answer where the entry is empty
SKIP, USER = 0xFF, 1 << 8  # bpf_get_stackid: frames to leave out, BPF_F_USER_STACK
DEEPEST = "skip is the number of frames to leave out, 0 to 255"


def _ctx(c: Checker, word: str, value: Expr, node: ast.AST) -> Expr:
    if not isinstance(value.kind, Context):
        raise c.mismatch(f"{word}() takes the program's context here", value.kind, node)
    return value


def to_device(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`devices.redirect(key, default, flags)`."""
    span = c.span(node)
    key, default, flags = (arith.integer(c, a, node) for a in args)
    known = arith.constant(default)
    if known is not None and not 0 <= known <= ANSWERS:
        raise c.error("constant", f"the default of redirect() is XDP_ABORTED, XDP_DROP, XDP_PASS or XDP_TX, not {known}", node)
    word = Int.of(I64)
    if known is None:
        default = Arith(span, word, "&", default, Number(span, ANSWERS))
    return helpers.emit_call(c, "redirect_map", (map.ref, key, Arith(span, word, "|", flags, default)), Int(I64, 0, 4), node)


def _socket_key(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """Where a helper wants a number for an index and a pointer for a key."""
    return maps.key_of(c, map, key, node) if isinstance(map.decl, decl.SockHash) else arith.integer(c, key, node)


def to_socket(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`socks.redirect(ctx, key, flags)`: by the type of the program."""
    begins = "msg" if c.unit.prog_type(c.hook) == ProgType.SK_MSG else "sk"
    ends = "hash" if isinstance(map.decl, decl.SockHash) else "map"
    ctx, key, flags = _ctx(c, "redirect", args[0], node), _socket_key(c, map, args[1], node), arith.integer(c, args[2], node)
    return helpers.emit_call(c, f"{begins}_redirect_{ends}", (ctx, map.ref, key, flags), Int(I64, 0, 1), node)


def put_socket(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`socks.update(ctx, key, flags)`, `socks[key] = ctx`: the connection of a sock_ops program."""
    name = "sock_hash_update" if isinstance(map.decl, decl.SockHash) else "sock_map_update"
    ctx = _ctx(c, "update", args[0], node)
    return helpers.emit_call(c, name, (ctx, map.ref, maps.key_of(c, map, args[1], node), arith.integer(c, args[2], node)), STATUS, node)


def select(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`socks.select(ctx, key)`."""
    ctx = _ctx(c, "select", args[0], node)
    return helpers.emit_call(c, "sk_select_reuseport", (ctx, map.ref, maps.key_of(c, map, args[1], node), arith.integer(c, args[2], node)), STATUS, node)


def holds_current(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`cgroups.holds_current(i)`: a negative errno, of an empty entry, is no."""
    return _is_one(c, helpers.emit_call(c, "current_task_under_cgroup", (map.ref, arith.integer(c, args[0], node)), STATUS, node), node)


def holds(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`cgroups.holds(i, ctx)`."""
    ctx = _ctx(c, "holds", args[1], node)
    return _is_one(c, helpers.emit_call(c, "skb_under_cgroup", (ctx, map.ref, arith.integer(c, args[0], node)), STATUS, node), node)


def _is_one(c: Checker, answer: Expr, node: ast.AST) -> Expr:
    return Compare(c.span(node), TRUTH, "eq", answer, Number(c.span(node), 1))


def stack_id(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`stacks.id(ctx, user, skip, flags)`."""
    span, ctx = c.span(node), _ctx(c, "id", args[0], node)
    user, skip, flags = (arith.integer(c, a, node) for a in args[1:])
    at, asked = arith.kind_of(skip), arith.kind_of(user)
    if at.lo < 0 or at.hi > SKIP:
        raise c.error("arguments", DEEPEST, node)
    if asked.lo < 0 or asked.hi > 1:
        raise c.error("arguments", "user is True or False", node)
    word = Int.of(I64)
    which = Arith(span, word, "|", skip, Arith(span, word, "*", user, Number(span, USER)))
    return helpers.emit_call(c, "get_stackid", (ctx, map.ref, Arith(span, word, "|", flags, which)), STATUS, node)

