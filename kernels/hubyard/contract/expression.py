"""Expressions: how a step of a pipeline says what it takes, and when it runs.

reference   `${rows}` is a parameter of the pipeline, `${prepare.rows}` an output of a
            step, `${each}` or `${each.depth}` the item of a step that fans out
condition   `${prepare.rows} > 1000 and ${region} == "north"`: comparisons, `and`, `or`,
            `not`, `in` over references and plain values. It is read, never executed
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import JsonValue

EACH = "each"
_BEGIN = "${"
_REFERENCE = re.compile(
    r"\$\{([A-Za-z_][A-Za-z0-9_-]*)(?:\.([A-Za-z_][A-Za-z0-9_]*))?\}"
)
_LONGEST = 500
_STAND_IN = "_{}"
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class Reference(NamedTuple):
    """What stands within `${...}`, before and after its dot."""

    of: str
    part: str | None = None

    def __str__(self) -> str:
        """As it is written."""
        return f"${{{self.of}.{self.part}}}" if self.part else f"${{{self.of}}}"


def references(value: JsonValue) -> Iterator[Reference]:
    """All references within a value, however deep.

    Raises:
        ValueError: `${` begins something that is none.
    """
    if isinstance(value, str):
        yield from _references_of(value)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from references(each)


def resolve(value: JsonValue, look: Callable[[Reference], JsonValue]) -> JsonValue:
    """A value with what its references stand for.

    A text that is one reference becomes the value itself; within a longer text the
    value is written out.
    """
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return look(Reference(*whole.groups()))
        return _REFERENCE.sub(lambda m: str(look(Reference(*m.groups()))), value)
    if isinstance(value, list):
        return [resolve(each, look) for each in value]
    if isinstance(value, dict):
        return {name: resolve(each, look) for name, each in value.items()}
    return value


def part_of(value: JsonValue, reference: Reference) -> JsonValue:
    """What a reference with a dot names of an item.

    Raises:
        ValueError: it has no such part.
    """
    if reference.part is None:
        return value
    if isinstance(value, dict) and reference.part in value:
        return value[reference.part]
    raise ValueError(f"{reference} names nothing in {str(value)[:80]}")


@dataclass(frozen=True)
class Condition:
    """A condition that was read."""

    text: str
    taken: tuple[Reference, ...]
    """What it looks at, in the order of its stand-ins."""
    tree: ast.expr

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises:
            ValueError: it is none; says what may stand there.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"a condition has at most {_LONGEST} characters")
        taken = tuple(_references_of(text))
        numbers = iter(range(len(taken)))
        code = _REFERENCE.sub(lambda _: _STAND_IN.format(next(numbers)), text)
        try:
            tree = ast.parse(code.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ValueError(_only()) from None
        _check(tree, {_STAND_IN.format(n) for n in range(len(taken))})
        return cls(text, taken, tree)

    def holds(self, look: Callable[[Reference], JsonValue]) -> bool:
        """Whether it holds.

        Raises:
            ValueError: it compares what cannot be compared.
        """
        names = {_STAND_IN.format(n): look(of) for n, of in enumerate(self.taken)}
        try:
            return bool(_value(self.tree, names))
        except TypeError as error:
            raise ValueError(f"{self.text!r} cannot be decided: {error}") from None


def _references_of(text: str) -> Iterator[Reference]:
    found = list(_REFERENCE.finditer(text))
    if text.count(_BEGIN) != len(found):
        raise ValueError("write a reference as ${parameter}, ${step.output} or ${each}")
    for match in found:
        yield Reference(*match.groups())


def _only() -> str:
    return (
        "a condition compares references and plain values, such as "
        "${prepare.rows} > 1000"
    )


def _check(tree: ast.expr, names: set[str]) -> None:
    match tree:
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            parts = [part]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARISONS for op in ops
        ):
            parts = [left, *others]
        case ast.Constant(value=str() | int() | float() | None):
            parts = []
        case ast.Name(id=name) if name in names:
            parts = []
        case _:
            raise ValueError(_only())
    for part in parts:
        _check(part, names)


def _value(tree: ast.expr, names: Mapping[str, JsonValue]) -> object:
    match tree:
        case ast.BoolOp(op=op, values=parts):
            decide = all if isinstance(op, ast.And) else any
            return decide(_value(part, names) for part in parts)
        case ast.UnaryOp(op=op, operand=part):
            found = _value(part, names)
            return not found if isinstance(op, ast.Not) else -cast("float", found)
        case ast.Compare():
            return _compared(tree, names)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, names) for part in parts]
        case ast.Name(id=name):
            return names[name]
        case _:
            return cast("ast.Constant", tree).value


def _compared(tree: ast.Compare, names: Mapping[str, JsonValue]) -> bool:
    left = _value(tree.left, names)
    for op, other in zip(tree.ops, tree.comparators, strict=True):
        right = _value(other, names)
        if not _COMPARISONS[type(op)](left, right):
            return False
        left = right
    return True
