"""A value: one cell of a request, read as the type that the signature gives it.

Each type reads a whole list of cells at once: what is usual is accepted by a look at
the list, and only a list with something unusual is read cell by cell, so that the
first wrong cell can be named.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast

import pandas as pd

from hubyard.contract.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    At = Callable[[int], str]
    """The place of the i-th value of a list, as a person writes it: `data[3].delay`."""

Json: TypeAlias = Any
"""Any JSON value, of which nothing is known yet."""

Dtype: TypeAlias = "str | pd.CategoricalDtype"

ABSENT: Final = object()
"""What stands in a column where a record does not name it."""

_SHOWN = 40
_NUMBERS = {int, float}
_YEARS = range(1678, 2262)
"""The years that nanoseconds in 64 bits can tell."""
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""How many digits of a second a column of each unit holds."""
_FRACTION = re.compile(r"[.,](\d+)")
_OR_NULL = ", or null where it is missing"


def shown(value: object) -> str:
    """A value as an error shows it: its JSON, cut short."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = "missing" if value is ABSENT else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class ValueType:
    """What a cell must be. `words` and `example` say it to a person."""

    words: ClassVar[str]
    example: ClassVar[Any]
    dtype: Dtype = "object"
    """The dtype of a column of such values."""
    takes_null: bool = True
    """Whether null says that a value is missing."""
    is_as_mlflow: bool = True
    """Whether MLflow's own check leaves a column of this dtype as it is."""

    @property
    def names_null(self) -> bool:
        """Whether an error says that null may be written."""
        return False

    def optional(self) -> ValueType:
        """This type where a value may be missing."""
        return self

    def read(self, values: Sequence[Any], at: At) -> list[Any]:
        """Every value of a list as the model shall get it.

        Raises:
            Invalid: a value is not of this type; names the first.
        """
        return [self.one(value, at(index)) for index, value in enumerate(values)]

    def one(self, value: Json, place: str) -> Json:
        """One value as the model shall get it.

        Raises:
            Invalid: it is not of this type.
        """
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """This type as JSON Schema."""
        raise NotImplementedError

    def sample(self) -> Json:
        """A value of this type, as JSON."""
        return self.example

    def wrong(self, value: object, place: str) -> Invalid:
        """The error that says what to write instead of `value`."""
        example = json.dumps(self.sample())
        null = _OR_NULL if self.names_null else ""
        return Invalid(
            f"{place} is {shown(value)}: write {self.words}, such as {example}{null}.",
            field=place,
        )


@dataclass(frozen=True)
class Real(ValueType):
    """A number; an integer is one too. Null and NaN say that it is missing."""

    words = "a number"
    example = 1.5
    dtype: Dtype = "float64"
    top: float = 1.7976931348623157e308
    """The largest number that fits."""
    is_as_mlflow: bool = True

    def read(self, values: Sequence[Any], at: At) -> list[float]:
        if set(map(type, values)) <= _NUMBERS:
            try:
                numbers = list(map(float, values))
            except OverflowError:
                return super().read(values, at)
            # One infinity or NaN among them makes the sum one.
            if math.isfinite(sum(numbers)) and self._fits(numbers):
                return numbers
        return super().read(values, at)

    def _fits(self, numbers: list[float]) -> bool:
        return not numbers or -self.top <= min(numbers) <= max(numbers) <= self.top

    def one(self, value: Json, place: str) -> float:
        if value is None:
            return math.nan
        if type(value) not in _NUMBERS:
            raise self.wrong(value, place)
        if abs(value) > self.top:  # which NaN is not
            raise Invalid(
                f"{place} is too large: write a number of at most {self.top:.3g}, "
                "or null where it is missing.",
                field=place,
            )
        return float(value)

    def schema(self) -> dict[str, Any]:
        return {"type": ["number", "null"]}


@dataclass(frozen=True)
class Whole(ValueType):
    """A whole number within bounds; 3.0 is one, true is not."""

    words = "a whole number"
    example = 3
    dtype: Dtype = "int64"
    bottom: int = -(2**63)
    top: int = 2**63 - 1
    takes_null: bool = False
    is_as_mlflow: bool = True

    def read(self, values: Sequence[Any], at: At) -> list[int | None]:
        whole = set(map(type, values)) == {int}
        if whole and self.bottom <= min(values) and max(values) <= self.top:
            return list(values)
        return super().read(values, at)

    def one(self, value: Json, place: str) -> int | None:
        if value is None:
            if self.takes_null:
                return None
            raise self.wrong(value, place)
        if type(value) is not int and not _is_whole_float(value):
            raise self.wrong(value, place)
        if not self.bottom <= value <= self.top:
            raise Invalid(
                f"{place} is {shown(value)}: write a whole number from {self.bottom} "
                f"to {self.top}.",
                field=place,
            )
        return int(value)

    @property
    def names_null(self) -> bool:
        return self.takes_null

    def optional(self) -> Whole:
        """Null is pandas' NA, in a column of the dtype that has it."""
        dtype = str(self.dtype).replace("int", "Int").replace("uI", "UI")
        return replace(self, takes_null=True, dtype=dtype, is_as_mlflow=False)

    def schema(self) -> dict[str, Any]:
        kind = ["integer", "null"] if self.takes_null else "integer"
        return {"type": kind, "minimum": self.bottom, "maximum": self.top}


def _is_whole_float(value: Json) -> bool:
    return type(value) is float and value.is_integer()


@dataclass(frozen=True)
class Boolean(ValueType):
    """True or false, and nothing that merely counts as one."""

    words = "true or false"
    example = True
    dtype: Dtype = "bool"
    takes_null: bool = False
    is_as_mlflow: bool = True

    def one(self, value: Json, place: str) -> bool | None:
        if value is None and self.takes_null:
            return None
        if type(value) is not bool:
            raise self.wrong(value, place)
        return value

    @property
    def names_null(self) -> bool:
        return self.takes_null

    def optional(self) -> Boolean:
        """Null is pandas' NA, in a column of the dtype that has it."""
        return replace(self, takes_null=True, dtype="boolean", is_as_mlflow=False)

    def schema(self) -> dict[str, Any]:
        return {"type": ["boolean", "null"] if self.takes_null else "boolean"}


@dataclass(frozen=True)
class Text(ValueType):
    """A text; null says that it is missing."""

    words = "a text in quotes"
    example = "a"
    dtype: Dtype = "str"
    is_as_mlflow: bool = True

    def read(self, values: Sequence[Any], at: At) -> list[str | None]:
        if set(map(type, values)) == {str} and all(map(str.isascii, values)):
            return list(values)
        return super().read(values, at)

    def one(self, value: Json, place: str) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            raise self.wrong(value, place)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid(
                f"{place} holds half a character: write a text in whole characters.",
                field=place,
            ) from None
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"]}


@dataclass(frozen=True)
class Instant(ValueType):
    """A date and time in ISO 8601; null says that it is missing.

    In a column without a zone it is kept in UTC. In one with a zone it says its offset:
    to guess one would be to guess the moment.
    """

    unit: str = "ns"
    zone: str | None = None
    is_as_mlflow: bool = True

    @property
    def words(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  it depends on the zone
        """What to write."""
        offset = " with its offset from UTC" if self.zone else ""
        return f"a date and time{offset}"

    @property
    def example(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  as above
        """A date and time that such a column takes."""
        return "2026-01-31T12:00:00" + ("+00:00" if self.zone else "")

    @property
    def dtype(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  as above
        """The dtype, with the zone if there is one."""
        return f"datetime64[{self.unit}{f', {self.zone}' if self.zone else ''}]"

    def one(self, value: Json, place: str) -> datetime | None:
        if value in (None, "NaT"):  # as pandas writes it into a model's example
            return None
        try:
            moment = datetime.fromisoformat(value)
            has_offset = moment.tzinfo is not None
            if has_offset:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        except (TypeError, ValueError, OverflowError):
            raise self.wrong(value, place) from None
        if self.zone and not has_offset:
            raise self.wrong(value, place)
        if moment.year not in _YEARS:
            raise Invalid(
                f"{place} is {shown(value)}: write a year from {_YEARS[0]} to "
                f"{_YEARS[-1]}.",
                field=place,
            )
        return self._to_the_digit(moment, value, place)

    def _to_the_digit(self, moment: datetime, value: str, place: str) -> datetime:
        """The moment with all digits of its second, of which Python's own has six."""
        found = _FRACTION.search(value)
        digits = found[1].rstrip("0") if found else ""
        if len(digits) > _DIGITS[self.unit]:
            raise Invalid(
                f"{place} is {shown(value)}: write at most {_DIGITS[self.unit]} digits "
                "of a second; the model was trained with no more.",
                field=place,
            )
        beyond = digits[6:]
        if not beyond:
            return moment
        nanoseconds = int(beyond.ljust(3, "0"))
        whole = pd.Timestamp(moment).replace(nanosecond=nanoseconds)
        return cast("datetime", whole)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"], "format": "date-time"}


@dataclass(frozen=True)
class Binary(ValueType):
    """Bytes, written in base64; null says that they are missing."""

    words = "bytes in base64"
    example = "aGk="

    def one(self, value: Json, place: str) -> bytes | None:
        if value is None:
            return None
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise self.wrong(value, place) from None

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"], "contentEncoding": "base64"}


@dataclass(frozen=True)
class Anything(ValueType):
    """Any JSON value: the signature says no more."""

    words = "any JSON value"
    example = "a"

    def one(self, value: Json, place: str) -> Json:
        if value is ABSENT:
            raise self.wrong(value, place)
        return value

    def schema(self) -> dict[str, Any]:
        return {}
