"""The one error tree. The docstring is the message where none is given.

HubyardError
+-- Rejected            400  the request says something that cannot be
|   +-- Invalid         422  a value is wrong; says which and what to write
|   +-- Forbidden       403  known, and not allowed
|   +-- NotFound        404  does not exist, or is not yours: the same answer
|   +-- Conflict        409  true now, may not be later
|   +-- TooLarge        413  more than is taken
|   +-- TooOften        429  sooner than is taken
+-- Unavailable         503  a part of Hubyard does not answer
    +-- NoRoom          507  the disk is nearly full

Only these reach a person, as one line. `status` is the HTTP status that carries them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hubyard.contract.base import Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError


class HubyardError(Exception):
    """Something went wrong inside Hubyard; its log says more."""

    status: ClassVar[int] = 500

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        said = message or (type(self).__doc__ or "").partition("\n")[0]
        self.message = " ".join(said.splitlines())
        self.field = field
        super().__init__(self.message)


class Rejected(HubyardError):
    """This request cannot be carried out."""

    status = 400


class Invalid(Rejected):
    """A value is not one that can be used here."""

    status = 422


class Forbidden(Rejected):
    """You are not allowed to do this."""

    status = 403


class NotFound(Rejected):
    """There is no such thing, or it is not yours."""

    status = 404


class Conflict(Rejected):
    """This cannot be done in the present state."""

    status = 409


class TooLarge(Rejected):
    """This is larger than what is taken."""

    status = 413


class TooOften(Rejected):
    """This was asked too often; try again in a moment."""

    status = 429


class Unavailable(HubyardError):
    """A part of Hubyard does not answer; try again in a moment."""

    status = 503


class NoRoom(Unavailable):
    """The disk is nearly full; nothing new starts until there is more room."""

    status = 507


class Problem(Read):
    """The body of every answer of 400 and above."""

    message: str
    field: str | None = None


_BY_STATUS: dict[int, type[HubyardError]] = {
    kind.status: kind
    for kind in (
        Rejected,
        Invalid,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        TooOften,
        Unavailable,
        NoRoom,
    )
}


def from_status(status: int, problem: Problem) -> HubyardError:
    """The error that an HTTP answer stands for."""
    fallback = Rejected if status < HubyardError.status else HubyardError
    kind = _BY_STATUS.get(status, fallback)
    return kind(problem.message, field=problem.field)


_REFUSALS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here: remove it",
    "json_invalid": "is not JSON",
}


def refused(error: ValidationError) -> Invalid:
    """The first of the mistakes in what somebody has written."""
    first = error.errors(include_url=False)[0]
    return refusal(first, ".".join(map(str, first["loc"]))[:200] or None)


def refusal(details: Mapping[str, Any], field: str | None) -> Invalid:
    """What pydantic holds against a field, in a line that says what to do."""
    words = _REFUSALS.get(details["type"])
    if words is None:
        said = str(details["msg"]).removeprefix("Value error, ")
        words = f"cannot be used: {said[:1].lower()}{said[1:]}"
    return Invalid(f"{field or 'The body'} {words}.", field=field)
