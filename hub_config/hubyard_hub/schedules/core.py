"""The core: when a schedule fires, and that it fires exactly once.

due      the next fire has come
missed   nothing could start it when it came due
dropped  it starts no run, and its schedule says why

A fire is one run row under UNIQUE(schedule, fire time), or is counted in one row of
drops, written in the transaction that also moves the schedule's next fire. However many
platforms do it, and whatever kills them, each due time is in one of the two, once. A
backfill may start a run later for one that was dropped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from hubyard.contract.errors import Invalid
from hubyard.contract.schedule import MOST_COUNTED, Dropped, DropReason, Missed, Overlap
from hubyard.contract.workload import Status
from hubyard_hub.runs.wanted import Wanted, new_run
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.schedules.drops import keep_dropped
from hubyard_hub.store import insert_new, is_alone
from hubyard_hub.store.tables import runs, schedules
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from hubyard_hub.store import Store
    from hubyard_hub.workloads.wishes import Row

_LOG = logging.getLogger(__name__)

MOST_AT_ONCE = 100
"""So many runs of one schedule are started by one look, or wait for one another."""
_BATCH = 100
_MOVE = (
    update(schedules)
    .where(schedules.c.id == bindparam("of"))
    .values(
        next_fire=bindparam("to"),
        # One that never comes due again is shown as what it is: at rest.
        paused=bindparam("to", type_=schedules.c.next_fire.type).is_(None),
    )
)
_LOCK = 0x46697265
"""Any fixed number: names the lock of whoever fires. These are the letters `Fire`."""


@dataclass(frozen=True)
class Policy:
    """What becomes of a fire that nothing could start, or that overlaps a run."""

    missed: Missed
    overlap: Overlap
    grace: timedelta


@dataclass(frozen=True)
class Decision:
    """What becomes of a schedule at one moment."""

    fires: tuple[datetime, ...]
    """The due times to start a run for, the oldest first."""
    dropped: tuple[Dropped, ...]
    next_fire: datetime | None
    """When it comes due again; None: never."""


def decide(
    cron: Cron, policy: Policy, due: datetime, moment: datetime, active: int
) -> Decision:
    """What a schedule that came due at `due` does at a later moment.

    Args:
        cron: when it comes due.
        policy: what its owner wishes.
        due: the first due time that nothing was decided about.
        moment: now.
        active: how many of its runs have not ended.
    """
    most = MOST_AT_ONCE if policy.missed is Missed.ALL else 1
    *older, newest = cron.newest(due, moment, most + 1)
    come = (*older, newest)
    late = policy.missed is Missed.SKIP and moment - newest > policy.grace
    taken = () if late else come[-most:]
    most = room(policy.overlap, active)
    return Decision(
        fires=taken[:most],
        dropped=(
            *_missed(cron, due, come[: len(come) - len(taken)]),
            *_crowded_out(taken[most:]),
        ),
        next_fire=next(cron.fires(max(newest, moment)), None),
    )


def room(overlap: Overlap, active: int) -> int:
    """How many runs a schedule may start beside those that have not ended."""
    if overlap is Overlap.SKIP and active:
        return 0
    if overlap is Overlap.QUEUE:
        return max(MOST_AT_ONCE - active, 0)
    return MOST_AT_ONCE


def _missed(
    cron: Cron, due: datetime, newest_missed: Sequence[datetime]
) -> tuple[Dropped, ...]:
    if not newest_missed:
        return ()
    last = newest_missed[-1]
    count = sum(1 for _ in islice(cron.come(due, last), MOST_COUNTED))
    return (Dropped(why=DropReason.MISSED, first_at=due, last_at=last, count=count),)


def _crowded_out(fires: Sequence[datetime]) -> tuple[Dropped, ...]:
    if not fires:
        return ()
    first, last, count = fires[0], fires[-1], len(fires)
    return (Dropped(why=DropReason.OVERLAP, first_at=first, last_at=last, count=count),)


def fire_due(store: Store, moment: datetime) -> int:
    """Start what is due; returns how many runs were inserted."""
    total, more = 0, True
    while more:
        fired, more = store.atomically(lambda c: _fire_batch(c, moment))
        total += fired
    return total


def _fire_batch(connection: Connection, moment: datetime) -> tuple[int, bool]:
    """One transaction's worth of fires, and whether there may be more."""
    if not is_alone(connection, _LOCK):
        return 0, False  # another platform fires them
    due = (
        select(schedules)
        .where(schedules.c.paused.is_(other=False), schedules.c.next_fire <= moment)
        .order_by(schedules.c.next_fire)
        .limit(_BATCH)
    )
    found = all_rows(connection, due)
    active = active_runs(connection, [row["id"] for row in found])
    begun: list[Row] = []
    moved: list[dict[str, object]] = []
    for row in found:
        decision = _decision(row, moment, active.get(row["id"], 0))
        begun += [run_of(row, fire_at) for fire_at in decision.fires]
        for dropped in decision.dropped:
            keep_dropped(connection, row, dropped)
        moved.append({"of": row["id"], "to": decision.next_fire})
    fired = insert_new(connection, runs, begun)
    if moved:
        connection.execute(_MOVE, moved)
    return fired, len(found) == _BATCH


def active_runs(connection: Connection, schedule_ids: Sequence[str]) -> dict[str, int]:
    """How many runs have not ended, of each schedule that has any."""
    wanted = (
        select(runs.c.schedule_id, func.count().label("active"))
        .where(
            runs.c.schedule_id.in_(schedule_ids),
            runs.c.status.in_([status for status in Status if status.is_active]),
        )
        .group_by(runs.c.schedule_id)
    )
    return {row.schedule_id: row.active for row in connection.execute(wanted)}


def overlapping_schedules(store: Store) -> set[str]:
    """The schedules whose runs need not wait for one another."""
    wanted = select(schedules.c.id).where(schedules.c.overlap == Overlap.ALLOW)
    with store.read() as connection:
        return set(connection.scalars(wanted))


def _decision(schedule: Row, moment: datetime, active: int) -> Decision:
    cron = Cron(schedule["cron"], schedule["time_zone"])
    try:
        return decide(cron, policy_of(schedule), schedule["next_fire"], moment, active)
    except Invalid as error:
        # Its time zone has gone from this machine: the others fire all the same.
        _LOG.error("Schedule %s is paused: %s", schedule["id"], error.message)
        return Decision(fires=(), dropped=(), next_fire=None)


def policy_of(schedule: Row) -> Policy:
    """What the owner of a schedule wishes."""
    return Policy(
        missed=schedule["missed"],
        overlap=schedule["overlap"],
        grace=timedelta(seconds=schedule["grace_s"]),
    )


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
