"""Triggers as a state machine: whatever happens, no change is lost or told twice.

What is looked at changes; several platforms look, and fire late what they found long
ago; the store breaks before it commits and after; the clock jumps; runs end; the owner
pauses. An account of all that was seen is kept beside it.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import insert, select, update

from hubyard.contract.schedule import Overlap
from hubyard.contract.workload import Status
from hubyard_hub import store as store_module
from hubyard_hub.schedules import core
from hubyard_hub.schedules.triggers import Change, awake, change_of, fire_changed
from hubyard_hub.store.tables import drops, runs, schedules
from support.breaking import BreakingStore
from support.schedules import NOON, schedule_row
from support.stores import newest_shape

MOST_AT_ONCE = 3
"""Few, so that it is reached."""
SECOND = timedelta(seconds=1)
BREAKS = st.lists(st.sampled_from(["before", "after", "never"]), max_size=4)


class Triggers(RuleBasedStateMachine):
    """One schedule, and what became of each change."""

    @initialize(overlap=st.sampled_from(Overlap))
    def begin(self, overlap: Overlap) -> None:
        self.folder = Path(mkdtemp())
        (self.folder / "db").write_bytes(newest_shape())
        self.store = BreakingStore(f"sqlite:///{self.folder / 'db'}")
        self.overlap, self.moment, self.paused = overlap, NOON, False
        self.world = self.seen = ""
        self.told = 0
        """Changes that have had their run or their drop."""
        self.looks: list[Change] = []
        row = schedule_row(
            cron="",
            next_fire=None,
            trigger={"file": "x"},
            seen="",
            overlap=overlap,
        )
        with self.store.write() as connection:
            connection.execute(insert(schedules).values(**row))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    # -- what happens ----------------------------------------------------------------

    @rule(state=st.sampled_from(["", "a", "b", "c"]))
    def it_changes(self, state: str) -> None:
        self.world = state

    @rule()
    def a_platform_looks(self) -> None:
        for row, _ in awake(self.store):
            change = change_of(row, self.world)
            self.looks += [change] if change else []

    @rule(data=st.data(), passes_s=st.sampled_from([0, 1, 60, -3600]), breaks=BREAKS)
    def a_platform_fires_what_it_has_found(
        self, data: st.DataObject, passes_s: int, breaks: list[str]
    ) -> None:
        if not self.looks:
            return
        change = data.draw(st.sampled_from(self.looks))
        self.moment += passes_s * SECOND
        active, before = self.active(), self.started()
        self.store.breaks = list(breaks)
        fire_changed(self.store, [change], self.moment)
        self.store.breaks = []
        is_news = not self.paused and change.seen == self.seen
        room = {
            Overlap.ALLOW: True,
            Overlap.QUEUE: active < MOST_AT_ONCE,
            Overlap.SKIP: active == 0,
        }
        fires = is_news and change.seen is not None
        assert self.started() - before == int(fires and room[self.overlap])
        if is_news:
            self.seen = change.state
        self.told += fires

    @rule()
    def runs_end(self) -> None:
        with self.store.write() as connection:
            connection.execute(update(runs).values(status=Status.SUCCEEDED))

    @rule()
    def its_owner_pauses_it(self) -> None:
        self.paused = True
        self._change(paused=True)

    @rule(is_known=st.booleans())
    def its_owner_lets_it_go_on(self, *, is_known: bool) -> None:
        """As the book does: of files it knows what there is, of a model it does not."""
        if self.paused:
            self.seen = self.world if is_known else None
            self._change(paused=False, seen=self.seen)
        self.paused = False

    # -- what holds ------------------------------------------------------------------

    @invariant()
    def each_change_has_a_run_or_is_counted_and_only_once(self) -> None:
        if hasattr(self, "store"):
            assert self.started() + self.dropped() == self.told

    @invariant()
    def what_was_seen_is_what_was_told(self) -> None:
        if hasattr(self, "store"):
            with self.store.read() as connection:
                assert connection.scalar(select(schedules.c.seen)) == self.seen

    @invariant()
    def another_look_finds_what_is_new_and_nothing_else(self) -> None:
        if not hasattr(self, "store") or self.paused:
            return
        ((row, _),) = awake(self.store)
        change = change_of(row, self.world)
        is_new = self.world != self.seen and (self.world or self.seen is None)
        assert (change is not None) is bool(is_new)

    # -- looking ---------------------------------------------------------------------

    def started(self) -> int:
        with self.store.read() as connection:
            fires = list(connection.scalars(select(runs.c.fire_at)))
        assert len(set(fires)) == len(fires)
        return len(fires)

    def active(self) -> int:
        with self.store.read() as connection:
            wanted = select(runs.c.id).where(runs.c.status == Status.PENDING)
            return len(connection.scalars(wanted).all())

    def dropped(self) -> int:
        with self.store.read() as connection:
            return sum(connection.scalars(select(drops.c.count)))

    def _change(self, **values: Any) -> None:
        with self.store.write() as connection:
            connection.execute(update(schedules).values(**values))


@pytest.fixture(autouse=True)
def few_and_without_a_pause(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(core, "MOST_AT_ONCE", MOST_AT_ONCE)
    monkeypatch.setattr(store_module, "_RETRY_PAUSES_S", (0,) * 6)


Triggers.TestCase.settings = settings(
    stateful_step_count=20, max_examples=40, deadline=None
)


class TestTriggers(Triggers.TestCase):
    """Found by pytest."""
