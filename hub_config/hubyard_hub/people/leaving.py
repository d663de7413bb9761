"""Leaving: the names of everybody whose access has ended, for each request to look at.

A gate remembers a token for half a minute. The platform knows better: it has the
departures, and reads their names once a second.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from hubyard_hub.store import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubyard_hub.store import Store

_KEPT_S = 1.0


class LeavingNames:
    """Whose departure is in force. Safe to use from many threads."""

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._names: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def __contains__(self, name: str) -> bool:
        with self._lock:
            # Who is let in again is not kept out for a second.
            if name in self._names or self._clock() - self._read_at > _KEPT_S:
                self._names, self._read_at = self._read(), self._clock()
            return name in self._names

    def _read(self) -> frozenset[str]:
        departures = tables.departures.c
        wanted = select(departures.name).where(departures.released_at.is_(None))
        with self._store.read() as connection:
            return frozenset(connection.scalars(wanted))
