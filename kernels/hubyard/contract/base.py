"""How a value crosses the wire: strict when it is written, lenient when it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Written(BaseModel):
    """What a person or a client sends us: an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Read(BaseModel):
    """What we store or a peer answers: a newer peer may say more than we know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A point in time, always in UTC."""

Seconds = Annotated[int, Field(ge=1, le=366 * 24 * 3600)]
"""A whole number of seconds between one second and a year."""

Slug = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=1, max_length=40)
]
"""A name that is safe in a URL and a file name."""

Title = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""A name for people: any characters but control characters, at most 128."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256, in lower-case hexadecimal."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
