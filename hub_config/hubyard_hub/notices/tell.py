"""Tell: a notice is made with what it tells of, in one transaction, under a unique key.

So there is exactly one, whatever is killed and however often the transaction is tried.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, or_, select, update

from hubyard.contract.base import now
from hubyard.contract.notice import DeliveryStatus, Why
from hubyard.contract.workload import Status, Target, new_id
from hubyard_hub.store import insert_new, insert_once
from hubyard_hub.store.tables import channels, deliveries, notices, runs, schedules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from hubyard_hub.store import Store
    from hubyard_hub.workloads.wishes import Row

KEPT = timedelta(days=90)
_UNBEGUN = (Status.PENDING, Status.STARTING)


def tell_end(
    connection: Connection, run: Row, status: Status, failure: dict[str, Any] | None
) -> None:
    """Tell the owner of a run how it has ended, where there is something to tell.

    Args:
        connection: of the transaction that makes this end final.
        run: its row.
        status: how it has ended.
        failure: a `RunFailure` as JSON.
    """
    if status is Status.FAILED:
        broke = failure or {"message": "It failed."}
        tell(connection, run, Why.FAILED, broke["message"], broke.get("cell"))
    elif status is Status.SUCCEEDED and _was_broken(connection, run):
        tell(connection, run, Why.RECOVERED, "It has succeeded again.")


def move_failed_cell(connection: Connection, run_id: str, cell: int | None) -> None:
    """Name another cell in what was told of a failed run; a newer record knows it."""
    told = update(notices).where(notices.c.run_id == run_id)
    connection.execute(told.where(notices.c.why == Why.FAILED).values(cell=cell))


def tell_late(store: Store, moment: datetime, patience: timedelta) -> None:
    """Tell of runs that have not begun, so long after their schedule was due.

    Who makes up for the past is not late: its due time was over when it was made.
    """
    told = exists().where(notices.c.run_id == runs.c.id, notices.c.why == Why.LATE)
    due = runs.c.fire_at
    late = select(
        *(runs.c.id, runs.c.owner, runs.c.name, runs.c.schedule_id),
        *(runs.c.fire_at, runs.c.created_at),
    ).where(
        runs.c.closed.is_(other=False),
        runs.c.status.in_(_UNBEGUN),
        runs.c.target == Target.RUNNING,
        due <= moment - patience,
        ~told,
    )
    with store.read() as connection:
        found = [dict(row) for row in connection.execute(late).mappings()]
    for run in found:
        if run["created_at"] < run["fire_at"] + patience:
            store.atomically(lambda c, run=run: _tell_one_late(c, run))


def _tell_one_late(connection: Connection, run: Row) -> None:
    """It may have begun meanwhile."""
    status = connection.scalar(select(runs.c.status).where(runs.c.id == run["id"]))
    if status in _UNBEGUN:
        due = f"{run['fire_at']:%-d %B, %H:%M} UTC"
        tell(connection, run, Why.LATE, f"It was due on {due} and has not begun.")


def tell(
    connection: Connection, run: Row, why: Why, message: str, cell: int | None = None
) -> None:
    """Make a notice with its deliveries, unless the owner was told of it before."""
    moment = now()
    notice_id = new_id()
    notice = {
        "id": notice_id,
        "owner": run["owner"],
        "name": run["name"],
        "why": why,
        "run_id": run["id"],
        "schedule_id": run["schedule_id"],
        "message": message,
        "cell": cell,
        "created_at": moment,
        "seen_at": None,
    }
    if insert_once(connection, notices, notice):
        names = _ways_out(connection, run, why)
        _deliver(connection, notice_id, names, moment)


def to_default_channels(
    connection: Connection, notice_id: str, moment: datetime
) -> None:
    """Send a notice through the channels that administrators chose for everybody."""
    chosen = select(channels.c.name).where(channels.c.is_default.is_(other=True))
    _deliver(connection, notice_id, connection.scalars(chosen).all(), moment)


def _deliver(
    connection: Connection, notice_id: str, names: Sequence[str], moment: datetime
) -> None:
    waiting = {
        "notice_id": notice_id,
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "due_at": moment,
        "changed_at": moment,
    }
    rows = [{**waiting, "channel": name} for name in names]
    insert_new(connection, deliveries, rows)


def forget_old(connection: Connection, moment: datetime) -> None:
    """Drop what was told long ago."""
    connection.execute(delete(notices).where(notices.c.created_at < moment - KEPT))


def _was_broken(connection: Connection, run: Row) -> bool:
    """Whether the last that was told of what this run repeats was a failure."""
    last = (
        select(notices.c.why)
        .join(runs, runs.c.id == notices.c.run_id)
        .where(
            or_(notices.c.run_id == run["id"], _repeats(run)),
            notices.c.why.in_([Why.FAILED, Why.RECOVERED]),
        )
        .order_by(notices.c.created_at.desc(), notices.c.id.desc())
        .limit(1)
    )
    return connection.scalar(last) is Why.FAILED


def _repeats(run: Row) -> ColumnElement[bool]:
    """Notices of the same schedule; without one, of its owner's same notebook."""
    if run["schedule_id"] is not None:
        return notices.c.schedule_id == run["schedule_id"]
    return and_(
        notices.c.schedule_id.is_(None),
        notices.c.owner == run["owner"],
        runs.c.notebook == run["notebook"],
        runs.c.project.is_not_distinct_from(run["project"]),
    )


def _ways_out(connection: Connection, run: Row, why: Why) -> Sequence[str]:
    """The channels through which a schedule's owner wishes to be told of this."""
    wish = select(schedules.c.notify, schedules.c.notify_on).where(
        schedules.c.id == run["schedule_id"]
    )
    found = connection.execute(wish).one_or_none()
    if found is None or why not in found.notify_on:
        return ()
    named = channels.c.is_default.is_(other=True)
    if found.notify is not None:
        named = channels.c.name.in_(found.notify)
    return connection.scalars(select(channels.c.name).where(named)).all()
