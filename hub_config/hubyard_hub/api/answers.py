"""Answers: every error leaves as a `Problem`: one line, and no traceback."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException

from hubyard.contract.errors import HubyardError, Invalid, Problem, Unavailable, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request, Response

_LOG = logging.getLogger(__name__)


def problem(status: int, message: str, field: str | None = None) -> JSONResponse:
    """An answer of 400 or above."""
    body = Problem(message=message, field=field).model_dump()
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def add_handlers(app: FastAPI) -> None:
    """Make problems of all that an application may raise."""
    app.add_exception_handler(HubyardError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _unkeepable)
    app.add_exception_handler(SQLAlchemyError, _store)
    app.add_exception_handler(Exception, _unknown)


async def _known(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HubyardError):
        raise error
    return problem(error.status, error.message, error.field)


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    said = refusal(first, _field(first))
    return problem(said.status, said.message, said.field)


def _field(error: Mapping[str, Any]) -> str | None:
    if error["type"] == "json_invalid":
        return None
    where = [str(part) for part in error["loc"]]
    return ".".join(where[1:])[:200] or None


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    words = {
        404: f"There is no {request.url.path[:200]} here.",
        405: f"{request.method} is not possible here.",
        400: "The body cannot be read.",
    }
    return problem(error.status_code, words.get(error.status_code, f"{phrase}."))


async def _unkeepable(_request: Request, _error: Exception) -> Response:
    """PostgreSQL takes no NUL in a text, not even to look for it."""
    return problem(Invalid.status, "A value holds what no text can: remove it.")


async def _store(_request: Request, error: Exception) -> Response:
    _LOG.error("The store: %s", error, exc_info=error)
    return problem(Unavailable.status, "The database does not answer; try again.")


async def _unknown(_request: Request, _error: Exception) -> Response:
    return problem(500, (HubyardError.__doc__ or "").splitlines()[0])
