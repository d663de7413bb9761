"""Lineage: a run in which something was tracked is a tracked run itself.

The run is the parent. A step run that has tracked something is its child, with the
executed notebook and its HTML as artifacts, and what it has tracked lies below it. So a
model version leads back to step, run, schedule and source. Where a run has one step
alone, the run and the step are one.

It is written once a step run has ended, and this module is imported only then, for it
imports MLflow: where nothing is tracked it costs nothing. MLflow's being away costs the
record, not the run.
https://mlflow.org/docs/latest/ml/traditional-ml/tutorials/hyperparameter-tuning/part1-child-runs/
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from mlflow import MlflowClient

from hubyard.contract.layout import NOTEBOOK, REPORT
from hubyard.contract.tracking import (
    NOTEBOOK_ARTIFACT,
    TAG_LINEAGE,
    TAG_RUN,
    TAG_SCHEDULE,
    TAG_SOURCE,
    TAG_STEP,
    mlflow_status,
)
from hubyard.tracking import MANNERS, first_line

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from hubyard.contract.run import RunJob, StepRecord, StepStatus
    from hubyard.contract.workload import Status

_PARENT = "mlflow.parentRunId"
_EXPERIMENTS = 1000
_log = logging.getLogger(__name__)


class Lineage:
    """What MLflow is told of one run."""

    def __init__(self, job: RunJob) -> None:
        for name, value in MANNERS.items():
            os.environ.setdefault(name, value)
        self._client = MlflowClient()
        self._job = job
        only = job.steps[0] if len(job.steps) == 1 else None
        self._is_one = only is not None and only.each is None
        """Whether the run and its step are one."""
        self._parent: str | None = None

    def add(self, ended: StepRecord, folder: Path) -> None:
        """Tell of a step run that has ended and has tracked something."""
        try:
            self._add(ended, folder)
        except Exception as error:  # noqa: BLE001  whatever goes wrong there, the run is as it is
            _log.warning("MLflow does not record %s: %s.", ended.key, first_line(error))

    def close(self, status: Status, at: datetime | None) -> None:
        """Tell how the run has ended."""
        if self._parent is None:
            return
        try:
            self._end(self._parent, status, at)
        except Exception as error:  # noqa: BLE001  as above
            _log.warning("MLflow does not record the end: %s.", first_line(error))

    def _add(self, ended: StepRecord, folder: Path) -> None:
        client = self._client
        mine = f"tags.`{TAG_RUN}` = '{self._job.run_id}'"
        seen = client.search_experiments(max_results=_EXPERIMENTS)
        tracked = client.search_runs(
            [each.experiment_id for each in seen],
            f"{mine} and tags.`{TAG_STEP}` = '{ended.key}'",
        )
        if not tracked:
            return  # it said that it would, and could not
        experiment = tracked[-1].info.experiment_id
        step = self._begin(experiment, ended)
        try:
            for each in tracked:
                id_ = each.info.run_id
                if _PARENT not in each.data.tags:
                    client.set_tag(id_, _PARENT, step)
                if each.info.status == "RUNNING":  # its kernel has gone
                    self._end(id_, ended.status, ended.ended_at)
            for name in (NOTEBOOK, REPORT):
                if (folder / name).is_file():
                    client.log_artifact(step, str(folder / name), NOTEBOOK_ARTIFACT)
        finally:
            self._end(step, ended.status, ended.ended_at)

    def _begin(self, experiment: str, ended: StepRecord) -> str:
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
        create = self._client.create_run
        if self._is_one:
            return create(experiment, start, of_run, job.name).info.run_id
        if self._parent is None:
            self._parent = create(experiment, start, of_run, job.name).info.run_id
        of_step = {**tags, TAG_LINEAGE: "step", "mlflow.source.name": ended.file}
        below = {TAG_STEP: ended.key, _PARENT: self._parent}
        return create(experiment, start, {**of_step, **below}, ended.key).info.run_id

    def _end(self, id_: str, status: Status | StepStatus, at: datetime | None) -> None:
        said = mlflow_status(status)
        self._client.set_terminated(id_, said, _milliseconds(at))


def _milliseconds(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1000) if at else None
