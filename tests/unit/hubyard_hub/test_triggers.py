"""The core of triggers, and the watches that feed it; clock and MLflow are injected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import delete, insert, select, update

from hubyard.contract.errors import Unavailable
from hubyard.contract.schedule import Overlap
from hubyard.contract.workload import Status
from hubyard_hub.models.mlflow_client import ON_BEHALF_OF, MlflowClient
from hubyard_hub.schedules.core import fire_due
from hubyard_hub.schedules.triggers import (
    Change,
    awake,
    change_of,
    fire_changed,
)
from hubyard_hub.schedules.watch import FileWatch, ModelWatch
from hubyard_hub.store.tables import drops, runs, schedules
from support.platform import hub, parts
from support.schedules import NOON, schedule_row
from support.stores import both_stores, database_url, postgresql

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard_hub.parts import Parts
    from hubyard_hub.store import Store

__all__ = ["both_stores", "database_url", "hub", "parts", "postgresql"]  # fixtures

SECOND = timedelta(seconds=1)


def waiting(**changes: Any) -> dict[str, Any]:
    """A schedule that waits for a file and has seen its state `a`."""
    waits = {"cron": "", "next_fire": None, "trigger": {"file": "*.csv"}, "seen": "a"}
    return schedule_row(**{**waits, **changes})


def add(store: Store, *rows: dict[str, Any]) -> None:
    with store.write() as connection:
        connection.execute(insert(schedules), list(rows))


def seen(store: Store) -> list[str | None]:
    with store.read() as connection:
        return list(connection.scalars(select(schedules.c.seen)))


def fired(store: Store) -> list[Any]:
    with store.read() as connection:
        wanted = select(runs).order_by(runs.c.fire_at)
        return list(connection.execute(wanted).mappings())


def dropped(store: Store) -> list[tuple[Any, ...]]:
    wanted = select(drops.c.first_at, drops.c.last_at, drops.c.count, drops.c.why)
    with store.read() as connection:
        found = connection.execute(wanted.order_by(drops.c.first_at))
        return [tuple(row) for row in found]


def end_runs(store: Store) -> None:
    with store.write() as connection:
        connection.execute(update(runs).values(status=Status.SUCCEEDED))


@pytest.mark.parametrize(
    ("before", "state", "changed"),
    [
        ("a", "b", True),
        ("a", "a", False),
        ("a", "", False),
        ("", "b", True),
        ("", "", False),
        (None, "b", True),
        (None, "", True),
    ],
)
def test_what_is_new(before: str | None, state: str, changed: bool):  # noqa: FBT001  a parameter of the test
    row = {"id": "s", "seen": before}
    assert change_of(row, state) == (Change("s", before, state) if changed else None)


def test_a_change_is_a_run_of_the_pinned_source_and_is_seen(both_stores: Store):
    row = waiting()
    add(both_stores, row)
    change = Change(row["id"], "a", "b")
    assert fire_changed(both_stores, [change], NOON) == 1
    (run,) = fired(both_stores)
    copied = ("owner", "name", "notebook", "source", "parameters", "compute")
    assert {name: run[name] for name in copied} == {n: row[n] for n in copied}
    assert (run["schedule_id"], run["fire_at"]) == (row["id"], NOON)
    assert seen(both_stores) == ["b"]
    assert fire_changed(both_stores, [change], NOON + SECOND) == 0
    assert len(fired(both_stores)) == 1


def test_what_was_not_seen_before_is_only_looked_at(both_stores: Store):
    row = waiting(seen=None)
    add(both_stores, row)
    assert fire_changed(both_stores, [Change(row["id"], None, "b")], NOON) == 0
    assert (seen(both_stores), fired(both_stores)) == (["b"], [])


def test_a_paused_or_deleted_schedule_and_another_state_fire_nothing(
    both_stores: Store,
):
    paused, moved = waiting(paused=True), waiting(seen="c")
    add(both_stores, paused, moved)
    stale = [Change(id_, "a", "b") for id_ in (paused["id"], moved["id"], "gone")]
    assert fire_changed(both_stores, stale, NOON) == 0
    assert (sorted(map(str, seen(both_stores))), fired(both_stores)) == (["a", "c"], [])


def test_a_thousand_changes_fire_once_each_whoever_looks(both_stores: Store):
    rows = [waiting() for _ in range(1000)]
    add(both_stores, *rows)
    changes = [Change(row["id"], "a", "b") for row in rows]
    with ThreadPoolExecutor(4) as pool:
        begun = pool.map(lambda _: fire_changed(both_stores, changes, NOON), range(4))
        assert sum(begun) == 1000
    assert len({run["schedule_id"] for run in fired(both_stores)}) == 1000
    assert len(fired(both_stores)) == 1000


@pytest.mark.parametrize(
    ("overlap", "started"), [(Overlap.SKIP, 1), (Overlap.QUEUE, 3), (Overlap.ALLOW, 3)]
)
def test_what_overlaps_is_dropped_and_counted_waits_or_runs(
    both_stores: Store, overlap: Overlap, started: int
):
    row = waiting(overlap=overlap)
    add(both_stores, row)
    for number, (old, new) in enumerate(["ab", "bc", "cd"]):
        moment = NOON + number * SECOND
        fire_changed(both_stores, [Change(row["id"], old, new)], moment)
    assert seen(both_stores) == ["d"]
    assert len(fired(both_stores)) == started
    lost = [(NOON + SECOND, NOON + 2 * SECOND, 2, "overlap")]
    assert dropped(both_stores) == (lost if started == 1 else [])


def test_a_span_of_drops_ends_where_a_run_began(store_of_one: Store):
    store, row = store_of_one, {"id": "s"}

    def change(old: str, new: str, second: int) -> int:
        moment = NOON + second * SECOND
        return fire_changed(store, [Change(row["id"], old, new)], moment)

    assert [change("a", "b", 0), change("b", "c", 1)] == [1, 0]
    end_runs(store)
    assert [change("c", "d", 2), change("d", "e", 3)] == [1, 0]
    spans = [(NOON + 1 * SECOND,) * 2, (NOON + 3 * SECOND,) * 2]
    assert [span[:2] for span in dropped(store)] == spans


@pytest.fixture
def store_of_one(both_stores: Store) -> Store:
    add(both_stores, waiting(id="s", overlap=Overlap.SKIP))
    return both_stores


def test_a_clock_that_goes_back_loses_no_change(store_of_one: Store):
    store = store_of_one
    assert fire_changed(store, [Change("s", "a", "b")], NOON) == 1
    assert fire_changed(store, [Change("s", "b", "c")], NOON - SECOND) == 0
    assert fire_changed(store, [Change("s", "c", "d")], NOON) == 0
    end_runs(store)
    assert fire_changed(store, [Change("s", "d", "e")], NOON) == 1
    (lost,) = dropped(store)
    first, second = (run["fire_at"] for run in fired(store))
    assert first == NOON < lost[0] < lost[1] < second < NOON + SECOND
    assert lost[2] == 2


def test_what_waits_for_a_trigger_never_comes_due(both_stores: Store):
    add(both_stores, waiting(), schedule_row())
    assert fire_due(both_stores, NOON) == 1
    assert [trigger.file for _, trigger in awake(both_stores)] == ["*.csv"]


# -- files -------------------------------------------------------------------------


class Clock:
    """A clock that goes as it is told."""

    moment = 0.0

    def __call__(self) -> float:
        return self.moment


class Place:
    """Ada's home, a schedule that waits for her files, and a watch."""

    def __init__(self, parts: Parts, **changes: Any) -> None:
        self.parts, self.clock = parts, Clock()
        self.home: Path = parts.settings.homes / "ada"
        self.home.mkdir(parents=True)
        add(parts.store, waiting(seen="", overlap=Overlap.ALLOW, **changes))
        self.watch = self.other()

    def other(self, **more: Any) -> FileWatch:
        """What another platform, or the next one, looks with."""
        return FileWatch(self.parts, settled_s=5, clock=self.clock, **more)

    def after(self, seconds: float) -> int:
        """Look again so much later."""
        self.clock.moment += seconds
        return self.watch.look()


@pytest.fixture
def place(parts: Parts) -> Place:
    return Place(parts)


def test_a_file_fires_when_it_stands_still(place: Place):
    assert place.after(0) == 0
    (place.home / "a.csv").write_text("half")
    assert [place.after(2), place.after(4)] == [0, 0]
    (place.home / "a.csv").write_text("whole, at last")
    assert [place.after(2), place.after(4), place.after(1)] == [0, 0, 1]
    assert [place.after(2), place.after(60)] == [0, 0]


def test_what_goes_back_to_what_was_seen_is_no_change(place: Place):
    file = place.home / "a.csv"
    file.write_text("x")
    assert [place.after(1), place.after(5)] == [0, 1]
    file.rename(place.home / "a.bak")
    assert [place.after(1), place.after(9)] == [0, 0]
    (place.home / "b.csv").write_text("y")
    assert place.after(1) == 0
    (place.home / "b.csv").unlink()
    (place.home / "a.bak").rename(file)
    assert [place.after(9), place.after(9)] == [0, 0]


def test_what_changed_while_nothing_looked_is_one_run(place: Place):
    for text in ("x", "xx", "xxx"):
        (place.home / "a.csv").write_text(text)
    place.watch = place.other()
    assert [place.after(1), place.after(5), place.after(5)] == [0, 1, 0]
    place.watch = place.other()
    assert [place.after(1), place.after(5)] == [0, 0]


def test_two_platforms_start_one_run(place: Place):
    (place.home / "a.csv").write_text("x")
    others = [place.other() for _ in range(4)]
    assert [watch.look() for watch in others] == [0] * 4
    place.clock.moment += 5
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(FileWatch.look, others)) == 1


def test_a_schedule_that_ends_or_is_paused_is_looked_at_no_more(place: Place):
    (place.home / "a.csv").write_text("x")
    assert place.after(1) == 0
    with place.parts.store.write() as connection:
        connection.execute(update(schedules).values(paused=True))
    assert place.after(9) == 0
    with place.parts.store.write() as connection:
        connection.execute(update(schedules).values(paused=False))
    assert [place.after(1), place.after(5)] == [0, 1]
    (place.home / "a.csv").write_text("xx")
    assert place.after(1) == 0
    with place.parts.store.write() as connection:
        connection.execute(delete(schedules))
    assert place.after(9) == 0


def test_what_is_first_seen_is_not_waited_for(parts: Parts):
    place = Place(parts)
    with parts.store.write() as connection:
        connection.execute(update(schedules).values(seen=None))
    (place.home / "a.csv").write_text("x")
    assert place.after(0) == 0
    assert seen(parts.store) not in ([None], [""])


def test_each_owner_has_only_a_home_of_their_own(place: Place):
    bob = place.home.with_name("bob")
    bob.mkdir()
    (bob / "b.csv").write_text("x")
    assert [place.after(1), place.after(9)] == [0, 0]


def test_many_take_turns_and_none_is_forgotten(place: Place):
    add(place.parts.store, *(waiting(seen="") for _ in range(24)))
    (place.home / "a.csv").write_text("x")
    place.watch = place.other(most=15)  # of three entries each: five at a time
    first = [place.after(0) for _ in range(5)]
    assert first == [0] * 5
    later = [place.after(1) for _ in range(10)]
    assert sum(later) == 25
    assert max(later) <= 5
    assert [place.after(1) for _ in range(10)] == [0] * 10


# -- models ------------------------------------------------------------------------


class Registry:
    """MLflow's registry in memory: aliases, and who may see which model."""

    def __init__(self, parts: Parts) -> None:
        self.aliases: dict[tuple[str, str], str] = {("churn", "champion"): "1"}
        self.readers = {"churn": {"ada"}}
        self.asked: list[str] = []
        self.down = False
        client = MlflowClient("http://m", transport=httpx.MockTransport(self.answer))
        self.parts = replace(parts, mlflow=client)
        self.watch = ModelWatch(self.parts)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            return httpx.Response(503)
        self.asked.append(request.url.path.rpartition("/")[2])
        if self.asked[-1] == "get":
            owner = request.headers[ON_BEHALF_OF]
            name = request.url.params["name"]
            return httpx.Response(200 if owner in self.readers[name] else 403, json={})
        models = sorted({name for name, _ in self.aliases})
        page = int(request.url.params.get("page_token", 0))
        found = [
            {"alias": alias, "version": version}
            for (name, alias), version in self.aliases.items()
            if name == models[page]
        ]
        answer: dict[str, Any] = {
            "registered_models": [{"name": models[page], "aliases": found}]
        }
        if page + 1 < len(models):
            answer["next_page_token"] = str(page + 1)
        return httpx.Response(200, json=answer)


@pytest.fixture
def registry(parts: Parts) -> Registry:
    return Registry(parts)


def of_model(**changes: Any) -> dict[str, Any]:
    trigger = {"model": "churn", "alias": "champion"}
    return waiting(**{"trigger": trigger, "seen": "1", **changes})


def test_an_alias_that_moves_fires(registry: Registry):
    add(registry.parts.store, of_model())
    assert registry.watch.look() == 0
    registry.aliases["churn", "champion"] = "2"
    registry.aliases["another", "champion"] = "7"
    assert [registry.watch.look(), registry.watch.look()] == [1, 0]
    registry.aliases["churn", "champion"] = "1"
    assert registry.watch.look() == 1


def test_an_alias_that_is_taken_away_and_set_again_has_not_moved(registry: Registry):
    add(registry.parts.store, of_model())
    del registry.aliases["churn", "champion"]
    registry.aliases["churn", "challenger"] = "2"
    assert registry.watch.look() == 0
    registry.aliases["churn", "champion"] = "1"
    assert registry.watch.look() == 0


def test_an_alias_that_is_set_for_the_first_time_fires(registry: Registry):
    trigger = {"model": "churn", "alias": "challenger"}
    add(registry.parts.store, of_model(trigger=trigger, seen=None))
    assert registry.watch.look() == 0
    assert seen(registry.parts.store) == [""]
    registry.aliases["churn", "challenger"] = "2"
    assert registry.watch.look() == 1


def test_one_listing_answers_for_all_and_none_is_asked_for_nothing(registry: Registry):
    assert registry.watch.look() == 0
    assert registry.asked == []
    add(registry.parts.store, *(of_model() for _ in range(50)), waiting())
    assert registry.watch.look() == 0
    assert registry.asked == ["search"]
    registry.aliases["churn", "champion"] = "2"
    assert registry.watch.look() == 50
    assert registry.asked == ["search", "search", "get"]


def test_whoever_may_not_see_the_model_learns_nothing_of_it(registry: Registry):
    add(registry.parts.store, of_model(owner="bob"), of_model())
    registry.aliases["churn", "champion"] = "2"
    assert registry.watch.look() == 1
    (run,) = fired(registry.parts.store)
    assert run["owner"] == "ada"
    assert sorted(map(str, seen(registry.parts.store))) == ["1", "2"]
    registry.readers["churn"] = {"bob"}
    assert registry.watch.look() == 1


def test_while_mlflow_is_away_nothing_is_lost(registry: Registry):
    add(registry.parts.store, of_model())
    registry.aliases["churn", "champion"] = "2"
    registry.down = True
    with pytest.raises(Unavailable):
        registry.watch.look()
    registry.down = False
    assert registry.watch.look() == 1
