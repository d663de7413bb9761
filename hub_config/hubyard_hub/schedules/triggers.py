"""Triggers: the core of what wakes a schedule that has no cron, exactly once.

state   what a look finds: a digest of files, or the version that an alias points to;
        empty where there is nothing, which is never worth a run
seen    the state about which all is decided; None: whatever the next look finds is it
change  another state than the one seen

A change is one run row, or is counted in one row of drops, written in the transaction
that also moves what was seen: however many platforms look, and whatever kills them, it
is in one of the two, once. What has changed several times between two looks, or while
nothing looked, is one change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from hubyard.contract.schedule import Dropped, DropReason, Trigger
from hubyard_hub.schedules.core import active_runs, room, run_of
from hubyard_hub.schedules.drops import keep_dropped
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import drops, runs, schedules
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from hubyard_hub.store import Store
    from hubyard_hub.workloads.wishes import Row

_BATCH = 100
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Change:
    """What a look has found of a schedule, beside what was seen before."""

    schedule_id: str
    seen: str | None
    state: str


def trigger_of(schedule: Row) -> Trigger | None:
    """What wakes a schedule; None: its cron."""
    kept = schedule["trigger"]
    return None if kept is None else Trigger.model_validate(kept)


def awake(store: Store) -> list[tuple[Row, Trigger]]:
    """The schedules with a trigger that are not paused, in the order of their ids."""
    columns = schedules.c
    wanted = select(columns.id, columns.owner, columns.trigger, columns.seen).where(
        columns.trigger.is_not(None), columns.paused.is_(other=False)
    )
    with store.read() as connection:
        rows = all_rows(connection, wanted.order_by(columns.id))
    return [(row, trigger) for row in rows if (trigger := trigger_of(row))]


def change_of(schedule: Row, state: str) -> Change | None:
    """What is new in what a look has found; None: nothing."""
    seen = schedule["seen"]
    if state == seen or (not state and seen is not None):
        return None
    return Change(schedule["id"], seen, state)


def fire_changed(store: Store, changes: Iterable[Change], moment: datetime) -> int:
    """Start a run for each change; returns how many were started."""
    left, begun = iter(changes), 0
    while some := list(islice(left, _BATCH)):
        begun += store.atomically(lambda c, some=some: _fire_changed(c, some, moment))
    return begun


def _fire_changed(
    connection: Connection, changes: Sequence[Change], moment: datetime
) -> int:
    by_id = {change.schedule_id: change for change in changes}
    wanted = select(schedules).where(
        schedules.c.id.in_(by_id), schedules.c.paused.is_(other=False)
    )
    # Another platform may have been quicker, or its owner: then nothing is left to do.
    found = [
        row
        for row in all_rows(connection, wanted)
        if row["seen"] == by_id[row["id"]].seen
    ]
    active = active_runs(connection, [row["id"] for row in found])
    begun = 0
    for row in found:
        mine = update(schedules).where(schedules.c.id == row["id"])
        connection.execute(mine.values(seen=by_id[row["id"]].state))
        if row["seen"] is not None:
            run = run_of(row, moment)
            begun += wake(connection, row, run, active.get(row["id"], 0))
    return begun


def wake(connection: Connection, schedule: Row, run: Row, active: int) -> bool:
    """Let a trigger start a run, or count it as dropped; whether it was started.

    Args:
        connection: of the transaction that says that this is done.
        schedule: whose trigger it is.
        run: the run that it asks for, as `run_of` makes it.
        active: how many of its runs have not ended.
    """
    moment = _later_than_all(connection, schedule["id"], run["fire_at"])
    if room(schedule["overlap"], active):
        return insert_once(connection, runs, {**run, "fire_at": moment})
    why = DropReason.OVERLAP
    dropped = Dropped(why=why, first_at=moment, last_at=moment, count=1)
    keep_dropped(connection, schedule, dropped)
    return False


def _later_than_all(
    connection: Connection, schedule_id: str, moment: datetime
) -> datetime:
    """A moment at which nothing has fired yet, though the clock went back."""
    fires = select(func.max(runs.c.fire_at)).where(runs.c.schedule_id == schedule_id)
    lost = select(func.max(drops.c.last_at)).where(drops.c.schedule_id == schedule_id)
    known = [connection.scalar(fires), connection.scalar(lost)]
    return max([moment, *(each + _MOMENT for each in known if each is not None)])
