"""The checked tree -> IR. No diagnostics and no guesses: what the tree says is what is built.

Takes functions of `tree`; gives an `ir.Module` for `opt` and `codegen`, and the object's maps, data and BTF for `spec`.
Invariants: evaluation order is the tree's; every op carries the span of its node; it knows no Python `ast`.
"""

from .module import Lowered

__all__ = ["Lowered"]
