"""Telling: what a workload that serves says of itself, now and then.

The platform makes of it what a thousand requests cost, and whether anybody still asks.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from hubyard.client import Client
from hubyard.contract.errors import HubyardError
from hubyard.contract.usage import ActivityReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)
_EVERY_S = 20.0


class Counted:
    """ASGI middleware: counts what visitors send, by request and by message."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request, or each message of a visitor who stays."""
        if scope["type"] == "http":
            self.count += 1
            await self._app(scope, receive, send)
            return

        async def heard() -> Message:
            message = await receive()
            self.count += scope["type"] == "websocket"
            return message

        await self._app(scope, heard, send)


class Telling:
    """Tells the platform how much has been answered, from a thread of its own."""

    def __init__(self, answered: Callable[[], int]) -> None:
        """Take what counts the answers since the start."""
        self._answered = answered
        self._count = -1
        self._last = time.monotonic()

    def start(self) -> None:
        """Tell for as long as this process lives."""
        threading.Thread(target=self._tell_for_ever, daemon=True).start()

    def report(self) -> ActivityReport:
        """How it is now: idle since the count last changed."""
        count = self._answered()
        if count != self._count:
            self._last = time.monotonic()
        self._count = count
        idle_s = int(time.monotonic() - self._last)
        return ActivityReport(idle_s=idle_s, requests=count)

    def _tell_for_ever(self) -> None:
        while True:
            time.sleep(_EVERY_S)
            try:
                with Client.from_environment() as client:
                    client.job_activity(self.report())
            except HubyardError as error:
                _LOG.debug("The platform was not told: %s", error.message)
