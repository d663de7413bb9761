"""Lines of refused requests in the hub's log: some each minute, then only their number.

Anybody may send a million of them without signing in.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from tornado.log import access_log

if TYPE_CHECKING:
    from collections.abc import Callable

_LINES_A_MINUTE = 60
_MINUTE_S = 60.0


class FewRefusals(logging.Filter):
    """Lets so many warnings a minute through, and every error."""

    def __init__(
        self,
        most: int = _LINES_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        self._began = float("-inf")
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written; the first after a pause says what was not."""
        if record.levelno != logging.WARNING:
            return True
        moment = self._clock()
        if moment - self._began >= _MINUTE_S:
            left_out = self._count - self._most
            self._began, self._count = moment, 0
            if left_out > 0:
                record.msg = f"{left_out} more requests were refused. {record.msg}"
        self._count += 1
        return self._count <= self._most


def write_few() -> None:
    """Have this process's web server write few lines of refused requests."""
    access_log.addFilter(FewRefusals())
