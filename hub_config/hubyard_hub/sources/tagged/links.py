"""Links: names whose objects, or parts of them, the value of an expression may be."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hubyard_hub.sources.tagged.calls import COPIES, KEEPS_PARTS
from hubyard_hub.sources.tagged.scope import root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def linked_in(node: ast.expr) -> Iterator[str]:
    """The names that an expression may lead to without a copy."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            if (root := root_of(node)) is not None:
                yield root
        case ast.Call():
            yield from _of_call(node)
        case _:
            yield from _all(_parts(node))


def _parts(node: ast.expr) -> Iterator[ast.expr | None]:
    """The expressions of which the value of another one is made."""
    match node:
        case ast.Tuple() | ast.List() | ast.Set():
            yield from node.elts
        case ast.Dict() | ast.BoolOp():
            yield from node.values
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.Starred() | ast.NamedExpr():
            yield node.value
        case _:
            yield from _of_comprehension(node)


def _of_comprehension(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            yield node.elt
        case ast.DictComp():
            yield node.value
        case _:
            return
    yield from (each.iter for each in node.generators)


def _all(nodes: Iterable[ast.expr | None]) -> Iterator[str]:
    for each in nodes:
        if each is not None:
            yield from linked_in(each)


def _of_call(node: ast.Call) -> Iterator[str]:
    """What is called by a plain name may keep what it is given, unless it copies."""
    match node.func:
        case ast.Name(id=name) if name not in COPIES:
            yield from _all([*node.args, *(each.value for each in node.keywords)])
        case ast.Name(id=name) if name in KEEPS_PARTS:
            yield from _all(node.args)
        case _:
            pass
