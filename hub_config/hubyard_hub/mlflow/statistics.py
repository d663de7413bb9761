"""Statistics of MLflow's SQLite database, which its planner needs."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

ANALYSE_EVERY_S = 600
"""A connection reads the statistics only when it opens, so MLflow's live as long."""
_PATIENCE_S = 1


def analyse_for_ever(database: Path) -> None:
    """Keep SQLite's statistics fresh.

    Without them, sorting 10,000 runs by a metric takes seconds instead of
    milliseconds: the planner takes every table for a small one.
    """
    pause = threading.Event()
    while True:
        analyse(database)
        pause.wait(ANALYSE_EVERY_S)


def analyse(database: Path) -> None:
    """Gather statistics once; a busy database is left for the next time."""
    opened = sqlite3.connect(database, timeout=_PATIENCE_S, isolation_level=None)
    with closing(opened) as connection:
        try:
            # A sample of each index is enough, and holds the lock for milliseconds.
            connection.execute("PRAGMA analysis_limit = 1000")
            connection.execute("ANALYZE")
        except sqlite3.OperationalError as error:
            log.warning("MLflow's database is busy, its statistics wait: %s", error)
