"""A run: one execution of a pipeline on its own compute, and its true record.

A notebook or a script alone is a pipeline of one step. The runner keeps the record,
step by step and cell by cell, and says how each ended. papermill's own metadata is
never believed.

step run   one execution of a step; a step that fans out has one for each of its items
key        names a step run within its run: `train`, or `train.2` for its third item
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, model_validator

from hubyard.contract.base import (
    ComputeName,
    Count,
    Digest,
    Moment,
    Ordinal,
    Read,
    Seconds,
    Slug,
    SourcePath,
    Title,
    Written,
    cut_text,
)
from hubyard.contract.money import Money
from hubyard.contract.pipeline import MOST_STEP_RUNS, MOST_STEPS, StepPlan
from hubyard.contract.source import GivenParameters, GivenTexts, Parameters
from hubyard.contract.workload import Status, Target

MOST_CELLS = 20_000
"""A record tells of no more cells; the runner leaves out those of old successes."""
MOST_RECORDED = 10 * MOST_STEP_RUNS
"""Nor of more step runs: ten steps may fan out as far as they can."""
OUTPUT_LIMIT_BYTES = 200 * 2**20
"""Of each file that a step run hands in: its notebook, its report, its outputs."""
LONGEST_MESSAGE = 4_000
LONGEST_TRACEBACK = 64_000

StepKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}(\.[0-9]{1,4})?$")]


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
    STEP_TIMEOUT = "step-timeout"
    KERNEL_DIED = "kernel-died"
    OUT_OF_MEMORY = "out-of-memory"
    BAD_NOTEBOOK = "bad-notebook"
    NO_KERNEL = "no-kernel"
    NO_SPACE = "no-space"
    BAD_INPUT = "bad-input"
    NO_OUTPUT = "no-output"
    KILLED = "killed"
    LIFETIME = "lifetime"
    START_FAILED = "start-failed"
    LOST = "lost"
    BUDGET = "budget"


class CellRecord(Read):
    """One code cell: index within the executed notebook, from 0."""

    index: Ordinal
    status: CellStatus
    started_at: Moment | None = None
    ended_at: Moment | None = None
    output_bytes: Count = Field(default=0, description="of what it shows")


class RunFailure(Read):
    """What broke, in the words that the owner is told."""

    reason: FailureReason
    message: Annotated[
        str, Field(max_length=LONGEST_MESSAGE), cut_text(LONGEST_MESSAGE)
    ]
    step: StepKey | None = Field(default=None, description="key of the step run")
    cell: Ordinal | None = Field(default=None, description="index of the failing cell")
    traceback: (
        Annotated[str, Field(max_length=LONGEST_TRACEBACK), cut_text(LONGEST_TRACEBACK)]
        | None
    ) = None


class StepStatus(StrEnum):
    """Where one step run is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    """Its condition does not hold, or what it takes was skipped."""
    NOT_RUN = "not-run"
    """What it comes after has failed, or the run ended first."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self not in {StepStatus.WAITING, StepStatus.RUNNING}


class StepRecord(Read):
    """One step run, and its cells once they are known."""

    key: StepKey
    step: Annotated[str, Field(max_length=40, description="the step's name")]
    item: JsonValue = Field(default=None, description="what it got of a fan-out")
    file: SourcePath = Field(description="its notebook or script, within the source")
    after: Annotated[
        tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=MOST_STEPS)
    ] = Field(default=(), description="steps that it waits for")
    status: StepStatus = StepStatus.WAITING
    attempt: Ordinal = Field(default=0, description="from 1; above it: a retry")
    started_at: Moment | None = None
    ended_at: Moment | None = None
    cells: Annotated[tuple[CellRecord, ...], Field(max_length=MOST_CELLS)] = ()
    failure: RunFailure | None = None
    reused: bool = Field(
        default=False, description="taken over from an earlier run, not executed"
    )
    peak_bytes: Count | None = Field(
        default=None, description="the most memory that one of its processes held"
    )
    cpu_s: Annotated[float, Field(ge=0, le=1e12)] | None = None
    cache_key: Digest | None = Field(
        default=None, description="of all that went into it; None: it is not cached"
    )


class _WithSteps(Read):
    """What a run's record and its detail have in common."""

    steps: Annotated[tuple[StepRecord, ...], Field(max_length=MOST_RECORDED)] = ()

    @property
    def cells(self) -> tuple[CellRecord, ...]:
        """The cells of all step runs, in the order of the steps."""
        return tuple(cell for step in self.steps for cell in step.cells)


class RunRecord(_WithSteps):
    """The runner's own record. `revision` only ever grows; the newest one holds."""

    revision: Ordinal
    status: Status
    started_at: Moment
    ended_at: Moment | None = None
    failure: RunFailure | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_few_cells(cls, said: Any) -> Any:  # noqa: ANN401  nothing is known of it yet
        """Count before each cell becomes an object of its own."""
        if _cells_in(said) > MOST_CELLS:
            raise ValueError(f"a record tells of at most {MOST_CELLS:,} cells")
        return said


def _cells_in(said: object) -> int:
    steps = said.get("steps") if isinstance(said, dict) else None
    if not isinstance(steps, list | tuple):
        return 0
    lists = (step.get("cells") for step in steps if isinstance(step, dict))
    return sum(len(cells) for cells in lists if isinstance(cells, list | tuple))


class RunJob(Read):
    """What the platform tells a run that asks what it shall do.

    A parameter may be NaN or infinite; Python's JSON, which reads it, has words for it.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    run_id: str
    name: str
    schedule_id: str | None = None
    notebook: str = Field(description="path of what runs, within the source")
    source: Digest
    parameters: dict[str, JsonValue] = Field(description="of the pipeline")
    steps: tuple[StepPlan, ...]
    reused: tuple[StepRecord, ...] = Field(
        default=(), description="step runs that are taken over from an earlier run"
    )


class RunRequest(Written):
    """Run a notebook, a script or a pipeline once, now."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    source: Digest
    notebook: SourcePath = Field(
        description="path within the source of a notebook, a script, or a pipeline"
    )
    name: Title | None = Field(default=None, description="None: the file's name")
    parameters: GivenParameters = Field(default_factory=dict)
    parameter_texts: GivenTexts = Field(
        default_factory=dict, description="parameters as somebody types them"
    )
    compute: ComputeName | None = None
    lifetime_s: Seconds | None = None
    cell_timeout_s: Seconds | None = None
    fresh: bool = Field(
        default=False, description="execute every step, whatever is cached"
    )


class ReuseRequest(Written):
    """Take a step run over from an earlier run that had the same cache key."""

    cache_key: Digest
    outputs: bool = Field(
        default=False, description="only if what it handed over is kept too"
    )


class ResumeRequest(Written):
    """Run again what failed, or a step and what follows it; take the rest over."""

    step: Slug | None = Field(
        default=None, description="run from this step on; None: from what failed"
    )
    source: Digest | None = Field(
        default=None, description="a newer source; None: the run's own"
    )
    only: bool = Field(
        default=False, description="run that one step and nothing after it"
    )


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
    cells_total: int = Field(description="of the steps whose cells are known")
    cells_done: int
    steps_total: int
    steps_done: int
    resumes: str | None = Field(
        default=None, description="the run whose finished steps it has taken over"
    )
    failure: RunFailure | None
    waits_for: str | None = Field(
        default=None, description="why it is queued still, where it waits for more"
    )
    url: str | None = Field(description="its live page, while it runs")
    has_notebook: bool = Field(description="whether an executed notebook is kept")
    has_report: bool = Field(description="whether its HTML is kept")


class RunDetail(Run, _WithSteps):
    """A run with its step runs and their cells."""
