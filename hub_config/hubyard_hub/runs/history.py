"""History: what past runs say of those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from hubyard.contract.workload import Status
from hubyard_hub.store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubyard_hub.workloads.wishes import Row


def mean_duration_s(
    connection: Connection, owner: str, notebook: str
) -> tuple[int, float] | None:
    """How many of the last ten ended runs of a notebook there are, and their mean."""
    runs = tables.runs.c
    last = (
        select(runs.started_at, runs.ended_at)
        .where(
            runs.owner == owner,
            runs.notebook == notebook,
            runs.status == Status.SUCCEEDED,
            runs.started_at.is_not(None),
            runs.ended_at.is_not(None),
        )
        .order_by(runs.created_at.desc())
        .limit(10)
    )
    spans = [
        (row.ended_at - row.started_at).total_seconds()
        for row in connection.execute(last)
    ]
    return (len(spans), sum(spans) / len(spans)) if spans else None


def newest_of_schedules(
    connection: Connection, schedule_ids: list[str]
) -> dict[str, Row]:
    """The newest run of each schedule that has one: its id and status."""
    runs = tables.runs
    newest = (
        select(runs.c.schedule_id, func.max(runs.c.id).label("id"))
        .where(runs.c.schedule_id.in_(schedule_ids))
        .group_by(runs.c.schedule_id)
        .subquery()
    )
    wanted = select(runs.c.schedule_id, runs.c.id, runs.c.status).join(
        newest, newest.c.id == runs.c.id
    )
    return {
        row["schedule_id"]: dict(row) for row in connection.execute(wanted).mappings()
    }
