"""What Python does not do of itself: annotated variables and parameters wrap when they are bound, f-strings know that they are."""

from __future__ import annotations

import ast

WIDTHS = frozenset(f"{sign}{bits}" for sign in "ui" for bits in (8, 16, 32, 64))


def rewritten(text: str) -> ast.Module:
    """A program's text without its imports, for the model to run."""
    tree = ast.parse(text)
    tree.body = [one for one in tree.body if not isinstance(one, ast.Import | ast.ImportFrom)]
    return ast.fix_missing_locations(_Narrow().visit(tree))


def _width(note: ast.expr | None) -> str:
    return note.id if isinstance(note, ast.Name) and note.id in WIDTHS else ""


def _noted(body: list[ast.stmt]) -> dict[str, str]:
    """Variables of a function that are annotated, with their widths; those of functions in it are not its own."""
    found: dict[str, str] = {}
    work: list[ast.AST] = list(body)
    while work:
        node = work.pop()
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and (width := _width(node.annotation)):
            found[node.target.id] = width
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            work += ast.iter_child_nodes(node)
    return found


def _wrapped(name: str, width: str) -> ast.stmt:
    call = ast.Call(ast.Name(width, ast.Load()), [ast.Name(name, ast.Load())], [])
    return ast.Assign([ast.Name(name, ast.Store())], call)


class _Narrow(ast.NodeTransformer):
    def __init__(self) -> None:
        self.scopes: list[dict[str, str]] = [{}]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer = {name: self.scopes[-1][name] for one in node.body if isinstance(one, ast.Nonlocal) for name in one.names if name in self.scopes[-1]}
        params = {a.arg: width for a in (*node.args.args, *node.args.kwonlyargs) if (width := _width(a.annotation))}
        self.scopes.append({**outer, **params, **_noted(node.body)})
        self.generic_visit(node)
        self.scopes.pop()
        node.body[:0] = [_wrapped(*one) for one in params.items()]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for part in node.values:  # a width in a part is a JoinedStr, too
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return ast.Call(ast.Name("formatted", ast.Load()), [node], [])

    def bound(self, target: ast.AST) -> list[ast.stmt]:
        names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        return [_wrapped(name, self.scopes[-1][name]) for name in names if name in self.scopes[-1]]

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, *(one for target in node.targets for one in self.bound(target))]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, *self.bound(node.target)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, *(self.bound(node.target) if len(self.scopes) > 1 and node.value is not None else [])]

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body[:0] = self.bound(node.target)
        return node
