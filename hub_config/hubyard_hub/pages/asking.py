"""Asking: how the hub's loop asks the store, which may keep whoever asks waiting.

quick    what a page shows: answered in a moment, or the page does without
patient  what somebody waits for, such as a change: as long as the store takes

Both wait in threads of their own, so that the loop never does.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from hubyard.contract.errors import HubyardError, Unavailable
from hubyard_hub.store import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE_S = 1.5
_QUICK_THREADS, _PATIENT_THREADS = 4, 2
_PROBE_EVERY_S = 1.0
_AWAY = "Not available now: the database does not answer. Try again in a moment."


class Asking:
    """Asks from one loop; to be made once for each process."""

    def __init__(
        self, probe: Callable[[], object], patience_s: float = PATIENCE_S
    ) -> None:
        """Begin to ask.

        Args:
            probe: a small question to the store, to find out whether it answers again.
            patience_s: how long a page waits.
        """
        self._probe, self._patience_s = probe, patience_s
        self._quick = ThreadPoolExecutor(_QUICK_THREADS, "pages")
        self._patient = ThreadPoolExecutor(_PATIENT_THREADS, "forms")
        self._probing: asyncio.Task[None] | None = None

    async def quick(self, work: Callable[[], T]) -> T:
        """What `work` returns, if it does so in a moment.

        Once a question has taken longer, the next ones are refused at once until the
        store answers again: pages stay quick although the store is not.

        Raises:
            Unavailable: it does not.
        """
        if self.is_silent:
            raise Unavailable(_AWAY)
        question = asyncio.wrap_future(self._quick.submit(_in_words, work))
        try:
            return await asyncio.wait_for(asyncio.shield(question), self._patience_s)
        except TimeoutError:
            question.cancel()  # where no thread has begun it, none need
            question.add_done_callback(_look_at)
            if not self.is_silent:
                self._probing = asyncio.create_task(self._ask_until_it_answers())
            raise Unavailable(_AWAY) from None

    async def patient(self, work: Callable[[], T]) -> T:
        """What `work` returns.

        Raises:
            Unavailable: the store gives up.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._patient, _in_words, work)

    @property
    def is_silent(self) -> bool:
        """Whether a question took too long, and the store has answered none since."""
        return self._probing is not None and not self._probing.done()

    async def _ask_until_it_answers(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._quick, _in_words, self._probe)
            except HubyardError:
                await asyncio.sleep(_PROBE_EVERY_S)
            else:
                return


def _in_words(work: Callable[[], T]) -> T:
    with in_words():
        return work()


def _look_at(answer: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more: its error is no mistake."""
    if not answer.cancelled():
        answer.exception()
