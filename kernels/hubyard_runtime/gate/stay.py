"""Staying: what goes on for long is ended once its visitor may not stay.

A share that is taken back, a logout or an expired token ends a WebSocket or an answer
within twice the time for which the gate remembers anybody (`hub.KNOWN_S`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hubyard.contract.errors import Unavailable
from hubyard_runtime.gate import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Ask = Callable[[], Awaitable[bool]]

POLICY_VIOLATION = 1008


async def refuse(send: Send) -> None:
    """Close a WebSocket; before it was accepted, that is answered with 403."""
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


async def talk_while_welcome(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    is_welcome: Ask,
    every_s: float,
) -> None:
    """Let a WebSocket's application talk until it has finished or must end."""
    talk = asyncio.ensure_future(app(scope, receive, send))
    watch = asyncio.create_task(_until_unwelcome(is_welcome, every_s))
    try:
        await asyncio.wait({talk, watch}, return_when=asyncio.FIRST_COMPLETED)
        if talk.done():
            talk.result()
            return
    finally:
        await _ended(talk)
        await _ended(watch)
    # The application may have said goodbye itself while it was stopped.
    with suppress(RuntimeError):
        await refuse(send)


async def answer_while_welcome(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    is_welcome: Ask,
    every_s: float,
) -> None:
    """Let a request's application answer until it has finished or must end.

    Nothing is asked for an answer that is quick: most are, and each task that an
    endpoint starts for a request costs it.
    """
    answering = _Answering(send, is_welcome, every_s)
    timer = asyncio.get_running_loop().call_later(every_s, answering.watch)
    try:
        await app(scope, receive, answering.send)
    except asyncio.CancelledError:
        if not answering.is_over:
            raise
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        if answering.has_begun:
            # An end, for a proxy in between may never tell of a connection that breaks.
            # What had promised its length breaks all the same.
            with suppress(RuntimeError):
                await send({"type": "http.response.body", "body": b""})
        else:
            refusal = answers.problem(403, "You may not see this any more.")
            await refusal(scope, receive, send)
    finally:
        timer.cancel()
        await answering.close()


class _Answering:
    """One answer under way."""

    def __init__(self, send: Send, is_welcome: Ask, every_s: float) -> None:
        self.has_begun = self.is_over = False
        self._send, self._is_welcome, self._every_s = send, is_welcome, every_s
        self._request = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None

    async def send(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)

    def watch(self) -> None:
        """Begin to ask whether the visitor may stay."""
        self._watch = asyncio.create_task(self._end_when_unwelcome())

    async def _end_when_unwelcome(self) -> None:
        await _until_unwelcome(self._is_welcome, self._every_s, at_once=True)
        self.is_over = True
        if self._request is not None:
            self._request.cancel()

    async def close(self) -> None:
        """Ask no more."""
        if self._watch is not None:
            await _ended(self._watch)


async def _until_unwelcome(
    is_welcome: Ask, every_s: float, *, at_once: bool = False
) -> None:
    while True:
        if not at_once:
            await asyncio.sleep(every_s)
        at_once = False
        # A hub that does not answer takes nothing back.
        with suppress(Unavailable):
            if not await is_welcome():
                return


async def _ended(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
