"""Routes of schedules."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Header, Query
from pydantic import Field

from hubyard.contract.calendar import LONGEST_DAYS, Calendar
from hubyard.contract.run import Run
from hubyard.contract.schedule import (
    Backfill,
    BackfillRequest,
    Called,
    HookCall,
    NewSchedule,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleChange,
    ScheduleRequest,
)
from hubyard_hub.api.access import Person, Secret, Token, hooks, people
from hubyard_hub.api.nouns import Asked
from hubyard_hub.workloads.wishes import Row

router = people("schedules")
hook = hooks("schedules")

_Near = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
_First = Annotated[_Near | None, Query(description="None: today")]
_Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS)]


@router.post("/schedules/preview")
def preview_schedule(
    asking: Person, nouns: Asked, token: Token, wish: PreviewRequest
) -> Preview:
    """What a schedule would do and cost, before it is made."""
    return nouns.schedules.preview(asking, token, wish)


@router.post("/schedules", status_code=201)
def create_schedule(
    asking: Person, nouns: Asked, token: Token, wish: ScheduleRequest
) -> NewSchedule:
    """Run a notebook whenever its cron comes due, or its trigger notices something."""
    return nouns.schedules.create(asking, token, wish)


@router.get("/schedules")
def list_schedules(asking: Person, nouns: Asked) -> list[Schedule]:
    """The caller's schedules, newest first."""
    return nouns.schedules.list(asking.name)


@router.get("/calendar")
def read_calendar(
    asking: Person,
    nouns: Asked,
    first: _First = None,
    days: _Days = 7,
    time_zone: str = "UTC",
) -> Calendar:
    """What of the caller's ran and comes due, day by day in a time zone."""
    return nouns.days.calendar(asking.name, time_zone, first, days)


@router.get("/schedules/{schedule_id}")
def read_schedule(asking: Person, nouns: Asked, schedule_id: str) -> Schedule:
    """One schedule."""
    return nouns.schedules.get(asking.name, schedule_id)


@router.patch("/schedules/{schedule_id}")
def change_schedule(
    asking: Person, nouns: Asked, schedule_id: str, wish: ScheduleChange
) -> Schedule:
    """Pause it, let it go on, or move it."""
    return nouns.schedules.change(asking.name, schedule_id, wish)


@router.post("/schedules/{schedule_id}/run", status_code=201)
def run_schedule(asking: Person, nouns: Asked, schedule_id: str) -> Run:
    """Start a run now, as the schedule would."""
    return nouns.schedules.run_now(asking.name, schedule_id)


@router.post("/schedules/{schedule_id}/backfill")
def backfill_schedule(
    asking: Person, nouns: Asked, schedule_id: str, wish: BackfillRequest
) -> Backfill:
    """Start a run for each due time of the past that has none."""
    return nouns.schedules.backfill(asking.name, schedule_id, wish)


@router.delete("/schedules/{schedule_id}", status_code=204)
def delete_schedule(asking: Person, nouns: Asked, schedule_id: str) -> None:
    """Strike it out; its past runs stay."""
    nouns.schedules.remove(asking.name, schedule_id)


def _opened(nouns: Asked, secret: Secret, schedule_id: str) -> Row:
    """The schedule, before anything that a stranger sends is read."""
    return nouns.hooks.open(schedule_id, secret)


_Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=255, pattern="^[!-~]+$"),
]


@hook.post("/{schedule_id}", status_code=202)
def call_webhook(
    nouns: Asked,
    opened: Annotated[Row, Depends(_opened)],
    call: HookCall | None = None,
    key: _Key = None,
) -> Called:
    """Start a run of the schedule whose webhook this is."""
    return nouns.hooks.call(opened, call or HookCall(), key)
