"""What commands do with a file that holds a program: a user's .py, an object, assembly."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any

from ..compiler import Compiled
from ..errors import CompileError, Diagnostic, FormatError, Span


def import_file(path: str) -> ModuleType:
    """Run a user's Python file as a module (not as __main__). What goes wrong in it is a FormatError with its line."""
    name = f"purebpf program {os.path.splitext(os.path.basename(path))[0]}"  # no name that an import could mean
    with open(path, encoding="utf-8") as file:
        text = file.read()
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module  # string annotations of its classes are looked up there
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        exec(compile(text, path, "exec"), module.__dict__)
    except SyntaxError as error:
        span = Span(path, error.lineno or 1, max(0, (error.offset or 1) - 1))
        raise CompileError([Diagnostic("syntax", error.msg, span)]) from None
    except CompileError:
        raise
    except Exception as error:
        raise CompileError([Diagnostic("import", f"{type(error).__name__}: {error}", _place(error, path),
                                       label="running the file stopped here")]) from None
    finally:
        sys.path.pop(0)
    return module


def _place(error: BaseException, path: str) -> Span:
    """The innermost line of the user's file in the traceback."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return Span(path, line)


def compile_file(path: str, **options: Any) -> Compiled:
    """Compile every program of a .py file into one object."""
    from ..api import compile_all, module_programs

    module = import_file(path)
    programs = module_programs(module)
    if not programs:
        raise FormatError("no BPF program in this file: decorate a function, as in '@bpf.xdp'", source=path)
    return compile_all(*programs, name=os.path.splitext(os.path.basename(path))[0], **options)
