"""The nodes of the checked program: a closed union of slotted classes, each with the place it came from.

An expression has a `kind` and gives `rep(kind)` machine words; its parts are evaluated left to right, each once. A *place*
is an expression of kind Ptr that also stands for the memory there: `Load` reads it, `Store` writes it. A statement has no
value. Statements inside an expression stand in a `Seq`, so that order is the tree's order everywhere.
"""

from __future__ import annotations

from .calls import Call as Call, FuncRef as FuncRef, Helper as Helper, Kfunc as Kfunc, MapRef as MapRef
from .kinds import Kind as Kind
from .stmts import (
    AtomicOp as AtomicOp, Block as Block, Break as Break, Continue as Continue, Each as Each, Eval as Eval,
    Function as Function, Guard as Guard, If as If, Loop as Loop, Module as Module, Return as Return, Scope as Scope,
    Set as Set, Store as Store,
)
from .values import (
    Abs as Abs, Arith as Arith, At as At, Below as Below, Blank as Blank, BitLength as BitLength, Bits as Bits, Both as Both, Bytes as Bytes,
    CORE as CORE, Cast as Cast, Compare as Compare, CoreInfo as CoreInfo, CtxPlace as CtxPlace,
    Deref as Deref, Distance as Distance, Either as Either, Element as Element, Expr as Expr, Filled as Filled, Formatted as Formatted,
    Get as Get, GlobalPlace as GlobalPlace, IfElse as IfElse, IsNone as IsNone, Item as Item,
    Lit as Lit, Load as Load, Local as Local, MakeTuple as MakeTuple,
    Maybe as Maybe, Member as Member, Move as Move, Node as Node, Not as Not, Number as Number,
    OrderBytes as OrderBytes, Record as Record, Row as Row, SameBytes as SameBytes, Select as Select, Seq as Seq,
    Slot as Slot, SlotPlace as SlotPlace, Stmt as Stmt, Swap as Swap, Temp as Temp, Undef as Undef, Vague as Vague, Wrap as Wrap,
)

Place = Deref | Member | Element | At | GlobalPlace | SlotPlace | Bytes | CtxPlace | Temp
Value = (
    Lit | Number | Undef | Get | Cast | Maybe | MakeTuple | Item | Arith | Wrap | Below | Vague | Swap | BitLength | Abs | Compare | SameBytes | OrderBytes
    | IsNone | Not | Both | Either | IfElse | Select | Seq | Load | Record | Row | Blank | Filled | Formatted | Move | Distance | Bits | CoreInfo | MapRef | FuncRef | Helper | Kfunc
    | Call | Place
)
Statement = Set | Eval | Store | AtomicOp | If | Loop | Each | Block | Break | Continue | Return | Guard | Scope
