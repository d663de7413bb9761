"""Scopes: which names of a function, a class or a comprehension are its own."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass
class Scope:
    """The own names of one scope."""

    own: set[str]
    parameters: set[str] = field(default_factory=set)
    is_class: bool = False


def of_function(node: Function) -> Scope:
    """The scope of a function or a lambda."""
    parameters = set(_parameters(node.args))
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return Scope(parameters | _bound_in(body), parameters)


def of_class(node: ast.ClassDef) -> Scope:
    """The scope of a class, which its methods do not see."""
    return Scope(_bound_in(node.body), is_class=True)


def of_comprehension(generators: Iterable[ast.comprehension]) -> Scope:
    """The names that a comprehension runs through."""
    return Scope({name for each in generators for name in names_in(each.target)})


def names_in(node: ast.AST) -> set[str]:
    """All names within an expression or a target."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def root_of(node: ast.expr) -> str | None:
    """The name at the beginning of `name.a[0].b().c`."""
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                node = inner
            case ast.Starred(value=inner) | ast.Await(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case ast.Name(id=name):
                return name
            case _:
                return None


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    both = (arguments.vararg, arguments.kwarg)
    plain = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return (each.arg for each in (*plain, *both) if each is not None)


def _bound_in(body: Iterable[ast.AST]) -> set[str]:
    """The names that a body binds, without those of scopes within it."""
    bound: set[str] = set()
    declared: set[str] = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Global):
            declared |= set(node.names)
        bound |= set(bound_by(node))
        if not isinstance(node, _INNER):
            waiting += ast.iter_child_nodes(node)
    return bound - declared


def bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node itself binds, as far as it is no expression."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import() | ast.ImportFrom():
            yield from imported_by(node)
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            pass


def imported_by(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The names that an import binds."""
    found = (each.asname or each.name.partition(".")[0] for each in node.names)
    return [name for name in found if name != "*"]


def names_bound_in(tree: ast.Module) -> set[str]:
    """The names that some code binds, outside of scopes within it."""
    return _bound_in(tree.body)
