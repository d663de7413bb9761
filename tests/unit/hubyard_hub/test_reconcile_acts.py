from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.errors import Unavailable
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Kind, Status
from hubyard_hub.reconcile import loop as module
from hubyard_hub.reconcile.acts import bring_further
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.reconcile.steps import ATTEMPTS
from hubyard_hub.reconcile.waiting import last_starts
from hubyard_hub.store import tables
from support.lines import opened
from support.patience import until
from support.platform import (
    Caller,
    ada,
    app,
    bob,
    hub,
    parts,
    upload,
    workload_of,
)
from support.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures


@pytest.fixture
def a_run(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    return Scene(parts, hub, ada, Kind.RUN)


@pytest.fixture
def an_app(parts: Parts, hub: MemoryHub, ada: Caller) -> Scene:
    return Scene(parts, hub, ada, Kind.APP)


@pytest.fixture(params=[Kind.RUN, Kind.APP])
def scene(
    request: pytest.FixtureRequest, parts: Parts, hub: MemoryHub, ada: Caller
) -> Scene:
    return Scene(parts, hub, ada, request.param)


def test_a_wish_is_started_once_with_its_compute_and_lifetime(scene: Scene):
    scene.step()
    assert scene.status == "starting"
    scene.step(3)
    assert scene.status == ("running" if scene.kind is Kind.RUN else "ready")
    assert scene.hub.starts == 1
    assert scene.hub.options["ada", scene.server] == {
        "kind": str(scene.kind),
        "compute": "small",
        "lifetime_s": 3600,
    }


def test_a_slow_start_is_waited_for(scene: Scene):
    scene.hub.slow = True
    scene.step(4)
    assert (scene.status, scene.hub.starts) == ("starting", 1)
    scene.hub.servers["ada", scene.server] = "ready"
    scene.up()


def test_a_start_that_was_cut_off_before_it_was_noted_is_not_repeated(scene: Scene):
    scene.hub.servers["ada", scene.server] = "ready"
    scene.bill()
    scene.step()
    assert scene.status in {"running", "ready"}
    assert scene.hub.starts == 0


def test_a_start_that_another_has_asked_for_is_not_a_refusal(scene: Scene):
    def meanwhile(hub: MemoryHub, *key: str) -> None:
        hub.servers[key] = "spawn"

    scene.hub.refuse = httpx.Response(400, json={"message": "is pending spawn"})
    real = scene.hub._start

    def already(key: tuple[str, str], body: dict[str, Any]) -> httpx.Response:
        meanwhile(scene.hub, *key)
        return real(key, body)

    scene.hub._start = already
    scene.step()
    assert scene.status == "starting"


def test_a_refusal_fails_the_wish_in_the_hubs_words(scene: Scene):
    scene.hub.refuse = httpx.Response(403, json={"message": "Ask your admin."})
    scene.step(2)
    assert scene.status == "failed"
    assert scene.hub.starts == 1
    if scene.kind is Kind.RUN:
        failure = scene.shown["failure"]
        assert (failure["reason"], failure["message"]) == (
            "start-failed",
            "Ask your admin.",
        )
    else:
        assert scene.shown["reason"] == "Ask your admin."
    assert scene.row["closed"] is True


def test_a_workload_that_died_before_it_listened_shows_its_last_lines(an_app: Scene):
    def die(*_: object) -> None:
        an_app.bill()
        an_app.folder.log.write_text("no module named colour\n")
        an_app.settle(EndReason.START_FAILED, 3)
        an_app.hub.servers["ada", an_app.server] = "stopped"

    an_app.hub.refuse = httpx.Response(400, json={"message": "It ended early."})
    real = an_app.hub._start

    def start(key: tuple[str, str], body: dict[str, Any]) -> httpx.Response:
        die()
        return real(key, body)

    an_app.hub._start = start
    an_app.step()
    assert an_app.status == "failed"
    assert an_app.shown["reason"] == "It ended early."
    assert an_app.shown["log_tail"] == "no module named colour"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json={"message": "Too many users are starting"}),
        httpx.Response(503, text="<html>"),
    ],
)
def test_a_busy_hub_is_asked_again_without_end(scene: Scene, answer: httpx.Response):
    scene.hub.refuse = answer
    for _ in range(ATTEMPTS + 2):
        with pytest.raises(Unavailable):
            scene.step()
    assert scene.status == "pending"
    scene.hub.refuse = None
    scene.up()


def test_a_failing_hub_is_asked_a_few_times(scene: Scene):
    scene.hub.refuse = httpx.Response(500, json={"message": "Internal Server Error"})
    for attempt in range(ATTEMPTS):
        scene.step()
        assert scene.status == "pending"
        scene.step()
        assert scene.hub.starts == attempt + 1, "it is asked again after a pause only"
        scene.wait(2**attempt)
    assert scene.status == "failed"
    assert "Internal Server Error" in str(scene.shown)


def test_a_dead_hub_changes_nothing(scene: Scene):
    scene.up()
    scene.hub.down = True
    with pytest.raises(Unavailable):
        scene.step()
    scene.hub.down = False
    scene.step()
    assert scene.status in {"running", "ready"}


def test_an_owner_whom_the_hub_does_not_know(scene: Scene):
    scene.hub.refuse = httpx.Response(404, json={"message": "Not Found"})
    scene.step()
    assert scene.status == "failed"
    assert "knows no user ada" in str(scene.shown)


@pytest.mark.parametrize(
    ("end", "code", "reason", "words"),
    [
        (EndReason.KILLED, -9, "killed", "signal 9"),
        (EndReason.OUT_OF_MEMORY, -9, "out-of-memory", "more memory than small has"),
        (EndReason.LIFETIME, -15, "lifetime", "lifetime of 1h was over"),
        (EndReason.START_FAILED, -9, "killed", "signal 9"),
        (EndReason.START_FAILED, 1, "lost", "exit code 1"),
        (EndReason.START_FAILED, None, "lost", "gone when Hubyard looked"),
        (EndReason.EXITED, 3, "lost", "exit code 3"),
    ],
)
def test_a_run_that_ended_without_a_word(
    a_run: Scene, end: EndReason, code: int | None, reason: str, words: str
):
    a_run.up()
    cells = [
        CellRecord(index=0, status=CellStatus.SUCCEEDED),
        CellRecord(index=2, status=CellStatus.RUNNING),
        CellRecord(index=3, status=CellStatus.WAITING),
    ]
    record = RunRecord(
        revision=4,
        status=Status.RUNNING,
        started_at=now(),
        steps=(
            StepRecord(
                key="train",
                step="train",
                file="train.ipynb",
                status=StepStatus.RUNNING,
                cells=tuple(cells),
            ),
            StepRecord(key="score", step="score", file="score.ipynb"),
        ),
    )
    a_run.say(record)
    a_run.end(end, code)
    a_run.step(2)
    shown = a_run.shown
    assert shown["status"] == "failed"
    assert shown["failure"]["reason"] == reason
    assert words in shown["failure"]["message"]
    assert (shown["failure"]["step"], shown["failure"]["cell"]) == ("train", 2)
    train, score = shown["steps"]
    assert (train["status"], score["status"]) == ("failed", "not-run")
    assert [cell["status"] for cell in train["cells"]] == [
        "succeeded",
        "failed",
        "not-run",
    ]
    assert shown["ended_at"] is not None
    assert a_run.row["closed"] is True
    assert ("ada", a_run.server) not in a_run.hub.servers, "forgotten at the hub"


@pytest.mark.parametrize("begun", [True, False])
def test_a_start_that_took_too_long_was_ended_by_hubyard(a_run: Scene, begun: bool):  # noqa: FBT001  a case
    a_run.up()
    if begun:
        record = RunRecord(revision=4, status=Status.RUNNING, started_at=now())
        a_run.say(record)
    end = {"code": -15, "ended": now().timestamp(), "reason": "stopped"}
    (a_run.folder.path / "end.json").write_text(json.dumps(end))
    a_run.end(EndReason.START_FAILED, -15)
    a_run.step()
    failure = a_run.shown["failure"]
    assert failure["reason"] == "start-failed"
    assert (
        "It was not ready in time, so Hubyard ended it: a start may take 90 s"
        in (failure["message"])
    )


def test_a_run_that_ended_before_it_said_anything_could_not_be_started(a_run: Scene):
    a_run.up()
    a_run.end(EndReason.START_FAILED, -9)
    a_run.step()
    failure = a_run.shown["failure"]
    assert failure["reason"] == "start-failed"
    assert "could not be started" in failure["message"]


def test_a_run_that_was_lost_before_it_began_starts_again(a_run: Scene):
    a_run.up()
    a_run.end(EndReason.LOST)
    a_run.step()
    assert a_run.status == "pending"
    a_run.wait(1)
    a_run.up()
    assert len(a_run.entries) == 2
    a_run.end(EndReason.LOST)
    for _ in range(3 * ATTEMPTS):
        a_run.wait(2**ATTEMPTS)
        a_run.step()
        if a_run.hub.servers.get(("ada", a_run.server)) == "ready":
            a_run.end(EndReason.LOST)
    assert a_run.status == "failed"
    assert len(a_run.entries) == ATTEMPTS


def test_a_runs_own_last_word_is_found_in_its_folder(a_run: Scene):
    a_run.up()
    record = RunRecord(
        revision=9, status=Status.SUCCEEDED, started_at=now(), ended_at=now()
    )
    file = a_run.folder.scratch / "record.json"
    file.write_text(record.model_dump_json())
    a_run.end(EndReason.EXITED, 0)
    a_run.step()
    assert a_run.status == "succeeded"
    assert a_run.shown["failure"] is None


HALF_WAY = RunRecord(revision=5, status=Status.RUNNING, started_at=now())


@pytest.mark.parametrize("text", ["", "{", HALF_WAY.model_dump_json()], ids=range(3))
def test_a_folder_without_a_last_word_decides_nothing(a_run: Scene, text: str):
    a_run.up()
    (a_run.folder.scratch / "record.json").write_text(text)
    a_run.end(EndReason.KILLED, -9)
    a_run.step(2)
    assert a_run.status == "failed"


@pytest.mark.parametrize(
    "said",
    [
        {"revision": 10**30},
        {"revision": 2**31},
        {"failure": {"reason": "cell-error", "message": "no", "cell": 2**70}},
        {"steps": [{"key": "../x", "step": "a", "file": "a.py"}]},
        {"started_at": "0001-01-01T00:00:00+14:00"},
        {"steps": [[]] * 300_000},
        {"failure": {"reason": "lost", "message": "x" * 2**23}},
    ],
    ids=range(7),
)
def test_a_record_that_cannot_be_used_is_a_failure_and_told_once(
    a_run: Scene, said: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    a_run.up()
    whole = {"revision": 9, "status": "failed", "started_at": now().isoformat(), **said}
    (a_run.folder.scratch / "record.json").write_text(json.dumps(whole))
    a_run.end(EndReason.EXITED, 0)
    for _ in range(5):
        a_run.step()
    assert a_run.status == "failed"
    assert a_run.shown["failure"]["message"].endswith("a record that cannot be used.")
    assert caplog.text.count("has left a record that cannot be used") == 1


def test_a_message_that_no_database_can_keep_is_kept_without_it(a_run: Scene):
    a_run.up()
    failure = {"reason": "cell-error", "message": "no\x00" + "x" * 5000}
    whole = {"revision": 9, "status": "failed", "started_at": now().isoformat()}
    text = json.dumps({**whole, "failure": failure})
    (a_run.folder.scratch / "record.json").write_text(text)
    a_run.end(EndReason.EXITED, 1)
    a_run.step()
    assert a_run.shown["failure"]["message"] == "no\ufffd" + "x" * 3997


def test_what_a_dead_run_has_made_is_kept(a_run: Scene, tmp_path: Path):
    a_run.up()
    made = a_run.folder.scratch / "steps" / "train"
    made.mkdir(parents=True)
    (made / "notebook.ipynb").write_text("half a notebook")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "notebook.ipynb").write_text("secret")
    (made / "report.html").symlink_to(secret / "notebook.ipynb")
    (made.parent / "linked").symlink_to(secret)
    a_run.end(EndReason.KILLED, -9)
    a_run.step()
    path = f"/runs/{a_run.id}"
    assert a_run.ada.get(f"{path}/notebook").text == "half a notebook"
    assert a_run.ada.get(f"{path}/report").status_code == 404
    assert a_run.ada.get(f"{path}/notebook?step=linked").status_code == 404


def test_what_a_run_has_handed_in_is_not_replaced(a_run: Scene):
    a_run.up()
    itself = workload_of(a_run.ada, a_run.server)
    assert (
        itself("PUT", "/job/steps/train/notebook", content=b"whole").status_code == 204
    )
    made = a_run.folder.scratch / "steps" / "train"
    made.mkdir(parents=True)
    (made / "notebook.ipynb").write_text("other")
    a_run.end(EndReason.KILLED, -9)
    a_run.step()
    assert a_run.ada.get(f"/runs/{a_run.id}/notebook").text == "whole"


def test_a_run_with_a_last_word_ends_by_itself(a_run: Scene):
    a_run.up()
    final = {"revision": 3, "status": "succeeded", "started_at": now().isoformat()}
    a_run.say(RunRecord.model_validate(final))
    a_run.step()
    assert a_run.hub.servers["ada", a_run.server] == "ready", "it still hands in"
    old = now() - timedelta(minutes=1)
    with a_run.parts.store.write() as connection:
        connection.execute(update(tables.runs).values(changed_at=old))
    a_run.step(2)
    assert a_run.row["closed"] is True
    assert a_run.status == "succeeded"


@pytest.mark.parametrize(
    ("end", "code", "status", "words"),
    [
        (EndReason.LIFETIME, -15, "stopped", "lifetime of 1h"),
        (EndReason.STOPPED, -15, "stopped", "was stopped"),
        (EndReason.KILLED, -9, "failed", "signal 9"),
        (EndReason.OUT_OF_MEMORY, None, "failed", "more memory"),
        (EndReason.LOST, None, "failed", "was gone"),
        (EndReason.EXITED, None, "failed", "exit code unknown"),
    ],
)
def test_an_app_that_ended(
    an_app: Scene, end: EndReason, code: int | None, status: str, words: str
):
    an_app.up()
    an_app.folder.log.write_text("one\ntwo\n")
    an_app.end(end, code)
    an_app.step(2)
    shown = an_app.shown
    assert shown["status"] == status
    assert words in shown["reason"]
    assert shown["log_tail"] == ("one\ntwo" if status == "failed" else None)
    assert shown["deadline"] is None
    assert an_app.row["closed"] is True
    assert ("ada", an_app.server) in an_app.hub.servers, "its shares are there"


def test_a_dead_process_is_pointed_out_to_the_hub(scene: Scene):
    scene.up()
    end = {"code": -9, "ended": time.time()}
    (scene.folder.path / "end.json").write_text(json.dumps(end))
    scene.hub.on_stop = lambda *_: scene.settle(EndReason.KILLED, -9)
    scene.step(2)
    assert scene.status == "failed"


def test_what_is_stopped_stops(scene: Scene):
    scene.up()
    scene.hub.on_stop = lambda *_: scene.settle(EndReason.STOPPED)
    scene.stop()
    scene.step(3)
    assert scene.status == "stopped"
    assert scene.row["closed"] is True
    assert scene.hub.servers.get(("ada", scene.server)) in {None, "stopped"}


def test_what_is_stopped_before_it_started_never_starts(scene: Scene):
    scene.stop()
    scene.step(2)
    assert (scene.status, scene.hub.starts) == ("stopped", 0)


def test_an_app_starts_again_with_a_bill_of_its_own(an_app: Scene):
    an_app.up()
    first = an_app.shown
    assert first["cost"] is not None
    assert first["deadline"] is not None
    assert an_app.ada.post(f"/apps/{an_app.id}/start").json()["status"] == "ready"
    an_app.end(EndReason.LIFETIME)
    an_app.step()
    early = an_app.ada.post(f"/apps/{an_app.id}/start")
    assert early.status_code == 409
    an_app.step()
    again = an_app.ada.post(f"/apps/{an_app.id}/start").json()
    assert (again["status"], again["cost"], again["deadline"]) == (
        "pending",
        None,
        None,
    )
    an_app.up()
    assert len(an_app.entries) == 2
    assert an_app.shown["cost"] is not None


def test_somebody_elses_change_is_not_overwritten(an_app: Scene):
    def stop_meanwhile(*_: object) -> None:
        with an_app.parts.store.write() as connection:
            connection.execute(update(tables.apps).values(target="stopped"))

    an_app.hub.on_start = stop_meanwhile
    an_app.step()
    assert (an_app.row["status"], an_app.row["target"]) == ("pending", "stopped")
    an_app.step(3)
    assert an_app.status == "stopped"


def test_a_wish_that_is_gone_is_left_alone(parts: Parts):
    assert bring_further(parts, Kind.RUN, "nobody") is False


def test_the_loop_brings_everything_where_it_shall_be(
    parts: Parts, hub: MemoryHub, ada: Caller
):
    scenes = [Scene(parts, hub, ada, kind) for kind in (Kind.RUN, Kind.APP)]
    hub.on_start = lambda *_: None
    loop = Reconciler(parts)
    loop.start()
    try:
        until(lambda: [s.status for s in scenes] == ["running", "ready"])
        for scene in scenes:
            scene.stop()
        until(lambda: all(scene.row["closed"] for scene in scenes))
    finally:
        loop.stop()


def test_what_is_at_rest_is_seldom_asked_about(scene: Scene):
    scene.up()
    loop = Reconciler(scene.parts)
    assert loop.look_once() == [(scene.kind, scene.id)], "first of all, everything"
    assert loop.look_once() == []
    scene.settle(EndReason.KILLED)
    assert loop.look_once() == [(scene.kind, scene.id)]


def test_a_look_fires_what_is_due(parts: Parts, ada: Caller):
    source = upload(ada)
    wish = {"source": source, "notebook": "train.ipynb", "cron": "* * * * *"}
    made = ada.post("/schedules", json=wish).json()
    with parts.store.write() as connection:
        connection.execute(update(tables.schedules).values(next_fire=now()))
    loop = Reconciler(parts)
    (found,) = loop.look_once()
    assert found[0] is Kind.RUN
    assert ada.get(f"/runs?schedule={made['id']}").json()[0]["id"] == found[1]


def test_the_loop_outlives_a_mistake(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    loop = Reconciler(scene.parts)
    looks: list[int] = []

    def fail() -> list[tuple[Kind, str]]:
        looks.append(1)
        scene.parts.wake.set()
        if len(looks) == 1:
            raise RuntimeError("a mistake")
        if len(looks) == 2:
            raise OSError("no such disk")
        loop.stop()
        return []

    monkeypatch.setattr(loop, "look_once", fail)
    loop._look_for_ever()
    assert len(looks) == 3
    assert "A look failed" in caplog.text
    assert "OSError" in caplog.text


def test_one_wishs_mistake_does_not_stop_the_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    real = module.bring_further

    def fail(parts: Parts, kind: Kind, id_: str) -> bool:
        if id_ == "broken":
            raise RuntimeError("a mistake")
        if id_ == "waits":
            raise Unavailable
        return real(parts, kind, id_)

    monkeypatch.setattr(module, "bring_further", fail)
    loop = Reconciler(scene.parts)
    for id_ in ("broken", "waits", "broken"):
        loop._hand_out(scene.kind, id_)
    loop.start()
    try:
        until(lambda: scene.status in {"running", "ready"})
        until(lambda: not loop._in_hand)
    finally:
        loop.stop()
    assert "A step of" in caplog.text


def test_the_last_run_of_an_owner_began_when_the_ledger_says(parts: Parts):
    begun = now() - timedelta(minutes=2)
    opened(parts.ledger, begun, kind=Kind.RUN, server_name="run-1")
    opened(parts.ledger, begun - timedelta(minutes=1), kind=Kind.RUN)
    opened(parts.ledger)  # a workspace
    opened(parts.ledger, begun - timedelta(days=1), kind=Kind.RUN, owner="bo")
    opened(parts.ledger, begun, kind=Kind.RUN, owner="cy")
    assert last_starts(parts.store, {"ana", "bo"}) == {"ana": begun}
