"""A value of a parameter, taken from whoever gives it.

raw     JSON, as a program sends it, or a literal of Python
text    as somebody types it in a terminal or a form: `2024-01-31`, `nan`
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from hubyard.contract.duration import parse_duration
from hubyard.contract.kind import ANY, Kind
from hubyard.contract.literal import (
    read_literal,
    unquoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_NOT_FINITE = {"nan", "inf", "infinity"}
_NO_VALUE = {"None", "null"}
_TRUTHS = {"true": True, "True": True, "false": False, "False": False}
_SPANS: TypeAdapter[timedelta] = TypeAdapter(timedelta)
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bytes": "bytes, such as b'x'",
    "complex": "a complex number, such as 1+2j",
    "date": "a date, such as 2024-01-31",
    "datetime": "a date and time, such as 2024-01-31T06:30",
    "time": "a time of day, such as 06:30",
    "timedelta": "a duration, such as 90s, 2h or P1DT2H",
    "Decimal": "a decimal number, in quotes where it is JSON",
    "UUID": "a UUID",
    "Path": "a path",
    "list": "a list",
    "tuple": "a list",
    "set": "a list, each value once",
    "frozenset": "a list, each value once",
    "dict": "an object",
    "None": "None",
    "any": "a value that JSON can say",
}


class Unfit(ValueError):
    """It is no value of this kind."""


def words_of(kind: Kind) -> str:
    """What to write for a value of a kind."""
    if kind.name == "literal":
        return f"one of {', '.join(map(repr, kind.choices))}"
    if kind.name == "union":
        return ", or ".join(words_of(each) for each in kind.of)
    within = f" ({kind})" if kind.of else ""
    return f"{_WORDS[kind.name]}{within}"


# -- taking ------------------------------------------------------------------------


def take(kind: Kind, raw: object) -> object:
    """The value that JSON or a literal stands for.

    Raises:
        Unfit: it stands for none of this kind.
    """
    try:
        return _take(kind, raw)
    except Unfit:
        raise
    except (ValueError, TypeError, OverflowError, InvalidOperation, RecursionError):
        raise Unfit from None


def _take(kind: Kind, raw: object) -> object:
    if kind.is_scalar:
        return raw if type(raw) is kind.python else _SCALARS[kind.name](raw)
    if kind.is_series:
        return _series(kind, _opened(raw))
    return _OTHERS[kind.name](kind, raw)


def _anything(kind: Kind, raw: object) -> object:
    del kind
    return raw


def _nothing(kind: Kind, raw: object) -> object:
    del kind
    if raw is not None:
        raise Unfit
    return raw


def _chosen(kind: Kind, raw: object) -> object:
    for choice in kind.choices:
        if type(choice) is type(raw) and choice == raw:
            return choice
        if isinstance(choice, bytes) and repr(choice) == raw:
            return choice
    raise Unfit


def _member(kind: Kind, raw: object) -> object:
    """Of a member that has exactly this type; else of the first that can read it."""
    exact = [each for each in kind.of if each.python is type(raw)]
    for each in (*exact, *kind.of):
        try:
            return take(each, raw)
        except Unfit:
            continue
    raise Unfit


def _opened(raw: object) -> object:
    """What holds other values, where it travels as a text."""
    return read_literal(raw) if isinstance(raw, str) else raw


def _mapping(kind: Kind, raw: object) -> object:
    raw = _opened(raw)
    if not isinstance(raw, Mapping):
        raise Unfit
    keys, values = kind.of or (ANY, ANY)
    pairs = cast("Mapping[object, object]", raw).items()
    found = {_key(keys, key): take(values, value) for key, value in pairs}
    if len(found) < len(pairs):
        raise Unfit
    return found


def _key(kind: Kind, raw: object) -> object:
    """JSON has texts alone for keys: a text is read, unless a text is meant."""
    try:
        return take(kind, raw)
    except Unfit:
        if isinstance(raw, str):
            return take_text(kind, raw)
        raise


def _series(kind: Kind, raw: object) -> object:
    if not isinstance(raw, list | tuple | set | frozenset):
        raise Unfit
    given = list(cast("Iterable[object]", raw))
    if kind.of and kind.name == "tuple" and not kind.is_open:
        pairs = zip(kind.of, given, strict=True)
        return tuple(take(each, value) for each, value in pairs)
    of = kind.of[0] if kind.of else ANY
    found = [take(of, value) for value in given]
    return cast("Callable[[Any], object]", kind.python)(found)


_OTHERS: dict[str, Callable[[Kind, object], object]] = {
    "any": _anything,
    "None": _nothing,
    "literal": _chosen,
    "union": _member,
    "dict": _mapping,
}


# -- scalars -----------------------------------------------------------------------


def _is_not_finite(text: str) -> bool:
    return text.strip().lower().lstrip("+-") in _NOT_FINITE


def _float(raw: object) -> object:
    if isinstance(raw, str) and _is_not_finite(raw):
        return float(raw)
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    raise Unfit


def _complex(raw: object) -> object:
    if isinstance(raw, str):
        return complex(raw.replace(" ", ""))
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return complex(raw)
    raise Unfit


def _bytes(raw: object) -> object:
    found = read_literal(raw) if isinstance(raw, str) else None
    if not isinstance(found, bytes):
        raise Unfit
    return found


def _decimal(raw: object) -> object:
    if isinstance(raw, bool | float):
        raise Unfit
    return Decimal(cast("str", raw))


def _span(raw: object) -> object:
    try:
        return timedelta(seconds=parse_duration(cast("str", raw)))
    except (ValueError, AttributeError):
        return _read_span(raw)


def _read_span(raw: object) -> timedelta:
    if not isinstance(raw, str):
        raise Unfit
    try:
        return _SPANS.validate_python(raw)
    except ValidationError:
        raise Unfit from None


def _from_text(read: Callable[[str], object]) -> Callable[[object], object]:
    def taken(raw: object) -> object:
        if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
            raise Unfit
        return read(raw)

    return taken


def _no_other(raw: object) -> object:
    del raw
    raise Unfit


_SCALARS: dict[str, Callable[[object], object]] = {
    "bool": _no_other,
    "int": _no_other,
    "float": _float,
    "str": _no_other,
    "bytes": _bytes,
    "complex": _complex,
    "date": _from_text(date.fromisoformat),
    "datetime": _from_text(datetime.fromisoformat),
    "time": _from_text(time.fromisoformat),
    "timedelta": _span,
    "Decimal": _decimal,
    "UUID": _from_text(UUID),
    "Path": _from_text(Path),
}
"""How a scalar is read that is not of its own type already."""


# -- texts -------------------------------------------------------------------------


def take_text(kind: Kind, text: str) -> object:
    """The value that somebody has typed.

    Raises:
        Unfit: it is none of this kind.
    """
    try:
        return _take_text(kind, text)
    except Unfit:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Unfit from None


def _take_text(kind: Kind, text: str) -> object:
    if kind.name == "literal":
        return _chosen_text(kind, text)
    if kind.name == "union":
        return _member_text(kind, text)
    read = _TEXTS.get(kind.name)
    return read(text) if read else take(kind, unquoted(text))


def _any_text(text: str) -> object:
    """A value where it is written as one, else the text."""
    try:
        found = read_literal(text)
    except ValueError:
        return text
    return text if isinstance(found, float) and text.strip().isalpha() else found


def _no_value(text: str) -> object:
    if text.strip() not in _NO_VALUE:
        raise Unfit
    return None


def _truth(text: str) -> object:
    if text.strip() not in _TRUTHS:
        raise Unfit
    return _TRUTHS[text.strip()]


def _whole(text: str) -> object:
    """A whole number, also as 0x10."""
    try:
        return int(text)
    except ValueError:
        return take(Kind("int"), read_literal(text))


def _number(text: str) -> object:
    """A number; one that is too large is not taken for infinity."""
    found = float(text)
    if math.isinf(found) and not _is_not_finite(text):
        raise Unfit
    return found


_TEXTS: dict[str, Callable[[str], object]] = {
    "any": _any_text,
    "None": _no_value,
    "str": unquoted,
    "bool": _truth,
    "int": _whole,
    "float": _number,
}
"""How a kind is read that is typed in another way than it travels."""


def _chosen_text(kind: Kind, text: str) -> object:
    for raw in (text, unquoted(text), _any_text(text)):
        try:
            return _chosen(kind, raw)
        except Unfit:
            continue
    raise Unfit


def _member_text(kind: Kind, text: str) -> object:
    """What is written as a number is one, unless it stands in quotes."""
    for each in sorted(kind.of, key=_order):
        try:
            return take_text(each, text)
        except Unfit:
            continue
    raise Unfit


_FIRST = ("None", "literal", "bool", "int", "float")


def _order(kind: Kind) -> int:
    """A text may be a text; what else travels as one is then no longer known."""
    if kind.name in _FIRST:
        return _FIRST.index(kind.name)
    is_text = kind.is_scalar and kind.name != "str"
    return len(_FIRST) + (2 if is_text else kind.name == "str")
