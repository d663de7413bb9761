from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import RunJob
from hubyard.contract.source import SOURCE_LIMIT_BYTES
from hubyard.contract.workload import Kind, Status, new_id
from hubyard_hub.reconcile.acts import bring_further
from hubyard_hub.runs import kept as kept_module
from hubyard_hub.store.tables import runs
from support.lines import opened
from support.platform import (
    PARAMETERS,
    Caller,
    ada,
    app,
    bob,
    code_cell,
    hub,
    notebook,
    packed,
    parts,
    upload,
    workload_of,
)

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from support.memory_hub import MemoryHub

__all__ = ["ada", "app", "bob", "hub", "parts"]  # fixtures


def record(revision: int, status: str, *cells: str, **more: Any) -> dict[str, Any]:
    return {
        "revision": revision,
        "status": status,
        "started_at": "2026-11-24T12:00:00Z",
        "steps": [step("train", *cells)],
        **more,
    }


def step(key: str, *cells: str) -> dict[str, Any]:
    found = [{"index": n, "status": s} for n, s in enumerate(cells)]
    return {
        "key": key,
        "step": key,
        "file": f"{key}.ipynb",
        "status": "running",
        "cells": found,
    }


@pytest.fixture
def digest(ada: Caller) -> str:
    return upload(ada)


@pytest.fixture
def run(ada: Caller, digest: str) -> dict[str, Any]:
    wish = {"source": digest, "notebook": "train.ipynb", "parameters": {"lr": 0.5}}
    answer = ada.post("/runs", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def itself(ada: Caller, run: dict[str, Any]) -> Caller:
    return workload_of(ada, f"run-{run['id']}")


# -- sources -----------------------------------------------------------------------


def test_a_source_and_the_parameters_of_its_notebook(ada: Caller):
    answer = ada.post("/sources?notebook=train.ipynb", content=packed()).json()
    assert answer["files"] == ["train.ipynb"]
    assert [(p["name"], p["type"], p["help"]) for p in answer["parameters"]] == [
        ("lr", "float", "learning rate"),
        ("epochs", "int", ""),
        ("name", "str", ""),
    ]
    plain = ada.post("/sources", content=packed()).json()
    shown = ("digest", "files", "size_bytes", "compute")
    assert plain == {k: answer[k] for k in shown}


@pytest.mark.parametrize(
    ("content", "query", "status", "words"),
    [
        (b"", "", 422, "gzipped tar"),
        (b"zip", "", 422, "gzipped tar"),
        (packed({}), "", 422, "empty"),
        (packed(), "?notebook=other.ipynb", 404, "no 'other.ipynb'"),
        (packed({"n.ipynb": b"{"}), "?notebook=n.ipynb", 422, "not JSON (line 1)"),
        (packed(), "?notebook=", 422, "notebook cannot be used"),
        (packed({"hubyard.yml": b"nam: x"}), "", 422, "hubyard.yml:1: nam: is not"),
    ],
)
def test_what_cannot_be_a_source(
    ada: Caller, parts: Parts, content: bytes, query: str, status: int, words: str
):
    answer = ada.post(f"/sources{query}", content=content)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    kept = parts.blobs.folder
    assert not kept.exists() or list(kept.iterdir()) == []


def test_too_large_a_source_is_refused(ada: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hubyard_hub.api.sources.SOURCE_LIMIT_BYTES", 2**20)
    answer = ada.post("/sources", content=b"x" * (2**20 + 1))
    assert (answer.status_code, answer.json()["message"]) == (
        413,
        "At most 1 MiB are taken.",
    )
    assert SOURCE_LIMIT_BYTES == 50 * 2**20


def test_a_digest_alone_opens_nothing(ada: Caller, bob: Caller, digest: str):
    wish = {"source": digest, "notebook": "train.ipynb"}
    answer = bob.post("/runs", json=wish)
    assert (answer.status_code, answer.json()["field"]) == (404, "source")
    assert (
        bob.post("/apps", json={"source": digest, "path": "train.ipynb"}).status_code
        == 404
    )
    upload(bob)
    assert bob.post("/runs", json=wish).status_code == 201


def test_a_project_says_which_compute_its_files_get(ada: Caller):
    files = {"a.ipynb": notebook(), "a.py": b"", "hubyard.yml": b"compute: two"}
    answer = ada.post("/sources?notebook=a.ipynb", content=packed(files)).json()
    assert answer["compute"] == "two"
    wish = {"source": answer["digest"], "notebook": "a.ipynb"}
    assert ada.post("/runs", json=wish).json()["compute"] == "two"
    chosen = {**wish, "compute": "small"}
    assert ada.post("/runs", json=chosen).json()["compute"] == "small"
    cron = {**wish, "cron": "0 3 * * *"}
    priced = ada.post("/estimate", json={"compute": "two"}).json()["price"]
    assert ada.post("/schedules/preview", json=cron).json()["price"] == priced
    assert ada.post("/schedules", json=cron).json()["compute"] == "two"
    app = {"source": answer["digest"], "path": "a.py"}
    assert ada.post("/apps", json=app).json()["compute"] == "two"


def test_a_source_whose_bytes_are_gone_says_so(ada: Caller, parts: Parts, digest: str):
    parts.blobs.path(digest).unlink()
    answer = ada.post("/runs", json={"source": digest, "notebook": "train.ipynb"})
    assert answer.status_code == 404
    assert "choose the notebook again" in answer.json()["message"]


# -- runs --------------------------------------------------------------------------


def test_a_run_begins_as_a_wish(ada: Caller, run: dict[str, Any]):
    assert run["status"] == "pending"
    assert (run["name"], run["compute"]) == ("train", "small")
    assert (run["price"]["text"], run["cost"], run["url"]) == ("$0.36", None, None)
    assert ada.get("/runs").json() == [run]
    detail = ada.get(f"/runs/{run['id']}").json()
    assert detail == {**run, "steps": []}
    assert ada.get(f"/runs/{run['id']}/log").text == ""


@pytest.mark.parametrize(
    ("changes", "status", "words", "field"),
    [
        ({"source": "0" * 64}, 404, "no such source", "source"),
        ({"source": "../../etc"}, 422, "source cannot be used", "source"),
        ({"notebook": "other.ipynb"}, 404, "holds no", None),
        ({"notebook": "../train.ipynb"}, 404, "holds no", None),
        ({"parameters": {"x": 1}}, 422, "no parameter 'x'", "parameters.x"),
        ({"parameters": {"lr": "1"}}, 422, "must be a number", "parameters.lr"),
        ({"parameters": {"epochs": 1.5}}, 422, "whole number", "parameters.epochs"),
        ({"parameters": {"a;b": 1}}, 422, "no parameter", "parameters.a;b"),
        ({"compute": "nope"}, 422, "choose small", "compute"),
        ({"compute": "vip"}, 422, "choose small", "compute"),
        ({"compute": "giant"}, 400, "needs 1000 cores", "compute"),
        ({"lifetime_s": 10**6}, 422, "at most 2h", "lifetime_s"),
        ({"lifetime_s": -1}, 422, "lifetime_s cannot", "lifetime_s"),
        ({"name": "a\nb"}, 422, "name cannot", "name"),
        ({"name": "x" * 129}, 422, "name cannot", "name"),
        ({"cell_timeout_s": 0}, 422, "cell_timeout_s", "cell_timeout_s"),
        ({"price": 0}, 422, "price is not known", "price"),
    ],
)
def test_a_wish_that_cannot_be_starts_nothing(
    ada: Caller,
    digest: str,
    changes: dict[str, Any],
    status: int,
    words: str,
    field: str | None,
):
    wish = {"source": digest, "notebook": "train.ipynb", **changes}
    answer = ada.post("/runs", json=wish)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["message"]
    assert answer.json()["field"] == field
    assert ada.get("/runs").json() == []


def written_for(kernelspec: object) -> bytes:
    metadata = {"kernelspec": kernelspec}
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": []}).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "UTF-8"),
        (b'{"nbformat": 3}', "nbformat is not 4"),
        (written_for({"language": "R"}), "written for R: only Python runs here"),
        (written_for({"language": ["python"]}), "only Python runs here"),
    ],
)
def test_a_notebook_that_cannot_run_is_refused_before_anything_starts(
    ada: Caller, content: bytes, words: str
):
    digest = upload(ada, {"bad.ipynb": content})
    answer = ada.post("/runs", json={"source": digest, "notebook": "bad.ipynb"})
    assert answer.status_code == 422
    assert words in answer.json()["message"]
    assert ada.get("/runs").json() == []


@pytest.mark.parametrize("spec", [None, {}, {"name": "my-env", "language": "python"}])
def test_python_runs_whatever_its_kernel_was_called(ada: Caller, spec: object):
    digest = upload(ada, {"good.ipynb": written_for(spec)})
    answer = ada.post("/runs", json={"source": digest, "notebook": "good.ipynb"})
    assert answer.status_code == 201


def test_names_of_people_are_kept_as_they_are(ada: Caller):
    names = ["été 🚀 \u202eabc", "a'b\"c <b>", "x" * 128, "名前"]
    cell = code_cell(PARAMETERS, "parameters")
    for name in names:
        digest = upload(
            ada, {f"{name[:60]}.ipynb": notebook(cell)} if name.isprintable() else None
        )
        path = f"{name[:60]}.ipynb" if name.isprintable() else "train.ipynb"
        wish = {"source": digest, "notebook": path, "name": name}
        answer = ada.post("/runs", json=wish)
        assert answer.status_code == 201, answer.text
        assert ada.get(f"/runs/{answer.json()['id']}").json()["name"] == name


def test_nan_reaches_the_run_and_no_browser_chokes(ada: Caller, digest: str):
    body = json.dumps(
        {
            "source": digest,
            "notebook": "train.ipynb",
            "parameters": {"lr": math.nan},
        }
    )
    headers = {"content-type": "application/json"}
    made = ada.post("/runs", content=body, headers=headers)
    assert made.status_code == 201
    assert made.json()["parameters"] == {"lr": "NaN"}
    answer = workload_of(ada, f"run-{made.json()['id']}").get("/job")
    job = RunJob.model_validate_json(answer.content)
    value = job.parameters["lr"]
    assert isinstance(value, float)
    assert math.isnan(value)


PLAN = StepPlan(
    name="train", file="train.ipynb", parameters={"lr": "${lr}"}
).model_dump(mode="json")


def test_a_run_learns_its_job(itself: Caller, run: dict[str, Any], parts: Parts):
    assert itself.get("/job").json() == {
        "run_id": run["id"],
        "name": "train",
        "schedule_id": None,
        "notebook": "train.ipynb",
        "source": run["source"],
        "parameters": {"lr": 0.5},
        "steps": [PLAN],
        "reused": [],
    }
    answer = itself.get("/job/source")
    assert answer.content == parts.blobs.path(run["source"]).read_bytes()


KEY = "c" * 64
"""What names all that went into a step run."""


def cached(status: str = "succeeded", **more: Any) -> dict[str, Any]:
    done = {**step("train"), "status": "succeeded", "cache_key": KEY, **more}
    ended = {"ended_at": "2026-11-24T12:01:00Z"}
    return {**record(9, status, **ended), "steps": [done]}


def hand_in(itself: Caller, said: dict[str, Any]) -> None:
    content = notebook()
    assert (
        itself("PUT", "/job/steps/train/notebook", content=content).status_code == 204
    )
    assert itself("PUT", "/job/record", json=said).status_code == 204


def reuse(caller: Caller, digest: str, who: Caller, key: str = KEY) -> Any:
    wish = {"source": digest, "notebook": "train.ipynb"}
    made = who.post("/runs", json=wish).json()["id"]
    itself = workload_of(who, f"run-{made}")
    answer = itself.post("/job/steps/fit.1/reuse", json={"cache_key": key})
    return made, answer


def test_a_step_run_is_taken_over_by_its_cache_key(
    ada: Caller,
    bob: Caller,
    itself: Caller,
    run: dict[str, Any],
    digest: str,
    parts: Parts,
):
    assert reuse(ada, digest, ada)[1].status_code == 404
    hand_in(itself, cached("failed"))
    made, answer = reuse(ada, digest, ada)
    assert answer.json()["cache_key"] == KEY
    there = ada.get(f"/runs/{made}/notebook?step=fit.1")
    assert there.content == notebook()
    assert reuse(ada, digest, ada, "d" * 64)[1].status_code == 404
    assert reuse(ada, digest, ada, "d")[1].status_code == 422
    assert reuse(bob, upload(bob), bob)[1].status_code == 404, "another's cache"
    with parts.store.write() as connection:
        connection.execute(update(runs).values(closed=True))
    assert ada("DELETE", f"/runs/{run['id']}").status_code == 204
    assert reuse(ada, digest, ada)[1].status_code == 404


def test_a_record_tells_how_far_it_is(ada: Caller, itself: Caller, run: dict[str, Any]):
    first = record(2, "running", "succeeded", "running", "waiting")
    assert itself("PUT", "/job/record", json=first).status_code == 204
    shown = ada.get(f"/runs/{run['id']}").json()
    assert (shown["status"], shown["cells_done"], shown["cells_total"]) == (
        "running",
        1,
        3,
    )
    assert shown["url"].endswith(f"/user/ada/run-{run['id']}/")
    assert shown["started_at"] == "2026-11-24T12:00:00Z"
    itself("PUT", "/job/record", json=record(1, "running", "waiting"))
    assert ada.get(f"/runs/{run['id']}").json() == shown, "an older one changes nothing"
    failure = {
        "reason": "cell-error",
        "message": "boom",
        "step": "train",
        "cell": 1,
        "traceback": "tb",
    }
    last = record(
        7,
        "failed",
        "succeeded",
        "failed",
        "not-run",
        failure=failure,
        ended_at="2026-11-24T12:01:00Z",
    )
    itself("PUT", "/job/record", json=last)
    shown = ada.get(f"/runs/{run['id']}").json()
    assert (shown["status"], shown["target"]) == ("failed", "stopped")
    assert shown["failure"] == failure
    assert shown["cells_done"] == 2
    assert shown["url"] is None


def test_a_last_word_holds_over_what_was_made_of_silence(
    ada: Caller, itself: Caller, run: dict[str, Any], parts: Parts
):
    with parts.store.write() as connection:
        failed = {"status": Status.FAILED, "closed": True}
        connection.execute(update(runs).values(**failed))
    itself("PUT", "/job/record", json=record(3, "running", "running"))
    assert ada.get(f"/runs/{run['id']}").json()["status"] == "failed"
    itself("PUT", "/job/record", json=record(4, "succeeded", "succeeded"))
    assert ada.get(f"/runs/{run['id']}").json()["status"] == "succeeded"


@pytest.mark.parametrize(
    "bad",
    [
        {},
        record(1, "ready"),
        record(1, "flying"),
        {**record(1, "running"), "started_at": "yesterday"},
        {**record(1, "running"), "started_at": "2026-11-24T12:00:00"},
    ],
    ids=["empty", "ready", "unknown", "no-moment", "naive"],
)
def test_a_record_that_cannot_be_is_refused(itself: Caller, bad: dict[str, Any]):
    assert itself("PUT", "/job/record", json=bad).status_code == 422


def test_outputs_are_kept_and_shown_without_scripts(
    ada: Caller, itself: Caller, run: dict[str, Any]
):
    page = b"<script>alert(1)</script>"
    path = f"/runs/{run['id']}"
    assert ada.get(f"{path}/notebook").status_code == 404
    assert (
        itself("PUT", "/job/steps/train/notebook", content=notebook()).status_code
        == 204
    )
    assert itself("PUT", "/job/steps/train/report", content=page).status_code == 204
    shown = ada.get(path).json()
    assert (shown["has_notebook"], shown["has_report"]) == (True, True)
    report = ada.get(f"{path}/report")
    assert report.content == page
    assert report.headers["content-security-policy"].startswith("sandbox")
    assert report.headers["x-content-type-options"] == "nosniff"
    assert ada.get(f"{path}/notebook").content == notebook()


def test_an_output_must_be_something_and_not_too_much(
    itself: Caller, ada: Caller, run: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    assert itself("PUT", "/job/steps/train/report", content=b"good").status_code == 204
    assert itself("PUT", "/job/steps/train/report", content=b"").status_code == 422
    monkeypatch.setattr(kept_module, "OUTPUT_LIMIT_BYTES", 2**20)
    too_much = itself("PUT", "/job/steps/train/report", content=b"x" * (2**20 + 1))
    assert too_much.status_code == 413
    assert ada.get(f"/runs/{run['id']}/report").content == b"good"


def test_a_run_is_stopped_and_removed(
    ada: Caller, run: dict[str, Any], parts: Parts, itself: Caller
):
    itself("PUT", "/job/steps/train/report", content=b"x")
    path = f"/runs/{run['id']}"
    assert ada("DELETE", path).status_code == 409
    stopped = ada.post(f"{path}/stop").json()
    assert (stopped["status"], stopped["target"]) == ("pending", "stopped")
    bring_further(parts, Kind.RUN, run["id"])
    assert ada.get(path).json()["status"] == "stopped"
    assert ada("DELETE", path).status_code == 409, "its server may still be there"
    bring_further(parts, Kind.RUN, run["id"])
    assert ada.post(f"{path}/stop").json()["status"] == "stopped"
    assert ada("DELETE", path).status_code == 204
    assert ada.get(path).status_code == 404
    assert not (parts.settings.state / "runs" / run["id"]).exists()


def test_a_run_is_not_removed_while_the_hub_is_down(
    ada: Caller, run: dict[str, Any], parts: Parts, hub: MemoryHub
):
    ada.post(f"/runs/{run['id']}/stop")
    bring_further(parts, Kind.RUN, run["id"])
    bring_further(parts, Kind.RUN, run["id"])
    hub.down = True
    assert ada("DELETE", f"/runs/{run['id']}").status_code == 503
    assert ada.get(f"/runs/{run['id']}").status_code == 200


def test_cost_and_log_are_those_of_its_own_workload(
    ada: Caller, run: dict[str, Any], parts: Parts
):
    server = f"run-{run['id']}"
    entry = opened(
        parts.ledger,
        owner="ada",
        server_name=server,
        kind=Kind.RUN,
        price_micros=720_000,
    )
    shown = ada.get(f"/runs/{run['id']}").json()
    assert shown["price"]["text"] == "$0.72", "frozen at the start"
    assert shown["cost"]["micros"] >= 0
    folder = parts.settings.workloads / entry.id
    folder.mkdir(parents=True)
    (folder / "log").write_bytes(b"<b>hello</b> \xff\n")
    log = ada.get(f"/runs/{run['id']}/log")
    assert log.text == "<b>hello</b> \ufffd\n"
    assert log.headers["content-type"].startswith("text/plain")
    (active,) = ada.get("/workloads").json()
    assert active["entry_id"] == entry.id
    assert ada.get("/workloads/self").status_code == 404
    assert workload_of(ada, "").get("/workloads/self").status_code == 404
    workspace = entry.model_copy(
        update={"id": new_id(), "server_name": "", "kind": Kind.WORKSPACE}
    )
    parts.ledger.open(workspace)
    own = workload_of(ada, "").get("/workloads/self").json()
    assert own["entry_id"] == workspace.id
