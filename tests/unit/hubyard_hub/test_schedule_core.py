from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from hubyard.contract.schedule import Missed
from hubyard.contract.workload import new_id
from hubyard_hub.schedules.core import GRACE, decide, fire_due
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.store import Store
from hubyard_hub.store.tables import runs, schedules
from support.stores import both_stores, database_url, postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["both_stores", "database_url", "postgresql"]  # fixtures

HOURLY = Cron("0 * * * *", "UTC")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("missed", Missed)
@pytest.mark.parametrize("late", [timedelta(0), SECOND, GRACE])
def test_on_time_it_fires(missed: Missed, late: timedelta):
    decision = decide(HOURLY, missed, NOON, NOON + late)
    assert decision.fire_at == NOON
    assert decision.next_fire == NOON + HOUR


@pytest.mark.parametrize(
    ("missed", "fires"), [(Missed.ONCE, True), (Missed.SKIP, False)]
)
def test_missed_once_or_not_at_all(missed: Missed, fires: bool):  # noqa: FBT001  a parameter of the test
    decision = decide(HOURLY, missed, NOON, NOON + 5 * HOUR + 30 * MINUTE)
    assert decision.fire_at == (NOON + 5 * HOUR if fires else None)
    assert decision.next_fire == NOON + 6 * HOUR


@pytest.mark.parametrize("missed", Missed)
def test_of_many_missed_and_one_on_time_only_that_one_fires(missed: Missed):
    decision = decide(HOURLY, missed, NOON, NOON + 5 * HOUR + SECOND)
    assert decision.fire_at == NOON + 5 * HOUR
    assert decision.next_fire == NOON + 6 * HOUR


@settings(max_examples=200)
@given(
    cron=st.sampled_from(["* * * * *", "*/7 * * * *", "0 2 * * *", "30 1 1 * *"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
    missed=st.sampled_from(list(Missed)),
    pauses=st.lists(st.integers(0, 40 * 24 * 3600), min_size=1, max_size=12),
)
def test_fire_times_only_ever_grow(
    cron: str, zone: str, missed: Missed, pauses: list[int]
):
    schedule = Cron(cron, zone)
    moment = NOON
    due = next(schedule.fires(moment))
    last = moment
    for pause in pauses:
        moment += timedelta(seconds=pause)
        if due > moment:
            continue
        decision = decide(schedule, missed, due, moment)
        assert decision.next_fire is not None
        assert decision.next_fire > moment
        if decision.fire_at is not None:
            assert last < decision.fire_at <= moment
            assert decision.fire_at >= due
            last = decision.fire_at
        due = decision.next_fire


def a_schedule(**changes: Any) -> dict[str, Any]:
    row = {
        "id": new_id(),
        "owner": "ada",
        "name": "train",
        "notebook": "train.ipynb",
        "source": "0" * 64,
        "cron": "* * * * *",
        "time_zone": "UTC",
        "parameters": {"a": 1},
        "compute": "small",
        "lifetime_s": 60,
        "cell_timeout_s": 5,
        "missed": Missed.ONCE,
        "paused": False,
        "next_fire": NOON,
        "created_at": NOON,
    }
    return {**row, **changes}


def test_a_schedule_whose_zone_has_gone_is_paused_and_holds_up_no_other(
    both_stores: Store,
):
    gone, good = a_schedule(time_zone="Mars/Olympus"), a_schedule()
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
    schedule = a_schedule()
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
        a_schedule(paused=True),
        a_schedule(next_fire=NOON + SECOND),
        a_schedule(next_fire=None),
    )
    assert fire_due(both_stores, NOON) == 0


def test_a_clock_that_goes_back_fires_nothing_twice(both_stores: Store):
    schedule = a_schedule()
    add(both_stores, schedule)
    assert fire_due(both_stores, NOON) == 1
    assert fire_due(both_stores, NOON - 2 * HOUR) == 0
    with both_stores.write() as connection:  # even were the next fire set back
        connection.execute(update(schedules).values(next_fire=NOON))
    assert fire_due(both_stores, NOON) == 0
    assert len(fired(both_stores)) == 1


def test_a_thousand_due_at_once_fire_once_each(both_stores: Store):
    add(both_stores, *(a_schedule() for _ in range(1000)))
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: fire_due(both_stores, NOON), range(4)))
    assert sum(counts) == 1000
    assert len({run["schedule_id"] for run in fired(both_stores)}) == 1000


FIRER = """
import sys
from datetime import datetime
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
fire_due(store, datetime.fromisoformat(sys.argv[2]))
"""


def test_nothing_is_lost_or_doubled_when_the_firers_are_killed(database_url: str):
    store = Store(database_url)
    store.migrate()
    add(store, *(a_schedule() for _ in range(1500)))
    command = [sys.executable, "-c", FIRER, database_url, NOON.isoformat()]
    firers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for firer in firers:
        assert firer.stdout
        firer.stdout.readline()
    for firer in firers:
        assert firer.stdin
        firer.stdin.write(b"\n")
        firer.stdin.flush()
    for firer in firers:
        time.sleep(0.03)
        os.kill(firer.pid, signal.SIGKILL)
        firer.communicate()
    count(store)
    fire_due(store, NOON + SECOND)
    assert count(store) == 1500
    store.close()


def count(store: Store) -> int:
    with store.read() as connection:
        wanted = select(func.count(), func.count(runs.c.schedule_id.distinct()))
        rows, distinct = connection.execute(wanted.select_from(runs)).one()
    assert rows == distinct
    return rows
