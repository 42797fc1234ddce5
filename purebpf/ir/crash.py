"""A crash of ours while working on a function becomes an InternalError that says where and on what."""

from __future__ import annotations

from types import TracebackType

from ..errors import InternalError, PureBpfError
from .function import Function


class guard:
    """`with guard("gvn", fn):` what fails inside, other than by an error that purebpf raises on purpose, is an InternalError
    with the pass, the function, the user's line of it and the printed function."""

    __slots__ = ("where", "fn")

    def __init__(self, where: str, fn: Function) -> None:
        self.where, self.fn = where, fn

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception) and not isinstance(error, PureBpfError):
            at = f" ({self.fn.span})" if self.fn.span else ""
            raise InternalError(self.where, f"{type(error).__name__} in @{self.fn.name}{at}: {error}", _dump(self.fn)) from error


def _dump(fn: Function) -> str:
    """The function as text; a broken one may not even print, but what is to be told is the crash at hand."""
    from .text import print_function  # needed only now

    try:
        return print_function(fn)
    except Exception as error:
        return f"(@{fn.name} does not print: {error!r})"
