"""Breaker: whether to ask a server that has been silent, or to refuse at once.

closed  everybody asks
open    the server did not answer: nobody asks until a pause is over
trial   one caller asks after the pause; the others are refused until it knows
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hubyard.contract.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Breaker:
    """Keeps callers from waiting, one after the other, for the same silent server.

    Safe to use from many threads.
    """

    def __init__(
        self,
        refusal: str,
        *,
        pause_s: float,
        is_silence: Callable[[BaseException], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin closed.

        Args:
            refusal: what callers are told while it is open.
            pause_s: how long nobody asks after a silence.
            is_silence: whether an error says that the server does not answer.
            clock: seconds.
        """
        self._refusal, self._pause_s = refusal, pause_s
        self._is_silence, self._clock = is_silence, clock
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._on_trial = False

    @property
    def is_open(self) -> bool:
        """Whether the server was silent when it was last asked."""
        return self._silent_since is not None

    @contextmanager
    def asking(self) -> Generator[None]:
        """Ask inside the block; what it raises tells whether the server answers.

        Raises:
            Unavailable: the server was silent lately; the block is not entered.
        """
        if not self._may_ask():
            raise Unavailable(self._refusal)
        try:
            yield
        except BaseException as error:
            self._close() if not self._is_silence(error) else self.open()
            raise
        self._close()

    def open(self) -> None:
        """Note that the server does not answer."""
        with self._lock:
            self._silent_since, self._on_trial = self._clock(), False

    def _close(self) -> None:
        with self._lock:
            self._silent_since, self._on_trial = None, False

    def _may_ask(self) -> bool:
        with self._lock:
            if self._silent_since is None:
                return True
            over = self._clock() - self._silent_since >= self._pause_s
            if self._on_trial or not over:
                return False
            self._on_trial = True
            return True
