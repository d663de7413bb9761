"""Wire: requests and answers as ASGI messages, read, repeated and held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import Message, Receive, Scope, Send

_REFUSED = {403, 404}


async def read(receive: Receive) -> bytes:
    """The whole body.

    Raises:
        ClientDisconnect: it never came.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def repeat(body: bytes, then: Receive) -> Receive:
    """Give a body that has been read once more, and then what comes after it."""
    left = [body]

    async def receive() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await then()

    return receive


def without_body(send: Send, receive: Receive) -> tuple[Send, Receive]:
    """Let only the head of an answer out; whoever sends the rest finds nobody."""
    is_out = False

    async def send_head(message: Message) -> None:
        nonlocal is_out
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            is_out = True

    async def receive_end() -> Message:
        return {"type": "http.disconnect"} if is_out else await receive()

    return send_head, receive_end


class Judged:
    """Sends MLflow's answer, or another where MLflow has refused."""

    def __init__(
        self,
        send: Send,
        scope: Scope,
        instead: Callable[[int], Awaitable[Response | None]],
    ) -> None:
        self._send = send
        self._scope = scope
        self._instead = instead
        self._held: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in _REFUSED:
            self._held = message
        elif self._held is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._decide(self._held)

    async def _decide(self, held: Message) -> None:
        said = await self._instead(held["status"])
        if said is None:
            await self._send(held)
            await self._send({"type": "http.response.body", "body": self._body})
        else:
            await said(self._scope, _nothing, self._send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
