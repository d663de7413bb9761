"""Lineage: a run in which something was tracked is a tracked run itself.

The run is the parent. A step run that has tracked something is its child, with the
executed notebook and its HTML as artifacts, and what it has tracked lies below it. So a
model version leads back to step, run, schedule and source. Where a run has one step
alone, the run and the step are one.

It is written once a step run has ended, and only then is MLflow imported: where nothing
is tracked it costs nothing. MLflow's being away costs the record, not the run.
https://mlflow.org/docs/latest/ml/traditional-ml/tutorials/hyperparameter-tuning/part1-child-runs/
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from hubyard.contract.run import StepStatus
from hubyard.contract.tracking import (
    NOTEBOOK_ARTIFACT,
    TAG_LINEAGE,
    TAG_RUN,
    TAG_SCHEDULE,
    TAG_SOURCE,
    TAG_STEP,
)
from hubyard.contract.workload import Status
from hubyard_runtime.run.folder import NOTEBOOK, REPORT, TRACKED

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlflow import MlflowClient

    from hubyard.contract.run import RunJob, StepRecord

_PARENT = "mlflow.parentRunId"
_ENDED: dict[str, str] = {
    StepStatus.SUCCEEDED: "FINISHED",
    Status.SUCCEEDED: "FINISHED",
    StepStatus.STOPPED: "KILLED",
    Status.STOPPED: "KILLED",
}
_EXPERIMENTS = 1000
_log = logging.getLogger(__name__)


class Lineage:
    """What MLflow is told of one run."""

    def __init__(self, job: RunJob) -> None:
        self._job = job
        self._parent: str | None = None

    def add(self, ended: StepRecord, folder: Path) -> None:
        """Tell of a step run that has ended, if it has tracked something."""
        if not (folder / TRACKED).exists():
            return
        try:
            self._add(_client(), ended, folder)
        except Exception as error:  # noqa: BLE001  whatever goes wrong there, the run is as it is
            _log.warning("MLflow does not record %s: %s.", ended.key, _line(error))

    def close(self, status: Status, at: datetime | None) -> None:
        """Tell how the run has ended."""
        if self._parent is None:
            return
        try:
            _end(_client(), self._parent, status, at)
        except Exception as error:  # noqa: BLE001  as above
            _log.warning("MLflow does not record the end: %s.", _line(error))

    def _add(self, client: MlflowClient, ended: StepRecord, folder: Path) -> None:
        mine = f"tags.`{TAG_RUN}` = '{self._job.run_id}'"
        seen = client.search_experiments(max_results=_EXPERIMENTS)
        tracked = client.search_runs(
            [each.experiment_id for each in seen],
            f"{mine} and tags.`{TAG_STEP}` = '{ended.key}'",
        )
        if not tracked:
            return  # it said that it would, and could not
        experiment = tracked[-1].info.experiment_id
        step = self._begin(client, experiment, ended)
        for each in tracked:
            if _PARENT not in each.data.tags:
                client.set_tag(each.info.run_id, _PARENT, step)
        for name in (NOTEBOOK, REPORT):
            if (folder / name).is_file():
                client.log_artifact(step, str(folder / name), NOTEBOOK_ARTIFACT)
        _end(client, step, ended.status, ended.ended_at)

    def _begin(self, client: MlflowClient, experiment: str, ended: StepRecord) -> str:
        """The tracked run of a step run, below that of its run."""
        job, start = self._job, _milliseconds(ended.started_at)
        tags = {
            TAG_RUN: job.run_id,
            TAG_SOURCE: job.source,
            **({TAG_SCHEDULE: job.schedule_id} if job.schedule_id else {}),
            "mlflow.user": os.environ.get("JUPYTERHUB_USER", ""),
            "mlflow.source.type": "JOB",
        }
        of_run = {**tags, TAG_LINEAGE: "run", "mlflow.source.name": job.notebook}
        if len(job.steps) == 1:
            return client.create_run(experiment, start, of_run, job.name).info.run_id
        if self._parent is None:
            made = client.create_run(experiment, start, of_run, job.name)
            self._parent = made.info.run_id
        of_step = {**tags, TAG_LINEAGE: "step", "mlflow.source.name": ended.file}
        below = {TAG_STEP: ended.key, _PARENT: self._parent}
        made = client.create_run(experiment, start, {**of_step, **below}, ended.key)
        return made.info.run_id


def _client() -> MlflowClient:
    from hubyard.tracking import MANNERS  # noqa: PLC0415  only runs that track need it

    for name, value in MANNERS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415  as above, and two seconds

    return MlflowClient()


def _end(client: MlflowClient, id_: str, status: str, at: datetime | None) -> None:
    client.set_terminated(id_, _ENDED.get(status, "FAILED"), _milliseconds(at))


def _milliseconds(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1000) if at else None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
