"""Columns: how a value that no database knows is kept, exactly, in all of them.

moment  a point in time as whole microseconds since 1970 in UTC; a `datetime` outside
word    a member of one of the contract's enums, kept as its text
json    any JSON value, kept as its text; NaN and infinities survive
"""
# ruff: noqa: ARG002  the methods' parameters are SQLAlchemy's

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MomentColumn(TypeDecorator[datetime]):
    """An aware `datetime`, exact to the microsecond on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(
        self, value: int | None, dialect: Dialect
    ) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class WordColumn(TypeDecorator["StrEnum"]):
    """A member of one enum; anything else is refused on its way in and out."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> StrEnum | None:
        return None if value is None else self.words(value)


class JsonColumn(TypeDecorator[object]):
    """A JSON value; None is SQL's NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return None if value is None else json.loads(value)
