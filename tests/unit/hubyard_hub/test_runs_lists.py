"""What lists read and show: counts in the row, and those that have not ended first."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, MetaData, Table, event, insert, inspect

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.run import RunRecord
from hubyard.contract.workload import Kind, Status
from hubyard_hub.notices.tell import tell_late
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.runs.steps import steps_of
from hubyard_hub.runs.wanted import Wanted, new_run
from hubyard_hub.store import Store, tables
from hubyard_hub.store.columns import JsonColumn
from support.platform import Caller, ada, app, hub, parts, upload
from support.scene import Scene
from support.stores import database_url, postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "database_url", "hub", "parts", "postgresql"]  # fixtures

COUNTS = "cells_total", "cells_done", "steps_total", "steps_done"
STEPS = [
    {
        "key": "load",
        "step": "load",
        "file": "load.ipynb",
        "status": "succeeded",
        "cells": [{"index": n, "status": "succeeded"} for n in (0, 2)],
    },
    {
        "key": "train",
        "step": "train",
        "file": "train.ipynb",
        "status": "running",
        "cells": [
            {"index": 0, "status": "failed"},
            {"index": 1, "status": "running"},
            {"index": 2, "status": "waiting"},
        ],
    },
    {"key": "score", "step": "score", "file": "score.ipynb", "status": "waiting"},
]


@pytest.fixture
def a_run(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    return Scene(parts, hub, ada, Kind.RUN)


def record(**more: Any) -> RunRecord:
    said = {"revision": 4, "status": "running", "started_at": now().isoformat()}
    return RunRecord.model_validate_json(json.dumps({**said, "steps": STEPS, **more}))


def counted(run: Scene) -> list[int]:
    """What the list says of a run, which is what its detail says."""
    (listed,) = run.ada.get("/runs").json()
    assert "steps" not in listed
    shown = run.shown
    for moves in ("cost", "steps"):
        shown[moves] = listed[moves] = None
    assert listed == shown
    return [listed[name] for name in COUNTS]


def test_a_run_is_counted_with_each_record_and_at_its_end(a_run: Scene):
    assert counted(a_run) == [0, 0, 0, 0]
    a_run.up()
    a_run.say(record())
    assert counted(a_run) == [5, 3, 3, 1]
    a_run.end(EndReason.KILLED, -9)
    a_run.step(2)
    assert counted(a_run) == [5, 4, 3, 3], "one more cell has failed, and all is over"
    a_run.say(record(revision=5, status="succeeded", steps=STEPS[:1]))
    assert counted(a_run) == [2, 2, 1, 1]


def test_what_a_run_takes_over_is_counted_from_its_beginning(a_run: Scene):
    files = {"load.ipynb": "load", "train.ipynb": "train"}
    empty = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    steps = {name: {"notebook": file} for file, name in files.items()}
    packed = dict.fromkeys(files, empty) | {
        "pipelines/p.yml": json.dumps({"steps": steps}).encode()
    }
    wish = {"source": upload(a_run.ada, packed), "notebook": "pipelines/p.yml"}
    made = a_run.ada.post("/runs", json=wish)
    assert made.status_code == 201, made.text
    assert "steps" not in made.json()
    a_run.id = made.json()["id"]
    ended = [STEPS[0], {**STEPS[1], "status": "failed"}]
    a_run.say(record(status="failed", steps=ended, ended_at=now().isoformat()))
    again = a_run.ada.post(f"/runs/{a_run.id}/resume", json={})
    assert again.status_code == 201, again.text
    assert [again.json()[name] for name in COUNTS] == [2, 2, 1, 1]
    a_run.id = again.json()["id"]
    assert [step["reused"] for step in a_run.shown["steps"]] == [True]


@contextlib.contextmanager
def noted(parts: Parts) -> Iterator[list[str]]:
    """Every statement that the store is asked meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(parts.store._engine, "before_cursor_execute", note)
    yield statements
    event.remove(parts.store._engine, "before_cursor_execute", note)


def test_no_list_and_no_look_reads_the_steps(a_run: Scene):
    a_run.up()
    a_run.say(record())
    loop = Reconciler(a_run.parts)
    with noted(a_run.parts) as asked:
        for path in ("/runs", "/schedules", "/calendar", "/workloads", "/notices"):
            assert a_run.ada.get(path).status_code == 200
        loop.look_once()
        loop.look_once()
        tell_late(a_run.parts.store, now(), timedelta(0))
        a_run.step()
    assert asked
    assert not [each for each in asked if "step_runs" in each]
    with noted(a_run.parts) as asked:
        assert len(a_run.shown["steps"]) == 3
    assert [each for each in asked if "step_runs" in each]


def test_a_look_reads_of_open_runs_only_what_it_needs(a_run: Scene):
    a_run.up()
    loop = Reconciler(a_run.parts)
    with noted(a_run.parts) as asked:
        loop.look_once()
    looked = [each for each in asked if "FROM runs" in each]
    assert looked
    long = "parameters", "failure", "log_tail", "notebook"
    assert not [each for each in looked for name in long if name in each]


def rows(connection: Connection, status: Status, count: int, first_s: int) -> list[str]:
    """So many runs of Ada, each a second older than the one before; newest first."""
    made = []
    for number in range(count):
        wanted = Wanted("train.ipynb", "0" * 64, {}, None)
        row = new_run("ada", "train", "small", 60, wanted)
        at = now() - timedelta(seconds=first_s + number)
        closed = not status.is_active
        own = {"status": status, "created_at": at, "closed": closed}
        connection.execute(insert(tables.runs).values(**row | own))
        made.append(row["id"])
    return made


@pytest.mark.parametrize("begun", [Status.RUNNING, Status.STARTING])
def test_what_has_not_ended_comes_first_however_many_are_newer(
    parts: Parts, ada: Caller, begun: Status
):
    with parts.store.write() as connection:
        old = rows(connection, begun, 105, 90_000)
        waiting = rows(connection, Status.PENDING, 120, 50_000)
        failed = rows(connection, Status.FAILED, 120, 1)
    shown = [run["id"] for run in ada.get("/runs").json()]
    assert shown == [*old, *waiting[:100], *failed[:100]]


def test_an_app_that_runs_stays_in_the_list(parts: Parts, hub: MemoryHub, ada: Caller):
    scene = Scene(parts, hub, ada, Kind.APP)
    scene.up()
    row = dict(scene.row)
    with parts.store.write() as connection:
        for number in range(101):
            other = {"id": f"a{number}", "status": Status.STOPPED, "closed": True}
            later = {"created_at": now() + timedelta(seconds=number)}
            connection.execute(insert(tables.apps).values(**row | other | later))
    first, *rest = ada.get("/apps").json()
    assert first["id"] == scene.id
    assert len(rest) == 100


def test_runs_of_before_are_counted_and_keep_their_steps(database_url: str):
    store = Store(database_url)
    store.migrate("0007")
    with store.read() as connection:
        had = {column["name"] for column in inspect(connection).get_columns("runs")}
    columns = [Column(c.name, c.type) for c in tables.runs.c if c.name in had]
    old = Table("runs", MetaData(), *columns, Column("steps", JsonColumn))
    wanted = Wanted("train.ipynb", "0" * 64, {}, None)
    with store.write() as connection:
        for id_, steps in (("r1", STEPS), ("r2", [])):
            row = {**new_run("ada", "train", "small", 60, wanted), "id": id_}
            kept = {name: row[name] for name in row if name in had}
            connection.execute(insert(old).values(**kept, steps=steps))
        answer = {"owner": "ada", "cache_key": "k", "run_id": "r1", "step_key": "load"}
        connection.execute(insert(tables.cached_steps).values(**answer))
    store.migrate()
    with store.read() as connection:
        columns = [tables.runs.c[name] for name in ("id", *COUNTS)]
        found = connection.execute(tables.runs.select().with_only_columns(*columns))
        assert sorted(map(tuple, found)) == [("r1", 5, 3, 3, 1), ("r2", 0, 0, 0, 0)]
        assert [step.key for step in steps_of(connection, "r1")] == [
            "load",
            "train",
            "score",
        ]
        assert steps_of(connection, "r2") == ()
        assert connection.execute(tables.cached_steps.select()).one().run_id == "r1"
    store.close()
