"""Bounds: how much of a request MLflow is given, checked before anything is parsed.

json      a body that is neither an artifact nor an export: size, values, depth, numbers
export    a body of OpenTelemetry's; see `spans`
artifact  a body that is written to a file as it comes, of any content

MLflow itself takes all that is sent, and answers 500 where the database cannot hold a
number, where JSON or a query is too deep, and where no file can have a name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import ClientDisconnect

from hubyard.contract.errors import HubyardError, Invalid, TooLarge
from hubyard_hub.mlflow import answers
from hubyard_hub.mlflow.wire import repeat
from hubyard_hub.sources.json_text import (
    JsonBound,
    check_json,
    is_deeper,
    without_texts,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = JsonBound(size_bytes=8 * 2**20, values=200_000, depth=64)
EXPORT_LIMIT_BYTES = 8 * 2**20
"""As it is sent, packed or not."""
ARTIFACT_LIMIT_BYTES = 5 * 2**30
NAME_LIMIT_BYTES = 255
"""Of a file or folder: file systems take no longer one."""
PATH_LIMIT_BYTES = 2**12
DEEPEST_QUERY = 50
"""Of GraphQL."""

_EXPORT, _GRAPHQL = "/v1/traces", "/graphql"
_STREAMED = re.compile(
    r"/(ajax-)?api/2\.0/(mlflow-artifacts/artifacts/|mlflow/upload-artifact)"
)
_LARGEST = 2**63 - 1
_LONG_NUMBER = re.compile(r"(?<![\w.])-?\d{19,}(?![\w.])")
_QUOTED = re.compile(r"'[^']*+'?|\"[^\"]*+\"?")
_VERSION = re.compile(r"/versions/([^/]+)")
_TEXTS = {"filter", "filter_string", "order_by"}
_NUMBERS = (
    "experiment_id",
    "experiment_ids",
    "role_id",
    "version",
    "_results",
    "_step",
)
"""How the names of those query parameters end that are numbers."""
_WHOLE = re.compile(
    rb'"(?:experiment_?[iI]ds?|version|role_?[iI]d|filter|filter_?[sS]tring|order_?[bB]y)"'
    rb'\s*:\s*(\[[^\]]*+\]|"(?:[^"\\]++|\\.)*+")',
    re.DOTALL,
)
"""Fields whose texts hold numbers that MLflow hands to its database."""


class Bounded:
    """ASGI middleware: refuses what MLflow could only fail with, as MLflow refuses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope["root_path"])
        try:
            check_address(path, scope["query_string"])
            if _STREAMED.match(path):
                await self._stream(scope, receive, send)
                return
            most = EXPORT_LIMIT_BYTES if path == _EXPORT else JSON.size_bytes
            body = await _read(scope, receive, most)
            if path != _EXPORT:
                check_body(body)
            if path.endswith(_GRAPHQL):
                _check_query(body + scope["query_string"])
        except HubyardError as error:
            await _refuse(error, scope, receive, send)
            return
        await self.app(scope, repeat(body, receive), send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = _Stream(receive, send, ARTIFACT_LIMIT_BYTES)
        if _told_bytes(scope) > ARTIFACT_LIMIT_BYTES:
            raise stream.refusal
        try:
            await self.app(scope, stream.receive, stream.send)
        except ClientDisconnect:
            if not stream.is_over:
                raise
        if stream.is_over and not stream.has_begun:
            raise stream.refusal


class _Stream:
    """Lets so many bytes of a body through; whoever reads on finds nobody there."""

    def __init__(self, receive: Receive, send: Send, limit_bytes: int) -> None:
        self.is_over = self.has_begun = False
        self.refusal = _too_large(limit_bytes)
        self._receive, self._send = receive, send
        self._left = limit_bytes

    async def receive(self) -> Message:
        """The next part of the body."""
        if self.is_over:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.is_over = self._left < 0
        return {"type": "http.disconnect"} if self.is_over else message

    async def send(self, message: Message) -> None:
        """Send the answer; not what MLflow says of a client that is gone."""
        if not self.is_over:
            self.has_begun = True
        if self.has_begun:
            await self._send(message)


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"At most {limit_bytes // 2**20} MiB are taken.")


def _told_bytes(scope: Scope) -> int:
    told: bytes = dict(scope["headers"]).get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < len(str(_LARGEST)) else 0


async def _read(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body.

    Raises:
        TooLarge: there is more than is taken.
        ClientDisconnect: it never came.
    """
    if _told_bytes(scope) > limit_bytes:
        raise _too_large(limit_bytes)
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        more = message.get("more_body", False)
    return bytes(body)


def check_address(path: str, query: bytes) -> None:
    """Accept a path and a query.

    Raises:
        Invalid: MLflow's database or its files cannot hold what they name.
    """
    said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    paths = [path, *(value for name, value in said if name.endswith("path"))]
    if "artifact" in path:
        for each in paths:
            _check_path(each)
    numbers = [value for name, value in said if name.endswith(_NUMBERS)]
    texts = [value for name, value in said if name in _TEXTS]
    for text in (*texts, *numbers, *_VERSION.findall(path)):
        _check_numbers(text)


def _check_path(path: str) -> None:
    names = path.encode().split(b"/")
    if len(path) > PATH_LIMIT_BYTES or max(map(len, names)) > NAME_LIMIT_BYTES:
        raise Invalid("Invalid path: it, or a name in it, is too long.")


def check_body(body: bytes) -> None:
    """Accept a body of JSON. Whether it is JSON at all MLflow says.

    Raises:
        TooLarge, Invalid: it is more than is taken, or holds what none can hold.
    """
    check_json(body, JSON)
    _check_numbers(without_texts(body).decode("latin-1"))
    for found in _WHOLE.finditer(body):
        for text in re.findall(r'"((?:[^"\\]++|\\.)*+)"', found[1].decode("latin-1")):
            _check_numbers(text)


def _check_query(query: bytes) -> None:
    if is_deeper(unquote_to_bytes(query), DEEPEST_QUERY, JSON.values):
        raise Invalid("The query is nested too deeply.")


def _check_numbers(text: str) -> None:
    """Accept the whole numbers of a text, but for what stands in quotes."""
    for found in _LONG_NUMBER.findall(_QUOTED.sub("", text)):
        digits = found.lstrip("-0")
        # Python itself reads no number of thousands of digits.
        if len(digits) > len(str(_LARGEST)) or int(digits or "0") > _LARGEST:
            raise Invalid(f"The number {found[:40]} is larger than 64 bits.")


async def _refuse(
    error: HubyardError, scope: Scope, receive: Receive, send: Send
) -> None:
    if isinstance(error, TooLarge):
        answer = answers.error("REQUEST_LIMIT_EXCEEDED", error.message)
    else:
        answer = answers.invalid(error.message)
    await answer(scope, receive, send)
