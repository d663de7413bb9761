"""A calendar: what ran and what comes due, day by day in one time zone.

entry  one run, or one fire to come; of many alike on one day, all of them
alike  runs of one schedule that have the same status; fires of one schedule
"""

from __future__ import annotations

from datetime import date

from pydantic import Field

from hubyard.contract.base import Moment, Read
from hubyard.contract.money import Money
from hubyard.contract.workload import Status

LONGEST_DAYS = 35
"""No calendar is longer than five weeks."""
MOST_SINGLE = 6
"""So many alike on one day are an entry each; more of them are one entry."""
MOST_ENTRIES = 200
"""So many entries of either kind has a day."""


class _Entry(Read):
    """What past and coming have in common."""

    name: str
    at: Moment = Field(description="when it was asked for or comes due; of many, first")
    last_at: Moment
    count: int = Field(default=1, description="how many this entry stands for")


class Past(_Entry):
    """A run that was asked for on this day; of many, the newest stands for them."""

    run_id: str
    schedule_id: str | None
    status: Status
    started_at: Moment | None
    ended_at: Moment | None
    cost: Money | None = Field(description="None: of many, or nothing is known yet")


class Coming(_Entry):
    """A fire that a schedule has before it."""

    schedule_id: str
    text: str = Field(description="when its schedule fires, in words")


class CalendarDay(Read):
    """One day; one on which clocks change is shorter or longer."""

    day: date
    since: Moment
    until: Moment = Field(description="the next day's `since`")
    today: bool
    past: tuple[Past, ...] = Field(description="oldest first")
    coming: tuple[Coming, ...] = Field(description="soonest first")
    cut: bool = Field(description=f"there is more than {MOST_ENTRIES} of one of them")


class Calendar(Read):
    """Some days, one after the other."""

    time_zone: str
    days: tuple[CalendarDay, ...]
