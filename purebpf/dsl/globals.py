"""Global variables: `Const` in .rodata (may be set when loading, constant afterwards), `Global` in .data or .bss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .layout import Layout
from .memory import layout_of

T = TypeVar("T")


class Variable(Generic[T]):
    """A global variable of type `layout`, initially `init` (None: zero). Its name is that of the Python variable that
    holds it. In a program, the name itself reads the value; `.value` reads and writes; user space: `obj[var].value`."""

    read_only = False

    def __init__(self, init: Any = None, *, layout: Layout | None = None) -> None:
        if layout is None:
            raise TypeError(f"write the type: {type(self).__name__}[u64]({init!r})")
        self.layout, self.init = layout, init

    if TYPE_CHECKING:
        value: T

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
    else:

        def __class_getitem__(cls, word: Any) -> Any:
            if isinstance(word, TypeVar):
                return super().__class_getitem__(word)
            layout = layout_of(word, cls.__name__)
            return lambda init=None: cls(init, layout=layout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}[{self.layout}]({self.init if self.init is not None else ''})"


class Const(Variable[T]):
    """A constant of the object: in .rodata, where the verifier knows its value; `load(…, constants={limit: 5})`."""

    read_only = True


class Global(Variable[T]):
    """A variable all programs of the object and user space share."""
