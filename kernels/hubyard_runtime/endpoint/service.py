"""The service: the ASGI application of an endpoint, as it stands behind the gate.

Plain ASGI, since each request of a fast model costs more in a framework than in the
model. Paths lie below `root_path`, which the gate sets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from hubyard.contract.base import now
from hubyard.contract.errors import (
    HubyardError,
    Problem,
    Rejected,
    TooLarge,
    Unavailable,
)
from hubyard_runtime.endpoint import model as models
from hubyard_runtime.endpoint.batcher import Batcher
from hubyard_runtime.endpoint.metrics import Metrics
from hubyard_runtime.endpoint.openapi import document, example
from hubyard_runtime.endpoint.page import page
from hubyard_runtime.endpoint.protocol import body

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from hubyard.contract.deployment import DeploymentJob
    from hubyard_runtime.endpoint.model import Model
    from hubyard_runtime.endpoint.protocol.table import Table

log = logging.getLogger("hubyard.endpoint")

LARGEST_BODY = 10_000_000
"""Bytes."""
_LARGE_BODY = 100_000
"""Bytes above which a body is read in another thread, past which small ones slip."""
_MOST_TRIED = 64
"""Rows of a refused request that are asked one by one, to name the first bad one."""
_JSON = b"application/json"
_AGAIN = ((b"retry-after", b"5"),)
"""Seconds; about what a model takes to be loaded."""
_UTF_8 = {b"charset=utf-8", b'charset="utf-8"', b"charset="}


class _Unsupported(Rejected):
    """Send JSON: set the header Content-Type to application/json."""

    status: ClassVar[int] = 415


class _Gone(Exception):
    """The client went away before it had sent its request."""


class Answer:
    """What goes back: status, type and bytes."""

    def __init__(
        self,
        content: bytes,
        status: int = 200,
        kind: bytes = _JSON,
        extra: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.status = status
        self.content = content
        self.headers = [
            (b"content-type", kind),
            (b"content-length", b"%d" % len(content)),
            (b"cache-control", b"no-store"),
            *extra,
        ]


class Endpoint:
    """Serves one model. `ROUTES` names every path below the prefix and its method."""

    ROUTES: ClassVar[dict[str, str]] = {
        "invocations": "POST",
        "health": "GET",
        "info": "GET",
        "openapi.json": "GET",
        "docs": "GET",
    }

    def __init__(
        self,
        model: Model,
        job: DeploymentJob,
        public_url: str = "",
        on_stuck: Callable[[], None] = lambda: None,
        replaced: int = 0,
        requests: int = 0,
    ) -> None:
        """Make the application.

        Args:
            model: loaded and checked.
            job: what the platform said to serve.
            public_url: what a person types for the hub, without a trailing slash.
            on_stuck: called when the model hangs: nobody is answered any more.
            replaced: how many processes have served this model before this one.
            requests: how many requests those have answered.
        """
        self._replaced = replaced
        self._requests_before = requests
        self._model = model
        self._job = job
        self._public_url = public_url
        self._metrics = Metrics()
        self._started_at = now()
        self._batcher: Batcher[Table, bytes] = Batcher(
            model.answers, model.layout, on_stuck
        )
        self._pages: dict[str, Callable[[str], Answer]] = {
            "health": lambda _: self._health(),
            "info": lambda _: _json(self._info()),
            "openapi.json": lambda prefix: _json(document(model, job, prefix)),
            "docs": self._docs,
        }

    @property
    def requests(self) -> int:
        """How many predictions were asked for since the endpoint's start."""
        return self._requests_before + self._metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _decline(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except _Gone:
            return
        start = {"type": "http.response.start", "status": answer.status}
        await send({**start, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        prefix: str = scope.get("root_path", "")
        path = scope["path"].removeprefix(prefix).removeprefix("/")
        method = self.ROUTES.get(path)
        if method is None:
            known = ", ".join(self.ROUTES)
            return _problem(404, f"There is no such page; there are {known}.")
        if scope["method"] != method and (scope["method"], method) != ("HEAD", "GET"):
            allow = (b"allow", method.encode())
            return _problem(405, f"Ask for {path} by {method}.", extra=(allow,))
        if path in self._pages:
            return self._pages[path](quote(prefix, safe="/@~"))
        return await self._invoke(scope, receive)

    async def _invoke(self, scope: Scope, receive: Receive) -> Answer:
        started = time.perf_counter()
        try:
            raw = await _body(scope, receive)
            started = time.perf_counter()
            answer = Answer(await self._predicted(raw, receive))
        except HubyardError as error:
            extra = _AGAIN if error.status == Unavailable.status else ()
            answer = _problem(error.status, error.message, error.field, extra)
        self._metrics.add(answer.status, time.perf_counter() - started)
        return answer

    async def _predicted(self, raw: bytes, receive: Receive) -> bytes:
        if len(raw) > _LARGE_BODY:
            table = await asyncio.to_thread(self._table, raw)
        else:
            table = self._table(raw)
        try:
            waits = self._batcher.is_busy
            answer = self._batcher.put(table)
            if waits:
                await _done_or_gone(answer, receive)
            return await answer
        except (HubyardError, _Gone):
            raise
        except Exception as error:  # noqa: BLE001  the model's own code
            raise await self._translated(error, table) from None

    async def _translated(self, error: Exception, table: Table) -> HubyardError:
        """What the asker is told when the model raised: refused (422) or failed (500).

        A model that answers its own example is well: then it is this input that it
        cannot use, whatever it has raised.
        """
        is_refusal = models.is_refusal(error)
        if not is_refusal and not await self._answers(self._model.known):
            return models.failed(error)
        return models.refused(error, table, await self._first_refused(table))

    async def _first_refused(self, table: Table) -> int | None:
        """The first row that the model does not answer alone; None: it answers each."""
        if table.layout is None:
            return 0 if table.rows == 1 else None
        for row in range(min(table.rows, _MOST_TRIED)):
            if not await self._answers(table.row(row)):
                return row
        return None

    async def _answers(self, table: Table | None) -> bool:
        """Whether the model answers a table; None: there is none to ask about."""
        if table is None:
            return False
        try:
            await self._batcher.put(table)
        except Exception:  # noqa: BLE001  the model's own code
            return False
        return True

    def _table(self, raw: bytes) -> Table:
        signature = self._model.signature
        said = body.read(raw, apart=signature.is_apart)
        self._model.speed.check(said.rows)
        return signature.table(said)

    def _health(self) -> Answer:
        if self._batcher.is_stuck:
            return _problem(
                Unavailable.status, "The model hangs, and is started again."
            )
        return _json({"status": "ok"})

    def _info(self) -> dict[str, Any]:
        latency, revision = self._metrics.latency_ms, self._job.revision
        return {
            "name": self._job.name,
            "model": revision.model,
            "version": revision.version,
            "revision": revision.number,
            "signature": self._model.recorded or None,
            "example": example(self._model),
            "started_at": self._started_at.isoformat(),
            "replaced": self._replaced,
            "requests": self.requests,
            "errors": self._metrics.errors,
            "statuses": dict(self._metrics.statuses),
            "waiting": self._batcher.waiting,
            "latency_ms": {"p50": latency.quantile(0.5), "p95": latency.quantile(0.95)},
        }

    def _docs(self, prefix: str) -> Answer:
        text = page(self._model, self._job, f"{self._public_url}{prefix}/")
        policy = b"default-src 'none'; style-src 'unsafe-inline'"
        extra = ((b"content-security-policy", policy),)
        return Answer(text.encode(), kind=b"text/html; charset=utf-8", extra=extra)


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body; one that is too large is refused before it has been sent whole.

    Raises:
        Rejected: it is too large, or not said to be plain JSON.
    """
    headers = dict[bytes, bytes](scope["headers"])
    told = headers.get(b"content-length", b"")
    _check_size(int(told) if told.isdigit() else 0)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        _check_size(len(body))
        more = message.get("more_body", False)
    _check_type(headers)
    return bytes(body)


def _check_size(size_bytes: int) -> None:
    if size_bytes > LARGEST_BODY:
        raise TooLarge(
            f"The body is over {LARGEST_BODY // 10**6} MB: send the rows in parts."
        )


async def _done_or_gone(answer: asyncio.Future[bytes], receive: Receive) -> None:
    """Wait for an answer, as long as there is a client who waits for it.

    Raises:
        _Gone: there is none any more.
    """
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise _Gone
    finally:
        gone.cancel()
        answer.cancel()  # nothing, where it is done


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _check_type(headers: dict[bytes, bytes]) -> None:
    said = headers.get(b"content-type", b"").lower()
    kind, *parameters = (part.strip() for part in said.split(b";"))
    # JSON has no other parameter that means anything.
    charsets = {part for part in parameters if part.startswith(b"charset=")}
    if kind != _JSON or not charsets <= _UTF_8:
        raise _Unsupported
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _Unsupported("Send the JSON as it is, without a Content-Encoding.")


async def _decline(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what is not a request: the server's own start and end, and WebSockets."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _json(said: dict[str, Any]) -> Answer:
    return Answer(json.dumps(said).encode())


def _problem(
    status: int,
    message: str,
    field: str | None = None,
    extra: tuple[tuple[bytes, bytes], ...] = (),
) -> Answer:
    problem = Problem(message=message, field=field)
    # A client's own half characters come back escaped, which pydantic's JSON is not.
    content = json.dumps(problem.model_dump()).encode()
    return Answer(content, status, extra=extra)
