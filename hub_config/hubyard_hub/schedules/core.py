"""The core: when a schedule fires, and that it fires exactly once.

due     the next fire has come
missed  more than a minute late: nothing could start it when it came due

A fire is one run row under UNIQUE(schedule, fire time), inserted in the transaction
that also moves the schedule's next fire. However many platforms run it, and whatever
kills them, each due time has one row at most, and none is forgotten.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from hubyard.contract.errors import Invalid
from hubyard.contract.schedule import Missed
from hubyard_hub.runs import Wanted, new_run
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import runs, schedules

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubyard_hub.store import Store
    from hubyard_hub.wishes import Row

_LOG = logging.getLogger(__name__)

GRACE = timedelta(minutes=1)
_BATCH = 100


@dataclass(frozen=True)
class Decision:
    """What becomes of a schedule at one moment."""

    fire_at: datetime | None
    """The due time to start a run for; None: none."""
    next_fire: datetime | None
    """When it comes due again; None: never."""


def decide(cron: Cron, missed: Missed, due: datetime, moment: datetime) -> Decision:
    """What a schedule that came due at `due` does at a later moment.

    However many fires came due since, at most one run starts: for the newest of them,
    if it is on time, or if what was missed shall be made up for once.
    """
    newest = cron.newest(due, moment)
    on_time = moment - newest <= GRACE
    return Decision(
        fire_at=newest if on_time or missed is Missed.ONCE else None,
        next_fire=next(cron.fires(max(newest, moment)), None),
    )


def fire_due(store: Store, moment: datetime) -> int:
    """Start what is due; returns how many runs were inserted."""
    total, more = 0, True
    while more:
        fired, more = store.atomically(lambda c: _fire_batch(c, moment))
        total += fired
    return total


def _fire_batch(connection: Connection, moment: datetime) -> tuple[int, bool]:
    """One transaction's worth of fires, and whether there may be more."""
    due = (
        select(schedules)
        .where(schedules.c.paused.is_(other=False), schedules.c.next_fire <= moment)
        .order_by(schedules.c.next_fire)
        .limit(_BATCH)
    )
    found = connection.execute(due).mappings().all()
    fired = sum(_fire(connection, dict(row), moment) for row in found)
    return fired, len(found) == _BATCH


def _fire(connection: Connection, schedule: Row, moment: datetime) -> bool:
    cron = Cron(schedule["cron"], schedule["time_zone"])
    mine = update(schedules).where(schedules.c.id == schedule["id"])
    try:
        decision = decide(cron, schedule["missed"], schedule["next_fire"], moment)
    except Invalid as error:
        # Its time zone has gone from this machine: the others fire all the same.
        _LOG.error("Schedule %s is paused: %s", schedule["id"], error.message)
        connection.execute(mine.values(paused=True))
        return False
    inserted = decision.fire_at is not None and insert_once(
        connection, runs, run_of(schedule, decision.fire_at)
    )
    connection.execute(mine.values(next_fire=decision.next_fire))
    return inserted


def run_of(schedule: Row, fire_at: datetime | None) -> Row:
    """The row of a run that a schedule asks for."""
    wanted = Wanted(
        notebook=schedule["notebook"],
        source=schedule["source"],
        parameters=schedule["parameters"],
        cell_timeout_s=schedule["cell_timeout_s"],
        schedule_id=schedule["id"],
        fire_at=fire_at,
    )
    run = new_run(
        schedule["owner"],
        schedule["name"],
        schedule["compute"],
        schedule["lifetime_s"],
        wanted,
    )
    return {**run, "project": schedule["project"]}
