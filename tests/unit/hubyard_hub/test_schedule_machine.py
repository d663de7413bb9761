"""Schedules as a state machine: whatever happens, no due time is lost or told twice.

The clock is simulated and jumps; the store breaks before it commits and after; runs
end; the owner pauses and wishes anew. An account of every due time is kept beside it.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import insert, select, update

from hubyard.contract.schedule import DropReason, Missed, Overlap
from hubyard.contract.workload import Status
from hubyard_hub import store as store_module
from hubyard_hub.schedules import core
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.schedules.cron import Cron
from hubyard_hub.store.tables import drops, runs, schedules
from support.breaking import BreakingStore
from support.schedules import schedule_row
from support.stores import newest_shape

MOST_AT_ONCE = 4
"""Few, so that it is reached."""
START = datetime(2026, 3, 27, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
CRONS = ["*/7 * * * *", "0 * * * *", "30 2 * * *", "30 1 * * 0"]
PAUSES_S = [1, 59, 600, 3600, 7200, 30_000, 86_400, 200_000, 9 * 86_400, -7200]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


class Schedules(RuleBasedStateMachine):
    """One schedule, and what became of each of its due times."""

    @initialize(
        cron=st.sampled_from(CRONS),
        zone=st.sampled_from(ZONES),
        missed=st.sampled_from(Missed),
        overlap=st.sampled_from(Overlap),
        grace_s=st.sampled_from([1, 600, 3600, 86_400]),
    )
    def begin(
        self, cron: str, zone: str, missed: Missed, overlap: Overlap, grace_s: int
    ) -> None:
        self.folder = Path(mkdtemp())
        (self.folder / "db").write_bytes(newest_shape())
        self.store = BreakingStore(f"sqlite:///{self.folder / 'db'}")
        self.cron = Cron(cron, zone)
        self.moment = START
        self.paused = False
        self.due: set[datetime] = set()
        first = next(self.cron.fires(START))
        self.next_due = first
        row = schedule_row(
            cron=cron,
            time_zone=zone,
            missed=missed,
            overlap=overlap,
            grace_s=grace_s,
            next_fire=first,
        )
        with self.store.write() as connection:
            connection.execute(insert(schedules).values(**row))
        self.missed, self.overlap, self.grace_s = missed, overlap, grace_s

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    # -- what happens ----------------------------------------------------------------

    @rule(
        passes_s=st.sampled_from(PAUSES_S),
        breaks=st.lists(st.sampled_from(["before", "after", "never"]), max_size=4),
    )
    def time_passes_until_a_look(self, passes_s: int, breaks: list[str]) -> None:
        self.moment += passes_s * SECOND
        before, active = self.started(), self.active()
        dropped = self.dropped()
        self.store.breaks = list(breaks)
        fire_due(self.store, self.moment)
        self.store.breaks = []
        come: list[datetime] = []
        if not self.paused and self.next_due <= self.moment:
            come = list(self.cron.come(self.next_due, self.moment))
            self.next_due = next(self.cron.fires(self.moment))
        self.due |= set(come)
        new = sorted(self.started() - before)
        self._is_as_wished(come, new, active)
        assert len(self.started()) + len(self.dropped()) == len(before) + len(
            dropped
        ) + len(come)

    def _is_as_wished(
        self, come: list[datetime], new: list[datetime], active: int
    ) -> None:
        """What started are the newest that policy and room allow."""
        if not come:
            assert new == []
            return
        most = MOST_AT_ONCE if self.missed is Missed.ALL else 1
        late = (self.moment - come[-1]).total_seconds() > self.grace_s
        wished = [] if self.missed is Missed.SKIP and late else come[-most:]
        room = {
            Overlap.ALLOW: MOST_AT_ONCE,
            Overlap.QUEUE: max(0, MOST_AT_ONCE - active),
            Overlap.SKIP: 0 if active else MOST_AT_ONCE,
        }
        assert new == wished[: room[self.overlap]]

    @rule(how_many=st.integers(1, 9))
    def runs_end(self, how_many: int) -> None:
        with self.store.write() as connection:
            active = select(runs.c.id).where(runs.c.status == Status.PENDING)
            ids = list(connection.scalars(active.limit(how_many)))
            ended = update(runs).where(runs.c.id.in_(ids))
            connection.execute(ended.values(status=Status.SUCCEEDED))

    @rule()
    def its_owner_pauses_it(self) -> None:
        self.paused = True
        self._change(paused=True)

    @rule()
    def its_owner_lets_it_go_on(self) -> None:
        """What came due meanwhile was not wished for: as the book of schedules does."""
        if self.paused and self.moment >= self.next_due:
            self.next_due = next(self.cron.fires(self.moment))
        self.paused = False
        self._change(paused=False, next_fire=self.next_due)

    @rule(missed=st.sampled_from(Missed), overlap=st.sampled_from(Overlap))
    def its_owner_wishes_for_another_policy(
        self, missed: Missed, overlap: Overlap
    ) -> None:
        self.missed, self.overlap = missed, overlap
        self._change(missed=missed, overlap=overlap)

    # -- what holds ------------------------------------------------------------------

    @invariant()
    def each_due_time_has_a_run_or_a_reason_and_only_one(self) -> None:
        if not hasattr(self, "store"):
            return
        started, dropped = self.started(), self.dropped()
        assert started.isdisjoint(dropped)
        assert started | set(dropped) == self.due

    @invariant()
    def the_next_fire_is_the_first_that_nothing_was_decided_about(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.read() as connection:
            assert connection.scalar(select(schedules.c.next_fire)) == self.next_due

    # -- looking ---------------------------------------------------------------------

    def started(self) -> set[datetime]:
        with self.store.read() as connection:
            return set(connection.scalars(select(runs.c.fire_at)))

    def active(self) -> int:
        with self.store.read() as connection:
            wanted = select(runs.c.id).where(runs.c.status == Status.PENDING)
            return len(connection.scalars(wanted).all())

    def dropped(self) -> dict[datetime, DropReason]:
        with self.store.read() as connection:
            spans = connection.execute(select(drops)).mappings().all()
        found: dict[datetime, DropReason] = {}
        for span in spans:
            come = list(self.cron.come(span["first_at"], span["last_at"]))
            assert span["count"] == min(len(come), 1000)
            assert found.keys().isdisjoint(come)
            found |= dict.fromkeys(come, span["why"])
        return found

    def _change(self, **values: Any) -> None:
        with self.store.write() as connection:
            connection.execute(update(schedules).values(**values))


@pytest.fixture(autouse=True)
def few_and_without_a_pause(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(core, "MOST_AT_ONCE", MOST_AT_ONCE)
    monkeypatch.setattr(store_module, "_RETRY_PAUSES_S", (0,) * 6)


Schedules.TestCase.settings = settings(
    stateful_step_count=20, max_examples=60, deadline=None
)


class TestSchedules(Schedules.TestCase):
    """Found by pytest."""
