"""What becomes of a run's records where the platform was away, or not alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Kind, Status
from hubyard_hub.store import tables
from support.platform import Caller, ada, app, hub, parts
from support.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "hub", "parts"]  # fixtures

LAST_CELL = 9


@pytest.fixture
def a_run(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    return Scene(parts, hub, ada, Kind.RUN)


def at_cell(cell: int) -> RunRecord:
    """The record of a run whose cells before this one are done."""

    def status(index: int) -> CellStatus:
        if index == cell:
            return CellStatus.RUNNING
        return CellStatus.SUCCEEDED if index < cell else CellStatus.WAITING

    cells = tuple(CellRecord(index=i, status=status(i)) for i in range(LAST_CELL + 1))
    step = StepRecord(
        key="train",
        step="train",
        file="train.ipynb",
        status=StepStatus.RUNNING,
        cells=cells,
    )
    return RunRecord(
        revision=3 + cell, status=Status.RUNNING, started_at=now(), steps=(step,)
    )


def leave(run: Scene, record: RunRecord) -> None:
    """Let a record lie in the run's folder, unheard."""
    file = run.folder.scratch / "record.json"
    file.write_text(record.model_dump_json())


def failed_at(run: Scene) -> tuple[str, int | None, list[str]]:
    """What a run's detail says of its end."""
    shown = run.shown
    assert shown["status"] == "failed"
    (step,) = shown["steps"]
    assert step["status"] == "failed"
    assert step["failure"] == shown["failure"]
    cells = [cell["status"] for cell in step["cells"]]
    return shown["failure"]["reason"], shown["failure"]["cell"], cells


def cells_at(cell: int) -> list[str]:
    """The cells of a run that was killed in this one."""
    return ["succeeded"] * cell + ["failed"] + ["not-run"] * (LAST_CELL - cell)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (EndReason.KILLED, "killed"),
        (EndReason.OUT_OF_MEMORY, "out-of-memory"),
        (EndReason.LIFETIME, "lifetime"),
        (EndReason.LOST, "lost"),
    ],
)
def test_a_killed_run_names_the_cell_that_its_folder_knows(
    a_run: Scene, end: EndReason, reason: str
):
    a_run.up()
    a_run.say(at_cell(2))
    leave(a_run, at_cell(5))
    a_run.end(end, -9)
    a_run.step(3)
    assert failed_at(a_run) == (reason, 5, cells_at(5))
    assert a_run.row["revision"] == 8
    (told,) = a_run.ada.get("/notices").json()["notices"]
    assert told["cell"] == 5


def test_an_older_record_in_its_folder_changes_nothing(a_run: Scene):
    """A full disk keeps the file as it was, while the platform still hears of it."""
    a_run.up()
    a_run.say(at_cell(5))
    leave(a_run, at_cell(2))
    a_run.end(EndReason.KILLED, -9)
    a_run.step(3)
    assert failed_at(a_run) == ("killed", 5, cells_at(5))


def test_a_run_that_was_never_heard_of_had_begun_all_the_same(a_run: Scene):
    """It would run twice, were it started again as one that was lost at its start."""
    a_run.step()
    leave(a_run, at_cell(4))
    a_run.end(EndReason.LOST)
    a_run.step(3)
    assert failed_at(a_run) == ("lost", 4, cells_at(4))
    assert a_run.hub.starts == 1


def test_a_start_that_was_given_up_after_it_had_begun(a_run: Scene):
    def begin_and_refuse(_key: object, _body: object) -> httpx.Response:
        a_run.bill()
        leave(a_run, at_cell(1))
        a_run.settle(EndReason.START_FAILED, -9)
        return httpx.Response(400, json={"message": "It never listened."})

    a_run.hub._start = begin_and_refuse
    a_run.step(4)
    assert failed_at(a_run) == ("killed", 1, cells_at(1))


def test_a_stopped_run_shows_how_far_it_came(a_run: Scene):
    a_run.up()
    a_run.say(at_cell(2))
    leave(a_run, at_cell(5))
    a_run.stop()
    del a_run.hub.servers["ada", a_run.server]
    a_run.step(2)
    shown = a_run.shown
    assert (shown["status"], shown["failure"]) == ("stopped", None)
    cells = [cell["status"] for cell in shown["steps"][0]["cells"]]
    assert cells == cells_at(5)


def meanwhile(run: Scene, act: Callable[[], Any]) -> None:
    """Do something once, after the reconciler has read a row and before it writes."""
    real = run.hub._server

    def once(*asked: Any) -> httpx.Response:
        run.hub._server = real
        act()
        return real(*asked)

    run.hub._server = once


def test_a_record_that_comes_while_a_run_is_closed_is_not_overwritten(a_run: Scene):
    a_run.up()
    a_run.say(at_cell(2))
    a_run.end(EndReason.KILLED, -9)
    meanwhile(a_run, lambda: a_run.say(at_cell(6)))
    a_run.step(3)
    assert failed_at(a_run) == ("killed", 6, cells_at(6))


def test_a_last_word_that_comes_while_a_run_is_closed_holds(a_run: Scene):
    a_run.up()
    a_run.say(at_cell(2))
    a_run.end(EndReason.KILLED, -9)
    last = at_cell(9).model_copy(update={"status": Status.FAILED, "ended_at": now()})
    meanwhile(a_run, lambda: a_run.say(last))
    a_run.step(3)
    assert a_run.shown["steps"][0]["cells"][9]["status"] == "running", "as it said"
    assert a_run.row["revision"] == last.revision


def test_a_record_that_comes_after_a_run_was_closed_only_moves_the_cell(a_run: Scene):
    a_run.up()
    a_run.say(at_cell(2))
    a_run.end(EndReason.KILLED, -9)
    a_run.step(2)
    assert failed_at(a_run) == ("killed", 2, cells_at(2))
    ended_at = a_run.shown["ended_at"]
    a_run.say(at_cell(3))
    assert failed_at(a_run) == ("killed", 3, cells_at(3))
    assert a_run.shown["ended_at"] == ended_at
    (told,) = a_run.ada.get("/notices").json()["notices"]
    assert told["cell"] == 3


def test_a_record_that_comes_after_a_run_was_stopped_changes_no_end(a_run: Scene):
    a_run.stop()
    a_run.step(2)
    a_run.say(at_cell(3))
    shown = a_run.shown
    assert (shown["status"], shown["failure"]) == ("stopped", None)
    assert shown["steps"][0]["status"] == "stopped"


def test_an_apps_row_has_no_records_to_compare(
    parts: Parts, hub: MemoryHub, ada: Caller
):
    an_app = Scene(parts, hub, ada, Kind.APP)
    an_app.up()
    an_app.end(EndReason.KILLED, -9)
    an_app.step()
    assert an_app.status == "failed"


def test_a_clock_that_is_set_back_holds_up_no_start(a_run: Scene):
    a_run.hub.refuse = httpx.Response(500, json={"message": "Internal Server Error"})
    a_run.step()
    a_run.wait(-86_400)
    a_run.hub.refuse = None
    a_run.step()
    assert a_run.status == "starting"


def test_a_clock_that_is_set_back_leaves_no_server_behind(a_run: Scene):
    a_run.up()
    last = {"revision": 3, "status": "succeeded", "started_at": now().isoformat()}
    a_run.say(RunRecord.model_validate_json(json.dumps(last)))
    a_run.wait(-86_400)
    a_run.step(2)
    assert a_run.row["closed"] is True


def test_a_run_is_moved_though_its_row_has_the_revision_of_a_restart(a_run: Scene):
    """Nothing waits for a revision that no longer comes."""
    a_run.up()
    with a_run.parts.store.write() as connection:
        connection.execute(update(tables.runs).values(revision=7))
    a_run.end(EndReason.KILLED, -9)
    a_run.step(2)
    assert a_run.row["closed"] is True
