"""Insist: ask the platform again and again while it, or the hub behind it, is down.

A restart of either takes seconds; no workload may end because it has met one.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from hubyard.contract.errors import HubyardError, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

WAITS = "%s Waiting for the platform."
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_log = logging.getLogger(__name__)


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try: doubling, at most five."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def within(seconds: float) -> Callable[[float], bool]:
    """A patience that begins now: waits a pause out, unless it ends too late."""
    deadline = time.monotonic() + seconds

    def may_wait(pause_s: float) -> bool:
        if time.monotonic() + pause_s > deadline:
            return False
        time.sleep(pause_s)
        return True

    return may_wait


def insist(what: str, action: Callable[[], T], may_wait: Callable[[float], bool]) -> T:
    """Do something that needs the platform, again and again while it is down.

    Args:
        what: for the log, such as "the source".
        action: what to do.
        may_wait: waits so many seconds, and says whether to try again.

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
