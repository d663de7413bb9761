"""Patience: how long the run asks a platform that does not answer.

While nobody stops the run it asks for as long as it lives, which its lifetime bounds.
Once stopped it has a few seconds left, because after them it is ended by force.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from hubyard.contract.errors import HubyardError, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
WAITS = "%s The run waits for the platform, as long as it may live."
_log = logging.getLogger(__name__)


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try: doubling, at most five."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_S)


class Patience:
    """Endless until `stop`, then what is left of the last seconds."""

    def __init__(self, last_s: float) -> None:
        self._last_s = last_s
        self._deadline = float("inf")
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether somebody has stopped the run."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Begin the last seconds; again changes nothing."""
        if not self.stopped:
            self._deadline = time.monotonic() + self._last_s
            self._stopped.set()

    @property
    def is_over(self) -> bool:
        """Whether the last seconds have passed."""
        return time.monotonic() >= self._deadline

    def until_stopped(self, pause_s: float) -> bool:
        """Wait; False once the run is stopped."""
        return not self._stopped.wait(pause_s)

    def until_the_end(self, pause_s: float) -> bool:
        """Wait; False once the last seconds are over too."""
        if self.until_stopped(pause_s):
            return True
        if time.monotonic() + pause_s > self._deadline:
            return False
        time.sleep(pause_s)
        return True


def insist(what: str, action: Callable[[], T], may_wait: Callable[[float], bool]) -> T:
    """Do something that needs the platform, again and again while it is down.

    Args:
        what: for the log, such as "the source".
        action: what to do.
        may_wait: one of `Patience`'s two: waits, and says whether to try again.

    Raises:
        Rejected: the platform answers, and refuses.
        HubyardError: it does not answer, and there is no more time.
    """
    waited = False
    for pause_s in pauses():
        try:
            answer = action()
        except Rejected:
            raise
        except HubyardError as error:
            if not waited:
                _log.warning(WAITS, f"{what}: {error.message}")
            waited = True
            if not may_wait(pause_s):
                raise
        else:
            if waited:
                _log.info("%s: the platform answers again.", what)
            return answer
    raise AssertionError  # pauses() never ends
