"""Body: what a request may carry. JSON says so and is small; uploads count themselves.

It is read here, before anything else, so that no route can forget to bound it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubyard_hub.api.answers import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT_BYTES = 2**20
UPLOADS = re.compile(r"/api/(sources|job/steps/[^/]+/(notebook|report|outputs))")
"""Routes that read a stream and bound it themselves."""
RECORD_LIMIT_BYTES = 8 * 2**20
"""For the record of a run: a thousand step runs, each with its cells."""

_JSON = "application/json"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BoundedBody:
    """ASGI middleware: 413 for too long a body, 415 for one that is not JSON.

    JSON can say half a character, which no database and no answer can: 422.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or UPLOADS.fullmatch(_path(scope)):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await _read(request, _limit_bytes(_path(scope)))
        if isinstance(body, Response):
            await body(scope, receive, send)
            return
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if body and kind.lower() != _JSON:
            await problem(415, f"Send it as {_JSON}.")(scope, receive, send)
            return
        if _SURROGATE.search(body) and not _is_text(body):
            answer = problem(422, "The body holds half a character: remove it.")
            await answer(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(request: Request, limit_bytes: int) -> bytes | Response:
    """The body, or the refusal of one that is too large: at once, where it says so."""
    refusal = problem(413, f"At most {limit_bytes // 2**20} MiB are taken.")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit_bytes:
        return refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            return refusal
    return bytes(body)


def _is_text(body: bytes) -> bool:
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        # What else is wrong with it is said where it is read.
        return not isinstance(error, UnicodeEncodeError)
    return True


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _limit_bytes(path: str) -> int:
    return RECORD_LIMIT_BYTES if path == "/api/job/record" else LIMIT_BYTES


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body once more, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again
