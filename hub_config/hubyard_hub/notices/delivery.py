"""Delivery: sends what waits for a channel, each notice at most once.

taken    a delivery is marked before it is sent. Where the process ends in the middle,
         nobody knows whether it was sent: it is `unsure` then, and not sent again
refused  the channel has answered that it did not take it, or could not be reached: it
         is asked again, later each time, and at last no more
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, or_, select, update

from hubyard.contract.base import now
from hubyard.contract.notice import DeliveryStatus, Why
from hubyard.contract.workload import new_id
from hubyard_hub.notices.book import link_of
from hubyard_hub.notices.channels import LONGEST_S, Channels
from hubyard_hub.store.tables import deliveries, notices
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Row

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
"""How long a channel is left alone after each refusal; after the last, for ever."""
_LOST = timedelta(seconds=2 * LONGEST_S)
"""So long after it was taken, whoever sent it has ended."""
_TITLES = {
    Why.FAILED: "{name} failed",
    Why.RECOVERED: "{name} is well again",
    Why.LATE: "{name} is late",
    Why.DISK: "{name} is nearly full",
}


class Deliverer:
    """Sends one after the other; several do it side by side."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._channels = Channels(parts)

    def deliver_one(self) -> bool:
        """Send what has waited longest; whether there was one."""
        store, taker = self._parts.store, new_id()
        with store.read() as connection:
            if not connection.scalar(select(_is_any_due(now()))):
                return False
        taken = store.atomically(lambda c: take(c, taker, now()))
        if taken is None:
            return False
        said = self._channels.send(taken["channel"], self._message(taken))
        values = outcome(taken["attempts"], said, now())
        store.atomically(lambda c: keep(c, taken, values))
        return True

    def _message(self, taken: Row) -> dict[str, Any]:
        shown = ("id", "why", "name", "owner", "run_id", "schedule_id", "message")
        return {
            **{name: taken[name] for name in shown},
            "title": _TITLES[taken["why"]].format(name=taken["name"]),
            "link": link_of(self._parts.settings, taken),
            "at": taken["created_at"].isoformat(),
        }


def take(connection: Connection, taker: str, moment: datetime) -> Row | None:
    """Mark a delivery that is due as being sent, with its notice; None: none is due.

    Args:
        connection: of the transaction that marks it.
        taker: who sends it: a fresh id.
        moment: now.
    """
    _give_up_lost(connection, moment)
    due = (
        select(deliveries.c.notice_id, deliveries.c.channel)
        .where(_is_due(moment))
        .order_by(deliveries.c.attempts, deliveries.c.due_at)
        .limit(1)
    )
    mine = deliveries.c.taken_by == taker
    found = connection.execute(due).one_or_none()
    # A transaction that is tried again, although it was kept, has taken one already.
    if found is not None and not all_rows(connection, select(deliveries).where(mine)):
        marked = update(deliveries).where(
            deliveries.c.notice_id == found.notice_id,
            deliveries.c.channel == found.channel,
        )
        connection.execute(
            marked.values(
                status=DeliveryStatus.SENDING,
                taken_by=taker,
                attempts=deliveries.c.attempts + 1,
                changed_at=moment,
            )
        )
    more = (deliveries.c.channel, deliveries.c.attempts, deliveries.c.taken_by)
    whole = select(notices, *more)
    joined = whole.join(deliveries, deliveries.c.notice_id == notices.c.id)
    return next(iter(all_rows(connection, joined.where(mine))), None)


def outcome(
    attempts: int, said: dict[str, Any] | None, moment: datetime
) -> dict[str, Any]:
    """What a delivery is after it was sent the `attempts`th time."""
    if said is None:
        said = {"status": "inside", "said": "There is no such channel any more."}
    values = {"changed_at": moment, "said": said.get("said")}
    if said["status"] == DeliveryStatus.REFUSED and attempts <= len(PAUSES):
        due_at = moment + PAUSES[attempts - 1]
        return {**values, "status": DeliveryStatus.WAITING, "due_at": due_at}
    final = {"inside": DeliveryStatus.REFUSED}.get(said["status"], said["status"])
    return {**values, "status": DeliveryStatus(final)}


def keep(connection: Connection, taken: Row, values: dict[str, Any]) -> None:
    """Write down what became of a delivery, for whoever took it."""
    mine = update(deliveries).where(
        deliveries.c.taken_by == taken["taken_by"],
        deliveries.c.status == DeliveryStatus.SENDING,
    )
    connection.execute(mine.values(**values))


def _give_up_lost(connection: Connection, moment: datetime) -> None:
    said = "Hubyard was stopped while it was sent: it may have come."
    lost = update(deliveries).where(_is_lost(moment))
    connection.execute(
        lost.values(status=DeliveryStatus.UNSURE, changed_at=moment, said=said)
    )


def _is_due(moment: datetime) -> ColumnElement[bool]:
    waits = deliveries.c.status == DeliveryStatus.WAITING
    return and_(waits, deliveries.c.due_at <= moment)


def _is_lost(moment: datetime) -> ColumnElement[bool]:
    sending = deliveries.c.status == DeliveryStatus.SENDING
    return and_(sending, deliveries.c.changed_at < moment - _LOST)


def _is_any_due(moment: datetime) -> ColumnElement[bool]:
    return exists().where(or_(_is_due(moment), _is_lost(moment)))
