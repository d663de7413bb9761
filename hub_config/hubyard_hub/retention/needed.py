"""Needed: what the rows of the store say about files, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select, union

from hubyard_hub.store.tables import (
    apps,
    deployments,
    entries,
    revisions,
    runs,
    schedules,
    settlements,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from hubyard_hub.store import Store


@dataclass(frozen=True)
class Needed:
    """What must stay. What is not even known may be a leftover as well."""

    has_entries: bool
    """False: this store has started nothing, so it cannot know what files are for."""
    digests: frozenset[str]
    """Of blobs."""
    runs: frozenset[str]
    """Those whose files stay: they have not ended, or did so lately."""
    known_runs: frozenset[str]
    entries: frozenset[str]
    """Those whose workload's folder stays."""
    known_entries: frozenset[str]


def read_needed(
    store: Store, limit: datetime, tracked_runs: Collection[str] = ()
) -> Needed:
    """What is needed at this moment.

    Args:
        store: of the deployment.
        limit: what has ended before it is old.
        tracked_runs: the ids of runs that have tracked something.
    """
    recent = or_(
        runs.c.closed.is_(other=False),
        func.coalesce(runs.c.ended_at, runs.c.changed_at) >= limit,
    )
    pinned = union(
        *(select(table.c.source) for table in (schedules, apps, revisions)),
        select(runs.c.source).where(recent),
    )
    with store.read() as connection:
        all_runs = connection.execute(select(runs.c.id, runs.c.source)).all()
        tracked = {row.source for row in all_runs if row.id in tracked_runs}
        known = frozenset(connection.scalars(select(entries.c.id)))
        kept = select(entries.c.id).outerjoin(settlements).where(_stays(limit))
        return Needed(
            has_entries=bool(known),
            digests=frozenset(connection.scalars(pinned)) | tracked,
            runs=frozenset(connection.scalars(select(runs.c.id).where(recent))),
            known_runs=frozenset(row.id for row in all_runs),
            entries=frozenset(connection.scalars(kept)),
            known_entries=known,
        )


def read_run_entries(store: Store) -> dict[str, str]:
    """The run that each entry of a run is of, by the entry's id."""
    same = and_(
        runs.c.owner == entries.c.owner, runs.c.server_name == entries.c.server_name
    )
    wanted = select(entries.c.id, runs.c.id).select_from(entries.join(runs, same))
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(wanted)}


def _stays(limit: datetime) -> ColumnElement[bool]:
    """Whether an entry has not ended, did so lately, or is of an open wish."""
    of_open = [
        select(table.c.id)
        .where(
            table.c.owner == entries.c.owner,
            table.c.server_name == entries.c.server_name,
            table.c.closed.is_(other=False),
        )
        .exists()
        for table in (runs, apps, deployments)
    ]
    ended_at = settlements.c.ended_at
    return or_(ended_at.is_(None), ended_at >= limit, *of_open)
