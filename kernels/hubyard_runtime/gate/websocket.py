"""A WebSocket that has come through the gate: it lives for hours, so we ask again.

A share that is taken back, a logout or an expired token ends it within the time for
which the gate remembers anybody (`hub.KNOWN_S`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hubyard.contract.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

POLICY_VIOLATION = 1008


async def refuse(send: Send) -> None:
    """Close it; before it was accepted, that is answered with 403."""
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


async def serve_while_welcome(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    is_welcome: Callable[[], Awaitable[bool]],
    every_s: float,
) -> None:
    """Let the application talk until it has finished or its visitor may not stay."""
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


async def _until_unwelcome(
    is_welcome: Callable[[], Awaitable[bool]], every_s: float
) -> None:
    while True:
        await asyncio.sleep(every_s)
        # A hub that does not answer takes nothing back.
        with suppress(Unavailable):
            if not await is_welcome():
                return


async def _ended(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
