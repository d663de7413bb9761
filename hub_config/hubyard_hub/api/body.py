"""Body: what a request may carry. JSON says so and is small; uploads count themselves.

It is read here, before anything else, so that no route can forget to bound it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.requests import Request

from hubyard.contract.errors import HubyardError, TooLarge
from hubyard_hub.api.answers import problem
from hubyard_hub.runs.kept import RECORD_BOUND
from hubyard_hub.sources.json_text import JsonBound, check_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = JsonBound(size_bytes=2**20, values=20_000, depth=32)
TARGET_LIMIT_BYTES = 8 * 2**10
"""Path and query of a request."""
UPLOADS = re.compile(r"/api/(sources|job/steps/[^/]+/(notebook|report|outputs))")
"""Routes that read a stream and bound it themselves."""

_JSON = "application/json"


class BoundedBody:
    """ASGI middleware: refuses what is not JSON, or too much of it, unparsed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if target > TARGET_LIMIT_BYTES:
            answer = problem(414, "The address is too long.")
            await answer(scope, receive, send)
            return
        if UPLOADS.fullmatch(_path(scope)):
            await self._app(scope, receive, send)
            return
        request, bound = Request(scope, receive), _bound(_path(scope))
        try:
            body = await _read(request, bound)
        except HubyardError as error:
            await problem(error.status, error.message)(scope, receive, send)
            return
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if body and kind.lower() != _JSON:
            await problem(415, f"Send it as {_JSON}.")(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(request: Request, bound: JsonBound) -> bytes:
    """The body of a request, no more of it than is taken."""
    refusal = TooLarge(f"At most {bound.size_bytes // 2**20} MiB are taken.")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > bound.size_bytes:
        raise refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bound.size_bytes:
            raise refusal
    whole = bytes(body)
    check_json(whole, bound)
    return whole


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _bound(path: str) -> JsonBound:
    return RECORD_BOUND if path == "/api/job/record" else JSON


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body once more, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again
