"""How a value crosses the wire: strict when it is written, lenient when it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, LiteralString

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pydantic import ValidatorFunctionWrapHandler

LONGEST_S = 366 * 24 * 3600
"""No lifetime and no time-out is longer than a year."""
_NUL, _INSTEAD = "\x00", "\ufffd"


class Written(BaseModel):
    """What a person or a client sends us: an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Read(BaseModel):
    """What we store or a peer answers: a newer peer may say more than we know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def in_words(words: LiteralString) -> WrapValidator:
    """Refuse a value by saying what to write, where a pattern would be shown."""

    def check(value: object, read: ValidatorFunctionWrapHandler) -> object:
        try:
            return read(value)
        except ValidationError:
            raise PydanticCustomError("in_words", words) from None

    return WrapValidator(check)


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


SEVERAL = BeforeValidator(_several, json_schema_input_type=Any)
"""Where a list may be written as its one text."""


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it is outside of the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A point in time, always in UTC."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A count or a size in bytes: exact in the database, in JSON and in a browser."""

Ordinal = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A place in a list, or a revision: a column of 32 bits can hold it."""


def cut_text(most: int) -> BeforeValidator:
    """Cut a text that somebody's code has made, and replace what no database keeps."""

    def cut(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value[:most].replace(_NUL, _INSTEAD)

    return BeforeValidator(cut)


Seconds = Annotated[int, Field(ge=1, le=LONGEST_S, strict=True)]
"""A whole number of seconds between one second and a year."""

Slug = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=1, max_length=40),
    in_words("write at most 40 of a-z, 0-9 and single hyphens, a letter first"),
]
"""A name that is safe in a URL and a file name."""

Title = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$"),
    in_words("write 1 to 128 characters, without tabs, newlines and their like"),
]
"""A name for people: any characters but control characters, at most 128."""

ComputeName = Annotated[
    str, Field(max_length=40), in_words("there is no compute called that")
]
"""Names a profile of the catalogue, or none."""

SourcePath = Annotated[str, Field(max_length=512)]
"""The path of a file within a source."""

Digest = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{64}$"),
    in_words("write the 64 characters of a kept source's hash"),
]
"""A SHA-256, in lower-case hexadecimal."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
