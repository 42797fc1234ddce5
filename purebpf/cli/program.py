"""What commands do with a file that holds a program: a user's .py, an object, assembly."""

from __future__ import annotations

import ast
import os
import sys
from types import ModuleType
from typing import Any

from ..compiler import Compiled
from ..dsl.hooks import Program
from ..errors import CompileError, Diagnostic, FormatError, Span
from ..spec import ObjectSpec


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
        exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)
    except SyntaxError as error:
        span = Span(path, error.lineno or 1, max(0, (error.offset or 1) - 1))
        raise CompileError([Diagnostic("syntax", error.msg, span)]) from None
    except CompileError:
        raise
    except Exception as error:
        place = _field(error, text, path) or _place(error, path)
        raise CompileError([Diagnostic("import", f"{type(error).__name__}: {error}", place,
                                       label="running the file stopped here")]) from None
    finally:
        sys.path.pop(0)
    return module


def _field(error: BaseException, text: str, path: str) -> Span | None:
    """The field that a struct was refused for, which the message names first: "Event.pid: …"."""
    cls, _, field = str(error).partition(":")[0].partition(".")
    if not field.isidentifier():
        return None
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.ClassDef) and node.name == cls:
            for stmt in node.body:
                if isinstance(stmt, ast.AnnAssign) and isinstance(stmt.target, ast.Name) and stmt.target.id == field:
                    at = stmt.annotation
                    return Span(path, at.lineno, at.col_offset, at.end_lineno or at.lineno, at.end_col_offset or 0)
    return None


def _place(error: BaseException, path: str) -> Span:
    """The innermost place in the user's file of the traceback."""
    found, trace = Span(path, 1), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line, end_line, col, end_col = list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]
            found = Span(path, line or trace.tb_lineno, col or 0, end_line or 0, end_col or 0)
        trace = trace.tb_next
    return found


def compile_file(path: str, **options: Any) -> Compiled:
    """Compile every program of a .py file into one object."""
    from ..api import compile_all

    return compile_all(*file_programs(path), name=os.path.splitext(os.path.basename(path))[0], **options)


def file_programs(path: str) -> list[Program[..., Any]]:
    """The programs of a .py file."""
    from ..api import module_programs

    programs = module_programs(import_file(path))
    if not programs:
        raise FormatError("no BPF program in this file: decorate a function, as in '@bpf.xdp'", source=path)
    return programs


def read_object(path: str) -> ObjectSpec:
    """The object in a file: Python, assembly or ELF. FormatError for bare code."""
    from .. import elf
    from .run import load

    spec = load(path) if path.endswith((".py", ".s", ".S", ".asm")) else elf.read(path)
    if not isinstance(spec, ObjectSpec):
        raise FormatError("bare code has no hook to be loaded for: purebpf run FILE runs it", source=path)
    return spec
