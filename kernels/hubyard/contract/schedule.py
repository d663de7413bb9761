"""A schedule: what wakes it, and what becomes of a fire that cannot start its run.

cron     its due times, in a time zone
trigger  what wakes it instead: a file that changes, a model's alias that moves to
         another version, or somebody who calls its webhook
fire     one due time, or one thing that a trigger noticed; it starts one run, or is
         dropped and says why
missed   nothing could start it when it came due; a trigger notices later instead
overlap  the run before is still active when it fires
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    computed_field,
    field_validator,
    model_serializer,
    model_validator,
)

from hubyard.contract.base import (
    ComputeName,
    Digest,
    Moment,
    Read,
    Seconds,
    SourcePath,
    Title,
    Written,
    in_words,
)
from hubyard.contract.money import Money
from hubyard.contract.notice import Channels, Why
from hubyard.contract.source import GivenParameters, GivenTexts, Parameters
from hubyard.contract.tracking import Alias, ModelName
from hubyard.contract.workload import Status

MOST_COUNTED = 1000
"""So many dropped fires are counted; a minutely cron may have missed a year of them."""
DEFAULT_GRACE_S = 3600
MOST_FOLDERS = 16
"""So deep a file may lie that wakes a schedule."""
_MOST_STARS = 16
_NO_NAME = {"", ".", "..", "**"}

Cron = Annotated[
    str,
    Field(min_length=9, max_length=256),
    in_words("write five fields, such as 30 2 * * 1-5"),
]
"""Five fields: minute, hour, day of month, month, day of week."""

NotifyOn = Annotated[tuple[Why, ...], Field(max_length=len(Why))]
"""What channels are told of; the bell is told of all."""


def _below_home(path: str) -> str:
    names = path.removesuffix("/").split("/")
    is_long = len(names) > MOST_FOLDERS or path.count("*") > _MOST_STARS
    if is_long or _NO_NAME.intersection(names):
        raise ValueError("no path below a home")
    return "/".join(names)


FilePattern = Annotated[
    str,
    Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_below_home),
    in_words(
        "write a path or a glob below your home, such as data/*.csv, without .. and **"
    ),
]
"""A path below its owner's home; each name of it may be a glob of `*`, `?` and `[]`."""


class Trigger(Read):
    """What wakes a schedule instead of a cron: exactly one of these."""

    file: FilePattern | None = Field(
        default=None,
        description="below its owner's home; a folder stands for all that is in it",
    )
    model: ModelName | None = None
    alias: Alias | None = Field(default=None, description="of the model")
    webhook: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        is_model = self.model is not None and self.alias is not None
        is_part = (self.model is None) is not (self.alias is None)
        if is_part or [self.file is not None, is_model, self.webhook].count(True) != 1:
            raise ValueError("say one of file, model with alias, or webhook")
        return self

    @property
    def words(self) -> str:
        """When it fires."""
        if self.webhook:
            return "when its webhook is called"
        if self.file is not None:
            return f"when {self.file} changes"
        return f"when {self.model}@{self.alias} moves"


class TriggerRequest(Trigger):
    """What shall wake a schedule instead of a cron: exactly one of these."""

    model_config = ConfigDict(extra="forbid")


class Missed(StrEnum):
    """What becomes of fires that came due while nothing could start them.

    SKIP: none starts a run, save one that is not later than the schedule's grace.
    ONCE: one run, for the newest. ALL: a run each, for the newest hundred.
    """

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"


class Overlap(StrEnum):
    """What becomes of a fire while a run of its schedule is still active.

    SKIP: it is dropped. QUEUE: its run waits for the one before, at most a hundred do.
    ALLOW: both run.
    """

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


class DropReason(StrEnum):
    """Why a fire started no run."""

    MISSED = "missed"
    OVERLAP = "overlap"


class Dropped(Read):
    """Fires of one schedule, one after the other, that started no run."""

    why: DropReason
    first_at: Moment = Field(description="the earliest due time of them")
    last_at: Moment
    count: int = Field(description=f"{MOST_COUNTED} stands for as many or more")

    @computed_field(description="the count as people read it")  # type: ignore[prop-decorator]  # mypy knows no such decorator
    @property
    def text(self) -> str:
        """How many they are."""
        return f"{MOST_COUNTED}+" if self.count >= MOST_COUNTED else str(self.count)


class _When(Written):
    """What wakes a schedule: a cron or a trigger."""

    time_zone: str = Field(default="UTC", max_length=64)
    on: TriggerRequest | None = None

    @field_validator("cron", check_fields=False)
    @classmethod
    def _is_one_of_both(cls, cron: str | None, info: ValidationInfo) -> str | None:
        if "on" in info.data and (cron is None) is (info.data["on"] is None):
            raise ValueError("give either a cron, or on what it fires")
        return cron


class PreviewRequest(_When):
    """What a schedule would do, asked before it is made."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    cron: str | None = Field(default=None, max_length=256, validate_default=True)
    parameters: GivenParameters = Field(
        default_factory=dict, description="checked where source and notebook are named"
    )
    parameter_texts: GivenTexts = Field(
        default_factory=dict, description="parameters as somebody types them"
    )
    notify: Channels | None = None
    compute: ComputeName | None = None
    lifetime_s: Seconds | None = None
    notebook: SourcePath | None = Field(
        default=None, description="its past runs give the expected duration"
    )
    source: Digest | None = Field(
        default=None, description="its project may have a budget of its own"
    )

    @classmethod
    def of(cls, wish: ScheduleRequest) -> Self:
        """What to ask before making a schedule."""
        return cls(
            cron=wish.cron,
            time_zone=wish.time_zone,
            on=wish.on,
            parameters=wish.parameters,
            parameter_texts=wish.parameter_texts,
            notify=wish.notify,
            compute=wish.compute,
            lifetime_s=wish.lifetime_s,
            notebook=wish.notebook,
            source=wish.source,
        )

    @classmethod
    def after(cls, before: Schedule, change: ScheduleChange) -> Self:
        """What to ask before changing a schedule."""
        return cls(
            cron=change.cron or before.cron,
            time_zone=change.time_zone or before.time_zone,
            on=before.on and TriggerRequest(**dict(before.on)),
            parameters=before.parameters,
            notify=change.notify,
            compute=before.compute,
            lifetime_s=before.lifetime_s,
            notebook=before.notebook,
            source=change.source or before.source,
        )


class Preview(Read):
    """When it fires in words, its next fires, and what it would cost."""

    text: str
    time_zone: str = Field(default="UTC", description="in which its cron holds")
    next_fires: tuple[Moment, ...] = Field(description="five; of a trigger none")
    fires_per_month: int | None = Field(description="None: a trigger, nobody knows")
    files: int | None = Field(default=None, description="that its trigger finds now")
    price: Money
    per_run: Money
    per_month: Money | None
    basis: str = Field(description="what the estimate rests on, in words")
    left: Money | None = Field(
        default=None, description="of the tightest budget; None: there is no budget"
    )
    refusal: str | None = Field(
        default=None, description="why a run would not start now, and what would fit"
    )
    notice: str | None = Field(
        default=None, description="what became of the compute that was asked for"
    )


class ScheduleRequest(_When):
    """Run a notebook whenever its cron comes due, or its trigger notices something."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    source: Digest
    notebook: SourcePath
    name: Title | None = None
    cron: Cron | None = Field(default=None, validate_default=True)
    parameters: GivenParameters = Field(default_factory=dict)
    parameter_texts: GivenTexts = Field(
        default_factory=dict, description="parameters as somebody types them"
    )
    compute: ComputeName | None = None
    lifetime_s: Seconds | None = None
    cell_timeout_s: Seconds | None = None
    missed: Missed = Missed.ONCE
    overlap: Overlap = Overlap.SKIP
    grace_s: Seconds = DEFAULT_GRACE_S
    notify: Channels | None = Field(
        default=None, description="channels; None: those that an administrator chose"
    )
    notify_on: NotifyOn = (Why.FAILED,)


class ScheduleChange(Written):
    """What may be changed of a schedule; what is not said, or None, stays."""

    paused: bool | None = None
    cron: Cron | None = None
    time_zone: str | None = Field(default=None, max_length=64)
    source: Digest | None = None
    missed: Missed | None = None
    overlap: Overlap | None = None
    grace_s: Seconds | None = None
    notify: Channels | None = Field(
        default=None,
        description="None, where it is said: those that an administrator chose",
    )
    notify_on: NotifyOn | None = None

    @model_serializer(mode="wrap")
    def _written(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """With the None that says something, also where None is left out."""
        said: dict[str, Any] = plain(self)
        if "notify" in self.model_fields_set:
            said["notify"] = self.notify
        return said


class Schedule(Read):
    """A schedule as its owner sees it."""

    id: str
    name: str
    owner: str
    notebook: str
    source: Digest
    cron: str | None
    on: Trigger | None = None
    hook: str | None = Field(default=None, description="where its webhook is called")
    text: str = Field(description="when it fires, in words")
    time_zone: str
    parameters: Parameters
    compute: str
    lifetime_s: int
    missed: Missed
    overlap: Overlap = Overlap.SKIP
    grace_s: int = DEFAULT_GRACE_S
    paused: bool
    suspended: str | None = Field(
        default=None, description="why Hubyard itself has paused it"
    )
    next_fire: Moment | None
    last_run_id: str | None
    last_status: Status | None
    created_at: Moment
    per_run: Money
    per_month: Money | None = Field(description="None: a trigger, nobody knows")
    dropped: tuple[Dropped, ...] = Field(default=(), description="the newest five")
    notify: tuple[str, ...] | None = None
    notify_on: tuple[Why, ...] = (Why.FAILED,)


class NewSchedule(Schedule):
    """A schedule that was just made; what opens its webhook is shown this once."""

    secret: str | None = None
    curl: str | None = Field(default=None, description="runs unchanged in a terminal")


class HookCall(Read):
    """What calls a webhook; whoever calls may say more, and it is left alone."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    parameters: GivenParameters = Field(
        default_factory=dict, description="of the notebook, over the schedule's own"
    )


class Called(Read):
    """What came of a call of a webhook."""

    run_id: str | None
    dropped: DropReason | None = Field(default=None, description="why there is no run")


class BackfillRequest(Written):
    """Run a schedule for due times of the past, where it has no run for them yet."""

    since: Moment
    until: Moment
    dry_run: bool = Field(
        default=False, description="say what it would do, and no more"
    )


class Backfill(Read):
    """What a backfill does: a run for each due time that had none."""

    due: int = Field(description="due times from `since` to `until`")
    runs: int = Field(description="of them, those that get a run now")
    cost: Money = Field(description="estimate of all of them")
