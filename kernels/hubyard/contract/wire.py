"""The wire of a value: the JSON that a run is told, of which `take` makes it again.

What JSON cannot say travels as a text: a date as 2024-01-31, and a list or a dict that
holds such things as the literal that Python has for it.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from pydantic import TypeAdapter

from hubyard.contract.kind import ANY, NONE, Kind
from hubyard.contract.literal import is_json, literal_text, python_of
from hubyard.contract.value import Unfit, take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import JsonValue

_SPANS: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def wire_of(kind: Kind, value: object) -> JsonValue:
    """How a value of a kind travels.

    Raises:
        Unfit: it cannot travel as it is.
    """
    try:
        plain = _plain(kind, value)
        said = plain if is_json(plain) else _literal(kind, plain)
        if python_of(take(kind, said)) != python_of(value):
            raise Unfit
        json.dumps(said, ensure_ascii=False).encode()  # half a character is none
    except (ValueError, TypeError, RecursionError):
        raise Unfit from None
    return cast("JsonValue", said)


def _literal(kind: Kind, plain: object) -> str:
    """The text that stands for what JSON cannot say, where a text means nothing else.

    A kind that takes any value would keep the text.
    """
    if kind.name in {"any", "str"}:
        raise Unfit
    return literal_text(plain)


def _plain(kind: Kind, value: object) -> object:
    """A value made of what literals can say."""
    if kind.name == "union":
        kind = _member_of(kind, value)
    match value:
        case dict() if kind.name == "dict":
            keys, values = kind.of or (ANY, ANY)
            pairs = cast("dict[object, object]", value).items()
            return {_plain_key(keys, k): _plain(values, v) for k, v in pairs}
        case list() | tuple() | set() | frozenset() if kind.is_series:
            given = list(cast("Iterable[object]", value))
            made = [_plain(of, each) for of, each in _with_kinds(kind, given)]
            unordered = isinstance(value, set | frozenset)
            return sorted(made, key=python_of) if unordered else made
        case _:
            return _plain_scalar(kind, value)


def _with_kinds(kind: Kind, given: list[object]) -> Iterable[tuple[Kind, object]]:
    if kind.of and kind.name == "tuple" and not kind.is_open:
        return zip(kind.of, given, strict=True)
    of = kind.of[0] if kind.of else ANY
    return ((of, each) for each in given)


def _member_of(kind: Kind, value: object) -> Kind:
    """The member of a union that makes just this value of its own wire."""
    for each in kind.of:
        if _may_be(each, value) and _fits(each, value):
            return each
    raise Unfit


def _may_be(kind: Kind, value: object) -> bool:
    if kind.name == "literal":
        return any(type(c) is type(value) and c == value for c in kind.choices)
    if kind == NONE:
        return value is None
    return kind.python is not None and isinstance(value, kind.python)


def _fits(kind: Kind, value: object) -> bool:
    try:
        return python_of(take(kind, _plain(kind, value))) == python_of(value)
    except (ValueError, TypeError):
        return False


def _plain_key(kind: Kind, key: object) -> object:
    """A key, which JSON says as a text."""
    if kind.is_scalar and kind.name != "str":
        return str(_plain_scalar(kind, key))
    if isinstance(key, tuple):
        return key
    return _plain_scalar(kind, key)


def _plain_scalar(kind: Kind, value: object) -> object:
    match value:
        case _ if kind.name == "any" or type(value) in {str, bool, int, float}:
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return cast("str", _SPANS.dump_python(value, mode="json"))
        case bytes():
            return repr(value)
        case None:
            return None
        case _:
            return str(value)
