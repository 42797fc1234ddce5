"""Programs damaged at random: each compiles or gets a CompileError, never anything else.

Takes the examples and the benchmark programs apart with `ast`, changes one to three places (names, constants, operators,
statements, attributes, calls) and compiles what comes out."""

from __future__ import annotations

import ast
import builtins
import copy
import linecache
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from purebpf.api import module_programs
from purebpf.compiler import Options, compile
from purebpf.errors import CompileError

ROOT = Path(__file__).parents[2]
SOURCES = [p for folder in ("examples", "benchmarks/programs") for p in sorted((ROOT / folder).glob("*.py"))]
CONSTANTS = (0, 1, -1, 255, 1 << 31, 1 << 63, 1 << 70, None, "text", b"bytes", True, (1, 2), 1.5)
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.Pow, ast.Div)


class Damage(ast.NodeTransformer):
    """Changes the places whose running number is in `places`."""

    def __init__(self, r: random.Random, places: set[int], names: list[str], pool: list[ast.expr]) -> None:
        self.r, self.places, self.names, self.pool, self.count = r, places, names, pool, 0

    def visit(self, node: ast.AST) -> ast.AST:
        inside = isinstance(node, ast.expr | ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef)
        if inside:
            self.count += 1
            if self.count in self.places:
                node = self.change(node)
        return self.generic_visit(node)

    def change(self, node: ast.AST) -> ast.AST:
        r = self.r
        match node:
            case ast.Name(ctx=ast.Load()):
                return r.choice([ast.Name(r.choice(self.names), ast.Load()), ast.Constant(r.choice(CONSTANTS)), self.other()])
            case ast.Constant():
                return r.choice([ast.Constant(r.choice(CONSTANTS)), self.other()])
            case ast.BinOp():
                return ast.BinOp(self.other() if r.random() < 0.3 else node.left, r.choice(OPERATORS)(), node.right)
            case ast.Attribute(ctx=ast.Load()):
                return r.choice([node.value, ast.Attribute(node.value, r.choice(["value", "nothing", "pull", "lookup"]), ast.Load()),
                                 self.other()])
            case ast.Call():
                return r.choice([ast.Call(node.func, node.args[:-1], node.keywords), ast.Call(node.func, [*node.args, self.other()], []),
                                 node.func, ast.Call(self.other(), node.args, [])])
            case ast.Compare():
                return ast.Compare(node.left, [r.choice([ast.Is, ast.In, ast.Lt, ast.NotEq, ast.Eq])()], [self.other()])
            case ast.If() | ast.While():
                node.body, node.orelse = (node.orelse or [ast.Pass()]), node.body
            case ast.Assign():
                return r.choice([ast.Pass(), ast.Assign(node.targets, self.other()),
                                 ast.Assign([ast.Name(r.choice(self.names), ast.Store())], node.value)])
            case ast.Return():
                return r.choice([ast.Pass(), ast.Return(self.other()), ast.Return(None)])
            case ast.Expr() | ast.AugAssign():
                return r.choice([ast.Pass(), ast.Expr(self.other())])
            case ast.For():
                node.iter = self.other()
        return node

    def other(self) -> ast.expr:
        return copy.deepcopy(self.r.choice(self.pool))


def mutant(seed: int) -> str:
    r = random.Random(seed)
    tree = ast.parse(r.choice(SOURCES).read_text())
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    target = r.choice(functions)
    pool = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.expr) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)]
    names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    size = sum(isinstance(n, ast.expr | ast.stmt) for n in ast.walk(target))
    places = {r.randint(1, max(size, 2)) for _ in range(r.randint(1, 3))}
    body = Damage(r, places, names, pool)
    target.body = [body.visit(s) for s in target.body]  # type: ignore[misc]  # a statement stays a statement
    return ast.unparse(ast.fix_missing_locations(tree))


def compile_text(text: str, name: str) -> None:
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    module = ModuleType("mutant")
    sys.modules["mutant"] = module
    try:
        exec(builtins.compile(text, name, "exec"), module.__dict__)
    except Exception:  # the damage is in what runs at import: not our concern
        return
    try:
        compile(module_programs(module), Options(verify=True))
    except CompileError as error:
        assert error.diagnostics
    finally:
        linecache.cache.pop(name, None)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # the damage, again
@pytest.mark.parametrize("chunk", range(12))
def test_damaged_programs(chunk: int) -> None:
    for seed in range(chunk * 50, chunk * 50 + 50):
        try:
            text = mutant(seed)
        except (ValueError, TypeError, AttributeError):
            continue  # the damage is no Python
        try:
            compile_text(text, f"<mutant {seed}>")
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n{text}") from error
