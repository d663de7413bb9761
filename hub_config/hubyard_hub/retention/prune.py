"""Prune: leftovers go, and so do the rows of sources that are no longer kept."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from hubyard_hub.retention.leftovers import Leftovers, What
from hubyard_hub.runs.kept import Kept
from hubyard_hub.store.tables import sources

if TYPE_CHECKING:
    from hubyard_hub.retention.leftovers import Leftover
    from hubyard_hub.settings import Settings
    from hubyard_hub.store import Store


def prune(settings: Settings, store: Store, moment: datetime) -> list[Leftover]:
    """Remove all leftovers; returns those that have gone."""
    leftovers = Leftovers(settings, store, moment)
    for run in leftovers.tracked_runs():  # its workload's folder may go now
        Kept.of(settings.state, run).note_tracked()
    found = leftovers.find()
    limit = moment - timedelta(days=settings.keep_days)
    return [each for each in found if _remove(each, store, limit)]


def _remove(leftover: Leftover, store: Store, limit: datetime) -> bool:
    path = leftover.path
    with suppress(OSError):
        if leftover.what is What.SOURCE:
            return _remove_source(leftover, store, limit)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False


def _remove_source(leftover: Leftover, store: Store, limit: datetime) -> bool:
    """Remove a blob and its owners' rows, unless somebody has just used it."""
    path = leftover.path
    if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= limit:
        return False
    path.unlink()
    gone = delete(sources).where(sources.c.digest == path.name)
    store.atomically(lambda c: c.execute(gone) and None)
    return True
