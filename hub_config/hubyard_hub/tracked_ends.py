"""Tracked ends: what a run has left running in MLflow has ended with the run.

A run tells MLflow itself how it ends; one that was killed or stopped cannot, nor can a
cell that was training. The platform says it for the owner, once nothing of the run is
left, and asks for nothing where nothing was tracked.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubyard.contract.errors import Rejected
from hubyard.contract.tracking import TAG_RUN
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from hubyard_hub.wishes import Row

EXPERIMENTS, RUNS, ENDS = "/experiments/search", "/runs/search", "/runs/update"
"""What is asked for this, below MLflow's API."""
_LOG = logging.getLogger(__name__)
_MOST = 1000
_WORDS = {Status.SUCCEEDED: "FINISHED", Status.STOPPED: "KILLED"}
"""How a run has ended, in MLflow's words; any other has FAILED."""


def end_tracked(parts: Parts, run: Row) -> None:
    """End what is running still of all that a run has tracked.

    MLflow's no, to somebody who is gone, is written down and costs the record alone.

    Raises:
        Unavailable: it does not answer.
    """
    try:
        _end_tracked(parts, run)
    except Rejected as error:
        _LOG.warning("MLflow keeps run %s as running: %s", run["id"], error.message)


def _end_tracked(parts: Parts, run: Row) -> None:
    owner, token, ask = run["owner"], parts.token, parts.mlflow.post_for
    seen = ask(owner, token, EXPERIMENTS, {"max_results": _MOST}).get("experiments", ())
    if not seen:
        return
    left = f"tags.`{TAG_RUN}` = '{run['id']}' and attributes.status = 'RUNNING'"
    found = {
        "experiment_ids": [each["experiment_id"] for each in seen],
        "filter": left,
        "max_results": _MOST,
    }
    end = {
        "status": _WORDS.get(run["status"], "FAILED"),
        "end_time": round(run["ended_at"].timestamp() * 1000),
    }
    for tracked in ask(owner, token, RUNS, found).get("runs", ()):
        ask(owner, token, ENDS, {"run_id": tracked["info"]["run_id"], **end})
