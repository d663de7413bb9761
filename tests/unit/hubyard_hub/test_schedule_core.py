from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update

from hubyard.contract.schedule import (
    MOST_COUNTED,
    Dropped,
    DropReason,
    Missed,
    Overlap,
)
from hubyard_hub.schedules.core import Decision, Policy, decide, fire_due
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.store.tables import runs, schedules
from support.patience import PATIENCE_S
from support.schedules import NOON, schedule_row
from support.stores import both_stores, database_url, postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hubyard_hub.store import Store

__all__ = ["both_stores", "database_url", "postgresql"]  # fixtures

HOURLY = Cron("0 * * * *", "UTC")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def policy(
    missed: Missed = Missed.ONCE,
    overlap: Overlap = Overlap.ALLOW,
    grace: timedelta = MINUTE,
) -> Policy:
    return Policy(missed, overlap, grace)


def hourly(wish: Policy, moment: datetime, active: int = 0) -> Decision:
    """What an hourly schedule that came due at noon does."""
    decision = decide(HOURLY, wish, NOON, moment, active)
    assert decision.next_fire is not None
    assert moment < decision.next_fire <= moment + HOUR
    return decision


def missed_from(first: datetime, last: datetime, count: int) -> Dropped:
    why = DropReason.MISSED
    return Dropped(why=why, first_at=first, last_at=last, count=count)


@pytest.mark.parametrize("overlap", Overlap)
@pytest.mark.parametrize("missed", Missed)
@pytest.mark.parametrize("late", [timedelta(0), SECOND, MINUTE])
def test_on_time_it_fires(missed: Missed, overlap: Overlap, late: timedelta):
    decision = hourly(policy(missed, overlap), NOON + late)
    assert decision == Decision(fires=(NOON,), dropped=(), next_fire=at(1))


def test_one_run_makes_up_for_many_that_were_missed():
    decision = hourly(policy(Missed.ONCE), at(5.5))
    assert decision.fires == (at(5),)
    assert decision.dropped == (missed_from(NOON, at(4), 5),)


@pytest.mark.parametrize(("late", "fires"), [(0, True), (60, True), (61, False)])
def test_a_late_one_is_skipped_once_its_grace_is_over(late: int, fires: bool):  # noqa: FBT001  a parameter of the test
    decision = hourly(policy(Missed.SKIP), at(5) + late * SECOND)
    assert decision.fires == ((at(5),) if fires else ())
    last = at(4) if fires else at(5)
    assert decision.dropped == (missed_from(NOON, last, 5 if fires else 6),)


def test_all_that_were_missed_start_a_run_each_up_to_a_hundred():
    few = hourly(policy(Missed.ALL), at(5.5))
    assert few.fires == tuple(at(hour) for hour in range(6))
    assert few.dropped == ()
    many = hourly(policy(Missed.ALL), at(149))
    assert many.fires == tuple(at(hour) for hour in range(50, 150))
    assert many.dropped == (missed_from(NOON, at(49), 50),)


def test_of_a_year_of_missed_minutes_a_thousand_are_counted():
    cron = Cron("* * * * *", "Europe/Berlin")
    decision = decide(cron, policy(), NOON, NOON + timedelta(days=365), 0)
    (dropped,) = decision.dropped
    last = NOON + timedelta(days=365) - MINUTE
    assert dropped == missed_from(NOON, last, MOST_COUNTED)


@pytest.mark.parametrize(
    ("overlap", "active", "fires"),
    [
        (Overlap.SKIP, 1, 0),
        (Overlap.QUEUE, 1, 3),
        (Overlap.QUEUE, 98, 2),
        (Overlap.QUEUE, 100, 0),
        (Overlap.QUEUE, 300, 0),
        (Overlap.ALLOW, 300, 3),
    ],
)
def test_what_overlaps_is_dropped_waits_or_runs(
    overlap: Overlap, active: int, fires: int
):
    decision = hourly(policy(Missed.ALL, overlap), at(2), active)
    due = (NOON, at(1), at(2))
    assert decision.fires == due[:fires]
    spans = [(d.why, d.first_at, d.last_at, d.count) for d in decision.dropped]
    crowded_out = (DropReason.OVERLAP, due[min(fires, 2)], at(2), 3 - fires)
    assert spans == ([crowded_out] if fires < 3 else [])


def test_a_schedule_whose_zone_has_gone_is_paused_and_holds_up_no_other(
    both_stores: Store,
):
    gone, good = schedule_row(time_zone="Mars/Olympus"), schedule_row()
    add(both_stores, gone, good)
    assert fire_due(both_stores, NOON) == 1
    with both_stores.read() as connection:
        paused = select(schedules.c.id).where(schedules.c.paused)
        assert connection.scalars(paused).all() == [gone["id"]]


def add(store: Store, *rows: dict[str, Any]) -> None:
    with store.write() as connection:
        connection.execute(insert(schedules), list(rows))


def fired(store: Store) -> Sequence[Any]:
    wanted = select(runs).order_by(runs.c.fire_at)
    with store.read() as connection:
        return connection.execute(wanted).mappings().all()


def test_a_fire_is_a_run_of_the_pinned_source(both_stores: Store):
    schedule = schedule_row()
    add(both_stores, schedule)
    assert fire_due(both_stores, NOON) == 1
    (run,) = fired(both_stores)
    copied = ("owner", "name", "notebook", "source", "parameters", "compute")
    assert {name: run[name] for name in copied} == {n: schedule[n] for n in copied}
    assert (run["lifetime_s"], run["cell_timeout_s"]) == (60, 5)
    assert (run["schedule_id"], run["fire_at"]) == (schedule["id"], NOON)
    assert (run["status"], run["server_name"]) == ("pending", f"run-{run['id']}")
    assert fire_due(both_stores, NOON + 30 * SECOND) == 0
    assert fire_due(both_stores, NOON + MINUTE) == 1


def test_what_is_paused_or_not_due_does_not_fire(both_stores: Store):
    add(
        both_stores,
        schedule_row(paused=True),
        schedule_row(next_fire=NOON + SECOND),
        schedule_row(next_fire=None),
    )
    assert fire_due(both_stores, NOON) == 0


def test_a_clock_that_goes_back_fires_nothing_twice(both_stores: Store):
    schedule = schedule_row()
    add(both_stores, schedule)
    assert fire_due(both_stores, NOON) == 1
    assert fire_due(both_stores, NOON - 2 * HOUR) == 0
    with both_stores.write() as connection:  # even were the next fire set back
        connection.execute(update(schedules).values(next_fire=NOON))
    assert fire_due(both_stores, NOON) == 0
    assert len(fired(both_stores)) == 1


def test_a_thousand_due_at_once_fire_once_each(both_stores: Store):
    add(both_stores, *(schedule_row() for _ in range(1000)))
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: fire_due(both_stores, NOON), range(4)))
    assert sum(counts) == 1000
    assert len({run["schedule_id"] for run in fired(both_stores)}) == 1000


def test_nothing_is_lost_or_doubled_when_the_firers_are_killed():
    chaos = Path(__file__).parents[2] / "chaos" / "schedules.py"
    done = subprocess.run(
        [sys.executable, chaos, "--fires", "2000"],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("lost=0 duplicated=0") == 2, done.stdout
