"""The clock of a run: the time of day at its start, carried on by one nobody sets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hubyard.contract.base import now


@dataclass(frozen=True)
class Clock:
    """The same in every process of a run: the monotonic clock is the machine's."""

    begun: datetime = field(default_factory=now)
    begun_s: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        """The present moment, in UTC."""
        return self.begun + timedelta(seconds=time.monotonic() - self.begun_s)
