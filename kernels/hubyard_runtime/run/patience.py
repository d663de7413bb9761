"""Patience: how long the run asks a platform that does not answer.

While nobody stops the run it asks for as long as it lives, which its lifetime bounds.
Once stopped it has a few seconds left, because after them it is ended by force.
"""

from __future__ import annotations

import threading
import time


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
