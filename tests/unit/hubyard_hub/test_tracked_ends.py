"""Ends of tracked runs: MLflow is told once it answers, and nobody waits for it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, select

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Unavailable
from hubyard.contract.workload import Kind, Status
from hubyard_hub.models import tracked_ends
from hubyard_hub.models.mlflow_client import MlflowClient
from hubyard_hub.models.tracked_ends import ask_for_end, tell_ends
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.store import tables
from support.patience import until
from support.platform import ada, app, hub, parts
from unit.hubyard_hub.test_reconcile_acts import Scene

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub
    from support.platform import Caller

__all__ = ["ada", "app", "hub", "parts"]  # fixtures


class Mlflow:
    """Its REST interface: what runs there, who was told to end, and how it fails."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        """The id of a tracked run, by the id of the run that it belongs to."""
        self.ended: dict[str, Any] = {}
        self.asked = 0
        self.fails_for: set[str] = set()
        self.hangs = False
        self.wakes = threading.Event()
        self.client = MlflowClient("http://m", httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.hangs:
            raise httpx.ReadTimeout("")
        self.wakes.wait()
        body = json.loads(request.content)
        if request.url.path.endswith("/experiments/search"):
            return httpx.Response(200, json={"experiments": [{"experiment_id": "1"}]})
        if request.url.path.endswith("/runs/search"):
            return self._search(body["filter"])
        self.ended[body["run_id"]] = body["status"], body["end_time"]
        return httpx.Response(200, json={})

    def _search(self, wanted: str) -> httpx.Response:
        if any(run in wanted for run in self.fails_for):
            return httpx.Response(500, json={"message": "oops"})
        found = [
            {"info": {"run_id": tracked}}
            for run, tracked in self.running.items()
            if run in wanted
        ]
        return httpx.Response(200, json={"runs": found})


@pytest.fixture
def mlflow() -> Mlflow:
    made = Mlflow()
    made.wakes.set()
    return made


@pytest.fixture
def asking(parts: Parts, mlflow: Mlflow) -> Parts:
    return replace(parts, mlflow=mlflow.client)


def queued(parts: Parts) -> int:
    with parts.store.read() as connection:
        count = select(func.count()).select_from(tables.tracked_ends)
        return connection.execute(count).scalar_one()


def a_run(parts: Parts, id_: str, age: timedelta = timedelta(0), **more: Any) -> None:
    row = {"id": id_, "owner": "ada", "status": Status.FAILED, "ended_at": now() - age}
    parts.store.atomically(lambda c: ask_for_end(c, {**row, **more}))


def a_tracked_run(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    """A run that has tracked something and was killed."""
    scene = Scene(parts, hub, ada, Kind.RUN)
    scene.up()
    tracked = scene.folder.scratch / "steps" / "main" / "tracked"
    tracked.parent.mkdir(parents=True)
    tracked.touch()
    scene.end(EndReason.KILLED, -9)
    return scene


def test_a_run_is_closed_although_mlflow_hangs_and_its_end_is_told_later(
    asking: Parts, mlflow: Mlflow, hub: MemoryHub, ada: Caller
):
    mlflow.hangs = True
    scene = a_tracked_run(asking, hub, ada)
    mlflow.running[scene.id] = "t1"
    scene.step(2)
    assert scene.row["closed"]
    assert mlflow.asked == 0
    with pytest.raises(Unavailable):
        tell_ends(asking)
    assert (mlflow.ended, queued(asking)) == ({}, 1)
    mlflow.hangs = False
    until(lambda: told(asking))
    ended_at = round(scene.row["ended_at"].timestamp() * 1000)
    assert mlflow.ended == {"t1": ("FAILED", ended_at)}
    assert queued(asking) == 0


def told(parts: Parts) -> int:
    try:
        return tell_ends(parts)
    except Unavailable:
        return 0


def test_eight_hung_ends_leave_the_workers_to_starts_and_stops(
    asking: Parts, mlflow: Mlflow, hub: MemoryHub, ada: Caller
):
    mlflow.wakes.clear()  # it takes what is asked, and does not answer
    for _ in range(9):
        a_tracked_run(asking, hub, ada)
    reconciler = Reconciler(asking)
    reconciler.start()
    try:
        until(lambda: mlflow.asked)
        app = Scene(asking, hub, ada, Kind.APP)
        until(lambda: app.status == "ready")
        app.stop()
        until(lambda: app.status == "stopped")
        mlflow.wakes.set()
        until(lambda: queued(asking) == 0)
    finally:
        mlflow.wakes.set()
        reconciler.stop()


def test_asked_for_twice_it_is_told_once(asking: Parts, mlflow: Mlflow):
    mlflow.running["r1"] = "t1"
    a_run(asking, "r1")
    a_run(asking, "r1", status=Status.STOPPED)
    assert tell_ends(asking) == 1
    assert mlflow.ended["t1"][0] == "FAILED"
    assert tell_ends(asking) == 0


def test_one_that_mlflow_fails_at_holds_up_no_other(asking: Parts, mlflow: Mlflow):
    mlflow.running = {"old": "t1", "new": "t2"}
    mlflow.fails_for = {"old"}
    a_run(asking, "old", timedelta(hours=1))
    a_run(asking, "new")
    assert tell_ends(asking) == 1
    assert list(mlflow.ended) == ["t2"]
    mlflow.fails_for = set()
    assert tell_ends(asking) == 1
    assert list(mlflow.ended) == ["t2", "t1"]


def test_many_that_mlflow_fails_at_hold_up_no_other(
    asking: Parts, mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tracked_ends, "_MOST_AT_ONCE", 2)
    for number in range(4):
        mlflow.fails_for.add(f"old{number}")
        a_run(asking, f"old{number}", timedelta(hours=1))
    mlflow.running = {"new": "t"}
    a_run(asking, "new")
    assert tell_ends(asking) == 1
    assert list(mlflow.ended) == ["t"]


def test_after_a_week_it_is_given_up(asking: Parts, mlflow: Mlflow):
    mlflow.fails_for = {"old"}
    a_run(asking, "old", timedelta(days=8))
    tell_ends(asking)
    assert queued(asking) == 0
