"""A run: one execution of a notebook on its own compute, and its true record.

The runner keeps the record, cell by cell, and says how it ended. papermill's own
metadata is never believed.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field, JsonValue

from hubyard.contract.base import Digest, Moment, Read, Seconds, Title, Written
from hubyard.contract.money import Money
from hubyard.contract.source import Parameters
from hubyard.contract.workload import Status, Target


class CellStatus(StrEnum):
    """Where one cell of a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_RUN = "not-run"


class FailureReason(StrEnum):
    """Why a run failed."""

    CELL_ERROR = "cell-error"
    CELL_EXIT = "cell-exit"
    CELL_TIMEOUT = "cell-timeout"
    KERNEL_DIED = "kernel-died"
    OUT_OF_MEMORY = "out-of-memory"
    BAD_NOTEBOOK = "bad-notebook"
    NO_KERNEL = "no-kernel"
    NO_SPACE = "no-space"
    KILLED = "killed"
    LIFETIME = "lifetime"
    START_FAILED = "start-failed"
    LOST = "lost"
    BUDGET = "budget"


class CellRecord(Read):
    """One code cell: index within the executed notebook, from 0."""

    index: int
    status: CellStatus
    started_at: Moment | None = None
    ended_at: Moment | None = None


class RunFailure(Read):
    """What broke, in the words that the owner is told."""

    reason: FailureReason
    message: str
    cell: int | None = Field(default=None, description="index of the failing cell")
    traceback: str | None = None


class RunRecord(Read):
    """The runner's own record. `revision` only ever grows; the newest one holds."""

    revision: int
    status: Status
    started_at: Moment
    ended_at: Moment | None = None
    cells: tuple[CellRecord, ...] = ()
    failure: RunFailure | None = None


class RunJob(Read):
    """What the platform tells a run that asks what it shall do.

    A parameter may be NaN or infinite; Python's JSON, which reads it, has words for it.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    run_id: str
    name: str
    notebook: str = Field(description="path within the source")
    source: Digest
    parameters: dict[str, JsonValue]
    cell_timeout_s: int | None = None


class RunRequest(Written):
    """Run a notebook once, now."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    source: Digest
    notebook: str
    name: Title | None = Field(default=None, description="None: the notebook's name")
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    compute: str | None = None
    lifetime_s: Seconds | None = None
    cell_timeout_s: Seconds | None = None


class Run(Read):
    """A run as its owner sees it."""

    id: str
    name: str
    owner: str
    schedule_id: str | None
    fire_at: Moment | None = Field(description="the due time, when a schedule asked")
    notebook: str
    source: Digest
    parameters: Parameters
    compute: str
    price: Money
    cost: Money | None
    status: Status
    target: Target
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    cells_total: int
    cells_done: int
    failure: RunFailure | None
    url: str | None = Field(description="its live page, while it runs")
    has_notebook: bool = Field(description="whether an executed notebook is kept")
    has_report: bool = Field(description="whether its HTML is kept")


class RunDetail(Run):
    """A run with its cells."""

    cells: tuple[CellRecord, ...]
