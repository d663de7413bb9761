"""Routes of schedules."""

from hubyard.contract.run import Run
from hubyard.contract.schedule import (
    Backfill,
    BackfillRequest,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleChange,
    ScheduleRequest,
)
from hubyard_hub.api.access import Person, people
from hubyard_hub.api.nouns import Asked

router = people("schedules")


@router.post("/schedules/preview")
def preview_schedule(asking: Person, nouns: Asked, wish: PreviewRequest) -> Preview:
    """What a schedule would do and cost, before it is made."""
    return nouns.schedules.preview(asking, wish)


@router.post("/schedules", status_code=201)
def create_schedule(asking: Person, nouns: Asked, wish: ScheduleRequest) -> Schedule:
    """Run a notebook whenever its cron comes due."""
    return nouns.schedules.create(asking, wish)


@router.get("/schedules")
def list_schedules(asking: Person, nouns: Asked) -> list[Schedule]:
    """The caller's schedules, newest first."""
    return nouns.schedules.list(asking.name)


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
