"""A schedule: cron, time zone, and what becomes of a fire that cannot start its run.

fire     one due time; it starts one run, or is dropped and says why
missed   nothing could start it when it came due
overlap  the run before is still active when it comes due
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, JsonValue

from hubyard.contract.base import (
    Digest,
    Moment,
    Read,
    Seconds,
    Title,
    Written,
    in_words,
)
from hubyard.contract.money import Money
from hubyard.contract.source import Parameters
from hubyard.contract.workload import Status

MOST_COUNTED = 1000
"""So many dropped fires are counted; a minutely cron may have missed a year of them."""
DEFAULT_GRACE_S = 3600

Cron = Annotated[
    str,
    Field(min_length=9, max_length=256),
    in_words("write five fields, such as 30 2 * * 1-5"),
]
"""Five fields: minute, hour, day of month, month, day of week."""


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


class PreviewRequest(Written):
    """What a schedule would do, asked before it is made."""

    cron: str = Field(max_length=256)
    time_zone: str = Field(default="UTC", max_length=64)
    compute: str | None = None
    lifetime_s: Seconds | None = None
    notebook: str | None = Field(
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
            compute=wish.compute,
            lifetime_s=wish.lifetime_s,
            notebook=wish.notebook,
            source=wish.source,
        )


class Preview(Read):
    """A cron in words, its next fires, and what it would cost."""

    text: str
    next_fires: tuple[Moment, ...] = Field(description="five")
    fires_per_month: int
    price: Money
    per_run: Money
    per_month: Money
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


class ScheduleRequest(Written):
    """Run a notebook whenever its cron comes due."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # as RunJob

    source: Digest
    notebook: str
    name: Title | None = None
    cron: Cron
    time_zone: str = Field(default="UTC", max_length=64)
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    compute: str | None = None
    lifetime_s: Seconds | None = None
    cell_timeout_s: Seconds | None = None
    missed: Missed = Missed.ONCE
    overlap: Overlap = Overlap.SKIP
    grace_s: Seconds = DEFAULT_GRACE_S


class ScheduleChange(Written):
    """What may be changed of a schedule; what is None stays."""

    paused: bool | None = None
    cron: Cron | None = None
    time_zone: str | None = Field(default=None, max_length=64)
    source: Digest | None = None
    missed: Missed | None = None
    overlap: Overlap | None = None
    grace_s: Seconds | None = None


class Schedule(Read):
    """A schedule as its owner sees it."""

    id: str
    name: str
    owner: str
    notebook: str
    source: Digest
    cron: str
    text: str = Field(description="the cron in words")
    time_zone: str
    parameters: Parameters
    compute: str
    lifetime_s: int
    missed: Missed
    overlap: Overlap = Overlap.SKIP
    grace_s: int = DEFAULT_GRACE_S
    paused: bool
    next_fire: Moment | None
    last_run_id: str | None
    last_status: Status | None
    created_at: Moment
    per_run: Money
    per_month: Money
    dropped: tuple[Dropped, ...] = Field(default=(), description="the newest five")


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
