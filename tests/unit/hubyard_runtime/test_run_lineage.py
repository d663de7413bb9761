"""What MLflow is told of a run: who stands below whom, and how each has ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from mlflow import MlflowClient

from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import RunJob, StepRecord, StepStatus
from hubyard.contract.workload import Status
from hubyard_runtime.run.lineage import Lineage
from support.mlflow_server import mlflow_server

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PARENT = "mlflow.parentRunId"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as uri:
        yield uri, MlflowClient(uri).create_experiment("ana/nightly")


@pytest.fixture
def mlflow(store, monkeypatch):
    uri, _ = store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return MlflowClient(uri)


@pytest.fixture
def told(store, mlflow, tmp_path):
    """Tells of step runs, each with one tracked run; gives all runs by their name."""
    _, experiment = store
    (tmp_path / "notebook.ipynb").write_text("{}")

    def told(run_id, plans, keys, status=StepStatus.SUCCEEDED, last=Status.SUCCEEDED):
        job = RunJob(
            run_id=run_id,
            name="nightly",
            schedule_id="s1",
            notebook="nightly.yml",
            source="0" * 64,
            parameters={},
            steps=plans,
        )
        lineage = Lineage(job)
        for key in keys:
            tags = {"hubyard.run": run_id, "hubyard.step": key}
            mlflow.create_run(experiment, tags=tags, run_name=f"model of {key}")
            step = StepRecord(key=key, step="fit", file="fit.py", status=status)
            times = {"started_at": NOW, "ended_at": NOW}
            lineage.add(step.model_copy(update=times), tmp_path)
        lineage.close(last, NOW)
        mine = f"tags.`hubyard.run` = '{run_id}'"
        found = mlflow.search_runs([experiment], mine)
        return {each.info.run_name: each for each in found}

    return told


def plan(name, **more):
    return StepPlan(name=name, file=f"{name}.py", **more)


def below(found, one):
    parent = found[one].data.tags.get(PARENT)
    return next((n for n, e in found.items() if e.info.run_id == parent), None)


def test_one_step_is_the_run_itself(told, mlflow):
    found = told("r1", (plan("fit"),), ["fit"])
    assert set(found) == {"nightly", "model of fit"}
    assert below(found, "model of fit") == "nightly"
    run = found["nightly"]
    assert run.info.status == "FINISHED"
    assert run.data.tags["hubyard.schedule"] == "s1"
    (kept,) = mlflow.list_artifacts(run.info.run_id, "notebook")
    assert kept.path == "notebook/notebook.ipynb"


@pytest.mark.parametrize(
    ("plans", "keys"),
    [
        ((plan("fit"), plan("check")), ["fit", "check"]),
        ((plan("fit", each=[1, 2]),), ["fit.0", "fit.1"]),
    ],
)
def test_several_step_runs_stand_below_their_run(told, plans, keys):
    found = told(keys[1], plans, keys, StepStatus.FAILED, Status.STOPPED)
    assert below(found, "nightly") is None
    assert found["nightly"].info.status == "KILLED"
    for key in keys:
        assert below(found, key) == "nightly"
        assert below(found, f"model of {key}") == key
        assert found[key].info.status == "FAILED"


def test_a_step_has_ended_also_where_its_notebook_is_not_taken(
    told, monkeypatch, caplog
):
    def refuses(*_):
        raise OSError("the store is full\nand more")

    monkeypatch.setattr(MlflowClient, "log_artifact", refuses)
    found = told("r3", (plan("fit"),), ["fit"])
    assert found["nightly"].info.status == "FINISHED"
    assert "MLflow does not record fit: the store is full." in caplog.text


def test_mlflow_being_away_costs_the_record_alone(told, monkeypatch, caplog):
    def away(*_, **__):
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(MlflowClient, "set_terminated", away)
    told("r4", (plan("fit"), plan("check")), ["fit"])
    assert "MLflow does not record fit: nobody answers." in caplog.text
    assert "MLflow does not record the end: nobody answers." in caplog.text
