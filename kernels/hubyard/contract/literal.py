"""Literals: values as people type them, and as Python writes them.

`lr=0.1`, `name=base`, `deep=True`, `sizes=[1, 2]`
"""

from __future__ import annotations

import ast
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LITERAL_LIMIT_BYTES = 64 * 2**10
"""The longest literal that is read: a megabyte takes a second to parse."""
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "nan": math.nan,
    "NaN": math.nan,
    "inf": math.inf,
    "Infinity": math.inf,
}
"""Names within a literal that JSON or Python has for a value."""
_QUOTES = ("'", '"')
_SERIES: dict[type[ast.expr], Callable[[Iterable[object]], object]] = {
    ast.List: list,
    ast.Tuple: tuple,
    ast.Set: set,
}
_DEEPEST = 32
"""So many brackets may stand within one another, as in JSON."""

Holder = (
    dict[object, object]
    | list[object]
    | tuple[object, ...]
    | set[object]
    | frozenset[object]
)
"""A value that holds other values."""


def parse_value(text: str) -> Any:  # noqa: ANN401  any literal
    """A Python literal where it is one that JSON can say, else the text itself."""
    try:
        return json.loads(json.dumps(ast.literal_eval(text), allow_nan=False))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text


def parse_pair(text: str) -> tuple[str, Any]:
    """A name and its value.

    Raises:
        ValueError: there is no `=`, or no name before it.
    """
    name, value = split_pair(text)
    return name, parse_value(value)


def split_pair(text: str) -> tuple[str, str]:
    """A name and the text of its value.

    Raises:
        ValueError: there is no `=`, or no name before it.
    """
    name, found, value = text.partition("=")
    if not found or not name.strip().isidentifier():
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value


def read_literal(text: str) -> object:
    """The value of a literal of Python or JSON.

    Raises:
        ValueError: it is none.
    """
    if len(text) > LITERAL_LIMIT_BYTES:
        limit = LITERAL_LIMIT_BYTES // 2**10
        raise ValueError(f"a literal has at most {limit} thousand characters")
    try:
        return literal_of(ast.parse(text.strip(), mode="eval").body)
    except (TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("it is no literal") from None


def literal_of(tree: ast.expr, deepest: int = _DEEPEST) -> object:
    """The value that an expression spells out; nothing is executed.

    Raises:
        ValueError, TypeError: it must be executed to know.
    """
    if not deepest:
        raise ValueError(f"more than {_DEEPEST} brackets stand within one another")
    within = partial(literal_of, deepest=deepest - 1)
    match tree:
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.Constant(value=float(number)) if math.isinf(number):
            raise ValueError("a number is too large")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id=name)) if name in _WORDS:
            return -cast("float", _WORDS[name])
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return _SERIES[type(tree)](map(within, parts))
        case ast.Dict(keys=keys, values=values) if None not in keys:
            named = zip(cast("list[ast.expr]", keys), values, strict=True)
            return {within(key): within(value) for key, value in named}
        case _:
            return ast.literal_eval(tree)


def unquoted(text: str) -> str:
    """A text that may stand in Python's quotes, without them."""
    if text.startswith(_QUOTES):
        try:
            found = read_literal(text)
        except ValueError:
            return text
        return found if isinstance(found, str) else text
    return text


def is_json(value: object) -> bool:
    """Whether JSON, with Python's words for NaN and infinity, says exactly this."""
    if type(value) is dict:
        return all(
            type(key) is str and is_json(inner)
            for key, inner in cast("dict[object, object]", value).items()
        )
    if type(value) is list:
        return all(map(is_json, cast("list[object]", value)))
    return value is None or type(value) in {bool, int, float, str}


def python_of(value: object) -> str:
    """The expression that Python evaluates to a value, with no name of anybody's.

    Raises:
        TypeError: there is no expression for values of this type.
    """
    match value:
        case float() if not math.isfinite(value):
            return f"float('{value}')"
        case complex():
            return f"complex({python_of(value.real)}, {python_of(value.imag)})"
        case dict() | list() | tuple() | set() | frozenset():
            return _with(python_of, cast("Holder", value))
        case None | bool() | int() | float() | str() | bytes():
            return repr(value)
        case _:
            return _of_library(value)


def literal_text(value: object) -> str:
    """The text of which `read_literal` makes a value that it can make at all."""
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _with(literal_text, cast("Holder", value))
    return repr(value)


def _with(say: Callable[[object], str], value: Holder) -> str:
    """What holds other values, each of them as `say` writes it."""
    if isinstance(value, dict):
        pairs = (f"{say(key)}: {say(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    said = [say(each) for each in value]
    match value:
        case list():
            return f"[{', '.join(said)}]"
        case tuple():
            return f"({', '.join(said)}{',' * (len(said) == 1)})"
        case set():
            return f"{{{', '.join(sorted(said))}}}" if said else "set()"
        case _:
            return f"frozenset([{', '.join(sorted(said))}])"


def _of_library(value: object) -> str:
    """A value of a type that has to be imported first."""
    match value:
        case datetime() | date() | time():
            name, said = f"datetime.{type(value).__name__}", value.isoformat()
            return _call(f"{name}.fromisoformat", said)
        case timedelta():
            parts = value.days, value.seconds, value.microseconds
            return _call("datetime.timedelta", *parts)
        case Decimal():
            return _call("decimal.Decimal", str(value))
        case UUID():
            return _call("uuid.UUID", str(value))
        case PurePath():
            return _call("pathlib.Path", str(value))
        case _:
            raise TypeError(f"no literal says a {type(value).__name__}")


def _call(function: str, *arguments: object) -> str:
    module, _, name = function.partition(".")
    return f'__import__("{module}").{name}({", ".join(map(repr, arguments))})'
