"""MLflow's words, unchanged: experiment, model, version, alias.

MLflow calls one execution of training a run; in Hubyard that is a tracked run.
The tags below are what Hubyard adds to a tracked run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hubyard.contract.base import Moment, Read, Written, in_words
from hubyard.contract.money import Money

if TYPE_CHECKING:
    from hubyard.contract.run import StepStatus
    from hubyard.contract.workload import Status

TAG_COMPUTE = "hubyard.compute"
TAG_ENTRY = "hubyard.entry"
TAG_LOCK = "hubyard.lock"
TAG_NOTEBOOK = "hubyard.notebook"
TAG_CELL = "hubyard.cell"
TAG_RUN = "hubyard.run"
TAG_STEP = "hubyard.step"
TAG_SCHEDULE = "hubyard.schedule"
TAG_SOURCE = "hubyard.source"
TAG_WARNINGS = "hubyard.warnings"
"""What MLflow has warned of, one line each."""
TAG_LINEAGE = "hubyard.lineage"
"""Marks what stands for a `run` or a `step`, and has trained nothing itself."""
METADATA = "hubyard"
"""In a logged model's metadata: `shape`, of the data that it was trained on (`frame`,
`series` or `list`), and `dtypes`, by the name of each column ("" where it has none):
pandas' name of the dtype, or `{"categories": [...], "ordered": false}`."""
NOTEBOOK_ARTIFACT = "notebook"
"""The artifact folder that holds the notebook's copy."""


_ENDED = {"succeeded": "FINISHED", "stopped": "KILLED"}


def mlflow_status(ended: Status | StepStatus) -> str:
    """How a run or a step run has ended, in MLflow's words."""
    return _ENDED.get(ended, "FAILED")


class Experiment(Read):
    """A named series of tracked runs."""

    id: str
    name: str


class TrackedRun(Read):
    """One execution of training, as MLflow recorded it."""

    id: str
    name: str
    experiment_id: str
    experiment: str
    status: str = Field(description="MLflow's: RUNNING, FINISHED, FAILED, KILLED")
    started_at: Moment
    ended_at: Moment | None
    metrics: dict[str, float]
    params: dict[str, str]
    notebook: str | None
    compute: str | None
    run: str | None = Field(default=None, description="the run that has trained it")
    step: str | None = Field(default=None, description="key of the step run in it")
    git_commit: str | None
    lock: str | None
    has_model: bool
    warnings: tuple[str, ...] = Field(
        default=(), description="what MLflow has warned of, such as why it has no model"
    )
    cost: Money | None = Field(
        default=None, description="of its compute while it trained, where known"
    )
    url: str = Field(description="of its page in MLflow")


class TrackedRunPage(Read):
    """One page of tracked runs, newest first."""

    runs: tuple[TrackedRun, ...]
    next_page: str | None


TrackedRunId = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{32}$"),
    in_words("write the 32 characters of a tracked run's id"),
]

ModelName = Annotated[
    str,
    Field(min_length=1, max_length=250, pattern=r"^[^/:.%\"'\x00-\x1f\x7f]+$"),
    in_words("write 1 to 250 characters, none of them one of / : . % \" '"),
]

Alias = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]{1,100}$"),
    in_words("write at most 100 of A-Z, a-z, 0-9, _ and -"),
]


class RegisterRequest(Written):
    """Make the model of a tracked run a version of a registered model."""

    run_id: TrackedRunId
    name: ModelName
    alias: Alias | None = None


class ModelVersion(Read):
    """One version of a registered model."""

    model: str
    version: str
    aliases: tuple[str, ...]
    run_id: str | None
    created_at: Moment
    metrics: dict[str, float]
    unservable: str | None = Field(
        default=None, description="why it cannot be served; null where it can"
    )
    run: str | None = Field(default=None, description="the run that has trained it")
    step: str | None = Field(default=None, description="key of the step run in it")
    cost: Money | None = Field(
        default=None, description="of the training that made it, where known"
    )


class Model(Read):
    """A registered model, its newest version first."""

    name: str
    versions: tuple[ModelVersion, ...]
    url: str = Field(description="of its page in MLflow")
