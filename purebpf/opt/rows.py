"""The rows of the op table as attributes, for patterns: `case Op(R.add, [x, Const(c)])`; `R.and_` and `R.or_`."""

from __future__ import annotations

from typing import Final

from ..ir.ops import TABLE, OpRow


class _Rows:
    """For the type checkers: every attribute is a row."""

    def __getattr__(self, name: str) -> OpRow:
        raise AttributeError(name)


R: Final = _Rows()
for _name, _row in TABLE.items():
    setattr(R, _name + "_" if _name in ("and", "or") else _name, _row)
