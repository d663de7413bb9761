"""Drops: the fires that started no run, so that none is lost without a word.

Each row is a span of fires of one schedule that were dropped for one reason. A span
grows while the next fire is dropped too, so that a schedule which drops a fire each
minute keeps one row of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from hubyard.contract.schedule import MOST_COUNTED, Dropped
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import drops, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from hubyard_hub.workloads.wishes import Row

_SHOWN = 5
_KEPT = 100


def keep_dropped(connection: Connection, schedule: Row, dropped: Dropped) -> None:
    """Write a span down, as part of the newest one where it goes on."""
    schedule_id = schedule["id"]
    newest = newest_dropped(connection, [schedule_id], 1).get(schedule_id)
    if newest and _goes_on(connection, schedule, newest[0], dropped):
        count = min(newest[0].count + dropped.count, MOST_COUNTED)
        grown = update(drops).where(
            drops.c.schedule_id == schedule_id, drops.c.first_at == newest[0].first_at
        )
        connection.execute(grown.values(last_at=dropped.last_at, count=count))
        return
    row = {"schedule_id": schedule_id, **dict(dropped)}
    insert_once(connection, drops, row)
    _forget_oldest(connection, schedule_id)


def newest_dropped(
    connection: Connection, schedule_ids: Sequence[str], most: int = _SHOWN
) -> dict[str, tuple[Dropped, ...]]:
    """The newest spans of each schedule that has any, the newest first."""
    age = func.row_number().over(
        partition_by=drops.c.schedule_id, order_by=drops.c.first_at.desc()
    )
    aged = (
        select(drops, age.label("age"))
        .where(drops.c.schedule_id.in_(schedule_ids))
        .subquery()
    )
    wanted = select(aged).where(aged.c.age <= most).order_by(aged.c.age)
    found: dict[str, tuple[Dropped, ...]] = {}
    for row in connection.execute(wanted).mappings():
        before = found.get(row["schedule_id"], ())
        found[row["schedule_id"]] = (*before, Dropped.model_validate(row))
    return found


def _goes_on(
    connection: Connection, schedule: Row, newest: Dropped, dropped: Dropped
) -> bool:
    """Whether no fire lies between two spans, and they have one reason."""
    if newest.why is not dropped.why:
        return False
    if schedule["trigger"] is None:
        cron = Cron(schedule["cron"], schedule["time_zone"])
        return next(cron.fires(newest.last_at), None) == dropped.first_at
    since = select(runs.c.id).where(
        runs.c.schedule_id == schedule["id"], runs.c.fire_at > newest.last_at
    )
    return connection.execute(since.limit(1)).first() is None


def _forget_oldest(connection: Connection, schedule_id: str) -> None:
    mine = drops.c.schedule_id == schedule_id
    oldest = (
        select(drops.c.first_at)
        .where(mine)
        .order_by(drops.c.first_at.desc())
        .offset(_KEPT)
    )
    connection.execute(delete(drops).where(mine, drops.c.first_at.in_(oldest)))
