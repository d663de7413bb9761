"""Runs that wait for memory: how many others pass, and what their owners read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.workload import Kind
from hubyard_hub.reconcile import waiting
from hubyard_hub.reconcile.acts import bring_further
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.reconcile.turns import MOST_PASSES
from hubyard_hub.store.tables import runs
from support.lines import ended, opened
from support.platform import Caller, ada, app, bob, hub, parts, upload

if TYPE_CHECKING:
    from hubyard.contract.entry import Entry
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures

MIB = 2**20
WAITS = "It waits for 0.5 GiB of memory, which other runs may use now."
KEPT = "Room is kept for a larger run, which has waited longer."


class Floor:
    """A machine with room for two small runs, or for one of compute `two`."""

    def __init__(self, parts: Parts, hub: MemoryHub) -> None:
        self.parts, self.hub = parts, hub
        self.loop = Reconciler(parts)
        self.entries: dict[str, Entry] = {}
        hub.on_start = self._bill

    def _bill(self, _hub: MemoryHub, owner: str, name: str) -> None:
        line = {"owner": owner, "server_name": name, "kind": Kind.RUN}
        self.entries[name] = opened(self.parts.ledger, **line)

    def look(self) -> set[str]:
        """The reconciler's look, each of whose wishes is brought where it shall be."""
        before = set(self.entries)
        for kind, id_ in self.loop.look_once():
            while bring_further(self.parts, kind, id_):
                pass
        return {name.removeprefix("run-") for name in set(self.entries) - before}

    def end(self, owner: str, id_: str) -> None:
        """A run ends, and the hub and the reconciler see it."""
        name = f"run-{id_}"
        ended(self.parts.ledger, self.entries[name], now(), EndReason.KILLED)
        self.hub.servers[owner, name] = "stopped"
        while bring_further(self.parts, Kind.RUN, id_):
            pass


@pytest.fixture
def floor(parts: Parts, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch) -> Floor:
    memory = SimpleNamespace(total=700 * MIB)
    machine = SimpleNamespace(virtual_memory=lambda: memory)
    monkeypatch.setattr(waiting, "psutil", machine)
    return Floor(parts, hub)


def start(who: Caller, compute: str = "small", **more: Any) -> str:
    wish = {"source": upload(who), "notebook": "train.ipynb", "compute": compute}
    answer = who.post("/runs", json={**wish, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def waits_for(who: Caller, id_: str) -> str | None:
    """Why a run is queued, which is the same in the list and in the detail."""
    (listed,) = [run for run in who.get("/runs").json() if run["id"] == id_]
    assert listed["waits_for"] == who.get(f"/runs/{id_}").json()["waits_for"]
    return listed["waits_for"]


def test_small_runs_pass_a_large_one_but_not_for_ever(
    floor: Floor, ada: Caller, bob: Caller
):
    first = start(ada)
    assert floor.look() == {first}
    large = start(bob, "two")
    assert waits_for(bob, large) is None
    passing = []
    for _ in range(MOST_PASSES):
        passing.append(start(ada))
        assert floor.look() == {passing[-1]}
        assert waits_for(bob, large) == WAITS
        floor.end("ada", passing[-1])
    late = start(ada)
    for _ in range(3):
        assert floor.look() == set(), "room is kept"
    assert waits_for(bob, large) == WAITS
    assert waits_for(ada, late) == KEPT
    floor.end("ada", first)
    assert floor.look() == {large}
    assert waits_for(bob, large) is None
    floor.end("bob", large)
    assert floor.look() == {late}
    assert waits_for(ada, late) is None


def test_another_process_goes_on_counting(floor: Floor, ada: Caller, bob: Caller):
    floor.look()
    start(ada)
    floor.look()
    start(bob, "two")
    for _ in range(MOST_PASSES):
        id_ = start(ada)
        assert floor.look() == {id_}
        floor.end("ada", id_)
        floor.loop = Reconciler(floor.parts)
    start(ada)
    assert floor.look() == set()


def test_nothing_is_written_where_nothing_has_changed(
    floor: Floor, ada: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
):
    start(ada)
    floor.look()
    large = start(bob, "two")
    floor.look()

    def never(*_: object) -> None:
        raise AssertionError("it is written again")

    monkeypatch.setattr(waiting, "_write", never)
    floor.look()
    assert waits_for(bob, large) == WAITS


def test_what_waits_for_its_schedule_or_for_an_empty_machine(floor: Floor, ada: Caller):
    wish = {"source": upload(ada), "notebook": "train.ipynb", "compute": "small"}
    made = ada.post("/schedules", json={**wish, "cron": "0 3 1 1 *"})
    assert made.status_code == 201, made.text
    first, second = (
        ada.post(f"/schedules/{made.json()['id']}/run").json()["id"] for _ in range(2)
    )
    assert floor.look() == {first}
    said = "It waits for an earlier run of its schedule to end."
    assert waits_for(ada, second) == said
    assert ada.post(f"/runs/{second}/stop").json()["waits_for"] is None


def test_what_is_larger_than_the_machine_waits_until_it_is_alone(
    floor: Floor, ada: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
):
    memory = SimpleNamespace(total=400 * MIB)
    machine = SimpleNamespace(virtual_memory=lambda: memory)
    monkeypatch.setattr(waiting, "psutil", machine)
    first = start(ada)
    floor.look()
    large = start(bob, "two")
    floor.look()
    assert waits_for(bob, large) == (
        "It waits until no other run is at work: it may use 0.5 GiB of memory, and "
        "this machine has 0.391 GiB."
    )
    floor.end("ada", first)
    assert floor.look() == {large}


def test_a_run_that_begins_anew_is_counted_anew(floor: Floor, ada: Caller, bob: Caller):
    first = start(ada)
    floor.look()
    large = start(bob, "two")
    floor.look()
    floor.end("ada", first)
    floor.look()
    name = f"run-{large}"
    ended(floor.parts.ledger, floor.entries[name], now(), EndReason.LOST)
    floor.hub.servers["bob", name] = "stopped"
    bring_further(floor.parts, Kind.RUN, large)
    with floor.parts.store.read() as connection:
        row = connection.execute(select(runs).where(runs.c.id == large)).one()
    assert (row.status, row.counted_since) == ("pending", None)
