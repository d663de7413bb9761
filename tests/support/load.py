"""A steady load on one address, and what became of each request."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Outcome:
    """One request; times are seconds of `time.monotonic`."""

    began: float
    ended: float
    said: str
    """A status, or the name of the error that came instead of an answer."""

    @property
    def failed(self) -> bool:
        """Whether the client did not get what it asked for."""
        return self.said != "200"


@dataclass
class Load:
    """Posts one body at a steady rate, whatever comes back, from a thread of its own.

    Most requests go by connections that are kept, as a service's do; every fifth one by
    a connection of its own, as a command's does. None is tried again.
    """

    url: str
    token: str
    body: bytes
    per_s: float = 30.0
    outcomes: list[Outcome] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask_on()))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        assert self._thread
        self._thread.join()

    @property
    def failed(self) -> list[Outcome]:
        """The requests that were not answered with 200."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    def answered_after(self, moment: float) -> float | None:
        """When the first request that began after a moment was answered with 200."""
        good = (o for o in list(self.outcomes) if o.began > moment and not o.failed)
        return min((outcome.ended for outcome in good), default=None)

    async def _ask_on(self) -> None:
        kept = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        single = httpx.AsyncClient(
            timeout=TIMEOUT_S,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        async with kept, single, asyncio.TaskGroup() as asking:
            due, number = time.monotonic(), 0
            while not self._ending.is_set():
                asking.create_task(self._ask(kept if number % 5 else single))
                number += 1
                due += 1 / self.per_s
                await asyncio.sleep(max(due - time.monotonic(), 0))

    async def _ask(self, http: httpx.AsyncClient) -> None:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }
        began = time.monotonic()
        try:
            answer = await http.post(self.url, headers=headers, content=self.body)
            said = str(answer.status_code)
        except httpx.HTTPError as error:
            said = type(error).__name__
        self.outcomes.append(Outcome(began, time.monotonic(), said))
